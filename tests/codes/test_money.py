"""Money: whole fen, decimal strings of yuan, quantities of four decimals, and parts that make a total."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.money import (
    FEN_MOST,
    AmountInvalid,
    Parts,
    PartsMismatch,
    fen_of,
    line_fen,
    parts_of,
    quantity_of,
    yuan_of,
)

fens = st.integers(-FEN_MOST, FEN_MOST)
amount_like = st.text("0123456789.-+eE٣１ \n_", max_size=20)


@given(fens)
def test_fen_to_yuan_and_back(fen: int) -> None:
    assert fen_of(yuan_of(fen)) == fen
    assert Decimal(yuan_of(fen)) * 100 == fen


@pytest.mark.parametrize(
    ("yuan", "fen"),
    [
        ("0", 0),
        ("-0.00", 0),
        ("12", 1200),
        ("12.3", 1230),
        ("12.30", 1230),
        ("12.3000", 1230),
        ("-0.01", -1),
        ("0.29", 29),
        ("1000000000.00", FEN_MOST),
    ],
)
def test_yuan_as_platforms_write_it(yuan: str, fen: int) -> None:
    assert fen_of(yuan) == fen


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "1\n", "+1", "1.", ".5", "1.234", "1.001", "1,000", "1e3", "NaN", "Infinity", "--1", "0x10"),
        *("１２", "٣", "¥1", "1000000000.01", "-1000000000.01", "9" * 13, "9" * 5000),
    ],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(AmountInvalid):
        fen_of(text)


@given(amount_like)
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    with contextlib.suppress(AmountInvalid):
        assert abs(fen_of(text)) <= FEN_MOST


@pytest.mark.parametrize("text", ["1", "0.5", "0.0001", "99999999.9999", "007"])
def test_a_quantity(text: str) -> None:
    assert quantity_of(text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["0", "0.0000", "-1", "0.00001", "1.00000", "100000000", "", "1.", "1e2", "NaN", "１", "1\n"]
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(AmountInvalid):
        quantity_of(text)


@pytest.mark.parametrize(
    ("quantity", "price", "fen"),
    [
        ("1", 2500, 2500),
        ("2", 2050, 4100),
        ("0.5", 1, 1),
        ("0.4999", 1, 0),
        ("2.5", 1, 3),
        ("0.3333", 100, 33),
        ("99999999.9999", FEN_MOST, 9_999_999_999_990_000_000),
    ],
)
def test_a_line_is_rounded_half_up_to_whole_fen(quantity: str, price: int, fen: int) -> None:
    assert line_fen(Decimal(quantity), price) == fen


@given(st.lists(st.integers(0, 10**9), min_size=4, max_size=4))
def test_four_parts_make_a_total_and_no_other(parts: list[int]) -> None:
    total = sum(parts)
    assert parts_of(total, *parts) == Parts(*parts)
    assert Parts(*parts).total == total
    for wrong in (total + 1, total - 1, -total - 1):
        with pytest.raises(PartsMismatch):
            parts_of(wrong, *parts)


@pytest.mark.parametrize("place", range(4))
def test_no_part_is_below_nothing(place: int) -> None:
    parts = [50, 50, 50, 50]
    parts[place] = -1
    with pytest.raises(PartsMismatch):
        parts_of(sum(parts), *parts)
