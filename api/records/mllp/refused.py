"""Why a message is not taken: what its acknowledgement says (HL7 v2.5.1 chapter 2, tables 0008 and 0357)."""

from typing import Final, NamedTuple

SEQUENCE: Final = "100"
MISSING: Final = "101"
DATA_TYPE: Final = "102"
TABLE: Final = "103"
MESSAGE_TYPE: Final = "200"
EVENT: Final = "201"
PROCESSING: Final = "202"
VERSION: Final = "203"
UNKNOWN_KEY: Final = "204"
DUPLICATE: Final = "205"
INTERNAL: Final = "207"

CONDITIONS: Final = {
    SEQUENCE: "Segment sequence error",
    MISSING: "Required field missing",
    DATA_TYPE: "Data type error",
    TABLE: "Table value not found",
    MESSAGE_TYPE: "Unsupported message type",
    EVENT: "Unsupported event code",
    PROCESSING: "Unsupported processing id",
    VERSION: "Unsupported version id",
    UNKNOWN_KEY: "Unknown key identifier",
    DUPLICATE: "Duplicate key identifier",
    INTERNAL: "Application internal error",
}


class Place(NamedTuple):
    """Where in a message: the nth segment of a name, and its field (0: the whole segment)."""

    segment: str
    nth: int = 1
    field: int = 0


class Refused(Exception):
    """A message that is not taken. AE: it cannot be read or kept; AR: it is not for us.

    `text` says in English what is wrong and never quotes the message. `ends`: the connection is closed, too.
    """

    def __init__(self, code: str, condition: str, text: str, place: Place | None = None, *, ends: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.condition = condition
        self.text = text
        self.place = place
        self.ends = ends

    @property
    def said(self) -> str:
        """The text with the place in front: "OBX-5 of segment 2: …"."""
        if self.place is None:
            return self.text
        segment, nth, field = self.place
        where = f"{segment}-{field}" if field else segment
        return f"{where} (segment {segment} no. {nth}): {self.text}" if nth > 1 else f"{where}: {self.text}"


def error(condition: str, text: str, place: Place | None = None) -> Refused:
    """AE."""
    return Refused("AE", condition, text, place)


def reject(condition: str, text: str, place: Place | None = None, *, ends: bool = False) -> Refused:
    """AR."""
    return Refused("AR", condition, text, place, ends=ends)
