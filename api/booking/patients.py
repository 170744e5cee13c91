"""A patient books, looks at and cancels appointments, with their own card or a family card."""

from typing import Any

from api.booking.deciding import Patient, book_once, cancel_once, shown_page
from api.booking.shown import shown_appointment
from api.booking.types import Appointment, AppointmentList, BookRequest
from api.patient.standing import own_card, require_standing, still
from api.problems import (
    ALREADY_BOOKED,
    BOOKING_PAUSED,
    CANCEL_TOO_LATE,
    CARD_FROZEN,
    DAILY_LIMIT,
    NOT_CANCELLABLE,
    NOT_FOUND,
    SESSION_STOPPED,
    SLOT_FULL,
    SLOT_NOT_ELIGIBLE,
    SLOT_NOT_OPEN,
    SLOT_PAST,
    TIME_CONFLICT,
    TRY_AGAIN,
    UNAUTHENTICATED,
    Problem,
)
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models.accounts import Session
from models.appointments import AppointmentRow, appointment_of_account, appointments_of, read_for_booking
from models.cards import CardRow
from models.slots import SlotRow

subject = Subject("Booking")
BOOKING_PROBLEMS = (
    NOT_FOUND,
    CARD_FROZEN,
    BOOKING_PAUSED,
    SESSION_STOPPED,
    SLOT_PAST,
    SLOT_NOT_OPEN,
    SLOT_FULL,
    ALREADY_BOOKED,
    TIME_CONFLICT,
    DAILY_LIMIT,
    SLOT_NOT_ELIGIBLE,
)


async def active_card(call: Call[Any]) -> Patient:
    """Whom the card of the path books for. Raises Problem not-found or card-frozen."""
    return _books_for(await own_card(call))


def _books_for(card: CardRow) -> Patient:
    if card.status != "active":
        raise Problem(CARD_FROZEN)
    return Patient(card.person_id, card.person, (card.card_id, card.version), "patient", None)


async def _asked(call: Call[BookRequest]) -> tuple[Patient, SlotRow | None]:
    """The same with the slot that is asked for, in one statement."""
    patient = call.patient
    try:
        card_id = call.id_in_path("card_id")
    except Problem:
        await require_standing(call)
        raise
    session = Session(patient.account_id, patient.session_id, patient.epoch)
    found = await read_for_booking(call.services.vault, session, card_id, call.body.slot_id)
    if not found.stands:
        raise Problem(UNAUTHENTICATED)
    return _books_for(still(found.card)), found.slot


@subject.route(
    "POST",
    "/v1/patient/cards/<card_id:str>/appointments",
    Caller.PATIENT,
    "Book a place of a slot",
    body=BookRequest,
    answers={201: Appointment},
    problems=BOOKING_PROBLEMS,
    idempotent=True,
    limit="booking",
)
async def book_appointment(call: Call[BookRequest]) -> Answer:
    """The limits are the person's, over all accounts: one a session, none at the same time, three a date."""
    for _ in range(3):
        patient, offered = await _asked(call)
        answer = await book_once(call, patient, call.body.slot_id, offered=offered)
        if answer is not None:
            return answer
    raise Problem(TRY_AGAIN, retry_after=1)


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/appointments",
    Caller.PATIENT,
    "Appointments, cancelled ones too, newest first",
    query=Page,
    answers={200: AppointmentList},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_appointments(call: Call[None]) -> Answer:
    """A `self` card shows all of its person, another card what was booked with it."""
    card, page = await own_card(call), call.query
    found = await appointments_of(card.person_id, card.alone, None, page.after(), page.limit + 1)
    return Answer(200, shown_page(found, page))


async def _own(call: Call[Any]) -> AppointmentRow:
    account_id = await require_standing(call)
    found = await appointment_of_account(call.id_in_path("appointment_id"), account_id)
    if found is None:
        raise Problem(NOT_FOUND)
    return found


@subject.route(
    "GET",
    "/v1/patient/appointments/<appointment_id:str>",
    Caller.PATIENT,
    "An appointment, with its place in the queue",
    answers={200: Appointment},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def show_appointment(call: Call[None]) -> Answer:
    """`ahead` moves as others arrive and are called."""
    return Answer(200, shown_appointment(await _own(call)))


@subject.route(
    "DELETE",
    "/v1/patient/appointments/<appointment_id:str>",
    Caller.PATIENT,
    "Cancel an appointment",
    answers={204: None},
    problems=(NOT_FOUND, NOT_CANCELLABLE, CANCEL_TOO_LATE),
    limit="booking",
)
async def cancel_appointment(call: Call[None]) -> Answer:
    """Until the session's `cancel_until`; its place goes to who waits, in the same commit."""
    found = await _own(call)
    await cancel_once(call, found.appointment_id, "patient", None, None)
    return Answer(204)
