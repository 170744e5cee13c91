"""The sealed card: a block that only its own key opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.errors import CodeNotAuthentic
from codes.sealing import CardSealer

SEALER = CardSealer(bytes(range(32)))
OTHER = CardSealer(bytes(32))


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4))
def test_a_sealed_card_opens(handle: int, iat: int, nonce: bytes) -> None:
    cti = SEALER.seal(handle, iat, nonce)
    assert len(cti) == 16
    assert SEALER.open(cti) == (handle, iat)


def test_it_is_one_block_of_aes_256() -> None:
    # FIPS 197, appendix C.3; the block reads as handle 0x0011223344556677, iat 0x8899aabb and nonce ccddeeff.
    cti = SEALER.seal(0x0011223344556677, 0x8899AABB, bytes.fromhex("ccddeeff"))
    assert cti.hex() == "8ea2b7ca516745bfeafc49904b496089"


def test_half_of_all_foreign_blocks_can_be_no_handle() -> None:
    refused = 0
    for number in range(400):
        try:
            assert OTHER.open(SEALER.seal(number, 0, b"1234")) != (number, 0)
        except CodeNotAuthentic:
            refused += 1
    assert 140 < refused < 260


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_only_one_block_opens(size: int) -> None:
    with pytest.raises(CodeNotAuthentic):
        SEALER.open(bytes(size))
    SEALER.seal(1, 1, b"1234")  # and the sealer is whole afterwards
    assert SEALER.open(SEALER.seal(1, 1, b"1234")) == (1, 1)


@pytest.mark.parametrize(("handle", "nonce"), [(-1, b"1234"), (2**63, b"1234"), (1, b"123"), (1, b"12345")])
def test_only_a_handle_is_sealed(handle: int, nonce: bytes) -> None:
    with pytest.raises(ValueError):
        SEALER.seal(handle, 1, nonce)


def test_a_sealing_key_is_32_bytes() -> None:
    with pytest.raises(ValueError):
        CardSealer(bytes(16))
