"""One keyed hash for everything that needs one: HMAC-SHA-256 over a label and fields that cannot run together."""

import hmac
from datetime import datetime

Field = bytes | str | int | datetime | None

MAC_BYTES = 32


def mac(key: bytes, label: str, *fields: Field) -> bytes:
    """32 bytes over the label (one for each use of a key) and the fields, in order and by type."""
    return hmac.digest(key, b"".join(map(_framed, (f"yima/{label}/1", *fields))), "sha256")


def same(one: bytes, other: bytes) -> bool:
    """Whether two hashes are equal, in constant time."""
    return hmac.compare_digest(one, other)


def _framed(value: Field) -> bytes:
    """Type, length (8 bytes, big-endian) and content: no two lists of fields give the same bytes."""
    match value:
        case None:
            kind, content = b"n", b""
        case bytes():
            kind, content = b"b", value
        case str():
            kind, content = b"s", value.encode("utf-8", "surrogatepass")
        case bool():
            kind, content = b"t", b"\x01" if value else b"\x00"
        case int():
            kind, content = b"i", str(value).encode()
        case datetime():
            kind, content = b"d", _instant(value)
    return kind + len(content).to_bytes(8, "big") + content


def _instant(value: datetime) -> bytes:
    if value.tzinfo is None:
        raise ValueError("a time without a zone is no instant")
    return str(round(value.timestamp() * 1_000_000)).encode()
