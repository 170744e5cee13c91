"""2601: a message whose outcome nobody knows is undone by its id, before or after it comes."""

import pytest

from api.upstream.outcomes import Refused, Unknown
from api.upstream.settlement import Settled, Settlement
from tests.upstream.insured import AT, CHILD, HOSPITAL, TODAY, Bill, ending, patient_of
from tests.upstream.outside import IMPATIENT, ME, Sandbox, clients


async def test_a_settlement_whose_answer_was_lost_is_undone_by_its_message(bill: Bill) -> None:
    await bill.details()
    await bill.sandbox.fault("insurer", "drop-answer", match={"infno": "2207"}, times=1)
    assert await ending(bill.settle()) is Unknown
    lost = bill.last
    assert len(bill.standing()) == 1
    await bill.undo(lost, "2207")
    await bill.undo(lost, "2207")
    assert bill.standing() == []
    await bill.settle()
    await bill.undo(lost, "2207")
    assert len(bill.standing()) == 1


async def test_a_reversal_that_is_undone_lets_the_settlement_stand_again(bill: Bill) -> None:
    await bill.details()
    settled = await bill.settle()
    await bill.reverse(settled.setl_id)
    first = bill.last
    await bill.undo(first, "2208")
    assert bill.standing() == [settled.setl_id]
    await bill.reverse(settled.setl_id)
    await bill.undo(first, "2208")
    assert bill.standing() == []


async def test_a_reversal_is_not_undone_once_the_bill_was_settled_anew(bill: Bill) -> None:
    await bill.details()
    await bill.reverse((await bill.settle()).setl_id)
    reversal = bill.last
    second = await bill.settle()
    assert await ending(bill.undo(reversal, "2208")) is Refused
    assert bill.standing() == [second.setl_id]


async def test_a_message_that_comes_after_it_was_undone_does_nothing(bill: Bill) -> None:
    await bill.details()
    late = bill.settlement.message_id(bill.inst)
    await bill.undo(late, "2207")
    made = bill.settlement.settle(bill.inst, bill.patient, bill.mdtrt_id, "B1", 6600, msgid=late)
    assert await ending(made) is Refused
    assert bill.standing() == []


async def test_a_message_still_under_way_when_it_is_undone_arrives_in_vain(sandbox: Sandbox, bill: Bill) -> None:
    await bill.details()
    await sandbox.fault("insurer", "delay", delay_ms=400, match={"infno": "2207"}, times=1)
    async with clients(sandbox.base_url, sandbox.clock, IMPATIENT) as slow:
        lost = bill.msgid()
        made = Settlement(slow.insurer).settle(bill.inst, bill.patient, bill.mdtrt_id, "B1", 6600, msgid=lost)
        assert await ending(made) is Unknown
    (under_way,) = sandbox.app.ctx.world.late
    await bill.undo(lost, "2207")
    reply = await under_way
    assert reply.body["infcode"] == -1
    assert bill.standing() == []


async def test_a_message_is_taken_once(bill: Bill) -> None:
    await bill.details()
    once = bill.settlement.message_id(bill.inst)
    for expected in (Settled, Refused):
        made = bill.settlement.settle(bill.inst, bill.patient, bill.mdtrt_id, "B1", 6600, msgid=once)
        found = await ending(made)
        assert found is expected or isinstance(found, expected)
    assert len(bill.standing()) == 1


@pytest.mark.parametrize(("oinfno", "psn_no"), [("2208", ME.psn_no), ("2207", CHILD.psn_no)])
async def test_nobody_undoes_another_message_than_the_one_named(bill: Bill, oinfno: str, psn_no: str) -> None:
    await bill.details()
    await bill.settle()
    of_whom = patient_of(ME if psn_no == ME.psn_no else CHILD)
    settling = bill.last
    made = bill.settlement.undo_message(bill.inst, of_whom, settling, oinfno, msgid=bill.msgid())
    assert await ending(made) is Refused
    assert len(bill.standing()) == 1


async def test_lines_and_registration_are_undone_by_message_in_order(bill: Bill) -> None:
    registering = bill.settlement.message_id(bill.inst)
    bill.mdtrt_id = await bill.settlement.register(bill.inst, bill.patient, "V2", AT, msgid=registering)
    await bill.settlement.visit(bill.inst, bill.patient, bill.mdtrt_id, AT, msgid=bill.msgid())
    await bill.details(batch="B5")
    brought = bill.last
    assert await ending(bill.undo(registering, "2201")) is Refused
    settled = await bill.settle(batch="B5")
    assert await ending(bill.undo(brought, "2204")) is Refused
    await bill.reverse(settled.setl_id)
    await bill.undo(brought, "2204")
    assert await ending(bill.preview(batch="B5")) is Refused
    await bill.undo(registering, "2201")
    assert await ending(bill.details(batch="B6")) is Refused


async def test_a_settlement_that_was_reversed_is_not_undone_by_its_message_as_well(bill: Bill) -> None:
    await bill.details()
    settled = await bill.settle()
    settling = bill.last
    await bill.reverse(settled.setl_id)
    assert await ending(bill.undo(settling, "2207")) is Refused
    assert len(bill.sandbox.app.ctx.world.insurer_books.rows(HOSPITAL.code, TODAY, TODAY)) == 2


async def test_nothing_stands_again_over_what_was_undone_since(bill: Bill) -> None:
    await bill.details()
    await bill.reverse((await bill.settle()).setl_id)
    reversing = bill.last
    await bill.undo_details()
    undoing = bill.last
    assert await ending(bill.undo(reversing, "2208")) is Refused
    await bill.undo_registration()
    assert await ending(bill.undo(undoing, "2205")) is Refused
    assert bill.standing() == []


async def test_what_was_undone_by_mistake_stands_again(bill: Bill) -> None:
    await bill.details()
    await bill.undo_details()
    undoing = bill.last
    await bill.undo_registration()
    await bill.undo(bill.last, "2202")
    await bill.undo(undoing, "2205")
    await bill.settle()
