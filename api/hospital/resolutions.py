"""Resolving a scanned code, exactly once; follow it with a finger:

digits -> codes.verify.authenticate -> models.scans.resolve (one round trip) -> Resolution.
"""

import asyncio
import logging
from typing import Any, Final, NoReturn
from uuid import UUID, uuid4

from api.booking.shown import shown_appointment
from api.hospital.types import (
    PatientNumberRequest,
    Resolution,
    ResolutionRequest,
    ResolvedCard,
    ServiceLink,
)
from api.patient.shown import shown_insurance
from api.problems import (
    CARD_REVOKED,
    CODE_ALREADY_USED,
    CODE_EXPIRED,
    CODE_MALFORMED,
    CODE_NOT_AUTHENTIC,
    CODE_NOT_YET_VALID,
    KINDS,
    NOT_FOUND,
    OLDER_CODE,
    PATIENT_NUMBER_TAKEN,
    RESOLUTION_EXPIRED,
    RING_ROLLED_BACK,
    SERVICE_NOT_GRANTED,
    TRY_AGAIN,
    UNAUTHENTICATED,
    Problem,
)
from api.run.failpoints import reach
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.claims import services_to_names
from codes.errors import CodeNotAuthentic, UnknownKey
from codes.names import mask_name
from codes.phone import mask_phone
from codes.ring import Purpose
from codes.sealing import CardSealer
from codes.verify import VerifiedCode, authenticate
from models import scans
from models.clients import SCOPES, clerk_session
from models.database import ConnectionLost
from models.key_reports import note_forged
from models.scans import Resolved, Scan

subject = Subject("Hospitals")
IDENTITY_FULL: Final = SCOPES["identity:full"]
_log = logging.getLogger("yima.scans")


@subject.route(
    "POST",
    "/v1/hospital/resolutions",
    Caller.HOSPITAL,
    "Resolve a scanned code, exactly once",
    body=ResolutionRequest,
    answers={201: Resolution, 200: Resolution},
    problems=(
        CODE_MALFORMED,
        CODE_NOT_AUTHENTIC,
        CODE_NOT_YET_VALID,
        CODE_EXPIRED,
        CODE_ALREADY_USED,
        CARD_REVOKED,
        OLDER_CODE,
        RING_ROLLED_BACK,
    ),
    limit="resolutions",
)
async def resolve_code(call: Call[ResolutionRequest]) -> Answer:
    """201 for the winner; 200 with Idempotent-Replayed for its repetition within 120 s."""
    metrics = call.services.metrics
    try:
        scan = await _scan(call)
        code = await _authentic(call)
        outcome, resolved = await _decide(call, code, scan)
    except CodeNotAuthentic:
        metrics.scan("code-not-authentic")
        raise
    metrics.scan(outcome)
    reach("answer.start")
    reach("answer.half", call.request.transport)
    if resolved is None:
        raise Problem(KINDS[outcome])
    if outcome == "replayed":
        return Answer(200, shown_resolution(resolved), {"Idempotent-Replayed": "true"})
    return Answer(201, shown_resolution(resolved))


async def _scan(call: Call[ResolutionRequest]) -> Scan:
    """Where the code was scanned: a clerk's session names terminal and operator, a system names them itself."""
    caller, asked = call.hospital, call.body
    if caller.session_id is not None:
        shift = await clerk_session(caller.session_id, caller.client_id)
        if shift is None:
            raise Problem(UNAUTHENTICATED)
        terminal, operator = shift["terminal"], (shift["operator_id"], shift["operator_name"])
    elif asked.terminal is None:
        raise invalid("/terminal", "此项必填", "this field is required")
    else:
        terminal = asked.terminal
        operator = (asked.operator.id, asked.operator.name) if asked.operator else (None, None)
    return Scan(
        caller.client_id, caller.epoch, caller.scopes, terminal, asked.department, *operator, asked.step, asked.channel
    )


async def _authentic(call: Call[ResolutionRequest]) -> VerifiedCode:
    """Steps 1 to 3. A kid that this worker does not know makes it look once."""
    vault = call.services.vault
    call.services.keeper.require_current()
    try:
        return authenticate(call.body.code, vault.ring)
    except UnknownKey as error:
        if not await call.services.keeper.refresh_for(error.kid):
            call.services.metrics.refused_key(vault.ring.state(Purpose.CODE, error.kid) or "unknown")
            raise
        return authenticate(call.body.code, vault.ring)


async def _decide(call: Call[Any], code: VerifiedCode, scan: Scan) -> tuple[str, Resolved | None]:
    """Step 5, in the database: the outcome, with the resolution where there is one."""
    vault = call.services.vault
    sealer = vault.ring.sealer(code.kid)
    if code.use is not None or sealer is None:
        raise CodeNotAuthentic  # printed codes have their own issue; a key may have turned meanwhile
    handle = _handle(sealer, code)
    if handle is None:
        await _alarm(call, code, scan)
    record = await _resolve(uuid4(), code, handle, scan)
    outcome: str = record["outcome"]
    if outcome == "client-dead":
        raise Problem(UNAUTHENTICATED)
    if outcome == "key-dead":
        call.services.metrics.refused_key("turned")
        raise CodeNotAuthentic
    if outcome == "forged":
        await _alarm(call, code, scan)
    scans.check_scan_rows(vault, record, code.kid, handle, call.services.keeper.rows)
    if outcome not in ("won", "replayed"):
        return outcome, None
    return outcome, scans.open_resolved(vault, record)


