"""The signed key set: who may publish it, and the tricks by which an old or false one is passed off (threat 27)."""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

from codes.errors import (
    CodeError,
    KeySetError,
    SetExpired,
    SetForged,
    SetFromFuture,
    SetMalformed,
    SetRefused,
    SetRolledBack,
)
from codes.issue import issue
from codes.keys import SigningKey
from codes.keyset import KeySet
from codes.ring import KeyState, Purpose
from codes.rootkey import RootKey
from codes.signedset import MAX_BYTES, MAX_LIFE, MAX_REVOKED, MAX_VERSION, open_set, sign_set
from codes.verify import verify

from .support import KEY, KEYS, NOW, OTHER_KEY, PRINT_KEY, ring, ring_key, seeded

ROOT = SigningKey.generate(seeded(10))
OTHER_ROOT = SigningKey.generate(seeded(11))
PINNED = RootKey(ROOT.verifying.public)
DAY = 86_400
LIFE = 3 * DAY
STOLEN = SigningKey.generate(seeded(12))


def signed(version: int = 5, issued: int = NOW, life: int = LIFE, **more: Any) -> bytes:
    """A set of this version; `keys`, `revoked` and `root` may be others."""
    keys = more.get("keys", KEYS.keys)
    return sign_set(more.get("root", ROOT), keys, more.get("revoked", ()), version, issued, issued + life)


# What a verifier is offered over time, and what it makes of it


class Offer(NamedTuple):
    """One set, offered at a time; `refused` names the problem, None is trusted."""

    what: str
    data: bytes
    at: int = NOW
    refused: type[SetRefused] | None = None


