"""An ORU^R01 as segments, read by the `hl7` package: delimiters as sent, escapes resolved, groups put together."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import hl7

from api.records.mllp.charset import CODECS
from api.records.mllp.header import Delimiters, Header
from api.records.mllp.refused import DATA_TYPE, MISSING, SEQUENCE, UNKNOWN_KEY, Place, Refused, error, reject

GROUPS_MOST: Final = 200  # each takes locks of the database, of which it has some thousands
NUMBERS_MOST: Final = 10
SEPARATORS_MOST: Final = 100_000  # what the parser spends goes with them; a report has some hundreds
_ENDS: Final = re.compile(r"\r\n|\n|\r")
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_READ: Final = frozenset(("PID", "ORC", "OBR", "OBX", "NTE", "SPM"))
_BREAKS: Final = {".br": "\n", ".sp": "\n", ".ce": "\n", ".sk": " ", ".in": " ", ".ti": " ", ".fi": " ", ".nf": " "}
_FORMAT: Final = re.compile(r"(\.[a-z]{2})(?:[+-]?\d{1,2})?")
_HEX: Final = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_UNFIT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufeff]")


class Segment:
    """One segment: fields by their number, as HL7 counts them."""

    def __init__(self, parsed: hl7.Segment, name: str, nth: int, delimiters: Delimiters, charset: str) -> None:
        self.name = name
        self.nth = nth
        self.delimiters = delimiters
        self._parsed = parsed
        self._charset = charset

    def place(self, n: int = 0) -> Place:
        """Where field n is."""
        return Place(self.name, self.nth, n)

    def raw(self, n: int) -> str:
        """A field as sent; HL7's null (two quotation marks) is empty."""
        found = str(self._parsed[n]).strip() if n < len(self._parsed) else ""
        return "" if found == '""' else found

    def text(self, n: int) -> str:
        """A whole field as text, delimiters that were not escaped included; repetitions are lines."""
        lines = self.raw(n).split(self.delimiters.repetition)
        return "\n".join(self._plain(line, n) for line in lines).strip()

    def line(self, n: int) -> str:
        """A whole field as one text, every delimiter in it being meant as such."""
        return self._plain(self.raw(n), n)

    def repetitions(self, n: int) -> list[list[str]]:
        """The components of each repetition of a field."""
        if not self.raw(n):
            return []
        return [
            [self._plain(str(part), n) for part in ([one] if isinstance(one, str) else one)] for one in self._parsed[n]
        ]

    def components(self, n: int) -> list[str]:
        """The components of a field's first repetition, at least eight."""
        found = self.repetitions(n)[:1]
        first = found[0] if found else []
        return first + [""] * (8 - len(first))

    def subcomponents(self, n: int) -> list[str]:
        """The subcomponents of a field's first component, at least eight."""
        first = self.raw(n).split(self.delimiters.repetition)[0].split(self.delimiters.component)[0]
        found = [self._plain(part, n) for part in first.split(self.delimiters.subcomponent)]
        return found + [""] * (8 - len(found))

    def _plain(self, text: str, n: int) -> str:
        found = unescape(text.strip(), self.delimiters.escape, self._meanings, self._charset, self.place(n))
        return "" if found == '""' else found

    @property
    def _meanings(self) -> dict[str, str]:
        d = self.delimiters
        named = {"F": d.field, "S": d.component, "T": d.subcomponent, "R": d.repetition, "E": d.escape}
        return {**named, "H": "", "N": ""}


@dataclass(slots=True)
class Result:
    """An OBX with its notes."""

    obx: Segment
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """An OBR with what belongs to it."""

    obr: Segment
    orc: Segment | None
    notes: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """An ORU^R01: one patient's groups."""

    pid: Segment
    groups: list[Group]


def parse(text: str, header: Header, charset: str) -> Message:
    """The message of a decoded block. Raises Refused."""
    lines = _lines(text, header)
    try:
        parsed = hl7.parse("\r".join(lines))
    except (hl7.HL7Exception, LookupError, ValueError) as broken:
        raise error(SEQUENCE, "the message cannot be read") from broken
    counted: Counter[str] = Counter()
    segments = []
    for line, found in zip(lines[1:], list(parsed)[1:], strict=True):
        name = line[:3]
        counted[name] += 1
        segments.append(Segment(found, name, counted[name], header.delimiters, charset))
    return _grouped(segments)


def normalised(text: str) -> list[str]:
    """The segments of a message, whichever line ends it has."""
    return [line for line in _ENDS.split(text) if line.strip()]


def _lines(text: str, header: Header) -> list[str]:
    """MSH and the segments that are read; a note only behind one of these. Raises Refused for what is no segment."""
    if sum(text.count(one) for one in set(header.delimiters)) > SEPARATORS_MOST:
        raise reject(SEQUENCE, f"the message has more than {SEPARATORS_MOST} fields, parts and escapes")
    first, *rest = [line.lstrip() for line in normalised(text)]
    kept, last = [first], False
    for number, line in enumerate(rest, start=2):
        name, after = line[:3], line[3:4]
        if not _NAME.fullmatch(name) or after not in ("", header.delimiters.field):
            raise error(SEQUENCE, f"line {number} of the message is no segment")
        if name == "MSH":
            raise reject(SEQUENCE, "a second message in the same block", Place("MSH", 2))
        last = name in _READ and (name != "NTE" or last)
        if last:
            kept.append(line)
    return kept


