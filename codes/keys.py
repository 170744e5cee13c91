"""The keys that sign and verify codes, each with the algorithm, curve and block cipher of its suite.

Nothing in a code chooses an algorithm: it is stored with the key that `kid` names (security.md, rule 7).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from codes import cbor
from codes.claims import USE_PRINTED
from codes.cose import KID_BYTES, encode_protected
from codes.errors import KeySetError
from codes.guarded import Guarded
from codes.points import check_public_point
from codes.sealing import SEALING_KEY_BYTES, CardSealer

__all__ = [
    "EDDSA",
    "SUITES",
    "KeySource",
    "Random",
    "SigningKey",
    "Suite",
    "VerifyingKey",
    "check_public_point",
    "cose_thumbprint",
    "kid_of",
]

EDDSA: Final = -8  # RFC 9053 §2.2; with the curve of the key, Ed25519 only
SEED_BYTES: Final = 32
PRIVATE_BYTES: Final = SEED_BYTES + SEALING_KEY_BYTES

Random = Callable[[int], bytes]  # as os.urandom: so many random bytes


class Suite(NamedTuple):
    """One algorithm with its curve and block cipher: the registered numbers of COSE, the names of JOSE."""

    name: str
    kty: int
    crv: int
    jose_alg: str
    jose_crv: str


SUITES: Final = {EDDSA: Suite("ed25519", kty=1, crv=6, jose_alg="EdDSA", jose_crv="Ed25519")}


def cose_thumbprint(public: bytes) -> bytes:
    """The COSE Key Thumbprint (RFC 9679, SHA-256, 32 bytes) of an Ed25519 public key."""
    suite = SUITES[EDDSA]
    return hashlib.sha256(cbor.encode({1: suite.kty, -1: suite.crv, -2: public})).digest()


def kid_of(public: bytes) -> bytes:
    """The 4 bytes that name an Ed25519 public key."""
    return cose_thumbprint(public)[:KID_BYTES]


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key that may verify codes. `use` is 1 on a key of purpose `print`, else None.

    Raises KeySetError where the point, the algorithm, the use or the kid is not what it must be.
    """

    kid: bytes
    alg: int
    use: int | None
    public: bytes
    protected: bytes = field(init=False, repr=False, compare=False)  # the one header of its codes, encoded
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.alg not in SUITES:
            raise KeySetError("the key's algorithm is not known here")
        if self.use not in (None, USE_PRINTED):
            raise KeySetError("the key's use is not known here")
        check_public_point(self.public)
        if self.kid != kid_of(self.public):
            raise KeySetError("the key's kid is not the beginning of its thumbprint")
        object.__setattr__(self, "protected", encode_protected(self.alg, self.kid))
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.public))

    @classmethod
    def from_public(cls, public: bytes, use: int | None = None) -> "VerifyingKey":
        """The Ed25519 key of these 32 bytes, under its own kid."""
        check_public_point(public)
        return cls(kid_of(public), EDDSA, use, public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this key's owner signed exactly this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class KeySource(Protocol):
    """Who knows which keys may verify now: a key ring or a published key set."""

    def verifying(self, kid: bytes) -> VerifyingKey | None:
        """The key that `kid` names, if it may verify."""
        ...


class SigningKey(Guarded):
    """One generation of an issuing key: what signs a code and what seals its card, under one kid."""

    __slots__ = ("_private", "alg", "kid", "protected", "sealer", "sign", "use", "verifying")

    def __init__(self, private: bytes, use: int | None = None) -> None:
        """`private`: 64 bytes, the Ed25519 seed and the sealing key after it."""
        if len(private) != PRIVATE_BYTES:
            raise ValueError("an issuing key's private part is 64 bytes")
        signer = Ed25519PrivateKey.from_private_bytes(private[:SEED_BYTES])
        self._private = private
        self.verifying = VerifyingKey.from_public(signer.public_key().public_bytes_raw(), use)
        self.kid = self.verifying.kid
        self.alg = self.verifying.alg
        self.use = use
        self.protected = self.verifying.protected
        self.sealer = CardSealer(private[SEED_BYTES:])
        self.sign: Callable[[bytes], bytes] = signer.sign  # 64 bytes for any message

    @classmethod
    def generate(cls, random: Random, use: int | None = None) -> "SigningKey":
        """A new key from 64 random bytes."""
        return cls(random(PRIVATE_BYTES), use)

    @classmethod
    def from_private(cls, private: bytes, use: int | None = None) -> "SigningKey":
        """The key whose `private_bytes()` these are."""
        return cls(private, use)

    def private_bytes(self) -> bytes:
        """The secret itself, 64 bytes: seed and sealing key. For wrapping by `custody`, and nothing else."""
        return self._private

    def __repr__(self) -> str:
        return f"<SigningKey {self.kid.hex()}>"
