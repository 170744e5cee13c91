"""Bearer tokens that say what they are under an HMAC, so that checking one asks nobody (security.md, rule 14).

    "yp_" + base64url( version || kid, 4 || subject, 16 || session, 16 || epoch, 4 || scopes, 4 || expires, 4 || mac, 32 )

81 bytes, so 108 letters without padding, and each token has exactly one text. The prefix names the kind, is
under the MAC too, and lets secret scanners find a token that leaked. Whether the account or client still
stands, at this epoch, is read where the work is done.
"""

import base64
import hmac
import re
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from codes.errors import TokenInvalid
from codes.ring import Purpose, RingKey

PREFIXES: Final = {"patient": "yp_", "hospital": "yh_", "clerk": "yc_", "admin": "ya_", "isv": "yi_"}

_KINDS: Final = {prefix: kind for kind, prefix in PREFIXES.items()}
_VERSION: Final = 1
_BODY: Final = struct.Struct(">B4s16s16sIII")
_BODY_BYTES: Final = _BODY.size
_PREFIX_LETTERS: Final = 3
_SHAPE: Final = re.compile(r"y[a-z]_[A-Za-z0-9_-]{108}")
_ID_BYTES: Final = 16


class Token(NamedTuple):
    """What a bearer may act as. Ids are 16 bytes, `scopes` a bit set, `expires` in seconds since 1970."""

    kind: str
    subject: bytes
    session: bytes
    epoch: int
    scopes: int
    expires: int


def make_token(key: RingKey, token: Token) -> str:
    """The text of a token, 111 characters, under a key of purpose `token`. Raises ValueError out of range."""
    kind, subject, session, epoch, scopes, expires = token
    if key.purpose is not Purpose.TOKEN or not key.may.make or kind not in PREFIXES:
        raise ValueError("an active key of purpose token, and a known kind")
    if len(subject) != _ID_BYTES or len(session) != _ID_BYTES:
        raise ValueError("ids in tokens are 16 bytes")
    try:
        body = _BODY.pack(_VERSION, key.kid, subject, session, epoch, scopes, expires)
    except struct.error:
        raise ValueError("epoch, scopes and expiry are below 2**32") from None
    prefix = PREFIXES[kind]
    return prefix + base64.urlsafe_b64encode(body + _mac(key.material, prefix, body)).decode()


def read_token(text: str, keys: Mapping[bytes, bytes]) -> Token:
    """The token of a text, by the keys that may check (kid to 32 bytes). Its expiry is the caller's to judge.

    Raises TokenInvalid.
    """
    prefix = text[:_PREFIX_LETTERS]
    kind = _KINDS.get(prefix)
    if kind is None or not _SHAPE.fullmatch(text):
        raise TokenInvalid
    data = base64.urlsafe_b64decode(text[_PREFIX_LETTERS:])
    body = data[:_BODY_BYTES]
    version, kid, subject, session, epoch, scopes, expires = _BODY.unpack(body)
    key = keys.get(kid)
    if key is None or not hmac.compare_digest(_mac(key, prefix, body), data[_BODY_BYTES:]) or version != _VERSION:
        raise TokenInvalid
    return Token(kind, subject, session, epoch, scopes, expires)


def _mac(key: bytes, prefix: str, body: bytes) -> bytes:
    return hmac.digest(key, prefix.encode() + body, "sha256")
