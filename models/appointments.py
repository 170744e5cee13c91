"""Booking, cancelling, waiting and reading back: the functions of booking.sql, and lists by keyset."""

from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from models.accounts import STANDS, Session
from models.cards import CardRow, open_card
from models.database import Connection, row, rows
from models.keyset import FAR, LAST
from models.slots import OFFERED, SlotRow, Whereabouts, slot_of
from models.vault import Vault


class AppointmentRow(Whereabouts, frozen=True):
    """A row of the view appointment_rows: an appointment with where and when it is, and its place in the queue."""

    appointment_id: UUID
    slot_id: UUID
    schedule_id: UUID
    clinic: str
    room: str
    fee_fen: int
    cancel_until: datetime
    date: date
    start: datetime
    ends: datetime
    number: int
    status: str
    booked_by: str
    at: datetime
    arrived_at: datetime | None
    late: bool
    cancelled_by: str | None
    reason: str | None
    person_id: UUID
    card_id: UUID
    ahead: int | None


class WaitingRow(Whereabouts, frozen=True):
    """A row of the view waiting_rows. `position` is None unless it waits; start and ends are of its slot, if any."""

    waiting_id: UUID
    schedule_id: UUID
    slot_id: UUID | None
    at: datetime
    person_id: UUID
    card_id: UUID
    appointment_id: UUID | None
    date: date
    start: datetime | None
    ends: datetime | None
    status: str
    position: int | None


class Booked(NamedTuple):
    """What yima_book decided: `outcome` is booked, changed, card-changed or a problem's code."""

    outcome: str
    appointment: AppointmentRow | None
    until: datetime | None


class Message(NamedTuple):
    """A sealed message with its id, to be written in the commit that makes it true."""

    message_id: UUID
    sealed: bytes


def appointment_of(text: str | None) -> AppointmentRow | None:
    """The appointment in a function's jsonb, or in a resolution's `arrival`."""
    return msgspec.json.decode(text, type=AppointmentRow) if text is not None else None


class Asked(NamedTuple):
    """Who asks for which slot: whether the session stands, the account's card if it is not closed, the slot if offered."""

    stands: bool
    card: CardRow | None
    slot: SlotRow | None


# A rush is this and yima_book: what else would be three statements is one. Booking needs no insurance.
_ASKED: Final = f"""
SELECT {STANDS.format(account="$1", session="$2", epoch="$3")} AS stands, c.id, c.account_id, c.person_id, c.relation,
    c.handle, c.status, c.frozen_by, c.live_since, c.version, c.mac, c.created_at, p.health_card_id,
    p.sealed AS person_sealed, NULL::bytea AS insurance_sealed, yima_now() AS now,
    (SELECT to_jsonb(o)::text FROM ({OFFERED.format(slot="$5")}) o) AS offered
FROM (SELECT 1) one LEFT JOIN cards c ON c.id = $4 AND c.account_id = $1 AND c.status <> 'closed'
    LEFT JOIN people p ON p.id = c.person_id
"""


async def read_for_booking(vault: Vault, session: Session, card_id: UUID, slot_id: UUID) -> Asked:
    """What a patient's booking is decided by, in one statement; the card is without its insurance."""
    found = await row(_ASKED, *session, card_id, slot_id)
    assert found is not None  # noqa: S101 - its first table has one row
    card = open_card(vault, found) if found["id"] is not None else None
    return Asked(found["stands"], card, slot_of(found["offered"]))


async def book(
    appointment_id: UUID,
    slot_id: UUID,
    version: int,
    card: tuple[UUID, int],
    by: str,
    resolution_id: UUID | None,
    message: Message,
    *,
    using: Connection | None = None,
) -> Booked:
    """Take a place. `version`: of the session as it was read; `card`: id and version as they were checked."""
    found = await row(
        "SELECT outcome, appointment::text, until FROM yima_book($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        appointment_id,
        slot_id,
        version,
        *card,
        by,
        resolution_id,
        *message,
        using=using,
    )
    assert found is not None  # noqa: S101 - the function returns one row
    return Booked(found["outcome"], appointment_of(found["appointment"]), found["until"])


