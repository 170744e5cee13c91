"""What a ring of many keys costs a verification (issue: 50 keys cost no more than 1)."""

import hashlib
import statistics
import time
from typing import Final

from codes.issue import issue
from codes.keys import SigningKey
from codes.ring import KeyRing, KeyState, Purpose, RingKey
from codes.verify import verify

NOW: Final = 1_800_000_000
PAIRS: Final = 61
ROUNDS: Final = 100


def verify_ratio(keys: int) -> float:
    """The time to verify a code with so many keys in the ring, as a multiple of the time with one.

    Measured in turn, so that what else the machine does meets both; the median of the pairs.
    """
    active = SigningKey.from_private(_private(0))
    text = issue(active, handle=7, now=NOW, life=60, services=None, nonce=bytes(4)).text
    one, many = _ring(active, 1), _ring(active, keys)
    for ring in (one, many):
        _seconds(text, ring)
    ratios = []
    for pair in range(PAIRS):
        order = (one, many) if pair % 2 else (many, one)
        took = {id(ring): _seconds(text, ring) for ring in order}
        ratios.append(took[id(many)] / took[id(one)])
    return statistics.median(ratios)


def _private(number: int) -> bytes:
    return hashlib.sha512(number.to_bytes(4, "big")).digest()


def _ring(active: SigningKey, keys: int) -> KeyRing:
    others = [SigningKey.from_private(_private(number)) for number in range(1, keys)]
    rows = [RingKey(key.kid, Purpose.CODE, KeyState.RETIRING, key.private_bytes()) for key in others]
    return KeyRing(1, [RingKey(active.kid, Purpose.CODE, KeyState.ACTIVE, active.private_bytes()), *rows])


def _seconds(text: str, ring: KeyRing) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        verify(text, ring, NOW)
    return time.process_time() - began


if __name__ == "__main__":
    print(f"verifying with 50 keys in the ring against 1: {verify_ratio(50):.3f}")
