"""Payments: begun, found, ended."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from codes.money import Parts
from models.cards import check_row
from models.database import Connection, row
from models.money_work import Work, holding
from models.own_records import SEES
from models.vault import Vault

MINUTES: Final = 15  # to pay; the insurer's part stands meanwhile


class PaymentRow(NamedTuple):
    """A payment, opened. `code`: the problem that closed it; `now`: the database's time."""

    payment_id: UUID
    bill_id: UUID
    account_id: UUID | None
    method: str
    status: str
    amount_fen: int
    out_trade_no: str | None
    prepay_id: str | None
    code: str | None
    cancelled: bool
    at: datetime
    expires_at: datetime | None
    asked_at: datetime | None
    paid_at: datetime | None
    now: datetime


class Letter(NamedTuple):
    """A sealed message to the account of a card."""

    message_id: UUID
    account_id: UUID
    card_id: UUID
    sealed: bytes


_BEGIN: Final = """
WITH b AS (UPDATE bills SET status = 'settling' WHERE id = $2 AND status = 'due' AND fund_fen = $13
    AND account_fen = $14 AND hospital_fen = $15 AND cash_fen = $5 RETURNING id),
p AS (INSERT INTO payments (id, bill_id, account_id, method, status, amount_fen, out_trade_no, cancelled, at, expires_at,
        client_id, session_id)
    SELECT $1, b.id, $3, $4, 'pending', $5, $6::varchar, false, yima_now(),
        CASE WHEN $6::varchar IS NOT NULL THEN yima_now() + make_interval(mins => $7) END, $11, $12 FROM b RETURNING *),
w AS (INSERT INTO money_work (id, bill_id, kind, ref, step, attempts, at, due_at, held_by, held_until)
    SELECT $8, b.id, 'pay', $1, 'settle', 0, yima_now(), yima_now(), $9, yima_now() + make_interval(secs => $10) FROM b
    RETURNING at AS began)
SELECT p.*, yima_now() AS now, w.began FROM p, w
"""


async def begin(
    vault: Vault,
    payment_id: UUID,
    bill_id: UUID,
    payer: UUID | tuple[UUID, UUID | None],
    parts: Parts,
    hold: float,
) -> tuple[PaymentRow, Work] | None:
    """Begin one: by WeChat of an account, or at the window of a hospital's client and a clerk's shift, if one did it;
    with the work that carries it on, held for so many seconds. Its number at WeChat is its id. None where the bill is not due, or its parts are others.
    """
    work_id, token = uuid4(), uuid4()
    account_id, by = (payer, (None, None)) if isinstance(payer, UUID) else (None, payer)
    found = await row(
        _BEGIN,
        payment_id,
        bill_id,
        account_id,
        "wechat" if account_id else "window",
        parts.cash,
        payment_id.hex if account_id else None,
        MINUTES,
        work_id,
        token,
        hold,
        *by,
        *parts[:3],
    )
    if found is None:
        return None
    return _opened(vault, found), Work(work_id, bill_id, "pay", payment_id, "settle", 0, found["began"], token)


async def payment(vault: Vault, payment_id: UUID, *, using: Connection | None = None) -> PaymentRow | None:
    """A payment, whoever's."""
    found = await row("SELECT *, yima_now() AS now FROM payments WHERE id = $1", payment_id, using=using)
    return _opened(vault, found) if found else None


async def live_payment(vault: Vault, bill_id: UUID, *, using: Connection | None = None) -> PaymentRow | None:
    """The payment of a bill that is under way or succeeded."""
    found = await row(
        "SELECT *, yima_now() AS now FROM payments WHERE bill_id = $1 AND status <> 'closed'", bill_id, using=using
    )
    return _opened(vault, found) if found else None


async def payment_of_account(vault: Vault, payment_id: UUID, account_id: UUID) -> tuple[PaymentRow, bool] | None:
    """A payment of a bill that the account may see by one of its cards, and whether that card is active.

    Raises IntegrityBroken where the card is not as it was sealed.
    """
    found = await row(
        "SELECT p.*, yima_now() AS now, c.card_id, c.holder, c.person_id, c.relation, c.handle, c.card_status, c.frozen_by,"
        " c.live_since, c.version, c.mac FROM payments p JOIN bills x ON x.id = p.bill_id CROSS JOIN LATERAL"
        " (SELECT c.id AS card_id, c.account_id AS holder, c.person_id, c.relation, c.handle, c.status AS card_status,"
        " c.frozen_by, c.live_since, c.version, c.mac FROM cards c"
        f" WHERE c.account_id = $2 AND {SEES} ORDER BY c.status = 'active' DESC LIMIT 1) c WHERE p.id = $1",
        payment_id,
        account_id,
    )
    if found is None:
        return None
    card = {"id": found["card_id"], "account_id": found["holder"], "status": found["card_status"]}
    check_row(vault, {**found, **card})
    return _opened(vault, found), found["card_status"] == "active"


