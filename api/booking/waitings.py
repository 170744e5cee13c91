"""The waiting list (候补): a place in line for a session, or one slot of it."""

from uuid import uuid4

from api.booking.deciding import Patient, refusal
from api.booking.eligibility import Limits, allows
from api.booking.patients import active_card
from api.booking.shown import shown_waiting
from api.booking.types import WaitingEntries, WaitingEntry, WaitRequest
from api.idempotency import keep
from api.patient.standing import own_card, require_standing
from api.problems import (
    ALREADY_BOOKED,
    ALREADY_WAITING,
    BOOKING_PAUSED,
    CARD_FROZEN,
    CONFLICT,
    NOT_FOUND,
    SESSION_STOPPED,
    SLOT_FREE,
    SLOT_NOT_ELIGIBLE,
    SLOT_NOT_OPEN,
    SLOT_PAST,
    TRY_AGAIN,
    WAITING_LIMIT,
    Problem,
    Text,
)
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models.appointments import wait, waiting, waiting_of_account, waitings_of, withdraw
from models.database import transaction
from models.schedules import schedule_by_id
from models.slots import slot

subject = Subject("Booking")
_OVER = Text("它已约上、已过期或已退出。", "It was given a place, has expired or was withdrawn.")


@subject.route(
    "POST",
    "/v1/patient/cards/<card_id:str>/waitings",
    Caller.PATIENT,
    "Stand in line for a session that is full",
    body=WaitRequest,
    answers={201: WaitingEntry},
    problems=(
        NOT_FOUND,
        CARD_FROZEN,
        BOOKING_PAUSED,
        SESSION_STOPPED,
        SLOT_PAST,
        SLOT_NOT_OPEN,
        SLOT_FREE,
        ALREADY_BOOKED,
        ALREADY_WAITING,
        WAITING_LIMIT,
        SLOT_NOT_ELIGIBLE,
    ),
    idempotent=True,
    limit="booking",
)
async def join_waiting_list(call: Call[WaitRequest]) -> Answer:
    """The commit that frees a place books the first in line whom the limits allow, up to two hours before its start."""
    for _ in range(3):
        patient = await active_card(call)
        answer = await _join(call, patient)
        if answer is not None:
            return answer
    raise Problem(TRY_AGAIN, retry_after=1)


async def _join(call: Call[WaitRequest], patient: Patient) -> Answer | None:
    """One try; None where card or session changed meanwhile."""
    asked, waiting_id = call.body, uuid4()
    session = await schedule_by_id(asked.schedule_id)
    wanted = await slot(asked.slot_id) if asked.slot_id is not None else None
    if session is None or (asked.slot_id is not None and (wanted is None or wanted.schedule_id != session["id"])):
        raise Problem(NOT_FOUND)
    limits = Limits(session["min_age"], session["max_age"], session["sex"])
    if allows(limits, session["date"], patient.person.gender, patient.person.birthday) is not True:
        raise Problem(SLOT_NOT_ELIGIBLE)
    async with transaction() as tx:
        outcome, until = await wait(
            waiting_id, session["id"], asked.slot_id, session["version"], patient.card, eligible=True, using=tx
        )
        if outcome in ("changed", "card-changed"):
            return None
        if outcome != "waiting":
            raise refusal(outcome, until)
        answer = Answer(201, shown_waiting(await waiting(waiting_id, using=tx)))
        return await keep(call, answer, using=tx)


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/waitings",
    Caller.PATIENT,
    "Places in line, ended ones too, newest first",
    query=Page,
    answers={200: WaitingEntries},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_waitings(call: Call[None]) -> Answer:
    """A `self` card shows all of its person, another card its own."""
    card, page = await own_card(call), call.query
    found = await waitings_of(card.person_id, card.alone, page.after(), page.limit + 1)
    shown, following = page.cut(found, lambda row: (row.at, row.waiting_id))
    return Answer(200, WaitingEntries([shown_waiting(row) for row in shown], following))


@subject.route(
    "DELETE",
    "/v1/patient/waitings/<waiting_id:str>",
    Caller.PATIENT,
    "Leave the line",
    answers={204: None},
    problems=(NOT_FOUND, CONFLICT),
    limit="booking",
)
async def leave_waiting_list(call: Call[None]) -> Answer:
    """What was given a place is cancelled as an appointment."""
    account_id = await require_standing(call)
    found = await waiting_of_account(call.id_in_path("waiting_id"), account_id)
    if found is None:
        raise Problem(NOT_FOUND)
    if not await withdraw(found.waiting_id):
        raise Problem(CONFLICT, _OVER)
    return Answer(204)
