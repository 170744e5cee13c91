"""What needs no service: offline verification against a bare signature check, pictures against the bare writer."""

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Final, NamedTuple

import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from codes import picture
from codes.cose import decode_sign1, encode_protected, sig_structure
from codes.digits import text_to_bytes
from codes.issue import issue
from codes.keys import SigningKey
from codes.keyset import KeySet
from codes.verify import verify

PAIRS: Final = 7
_HANDLE, _LIFE, _NONCE = 1, 300, b"once"


class Compared(NamedTuple):
    """Operations a second of the product and of the bare thing, and the median of their ratios."""

    rate: float
    bare: float
    ratio: float


def alternate(ours: Callable[[], float], bare: Callable[[], float], pairs: int = PAIRS) -> Compared:
    """Measure both in turn, each going first every other time."""
    rates: list[tuple[float, float]] = []
    for number in range(pairs):
        if number % 2:
            second = bare()
            rates.append((ours(), second))
        else:
            rates.append((ours(), bare()))
    return Compared(
        median(rate for rate, _ in rates), median(rate for _, rate in rates), median(one / two for one, two in rates)
    )


def rate_of(work: Callable[[], object], seconds: float) -> Callable[[], float]:
    """Measures how often a second `work` can be done."""

    def measure() -> float:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            for _ in range(10):
                work()
            count += 10
        return count / (time.perf_counter() - began)

    return measure


def offline(seconds: float) -> dict[str, Compared]:
    """Each figure by its name. `seconds`: of each measurement."""
    key = SigningKey.generate(os.urandom)
    now = int(time.time())
    text = issue(key, handle=_HANDLE, now=now, life=_LIFE, services=None, nonce=_NONCE).text
    keys = KeySet([key.verifying])
    message = decode_sign1(text_to_bytes(text))
    signed = sig_structure(encode_protected(message.alg, message.kid), message.payload)
    check = Ed25519PublicKey.from_public_bytes(key.verifying.public).verify

    verified = rate_of(lambda: verify(text, keys, now), seconds)
    checked = rate_of(lambda: check(message.signature, signed), seconds)
    written = rate_of(lambda: zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M"), seconds)
    pictures: dict[str, Callable[[], object]] = {
        "matrix": lambda: picture.matrix(text),
        "SVG": lambda: picture.svg(picture.matrix(text)),
        "PNG": lambda: picture.png(picture.matrix(text), 8),
    }
    return {
        "offline verify": alternate(verified, checked),
        **{name: alternate(rate_of(work, seconds), written) for name, work in pictures.items()},
    }