async def status_of(payment_id: UUID) -> Any | None:
    """status and at of a payment."""
    return await row("SELECT status, at FROM payments WHERE id = $1", payment_id)


def _opened(vault: Vault, record: Any) -> PaymentRow:
    prepay = record["prepay"]
    return PaymentRow(
        record["id"],
        record["bill_id"],
        record["account_id"],
        record["method"],
        record["status"],
        record["amount_fen"],
        record["out_trade_no"],
        vault.open(prepay, "payments", "prepay", record["id"]).decode() if prepay else None,
        record["code"],
        record["cancelled"],
        record["at"],
        record["expires_at"],
        record["asked_at"],
        record["paid_at"],
        record["now"],
    )


async def prepaid(
    vault: Vault, work: Work, payment_id: UUID, prepay_id: str, message_id: UUID, step: str, wait: float
) -> None:
    """WeChat's number by which the payer's phone opens it, by this message; news that it was paid may have come before.

    The work lets go, and goes on with `step` in so many seconds: one commit. Raises HoldLost.
    """
    sealed = vault.seal(prepay_id.encode(), "payments", "prepay", payment_id)
    with holding():
        await row(
            "SELECT yima_prepaid($1, $2, $3, $4, $5, $6, $7)",
            work.work_id,
            work.token,
            payment_id,
            sealed,
            message_id,
            step,
            wait,
        )


async def close(payment_id: UUID, code: str | None, *, using: Connection) -> bool:
    """It is over without money; False if it was paid meanwhile."""
    found = await row(
        "UPDATE payments SET status = 'closed', code = coalesce(code, $2) WHERE id = $1"
        " AND status IN ('pending', 'checking') RETURNING id",
        payment_id,
        code,
        using=using,
    )
    return found is not None


async def give_up(payment_id: UUID, code: str | None, *, using: Connection) -> None:
    """It is not to be paid any more, for the reason `code` names (None: somebody cancelled)."""
    await row(
        "UPDATE payments SET cancelled = true, code = coalesce(code, $2) WHERE id = $1"
        " AND status IN ('pending', 'checking') RETURNING id",
        payment_id,
        code,
        using=using,
    )


async def doubt(payment_id: UUID, unsure: bool, *, using: Connection) -> None:
    """Whether an upstream's outcome is unknown: pending <-> checking."""
    await row(
        "UPDATE payments SET status = CASE WHEN $2 THEN 'checking' ELSE 'pending' END WHERE id = $1"
        " AND status IN ('pending', 'checking') RETURNING id",
        payment_id,
        unsure,
        using=using,
    )


async def succeed(payment_id: UUID, *, using: Connection) -> None:
    """Paid at the window, or nothing was left to be paid in cash."""
    await row(
        "UPDATE payments SET status = 'succeeded', paid_at = yima_now() WHERE id = $1 RETURNING id",
        payment_id,
        using=using,
    )


async def paid(
    number: str, fen: int, occurred: datetime | None, refund_id: UUID, sealed: bytes, messages: list[Letter]
) -> Any:
    """News of WeChat that an order was paid, in one statement: outcome, bill, payment (see sql/payment.sql).

    messages: what is told if it is; refund_id, sealed: of the refund that gives a late one back.
    """
    return await row(
        "SELECT * FROM yima_paid($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        number,
        fen,
        occurred,
        refund_id,
        sealed,
        *([getattr(one, name) for one in messages] for name in Letter._fields),
    )


async def may_ask(payment_id: UUID, seconds: float) -> bool:
    """Whether WeChat was not asked for it in the last seconds; it is from now on."""
    found = await row(
        "UPDATE payments SET asked_at = yima_now() WHERE id = $1"
        " AND (asked_at IS NULL OR asked_at < yima_now() - make_interval(secs => $2)) RETURNING id",
        payment_id,
        seconds,
    )
    return found is not None


async def paid_here(bill_id: UUID, payment_id: UUID, cash: int, self_paid: bool, *, using: Connection) -> None:
    """Received at the window, or nothing was left for cash: the bill is paid, and the ledger says so."""
    ref = payment_id.hex
    if self_paid:
        await row("SELECT yima_settled($1, $2, 0, 0, 0, $3, NULL)", bill_id, ref, cash, using=using)
    await row("SELECT yima_enter($1, 'paid', $2, 'window', 'patient', $3, NULL)", bill_id, ref, cash, using=using)
    await succeed(payment_id, using=using)
    await row(
        "SELECT yima_money_access(b.resolution_id, p.client_id, p.session_id, 'paid', false, yima_now())"
        " FROM payments p JOIN bills b ON b.id = p.bill_id WHERE p.id = $1 AND p.client_id IS NOT NULL",
        payment_id,
        using=using,
    )
    await row(
        "WITH paid AS (UPDATE bills SET status = 'paid', paid_at = yima_now() WHERE id = $1 RETURNING id, hospital_id)"
        " SELECT yima_change(p.hospital_id, 'paid', p.id, yima_now()) FROM paid p",
        bill_id,
        using=using,
    )
