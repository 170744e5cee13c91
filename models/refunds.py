"""Refunds: reserved before any call, then given back part by part."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from codes.money import Parts
from models.database import Connection, row, rows
from models.vault import Vault

ORDER_REFUNDS_MOST: Final = 50  # WeChat: refunds of one order
ORDER_REFUND_SECONDS: Final = 61.0  # and between two of them
YEAR_DAYS: Final = 365


class RefundData(msgspec.Struct, frozen=True):
    """What is sealed of a refund."""

    reason: str
    quantities: dict[UUID, Decimal] = {}


class RefundRow(NamedTuple):
    """A refund, opened."""

    refund_id: UUID
    bill_id: UUID
    payment_id: UUID
    kind: str
    status: str
    total_fen: int
    parts: Parts
    owed: bool
    out_refund_no: str | None
    data: RefundData
    code: str | None
    at: datetime


async def reserve(
    vault: Vault,
    refund_id: UUID,
    bill_id: UUID,
    payment_id: UUID,
    kind: str,
    total_fen: int,
    data: RefundData,
    by: tuple[UUID, UUID | None],
    *,
    using: Connection,
) -> bool:
    """Reserve what is to be given back; False if a refund of that id is there. The bill's row is locked.

    by: the hospital's client, and the clerk's shift if one did it.
    """
    made = await row(
        "INSERT INTO refunds (id, bill_id, payment_id, kind, status, total_fen, fund_fen, account_fen, hospital_fen,"
        " cash_fen, owed, sealed, at, client_id, session_id)"
        " VALUES ($1, $2, $3, $4, 'pending', $5, 0, 0, 0, 0, false, $6, yima_now(), $7, $8)"
        " ON CONFLICT (id) DO NOTHING RETURNING id",
        refund_id,
        bill_id,
        payment_id,
        kind,
        total_fen,
        vault.seal(data, "refunds", "sealed", refund_id),
        *by,
        using=using,
    )
    if made is None:
        return False
    for item_id, quantity in data.quantities.items():
        await row(
            "INSERT INTO refund_items (id, refund_id, bill_id, item_id, quantity) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            uuid4(),
            refund_id,
            bill_id,
            item_id,
            quantity,
            using=using,
        )
    return True


async def refund(vault: Vault, refund_id: UUID, *, using: Connection | None = None) -> RefundRow | None:
    """A refund."""
    found = await row("SELECT * FROM refunds WHERE id = $1", refund_id, using=using)
    return _opened(vault, found) if found else None


def _opened(vault: Vault, record: Any) -> RefundRow:
    return RefundRow(
        record["id"],
        record["bill_id"],
        record["payment_id"],
        record["kind"],
        record["status"],
        record["total_fen"],
        Parts(record["fund_fen"], record["account_fen"], record["hospital_fen"], record["cash_fen"]),
        record["owed"],
        record["out_refund_no"],
        vault.open_as(RefundData, record["sealed"], "refunds", "sealed", record["id"]),
        record["code"],
        record["at"],
    )


async def owe(refund_id: UUID, parts: Parts, *, wechat: bool, using: Connection) -> None:
    """The insurer's side is done: these parts are given back, and the cash is owed from now on."""
    await row(
        "UPDATE refunds SET fund_fen = $2, account_fen = $3, hospital_fen = $4, cash_fen = $5, owed = true,"
        " total_fen = $2::bigint + $3::bigint + $4::bigint + $5::bigint,"
        " status = 'pending', out_refund_no = $6 WHERE id = $1 RETURNING id",
        refund_id,
        *parts,
        refund_id.hex if wechat else None,
        using=using,
    )


async def end(refund_id: UUID, status: str, code: str | None = None, *, using: Connection) -> None:
    """It succeeded, or failed for the reason `code` names: then nothing was given back."""
    await row(
        "UPDATE refunds SET status = $2, code = $3, done_at = yima_now() WHERE id = $1"
        " AND status IN ('pending', 'checking') RETURNING id",
        refund_id,
        status,
        code,
        using=using,
    )


