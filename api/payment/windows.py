"""A hospital bills the person whose code it scanned, takes payment at the window, cancels, and refunds."""

from typing import Any
from uuid import UUID

from api.hospital.resolutions import live_resolution
from api.hospital.standing import standing_hospital
from api.idempotency import keep
from api.patient.types import Empty
from api.payment.engine import press
from api.payment.making import make_bill
from api.payment.operations import Begun, operation
from api.payment.patients import PAYING_PROBLEMS, answer_payment, begin_payment, payment_begun
from api.payment.reserving import reserve_refund
from api.payment.shown import shown_bill, shown_bills, shown_entry, shown_refund
from api.payment.telling import tell_cancelled
from api.payment.types import (
    Bill,
    BillList,
    BillRequest,
    LedgerEntryList,
    Payment,
    Refund,
    RefundRequest,
    WindowPaymentRequest,
)
from api.problems import (
    AMOUNT_INVALID,
    BILL_NOT_PAYABLE,
    CARD_REVOKED,
    INSURER_PARTS_MISMATCH,
    INSURER_REFUSED,
    INSURER_UNAVAILABLE,
    KINDS,
    NOT_FOUND,
    REFUND_EXCEEDS,
    REFUND_NEEDS_ITEMS,
    REFUND_TOO_LATE,
    REFUND_WOULD_CHARGE,
    RESOLUTION_EXPIRED,
    SERVICE_NOT_GRANTED,
    Problem,
    Text,
)
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models import bills, money_work, refunds
from models.bills import BillRow
from models.database import Connection, transaction
from models.scans import access_to_money, looked_at_money

subject = Subject("Payment")
_UNDER_WAY = Text(
    "患者手机上正在支付这张账单：请患者支付完，或在手机上取消这次支付；不操作的，15分钟后自动取消。正在核实的，请勿重复收款。",
    "It is being paid on the patient's phone: let them finish, or cancel there; it ends by itself after 15 minutes. While it is being checked, do not charge again.",
)
_RESOLUTION = (NOT_FOUND, CARD_REVOKED, RESOLUTION_EXPIRED, SERVICE_NOT_GRANTED)


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/bills",
    Caller.HOSPITAL,
    "Bill the person whose code was scanned",
    body=BillRequest,
    answers={201: Bill},
    problems=(*_RESOLUTION, AMOUNT_INVALID, INSURER_REFUSED, INSURER_PARTS_MISMATCH, INSURER_UNAVAILABLE),
    idempotent=True,
    limit="hospital",
)
async def bill_patient(call: Call[BillRequest]) -> Answer:
    """Registered and previewed at the insurer of the card, unless it has none or the bill is `self_paid`."""
    return await make_bill(call, await live_resolution(call, "payment"))


@subject.route(
    "GET",
    "/v1/hospital/resolutions/<resolution_id:str>/bills",
    Caller.HOSPITAL,
    "The person's bills at this hospital, newest first",
    query=Page,
    answers={200: BillList},
    problems=_RESOLUTION,
    limit="hospital",
)
async def list_resolution_bills(call: Call[None]) -> Answer:
    """Cancelled ones too."""
    found, page, vault = await live_resolution(call, "payment"), call.query, call.services.vault
    listed = await bills.bills_of(vault, found.person_id, None, found.hospital_id, page.after(), page.limit + 1)
    return Answer(200, shown_bills(vault, listed, page))


async def _own_bill(call: Call[Any]) -> BillRow:
    """The bill of the path, of the caller's hospital. Raises Problem unauthenticated, not-allowed or not-found."""
    hospital_id = await standing_hospital(call, "payment")
    found = await bills.bill(call.services.vault, call.id_in_path("bill_id"))
    if found is None or found.hospital_id != hospital_id:
        raise Problem(NOT_FOUND)
    return found


async def _looked(call: Call[Any]) -> BillRow:
    """The same, read. While the resolution lives, its scan says who looks; after it, one row an hour does."""
    found, caller = await _own_bill(call), call.hospital
    if found.visit_over:
        await looked_at_money(caller.client_id, caller.session_id, found.resolution_id)
    return found


async def _note(call: Call[Any], bill: BillRow, act: str, *, using: Connection) -> None:
    """Who did it is seen by the patient."""
    caller = call.hospital
    await access_to_money(caller.client_id, caller.session_id, bill.resolution_id, act, using=using)


def _require_due(status: str | None) -> None:
    """Raise Problem bill-not-payable, and say what to do, unless a bill is due."""
    if status in ("settling", "checking"):
        raise Problem(BILL_NOT_PAYABLE, _UNDER_WAY)
    if status != "due":
        raise Problem(BILL_NOT_PAYABLE)


