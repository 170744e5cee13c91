"""Cancelling into a long line, which gives the place to its first, against cancelling where nobody waits."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from models import database
from tests.bench.booking.stage import ONE, Stage, book
from tests.bench.calls import only
from tests.bench.crowd import Member
from tests.bench.load import Request

WAITING: Final = 5000
CANCELLED: Final = 40  # in one measurement, one after the other
_COLUMNS: Final = ("id", "schedule_id", "person_id", "card_id", "eligible", "status", "until", "at")


class Cancelling(NamedTuple):
    """Seconds of a cancellation, with a line and without."""

    line: float
    none: float


async def cancelling(stage: Stage, *, first: bool) -> Cancelling:
    """One round of both; the database is connected. Raises RuntimeError unless exactly the first in line are given it."""
    booked, line = stage.crowd[:CANCELLED], stage.crowd[CANCELLED : CANCELLED + WAITING]
    took = {}
    for waits in (True, False) if first else (False, True):
        schedule_id, asked = _full_session(stage, booked)
        if waits:
            await _wait(schedule_id, line)
        took[waits] = only(stage.run(asked, ONE), 204).seconds / CANCELLED
        if await _given(schedule_id) != ({one.card_id for one in line[:CANCELLED]} if waits else set()):
            raise RuntimeError("places were given to others than the first in line")
    return Cancelling(took[True], took[False])


def _full_session(stage: Stage, people: list[Member]) -> tuple[UUID, list[Request]]:
    """A session with as many places as these people, who booked them; and each one's cancellation."""
    (session,) = stage.publish(1, len(people))
    booked = only(stage.run([book(one, session) for one in people], ONE), 201)  # one connection keeps the order
    made: list[dict[str, Any]] = [json.loads(body) for body in booked.bodies]
    cancel = [
        Request(f"/v1/patient/appointments/{appointment['appointment_id']}", one.headers, "", "DELETE")
        for one, appointment in zip(people, made, strict=True)
    ]
    return UUID(session["schedule_id"]), cancel


async def _wait(schedule_id: UUID, line: list[Member]) -> None:
    """Everybody stands in line, in this order, as yima_wait leaves them."""
    now = datetime.now(UTC)
    until = now + timedelta(days=1)
    records = [(uuid4(), schedule_id, one.person_id, one.card_id, True, "waiting", until, now) for one in line]
    async with database.connection().acquire_connection() as raw:
        await raw.copy_records_to_table("waitings", records=records, columns=_COLUMNS)


async def _given(schedule_id: UUID) -> set[UUID]:
    """The cards that the line's places went to."""
    found = await database.rows(
        "SELECT card_id FROM appointments WHERE schedule_id = $1 AND booked_by = 'waiting' AND status = 'booked'",
        schedule_id,
    )
    return {record["card_id"] for record in found}
