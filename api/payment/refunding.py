"""A refund, step by step. Insurers reverse whole bills, so the rest is settled anew, and only then cash goes back.

preview -> reverse -> resettle -> owe, for items; reverse -> owe, for all; owe alone where no insurer paid.
The rest is previewed under a registration of its own before anything is undone: a rest that would cost more cash than
before changes nothing. Should the settling itself come out so, `restore` settles the bill as it was.
"""

from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec

from api.payment.chain import Chain, chain_of
from api.payment.held import Held
from api.payment.telling import tell_refunded
from api.upstream.outcomes import CallEnded, Refused, Unknown
from api.upstream.settlement import PartsWrong
from codes.money import Parts, line_fen
from models import money_work, payments, refunds, registrations
from models.bills import BillRow, ItemData, bill
from models.database import Connection
from models.refunds import RefundData, RefundRow
from models.registrations import Registration


class Case(NamedTuple):
    """A refund with its bill. `stands`: what stands of the bill, before this refund."""

    bill: BillRow
    refund: RefundRow
    stands: Parts


async def _read(held: Held) -> Case:
    found = await bill(held.vault, held.bill_id)
    refund = await refunds.refund(held.vault, held.work.ref)
    if found is None or refund is None:
        raise LookupError("a refund without its bill")
    return Case(found, refund, standing(found))


def standing(found: BillRow) -> Parts:
    """The parts of a bill that stand: as it was paid, less what refunds gave back."""
    given = [one for one in found.refunds if one.kind != "late" and one.status != "failed"]
    return Parts(
        *(getattr(found.parts, name) - sum(getattr(one, f"{name}_fen") for one in given) for name in Parts._fields)
    )


def rest_after(held: Held, case: Case) -> list[ItemData]:
    """The lines that are left when this refund is done; those that wait behind it are not looked at."""
    rest = {item.item_id: item.quantity for item in case.bill.data.items}
    for one in case.bill.refunds:
        if one.owed or one.refund_id == case.refund.refund_id:
            data = held.vault.open_as(RefundData, one.sealed, "refunds", "sealed", one.refund_id)
            for item_id, quantity in data.quantities.items():
                rest[item_id] -= quantity
    return [
        msgspec.structs.replace(
            item, quantity=rest[item.item_id], amount_fen=line_fen(rest[item.item_id], item.price_fen)
        )
        for item in case.bill.data.items
        if rest[item.item_id] > 0
    ]


def _chain(held: Held, case: Case) -> Chain:
    if case.bill.data.insured is None:
        raise LookupError("no insurer paid this bill")
    return chain_of(held, case.bill, case.bill.data.insured)


async def preview(held: Held) -> bool:
    """Ask what the rest would cost, under a registration of its own: nothing is undone for that."""
    case = await _read(held)
    made = await registrations.of_refund(case.refund.refund_id)
    if made is not None:  # a worker died over the last one
        return await fail(held, "insurer-unavailable")
    lines = rest_after(held, case)
    total = sum(item.amount_fen for item in lines)
    if total >= case.stands.total:  # less than a fen, now that an earlier one has failed
        return await fail(held, "amount-invalid")
    async with held.deciding() as tx:
        await refunds.resize(case.refund.refund_id, case.stands.total - total, using=tx)
        made = await registrations.add(uuid4(), held.bill_id, case.refund.refund_id, total, using=tx)
    try:
        parts = await _chain(held, case).register(made, case.bill.data.visit_number, lines)
    except PartsWrong:
        return await fail(held, "insurer-parts-mismatch")
    except Refused:
        return await fail(held, "insurer-refused")
    except CallEnded:
        return await fail(held, "insurer-unavailable")
    if parts.cash > case.stands.cash:
        return await fail(held, "refund-would-charge")
    await held.go("reverse")
    return True


async def reverse(held: Held) -> bool:
    """The settlement that stands is undone (2208)."""
    case = await _read(held)
    rest = await registrations.of_refund(case.refund.refund_id)
    if rest is None and rest_after(held, case):  # all of what was left, before an earlier refund failed
        await held.go("preview")
        return True
    try:
        await _chain(held, case).unsettle(_current(case))
    except Unknown:
        return await _unsure(held, case)
    except CallEnded as ended:
        return await fail(held, "insurer-refused" if isinstance(ended, Refused) else "insurer-unavailable")
    await held.go("owe" if rest is None else "resettle")
    return True


