"""One keyed hash for everything that needs one: HMAC-SHA-256 over a label and fields that cannot run together."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Final

Field = bytes | str | int | datetime | None

MAC_BYTES = 32
_SHORT: Final = 256
_LENGTHS: Final = [length.to_bytes(8, "big") for length in range(_SHORT)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def mac(key: bytes, label: str, *fields: Field) -> bytes:
    """32 bytes over the label (one for each use of a key) and the fields, in order and by type."""
    parts = [*_framed(f"yima/{label}/1")]
    for value in fields:
        parts += _framed(value)
    return hmac.digest(key, b"".join(parts), "sha256")


def same(one: bytes, other: bytes) -> bool:
    """Whether two hashes are equal, in constant time."""
    return hmac.compare_digest(one, other)


def _framed(value: Field) -> tuple[bytes, bytes, bytes]:
    """Type, length (8 bytes, big-endian) and content: no two lists of fields give the same bytes."""
    kind, content = (_FRAMES.get(type(value)) or _subclass)(value)
    length = len(content)
    return kind, _LENGTHS[length] if length < _SHORT else length.to_bytes(8, "big"), content


def _subclass(value: Field) -> tuple[bytes, bytes]:
    """A value of a type that derives from one of ours (an enumeration's word) counts as that type."""
    for base in type(value).__mro__:
        if base in _FRAMES:
            return _FRAMES[base](value)
    raise TypeError("a field is bytes, text, a number, a time or None")


def _instant(value: datetime) -> bytes:
    """Microseconds since 1970."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone is no instant")
    since = value - _EPOCH
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds).encode()


# By exact type first: this runs for every row that is read.
_FRAMES: Final[dict[type, Callable[[Any], tuple[bytes, bytes]]]] = {
    NoneType: lambda _: (b"n", b""),
    bytes: lambda value: (b"b", value),
    str: lambda value: (b"s", value.encode("utf-8", "surrogatepass")),
    bool: lambda value: (b"t", b"\x01" if value else b"\x00"),
    int: lambda value: (b"i", b"%d" % value),
    datetime: lambda value: (b"d", _instant(value)),
}
