"""A payment, step by step: settle (2207), then cash; or back: close at WeChat, then 2208, and the bill is due again.

settle -> prepay -> wait -> (paid) by WeChat; settle -> (paid) at the window or where no cash is left;
settle, prepay, wait -> close -> undo -> (due) when it is cancelled, expires or fails.
"""

from typing import Final

from api.payment.chain import chain_of
from api.payment.held import Held
from api.payment.news import order_paid
from api.payment.telling import tell_paid
from api.run.failpoints import reach
from api.upstream.outcomes import CallEnded, Refused, Unknown
from api.upstream.settlement import PartsWrong
from api.upstream.wechat_pay_types import Order
from codes.errors import SealBroken
from codes.money import Parts
from models import bills, money_work, payments
from models.accounts import openid_of
from models.bills import BillRow
from models.database import Connection
from models.payments import PaymentRow

_POLLS: Final = (5.0, 10.0, 20.0, 40.0)  # seconds between asking WeChat for a payment whose news did not come
_OVER: Final = frozenset({"CLOSED", "REVOKED", "PAYERROR"})
_PAID: Final = frozenset({"SUCCESS", "REFUND"})  # REFUND: somebody gave it back at WeChat's console
_NO_COLUMNS: Final = str.maketrans("", "", "`,，\r\n\t")  # of the statement, which repeats what an order was for
_PREPAY_TRIES: Final = 2


async def _read(held: Held) -> tuple[BillRow, PaymentRow]:
    bill = held.bill or await bills.bill(held.vault, held.bill_id)
    payment = held.payment or await payments.payment(held.vault, held.work.ref)
    held.payment = None
    if bill is None or payment is None:
        raise LookupError("a payment without its bill")
    held.bill = bill
    return bill, payment


async def settle(held: Held) -> bool:
    """The insurer settles, as it previewed; or what it did is taken back."""
    bill, payment = await _read(held)
    if payment.cancelled:
        await held.go("undo" if payment.out_trade_no is None else "close")
        return True
    if not bill.self_paid and bill.data.insured is None:  # erased: nobody can settle it any more
        return await _give_up(held, payment, "insurer-refused", "undo")
    if bill.data.insured is not None and bill.registration_id is not None:
        try:
            settled = await chain_of(held, bill, bill.data.insured).settle(bill.registration_id)
        except PartsWrong:
            return await _give_up(held, payment, "insurer-parts-mismatch", "undo")
        except Refused:
            return await _give_up(held, payment, "insurer-refused", "undo")
        except CallEnded as ended:
            return await _give_up(held, payment, "insurer-unavailable", "undo", doubt=isinstance(ended, Unknown))
        if settled.settled is not None and settled.settled != bill.parts:
            return await _give_up(held, payment, "bill-changed", "undo", parts=settled.settled)
    if payment.method == "window" or bill.parts.cash == 0:
        await _paid_here(held, bill, payment)
        return False
    held.payment = payment
    held.at_once("prepay")
    return True


async def _give_up(
    held: Held, payment: PaymentRow, code: str, step: str, *, doubt: bool = False, parts: Parts | None = None
) -> bool:
    """Take the payment back, for this reason; parts: what the bill has from now on."""
    async with held.deciding() as tx:
        if parts is not None:
            await bills.put_parts(held.bill_id, parts, using=tx)
        await payments.give_up(payment.payment_id, code, using=tx)
        await _doubt(held, payment, doubt, using=tx)
        await held.go(step, using=tx)
    return True


async def _doubt(held: Held, payment: PaymentRow, unsure: bool, *, using: Connection) -> None:
    """An upstream's outcome is unknown, or known again: shown on bill and payment."""
    await payments.doubt(payment.payment_id, unsure, using=using)
    await bills.becomes(held.bill_id, "checking" if unsure else "settling", using=using)


async def _unsure(held: Held, payment: PaymentRow) -> bool:
    async with held.deciding() as tx:
        await _doubt(held, payment, True, using=tx)
    return await held.later()


async def _paid_here(held: Held, bill: BillRow, payment: PaymentRow) -> None:
    """Received at the window, or the insurer pays all."""
    async with held.deciding(last=True) as tx:
        await payments.paid_here(bill.bill_id, payment.payment_id, bill.parts.cash, bill.self_paid, using=tx)
        await tell_paid(held.services, bill.bill_id, using=tx)
        await held.finish(using=tx)


