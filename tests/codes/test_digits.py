"""The text of a code, and what scanners and input methods do to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.digits import bytes_to_text, strip_scanned, text_to_bytes
from codes.errors import CodeError, CodeMalformed, OlderCode

from .support import problem_of

GOOD = "86015"


@pytest.mark.parametrize("added", [" ", "\r", "\n", "\t", "\0", "\ufeff", "\r\n\0 \t"])
def test_scanners_add_at_both_ends(added: str) -> None:
    assert strip_scanned(added + GOOD + added) == GOOD


@pytest.mark.parametrize("front", ["]Q0", "]Q1", "]Q9", "\\000026", "]Q1\\000003"])
def test_scanners_add_in_front(front: str) -> None:
    assert strip_scanned(" " + front + GOOD) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "\\000026]Q1" + GOOD,
        "]C1" + GOOD,
        "]Q" + "x" + GOOD,
        "\\00026" + GOOD,
        "]Q1]Q1" + GOOD,
        GOOD + "]Q1",
        "]Q1 " + GOOD,
    ],
)
def test_only_what_scanners_really_add_is_taken_away(text: str) -> None:
    with pytest.raises(CodeMalformed):
        text_to_bytes(strip_scanned(text))


def test_full_width_digits_are_folded() -> None:
    assert strip_scanned("８６０１５") == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "8601",
        "86010",
        "860105",
        "86025",
        "9" + GOOD,
        GOOD + " 5",
        GOOD + "-5",
        GOOD + "_5",
        "+" + GOOD,
        GOOD + "٥",  # Arabic-Indic
        GOOD + "²",
        GOOD + "५",  # Devanagari
        GOOD + "\u200b",
        GOOD + "\ud800",
        "8601" + "1" * 1197,
    ],
)
def test_anything_but_a_codes_digits_is_malformed(text: str) -> None:
    with pytest.raises(CodeMalformed):
        text_to_bytes(text)


def test_1200_digits_are_the_most() -> None:
    assert len(text_to_bytes("8601" + "1" * 1196)) == 497


@pytest.mark.parametrize("text", ["ID:", "ID:1234567890", " ID:abc\r\n", "]Q1ID:A"])
def test_an_older_code_is_told_before_any_parsing(text: str) -> None:
    with pytest.raises(OlderCode):
        text_to_bytes(strip_scanned(text))
    assert problem_of(text) == "older-code"


@given(st.binary(min_size=1, max_size=490).map(b"\xd2".__add__))
def test_bytes_come_back(data: bytes) -> None:
    assert text_to_bytes(bytes_to_text(data)) == data


@given(st.text())
def test_any_text_is_bytes_or_a_code_error(text: str) -> None:
    try:
        data = text_to_bytes(strip_scanned(text))
    except CodeError:
        return
    assert bytes_to_text(data) == strip_scanned(text)
