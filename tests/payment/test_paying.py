"""Bills: made, settled, paid once by WeChat or at the window, or given back whole (issue 7)."""

import asyncio
from typing import Any

import pytest

from tests.support.payment import ITEMS, PARTS, Till, due, item, ok, open_till
from tests.support.service import Service, refused


@pytest.fixture
async def till(service: Service) -> Till:
    return await open_till(service)


def number(bill: dict[str, Any], place: int = -1) -> str:
    """The out_trade_no of a bill's payment."""
    return str(bill["payments"][place]["payment_id"]).replace("-", "")


# Making


async def test_an_insured_bill_shows_its_parts_before_it_is_paid(till: Till) -> None:
    bill = await till.bill()
    assert (bill["status"], bill["total_fen"], bill["self_paid"]) == ("due", 6600, False)
    assert sum(bill[part] for part in PARTS) == 6600
    assert bill["fund_fen"] > 0
    assert bill["cash_fen"] > 0
    assert [one["amount_fen"] for one in bill["items"]] == [2500, 4100]
    assert (await till.entries(bill), bill["setl_id"]) == ([], None)


async def test_who_is_not_insured_or_does_not_want_to_be_pays_all(service: Service, till: Till) -> None:
    alone = await open_till(service, insured=False)
    for bill in (await alone.bill(), await till.bill(self_paid=True)):
        assert (bill["self_paid"], bill["cash_fen"], bill["fund_fen"]) == (True, 6600, 0)
    assert (await till.paid(self_paid=True))["setl_id"] is None


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"price_fen": 0}, "amount-invalid"),
        ({"price_fen": -1}, "amount-invalid"),
        ({"price_fen": 10**12}, "amount-invalid"),
        ({"price_fen": 10**30}, "amount-invalid"),
        ({"price_fen": 25.5}, "validation-failed"),
        ({"quantity": "0"}, "amount-invalid"),
        ({"quantity": "-1"}, "amount-invalid"),
        ({"quantity": "1.00001"}, "amount-invalid"),
        ({"quantity": "1e3"}, "amount-invalid"),
        ({"quantity": "NaN"}, "amount-invalid"),
        ({"quantity": "٣"}, "amount-invalid"),
        ({"quantity": "0.0001", "price_fen": 100}, "amount-invalid"),
        ({"quantity": 1}, "validation-failed"),
        ({"name": ""}, "validation-failed"),
    ],
)
async def test_what_is_no_amount_makes_no_bill(till: Till, wrong: dict[str, Any], code: str) -> None:
    refused(await till.ask_bill([{**item(), **wrong}]), 422, code)
    assert (
        ok(await till.http.get(f"/v1/hospital/resolutions/{till.resolution}/bills", headers=till.hospital))["bills"]
        == []
    )


async def test_a_line_is_rounded_half_up_and_no_more_than_a_hundred_million_yuan_are_billed(till: Till) -> None:
    bill = await till.bill([item(333, "1.5"), item(1, "0.5"), item(1, "1.4999")], self_paid=True)
    assert [one["amount_fen"] for one in bill["items"]] == [500, 1, 1]
    refused(await till.ask_bill([item(10**9, "5")] * 3), 422, "amount-invalid")
    assert (await till.bill([item(10**9, "5")] * 2, self_paid=True))["total_fen"] == 10**10


async def test_a_bill_needs_the_service_a_live_card_and_its_own_hospital(service: Service, till: Till) -> None:
    bill = await till.bill()
    narrow = await service.resolved(till.hospital, await service.code(till.me, till.card, ["booking"]))
    path = f"/v1/hospital/resolutions/{narrow['resolution_id']}/bills"
    body = {"items": ITEMS, "visit_number": "V"}
    refused(await till.http.post(path, headers=till.hospital, json=body), 403, "service-not-granted")
    refused(await till.http.get(path, headers=till.hospital), 403, "service-not-granted")
    other = await open_till(service)
    refused(await till.http.get(f"/v1/hospital/bills/{bill['bill_id']}", headers=other.hospital), 404, "not-found")
    refused(await other.ask_payment(bill), 404, "not-found")
    refused(await till.http.get(f"/v1/patient/bills/{bill['bill_id']}", headers=other.me), 404, "not-found")
    await till.http.post(f"/v1/patient/cards/{till.card['card_id']}/freeze", headers=till.me, json={})
    refused(await till.ask_bill(), 403, "card-revoked")
    refused(await till.ask_payment(bill), 403, "card-frozen")


