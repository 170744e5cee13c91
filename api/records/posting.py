"""A hospital posts a record under a resolution: checked, kept byte for byte, never written anew."""

import asyncio
from typing import Any, Final
from uuid import uuid4

import msgspec

from api.hospital.resolutions import live_resolution
from api.idempotency import keep as keep_answer
from api.problems import (
    BODY_MALFORMED,
    CARD_REVOKED,
    NOT_FOUND,
    RECORD_INVALID,
    RECORD_KIND_UNSUPPORTED,
    RECORD_SUBJECT_MISMATCH,
    RECORD_SUPERSEDED,
    RESOLUTION_EXPIRED,
    SERVICE_NOT_GRANTED,
    FieldError,
    Problem,
    Text,
)
from api.records import fhir
from api.records.shown import shown_record
from api.records.types import FHIR_JSON, RECORD_MOST, Record, RecordRequest
from api.run.failpoints import reach
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from models.database import transaction
from models.records import Item, NewRecord, Recognition, keep, kept_record
from models.scans import Resolved

subject = Subject("Records")
RESOLUTION: Final = (NOT_FOUND, CARD_REVOKED, RESOLUTION_EXPIRED, SERVICE_NOT_GRANTED)
_OWN_THREAD: Final = 64 * 1024  # bytes from which reading a resource would hold up the worker's other calls


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/records",
    Caller.HOSPITAL,
    "Post a record of the person",
    body=RecordRequest,
    body_raw=Media(FHIR_JSON, "The resource alone"),
    body_max=RECORD_MOST,
    body_kept="resource",
    answers={201: Record},
    problems=(
        *RESOLUTION,
        RECORD_INVALID,
        RECORD_KIND_UNSUPPORTED,
        RECORD_SUBJECT_MISMATCH,
        RECORD_SUPERSEDED,
    ),
    idempotent=True,
    limit="hospital",
)
async def post_record(call: Call[RecordRequest | bytes]) -> Answer:
    """FHIR R4: a DiagnosticReport, DocumentReference or ImagingStudy with its parts contained, or a `collection` Bundle
    that begins with one. Read back byte for byte. A correction names what it `replaces`.
    """
    found = await live_resolution(call, "records")
    alone = isinstance(call.body, bytes)
    asked = RecordRequest(msgspec.Raw(call.body)) if isinstance(call.body, bytes) else call.body
    raw = bytes(asked.resource)
    facts = await read_posted(call, raw, _whose(found), "" if alone else "/resource")
    marked = asked.recognition
    new = NewRecord(
        uuid4(),
        found.person_id,
        found.hospital_id,
        found.card_id,
        found.resolution_id,
        facts.kind,
        facts.status,
        facts.title,
        facts.occurred_at,
        facts.sampled_at,
        raw,
        facts.observed,
        asked.replaces,
        Recognition(marked.level, marked.area, marked.mark, [Item(i.code, i.name) for i in marked.items])
        if marked
        else None,
        "api",
        None,
        facts.study,
    )
    return await _keep(call, new)


def _whose(found: Resolved) -> fhir.Who:
    person = found.person
    return fhir.Who(found.patient_number, found.health_card_id, person.id_number, person.birthday, person.gender)


async def read_posted(call: Call[Any], raw: bytes, who: fhir.Who, inside: str = "") -> fhir.Facts:
    """What a resource says, checked. `inside`: the pointer under which the body holds it. Raises Problem."""
    now = call.services.clock.today()
    try:
        if len(raw) > _OWN_THREAD:
            return await asyncio.to_thread(fhir.read_resource, raw, who, now)
        return fhir.read_resource(raw, who, now)
    except fhir.Malformed:
        raise Problem(BODY_MALFORMED) from None
    except fhir.KindUnsupported:
        raise Problem(RECORD_KIND_UNSUPPORTED) from None
    except fhir.SubjectMismatch as wrong:
        errors = (_fault(inside + wrong.pointer, "不是本次扫码的患者", "not the person whose code was scanned"),)
        raise Problem(RECORD_SUBJECT_MISMATCH, errors=errors) from None
    except fhir.RecordInvalid as wrong:
        faults = tuple(_fault(inside + f.pointer, f.zh, f.en) for f in wrong.faults)
        raise Problem(RECORD_INVALID, errors=faults) from None


def _fault(pointer: str, zh: str, en: str) -> FieldError:
    return FieldError(pointer or "/", Text(zh, en))


async def _keep(call: Call[Any], new: NewRecord) -> Answer:
    vault = call.services.vault
    async with transaction() as tx:
        reach("record.keep")
        kept = await keep(vault, new, using=tx)
        if kept.outcome == "replaces-absent":
            raise Problem(NOT_FOUND)
        if kept.outcome == "record-superseded":
            raise Problem(RECORD_SUPERSEDED)
        if kept.outcome == "replaces-other-kind":
            fault = _fault("/replaces", "更正须与原病历同类", "a correction is of the kind that it corrects")
            raise Problem(RECORD_INVALID, errors=(fault,))
        row = await kept_record(vault, new.record_id, using=tx)
        answer = await keep_answer(call, Answer(201, shown_record(row)), using=tx)
        reach("record.kept")
    reach("record.told")
    return answer
