"""A patient looks at bills and pays them by WeChat."""

from typing import Any
from uuid import UUID

from api.idempotency import keep
from api.patient.standing import own_card, require_standing
from api.patient.types import Empty
from api.payment.engine import carry_on, press
from api.payment.held import hold_seconds
from api.payment.news import ask
from api.payment.operations import Begun, operation
from api.payment.shown import shown_bill, shown_bills, shown_payment
from api.payment.types import Bill, BillList, Payment
from api.problems import (
    BILL_CHANGED,
    BILL_NOT_PAYABLE,
    CARD_FROZEN,
    INSURER_PARTS_MISMATCH,
    INSURER_REFUSED,
    INSURER_UNAVAILABLE,
    KINDS,
    NOT_FOUND,
    PAYMENT_UNAVAILABLE,
    Problem,
)
from api.records.patients import seen_by
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models import bills, payments
from models.bills import BillRow
from models.database import transaction
from models.payments import PaymentRow

subject = Subject("Payment")
PAYING_PROBLEMS = (
    NOT_FOUND,
    BILL_NOT_PAYABLE,
    BILL_CHANGED,
    INSURER_REFUSED,
    INSURER_PARTS_MISMATCH,
    INSURER_UNAVAILABLE,
    PAYMENT_UNAVAILABLE,
)


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/bills",
    Caller.PATIENT,
    "Bills, cancelled ones too, newest first",
    query=Page,
    answers={200: BillList},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_card_bills(call: Call[None]) -> Answer:
    """A card of somebody who has a card of their own shows what was billed under it."""
    card, page, vault = await own_card(call), call.query, call.services.vault
    found = await bills.bills_of(vault, card.person_id, await seen_by(card), None, page.after(), page.limit + 1)
    return Answer(200, shown_bills(vault, found, page))


async def _own_bill(call: Call[Any]) -> tuple[BillRow, UUID, str]:
    account_id = await require_standing(call)
    found = await bills.bill_of_account(call.services.vault, call.id_in_path("bill_id"), account_id)
    if found is None:
        raise Problem(NOT_FOUND)
    return found[0], account_id, found[1]


@subject.route(
    "GET",
    "/v1/patient/bills/<bill_id:str>",
    Caller.PATIENT,
    "A bill",
    answers={200: Bill},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def show_bill(call: Call[None]) -> Answer:
    """With its payments and refunds."""
    found, _, _ = await _own_bill(call)
    return Answer(200, shown_bill(call.services.vault, found))


@subject.route(
    "POST",
    "/v1/patient/bills/<bill_id:str>/payments",
    Caller.PATIENT,
    "Pay a bill by WeChat",
    body=Empty,
    answers={201: Payment, 200: Payment},
    problems=(*PAYING_PROBLEMS, CARD_FROZEN),
    idempotent=True,
    limit="payment",
)
async def pay_bill(call: Call[Empty]) -> Answer:
    """The insurer settles, then WeChat is asked; 200 with the payment that is under way on this account."""
    found, account_id, card_status = await _own_bill(call)
    if card_status != "active":
        raise Problem(CARD_FROZEN)
    payment_id, begun_before = await operation(call, payment_begun)
    if begun_before:
        await press(call.services, payment_id, 3.0)
        return await answer_payment(call, payment_id, account_id)
    if any(one.status != "closed" for one in found.payments):
        return await _under_way(call, found.bill_id, account_id)
    await begin_payment(call, found, payment_id, account_id)
    return await answer_payment(call, payment_id, account_id)


async def payment_begun(payment_id: UUID) -> Begun | None:
    """What is known of a payment of this id."""
    found = await payments.status_of(payment_id)
    return Begun(found["status"] == "closed", found["at"]) if found else None


async def _under_way(call: Call[Any], bill_id: UUID, account_id: UUID) -> Answer:
    """200 with the payment that waits for this account. Raises Problem bill-not-payable for what is paid, or another's."""
    live = await payments.live_payment(call.services.vault, bill_id)
    if live is None or live.status == "succeeded" or live.account_id != account_id:
        raise Problem(BILL_NOT_PAYABLE)
    return Answer(200, shown_payment(call.services, live, account_id))


async def begin_payment(
    call: Call[Any], bill: BillRow, payment_id: UUID, payer: UUID | tuple[UUID, UUID | None]
) -> None:
    """Pay a bill that is due by this payment and no other, as far as that goes now. Raises Problem bill-not-payable.

    payer: an account, or a hospital's client and the clerk's shift if there is one.
    """
    services = call.services
    begun = await payments.begin(services.vault, payment_id, bill.bill_id, payer, bill.parts, hold_seconds(services))
    if begun is None:
        raise Problem(BILL_NOT_PAYABLE)
    payment, work = begun
    await carry_on(services, work, bill, payment)


async def answer_payment(call: Call[Any], payment_id: UUID, account_id: UUID | None) -> Answer:
    """201 with the payment as it is now. Raises the Problem that closed it."""
    found = await payments.payment(call.services.vault, payment_id)
    if found is None:
        raise Problem(NOT_FOUND)
    if found.status == "closed":
        raise Problem(KINDS[found.code] if found.code else BILL_NOT_PAYABLE)
    answer = Answer(201, shown_payment(call.services, found, account_id))
    if call.claimed is not None:
        async with transaction() as tx:
            await keep(call, answer, using=tx)
    return answer


async def _own_payment(call: Call[Any]) -> tuple[PaymentRow, UUID | None]:
    """The payment of the path, and the account if it may pay it: with a card that is not frozen."""
    account_id = await require_standing(call)
    found = await payments.payment_of_account(call.services.vault, call.id_in_path("payment_id"), account_id)
    if found is None:
        raise Problem(NOT_FOUND)
    payment, active = found
    return payment, account_id if active else None


@subject.route(
    "GET",
    "/v1/patient/payments/<payment_id:str>",
    Caller.PATIENT,
    "A payment; WeChat is asked while it is pending",
    answers={200: Payment},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def show_payment(call: Call[None]) -> Answer:
    """Also where the notification never comes."""
    found, account_id = await _own_payment(call)
    if await ask(call.services, found):
        found, account_id = await _own_payment(call)
    return Answer(200, shown_payment(call.services, found, account_id))


@subject.route(
    "POST",
    "/v1/patient/payments/<payment_id:str>/cancel",
    Caller.PATIENT,
    "Cancel a payment that is under way",
    body=Empty,
    answers={200: Payment},
    problems=(NOT_FOUND,),
    idempotent=True,
    limit="payment",
)
async def cancel_payment(call: Call[Empty]) -> Answer:
    """WeChat is asked first: what was paid meanwhile stays paid. The insurer's part goes back, and the bill is due."""
    found, account_id = await _own_payment(call)
    if found.status in ("pending", "checking") and found.method == "wechat":
        async with transaction() as tx:
            await bills.lock(found.bill_id, using=tx)
            await payments.give_up(found.payment_id, None, using=tx)
        await press(call.services, found.payment_id)
    async with transaction() as tx:
        now = await payments.payment(call.services.vault, found.payment_id, using=tx)
        return await keep(call, Answer(200, shown_payment(call.services, now or found, account_id)), using=tx)
