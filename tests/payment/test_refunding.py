"""Refunds: reserved first, by items or whole, the rest settled anew, cash back by its way and WeChat's rules (issue 7)."""

import asyncio
from typing import Any

import pytest

from tests.support.payment import PARTS, Till, due, item, ok, open_till
from tests.support.service import Service, refused

DEAR = [item(15000), item(5000)]  # without the second item the insurer's fund pays less, and cash is more


@pytest.fixture
async def till(service: Service) -> Till:
    return await open_till(service)


def items_of(bill: dict[str, Any], *quantities: str) -> list[dict[str, str]]:
    """So much of each item of a bill; "" for none."""
    return [
        {"item_id": one["item_id"], "quantity": quantity}
        for one, quantity in zip(bill["items"], quantities, strict=False)
        if quantity
    ]


def standing(bill: dict[str, Any]) -> dict[str, int]:
    """The parts that are left."""
    good = [one for one in bill["refunds"] if one["kind"] != "late" and one["status"] == "succeeded"]
    return {part: bill[part] - sum(one[part] for one in good) for part in (*PARTS, "total_fen")}


async def check(till: Till, bill: dict[str, Any], by: str = "wechat") -> None:
    """Ledger, insurer and WeChat agree on what is left."""
    left = standing(bill)
    assert await till.balances(bill) == due(left, by)
    stands = [one for one in await till.settlements() if one["setl_id"] == bill["setl_id"]]
    if left["total_fen"] and not bill["self_paid"]:
        assert [{part: one[part] for part in PARTS} for one in stands] == [{part: left[part] for part in PARTS}]
    if by == "wechat":
        order = await till.order(bill["payments"][-1]["payment_id"].replace("-", ""))
        assert order["amount_fen"] - order["refunded_fen"] == left["cash_fen"]


async def test_one_of_two_tests_is_given_back_and_the_rest_settled_anew(till: Till) -> None:
    bill = await till.paid()
    refund = await till.refund(bill, items=items_of(bill, "", "1"))
    assert (refund["total_fen"], sum(refund[part] for part in PARTS)) == (2050, 2050)
    now = await till.until(bill, "partly-refunded")
    assert now["setl_id"] != bill["setl_id"]
    assert [one["refunded_quantity"] for one in now["items"]] == ["0", "1"]
    await check(till, now)
    refused(await till.ask_refund(bill, items=items_of(bill, "", "2")), 409, "refund-exceeds")
    await till.refund(bill, all=True)
    await till.service.move_time(90)
    done = await till.until(bill, "refunded")
    assert await till.balances(done) == {}
    await check(till, done)
    refused(await till.ask_refund(bill, all=True), 409, "refund-exceeds")


async def test_refunds_of_one_order_are_a_minute_apart(till: Till) -> None:
    bill = await till.paid()
    await till.refund(bill, items=items_of(bill, "", "1"))
    await till.until(bill, "partly-refunded")
    await till.refund(bill, items=items_of(bill, "", "1"))
    await till.hurry()
    now = await till.look(bill)
    assert [one["status"] for one in now["refunds"]] == ["succeeded", "pending"]
    await till.service.move_time(70)
    await till.hurry()
    await check(till, await till.until(bill, "partly-refunded"))


async def test_a_window_gives_cash_back_at_once(till: Till) -> None:
    bill = await till.bill()
    ok(await till.at_window(bill), 201)
    assert (await till.refund(bill, items=items_of(bill, "1")))["status"] == "succeeded"
    await check(till, await till.look(bill), "window")
    assert (await till.refund(bill, all=True))["status"] == "succeeded"
    assert (await till.look(bill))["status"] == "refunded"
    assert await till.balances(bill) == {}


async def test_where_no_insurer_paid_an_amount_will_do(till: Till) -> None:
    bill = await till.paid(self_paid=True)
    for wrong, code in ((0, 422), (-5, 422), (6601, 409), (10**18, 409)):
        refused(
            await till.ask_refund(bill, amount_fen=wrong), code, "amount-invalid" if code == 422 else "refund-exceeds"
        )
    await till.refund(bill, amount_fen=600)
    await check(till, await till.until(bill, "partly-refunded"))
    refused(await till.ask_refund(bill, items=items_of(bill, "1", "2")), 409, "refund-exceeds")
    await till.service.move_time(70)
    await till.refund(bill, all=True)
    assert await till.balances(await till.until(bill, "refunded")) == {}


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ({"amount_fen": 100}, 422, "refund-needs-items"),
        ({}, 422, "validation-failed"),
        ({"all": True, "amount_fen": 1}, 422, "validation-failed"),
        ({"all": False}, 422, "validation-failed"),
        ({"items": []}, 422, "validation-failed"),
        ({"items": [{"item_id": "00000000-0000-4000-8000-000000000000", "quantity": "1"}]}, 422, "validation-failed"),
        ({"all": True, "reason": ""}, 422, "validation-failed"),
    ],
)
async def test_a_refund_says_what_it_gives_back(till: Till, what: dict[str, Any], status: int, code: str) -> None:
    bill = await till.paid()
    refused(await till.ask_refund(bill, **what), status, code)
    for quantity, expected in (("0", "amount-invalid"), ("-1", "amount-invalid"), ("1.00001", "amount-invalid")):
        refused(await till.ask_refund(bill, items=items_of(bill, quantity)), 422, expected)
    twice = items_of(bill, "1") * 2
    refused(await till.ask_refund(bill, items=twice), 422, "validation-failed")
    assert (await till.look(bill))["refunds"] == []


