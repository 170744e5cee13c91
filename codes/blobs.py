"""Sealed blobs: what the database keeps of a person, and how it is found again.

    blob = 0x01 || kid, 4 bytes || nonce, 12 bytes || AES-256-GCM ciphertext and tag

The associated data is the head of the blob and the place it belongs to (table, column, row id), so that a
blob moved to another row does not open.
"""

from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from codes.errors import SealBroken
from codes.guarded import Guarded
from codes.macs import MacKey, mac

DATA_KEY_BYTES: Final = 32
KID_BYTES: Final = 4
NONCE_BYTES: Final = 12

_VERSION: Final = b"\x01"
_HEAD_BYTES: Final = 1 + KID_BYTES
_TAG_BYTES: Final = 16
_MIN_BYTES: Final = _HEAD_BYTES + NONCE_BYTES + _TAG_BYTES


class DataKeys(Protocol):
    """Who knows which data keys may open: a key ring, or one key alone."""

    def data_key(self, kid: bytes) -> "DataKey | None":
        """The data key that `kid` names, if it may open."""
        ...


class DataKey(Guarded):
    """One key of purpose `data`."""

    __slots__ = ("_aead", "kid")

    def __init__(self, kid: bytes, key: bytes) -> None:
        """`kid`: 4 bytes. `key`: 32 bytes."""
        if len(kid) != KID_BYTES or len(key) != DATA_KEY_BYTES:
            raise ValueError("a data key is 32 bytes under a kid of 4")
        self.kid = kid
        self._aead = AESGCM(key)

    def data_key(self, kid: bytes) -> "DataKey | None":
        """Itself, if `kid` names it."""
        return self if kid == self.kid else None

    def _seal(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        return self._aead.encrypt(nonce, plaintext, associated)

    def _open(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
        return self._aead.decrypt(nonce, ciphertext, associated)

    def __repr__(self) -> str:
        return f"<DataKey {self.kid.hex()}>"


def seal(key: DataKey, plaintext: bytes, context: bytes, nonce: bytes) -> bytes:
    """The blob of `plaintext` at the place `context`; `nonce` is 12 random bytes, never used twice."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce is 12 bytes")
    head = _VERSION + key.kid
    return head + nonce + key._seal(nonce, plaintext, head + context)


def open(keys: DataKeys, blob: bytes, context: bytes) -> bytes:
    """The plaintext of a blob at its place. Raises SealBroken: wrong key, wrong place, or altered."""
    key = keys.data_key(blob_kid(blob))
    if key is None:
        raise SealBroken("no key that may open this blob")
    head, nonce, ciphertext = blob[:_HEAD_BYTES], blob[_HEAD_BYTES:][:NONCE_BYTES], blob[_HEAD_BYTES + NONCE_BYTES :]
    try:
        return key._open(nonce, ciphertext, head + context)
    except InvalidTag:
        raise SealBroken("the blob does not open at this place") from None


def blob_kid(blob: bytes) -> bytes:
    """The kid of the data key that sealed a blob. Raises SealBroken where it is no blob."""
    if len(blob) < _MIN_BYTES or not blob.startswith(_VERSION):
        raise SealBroken("not a blob")
    return blob[1:_HEAD_BYTES]


def blind_index(key: bytes | MacKey, kind: str, value: str) -> bytes:
    """The 32 bytes by which a value of one kind is found without being readable. `key`: 32 bytes."""
    return mac(key, "index", kind, value)