async def doubt(refund_id: UUID, unsure: bool, *, using: Connection) -> None:
    """Whether an upstream's outcome is unknown: pending <-> checking."""
    await row(
        "UPDATE refunds SET status = CASE WHEN $2 THEN 'checking' ELSE 'pending' END WHERE id = $1"
        " AND status IN ('pending', 'checking') RETURNING id",
        refund_id,
        unsure,
        using=using,
    )


async def settle_status(bill_id: UUID, *, using: Connection) -> None:
    """Bring the row of a bill that was paid to what its refunds make of it."""
    await row(
        "UPDATE bills SET status = yima_paid_status($1) WHERE id = $1 AND status <> yima_paid_status($1) RETURNING id",
        bill_id,
        using=using,
    )


async def cash_back_now(bill_id: UUID, ref: str, fen: int, *, using: Connection) -> None:
    """The window gave the cash back."""
    await row("SELECT yima_enter($1, 'refunded', $2, 'patient', 'window', $3, NULL)", bill_id, ref, fen, using=using)


async def refunded(number: str, fen: int, occurred: datetime | None, *, using: Connection) -> Any:
    """News of WeChat that a refund arrived: outcome, bill, refund (see sql/payment.sql)."""
    return await row("SELECT * FROM yima_refunded($1, $2, $3)", number, fen, occurred, using=using)


async def asked_of_order(payment_id: UUID) -> list[Any]:
    """Refunds of an order that WeChat was asked for: refund_id, and seconds since it was first asked."""
    return await rows(
        "SELECT r.id, extract(epoch FROM yima_now() - min(m.at))::float AS ago FROM refunds r"
        " JOIN money_messages m ON m.about = r.id AND m.call = 'refund' WHERE r.payment_id = $1"
        " AND m.outcome IS DISTINCT FROM 'unsent' GROUP BY r.id",
        payment_id,
    )


async def counted(payment_id: UUID, *, using: Connection) -> int:
    """How many refunds of an order there are that did not fail."""
    found = await row(
        "SELECT count(*) AS n FROM refunds WHERE payment_id = $1 AND status <> 'failed'", payment_id, using=using
    )
    return int(found["n"]) if found else 0


async def say(refund_id: UUID, code: str, *, using: Connection) -> None:
    """Why it will fail, once the bill is as it was."""
    await row("UPDATE refunds SET code = $2 WHERE id = $1 RETURNING id", refund_id, code, using=using)


async def unearned(bill_id: UUID, ref: str, fen: int, *, using: Connection) -> None:
    """Of a bill without an insurer: so much of it is not earned any more."""
    await row("SELECT yima_reversed($1, $2, 0, 0, 0, $3, NULL)", bill_id, ref, fen, using=using)


async def told(bill_id: UUID, *, using: Connection) -> None:
    """A hospital's system that polls sees it."""
    await row(
        "SELECT yima_change(hospital_id, 'refunded', id, yima_now()) FROM bills WHERE id = $1", bill_id, using=using
    )


async def resize(refund_id: UUID, total_fen: int, *, using: Connection) -> None:
    """What it gives back, now that those before it have ended."""
    await row("UPDATE refunds SET total_fen = $2 WHERE id = $1 RETURNING id", refund_id, total_fen, using=using)


async def note(refund_id: UUID, *, using: Connection) -> None:
    """The patient sees who gave it back."""
    await row(
        "SELECT yima_money_access(b.resolution_id, r.client_id, r.session_id, 'refunded', false, yima_now())"
        " FROM refunds r JOIN bills b ON b.id = r.bill_id WHERE r.id = $1",
        refund_id,
        using=using,
    )


async def renumber(refund_id: UUID, number: str, *, using: Connection) -> None:
    """WeChat has closed the refund of the old number, which never succeeds: another one is asked for."""
    await row("UPDATE refunds SET out_refund_no = $2 WHERE id = $1 RETURNING id", refund_id, number, using=using)


async def status_of(refund_id: UUID, *, using: Connection | None = None) -> Any | None:
    """status and at of a refund."""
    return await row("SELECT status, at FROM refunds WHERE id = $1", refund_id, using=using)


async def sent(refund_id: UUID) -> int:
    """Under how many numbers it was asked for."""
    found = await row("SELECT count(*) AS n FROM money_messages WHERE about = $1 AND call = 'refund'", refund_id)
    return int(found["n"]) if found else 0
