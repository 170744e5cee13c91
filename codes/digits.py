"""A code's text: "8601" and the signed bytes as one decimal number (code-format.md, "Text").

Digits survive what spoils letters in front of a hospital's keyboard-wedge scanner: letter case, input
methods and meaningful spaces. What scanners put around them is taken away here, and nowhere else.
"""

import re
from typing import Final

from codes.errors import CodeMalformed, OlderCode

SCHEME: Final = "8601"
MAX_DIGITS: Final = 1200  # far above the 289 of version 1, low enough that no number takes long to read

_OLDER_SCHEME: Final = "ID:"
_SCANNER_ENDS: Final = " \r\n\t\0\ufeff"
_SCANNER_FRONT: Final = re.compile(r"(?:\]Q[0-9])?(?:\\[0-9]{6})?")  # AIM symbology identifier, ECI escape
_FULL_WIDTH: Final = {0xFF10 + digit: ord("0") + digit for digit in range(10)}


def strip_scanned(text: str) -> str:
    """The text without what scanners and input methods add at the ends, in front, and in digit width."""
    text = text.strip(_SCANNER_ENDS)
    if text[:1] in ("]", "\\"):
        front = _SCANNER_FRONT.match(text)
        text = text[front.end() :] if front else text
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def text_to_bytes(text: str) -> bytes:
    """The signed bytes in a stripped text.

    Raises OlderCode for an older card's text, CodeMalformed for any other text that is not a code's.
    """
    if text.startswith(_OLDER_SCHEME):
        raise OlderCode
    if len(text) > MAX_DIGITS or not (text.isascii() and text.isdigit()):
        raise CodeMalformed
    if not text.startswith(SCHEME) or text[4:5] in ("", "0"):
        raise CodeMalformed
    number = int(text[4:])
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def bytes_to_text(data: bytes) -> str:
    """The text of signed bytes (whose first byte is 0xd2, so that no leading zero is lost)."""
    return f"{SCHEME}{int.from_bytes(data, 'big')}"
