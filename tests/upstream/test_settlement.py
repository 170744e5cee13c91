"""The insurer's chain of a bill: what each transaction does, undoes, refuses, and how each can end."""

import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.sandbox import PEOPLE, Person
from api.sandbox.insurer_books import InsurerBooks
from api.upstream.insurer import Insurer, InsurerConfig
from api.upstream.outcomes import CallEnded, Refused, Unknown, Unsent
from api.upstream.settlement import Line, PartsWrong, Settlement
from codes.money import Parts
from tests.upstream.insured import AT, CHILD, HOSPITAL, RETIRED, Bill, ending, line, patient_of
from tests.upstream.outside import IMPATIENT, ME, Clients, Sandbox, clients, raw, told

# What a bill costs whom


async def test_a_bill_is_previewed_and_settled_the_same(bill: Bill) -> None:
    await bill.details(line(2500), line(4100, sn="2"))
    previewed = await bill.preview()
    settled = await bill.settle()
    assert settled.parts == previewed == Parts(fund=4620, account=660, hospital=66, cash=1254)
    assert bill.standing() == [settled.setl_id]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda one: one.psn_no[-2:])
async def test_everybodys_insurer_leaves_a_fund_and_a_cash_part(
    sandbox: Sandbox, ours: Clients, person: Person
) -> None:
    bill = await Bill(Settlement(ours.insurer), sandbox, patient_of(person)).begun()
    for batch, fen in enumerate((10, 99, 6600, 10**11)):
        await bill.details(line(fen, sn=str(batch)), batch=f"B{batch}")
        parts = (await bill.settle(fen, batch=f"B{batch}")).parts
        assert parts.total == fen
        assert parts.fund > 0
        assert parts.cash > 0


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ([line(1)], Parts(0, 0, 0, 1)),
        ([line(6600, "特需")], Parts(0, 0, 0, 6600)),
        ([line(6600, "公共卫生")], Parts(6600, 0, 0, 0)),
        ([line(100, "公共卫生"), line(100, "特需", sn="2")], Parts(100, 0, 0, 100)),
    ],
)
async def test_some_bills_have_one_part_alone(bill: Bill, lines: list[Line], parts: Parts) -> None:
    await bill.details(*lines)
    assert await bill.preview(parts.total) == parts


async def test_less_costs_less_cash_but_for_what_the_large_bills_aid_paid(bill: Bill) -> None:
    cash = {}
    for fen in (2500, 6600, 15_000, 20_000):
        await bill.details(line(fen, sn=str(fen)), batch=str(fen))
        cash[fen] = (await bill.preview(fen, batch=str(fen))).cash
    assert cash[2500] < cash[6600] < cash[15_000]
    assert cash[15_000] > cash[20_000]


# Order, forwards and backwards


async def test_all_is_undone_backwards_and_only_backwards(bill: Bill) -> None:
    await bill.details()
    settled = await bill.settle()
    assert await ending(bill.undo_details()) is Refused
    assert await ending(bill.undo_registration()) is Refused
    await bill.reverse(settled.setl_id)
    assert bill.standing() == []
    assert await ending(bill.undo_registration()) is Refused
    await bill.undo_details()
    await bill.undo_registration()
    assert await ending(bill.details(batch="B2")) is Refused


async def test_a_reversed_bill_may_be_settled_anew(bill: Bill) -> None:
    await bill.details()
    first = await bill.settle()
    assert await ending(bill.settle()) is Refused
    await bill.reverse(first.setl_id)
    second = await bill.settle()
    assert second.setl_id != first.setl_id
    assert bill.standing() == [second.setl_id]