def _handle(sealer: CardSealer, code: VerifiedCode) -> int | None:
    """The handle inside the cti; None where it opens to none, or to another iat than the claim's."""
    try:
        handle, iat = sealer.open(code.cti)
    except CodeNotAuthentic:
        return None
    return handle if iat == code.iat else None


async def _alarm(call: Call[Any], code: VerifiedCode, scan: Scan) -> NoReturn:
    """A good signature over a card that is not there means that a signing key was stolen (security.md, rule 3)."""
    call.services.metrics.forged()
    _log.error(
        "forged signature: a signing key was stolen", extra={"request_id": call.request_id, "kid": code.kid.hex()}
    )
    await note_forged(code.kid, scan.client_id, scan.terminal)
    raise CodeNotAuthentic


async def _resolve(resolution_id: UUID, code: VerifiedCode, handle: int, scan: Scan) -> Any:
    """Ask the database; when a connection is lost on the way, ask again with the same id on another one.

    The unique key waits for the doubtful transaction and then tells whose it was.
    """
    for attempt in range(3):
        try:
            reach("resolve.ask")
            record = await scans.resolve(resolution_id, code, handle, scan)
            reach("resolve.told")
            return record
        except ConnectionLost:
            await asyncio.sleep(0.05 * attempt)
    raise Problem(TRY_AGAIN, retry_after=1)


def shown_resolution(found: Resolved) -> Resolution:
    """A resolution as the client may see it: the person masked unless it has identity:full."""
    person, whole = found.person, bool(found.scopes & IDENTITY_FULL)
    granted = services_to_names(found.granted) if found.granted else []
    base = f"/v1/hospital/resolutions/{found.resolution_id}"
    hrefs = {"booking": "appointments", "records": "records", "payment": "bills"}
    return Resolution(
        found.resolution_id,
        found.resolved_at,
        found.expires_at,
        found.step,
        ResolvedCard(
            person.name if whole else mask_name(person.name),
            person.gender,
            person.birthday,
            person.id_type,
            person.id_number if whole else person.document.masked,
            person.phone if whole else mask_phone(person.phone),
            found.health_card_id,
        ),
        shown_insurance(found.insurance, whole=whole),
        found.patient_number,
        granted,  # type: ignore[arg-type]  # names of the bits
        {name: ServiceLink(f"{base}/{hrefs[name]}") for name in granted},
        shown_appointment(found.arrival) if found.arrival else None,
    )


async def live_resolution(call: Call[Any], service: str | None = None) -> Resolved:
    """The caller's own resolution of the path, while it lives; `service`: and opens that.

    Raises Problem unauthenticated, not-found, card-revoked, resolution-expired or service-not-granted.
    """
    caller = call.hospital
    record = await scans.read(caller.client_id, caller.epoch, caller.scopes, call.id_in_path("resolution_id"))
    require_live(call, record, service)
    return scans.open_resolved(call.services.vault, record)


def require_live(call: Call[Any], record: Any | None, service: str | None) -> None:
    """The row of a resolution of the caller's, as `live_resolution` needs it. Raises the same Problems."""
    if record is None:
        raise Problem(UNAUTHENTICATED)
    if record["resolution_id"] is None:
        raise Problem(NOT_FOUND)
    vault = call.services.vault
    scans.check_scan_rows(vault, record, record["kid"], record["handle"], call.services.keeper.rows)
    if record["revoked"]:
        raise Problem(CARD_REVOKED)
    if record["expired"]:
        raise Problem(RESOLUTION_EXPIRED)
    if service is not None and not record["granted"] & record["scopes"] & SCOPES[service]:
        raise Problem(SERVICE_NOT_GRANTED)


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>",
    Caller.HOSPITAL,
    "A resolution again, to the client that made it",
    answers={200: Resolution},
    problems=(NOT_FOUND, CARD_REVOKED, RESOLUTION_EXPIRED),
    limit="hospital",
)
async def show_resolution(call: Call[None]) -> Answer:
    """Until `expires_at`, the freezing of the card, or the disabling of the client."""
    return Answer(200, shown_resolution(await live_resolution(call)))


@subject.route(
    "PUT",
    "/v1/hospital/resolutions/<resolution_id:str>/patient-number",
    Caller.HOSPITAL,
    "Give the hospital's own number for this patient",
    body=PatientNumberRequest,
    answers={200: Resolution},
    problems=(NOT_FOUND, CARD_REVOKED, RESOLUTION_EXPIRED, PATIENT_NUMBER_TAKEN),
    limit="hospital",
)
async def put_patient_number(call: Call[PatientNumberRequest]) -> Answer:
    """Shown in the hospital's later resolutions of this person. A number names one person alone."""
    found = await live_resolution(call)
    number = call.body.patient_number
    if not await scans.put_patient_number(call.services.vault, found.hospital_id, found.person_id, number):
        raise Problem(PATIENT_NUMBER_TAKEN)
    return Answer(200, shown_resolution(found._replace(patient_number=number)))
