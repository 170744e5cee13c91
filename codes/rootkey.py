"""The root's public key: what a verifier pins once, to know every later key set by.

As 64 digits of hex, as base64 (with or without padding, either alphabet), as a COSE_Key or as a JWK.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from codes import cbor
from codes.errors import KeySetError
from codes.keys import VerifyingKey
from codes.keyset import KeySet

MAX_BYTES: Final = 4 * 1024
_HEX: Final = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{43}=?")


@dataclass(frozen=True, slots=True)
class RootKey:
    """The public part of the key of purpose `root`, 32 bytes.

    It checks key sets, never a code: it is no VerifyingKey, so that nothing which looks codes' keys up can find it.
    Raises KeySetError for what is no public key.
    """

    public: bytes
    _key: VerifyingKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", VerifyingKey.from_public(self.public))

    @property
    def kid(self) -> bytes:
        """The 4 bytes that name it."""
        return self._key.kid

    @property
    def alg(self) -> int:
        """The algorithm that it verifies by (RFC 9053)."""
        return self._key.alg

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the root signed exactly this message."""
        return self._key.verify(signature, message)

    def to_hex(self) -> str:
        """64 digits of lower-case hex."""
        return self.public.hex()

    def to_cose(self) -> bytes:
        """The bytes of a COSE_Key (RFC 9052 §7)."""
        return cbor.encode(KeySet([self._key]).to_cose_keys()[0])

    def to_jwk(self) -> dict[str, str | int]:
        """A JWK (RFC 8037), to be written as JSON."""
        return KeySet([self._key]).to_jwks()["keys"][0]

    @classmethod
    def read(cls, data: bytes) -> "RootKey":
        """The key in a file's bytes, in any of its forms. Raises KeySetError."""
        if len(data) > MAX_BYTES:
            raise KeySetError("the root's public key is too large to be one")
        stripped = data.strip()
        if stripped[:1] == b"{":
            return cls._the_only(KeySet.from_jwks(b'{"keys":[' + stripped + b"]}"))
        if data[:1] and data[0] >= 0x80:  # CBOR's maps and arrays begin above ASCII
            return cls._the_only(KeySet.from_cbor(b"\x81" + data))
        return cls(_from_text(stripped))

    @classmethod
    def _the_only(cls, keys: KeySet) -> "RootKey":
        match keys.keys:
            case [VerifyingKey(use=None) as key]:
                return cls(key.public)
        raise KeySetError("the root's public key is one key, not of purpose print")


def _from_text(stripped: bytes) -> bytes:
    text = stripped.decode("ascii", "replace")
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _BASE64.fullmatch(text):
        standard = text.rstrip("=").replace("-", "+").replace("_", "/") + "="
        try:
            public = base64.b64decode(standard, validate=True)
        except binascii.Error:
            public = b""
        if base64.b64encode(public).decode() == standard:
            return public
    raise KeySetError("the root's public key is 32 bytes in hex or base64, a COSE_Key or a JWK")
