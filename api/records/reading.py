"""A hospital reads under a resolution what the person lets it; the rest is as if it were not there."""

from typing import Any, NamedTuple
from uuid import UUID

from sanic.response import HTTPResponse

from api.hospital.resolutions import require_live
from api.problems import NOT_FOUND, Problem
from api.records.posting import RESOLUTION
from api.records.shown import posted_bytes, shown_record
from api.records.types import FHIR_JSON, HospitalRecordQuery, RecordList, sane
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from models.records import (
    Gate,
    Summary,
    Wanted,
    item_key,
    list_under,
    listed,
    opened,
    person_under,
    read_under,
)
from models.vault import Vault

subject = Subject("Records")


class ReadRecord(NamedTuple):
    """A record that may be read. `holds`: its mark of recognition holds where it is read."""

    record_id: UUID
    hospital_id: UUID
    kind: str
    status: str
    live: bool
    holds: bool
    summary: Summary
    raw: bytes

    @property
    def study(self) -> str | None:
        """An imaging study's StudyInstanceUID."""
        return self.summary.study


def _gate(call: Call[Any]) -> Gate:
    caller = call.hospital
    return Gate(caller.client_id, caller.epoch, call.id_in_path("resolution_id"), caller.scopes)


async def readable(call: Call[Any], record_id: UUID | None = None) -> ReadRecord:
    """The record of the path (or `record_id`), if it may be read just now; the reading is written in the same commit.

    Raises Problem as `live_resolution`, and not-found for what may not be read and what is not there alike.
    """
    record = await read_under(_gate(call), record_id or call.id_in_path("record_id"))
    require_live(call, record, "records")
    if record is None or record["record_id"] is None:
        raise Problem(NOT_FOUND)
    return read_record(call.services.vault, record, holds=record["holds"])


def read_record(vault: Vault, record: Any, *, holds: bool) -> ReadRecord:
    """The record of a row as `opened` takes it, with live."""
    return ReadRecord(
        record["record_id"],
        record["record_hospital"],
        record["kind"],
        record["record_status"],
        record["live"],
        holds,
        *opened(vault, record),
    )


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>/records",
    Caller.HOSPITAL,
    "The person's records that this hospital may read",
    query=HospitalRecordQuery,
    answers={200: RecordList},
    problems=RESOLUTION,
    limit="hospital",
)
async def list_resolution_records(call: Call[None]) -> Answer:
    """Newest first. What the person does not permit is absent; `recognised` answers "is there one I need not repeat?"."""
    query: HospitalRecordQuery = call.query
    wanted = wanted_of(query)._replace(recognised=query.recognised, item=query.item, within=query.within)
    if not query.recognised and (query.item is not None or query.within is not None):
        raise invalid("/recognised", "按项目或时限查找时须为 true", "must be true where item or within is given")
    gate, vault = _gate(call), call.services.vault
    person_item = None
    if query.item is not None:
        person = await person_under(gate)
        person_item = item_key(vault, person, query.item) if person else None
    found = await list_under(gate, person_item, wanted, query.after(), query.limit)
    require_live(call, found[0] if found else None, "records")
    listed_rows = [listed(vault, record) for record in found if record["record_id"] is not None]
    shown, following = query.cut(listed_rows, lambda row: (row.occurred_at, row.record_id))
    return Answer(200, RecordList([shown_record(row) for row in shown], following))


def wanted_of(query: Any) -> Wanted:
    """What a query's common parameters ask for."""
    for name, at in (("from", query.since), ("to", query.until)):
        if at is not None and not sane(at):
            raise invalid(f"/{name}", "时间超出范围", "out of range: from 1900 to 2999")
    return Wanted(query.kind, query.since, query.until, query.hospital_id, history=query.history)


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>/records/<record_id:str>",
    Caller.HOSPITAL,
    "A record, byte for byte as it was posted",
    answers={200: Media(FHIR_JSON, "The posted bytes")},
    problems=RESOLUTION,
    limit="hospital",
)
async def read_resolution_record(call: Call[None]) -> HTTPResponse:
    """A download that no browser runs. What may not be read is not found."""
    record = await readable(call)
    return posted_bytes(record.raw, f"record-{record.record_id}")
