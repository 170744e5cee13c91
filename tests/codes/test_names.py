"""Names of any script, kept as given; and how little of one is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.errors import InvalidValue
from codes.names import mask_name, parse_name


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "张",
        "欧阳娜娜",
        "买买提·艾力",
        "𠮷田",  # CJK extension B
        "\U00030000\U0003106c",  # extensions G and, unknown to Python 3.11, H
        "\U0002ebf0某",  # extension I
        "王\ue863",  # private use, as on real ID cards of before
        "\U000f0000李",
        "葛\U000e0100城",  # an ideographic variation sequence
        "〇某",
        "John Smith",
        "O’Brien-Núñez",
        "Jean-Luc d'Été Jr.",
        "محمد علی",
        "می\u200cخواهم",
        "प्रि\u200dया",
        "Σωκράτης",
        "김 철수",
        "ནོར་བུ",
        "e\u0301",
        "名" * 50,
        "𠮷" * 50,
    ],
)
def test_a_name_is_kept_as_given(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize("dot", "•・‧･∙⋅\u0387ᐧ᛫⸱⸳ㆍꞏ")
def test_look_alikes_of_the_middle_dot_are_folded(dot: str) -> None:
    assert parse_name(f"买买提{dot}艾力") == "买买提·艾力"


@pytest.mark.parametrize("typed", [" 张三 ", "\u3000张三\u3000", "\u00a0张三"])
def test_spaces_at_the_ends_are_no_part_of_a_name(typed: str) -> None:
    assert parse_name(typed) == "张三"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "\u3000",
        "·",
        "• •",
        "12",
        "😀",
        "\u0301",
        "名" * 51,
        "𠮷" * 51,
        "张\n三",
        "张三\r\n",
        "张\t三",
        "张\0三",
        "张\x1b[31m三",
        "张\x7f",
        "张\x85三",
        "张\u2028三",
        "张\u2029三",
        "张\u202e三",
        "张\u2066三\u2069",
        "\u200f张三",
        "\u061c张三",
        "\ufeff张三",
        "张\u200b三",
        "张\u00ad三",
        "张\ud800三",
        "\udfff",
        "张\uffff",
        "张\ufdd0\ufffe",
        "张\U000e0041",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_name(name)
    assert caught.value.field == "name"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张", "*"),
        ("张三丰", "张**"),
        ("欧阳娜娜", "欧***"),
        ("买买提·艾力", "买**·**"),
        ("𠮷田", "𠮷*"),
        ("𠮷", "*"),
        ("葛\U000e0100城", "葛\U000e0100*"),
        ("葛\U000e0100", "*"),
        ("John Smith", "J*** *****"),
        ("Jean-Luc d'Été", "J***-*** *'***"),
        ("E\u0301a", "E\u0301*"),
        ("·", "*"),
        ("", "*"),
    ],
)
def test_a_masked_name_shows_its_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_an_invalid_value(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidValue:
        return
    assert 1 <= len(name) <= 50
    assert parse_name(name) == name
    assert name.encode()
    assert "*" in mask_name(name)