SCENARIOS: dict[str, list[Offer]] = {
    "rotations, one after the other": [
        Offer("the first set", signed(5)),
        Offer("the same again", signed(5), NOW + 60),
        Offer("the same, signed later", signed(5, NOW + 300), NOW + 300),
        Offer("a key more", signed(6, NOW + 400), NOW + 400),
        Offer("many versions later", signed(2000, NOW + DAY), NOW + DAY),
    ],
    "rollback: a set of before is served": [
        Offer("the set of today", signed(6)),
        Offer("yesterday's, though it has not expired", signed(5, NOW - DAY), NOW, SetRolledBack),
        Offer("version 0", signed(0), NOW, SetRolledBack),
        Offer("the set of today still holds", signed(6), NOW + 60),
    ],
    "rollback: an old version signed anew": [
        Offer("the set of today", signed(6)),
        Offer("a worker's that lags", signed(5, NOW + 60), NOW + 60, SetRolledBack),
        Offer("once the worker has caught up", signed(6, NOW + 60), NOW + 60),
    ],
    "freeze: nothing newer is ever served": [
        Offer("the set", signed(5)),
        Offer("in its last second", signed(5), NOW + LIFE),
        Offer("a second later", signed(5), NOW + LIFE + 1, SetExpired),
        Offer("a year later", signed(5), NOW + 365 * DAY, SetExpired),
        Offer("a newer one at last", signed(7, NOW + 365 * DAY), NOW + 365 * DAY),
    ],
    "rollback to an expired set": [
        Offer("the set of today", signed(6)),
        Offer("a month's old", signed(5, NOW - 30 * DAY), NOW, SetRolledBack),
    ],
    "fast-forward: a set of tomorrow would shut out today's": [
        Offer("the set of today", signed(5)),
        Offer("a set of tomorrow", signed(999, NOW + DAY), NOW, SetFromFuture),
        Offer("31 s ahead", signed(999, NOW + 31), NOW, SetFromFuture),
        Offer("today's still counts: 999 was never taken", signed(6), NOW),
        Offer("30 s ahead: two clocks may differ so much", signed(7, NOW + 30), NOW),
    ],
    "fast-forward: the highest version there is": [
        Offer("by another root", signed(MAX_VERSION, root=OTHER_ROOT), NOW, SetForged),
        Offer("nothing was shut out", signed(1)),
    ],
    "another root": [
        Offer("signed by another root", signed(5, root=OTHER_ROOT), NOW, SetForged),
        Offer("signed by a code key", signed(5, keys=[OTHER_KEY.verifying], root=KEY), NOW, SetForged),
        Offer("signed by the pinned root", signed(5)),
    ],
    "a bare set where a signed one is due": [
        Offer("keys.cbor", KEYS.to_cbor(), NOW, SetMalformed),
        Offer("nothing", b"", NOW, SetMalformed),
        Offer("the signed one", signed(5)),
    ],
    "a database put back, and confirmed": [
        Offer("before the accident", signed(40)),
        Offer("from the backup", signed(31, NOW + 60), NOW + 60, SetRolledBack),
        Offer("confirmed: above any that was seen", signed(41, NOW + 120), NOW + 120),
    ],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    highest = 0
    for offer in SCENARIOS[name]:
        if offer.refused is None:
            highest = open_set(offer.data, PINNED, offer.at, highest).version
        else:
            with pytest.raises(SetRefused) as caught:
                open_set(offer.data, PINNED, offer.at, highest)
            assert type(caught.value) is offer.refused, offer.what


def test_each_refusal_has_a_word_of_its_own() -> None:
    kinds = (SetMalformed, SetForged, SetFromFuture, SetRolledBack, SetExpired)
    assert [kind.code for kind in kinds] == [
        "set-malformed",
        "set-forged",
        "set-from-future",
        "set-rolled-back",
        "set-expired",
    ]
    assert all(issubclass(kind, KeySetError) and kind.meaning for kind in kinds)


# What a set says


def test_what_was_signed_comes_back() -> None:
    found = open_set(signed(5, revoked=[STOLEN.kid]), PINNED, NOW, 0)
    assert (found.version, found.issued_at, found.expires_at) == (5, NOW, NOW + LIFE)
    assert found.keyset.keys == KEYS.keys
    assert found.revoked == {STOLEN.kid}


def test_the_same_set_is_the_same_bytes() -> None:
    assert signed(revoked=[STOLEN.kid, b"abcd"]) == signed(revoked=[b"abcd", STOLEN.kid, b"abcd"])


def test_a_key_that_was_removed_verifies_nothing_any_more() -> None:
    code = issue(KEY, handle=1, now=NOW, life=60, services=None, nonce=b"1234").text
    before = open_set(signed(5), PINNED, NOW, 0)
    after = open_set(signed(6, keys=[OTHER_KEY.verifying], revoked=[KEY.kid]), PINNED, NOW, before.version)
    assert verify(code, before.keyset, NOW).kid == KEY.kid
    with pytest.raises(CodeError, match="no key that may verify"):
        verify(code, after.keyset, NOW)
    assert KEY.kid in after.revoked


def test_the_root_verifies_no_code() -> None:
    """Not as a key of a set, and not as the pinned key: it has no `verifying`."""
    with pytest.raises(SetMalformed):
        signed(keys=[*KEYS.keys, ROOT.verifying])
    assert not hasattr(PINNED, "verifying")
    assert not hasattr(PINNED, "use")


def test_the_ring_tells_which_code_and_print_keys_are_revoked() -> None:
    gone = [
        ring_key(purpose, KeyState.COMPROMISED, seed) for seed in (7, 8) for purpose in (Purpose.CODE, Purpose.PRINT)
    ]
    token = ring_key(Purpose.TOKEN, KeyState.COMPROMISED, 9)
    kept = [ring_key(Purpose.CODE, KeyState.ACTIVE, 1), ring_key(Purpose.CODE, KeyState.RETIRED, 2)]
    assert ring(*gone, token, *kept).revoked() == sorted(key.kid for key in gone)
    assert ring(*kept).revoked() == []


def test_pycose_takes_our_signature() -> None:
    data = signed(5)
    message: Any = Sign1Message.from_cose_obj(list(cbor2.loads(data[1:])), True)
    message.key = OKPKey(crv="ED25519", x=ROOT.verifying.public)
    assert message.verify_signature()
    assert set(cbor2.loads(message.payload)) == {"version", "issued_at", "expires_at", "keys", "revoked"}
    assert message.phdr_encoded == cbor2.dumps({1: -8, 4: ROOT.kid})


# Sets that the root's own signature does not make good: a careless signer, or a parser's trick

GOOD: dict[Any, Any] = {
    "version": 5,
    "issued_at": NOW,
    "expires_at": NOW + LIFE,
    "keys": KEYS.to_cose_keys(),
    "revoked": [b"aaaa", b"bbbb"],
}


def sealed(payload: object, protected: object = None, unprotected: object = None, key: SigningKey = ROOT) -> bytes:
    """A message that `key` has properly signed over exactly this payload; bytes are taken as they are."""
    body = payload if isinstance(payload, bytes) else cbor2.dumps(payload, canonical=True)
    head = cbor2.dumps({1: -8, 4: ROOT.kid} if protected is None else protected, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", head, b"", body]))
    return b"\xd2" + cbor2.dumps([head, unprotected or {}, body, signature], canonical=True)


def test_the_payload_below_is_good_as_it_stands() -> None:
    assert open_set(sealed(GOOD), PINNED, NOW, 5).version == 5


@pytest.mark.parametrize(
    ("why", "payload"),
    [
        *((f"no {name}", {k: v for k, v in GOOD.items() if k != name}) for name in GOOD),
        ("a member more", GOOD | {"next": 1}),
        ("an integer among the names", GOOD | {1: 1}),
        ("a version that is true", GOOD | {"version": True}),
        ("a version that is text", GOOD | {"version": "5"}),
        ("a version with a fraction", GOOD | {"version": 5.0}),
        ("a negative version", GOOD | {"version": -1}),
        ("a version of 2⁵³", GOOD | {"version": 2**53}),
        ("a version of 2⁶⁴", GOOD | {"version": 2**64}),
        ("a time with a fraction", GOOD | {"issued_at": float(NOW)}),
        ("a negative time", GOOD | {"issued_at": -1}),
        ("an end before its beginning", GOOD | {"expires_at": NOW - 1}),
        ("no life at all", GOOD | {"expires_at": NOW}),
        ("a life of more than a year", GOOD | {"expires_at": NOW + MAX_LIFE + 1}),
        ("an end beyond 2³²", GOOD | {"expires_at": 2**32}),
        ("no keys", GOOD | {"keys": []}),
        ("keys that are a map", GOOD | {"keys": {}}),
        ("keys that are bytes", GOOD | {"keys": KEYS.to_cbor()}),
        ("a private key", GOOD | {"keys": [{**KEYS.to_cose_keys()[0], -4: bytes(32)}]}),
        ("a key twice", GOOD | {"keys": [*KEYS.to_cose_keys(), KEYS.to_cose_keys()[0]]}),
        ("the root among the keys", GOOD | {"keys": KeySet([ROOT.verifying]).to_cose_keys()}),
        ("a revoked key among the keys", GOOD | {"revoked": [KEY.kid]}),
        ("a revoked print key among the keys", GOOD | {"revoked": [PRINT_KEY.kid]}),
        ("revoked kids out of order", GOOD | {"revoked": [b"bbbb", b"aaaa"]}),
        ("a revoked kid twice", GOOD | {"revoked": [b"aaaa", b"aaaa"]}),
        ("a revoked kid of 5 bytes", GOOD | {"revoked": [b"aaaaa"]}),
        ("a revoked kid as text", GOOD | {"revoked": ["aaaa"]}),
        ("too many revoked", GOOD | {"revoked": [n.to_bytes(4, "big") for n in range(MAX_REVOKED + 1)]}),
        ("an array", list(GOOD.values())),
        ("no CBOR", b"\xff"),
        ("nothing", b""),
        ("a byte after", cbor2.dumps(GOOD, canonical=True) + b"\0"),
        ("names out of order", cbor2.dumps(GOOD)),
        ("a version in a longer head", cbor2.dumps(GOOD, canonical=True).replace(b"version\x05", b"version\x18\x05")),
        ("a tag inside", GOOD | {"version": cbor2.CBORTag(1, 5)}),
        ("a bignum", GOOD | {"version": cbor2.CBORTag(2, b"\x05")}),
    ],
)
def test_what_the_root_signed_amiss_is_malformed(why: str, payload: object) -> None:
    with pytest.raises(SetMalformed):
        open_set(sealed(payload), PINNED, NOW, 0)


@pytest.mark.parametrize(
    ("why", "data", "refused"),
    [
        ("another alg", sealed(GOOD, {1: -19, 4: ROOT.kid}), SetForged),
        ("another kid", sealed(GOOD, {1: -8, 4: KEY.kid}), SetForged),
        ("the root's kid, signed by a code key", sealed(GOOD, key=KEY), SetForged),
        ("no kid", sealed(GOOD, {1: -8}), SetMalformed),
        ("a header more", sealed(GOOD, {1: -8, 4: ROOT.kid, 3: 0}), SetMalformed),
        ("an unprotected header", sealed(GOOD, unprotected={4: ROOT.kid}), SetMalformed),
        ("without its tag", sealed(GOOD)[1:], SetMalformed),
        ("a tag more", b"\xd9\xd9\xf7" + sealed(GOOD), SetMalformed),
        ("a byte after", sealed(GOOD) + b"\0", SetMalformed),
    ],
)
def test_a_message_of_another_form_is_refused(why: str, data: bytes, refused: type[SetRefused]) -> None:
    with pytest.raises(SetRefused) as caught:
        open_set(data, PINNED, NOW, 0)
    assert type(caught.value) is refused


def test_what_is_too_large_is_not_even_parsed() -> None:
    with pytest.raises(SetMalformed, match="too large"):
        open_set(sealed(GOOD) + bytes(MAX_BYTES), PINNED, NOW, 0)


def test_no_single_bit_may_differ() -> None:
    data = signed(5, keys=[KEY.verifying])
    for place in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises((SetMalformed, SetForged)):
            open_set(bytes(flipped), PINNED, NOW, 0)


@given(st.binary(max_size=400))
def test_a_strangers_bytes_are_refused_and_never_more(data: bytes) -> None:
    with pytest.raises((SetMalformed, SetForged)):
        open_set(data, PINNED, NOW, 0)


@pytest.mark.parametrize(
    ("why", "sign"),
    [
        ("version", lambda: signed(MAX_VERSION + 1)),
        ("life", lambda: signed(life=MAX_LIFE + 1)),
        ("no life", lambda: signed(life=0)),
        ("no keys", lambda: signed(keys=[])),
        ("a revoked key", lambda: signed(revoked=[KEY.kid])),
    ],
)
def test_what_nobody_would_take_is_not_signed(why: str, sign: Callable[[], bytes]) -> None:
    with pytest.raises(KeySetError):
        sign()


# The pinned root's file

TEXT = ROOT.verifying.public.hex()


def test_each_form_of_the_root_reads_as_the_same() -> None:
    public = ROOT.verifying.public
    forms = [
        TEXT.encode(),
        f"  {TEXT.upper()}\r\n".encode(),
        base64.b64encode(public),
        base64.urlsafe_b64encode(public).rstrip(b"=") + b"\n",
        PINNED.to_cose(),
        json.dumps(PINNED.to_jwk(), indent=1).encode(),
    ]
    assert [RootKey.read(form) for form in forms] == [PINNED] * len(forms)
    assert PINNED.kid == ROOT.kid


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("nothing", b""),
        ("a digit short", TEXT[:-1].encode()),
        ("two keys", f"{TEXT}\n{TEXT}".encode()),
        ("raw bytes", ROOT.verifying.public),
        ("a low-order point", (1).to_bytes(32, "little").hex().encode()),
        ("base64 with bits to spare", b"A" * 42 + b"B"),
        ("a key set", KEYS.to_cbor()),
        ("a print key", KeySet([PRINT_KEY.verifying]).to_cbor()[1:]),
        ("two JWKs", b'{"kty":"OKP"},{"kty":"OKP"}'),
        ("a JWK set", b'{"keys":[]}'),
        (
            "a private COSE key",
            cbor2.dumps({**KeySet([KEY.verifying]).to_cose_keys()[0], -4: bytes(32)}, canonical=True),
        ),
        ("too much", TEXT.encode() + b" " * 5000),
        ("not ASCII", "é".encode() * 32),
    ],
)
def test_what_is_no_root_key_is_refused(why: str, data: bytes) -> None:
    with pytest.raises(KeySetError):
        RootKey.read(data)
