"""Names as they stand on documents: any script, rare characters, and the one middle dot of transcribed names."""

import unicodedata
from typing import Final

from codes.errors import InvalidValue

MAX_NAME: Final = 50  # code points

MIDDLE_DOT: Final = "\u00b7"
# What input methods and other systems write for it.
_DOT_LOOK_ALIKES: Final = dict.fromkeys(
    map(
        ord,
        "\u0387"  # Greek ano teleia
        "\u1427"  # Canadian syllabics final middle dot
        "\u16eb"  # runic single punctuation
        "\u2022"  # bullet
        "\u2027"  # hyphenation point
        "\u2219"  # bullet operator
        "\u22c5"  # dot operator
        "\u2e31"  # word separator middle dot
        "\u2e33"  # raised dot
        "\u30fb"  # katakana middle dot
        "\u318d"  # hangul letter araea
        "\ua78f"  # Latin letter sinological dot
        "\uff65",  # half-width katakana middle dot
    ),
    MIDDLE_DOT,
)
_JOINERS: Final = "\u200c\u200d"  # part of the spelling of Indic and Persian names
# Control, format (direction overrides among them), surrogate, line and paragraph separator.
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters, 〇 (a letter number), private use and what this Python does not know yet: rare characters come as either.
_NAMING_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Co", "Cn"})


def parse_name(text: str) -> str:
    """The name as given, without spaces at its ends and with its look-alike dots folded. Raises InvalidValue."""
    name = text.strip(" \u00a0\u3000").translate(_DOT_LOOK_ALIKES)
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidValue("name", "姓名应为 1 至 50 个字", "1 to 50 characters")
    if any(map(_refused, name)):
        raise InvalidValue("name", "姓名含有不可用的字符", "a control or direction character is in it")
    if not any(unicodedata.category(character) in _NAMING_CATEGORIES for character in name):
        raise InvalidValue("name", "姓名应含有文字", "there is no letter in it")
    return name


def mask_name(name: str) -> str:
    """The name as it may be shown: "张*", "买**·**", "J*** *****"; a name of one character is all hidden."""
    letters = _letters(name)
    if not letters:
        return "*"
    shown = letters[0] if sum(map(_hides, letters)) > 1 else "*"
    return shown + "".join(f"{'*' if _hides(letter) else letter}" for letter in letters[1:])


def _refused(character: str) -> bool:
    if character in _JOINERS:
        return False
    return unicodedata.category(character) in _REFUSED_CATEGORIES or (ord(character) & 0xFFFE) == 0xFFFE


def _letters(name: str) -> list[str]:
    """The name's characters, each with the marks, variation selectors and joiners that belong to it."""
    letters: list[str] = []
    for character in name:
        if letters and (unicodedata.category(character).startswith("M") or character in _JOINERS):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _hides(letter: str) -> bool:
    return letter[0] not in f"{MIDDLE_DOT} -'’."
