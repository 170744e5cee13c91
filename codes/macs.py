"""One keyed hash for everything that needs one: HMAC-SHA-256 over a label and fields that cannot run together."""

import hmac
from datetime import UTC, datetime
from typing import Final

from codes.guarded import Guarded

Field = bytes | str | int | datetime | None

MAC_BYTES = 32
_SHORT: Final = 256
_LENGTHS: Final = [length.to_bytes(8, "big") for length in range(_SHORT)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MacKey(Guarded):
    """A prepared key of `mac`: beginning an HMAC over a key afresh costs several times the hash of a row."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        self._begun = hmac.new(key, digestmod="sha256")

    def _digest(self, data: bytes) -> bytes:
        one = self._begun.copy()
        one.update(data)
        return one.digest()


def mac(key: bytes | MacKey, label: str, *fields: Field) -> bytes:
    """32 bytes over the label (one for each use of a key) and the fields, in order and by type.

    Each is framed by its type, its length (8 bytes, big-endian) and its content: no two lists of fields give the
    same bytes.
    """
    parts: list[bytes] = []
    # In one loop without a call for each field, since this runs for every row that is read.
    for value in (f"yima/{label}/1", *fields):
        if isinstance(value, str):
            kind, content = b"s", value.encode("utf-8", "surrogatepass")
        elif isinstance(value, bytes):
            kind, content = b"b", value
        elif isinstance(value, bool):
            kind, content = b"t", b"\x01" if value else b"\x00"
        elif isinstance(value, int):
            kind, content = b"i", b"%d" % value
        elif isinstance(value, datetime):
            kind, content = b"d", _instant(value)
        elif value is None:
            kind, content = b"n", b""
        else:
            raise TypeError("a field is text, bytes, a number, a time or None")
        length = len(content)
        parts += (kind, _LENGTHS[length] if length < _SHORT else length.to_bytes(8, "big"), content)
    data = b"".join(parts)
    return key._digest(data) if isinstance(key, MacKey) else hmac.digest(key, data, "sha256")


def same(one: bytes, other: bytes) -> bool:
    """Whether two hashes are equal, in constant time."""
    return hmac.compare_digest(one, other)


def _instant(value: datetime) -> bytes:
    """Microseconds since 1970."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone is no instant")
    since = value - _EPOCH
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds).encode()