async def prepay(held: Held) -> bool:
    """Ask WeChat for the order that the payer's phone opens; its number was written with the payment."""
    bill, payment = await _read(held)
    if payment.cancelled or payment.out_trade_no is None or payment.expires_at is None or _expired(payment):
        await held.go("close")
        return True
    pay, number, until = held.services.upstreams.pay, payment.out_trade_no, payment.expires_at
    openid = await _payer(held, payment)
    if openid is None:
        return await _give_up(held, payment, "payment-unavailable", "close")
    said = f"{bill.hospital_name.translate(_NO_COLUMNS)[:60]} 门诊费用"
    for attempt in range(_PREPAY_TRIES):
        try:
            message_id, prepay_id = await held.send(
                "prepay",
                payment.payment_id,
                lambda no: pay.prepay(no, payment.amount_fen, said, openid, until),
                number=number,
            )
        except CallEnded as ended:
            if isinstance(ended, Refused) or attempt + 1 == _PREPAY_TRIES:
                return await _give_up(held, payment, "payment-unavailable", "close")
            continue
        await payments.prepaid(held.vault, held.work, payment.payment_id, prepay_id, message_id, "wait", _POLLS[0])
        held.let_go()
        reach("money.kept")
        return False
    return False


def _expired(payment: PaymentRow) -> bool:
    return payment.expires_at is not None and payment.now >= payment.expires_at


async def _payer(held: Held, payment: PaymentRow) -> str | None:
    """What WeChat calls the payer; None of an account that left."""
    try:
        return await openid_of(held.vault, payment.account_id) if payment.account_id else None
    except (LookupError, AssertionError, SealBroken):
        return None


async def wait(held: Held) -> bool:
    """Until the news comes, or WeChat says it when it is asked; not longer than the payment lives."""
    _, payment = await _read(held)
    if payment.cancelled or _expired(payment):
        await held.go("close")
        return True
    number = payment.out_trade_no or ""
    try:
        order = await held.services.upstreams.pay.query(number)
    except CallEnded:
        return await held.later()
    if order is not None and order.state in _PAID:
        return await _paid(held, number, order)
    if order is not None and order.state in _OVER:
        await held.go("close")
        return True
    age = (payment.now - payment.at).total_seconds()
    left = (payment.expires_at - payment.now).total_seconds() if payment.expires_at else 0.0
    return await held.wait(max(0.1, min(left, next((s for s in _POLLS if age < 3 * s), 60.0))))


async def _paid(held: Held, number: str, order: Order) -> bool:
    """WeChat says that it was paid; where that does not fit, a person must look."""
    if await order_paid(held.services, number, order) == "other-amount":
        return await held.later()
    return False


async def close(held: Held) -> bool:
    """Nobody can pay the order any more: asked first, for it may have been paid; then closed at WeChat."""
    _, payment = await _read(held)
    pay, number = held.services.upstreams.pay, payment.out_trade_no or ""
    if payment.paid_at is not None:  # it did not fit the bill, and goes back: the insurer's part does, too
        await held.go("undo")
        return True
    try:
        order = await pay.query(number)
        if order is not None and order.state in _PAID:
            return await _paid(held, number, order)
        if order is None or order.state not in _OVER:
            message_id, _ = await held.send("close", payment.payment_id, pay.close, number=number)
            await money_work.ended(message_id, "done")
    except Refused as refused:
        if refused.code != "ORDER_NOT_EXIST":
            return await _unsure(held, payment)
    except CallEnded:
        return await _unsure(held, payment)
    async with held.deciding(last=True) as tx:
        await payments.close(payment.payment_id, payment.code, using=tx)
        await bills.becomes(held.bill_id, "settling", using=tx)
        await held.go("undo", using=tx)
    return True


async def undo(held: Held) -> bool:
    """The insurer's part goes back, and the bill is due again."""
    bill, payment = await _read(held)
    if bill.data.insured is not None and bill.registration_id is not None:
        try:
            await chain_of(held, bill, bill.data.insured).unsettle(bill.registration_id)
        except Unknown:
            return await _unsure(held, payment)
        except CallEnded:
            return await held.later()
    async with held.deciding(last=True) as tx:
        await payments.close(payment.payment_id, payment.code, using=tx)
        await bills.becomes(held.bill_id, "due", using=tx)
        await held.finish(using=tx)
    return False
