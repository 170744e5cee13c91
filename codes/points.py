"""Which 32 bytes are an Ed25519 public key that may be trusted (RFC 8032 §5.1.3; security.md, threat 28).

A key of low order verifies a signature that nobody made, and a point with two encodings has two kids.
`cryptography` checks neither.
"""

from typing import Final

from codes.errors import KeySetError

PUBLIC_BYTES: Final = 32

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_Y_MASK: Final = 2**255 - 1
# The y of a point whose order is 8; its negative is the other one. Orders 1, 2 and 4 have y = 1, -1 and 0.
_Y_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_LOW_ORDER_Y: Final = frozenset({0, 1, _P - 1, _Y_ORDER_8, _P - _Y_ORDER_8})


def check_public_point(public: bytes) -> None:
    """Raises KeySetError unless `public` is the one encoding of a point that is of high order."""
    if len(public) != PUBLIC_BYTES:
        raise KeySetError("an Ed25519 public key is 32 bytes")
    y = int.from_bytes(public, "little") & _Y_MASK
    if y >= _P:
        raise KeySetError("the public key is not in its canonical encoding")
    if y in _LOW_ORDER_Y:
        raise KeySetError("the public key is a point of low order")
    # x² = (y² - 1) / (d y² + 1) has a root exactly if the product of both is a square (Euler's criterion).
    if pow((y * y - 1) * (_D * y * y + 1), (_P - 1) // 2, _P) != 1:
        raise KeySetError("the public key is no point of the curve")