async def cancel(
    appointment_id: UUID, by: str, reason: str | None, resolution_id: UUID | None, *, using: Connection
) -> tuple[str, UUID | None]:
    """(outcome, the appointment that the line was given in its place)."""
    found = await row(
        "SELECT outcome, filled FROM yima_cancel($1, $2, $3, $4)",
        appointment_id,
        by,
        reason,
        resolution_id,
        using=using,
    )
    assert found is not None  # noqa: S101 - the function returns one row
    return found["outcome"], found["filled"]


async def fulfil(appointment_id: UUID, resolution_id: UUID, *, using: Connection) -> bool:
    """arrived -> fulfilled; whether it was so."""
    found = await row(
        "UPDATE appointments SET status = 'fulfilled', ended_at = yima_now(), turn = NULL"
        " WHERE id = $1 AND status = 'arrived' RETURNING ended_at",
        appointment_id,
        using=using,
    )
    if found is not None:
        await row("SELECT yima_access($1, 1, $2)", resolution_id, found["ended_at"], using=using)
    return found is not None


async def wait(
    waiting_id: UUID,
    schedule_id: UUID,
    slot_id: UUID | None,
    version: int,
    card: tuple[UUID, int],
    *,
    eligible: bool,
    using: Connection | None = None,
) -> tuple[str, datetime | None]:
    """(outcome, until): waiting, changed, card-changed or a problem's code; until when one is paused."""
    found = await row(
        "SELECT outcome, until FROM yima_wait($1, $2, $3, $4, $5, $6, $7)",
        waiting_id,
        schedule_id,
        slot_id,
        version,
        *card,
        eligible,
        using=using,
    )
    assert found is not None  # noqa: S101 - the function returns one row
    return found["outcome"], found["until"]


async def withdraw(waiting_id: UUID) -> bool:
    """waiting -> withdrawn; whether it was so."""
    found = await row(
        "UPDATE waitings SET status = 'withdrawn' WHERE id = $1 AND status = 'waiting' RETURNING id", waiting_id
    )
    return found is not None


# Whose it is: a person's, of one card of theirs, or of a hospital's alone.
_WHOSE: Final = "r.person_id = $1 AND ($2::uuid IS NULL OR r.card_id = $2) AND ($3::uuid IS NULL OR r.hospital_id = $3)"


