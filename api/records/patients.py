"""A person sees all of their records, and takes them away."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from sanic.response import HTTPResponse, ResponseStream

from api.patient.standing import own_card, require_standing
from api.problems import NOT_FOUND, Problem
from api.records.reading import ReadRecord, read_record, wanted_of
from api.records.shown import DOWNLOAD, posted_bytes, shown_to_patient
from api.records.types import (
    FHIR_JSON,
    BundleQuery,
    CodeQuery,
    MeasuredCode,
    MeasuredCodeList,
    PatientRecordList,
    PatientRecordQuery,
    Point,
    PointList,
)
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from models.cards import CardRow
from models.consents import speaks_for
from models.own_records import bytes_of, observed_of, record_of_account, records_of
from models.recognitions import decided_on
from models.vault import Vault

subject = Subject("Records")
_POINTS_MOST: Final = 1000
_CODES_FROM: Final = 500  # newest records whose tests are listed
_AT_ONCE: Final = 20  # records of a bundle held in memory


async def _sees(call: Call[Any]) -> tuple[UUID, UUID | None]:
    """Whose records the card of the path shows: all of the person (None), or those posted under this card alone."""
    card = await own_card(call)
    return card.person_id, await seen_by(card)


async def seen_by(card: CardRow) -> UUID | None:
    """The card whose records alone its holder sees; None: all of the person."""
    return None if await speaks_for(card.person_id, card.relation) else card.card_id


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/records",
    Caller.PATIENT,
    "This person's records",
    query=PatientRecordQuery,
    answers={200: PatientRecordList},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_card_records(call: Call[None]) -> Answer:
    """All of them, newest first. A card of somebody who has a card of their own shows what was posted under it."""
    whose, vault, query = await _sees(call), call.services.vault, call.query
    found = await records_of(
        vault, *whose, wanted_of(query)._replace(record_id=query.record_id), query.after(), query.limit + 1
    )
    shown, following = query.cut(found, lambda row: (row.occurred_at, row.record_id))
    decided = await decided_on(vault, [row.record_id for row in shown])
    listed = [shown_to_patient(row, decided.get(row.record_id, [])) for row in shown]
    return Answer(200, PatientRecordList(listed, following))


async def own_record(call: Call[Any], record_id: UUID | None = None) -> ReadRecord:
    """The record of the path, if the account may see it. Raises Problem unauthenticated or not-found."""
    account_id, vault = await require_standing(call), call.services.vault
    found = await record_of_account(vault, record_id or call.id_in_path("record_id"), account_id)
    if found is None:
        raise Problem(NOT_FOUND)
    return read_record(vault, found, holds=False)


@subject.route(
    "GET",
    "/v1/patient/records/<record_id:str>",
    Caller.PATIENT,
    "A record, byte for byte as it was posted",
    answers={200: Media(FHIR_JSON, "The posted bytes")},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def read_own_record(call: Call[None]) -> HTTPResponse:
    """A download that no browser runs."""
    record = await own_record(call)
    return posted_bytes(record.raw, f"record-{record.record_id}")


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/records/bundle",
    Caller.PATIENT,
    "All records in one FHIR Bundle",
    query=BundleQuery,
    answers={200: Media(FHIR_JSON, "A Bundle of type `collection`")},
    problems=(NOT_FOUND,),
    limit="patient",
    commits=False,
)
async def take_bundle(call: Call[None]) -> HTTPResponse | ResponseStream:
    """Streamed, newest first, each resource byte for byte."""
    whose, vault, history = await _sees(call), call.services.vault, call.query.history

    async def stream(response: Any) -> None:
        async for part in bundle(vault, *whose, history):
            await response.write(part)

    headers = {**DOWNLOAD, "Content-Disposition": 'attachment; filename="records.json"'}
    if call.request.method == "HEAD":
        return HTTPResponse(None, headers=headers, content_type=FHIR_JSON)
    return ResponseStream(stream, headers=headers, content_type=FHIR_JSON)


async def bundle(vault: Vault, person_id: UUID, card_id: UUID | None, history: bool) -> AsyncIterator[bytes]:
    """The parts of the Bundle's text."""
    yield b'{"resourceType":"Bundle","type":"collection","entry":['
    after, between = None, b""
    while found := await bytes_of(vault, person_id, card_id, history, after, _AT_ONCE):
        for _, record_id, raw in found:
            yield between + b'{"fullUrl":"urn:uuid:' + str(record_id).encode() + b'","resource":' + raw + b"}"
            between = b","
        after = found[-1][:2]
    yield b"]}"


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/observations",
    Caller.PATIENT,
    "A test's values over time",
    query=CodeQuery,
    answers={200: PointList},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_observations(call: Call[None]) -> Answer:
    """Of good records alone, the newest thousand, oldest first. Values are decimals as they were posted."""
    whose, code = await _sees(call), call.query.code
    found = await observed_of(call.services.vault, *whose, code, _POINTS_MOST)
    points = [
        Point(one.at, one.value, one.unit, one.low, one.high, one.flag, record_id)
        for record_id, measured in found
        for one in measured
        if one.code == code
    ]
    points.sort(key=lambda point: point.at)
    return Answer(200, PointList(points[-_POINTS_MOST:]))


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/observation-codes",
    Caller.PATIENT,
    "Tests that have values",
    answers={200: MeasuredCodeList},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_observation_codes(call: Call[None]) -> Answer:
    """Of the newest records, the test measured last first."""
    codes: dict[str, MeasuredCode] = {}
    for _, measured in await observed_of(call.services.vault, *await _sees(call), None, _CODES_FROM):
        for one in measured:
            known = codes.setdefault(one.code, MeasuredCode(one.code, one.display, 0, one.at))
            known.count += 1
            known.last_at = max(known.last_at, one.at)
    return Answer(200, MeasuredCodeList(sorted(codes.values(), key=lambda c: c.last_at, reverse=True)))
