"""A window books, cancels and fulfils for the person whose code it scanned, at its own hospital."""

from typing import Any

from api.booking.deciding import Patient, book_once, cancel_once, shown_page
from api.booking.patients import BOOKING_PROBLEMS
from api.booking.shown import shown_appointment
from api.booking.types import Appointment, AppointmentList, BookRequest, CancelRequest
from api.hospital.resolutions import live_resolution
from api.idempotency import keep
from api.patient.types import Empty
from api.problems import (
    CARD_REVOKED,
    CONFLICT,
    NOT_CANCELLABLE,
    NOT_FOUND,
    RESOLUTION_EXPIRED,
    SERVICE_NOT_GRANTED,
    TRY_AGAIN,
    Problem,
    Text,
)
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models.appointments import AppointmentRow, appointment, appointments_of, fulfil
from models.database import transaction
from models.scans import Resolved

subject = Subject("Booking")
_RESOLUTION = (NOT_FOUND, CARD_REVOKED, RESOLUTION_EXPIRED, SERVICE_NOT_GRANTED)
_NOT_ARRIVED = Text(
    "只有已报到的预约可以完成就诊；请先扫码报到，或查看其状态。",
    "Only an appointment that has arrived can be fulfilled: scan the code first, or look at its status.",
)


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>/appointments",
    Caller.HOSPITAL,
    "The person's appointments at this hospital, newest first",
    query=Page,
    answers={200: AppointmentList},
    problems=_RESOLUTION,
    limit="hospital",
)
async def list_resolution_appointments(call: Call[None]) -> Answer:
    """Cancelled ones too."""
    found, page = await live_resolution(call, "booking"), call.query
    listed = await appointments_of(found.person_id, None, found.hospital_id, page.after(), page.limit + 1)
    return Answer(200, shown_page(listed, page))


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/appointments",
    Caller.HOSPITAL,
    "Book for the person at the window",
    body=BookRequest,
    answers={201: Appointment},
    problems=(*_RESOLUTION, *(kind for kind in BOOKING_PROBLEMS if kind not in _RESOLUTION)),
    idempotent=True,
    limit="hospital",
)
async def book_at_window(call: Call[BookRequest]) -> Answer:
    """A slot of this hospital; the person's limits hold here, too."""
    for _ in range(3):
        found = await live_resolution(call, "booking")
        card = (found.card_id, found.card_version)
        patient = Patient(found.person_id, found.person, card, "hospital", found.resolution_id)
        answer = await book_once(call, patient, call.body.slot_id, hospital_id=found.hospital_id)
        if answer is not None:
            return answer
    raise Problem(TRY_AGAIN, retry_after=1)


async def _theirs(call: Call[Any]) -> tuple[Resolved, AppointmentRow]:
    """The resolution, and the appointment of the path: of its person, at this hospital."""
    resolved = await live_resolution(call, "booking")
    found = await appointment(call.id_in_path("appointment_id"))
    if found is None or (found.person_id, found.hospital_id) != (resolved.person_id, resolved.hospital_id):
        raise Problem(NOT_FOUND)
    return resolved, found


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/appointments/<appointment_id:str>/cancel",
    Caller.HOSPITAL,
    "Cancel at the window",
    body=CancelRequest,
    answers={200: Appointment},
    problems=(*_RESOLUTION, NOT_CANCELLABLE),
    idempotent=True,
    limit="hospital",
)
async def cancel_at_window(call: Call[CancelRequest]) -> Answer:
    """Also after `cancel_until`."""
    resolved, found = await _theirs(call)
    reason = call.body.reason
    return Answer(
        200,
        shown_appointment(await cancel_once(call, found.appointment_id, "hospital", reason, resolved.resolution_id)),
    )


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/appointments/<appointment_id:str>/fulfil",
    Caller.HOSPITAL,
    "The visit is done",
    body=Empty,
    answers={200: Appointment},
    problems=(*_RESOLUTION, CONFLICT),
    idempotent=True,
    limit="hospital",
)
async def fulfil_at_window(call: Call[Empty]) -> Answer:
    """arrived -> fulfilled."""
    resolved, found = await _theirs(call)
    async with transaction() as tx:
        if not await fulfil(found.appointment_id, resolved.resolution_id, using=tx):
            raise Problem(CONFLICT, _NOT_ARRIVED)
        done = await appointment(found.appointment_id, using=tx)
        if done is None:
            raise Problem(NOT_FOUND)
        answer = Answer(200, shown_appointment(done))
        await keep(call, answer, using=tx)
    return answer