@subject.route(
    "GET",
    "/v1/hospital/bills/<bill_id:str>",
    Caller.HOSPITAL,
    "A bill of this hospital",
    answers={200: Bill},
    problems=(NOT_FOUND,),
    limit="hospital",
)
async def show_hospital_bill(call: Call[None]) -> Answer:
    """Also when the resolution it was made under is over: then the patient sees who looked."""
    return Answer(200, shown_bill(call.services.vault, await _looked(call)))


@subject.route(
    "POST",
    "/v1/hospital/bills/<bill_id:str>/cancel",
    Caller.HOSPITAL,
    "Cancel a bill that is due",
    body=Empty,
    answers={200: Bill},
    problems=(NOT_FOUND, BILL_NOT_PAYABLE),
    idempotent=True,
    limit="hospital",
)
async def cancel_bill(call: Call[Empty]) -> Answer:
    """What was registered at the insurer for it is undone."""
    found, vault = await _own_bill(call), call.services.vault
    async with transaction() as tx:
        _require_due(await bills.lock(found.bill_id, using=tx))
        await bills.becomes(found.bill_id, "cancelled", using=tx)
        if found.registration_id is not None:
            await money_work.add(found.bill_id, "undo", found.registration_id, "undo", using=tx)
        await _note(call, found, "cancelled", using=tx)
        await tell_cancelled(call.services, found.told, using=tx)
        now = await bills.bill(vault, found.bill_id, using=tx)
        return await keep(call, Answer(200, shown_bill(vault, now or found)), using=tx)


@subject.route(
    "POST",
    "/v1/hospital/bills/<bill_id:str>/payments",
    Caller.HOSPITAL,
    "Take the cash part at the window",
    body=WindowPaymentRequest,
    answers={201: Payment},
    problems=(*PAYING_PROBLEMS, AMOUNT_INVALID),
    idempotent=True,
    limit="hospital",
)
async def take_payment(call: Call[WindowPaymentRequest]) -> Answer:
    """The insurer settles first. Nothing is taken where its parts are others than the patient was told."""
    found, caller = await _own_bill(call), call.hospital
    payment_id, begun_before = await operation(call, payment_begun)
    if begun_before:
        return await answer_payment(call, payment_id, None)
    _require_due(found.status)
    if call.body.received_fen != found.parts.cash:
        raise Problem(AMOUNT_INVALID)
    await begin_payment(call, found, payment_id, (caller.client_id, caller.session_id))
    return await answer_payment(call, payment_id, None)


@subject.route(
    "POST",
    "/v1/hospital/bills/<bill_id:str>/refunds",
    Caller.HOSPITAL,
    "Give money back: all, by items, or an amount where no insurer paid",
    body=RefundRequest,
    answers={201: Refund},
    problems=(
        NOT_FOUND,
        AMOUNT_INVALID,
        REFUND_EXCEEDS,
        REFUND_WOULD_CHARGE,
        REFUND_TOO_LATE,
        REFUND_NEEDS_ITEMS,
        INSURER_REFUSED,
        INSURER_PARTS_MISMATCH,
        INSURER_UNAVAILABLE,
    ),
    idempotent=True,
    limit="hospital",
)
async def refund_bill(call: Call[RefundRequest]) -> Answer:
    """Reserved first; an insured bill is reversed and its rest settled anew; cash goes back by the way it came."""
    found = await _own_bill(call)
    refund_id, begun_before = await operation(call, _refund_begun)
    if not begun_before:
        async with transaction() as tx:
            await reserve_refund(call, found.bill_id, refund_id, using=tx)
    await press(call.services, refund_id)
    return await _answer_refund(call, found.bill_id, refund_id)


async def _refund_begun(refund_id: UUID) -> Begun | None:
    found = await refunds.status_of(refund_id)
    return Begun(found["status"] == "failed", found["at"]) if found else None


async def _answer_refund(call: Call[Any], bill_id: UUID, refund_id: UUID) -> Answer:
    """201 with the refund as it is now. Raises the Problem that failed it."""
    vault = call.services.vault
    async with transaction() as tx:
        refund = await refunds.refund(vault, refund_id, using=tx)
        if refund is None:
            raise Problem(NOT_FOUND)
        if refund.status == "failed":
            raise Problem(KINDS[refund.code or "insurer-refused"])
        now = await bills.bill(vault, bill_id, using=tx)
        if now is None:
            raise Problem(NOT_FOUND)
        seen = next(one for one in now.refunds if one.refund_id == refund_id)
        return await keep(call, Answer(201, shown_refund(vault, bill_id, seen)), using=tx)


@subject.route(
    "GET",
    "/v1/hospital/bills/<bill_id:str>/ledger",
    Caller.HOSPITAL,
    "The ledger's entries of a bill",
    answers={200: LedgerEntryList},
    problems=(NOT_FOUND,),
    limit="hospital",
)
async def list_ledger(call: Call[None]) -> Answer:
    """Oldest first; an entry is never changed."""
    found = await _looked(call)
    return Answer(200, LedgerEntryList([shown_entry(one) for one in await bills.ledger(found.bill_id)]))