async def appointments_of(
    person_id: UUID,
    card_id: UUID | None,
    hospital_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[AppointmentRow]:
    """A person's appointments (of one card, at one hospital, where these are given), newest first, keyset."""
    found = await rows(
        f"SELECT r.* FROM appointment_rows r WHERE {_WHOSE} AND (r.at, r.appointment_id) < ($4, $5)"
        " ORDER BY r.at DESC, r.appointment_id DESC LIMIT $6",
        person_id,
        card_id,
        hospital_id,
        *(after or (FAR, LAST)),
        limit,
    )
    return [_appointment(record) for record in found]


async def appointment(appointment_id: UUID, *, using: Connection | None = None) -> AppointmentRow | None:
    """An appointment."""
    found = await row("SELECT * FROM appointment_rows WHERE appointment_id = $1", appointment_id, using=using)
    return _appointment(found) if found else None


async def appointments(ids: list[UUID], *, using: Connection) -> list[AppointmentRow]:
    """These appointments, in no order."""
    found = await rows("SELECT * FROM appointment_rows WHERE appointment_id = ANY($1)", ids, using=using)
    return [_appointment(record) for record in found]


# An account sees what was booked with its cards, and by its `self` card all of that person.
_ACCOUNT: Final = (
    "EXISTS (SELECT 1 FROM cards c WHERE c.account_id = $2 AND c.status <> 'closed'"
    " AND (c.id = r.card_id OR (c.relation = 'self' AND c.person_id = r.person_id)))"
)


async def appointment_of_account(appointment_id: UUID, account_id: UUID) -> AppointmentRow | None:
    """An appointment that an account may see."""
    found = await row(
        f"SELECT r.* FROM appointment_rows r WHERE r.appointment_id = $1 AND {_ACCOUNT}", appointment_id, account_id
    )
    return _appointment(found) if found else None


async def waiting_of_account(waiting_id: UUID, account_id: UUID) -> WaitingRow | None:
    """A waiting that an account may see."""
    found = await row(f"SELECT r.* FROM waiting_rows r WHERE r.waiting_id = $1 AND {_ACCOUNT}", waiting_id, account_id)
    return WaitingRow(**found) if found else None


async def waiting(waiting_id: UUID, *, using: Connection | None = None) -> WaitingRow:
    """A waiting that was just made."""
    found = await row("SELECT * FROM waiting_rows WHERE waiting_id = $1", waiting_id, using=using)
    assert found is not None  # noqa: S101 - rows are never deleted
    return WaitingRow(**found)


async def waitings_of(
    person_id: UUID, card_id: UUID | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[WaitingRow]:
    """A person's waitings (of one card, where it is given), newest first, keyset."""
    found = await rows(
        f"SELECT r.* FROM waiting_rows r WHERE {_WHOSE} AND (r.at, r.waiting_id) < ($4, $5)"
        " ORDER BY r.at DESC, r.waiting_id DESC LIMIT $6",
        person_id,
        card_id,
        None,
        *(after or (FAR, LAST)),
        limit,
    )
    return [WaitingRow(**record) for record in found]


class NumberedAppointment(NamedTuple):
    """An appointment as its hospital lists it, with the hospital's own sealed number of the person."""

    appointment: AppointmentRow
    number_sealed: bytes | None


async def appointments_of_schedule(
    schedule_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[NumberedAppointment]:
    """A session's appointments, newest first, keyset."""
    found = await rows(
        "SELECT r.*, n.sealed AS number_sealed FROM appointment_rows r LEFT JOIN patient_numbers n"
        " ON n.hospital_id = r.hospital_id AND n.person_id = r.person_id"
        " WHERE r.schedule_id = $1 AND (r.at, r.appointment_id) < ($2, $3)"
        " ORDER BY r.at DESC, r.appointment_id DESC LIMIT $4",
        schedule_id,
        *(after or (FAR, LAST)),
        limit,
    )
    return [NumberedAppointment(_appointment(record), record["number_sealed"]) for record in found]


def _appointment(record: Any) -> AppointmentRow:
    return AppointmentRow(**{name: record[name] for name in AppointmentRow.__struct_fields__})


async def changes(hospital_id: UUID, after: tuple[int, int], limit: int) -> list[Any]:
    """A hospital's changes after (xid, id), oldest first: of transactions older than any that still runs, so that
    none can appear later in a place that was passed.
    """
    return await rows(
        "SELECT xid, id, kind, ref, at FROM changes WHERE hospital_id = $1 AND (xid, id) > ($2, $3)"
        " AND xid < (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ahead FROM change_clock)"
        " ORDER BY xid, id LIMIT $4",
        hospital_id,
        *after,
        limit,
    )


async def go_on_counting() -> None:
    """In a database that was restored into another cluster, let new changes come after those that are there.

    In all others nothing is written: a change's number is below the next transaction's.
    """
    await row(
        "UPDATE change_clock SET ahead = n.ahead FROM (SELECT coalesce(max(m.top), 0) + 1"
        " - pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS ahead FROM hospitals h CROSS JOIN LATERAL"
        " (SELECT max(c.xid) AS top FROM changes c WHERE c.hospital_id = h.id) m) n"
        " WHERE change_clock.ahead < n.ahead RETURNING change_clock.ahead"
    )