async def test_a_bill_that_is_not_paid_has_nothing_to_give_back(service: Service, till: Till) -> None:
    bill = await till.bill()
    refused(await till.ask_refund(bill, all=True), 409, "refund-exceeds")
    await till.begin(bill)
    refused(await till.ask_refund(bill, all=True), 409, "refund-exceeds")
    other = await open_till(service)
    refused(await other.ask_refund(bill, all=True), 404, "not-found")


async def test_twenty_windows_give_back_once(till: Till) -> None:
    bill = await till.paid()
    answers = await asyncio.gather(*(till.ask_refund(bill, items=items_of(bill, "", "2")) for _ in range(20)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 19
    now = await till.until(bill, "partly-refunded")
    assert len(now["refunds"]) == 1
    await check(till, now)


async def test_one_key_gives_back_once(till: Till) -> None:
    bill = await till.paid()
    key = {"Idempotency-Key": "r-1"}
    first, again = [await till.ask_refund(bill, key, items=items_of(bill, "", "1")) for _ in range(2)]
    assert first.json()["refund_id"] == again.json()["refund_id"]
    assert len((await till.until(bill, "partly-refunded"))["refunds"]) == 1


async def test_a_rest_that_would_cost_more_leaves_the_bill_as_it_was(till: Till) -> None:
    bill = await till.paid(DEAR)
    before = await till.entries(bill)
    refused(await till.ask_refund(bill, items=items_of(bill, "", "1")), 409, "refund-would-charge")
    now = await till.look(bill)
    assert (now["status"], now["setl_id"]) == ("paid", bill["setl_id"])
    assert await till.entries(bill) == before
    await till.quiet()
    await till.refund(bill, all=True)
    assert await till.balances(await till.until(bill, "refunded")) == {}


async def test_a_settling_that_comes_out_dearer_is_taken_back(till: Till) -> None:
    """The preview promised less cash than 2207 then wants."""
    bill = await till.paid()
    dear = {"fund_pay_sumamt": "0.00", "acct_pay": "0.00", "hosp_part_amt": "0.00", "psn_cash_pay": "45.50"}
    await till.service.fault("insurer", "lie", match={"infno": "2207"}, set=dear)
    refused(await till.ask_refund(bill, items=items_of(bill, "", "1")), 409, "refund-would-charge")
    now = await till.until(bill, "paid")
    assert now["setl_id"] != bill["setl_id"]
    await check(till, now)


@pytest.mark.parametrize("fault", ["error", "http-500", "drop-answer", "reset"])
@pytest.mark.parametrize("infno", ["2201", "2204", "2206", "2207", "2208"])
async def test_a_refund_ends_whole_or_not_at_all(till: Till, infno: str, fault: str) -> None:
    bill = await till.paid()
    await till.service.fault("insurer", fault, match={"infno": infno})
    answer = await till.ask_refund(bill, items=items_of(bill, "", "1"))
    assert answer.status_code in (201, 422, 503), answer.text
    for _ in range(4):
        await till.hurry()
    now = await till.until(bill, "partly-refunded" if answer.status_code == 201 else "paid")
    await check(till, now)


async def test_an_insurer_that_lies_about_the_rest_changes_nothing(till: Till) -> None:
    bill = await till.paid()
    await till.service.fault("insurer", "lie", match={"infno": "2207"}, set={"psn_cash_pay": "0.01"})
    refused(await till.ask_refund(bill, items=items_of(bill, "", "1")), 502, "insurer-parts-mismatch")
    await check(till, await till.until(bill, "paid"))


@pytest.mark.parametrize("fault", ["error", "http-500", "drop-answer", "reset", "unsigned", "bad-signature"])
async def test_cash_goes_back_once_whatever_wechat_answers(till: Till, fault: str) -> None:
    bill = await till.paid()
    await till.service.fault("wechat-pay", fault, match={"path": "/refund/"}, times=2)
    await till.refund(bill, all=True)
    for _ in range(4):
        await till.hurry()
        await asyncio.sleep(0.1)
    await check(till, await till.until(bill, "refunded"))


async def test_after_a_year_wechat_takes_no_refund(till: Till) -> None:
    bill = await till.paid()
    cash = await till.bill()
    ok(await till.at_window(cash), 201)
    await till.service.move_time(366 * 86400)
    token = await till.service.hospital()
    refused(
        await till.http.post(
            f"/v1/hospital/bills/{bill['bill_id']}/refunds", headers=token, json={"all": True, "reason": "x"}
        ),
        404,
        "not-found",
    )
    await till.service.sql(
        "UPDATE payments SET paid_at = paid_at - interval '366 days' WHERE bill_id = $1", bill["bill_id"]
    )
    await till.service.move_time(0)
    refused(await till.ask_refund(bill, all=True), 409, "refund-too-late")
    ok(await till.ask_refund(cash, all=True), 201)


async def test_fifty_refunds_are_what_wechat_takes_of_one_payment(till: Till) -> None:
    bill = await till.paid([item(100, "60")], self_paid=True)
    for _ in range(49):
        ok(await till.ask_refund(bill, items=items_of(bill, "1")), 201)
    problem = refused(await till.ask_refund(bill, items=items_of(bill, "1")), 409, "refund-exceeds")
    assert "50" in problem["detail"]
    assert (await till.refund(bill, all=True))["total_fen"] == 1100
