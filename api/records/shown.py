"""Records as hospitals and patients see them."""

from typing import Any

from sanic.response import HTTPResponse

from api.booking.types import HospitalNamed
from api.records.types import FHIR_JSON, MarkedItem, PatientRecord, RecognitionDecision, Record, RecordMark
from api.web.answers import API_HEADERS
from models.recognitions import Decided
from models.records import RecordRow

# What a hospital posted never runs on our origin: it is a download, of no guessed type, in a sandbox.
DOWNLOAD = {**API_HEADERS, "Content-Security-Policy": "sandbox; default-src 'none'"}


def shown_record(row: RecordRow) -> Record:
    """A record of a list."""
    marked = row.summary.recognition
    return Record(
        row.record_id,
        row.kind,  # type: ignore[arg-type]  # checked by the table
        row.summary.title,
        row.status,
        HospitalNamed(row.hospital_id, row.hospital_name),
        row.occurred_at,
        row.posted_at,
        row.replaces,
        row.superseded_by,
        RecordMark(marked.level, marked.area, marked.mark, [MarkedItem(i.code, i.name) for i in marked.items])  # type: ignore[arg-type]
        if marked
        else None,
        row.size,
        row.sha256.hex(),
    )


def shown_to_patient(row: RecordRow, decided: list[Decided]) -> PatientRecord:
    """The same, with what doctors decided on it."""
    record = shown_record(row)
    fields = {name: getattr(record, name) for name in Record.__struct_fields__}
    return PatientRecord(**fields, recognitions=[shown_decision(one) for one in decided])


def shown_decision(one: Decided) -> RecognitionDecision:
    """A doctor's decision."""
    decision: Any = one.decision  # both are words of the request's types
    reason: Any = one.reason
    return RecognitionDecision(one.record_id, one.at, one.hospital, one.item.code, one.item.name, decision, reason)


def posted_bytes(raw: bytes, name: str) -> HTTPResponse:
    """The bytes as they were posted, to be saved as a file of this name."""
    headers = {**DOWNLOAD, "Content-Disposition": f'attachment; filename="{name}.json"'}
    return HTTPResponse(raw, headers=headers, content_type=FHIR_JSON)
