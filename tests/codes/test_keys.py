"""Keys: known answers, weak points, and secrets that stay where they are."""

import copy
import hashlib
import pickle
from collections.abc import Callable

import pytest

from codes import cbor
from codes.blobs import DataKey
from codes.errors import KeySetError
from codes.guarded import Guarded
from codes.keys import SigningKey, VerifyingKey, check_public_point, cose_thumbprint, kid_of
from codes.ring import KeyState, Purpose
from codes.sealing import CardSealer

from .support import KEY, OTHER_KEY, PRINT_KEY, ring, ring_key, seeded

P = 2**255 - 19

# RFC 8032 §7.1, test 1
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


def test_rfc_8032_signs_and_verifies() -> None:
    key = SigningKey.from_private(SEED + bytes(32))
    assert key.verifying.public == PUBLIC
    assert key.sign(b"") == SIGNATURE
    assert key.verifying.verify(SIGNATURE, b"")
    assert not key.verifying.verify(SIGNATURE, b"\0")
    assert not key.verifying.verify(bytes(64), b"")


def test_the_thumbprint_is_that_of_rfc_9679() -> None:
    # §6 has a P-256 key; the method is the same: SHA-256 over the required members, deterministically encoded.
    x = bytes.fromhex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d")
    y = bytes.fromhex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
    expected = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
    assert hashlib.sha256(cbor.encode({1: 2, -1: 1, -2: x, -3: y})).hexdigest() == expected
    assert (
        cose_thumbprint(PUBLIC) == hashlib.sha256(bytes.fromhex("a3010120062158 20".replace(" ", "")) + PUBLIC).digest()
    )
    assert kid_of(PUBLIC) == cose_thumbprint(PUBLIC)[:4]


def test_a_key_is_its_private_bytes() -> None:
    key = SigningKey.generate(seeded(5))
    again = SigningKey.from_private(key.private_bytes())
    assert len(key.private_bytes()) == 64
    assert (again.kid, again.verifying) == (key.kid, key.verifying)
    assert again.sealer.open(key.sealer.seal(9, 8, b"1234")) == (9, 8)


@pytest.mark.parametrize("size", [0, 32, 63, 65, 96])
def test_private_bytes_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(ValueError):
        SigningKey(bytes(size))


# Weak public keys (threat 28)


def double(point: tuple[int, int]) -> tuple[int, int]:
    """Twice a point of edwards25519, by the affine addition law (RFC 8032 §5.1.4)."""
    x, y = point
    d = -121665 * pow(121666, -1, P) % P
    product = d * x * x * y * y % P
    return 2 * x * y * pow(1 + product, -1, P) % P, (y * y + x * x) * pow(1 - product, -1, P) % P


def decompressed(y: int) -> tuple[int, int]:
    d = -121665 * pow(121666, -1, P) % P
    square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if (root * root - square) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert (root * root - square) % P == 0
    return root, y


ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
LOW_ORDER_YS = [0, 1, P - 1, ORDER_8, P - ORDER_8, P, P + 1]
LOW_ORDER = [(y | sign << 255).to_bytes(32, "little") for y in LOW_ORDER_YS for sign in (0, 1)]


def test_the_list_of_low_order_points_is_right() -> None:
    for y in LOW_ORDER_YS:
        point = decompressed(y % P)
        for _ in range(3):
            point = double(point)
        assert point == (0, 1)
    assert len(set(LOW_ORDER)) == 14


@pytest.mark.parametrize("public", LOW_ORDER, ids=bytes.hex)
def test_each_of_the_14_low_order_encodings_is_refused(public: bytes) -> None:
    with pytest.raises(KeySetError):
        check_public_point(public)
    with pytest.raises(KeySetError):
        VerifyingKey.from_public(public)
    with pytest.raises(KeySetError):
        VerifyingKey(kid_of(public), -8, None, public)


@pytest.mark.parametrize("y", [*range(P, 2**255)], ids=lambda y: f"p+{y - P}")
def test_no_encoding_beyond_the_field_is_canonical(y: int) -> None:
    with pytest.raises(KeySetError):
        check_public_point(y.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "public", [b"", PUBLIC[:-1], PUBLIC + b"\0", (2).to_bytes(32, "little"), (7).to_bytes(32, "little")]
)
def test_what_is_no_point_is_refused(public: bytes) -> None:
    with pytest.raises(KeySetError):
        check_public_point(public)


def test_honest_points_are_taken() -> None:
    for seed in range(50):
        check_public_point(SigningKey.generate(seeded(seed)).verifying.public)


@pytest.mark.parametrize(
    ("kid", "alg", "use"),
    [
        (OTHER_KEY.kid, -8, None),
        (KEY.kid, -19, None),
        (KEY.kid, -7, None),
        (KEY.kid, -8, 0),
        (KEY.kid, -8, 2),
        (b"", -8, None),
    ],
)
def test_a_verifying_key_contradicts_itself_in_nothing(kid: bytes, alg: int, use: int | None) -> None:
    with pytest.raises(KeySetError):
        VerifyingKey(kid, alg, use, KEY.verifying.public)


# Secrets

HOLDERS: list[Guarded] = [
    PRINT_KEY,
    CardSealer(bytes(32)),
    DataKey(b"abcd", bytes(32)),
    ring_key(Purpose.TOKEN, KeyState.ACTIVE),
    ring(ring_key(Purpose.CODE, KeyState.ACTIVE)),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_a_holder_of_secrets_is_neither_pickled_nor_copied(holder: Guarded, leave: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        leave(holder)


def test_no_print_shows_a_secret() -> None:
    row = ring_key(Purpose.CODE, KeyState.ACTIVE)
    key = SigningKey(row.material)
    shown = "".join(f"{thing!r}{thing!s}{[thing]}" for thing in (row, key, key.sealer, ring(row), *HOLDERS))
    for secret in (row.material, row.material[:32], row.material[32:]):
        assert secret.hex() not in shown
        assert repr(secret)[2:12] not in shown


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_a_holder_of_secrets_has_no_dict_to_print(holder: Guarded) -> None:
    assert not hasattr(holder, "__dict__")
