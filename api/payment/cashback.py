"""Cash on its way back through WeChat, by WeChat's rules: 50 refunds an order, a minute apart, accepted is not done.

send -> wait -> (succeeded). The same number on every retry: WeChat gives back once for a number.
"""

from typing import Final
from uuid import uuid4

from api.payment.held import Held
from api.payment.news import refund_done
from api.upstream.outcomes import CallEnded, Refused, Unknown
from models import money_work, payments, refunds
from models.refunds import ORDER_REFUND_SECONDS, RefundRow

_POLL_MOST: Final = 60.0
_AGAIN: Final = 5.0  # seconds before a refund that WeChat does not know is asked for once more
_NUMBERS_MOST: Final = 3  # that WeChat may close before a person looks
_REASON: Final = "门诊退费"  # what the payer reads at WeChat; why, the hospital's books say


async def _read(held: Held) -> RefundRow:
    found = await refunds.refund(held.vault, held.work.ref)
    if found is None or found.out_refund_no is None:
        raise LookupError("no refund by WeChat")
    return found


async def send(held: Held) -> bool:
    """Ask WeChat to give back, a minute after the order's last refund."""
    refund = await _read(held)
    payment = await payments.payment(held.vault, refund.payment_id)
    if payment is None or payment.out_trade_no is None:
        raise LookupError("a refund without an order")
    asked = await refunds.asked_of_order(refund.payment_id)
    others = [one["ago"] for one in asked if one["id"] != refund.refund_id]
    if others and min(others) < ORDER_REFUND_SECONDS:
        return await held.wait(ORDER_REFUND_SECONDS - min(others))
    order, pay = payment.out_trade_no, held.services.upstreams.pay
    try:
        message_id, answer = await held.send(
            "refund",
            refund.refund_id,
            lambda no: pay.refund(no, order, refund.parts.cash, payment.amount_fen, _REASON),
            number=refund.out_refund_no,
        )
    except Refused as refused:
        return await (held.wait(ORDER_REFUND_SECONDS) if refused.code == "FREQUENCY_LIMITED" else _unsure(held))
    except Unknown:
        return await _unsure(held)
    except CallEnded:
        return await held.later()
    async with held.deciding() as tx:
        await money_work.ended(message_id, "done", using=tx)
        await refunds.doubt(refund.refund_id, False, using=tx)
        await held.go("wait", wait=1.0, using=tx)
    if answer.state == "SUCCESS":
        await refund_done(held.services, refund.out_refund_no or "", answer)
    return False


async def wait(held: Held) -> bool:
    """Accepted is not succeeded: until the news comes, WeChat is asked."""
    refund = await _read(held)
    number = refund.out_refund_no or ""
    try:
        found = await held.services.upstreams.pay.query_refund(number)
    except CallEnded:
        return await held.later()
    if found is None:  # WeChat has no such refund
        await held.go("send", wait=_AGAIN)
        return False
    if found.state == "SUCCESS":
        if await refund_done(held.services, number, found) == "other-amount":
            return await _unsure(held)
        return False
    if found.state == "CLOSED" and await refunds.sent(refund.refund_id) < _NUMBERS_MOST:  # WeChat wants another number
        async with held.deciding(last=True) as tx:
            await refunds.renumber(refund.refund_id, uuid4().hex, using=tx)
            await held.go("send", wait=ORDER_REFUND_SECONDS, using=tx)
        return False
    if found.state != "PROCESSING":  # abnormal, or closed again and again: a person must look
        return await _unsure(held)
    age = held.services.clock.now() - held.work.at.timestamp()
    return await held.wait(min(_POLL_MOST, max(1.0, age / 4)))


async def _unsure(held: Held) -> bool:
    async with held.deciding() as tx:
        await refunds.doubt(held.work.ref, True, using=tx)
    return await held.later()
