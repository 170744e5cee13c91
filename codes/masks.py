"""Showing a number without telling it: the ends stay, the middle becomes stars; and full-width forms folded."""

from typing import Final

_STAR: Final = "*"
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def fold_width(text: str) -> str:
    """Full-width letters, digits and punctuation of an input method as ASCII; everything else as it is."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def mask(text: str, head: int, tail: int) -> str:
    """The first `head` and last `tail` characters with stars between, one for each that is hidden."""
    hidden = len(text) - head - tail
    if hidden <= 0:
        return _STAR * len(text)
    return text[:head] + _STAR * hidden + text[len(text) - tail :]


def mask_most(text: str) -> str:
    """One character in front and one or two at the end: never more than a third of the text."""
    if len(text) < 6:
        return mask(text, 1, 0)
    return mask(text, 1, 2 if len(text) >= 9 else 1)