async def test_one_key_makes_one_bill(till: Till) -> None:
    key = {"Idempotency-Key": "b-1"}
    body = {"items": ITEMS, "visit_number": "same"}
    path = f"/v1/hospital/resolutions/{till.resolution}/bills"
    first, again = [await till.http.post(path, headers={**till.hospital, **key}, json=body) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize("infno", ["1101", "2201", "2203", "2204", "2206"])
@pytest.mark.parametrize("fault", ["error", "drop-answer"])
async def test_a_bill_that_the_insurer_does_not_take_is_not_there(till: Till, infno: str, fault: str) -> None:
    await till.service.fault("insurer", fault, match={"infno": infno})
    answer = await till.ask_bill()
    refused(answer, *((422, "insurer-refused") if fault == "error" else (503, "insurer-unavailable")))
    await till.quiet()
    found = ok(await till.http.get(f"/v1/hospital/resolutions/{till.resolution}/bills", headers=till.hospital))
    assert found["bills"] == []
    assert (await till.bill())["status"] == "due"


async def test_parts_that_do_not_make_the_total_are_refused(till: Till) -> None:
    await till.service.fault("insurer", "lie", match={"infno": "2206"}, set={"psn_cash_pay": "0.01"})
    refused(await till.ask_bill(), 502, "insurer-parts-mismatch")


async def test_a_bill_that_is_due_can_be_cancelled_and_no_other(till: Till) -> None:
    bill = await till.bill()
    assert ok(await till.cancel_bill(bill))["status"] == "cancelled"
    refused(await till.cancel_bill(bill), 409, "bill-not-payable")
    refused(await till.ask_payment(bill), 409, "bill-not-payable")
    await till.hurry()
    refused(await till.cancel_bill(await till.paid()), 409, "bill-not-payable")


# Paying


async def test_a_bill_is_paid_once_however_often_the_news_arrives(till: Till) -> None:
    bill = await till.paid()
    before = await till.entries(bill)
    for _ in range(5):
        assert (await till.service.sandbox.post("/sandbox/notify", json={"out_trade_no": number(bill)})).is_success
    await asyncio.sleep(0.3)
    assert await till.entries(bill) == before
    assert await till.balances(bill) == due(bill)
    refused(await till.ask_payment(bill), 409, "bill-not-payable")
    assert [one["setl_id"] for one in await till.settlements() if one["setl_id"] == bill["setl_id"]]


async def test_the_insurer_pays_first_and_then_the_payer(till: Till) -> None:
    bill = await till.bill()
    payment = await till.begin(bill)
    assert (payment["status"], payment["amount_fen"], payment["method"]) == ("pending", bill["cash_fen"], "wechat")
    assert set(payment["jsapi"]) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (await till.look(bill))["status"] == "settling"
    assert ok(await till.ask_payment(bill))["payment_id"] == payment["payment_id"]
    await till.thumb(payment, "fail")
    assert (await till.payment(payment))["status"] == "pending"
    await till.thumb(payment)
    await till.until(bill, "paid")
    paid = await till.payment(payment)
    assert (paid["status"], paid["jsapi"]) == ("succeeded", None)


async def test_two_phones_cannot_pay_one_bill(service: Service, till: Till) -> None:
    bill = await till.bill()
    child_of = await service.patient(service.person())
    answers = await asyncio.gather(*(till.ask_payment(bill) for _ in range(8)))
    assert {one.status_code for one in answers} <= {200, 201, 409}
    ids = {one.json()["payment_id"] for one in answers if one.is_success}
    assert len(ids) == 1
    refused(await till.ask_payment(bill, child_of), 404, "not-found")
    refused(await till.at_window(bill), 409, "bill-not-payable")
    assert len((await till.look(bill))["payments"]) == 1


async def test_no_cash_part_needs_no_wechat(till: Till) -> None:
    bill = await till.bill([item(5000, category="公共卫生")])
    assert bill["cash_fen"] == 0
    payment = ok(await till.ask_payment(bill), 201)
    assert (payment["status"], payment["jsapi"]) == ("succeeded", None)
    assert await till.balances(await till.until(bill, "paid")) == due(bill)


async def test_news_that_never_comes_is_asked_for(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=10)
    payment = await till.begin(bill)
    await till.thumb(payment)
    assert (await till.payment(payment))["status"] == "succeeded"
    assert (await till.look(bill))["status"] == "paid"


async def test_the_worker_asks_where_nobody_looks(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=10)
    await till.thumb(await till.begin(bill))
    await till.hurry()
    assert (await till.look(bill))["status"] == "paid"


async def test_a_cancelled_payment_gives_the_insurers_part_back(till: Till) -> None:
    bill = await till.bill()
    payment = await till.begin(bill)
    setl_id = (await till.look(bill))["setl_id"]
    assert (await till.cancel(payment))["status"] == "closed"
    assert (await till.look(bill))["status"] == "due"
    assert await till.balances(bill) == {}
    assert setl_id not in {one["setl_id"] for one in await till.settlements()}
    assert (await till.thumb(payment)).status_code == 409
    again = await till.begin(bill)
    assert again["payment_id"] != payment["payment_id"]
    assert (await till.cancel(payment))["status"] == "closed"
    await till.thumb(again)
    assert await till.balances(await till.until(bill, "paid")) == due(bill)


async def test_who_cancels_after_paying_has_paid(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=10)
    payment = await till.begin(bill)
    await till.thumb(payment)
    assert (await till.cancel(payment))["status"] == "succeeded"
    assert (await till.look(bill))["status"] == "paid"


async def test_a_payment_that_expires_is_closed_at_wechat_too(till: Till) -> None:
    bill = await till.bill()
    payment = await till.begin(bill)
    await till.service.move_time(16 * 60)
    await till.hurry()
    await till.until(bill, "due")
    assert (await till.order(number(await till.look(bill))))["state"] == "CLOSED"
    assert (await till.thumb(payment)).status_code == 409


async def test_money_that_comes_after_the_end_goes_back(till: Till) -> None:
    """WeChat says closed, and then tells of a payment all the same."""
    bill = await till.bill()
    payment = await till.begin(bill)
    await till.service.fault("wechat-pay", "lie", match={"path": "/close"}, times=1)
    await till.cancel(payment)
    order = till.service.world.pay_books.orders[number(await till.look(bill))]
    order.state = "NOTPAY"
    await till.thumb(payment)
    bill = await till.until(bill, "due", refunds=1)
    assert [(one["kind"], one["status"], one["cash_fen"]) for one in bill["refunds"]] == [
        ("late", "succeeded", bill["cash_fen"])
    ]
    assert await till.balances(bill) == {}
    found = await till.order(number(bill))
    assert found["refunded_fen"] == found["amount_fen"]
    assert (await till.payment(payment))["status"] == "closed"
    await till.thumb(await till.begin(bill))
    assert (await till.until(bill, "paid"))["refunds"][0]["kind"] == "late"


async def test_other_parts_than_previewed_are_shown_and_asked_again(till: Till) -> None:
    bill = await till.bill()
    changed = {"fund_pay_sumamt": "0.00", "acct_pay": "0.00", "hosp_part_amt": "0.00", "psn_cash_pay": "66.00"}
    await till.service.fault("insurer", "lie", match={"infno": "2207"}, set=changed, times=2)
    refused(await till.ask_payment(bill), 409, "bill-changed")
    now = await till.look(bill)
    assert (now["status"], now["cash_fen"], now["fund_fen"]) == ("due", 6600, 0)
    payment = await till.begin(bill)
    assert payment["amount_fen"] == 6600
    assert await till.balances(bill) == {"patient": 6600, "income": -6600}
    await till.cancel(payment)
    assert await till.balances(bill) == {}


async def test_a_settlement_that_does_not_add_up_is_reversed(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("insurer", "lie", match={"infno": "2207"}, set={"psn_cash_pay": "0.01"})
    before = len(await till.settlements())
    refused(await till.ask_payment(bill), 502, "insurer-parts-mismatch")
    assert (await till.look(bill))["status"] == "due"
    assert len(await till.settlements()) == before
    assert await till.entries(bill) == []


@pytest.mark.parametrize("fault", ["error", "http-500", "reset", "drop-answer", "hang"])
async def test_a_settlement_without_an_answer_is_undone_not_guessed(till: Till, fault: str) -> None:
    bill = await till.bill()
    before = len(await till.settlements())
    await till.service.fault("insurer", fault, match={"infno": "2207"})
    with till.service.impatient():
        answer = await till.ask_payment(bill)
    refused(answer, *((422, "insurer-refused") if fault == "error" else (503, "insurer-unavailable")))
    assert (await till.look(bill))["status"] == "due"
    assert len(await till.settlements()) == before
    await till.thumb(await till.begin(bill))
    assert await till.balances(await till.until(bill, "paid")) == due(bill)


async def test_while_nobody_knows_the_bill_says_so(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("insurer", "drop-answer", match={"infno": "2207"})
    await till.service.fault("insurer", "http-500", match={"infno": "2601"}, times=2)
    payment = ok(await till.ask_payment(bill), 201)
    assert (payment["status"], payment["jsapi"]) == ("checking", None)
    assert (await till.look(bill))["status"] == "checking"
    refused(await till.at_window(bill), 409, "bill-not-payable")
    for _ in range(3):
        await till.hurry()
    assert (await till.look(bill))["status"] == "due"
    assert (await till.payment(payment))["status"] == "closed"


async def test_what_no_try_ends_goes_on_a_persons_list(till: Till) -> None:
    auditor = await till.service.admin("auditor")
    bill = await till.bill()
    await till.service.fault("insurer", "drop-answer", match={"infno": "2207"})
    await till.service.fault("insurer", "http-500", match={"infno": "2601"}, times=9)
    await till.ask_payment(bill)
    for _ in range(8):
        await till.hurry()
    listed = ok(await till.http.get("/v1/admin/unresolved-payments", headers=auditor))["unresolved"]
    assert [(one["bill_id"], one["kind"], one["call"]) for one in listed] == [(bill["bill_id"], "pay", "2601")]
    for _ in range(2):
        await till.hurry()
    assert (await till.look(bill))["status"] == "due"
    assert ok(await till.http.get("/v1/admin/unresolved-payments", headers=auditor))["unresolved"] == []


@pytest.mark.parametrize("fault", ["error", "http-500", "reset", "drop-answer", "unsigned", "bad-signature"])
async def test_without_wechat_nothing_is_settled_either(till: Till, fault: str) -> None:
    bill = await till.bill()
    before = len(await till.settlements())
    await till.service.fault("wechat-pay", fault, match={"path": "/jsapi"}, times=2)
    refused(await till.ask_payment(bill), 503, "payment-unavailable")
    assert (await till.look(bill))["status"] == "due"
    assert len(await till.settlements()) == before
    assert await till.balances(bill) == {}


async def test_a_lost_answer_to_the_prepay_is_asked_again_under_its_number(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("wechat-pay", "drop-answer", match={"path": "/jsapi"})
    await till.thumb(await till.begin(bill))
    await till.until(bill, "paid")


@pytest.mark.parametrize("fault", ["error", "http-500", "reset", "drop-answer", "unsigned"])
@pytest.mark.parametrize("call", ["/close", "mchid"])
async def test_an_order_that_cannot_be_closed_yet_is_closed_later(till: Till, fault: str, call: str) -> None:
    bill = await till.bill()
    payment = await till.begin(bill)
    await till.service.fault("wechat-pay", fault, match={"path": "/close" if call == "/close" else "out-trade-no"})
    answer = await till.cancel(payment)
    assert answer["status"] in ("checking", "closed")
    for _ in range(3):
        await till.hurry()
    assert (await till.look(bill))["status"] == "due"
    assert await till.balances(bill) == {}


@pytest.mark.parametrize("fault", ["error", "http-500", "reset", "drop-answer"])
@pytest.mark.parametrize("infno", ["2208", "2601"])
async def test_a_reversal_without_an_answer_is_cleared_first(till: Till, fault: str, infno: str) -> None:
    bill = await till.bill()
    before = len(await till.settlements())
    payment = await till.begin(bill)
    await till.service.fault("insurer", fault, match={"infno": "2208"})
    if infno == "2601":
        await till.service.fault("insurer", fault, match={"infno": "2601"})
    await till.cancel(payment)
    for _ in range(4):
        await till.hurry()
    assert (await till.look(bill))["status"] == "due"
    assert len(await till.settlements()) == before
    assert await till.balances(bill) == {}


# At the window


async def test_the_window_takes_exactly_the_cash_part(till: Till) -> None:
    bill = await till.bill()
    for received in (0, -1, bill["cash_fen"] - 1, bill["cash_fen"] + 1, 10**18):
        refused(await till.at_window(bill, received), 422, "amount-invalid")
    payment = ok(await till.at_window(bill), 201)
    assert (payment["method"], payment["status"], payment["jsapi"]) == ("window", "succeeded", None)
    now = await till.look(bill)
    assert now["status"] == "paid"
    assert await till.balances(bill) == due(now, "window")
    refused(await till.at_window(bill), 409, "bill-not-payable")
    assert (await till.paid_nothing_at_wechat(bill)) is True


async def test_a_self_paid_bill_at_the_window_balances(till: Till) -> None:
    bill = await till.bill(self_paid=True)
    ok(await till.at_window(bill), 201)
    assert await till.balances(bill) == {"window": 6600, "income": -6600}


# Who is told, and who looked


async def test_people_are_told_and_see_who_did_it(till: Till) -> None:
    bill = await till.paid()
    await till.refund(bill, all=True)
    await till.until(bill, "refunded")
    told = ok(await till.http.get("/v1/patient/messages", headers=till.me))["messages"]
    assert [one["kind"] for one in told if one["ref"] == bill["bill_id"]] == ["refunded", "paid", "bill"]
    seen = ok(await till.http.get(f"/v1/patient/cards/{till.card['card_id']}/accesses", headers=till.me))["accesses"]
    assert [one["act"] for one in seen if one["act"]] == ["refunded", "billed"]
    changes = ok(await till.http.get("/v1/hospital/changes", headers=till.hospital))["changes"]
    assert [one["kind"] for one in changes if one["ref"] == bill["bill_id"]] == ["paid", "refunded"]
    listed = ok(await till.http.get(f"/v1/patient/cards/{till.card['card_id']}/bills", headers=till.me))["bills"]
    assert [one["bill_id"] for one in listed] == [bill["bill_id"]]
