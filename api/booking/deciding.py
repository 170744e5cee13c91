"""What patients and windows share: who is booked for, whether they may, and what the database's outcome means."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from api.booking.eligibility import Limits, allows
from api.booking.shown import shown_appointment
from api.booking.telling import booked_message, tell_filled
from api.booking.types import AppointmentList
from api.idempotency import keep
from api.problems import BOOKING_PAUSED, KINDS, NOT_FOUND, SLOT_NOT_ELIGIBLE, TRY_AGAIN, Problem, Text
from api.run.failpoints import reach
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from models.appointments import AppointmentRow, appointment, appointments, book, cancel
from models.cards import PersonData
from models.database import Connection, ConnectionLost, transaction
from models.slots import SlotRow, slot

_ASK_A_WINDOW: Final = Text(
    "从证件看不出年龄或性别，请到医院窗口预约。",
    "The document does not tell age or sex: please book at the hospital's window.",
)


class Patient(NamedTuple):
    """Whom an appointment is for, and how it is booked. `card`: id and version of the card that was checked."""

    person_id: UUID
    person: PersonData
    card: tuple[UUID, int]
    by: str
    resolution_id: UUID | None


def require_eligible(limits: Limits, on: SlotRow, patient: Patient) -> None:
    """Raise Problem slot-not-eligible. Where a document tells no age or sex, a window decides by who stands there."""
    allowed = allows(limits, on.date, patient.person.gender, patient.person.birthday)
    if allowed is False:
        raise Problem(SLOT_NOT_ELIGIBLE)
    if allowed is None and patient.by == "patient":
        raise Problem(SLOT_NOT_ELIGIBLE, _ASK_A_WINDOW)


def limits_of(row: SlotRow) -> Limits:
    """The limits of age and sex of a slot's session."""
    return Limits(row.min_age, row.max_age, row.sex)


@asynccontextmanager
async def one_commit(call: Call[Any]) -> AsyncIterator[Connection | None]:
    """A transaction where an Idempotency-Key's answer is kept beside the effect; else a statement is its own."""
    if call.claimed is None:
        yield None
    else:
        async with transaction() as tx:
            yield tx


async def book_once(
    call: Call[Any],
    patient: Patient,
    slot_id: UUID,
    *,
    offered: SlotRow | None = None,
    hospital_id: UUID | None = None,
) -> Answer | None:
    """Book; None where the card changed meanwhile, and must be read again. `offered`: the slot, if it was read already.

    Raises Problem not-found for a slot that is not there (or another hospital's), else with the reason.
    """
    appointment_id, lost = uuid4(), False
    for attempt in range(5):
        if offered is None or attempt:
            offered = await slot(slot_id, hospital_id=hospital_id)
        if offered is None:
            raise Problem(NOT_FOUND)
        require_eligible(limits_of(offered), offered, patient)
        message = booked_message(call.services.vault, offered, patient.person)
        reach("book.ask")
        try:
            async with one_commit(call) as tx:
                done = await book(
                    appointment_id,
                    slot_id,
                    offered.version,
                    patient.card,
                    patient.by,
                    patient.resolution_id,
                    message,
                    using=tx,
                )
                if done.outcome == "booked" and done.appointment is not None:
                    answer = Answer(201, shown_appointment(done.appointment))
                    if tx is not None and not lost:  # a lost COMMIT has kept it already
                        await keep(call, answer, using=tx)
        except ConnectionLost:
            lost = True
            await asyncio.sleep(0.05 * attempt)
            continue  # asked again with the same id, which tells whether it was done
        reach("book.told")
        call.services.metrics.booking(done.outcome)
        if done.outcome == "booked":
            return answer
        if done.outcome == "card-changed":
            return None
        if done.outcome != "changed":
            raise refusal(done.outcome, done.until)
    raise Problem(TRY_AGAIN, retry_after=1)


def refusal(outcome: str, until: datetime | None) -> Problem:
    """The problem of an outcome that is a code."""
    if outcome == BOOKING_PAUSED.code and until is not None:
        return Problem(BOOKING_PAUSED, extra={"until": until})
    return Problem(KINDS[outcome])


async def cancel_once(
    call: Call[Any], appointment_id: UUID, by: str, reason: str | None, resolution_id: UUID | None
) -> AppointmentRow:
    """Cancel; in the same commit its place goes to the line, and whoever was given it is told."""
    async with transaction() as tx:
        outcome, filled = await cancel(appointment_id, by, reason, resolution_id, using=tx)
        call.services.metrics.booking(outcome)
        if outcome != "cancelled":
            raise Problem(KINDS[outcome])
        reach("cancel.done")
        if filled is not None:
            await tell_filled(call.services.vault, await appointments([filled], using=tx), using=tx)
        cancelled = await appointment(appointment_id, using=tx)
        if cancelled is None:
            raise Problem(NOT_FOUND)
        if call.claimed is not None:
            await keep(call, Answer(200, shown_appointment(cancelled)), using=tx)
    return cancelled


def shown_page(found: list[AppointmentRow], page: Page) -> AppointmentList:
    """A page of a list that was asked for with one more."""
    shown, following = page.cut(found, lambda row: (row.at, row.appointment_id))
    return AppointmentList([shown_appointment(row) for row in shown], following)
