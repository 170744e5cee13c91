"""What a posted resource says, and how it may be refused."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from models.records import Observed

__all__ = ["Facts", "Fault", "KindUnsupported", "Malformed", "Observed", "RecordInvalid", "SubjectMismatch", "Who"]


class Fault(NamedTuple):
    """One thing wrong: where (RFC 6901, relative to the resource) and what, never quoting the content."""

    pointer: str
    zh: str
    en: str


class Malformed(Exception):
    """Not a JSON text that can be read at all: syntax, UTF-8, NaN, depth, size. 400 `body-malformed`."""


class RecordInvalid(Exception):
    """JSON, but not a FHIR R4 resource that may be kept. 422 `record-invalid`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("record-invalid")
        self.faults = faults


class KindUnsupported(Exception):
    """A resource of another type, or a Bundle that is no collection begun by a report. 422."""


class SubjectMismatch(Exception):
    """Something inside is about somebody else, or about nobody who can be told. 422 `record-subject-mismatch`."""

    def __init__(self, pointer: str) -> None:
        super().__init__("record-subject-mismatch")
        self.pointer = pointer


class Who(NamedTuple):
    """The person a record must be about: the hospital's own number, the card's id, the resident id number.

    `birthday`: YYYY-MM-DD, `gender`: male or female; None: not known.
    """

    patient_number: str | None
    health_card_id: str
    id_number: str
    birthday: str | None = None
    gender: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """The summary of a record. `kind`: laboratory, examination, imaging, discharge, note. `study`: StudyInstanceUID."""

    kind: str
    title: str
    status: str
    occurred_at: datetime
    sampled_at: datetime
    observed: list[Observed]
    study: str | None
