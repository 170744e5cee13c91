"""Which keys `yima verify` goes by, and what is said about it.

    a bare set in a file       as it is: who gave the file answers for it
    a signed set in a file     by the steps of codes/signedset.py, under the pinned root
    an address                 the same; what is refused, or does not come, is replaced by the last good set that
                               was kept, until that expires

The time is this machine's, corrected by the service's where an address answered with a signed set. Nobody signs
a Date header, so it moves the clock by ten minutes at most.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from api.commands.verify_fetch import MAX_OFFSET, Fetched, NoAnswer, fetch, is_address, read_file, signed_set_address
from api.commands.verify_state import KeptSet, NotKept
from codes.errors import KeySetError, SetRefused, SetRolledBack
from codes.keyset import MAX_BYTES, KeySet
from codes.rootkey import MAX_BYTES as MAX_ROOT_BYTES
from codes.rootkey import RootKey
from codes.signedset import MAX_BYTES as MAX_SIGNED_BYTES
from codes.signedset import SignedSet, check_set, read_set

FETCHED, KEPT, FILE = "fetched", "kept", "file"
NO_ANSWER: Final = "no-answer"
_SIGNED_BEGINS: Final = b"\xd2"  # tag 18; a bare COSE_KeySet is an array, a JWK set an object
_ANY_FILE: Final = "file:"  # signed sets from files share one record a root, wherever the file lies
_TELL_OFFSET: Final = 5.0  # seconds that a clock may be off without a word


@dataclass(frozen=True, slots=True)
class News:
    """What happened on the way to the keys. `source` is None where none are usable; `found`: the set gone by, or kept.

    `problem` and `detail`: why what the address or file gave was not used; `warnings`: what else to know.
    """

    source: str | None
    found: SignedSet | None = None
    problem: str | None = None
    detail: str | None = None
    offset: float = 0.0
    warnings: tuple[str, ...] = ()


class Usable(NamedTuple):
    """The keys, how many seconds to add to this machine's clock, and what happened (nothing for a bare file)."""

    keys: KeySet
    offset: float
    news: News | None


class Unusable(Exception):
    """There are no keys to go by. `news` says what happened on the way, where anything did."""

    def __init__(self, message: str, news: News | None = None) -> None:
        super().__init__(message)
        self.news = news


def read_root(place: str) -> RootKey:
    """The pinned root. Raises Unusable."""
    try:
        return RootKey.read(read_file(place, MAX_ROOT_BYTES))
    except NoAnswer as why:
        raise Unusable(f"the root's public key cannot be read: {why}") from None
    except KeySetError as why:
        raise Unusable(f"the root's public key cannot be used: {why}") from None


def usable_keys(place: str, root: RootKey | None, state: Path, at: int | None) -> Usable:
    """The keys of a file or an address (which needs `root`), good now and at `at`. Raises Unusable."""
    if is_address(place):
        if root is None:
            raise Unusable("an address needs the root's public key")
        return _from_address(place, root, state, at)
    try:
        data = read_file(place, max(MAX_BYTES, MAX_SIGNED_BYTES))
    except NoAnswer as why:
        raise Unusable(f"the key file cannot be read: {why}") from None
    if data[:1] == _SIGNED_BEGINS:
        return _from_signed_file(data, root, state, at)
    if root is not None:
        raise Unusable("the key set in the file is not signed, and --root asks for one that is")
    return Usable(_bare(data), 0.0, None)


def _bare(data: bytes) -> KeySet:
    try:
        # A JWK set is a JSON object; a COSE_KeySet is a CBOR array, whose first byte is 0x80 or above.
        return KeySet.from_jwks(data) if data.lstrip()[:1] == b"{" else KeySet.from_cbor(data)
    except KeySetError as reason:
        raise Unusable(f"the key set cannot be used: {reason}") from None


def _from_signed_file(data: bytes, root: RootKey | None, state: Path, at: int | None) -> Usable:
    if root is None:
        raise Unusable("the key set in the file is signed: name the root's public key with --root FILE")
    kept = KeptSet(state, root, _ANY_FILE)
    try:
        found = read_set(data, root)
        _check(found, kept.read(), _now(0.0, at))
    except SetRefused as problem:
        news = News(None, problem=problem.code, detail=str(problem))
        raise Unusable(_refusal(news), news) from None
    return Usable(found.keyset, 0.0, News(FILE, found, warnings=_keep(kept, data, found)))


def _from_address(place: str, root: RootKey, state: Path, at: int | None) -> Usable:
    try:
        address = signed_set_address(place)
    except NoAnswer as why:
        raise Unusable(str(why)) from None
    kept = KeptSet(state, root, address)
    before = kept.read()
    offset, warnings = 0.0, tuple[str, ...]()
    try:
        answer = fetch(address)
        found = read_set(answer.data, root)
        offset, warnings = _offset(answer)  # only now: what the root has not signed moves no clock
        _check(found, before, _now(offset, at))
    except NoAnswer as problem:
        return _from_kept(before, at, News(KEPT, before, NO_ANSWER, str(problem)))
    except SetRefused as problem:
        return _from_kept(before, at, News(KEPT, before, problem.code, str(problem), offset, warnings))
    warnings += _keep(kept, answer.data, found)
    return Usable(found.keyset, offset, News(FETCHED, found, offset=offset, warnings=warnings))


def _from_kept(before: SignedSet | None, at: int | None, news: News) -> Usable:
    """The copy that was kept, while it is good."""
    gone = replace(news, source=None)
    if before is None:
        raise Unusable(f"{_refusal(news)}; no copy is kept", gone)
    try:
        check_set(before, _now(news.offset, at), before.version)
    except SetRefused as problem:
        raise Unusable(f"{_refusal(news)}; nor can the copy that was kept be used: {problem}", gone) from None
    return Usable(before.keyset, news.offset, news)


def _refusal(news: News) -> str:
    """Why what the address or file gave is not used."""
    return str(news.detail) if news.problem == NO_ANSWER else f"the key set is refused ({news.problem}): {news.detail}"


def _check(found: SignedSet, before: SignedSet | None, now: int) -> None:
    """Steps 4 to 6, against what was kept. Raises SetRefused."""
    seen = before.version if before else 0
    try:
        check_set(found, now, seen)
    except SetRolledBack:
        raise SetRolledBack(f"it is of version {found.version}, older than one already seen ({seen})") from None


def _keep(kept: KeptSet, data: bytes, found: SignedSet) -> tuple[str, ...]:
    try:
        kept.keep(data, found)
    except NotKept as why:
        return (f"nothing is kept for offline use or against older versions ({why}): name a folder with --state",)
    return ()


def _now(offset: float, at: int | None) -> int:
    """When the set must be good: now, and still at the time that was asked about."""
    now = int(time.time() + offset)
    return now if at is None else max(now, at)


def _offset(answer: Fetched) -> tuple[float, tuple[str, ...]]:
    """The correction of this machine's clock, and what to say about it."""
    offset = answer.offset
    if offset is None:
        return 0.0, ("the answer does not tell the time: this machine's clock is used as it is",)
    said = f"this machine's clock is {abs(offset):.0f} s {'behind' if offset > 0 else 'ahead of'} the service's"
    if abs(offset) > MAX_OFFSET:
        return 0.0, (f"{said}, too much to correct: set the clock",)
    return offset, (f"{said}: corrected",) if abs(offset) > _TELL_OFFSET else ()
