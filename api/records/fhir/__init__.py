"""FHIR R4 as hospitals post it: read strictly, checked wholly, summed up. The bytes themselves are kept elsewhere."""

from api.records.fhir.facts import (
    Facts,
    Fault,
    KindUnsupported,
    Malformed,
    Observed,
    RecordInvalid,
    SubjectMismatch,
    Who,
)
from api.records.fhir.models import prepare, prepare_soon
from api.records.fhir.reading import read_resource

__all__ = [
    "Facts",
    "Fault",
    "KindUnsupported",
    "Malformed",
    "Observed",
    "RecordInvalid",
    "SubjectMismatch",
    "Who",
    "prepare",
    "prepare_soon",
    "read_resource",
]
