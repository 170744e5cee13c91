"""What the specifications of `codes` share: the vectors, keys of our own, and a way to sign anything at all."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cbor2

from codes.errors import CodeError
from codes.keys import SigningKey, VerifyingKey
from codes.keyset import KeySet
from codes.ring import KeyRing, KeyState, Purpose, RingKey
from codes.verify import verify

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors/code_v1.json").read_text("utf-8"))
VECTOR_KEYS = KeySet(
    VerifyingKey(bytes.fromhex(key["kid"]), -8, key["use"], bytes.fromhex(key["ed25519_public"]))
    for key in VECTORS["keys"]
)

NOW = 1_790_000_000
CTI = bytes(range(16))


def seeded(seed: int) -> Callable[[int], bytes]:
    """A source of "random" bytes that gives the same ones every time."""
    return random.Random(seed).randbytes


KEY = SigningKey.generate(seeded(1))
OTHER_KEY = SigningKey.generate(seeded(2))
PRINT_KEY = SigningKey.generate(seeded(3), use=1)
KEYS = KeySet([KEY.verifying, OTHER_KEY.verifying, PRINT_KEY.verifying])


class Parts(NamedTuple):
    """A code taken apart, so that a specification can change one thing and sign it properly."""

    protected: object = {1: -8, 4: KEY.kid}
    unprotected: object = {}
    payload: object = {4: NOW + 60, 6: NOW, 7: CTI}

    def signed(self, key: SigningKey = KEY) -> bytes:
        """The message's bytes with a good signature over exactly these parts; bytes are taken as they are."""
        protected, payload = encoded(self.protected), encoded(self.payload)
        signature = key.sign(cbor2.dumps(["Signature1", protected, b"", payload], canonical=True))
        return b"\xd2" + cbor2.dumps([protected, self.unprotected, payload, signature], canonical=True)

    def text(self, key: SigningKey = KEY) -> str:
        """The same as digits."""
        return digits(self.signed(key))


def encoded(value: object) -> bytes:
    return value if isinstance(value, bytes) else cbor2.dumps(value, canonical=True)


def digits(data: bytes) -> str:
    return "8601" + str(int.from_bytes(data, "big"))


def problem_of(text: str, keys: KeySet = KEYS, now: int = NOW) -> str | None:
    """The problem of a code, or None: as a scanner would be told."""
    try:
        verify(text, keys, now)
    except CodeError as error:
        return error.code
    return None


def ring_key(purpose: Purpose, state: KeyState, seed: int = 1) -> RingKey:
    """A key row of this purpose and state; the same seed gives the same key."""
    if purpose in ("code", "print", "audit", "root"):
        key = SigningKey.generate(seeded(1000 * list(Purpose).index(purpose) + seed))
        return RingKey(key.kid, purpose, state, key.private_bytes())
    randomly = seeded(seed)
    return RingKey(randomly(4), purpose, state, randomly(32))


def ring(*keys: RingKey) -> KeyRing:
    return KeyRing(1, keys)
