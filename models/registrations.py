"""What is registered at the insurer for a bill, and how its settlement stands."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from codes.money import Parts
from models.database import Connection, row
from models.money_work import Doubt, Work, holding


class Registration(NamedTuple):
    """A visit at the insurer with one batch of details. `settled`: the parts of the settlement that stands."""

    registration_id: UUID
    bill_id: UUID
    chrg_bchno: str
    mdtrt_id: str | None
    total_fen: int
    setl_id: str | None
    settled: Parts | None


def batch_number(registration_id: UUID) -> str:
    """Our `chrg_bchno` of a registration: 30 characters."""
    return registration_id.hex[:30]


def begun(registration_id: UUID, bill_id: UUID, total_fen: int) -> Registration:
    """One that was just written, and is not made yet."""
    return Registration(registration_id, bill_id, batch_number(registration_id), None, total_fen, None, None)


async def add(
    registration_id: UUID, bill_id: UUID, refund_id: UUID | None, total_fen: int, *, using: Connection
) -> Registration:
    """Write one that is about to be made."""
    await row(
        "INSERT INTO registrations (id, bill_id, refund_id, chrg_bchno, total_fen, undone, at)"
        " VALUES ($1, $2, $3, $4, $5, false, yima_now()) RETURNING id",
        registration_id,
        bill_id,
        refund_id,
        batch_number(registration_id),
        total_fen,
        using=using,
    )
    return begun(registration_id, bill_id, total_fen)


async def registration(registration_id: UUID, *, using: Connection | None = None) -> Registration:
    """One that is there. Raises LookupError."""
    found = await row("SELECT * FROM registrations WHERE id = $1", registration_id, using=using)
    if found is None:
        raise LookupError("no such registration")
    return _of(found)


async def registration_in_doubt(registration_id: UUID) -> tuple[Registration, list[Doubt]]:
    """The same, with the messages of settling and reversing it whose outcome nobody knows, newest first."""
    found = await row(
        "SELECT g.*, (SELECT array_agg(ARRAY[m.id::text, m.call, m.number] ORDER BY m.at DESC) FROM money_messages m"
        " WHERE m.about = g.id AND m.call IN ('2207', '2208') AND (m.outcome IS NULL OR m.outcome = 'unknown')) AS doubts"
        " FROM registrations g WHERE g.id = $1",
        registration_id,
    )
    if found is None:
        raise LookupError("no such registration")
    return _of(found), [Doubt(UUID(one[0]), one[1], one[2]) for one in found["doubts"] or []]


async def of_refund(refund_id: UUID) -> Registration | None:
    """The one that a refund made for the rest."""
    found = await row("SELECT * FROM registrations WHERE refund_id = $1", refund_id)
    return _of(found) if found else None


def _of(record: Any) -> Registration:
    names = ("settled_fund", "settled_account", "settled_hospital", "settled_cash")
    settled = Parts(*(record[name] for name in names)) if record["settled_fund"] is not None else None
    return Registration(
        record["id"],
        record["bill_id"],
        record["chrg_bchno"],
        record["mdtrt_id"],
        record["total_fen"],
        record["setl_id"],
        settled,
    )


async def made(registration_id: UUID, mdtrt_id: str) -> None:
    """The insurer's number of the visit."""
    await row("UPDATE registrations SET mdtrt_id = $2 WHERE id = $1 RETURNING id", registration_id, mdtrt_id)


async def becomes_current(bill_id: UUID, registration_id: UUID, *, using: Connection) -> None:
    """From now on it is the bill's own."""
    await row("UPDATE bills SET registration_id = $2 WHERE id = $1 RETURNING id", bill_id, registration_id, using=using)


async def settled(
    work: Work,
    seconds: float,
    registration: Registration,
    setl_id: str,
    parts: Parts | None,
    message_id: UUID,
    at: datetime | None,
) -> None:
    """A settlement stands, by this message, which is done; it goes into the ledger with its parts: one commit.

    work: held, and for so many seconds more. parts: None where they do not add up; it will be taken back. at: when, if
    the insurer told. Raises HoldLost, or asyncpg.UniqueViolationError where the bill has another of that number.
    """
    with holding():
        await row(
            "SELECT yima_stands($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            work.work_id,
            work.token,
            seconds,
            registration.registration_id,
            setl_id,
            *(parts or (None, None, None, None)),
            message_id,
            at,
        )


async def reversed_(registration: Registration, message_id: UUID, at: datetime | None, *, using: Connection) -> None:
    """The settlement that stood was reversed by this message, which is done; the ledger says so. at: as above."""
    await row("SELECT yima_stands_no_more($1, $2, $3)", registration.registration_id, message_id, at, using=using)


async def undone(registration_id: UUID, *, using: Connection | None = None) -> None:
    """Nothing of it is left at the insurer."""
    await row("UPDATE registrations SET undone = true WHERE id = $1 RETURNING id", registration_id, using=using)