REFUSALS: dict[str, Callable[[Bill], Awaitable[object]]] = {
    "lines of no visit": lambda bill: bill.settlement.details(
        bill.inst, bill.patient, "430102000000009999", "B2", [line(1)], msgid=bill.msgid()
    ),
    "lines under a used batch": lambda bill: bill.details(line(1, sn="9")),
    "a line number again": lambda bill: bill.details(line(1), batch="B2"),
    "no lines": lambda bill: bill.settlement.details(
        bill.inst, bill.patient, bill.mdtrt_id, "B2", [], msgid=bill.msgid()
    ),
    "a bill without lines": lambda bill: bill.settle(batch="B2"),
    "another total than the lines make": lambda bill: bill.settle(6601),
    "a settlement nobody made": lambda bill: bill.reverse("S9"),
    "an unknown person": lambda bill: bill.settlement.register(
        bill.inst, bill.patient._replace(psn_no="43"), "V", AT, msgid=bill.msgid()
    ),
    "another's insurance number": lambda bill: bill.settlement.register(
        bill.inst, bill.patient._replace(psn_no=CHILD.psn_no, insutype="390"), "V", AT, msgid=bill.msgid()
    ),
    "another's visit": lambda bill: bill.settlement.settle(
        bill.inst, patient_of(RETIRED), bill.mdtrt_id, "B1", 6600, msgid=bill.msgid()
    ),
    "another place": lambda bill: bill.settlement.register(
        bill.inst, bill.patient._replace(area="110101"), "V", AT, msgid=bill.msgid()
    ),
    "another institution's visit": lambda bill: bill.settlement.settle(
        HOSPITAL._replace(code="H43010208888"),
        bill.patient,
        bill.mdtrt_id,
        "B1",
        6600,
        msgid=bill.settlement.message_id(HOSPITAL._replace(code="H43010208888")),
    ),
    "no such institution": lambda bill: bill.settlement.register(
        HOSPITAL._replace(code="X43010208888"), bill.patient, "V", AT, msgid="X43010208888" + "0" * 18
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_what_the_platform_refuses_does_nothing(bill: Bill, what: str) -> None:
    await bill.details()
    assert await ending(REFUSALS[what](bill)) is Refused
    assert bill.standing() == []
    await bill.settle()


async def test_lines_before_the_visit_is_told_are_not_settled(sandbox: Sandbox, ours: Clients) -> None:
    bill = Bill(Settlement(ours.insurer), sandbox)
    bill.mdtrt_id = await bill.settlement.register(bill.inst, bill.patient, "V1", AT, msgid=bill.msgid())
    await bill.details()
    assert await ending(bill.preview()) is Refused


# How a call can end

STEPS: dict[str, Callable[[Bill], Awaitable[object]]] = {
    "2201": lambda bill: bill.settlement.register(bill.inst, bill.patient, "V2", AT, msgid=bill.msgid()),
    "2203": lambda bill: bill.settlement.visit(bill.inst, bill.patient, bill.mdtrt_id, AT, msgid=bill.msgid()),
    "2204": lambda bill: bill.details(line(1, sn="7"), batch=bill.settlement.message_id(bill.inst)),
    "2205": lambda bill: bill.undo_details("B2"),
    "2206": lambda bill: bill.preview(),
    "2207": lambda bill: bill.settle(),
    "2208": lambda bill: bill.reverse(bill.standing()[0]),
    "2601": lambda bill: bill.undo(bill.settlement.message_id(bill.inst), "2207"),
}
ENDS: list[tuple[str, dict[str, Any], type[CallEnded]]] = [
    ("error", {"set": {"code": "-1", "text": "系统繁忙"}}, Refused),
    ("error", {"set": {"code": "9999"}}, Unknown),
    ("http-500", {}, Unknown),
    ("reset", {}, Unknown),
    ("drop-answer", {}, Unknown),
    ("lie", {"set": {"msgid": "H" + "1" * 29}}, Unknown),
    ("lie", {"set": {"inf_refmsgid": HOSPITAL.code + "0" * 18}}, Unknown),
    ("lie", {"set": {"infcode": None}}, Unknown),
]


@pytest.mark.parametrize("infno", STEPS)
async def test_each_step_ends_as_what_happened(bill: Bill, ours: Clients, infno: str) -> None:
    await bill.details()
    await bill.details(line(1, sn="2"), batch="B2")
    if infno == "2208":
        await bill.settle()
    for fault, more, end in ENDS:
        ours.heard.clear()
        await bill.sandbox.fault("insurer", fault, match={"infno": infno}, times=1, **more)
        found = await ending(STEPS[infno](bill))
        assert found is end, (fault, more)
        assert [call for _, call, _ in ours.heard] == [infno]
        if end is Unknown and fault in ("drop-answer", "lie"):
            await bill.undo(bill.last, infno)
    assert not isinstance(await ending(STEPS[infno](bill)), type)


async def test_nobody_there_is_unsent_and_too_late_is_unknown(sandbox: Sandbox, bill: Bill) -> None:
    async with clients("http://127.0.0.1:9") as nowhere:
        bill.settlement = Settlement(nowhere.insurer)
        with pytest.raises(Unsent) as ended:
            await bill.settle()
        assert ended.value.code == "unreachable"
    async with clients(sandbox.base_url, sandbox.clock, IMPATIENT) as slow:
        bill.settlement = Settlement(slow.insurer)
        await sandbox.fault("insurer", "delay", delay_ms=5000, match={"infno": "2207"})
        with pytest.raises(Unknown) as ended_late:
            await bill.settle()
        assert ended_late.value.code == "timeout"


@pytest.mark.parametrize(
    "lie",
    [
        {"mdtrt_id": "430102000000009999"},
        {"psn_no": CHILD.psn_no},
        {"setl_id": ""},
        {"setl_id": None},
        {"setl_id": "S1\n"},
        {"setlinfo": None},
        {"medfee_sumamt": "x"},
        {"output": None},
    ],
)
async def test_an_answer_about_something_else_settles_nothing_we_know(bill: Bill, lie: dict[str, Any]) -> None:
    await bill.details()
    await bill.sandbox.fault("insurer", "lie", match={"infno": "2207"}, set=lie)
    assert await ending(bill.settle()) is Unknown
    await bill.undo(bill.last, "2207")
    assert bill.standing() == []


@pytest.mark.parametrize(
    "lie",
    [
        {"fund_pay_sumamt": "46.21"},
        {"psn_cash_pay": "12.53"},
        {"hosp_part_amt": None},
        {"medfee_sumamt": "65.99", "psn_cash_pay": "12.53"},
        {"medfee_sumamt": None},
        {"fund_pay_sumamt": "-1.00", "psn_cash_pay": "59.74"},
        {"psn_cash_pay": "12.545", "acct_pay": "6.595"},
        {"psn_cash_pay": "NaN"},
        {"psn_cash_pay": "1e999999"},
        {"psn_cash_pay": 1e30},
    ],
)
async def test_parts_that_do_not_make_the_bill_are_refused_and_can_be_reversed(
    bill: Bill, ours: Clients, lie: dict[str, Any]
) -> None:
    await bill.details()
    await bill.sandbox.fault("insurer", "lie", match={"infno": "2206"}, set=lie)
    await bill.sandbox.fault("insurer", "lie", match={"infno": "2207"}, set=lie)
    with pytest.raises(PartsWrong) as previewed:
        await bill.preview()
    assert previewed.value.setl_id is None
    with pytest.raises(PartsWrong) as settled:
        await bill.settle()
    assert [settled.value.setl_id] == bill.standing()
    assert ours.heard[-1] == ("insurer", "2207", "parts")
    await bill.reverse(settled.value.setl_id or "")
    assert bill.standing() == []


async def test_amounts_come_as_texts_or_numbers_of_yuan(bill: Bill) -> None:
    await bill.details(line(6629))
    expected = await bill.preview(6629)
    forms = {"medfee_sumamt": 66.29, "psn_cash_pay": expected.cash / 100, "acct_pay": "6.6200"}
    await bill.sandbox.fault("insurer", "lie", match={"infno": "2206"}, set=forms)
    assert await bill.preview(6629) == expected


# The envelope, and the books kept


async def test_the_envelope_is_the_hospitals_own(ours: Clients) -> None:
    async with told(raw(b"{}")) as server, clients(server.base_url) as here:
        chain = Settlement(here.insurer)
        msgid = chain.message_id(HOSPITAL)
        patient = patient_of(PEOPLE[2])
        assert await ending(chain.details(HOSPITAL, patient, "M", "B", [line(1)], msgid=msgid)) is Unknown
        sent = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    assert (sent["fixmedins_code"], sent["fixmedins_name"], sent["mdtrtarea_admvs"]) == tuple(HOSPITAL)
    assert (sent["msgid"], sent["insuplc_admdvs"], sent["infno"]) == (msgid, "650102", "2204")
    assert msgid.startswith("H43010209999")
    assert len(msgid) == 30
    (fee,) = sent["input"]["feedetail"]
    assert (fee["cnt"], fee["pric"], fee["det_item_fee_sumamt"]) == ("1", "0.01", "0.01")


async def test_workers_that_share_a_counter_never_make_the_same_id(ours: Clients) -> None:
    config = InsurerConfig("http://127.0.0.1:9", "H43010200001", "名", "430102")
    shared = itertools.count(9_990)
    workers = [Settlement(Insurer(config, ours.http, ours.clock, lambda: next(shared))) for _ in range(4)]
    made = [worker.message_id(HOSPITAL) for worker in workers * 5]
    assert len(set(made)) == 20
    assert made[0] == "H43010209999" + "20261026153320" + "9990"
    assert made[-1].endswith("0009")


async def test_the_books_survive_being_kept(bill: Bill) -> None:
    await bill.details()
    settled = await bill.settle()
    world = bill.sandbox.app.ctx.world
    used = bill.last
    await bill.undo("H43010209999" + "9" * 18, "2207")
    world.insurer_books = InsurerBooks.load(world.insurer_books.dump())
    assert bill.standing() == [settled.setl_id]
    await bill.undo(used, "2207")
    assert bill.standing() == []
    assert (await bill.settle()).setl_id != settled.setl_id


def test_a_patient_is_not_printed() -> None:
    assert ME.name not in f"{patient_of(ME)!r}{patient_of(ME)}"
