"""What a refund may give back, decided under the bill's lock and reserved before any call."""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from api.payment.types import RefundRequest
from api.problems import (
    AMOUNT_INVALID,
    NOT_FOUND,
    REFUND_EXCEEDS,
    REFUND_NEEDS_ITEMS,
    REFUND_TOO_LATE,
    Problem,
    Text,
)
from api.web.bodies import invalid
from api.web.calls import Call
from codes.errors import InvalidValue
from codes.money import line_fen, quantity_of
from models import bills, money_work, payments, refunds
from models.bills import BillRow
from models.database import Connection
from models.payments import PaymentRow
from models.refunds import ORDER_REFUNDS_MOST, YEAR_DAYS, RefundData

_NOT_PAID = Text("账单还没有支付，没有可退的。", "The bill is not paid: there is nothing to give back.")
_NOTHING_LEFT = Text(
    "已全部退费，或全部在退费中；请查看账单上的退费进度。",
    "All of it was refunded, or is about to be: look at the bill's refunds.",
)
_TOO_MANY = Text(
    "同一笔微信支付最多退费50次，最后一次请全部退清。",
    "WeChat takes 50 refunds of one payment: the last must refund all of the rest.",
)


class Wanted(NamedTuple):
    """A refund: its kind, what it gives back in fen, and of which items."""

    kind: str
    total_fen: int
    quantities: dict[UUID, Decimal]


async def reserve_refund(call: Call[RefundRequest], bill_id: UUID, refund_id: UUID, *, using: Connection) -> None:
    """Reserve it and put it to work. Raises the Problem that says why not."""
    vault, body = call.services.vault, call.body
    await bills.lock(bill_id, using=using)
    bill = await bills.bill(vault, bill_id, using=using)
    payment = await payments.live_payment(vault, bill_id, using=using)
    if bill is None:
        raise Problem(NOT_FOUND)
    if await refunds.status_of(refund_id, using=using) is not None:  # the same request was quicker
        return
    if payment is None or bill.paid_at is None:
        raise Problem(REFUND_EXCEEDS, _NOT_PAID)
    wanted = _wanted(body, bill)
    if not bill.data.items:  # the person has left, and what the bill was for is erased
        raise Problem(REFUND_TOO_LATE)
    await _check_wechat(payment, everything=wanted.kind == "all", using=using)
    data = RefundData(body.reason, wanted.quantities)
    caller = call.hospital
    by = (caller.client_id, caller.session_id)
    if not await refunds.reserve(
        vault, refund_id, bill_id, payment.payment_id, wanted.kind, wanted.total_fen, data, by, using=using
    ):
        return
    step = "owe" if bill.self_paid else "reverse" if wanted.kind == "all" else "preview"
    await money_work.add(bill_id, "refund", refund_id, step, using=using)


async def _check_wechat(payment: PaymentRow, *, everything: bool, using: Connection) -> None:
    if payment.method != "wechat" or payment.amount_fen == 0:
        return
    if payment.paid_at is not None and payment.now - payment.paid_at > timedelta(days=YEAR_DAYS):
        raise Problem(REFUND_TOO_LATE)
    count = await refunds.counted(payment.payment_id, using=using)
    if count >= ORDER_REFUNDS_MOST or (count == ORDER_REFUNDS_MOST - 1 and not everything):
        raise Problem(REFUND_EXCEEDS, _TOO_MANY)


def left_of(bill: BillRow) -> int:
    """What was not given back, nor is about to be, in fen."""
    return bill.parts.total - sum(
        one.total_fen for one in bill.refunds if one.kind != "late" and one.status != "failed"
    )


def _wanted(body: RefundRequest, bill: BillRow) -> Wanted:
    """What is asked for. Raises Problem."""
    if sum(given is not None for given in (body.all, body.items, body.amount_fen)) != 1:
        raise invalid("/all", "all、items、amount_fen 须且只能填一项", "exactly one of all, items and amount_fen")
    left, rest = left_of(bill), bill.rest()
    if body.amount_fen is not None:
        return _amount(body.amount_fen, left, bill)
    if body.items is None:
        wanted = Wanted("all", left, {item_id: quantity for item_id, quantity in rest.items() if quantity > 0})
    else:
        wanted = _items(body, bill, rest)
    if left <= 0:
        raise Problem(REFUND_EXCEEDS, _NOTHING_LEFT)
    if not 0 < wanted.total_fen <= left:
        raise Problem(REFUND_EXCEEDS if wanted.total_fen > left else AMOUNT_INVALID)
    return wanted


def _amount(fen: int, left: int, bill: BillRow) -> Wanted:
    if not bill.self_paid:
        raise Problem(REFUND_NEEDS_ITEMS)
    if fen <= 0:
        raise Problem(AMOUNT_INVALID)
    if fen > left:
        raise Problem(REFUND_EXCEEDS)
    return Wanted("amount", fen, {})


def _items(body: RefundRequest, bill: BillRow, rest: dict[UUID, Decimal]) -> Wanted:
    quantities: dict[UUID, Decimal] = {}
    for place, given in enumerate(body.items or ()):
        if given.item_id not in rest or given.item_id in quantities:
            raise invalid(
                f"/items/{place}/item_id", "不是这张账单的项目，或重复", "not an item of this bill, or named twice"
            )
        quantities[given.item_id] = _quantity(given.quantity)
        if quantities[given.item_id] > rest[given.item_id]:
            raise Problem(REFUND_EXCEEDS)
    total = sum(
        line_fen(rest[item.item_id], item.price_fen)
        - line_fen(rest[item.item_id] - quantities.get(item.item_id, Decimal(0)), item.price_fen)
        for item in bill.data.items
    )
    everything = all(quantities.get(item_id, Decimal(0)) == quantity for item_id, quantity in rest.items())
    return Wanted("all" if everything and total == left_of(bill) else "items", total, quantities)


def _quantity(text: str) -> Decimal:
    try:
        return quantity_of(text)
    except InvalidValue:
        raise Problem(AMOUNT_INVALID) from None
