"""From bytes to text in the charset that a hospital's system was registered with: mojibake is refused, never kept."""

import re
from typing import Final

from api.records.mllp.refused import DATA_TYPE, Place, Refused, error

CODECS: Final = {"UTF-8": "utf-8", "GB18030": "gb18030"}
# HL7 table 0211, and the names that systems in China write. ASCII is part of both.
_NAMES: Final = {
    **dict.fromkeys(("UNICODE UTF-8", "UTF-8", "UTF8", "UNICODE"), "UTF-8"),
    **dict.fromkeys(("GB 18030-2000", "GB18030", "GB18030-2000", "GB 18030", "GBK", "GB2312"), "GB18030"),
}
_ASCII: Final = ("", "ASCII", "8859/1", "ISO IR6", "ISO IR100")
_BOM: Final = b"\xef\xbb\xbf"
# Two-byte characters of UTF-8 that stand in results; in GB18030 the same bytes are rare characters.
_SYMBOLS: Final = frozenset("°±²³·µ×÷¹αβγδλμκω")
_UNFIT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufeff\ud800-\udfff]")


def decode(block: bytes, charset: str, declared: str) -> str:
    """A block's text. `declared`: MSH-18, which must agree with the registered charset.

    Raises Refused (AE, its text begins with "charset").
    """
    block = block.removeprefix(_BOM)
    _check_declared(block, charset, declared)
    try:
        text = block.decode(CODECS[charset])
    except UnicodeDecodeError:
        raise _wrong(f"the bytes are not {charset}, with which this system is registered") from None
    if charset == "GB18030" and _is_utf8(block):
        raise _wrong("the bytes are UTF-8; this system is registered with GB18030")
    if charset == "UTF-8" and _is_gb18030(text):
        raise _wrong("the bytes are GB18030; this system is registered with UTF-8")
    if _UNFIT.search(text):
        raise _wrong("control characters or U+FFFD in the text")
    return text


def _check_declared(block: bytes, charset: str, declared: str) -> None:
    name = declared.strip().upper()
    if name in _ASCII:
        return
    if _NAMES.get(name) != charset:
        raise error(
            DATA_TYPE, f"charset: MSH-18 is not {charset}, with which this system is registered", Place("MSH", 1, 18)
        )


def _is_utf8(block: bytes) -> bool:
    """Whether bytes that can be read as GB18030 were meant as UTF-8."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return False
    beyond = {character for character in text if character > "\x7f"}
    return bool(beyond) and (max(beyond) >= "\u0800" or beyond <= _SYMBOLS)


def _is_gb18030(text: str) -> bool:
    """Whether text that was read as UTF-8 was meant as GB18030: the bytes of 血 are those of Ѫ.

    It was where each such character's two bytes are one of the 3,755 common Chinese characters (GB 2312, level 1);
    those of Uyghur and Kazakh in Arabic script, and most of Cyrillic, are not.
    """
    beyond = {character for character in text if character > "\x7f"}
    return bool(beyond) and max(beyond) < "\u0800" and _SYMBOLS.isdisjoint(beyond) and all(map(_is_common, beyond))


def _is_common(character: str) -> bool:
    lead, trail = character.encode()
    return 0xB0 <= lead <= 0xD7 and trail >= 0xA1


def _wrong(why: str) -> Refused:
    return error(DATA_TYPE, f"charset: {why}")
