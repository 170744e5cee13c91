"""Custody of keys: one root outside the database, from which what protects the stored keys and rows derives."""

from typing import Final

from Crypto.Cipher import AES
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from codes.errors import SealBroken
from codes.keys import Random
from codes.macs import Field, MacKey, mac, same

ROOT_KEY_BYTES: Final = 32
_MIN_WRAPPED_BYTES: Final = 16  # RFC 3394 §2: two or more blocks of 8 bytes


def new_root_key(random: Random) -> bytes:
    """32 random bytes, to be kept outside the database."""
    return random(ROOT_KEY_BYTES)


def derive(root: bytes, purpose: str) -> bytes:
    """The 32-byte key of one purpose (HKDF-SHA-256, RFC 5869, without salt)."""
    if len(root) != ROOT_KEY_BYTES:
        raise ValueError("a root key is 32 bytes")
    return HKDF(SHA256(), ROOT_KEY_BYTES, salt=None, info=f"yima/custody/1/{purpose}".encode()).derive(root)


def wrap(kek: bytes, material: bytes) -> bytes:
    """Key material, a multiple of 8 bytes and 16 or more, wrapped by AES key wrap (RFC 3394)."""
    if len(material) < _MIN_WRAPPED_BYTES or len(material) % 8:
        raise ValueError("key wrap takes 16 bytes or more, in blocks of 8")
    return bytes(AES.new(kek, AES.MODE_KW).seal(material))


def unwrap(kek: bytes, wrapped: bytes) -> bytes:
    """The key material inside. Raises SealBroken where the key or the wrapping is another one."""
    try:
        return bytes(AES.new(kek, AES.MODE_KW).unseal(wrapped))
    except ValueError:
        raise SealBroken("wrapped key material does not open") from None


def row_mac(key: bytes | MacKey, *fields: Field) -> bytes:
    """The 32 bytes that a card's or key's row carries over what it says (security.md, rule 13)."""
    return mac(key, "row", *fields)


def row_mac_holds(key: bytes | MacKey, tag: bytes, *fields: Field) -> bool:
    """Whether a row still says what its hash says, in constant time."""
    return same(row_mac(key, *fields), tag)
