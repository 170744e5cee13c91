"""Making a bill: priced, registered and previewed at the insurer, and only then there for anybody to see."""

from typing import Any
from uuid import UUID, uuid4

from api.idempotency import keep
from api.payment.chain import Chain, institution_of, patient_of
from api.payment.held import Held, hold_seconds
from api.payment.operations import Begun, operation
from api.payment.shown import shown_bill
from api.payment.telling import tell_billed
from api.payment.types import BillRequest, ItemGiven
from api.problems import (
    AMOUNT_INVALID,
    CARD_REVOKED,
    IDEMPOTENCY_IN_PROGRESS,
    INSURANCE_REFUSED,
    INSURER_PARTS_MISMATCH,
    INSURER_REFUSED,
    INSURER_UNAVAILABLE,
    FieldError,
    Problem,
    Text,
)
from api.run.failpoints import reach
from api.upstream.insurer import cert_type
from api.upstream.outcomes import CallEnded, Refused
from api.upstream.settlement import PartsWrong
from api.web.answers import Answer
from api.web.calls import Call
from codes.errors import InvalidValue
from codes.insurance import parse_insurance
from codes.money import Parts, line_fen, quantity_of
from models import bills, registrations
from models.bills import BillData, BillRow, Client, InsuredData, ItemData, NewBill
from models.clients import hospital
from models.database import Connection, transaction
from models.money_work import HoldLost
from models.scans import Resolved

PRICE_MOST = 10**9  # fen
TOTAL_MOST = 10**10
_QUANTITY = Text("须为大于0的小数，最多4位小数", "a decimal above 0 with at most 4 places, as a string")
_PRICE = Text("须为正整数（分），且数量×单价不少于1分", "whole fen above 0, and the line at least a fen")


def priced(given: list[ItemGiven]) -> list[ItemData]:
    """The lines with their amounts. Raises Problem amount-invalid."""
    lines = [_line(f"/items/{place}", one) for place, one in enumerate(given)]
    if sum(line.amount_fen for line in lines) > TOTAL_MOST:
        raise Problem(AMOUNT_INVALID)
    return lines


def _line(place: str, given: ItemGiven) -> ItemData:
    try:
        quantity = quantity_of(given.quantity)
    except InvalidValue:
        raise Problem(AMOUNT_INVALID, errors=(FieldError(f"{place}/quantity", _QUANTITY),)) from None
    if not 0 < given.price_fen <= PRICE_MOST or line_fen(quantity, given.price_fen) <= 0:
        raise Problem(AMOUNT_INVALID, errors=(FieldError(f"{place}/price_fen", _PRICE),))
    amount = line_fen(quantity, given.price_fen)
    return bills.new_item(given.code, given.name, given.category, quantity, given.price_fen, amount)


async def make_bill(call: Call[BillRequest], found: Resolved) -> Answer:
    """201 with the bill. Raises Problem for what the insurer says; then nothing is left of it."""
    items = priced(call.body.items)
    bill_id, begun_before = await operation(call, _begun)
    if begun_before:
        return await _made(call, bill_id)
    insured = None if call.body.self_paid or found.insurance is None else await _insured(call, found)
    data = BillData(call.body.visit_number, items, insured)
    new = NewBill(
        bill_id, found.hospital_id, found.person_id, found.card_id, found.resolution_id, insured is None, data
    )
    place = await hospital(found.hospital_id)
    if place is None:
        raise LookupError("no such hospital")
    if insured is None:
        async with transaction() as tx:
            begun = await bills.begin(call.services.vault, new, using=tx)
            if begun is None:
                raise Problem(IDEMPOTENCY_IN_PROGRESS, retry_after=2)
            made = bills.made(new, place, Parts(0, 0, 0, new.total), None, begun.at)
            return await _publish(call, made, None, using=tx)
    return await _register(call, new, insured, place)


async def _begun(bill_id: UUID) -> Begun | None:
    found = await bills.status_of(bill_id)
    return Begun(found["status"] == "failed", found["at"]) if found else None


async def _insured(call: Call[Any], found: Resolved) -> InsuredData:
    """Whom the insurer knows by the card's insurance (1101), today."""
    if found.insurance is None:
        raise LookupError("no insurance")
    number, person = parse_insurance(found.insurance.type, found.insurance.number, found.insurance.area), found.person
    try:
        known = await call.services.upstreams.insurer.person(number, person.name, person.document)
    except Problem as problem:
        refused = problem.kind is INSURANCE_REFUSED
        raise Problem(INSURER_REFUSED if refused else INSURER_UNAVAILABLE, retry_after=None if refused else 5) from None
    return InsuredData(
        known.psn_no,
        known.insurances[0].insutype,
        known.insurances[0].area,
        number.type,
        number.number,
        person.name,
        cert_type(person.document),
        person.id_number,
    )


async def _register(call: Call[Any], new: NewBill, insured: InsuredData, place: Any) -> Answer:
    """The chain up to the preview, then the bill; broken off, it is undone by whoever takes on what is left."""
    services, registration_id = call.services, uuid4()
    work = await bills.begin(services.vault, new, registration_id, hold_seconds(services))
    if work is None:
        raise Problem(IDEMPOTENCY_IN_PROGRESS, retry_after=2)
    held = Held(services, work)
    chain = Chain(held, institution_of(place["code"], place["name"], place["area"]), patient_of(insured))
    registration = registrations.begun(registration_id, new.bill_id, new.total)
    try:
        parts = await chain.register(registration, new.data.visit_number, new.data.items)
        async with transaction() as tx:
            answer = await _publish(call, bills.made(new, place, parts, registration_id, work.at), held, using=tx)
            reach("money.keep")
        reach("money.kept")
        held.let_go()
        return answer
    except PartsWrong:
        raise Problem(INSURER_PARTS_MISMATCH) from None
    except Refused:
        raise Problem(INSURER_REFUSED) from None
    except (CallEnded, HoldLost):
        raise Problem(INSURER_UNAVAILABLE, retry_after=5) from None
    finally:
        await held.release()


async def _publish(call: Call[Any], made: BillRow, held: Held | None, *, using: Connection) -> Answer:
    """The bill is due: seen, told, and put down as a use of the resolution. Raises HoldLost."""
    vault, caller = call.services.vault, call.hospital
    client, work = Client(caller.client_id, caller.session_id), held.work if held else None
    if not await bills.publish(made.bill_id, made.parts, client, work, held.answered if held else [], using=using):
        raise Problem(CARD_REVOKED)
    await tell_billed(call.services, made.told, using=using)
    return await keep(call, Answer(201, shown_bill(vault, made)), using=using, mine=False)


async def _made(call: Call[Any], bill_id: UUID) -> Answer:
    """The same request came again: its bill, if it is there."""
    vault = call.services.vault
    async with transaction() as tx:
        made = await bills.bill(vault, bill_id, using=tx)
        if made is None:
            raise Problem(IDEMPOTENCY_IN_PROGRESS, retry_after=2)
        return await keep(call, Answer(201, shown_bill(vault, made)), using=tx)
