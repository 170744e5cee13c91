"""News of WeChat, by notification or by asking: told to the database, and people told in the same commit."""

import logging
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from api.payment.telling import paid_letters, tell_refunded
from api.upstream.outcomes import CallEnded
from api.upstream.wechat_pay_types import Order, Refund
from models import payments, refunds
from models.bills import news_of_order
from models.database import transaction
from models.payments import PaymentRow
from models.refunds import RefundData

if TYPE_CHECKING:
    from datetime import datetime

    from api.services import Services

ASK_SECONDS: Final = 2.0
LATE: Final = "支付关闭后到账，自动退回 / paid after it was closed, given back"
_log = logging.getLogger("yima.payment")


async def payment_succeeded(services: "Services", number: str, fen: int, occurred: "datetime | None") -> str:
    """An order was paid: unknown-order, other-amount, again, paid or late (then it is given back)."""
    refund_id = uuid4()
    sealed = services.vault.seal(RefundData(LATE), "refunds", "sealed", refund_id)
    news = await news_of_order(services.vault, number)
    if news is None:
        return _said(services, "paid", "unknown-order")
    letters = [] if news.known else paid_letters(services, news)
    told = await payments.paid(number, fen, occurred, refund_id, sealed, letters)
    return _said(services, "paid", told["outcome"])


async def refund_succeeded(services: "Services", number: str, fen: int, occurred: "datetime | None") -> str:
    """A refund arrived: unknown-refund, other-amount, again or refunded."""
    async with transaction() as tx:
        told = await refunds.refunded(number, fen, occurred, using=tx)
        if told["outcome"] == "refunded":
            await tell_refunded(services, told["bill"], told["refund"], using=tx)
    return _said(services, "refund", told["outcome"])


async def order_paid(services: "Services", number: str, order: Order) -> str:
    """The same, of an order that WeChat was asked for."""
    return await payment_succeeded(services, number, order.amount_fen or 0, order.success_time)


async def refund_done(services: "Services", number: str, refund: Refund) -> str:
    """The same, of a refund."""
    return await refund_succeeded(services, number, refund.refund_fen, refund.success_time)


def _said(services: "Services", kind: str, outcome: str) -> str:
    services.metrics.money_news(kind, outcome)
    if outcome in ("unknown-order", "unknown-refund", "other-amount", "late"):
        _log.warning("news of money that does not fit", extra={"kind": kind, "outcome": outcome})
    return outcome


async def ask(services: "Services", payment: PaymentRow) -> bool:
    """Ask WeChat for a pending payment, not more often than every two seconds; whether anything was told."""
    number = payment.out_trade_no
    if payment.status not in ("pending", "checking") or number is None or payment.prepay_id is None:
        return False
    if not await payments.may_ask(payment.payment_id, ASK_SECONDS):
        return False
    try:
        order = await services.upstreams.pay.query(number)
    except CallEnded:
        return False
    if order is None or order.state != "SUCCESS":
        return False
    await order_paid(services, number, order)
    return True