def _current(case: Case) -> UUID:
    if case.bill.registration_id is None:
        raise LookupError("an insured bill without a registration")
    return case.bill.registration_id


async def _rest(case: Case) -> Registration:
    found = await registrations.of_refund(case.refund.refund_id)
    if found is None:
        raise LookupError("a rest without a registration")
    return found


async def resettle(held: Held) -> bool:
    """The rest is settled (2207); if that would cost more cash than before, the bill is restored."""
    case = await _read(held)
    try:
        settled = await _chain(held, case).settle((await _rest(case)).registration_id)
    except PartsWrong:
        return await _restore(held, "insurer-parts-mismatch")
    except Refused:
        return await _restore(held, "insurer-refused")
    except Unknown:
        return await _unsure(held, case)
    except CallEnded:
        return await held.later()
    if settled.settled is None or settled.settled.cash > case.stands.cash:
        return await _restore(held, "refund-would-charge")
    await held.go("owe")
    return True


async def _restore(held: Held, code: str) -> bool:
    async with held.deciding() as tx:
        await refunds.say(held.work.ref, code, using=tx)
        await held.go("restore", using=tx)
    return True


async def restore(held: Held) -> bool:
    """The bill is settled as it was: its own registration and details still stand."""
    case = await _read(held)
    chain = _chain(held, case)
    try:
        await chain.unsettle((await _rest(case)).registration_id)
        try:
            parts = (await chain.settle(_current(case))).settled
        except PartsWrong:
            parts = None
        if parts != case.stands:  # the insurer changed its mind: a person must look
            await chain.unsettle(_current(case))
            return await _unsure(held, case)
    except CallEnded:
        return await _unsure(held, case)
    return await fail(held, case.refund.code or "insurer-refused")


async def _unsure(held: Held, case: Case) -> bool:
    async with held.deciding() as tx:
        await refunds.doubt(case.refund.refund_id, True, using=tx)
        await refunds.settle_status(held.bill_id, using=tx)
    return await held.later()


async def fail(held: Held, code: str) -> bool:
    """Nothing is given back, and the bill is as it was; what was registered for the rest is undone."""
    async with held.deciding() as tx:
        await refunds.end(held.work.ref, "failed", code, using=tx)
        await refunds.settle_status(held.bill_id, using=tx)
        rest = await registrations.of_refund(held.work.ref)
        if rest is not None:
            await money_work.add(held.bill_id, "undo", rest.registration_id, "undo", using=tx)
        await held.finish(using=tx)
    return False


async def owe(held: Held) -> bool:
    """The insurer's side is done; the cash is owed from here on, and goes back by the way it came."""
    case = await _read(held)
    payment = await payments.payment(held.vault, case.refund.payment_id)
    if payment is None:
        raise LookupError("a refund without a payment")
    async with held.deciding() as tx:
        parts = await _given_back(held, case, using=tx)
        wechat = payment.method == "wechat" and parts.cash > 0
        await refunds.owe(case.refund.refund_id, parts, wechat=wechat, using=tx)
        if wechat:
            await money_work.add(held.bill_id, "cashback", case.refund.refund_id, "send", using=tx)
        else:
            await refunds.cash_back_now(held.bill_id, case.refund.refund_id.hex, parts.cash, using=tx)
            await refunds.end(case.refund.refund_id, "succeeded", using=tx)
            await refunds.told(held.bill_id, using=tx)
        await refunds.note(case.refund.refund_id, using=tx)
        await refunds.settle_status(held.bill_id, using=tx)
        if not wechat:
            await tell_refunded(held.services, held.bill_id, case.refund.refund_id, using=tx)
        await held.finish(using=tx)
    return False


async def _given_back(held: Held, case: Case, *, using: Connection) -> Parts:
    """The parts that go back; the rest's registration becomes the bill's, and the old one is undone."""
    if case.bill.self_paid:
        await refunds.unearned(held.bill_id, case.refund.refund_id.hex, case.refund.total_fen, using=using)
        return Parts(0, 0, 0, case.refund.total_fen)
    await money_work.add(held.bill_id, "undo", _current(case), "undo", using=using)
    rest = await registrations.of_refund(case.refund.refund_id)
    if rest is None or rest.settled is None:
        return case.stands
    await registrations.becomes_current(held.bill_id, rest.registration_id, using=using)
    return Parts(*(before - after for before, after in zip(case.stands, rest.settled, strict=True)))