def _grouped(segments: list[Segment]) -> Message:
    pids = [one for one in segments if one.name == "PID"]
    if not pids:
        raise error(SEQUENCE, "there is no PID", Place("PID"))
    if len(pids) > 1:
        raise error(SEQUENCE, "a message holds one patient", pids[1].place())
    groups: list[Group] = []
    orc: Segment | None = None
    notes: list[str] | None = None
    for one in segments:
        if one.name in ("OBX", "SPM", "NTE") and not groups and one.name != "NTE":
            raise error(SEQUENCE, "it stands before the first OBR", one.place())
        if one.name == "NTE":
            if notes is not None and (said := one.text(3)):
                notes.append(said)
            continue
        notes = None
        if one.name == "ORC":
            orc = one
        elif one.name == "OBR":
            if len(groups) == GROUPS_MOST:
                raise error(SEQUENCE, f"a message holds at most {GROUPS_MOST} OBR", one.place())
            groups.append(Group(one, orc))
            orc, notes = None, groups[-1].notes
        elif one.name == "OBX":
            groups[-1].results.append(Result(one))
            notes = groups[-1].results[-1].notes
        elif one.name == "SPM":
            groups[-1].specimens.append(one)
    if not groups:
        raise error(SEQUENCE, "there is no OBR", Place("OBR"))
    return Message(pids[0], groups)


def patient_numbers(pid: Segment) -> list[str]:
    """The patient's numbers at the hospital: those of PID-3 of no type, or of a type that such a number has.

    Raises Refused where there is none, and where they are not all of one assigning authority (CX-4).
    """
    found = [(one + [""] * 5)[:5] for one in pid.repetitions(3)]
    numbers = [one for one in found if one[0].strip() and one[4].strip().upper() in _PATIENTS]
    if not numbers:
        raise error(MISSING, "the patient's number is missing (of no type, MR, MRT, PI, PT, PN or PE)", pid.place(3))
    if any(one[3].strip() not in ("", numbers[0][3].strip()) for one in numbers):
        raise error(UNKNOWN_KEY, "the numbers are of different assigning authorities", pid.place(3))
    distinct = list(dict.fromkeys(one[0].strip() for one in numbers))
    if len(distinct) > NUMBERS_MOST:
        raise error(UNKNOWN_KEY, f"there are more than {NUMBERS_MOST} patient numbers", pid.place(3))
    return distinct


def id_numbers(pid: Segment) -> list[str]:
    """Resident ID numbers that PID names (PID-3 of type NI or NNCHN, PID-19)."""
    found = [(one + [""] * 5)[:5] for one in pid.repetitions(3)]
    said = [one[0] for one in found if one[4].strip().upper() in ("NI", "NNCHN")] + [pid.text(19)]
    return [one.upper() for one in said if re.fullmatch(r"[0-9]{17}[0-9Xx]", one)]


# HL7 table 0203: numbers that a hospital gives its patients. Others are of visits, documents, insurers, employees, …
_PATIENTS: Final = frozenset(("", "MR", "MRT", "PI", "PT", "PN", "PE"))


def unescape(text: str, escape: str, meanings: dict[str, str], charset: str, place: Place) -> str:
    """HL7's escape sequences resolved (chapter 2.7); a sequence that is not one stays as it was sent.

    Raises Refused for a change of the character set, and for bytes that are not of the charset or no text.
    """
    if escape not in text:
        return text
    pieces: list[str] = []
    pending = bytearray()  # bytes of a character may come in several sequences

    def settle() -> None:
        if pending:
            pieces.append(_decoded(bytes(pending), charset, place))
            pending.clear()

    first, *parts = text.split(escape)
    pieces.append(first)
    opened = True  # whether the next part stands behind an escape character that opens a sequence
    for n, part in enumerate(parts, start=1):
        found = _sequence(part, meanings, place) if opened and n < len(parts) else None
        if isinstance(found, bytes):
            pending += found
        elif found is not None:
            settle()
            pieces.append(found)
        elif part or opened:
            settle()
            pieces.append(escape + part if opened else part)
        opened = found is None
    settle()
    return "".join(pieces)


def _sequence(name: str, meanings: dict[str, str], place: Place) -> str | bytes | None:
    """What a sequence stands for: text, or bytes; None: it is none."""
    if name in meanings:
        return meanings[name]
    if found := _HEX.fullmatch(name):
        return bytes.fromhex(found[1])
    if (found := _FORMAT.fullmatch(name)) and found[1] in _BREAKS:
        return _BREAKS[found[1]]
    if re.fullmatch(r"C[0-9A-F]{4}|M[0-9A-F]{4}(?:[0-9A-F]{2})?", name):
        raise error(DATA_TYPE, "charset: changes of the character set inside a field are not supported", place)
    return None


def _decoded(data: bytes, charset: str, place: Place) -> str:
    broken: Refused = error(DATA_TYPE, "charset: an escape sequence holds bytes that are no text in it", place)
    try:
        text = data.decode(CODECS[charset])
    except UnicodeDecodeError:
        raise broken from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _UNFIT.search(text):
        raise broken
    return text
