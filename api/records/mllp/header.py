"""MSH, read from bytes before all else: whom to answer and how, whatever is wrong with the rest."""

import re
from typing import Final, NamedTuple

from api.records.mllp.charset import CODECS
from api.records.mllp.framing import HEADER_MOST
from api.records.mllp.refused import (
    EVENT,
    MESSAGE_TYPE,
    MISSING,
    PROCESSING,
    VERSION,
    Place,
    reject,
)

_ENDS: Final = re.compile(rb"[\r\n]")
_DEFAULTS: Final = "^~\\&"
_DELIMITER: Final = re.compile(r"[!-/:-@\[-`{-~]+")  # printable ASCII that is neither letter nor digit
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_VERSIONS: Final = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")
CONTROL_ID_MOST: Final = 199


class Delimiters(NamedTuple):
    """The characters that structure a message (MSH-1 and MSH-2)."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Header(NamedTuple):
    """MSH: its delimiters, MSH-2 as sent, and the raw fields, fields[n] being MSH-n."""

    delimiters: Delimiters
    encoding: str
    fields: tuple[str, ...]

    def raw(self, n: int) -> str:
        """MSH-n as it was sent; "" where it is absent, too long or not text: what is echoed must not break an answer."""
        found = self.fields[n] if n < len(self.fields) else ""
        return found if len(found) <= CONTROL_ID_MOST and not _UNFIT.search(found) else ""

    def part(self, n: int, component: int = 1) -> str:
        """A component of MSH-n."""
        parts = self.raw(n).split(self.delimiters.repetition)[0].split(self.delimiters.component)
        return parts[component - 1].strip() if component <= len(parts) else ""

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.raw(10)


def read_header(block: bytes, charset: str) -> Header | None:
    """The header of a block, or None where there is none that can be read. Undecodable bytes become surrogates."""
    start = block[:HEADER_MOST].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t")
    text = _ENDS.split(start, maxsplit=1)[0].decode(CODECS[charset], "surrogateescape")
    if not text.startswith("MSH") or len(text) < 5:
        return None
    separator = text[3]
    encoding, found, _ = text[4:].partition(separator)
    given = separator + encoding + _DEFAULTS[len(encoding) :]
    if not found or not 1 <= len(encoding) <= 5 or len(set(given)) != len(given) or not _DELIMITER.fullmatch(given):
        return None
    return Header(Delimiters(*given[:5]), encoding, ("MSH", separator, *text[4:].split(separator)))


def check(header: Header) -> None:
    """Raise Refused (AR) unless the message is an ORU^R01 of a version that is read, and not of a training system."""
    if not header.control_id:
        raise reject(MISSING, "a control id of 1 to 199 characters is needed", Place("MSH", 1, 10))
    if header.part(9) != "ORU":
        raise reject(MESSAGE_TYPE, "this message type is not supported; ORU^R01 is", Place("MSH", 1, 9))
    if header.part(9, 2) != "R01":
        raise reject(EVENT, "this trigger event is not supported; ORU^R01 is", Place("MSH", 1, 9))
    if header.part(11) not in ("P", ""):
        raise reject(PROCESSING, "messages of training or debugging are not kept; P is", Place("MSH", 1, 11))
    if header.part(12) not in _VERSIONS:
        raise reject(VERSION, f"this version is not supported; {', '.join(_VERSIONS)} are", Place("MSH", 1, 12))
