"""Unpacking WeChat's statement: bounded, whole, and the file whose SHA-1 WeChat named."""

import hashlib
import hmac
import zlib
from typing import Final

from api.upstream.wechat_pay_types import StatementBroken

UNPACKED_MOST: Final = 100 * 1024 * 1024


def unpack(packed: bytes, sha1: str) -> bytes:
    """The file in `packed` (gzip). sha1: hex, of the unpacked file, as WeChat has it.

    Raises StatementBroken: not-a-file, truncated, too-large, hash.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(packed, UNPACKED_MOST + 1)
    except zlib.error:
        raise StatementBroken("not-a-file") from None
    if len(content) > UNPACKED_MOST:
        raise StatementBroken("too-large")
    if not unpacker.eof:
        raise StatementBroken("truncated")
    if unpacker.unused_data:
        raise StatementBroken("not-a-file")
    made = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(made.encode(), sha1.lower().encode()):
        raise StatementBroken("hash")
    return content
