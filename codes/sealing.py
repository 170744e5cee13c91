"""The sealed card: a card's handle inside the code's one-time identity (code-format.md, "The sealed card").

cti = E_k( handle, 8 bytes, below 2**63 || iat, 4 bytes || 4 random bytes )        all big-endian
"""

import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from codes.claims import CTI_BYTES
from codes.errors import CodeNotAuthentic
from codes.guarded import Guarded

SEALING_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 4
HANDLE_LIMIT: Final = 2**63

_BLOCK: Final = struct.Struct(">QI4s")


class CardSealer(Guarded):
    """Seals and opens one block with AES-256. Its cached contexts belong to one thread at a time."""

    __slots__ = ("_decrypt", "_encrypt")

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes."""
        if len(key) != SEALING_KEY_BYTES:
            raise ValueError("a sealing key is 32 bytes")
        # One block, whose four random bytes make it unique: ECB is the block cipher itself, nothing is chained.
        cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    def seal(self, handle: int, iat: int, nonce: bytes) -> bytes:
        """The 16 bytes of a `cti`. `handle` is below 2**63, `iat` in seconds, `nonce` 4 random bytes."""
        if not 0 <= handle < HANDLE_LIMIT or len(nonce) != NONCE_BYTES:
            raise ValueError("a handle below 2**63 and a nonce of 4 bytes")
        return self._encrypt(_BLOCK.pack(handle, iat, nonce))

    def open(self, cti: bytes) -> tuple[int, int]:
        """The handle and the `iat` inside a `cti`. Raises CodeNotAuthentic where no handle can be."""
        if len(cti) != CTI_BYTES:
            raise CodeNotAuthentic
        handle, iat, _ = _BLOCK.unpack(self._decrypt(cti))
        if handle >= HANDLE_LIMIT:
            raise CodeNotAuthentic
        return handle, iat
