"""Money whose steps were broken off, queued, or repeated: it ends whole, and nobody pays for it twice (issue 7)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.payment import paying, windows
from api.upstream.outcomes import Unsent
from api.upstream.settlement import Settlement
from tests.payment.test_refunding import check, items_of
from tests.support.payment import Till, due, item, ok, open_till
from tests.support.service import Service, refused

OTHER = {"fund_pay_sumamt": "0.00", "acct_pay": "0.00", "hosp_part_amt": "0.00", "psn_cash_pay": "66.00"}


@pytest.fixture
async def till(service: Service) -> Till:
    return await open_till(service)


class Crash(Exception):
    """The worker dies here."""


def crash_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """The first call of a function is where its worker dies."""
    real, died = getattr(owner, name), list[bool]()

    async def broken(*given: Any, **more: Any) -> Any:
        if not died:
            died.append(True)
            raise Crash
        return await real(*given, **more)

    monkeypatch.setattr(owner, name, broken)


async def wait_for(true: Callable[[], Awaitable[bool]]) -> None:
    """Until it is so, or long enough."""
    for _ in range(100):
        if await true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never was so")


@pytest.mark.parametrize("lie", [OTHER, {"psn_cash_pay": "0.01"}], ids=["other parts", "wrong sum"])
@pytest.mark.parametrize("by", ["wechat", "window"])
async def test_a_settlement_that_is_not_the_previews_is_never_paid_on(
    till: Till, monkeypatch: pytest.MonkeyPatch, lie: dict[str, str], by: str
) -> None:
    """Also where the worker died between hearing of it and giving it up."""
    bill = await till.bill()
    await till.service.fault("insurer", "lie", match={"infno": "2207"}, set=lie)
    crash_once(monkeypatch, paying, "_give_up")
    answer = await (till.ask_payment(bill) if by == "wechat" else till.at_window(bill))
    assert answer.status_code == 500
    await till.quiet()
    now = await till.until(bill, "due")
    assert [one["status"] for one in now["payments"]] == ["closed"]
    assert await till.balances(bill) == {}
    if by == "wechat":
        await till.ask_payment(bill)  # the insurer is itself again, which changes the parts once more
        await till.thumb(ok(await till.ask_payment(bill), 200 if lie != OTHER else 201))
        paid = await till.until(bill, "paid")
        assert await till.balances(bill) == due(paid)


@pytest.mark.parametrize("line", ["says no", "is down"])
async def test_a_refund_whose_reversal_is_in_doubt_is_not_called_failed(
    till: Till, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    bill = await till.paid()
    await till.service.fault("insurer", "drop-answer", match={"infno": "2208"})
    if line == "says no":
        await till.service.fault("insurer", "error", match={"infno": "2601"})
    else:
        real, tried = Settlement.undo_message, list[bool]()

        async def down(self: Settlement, *given: Any, **more: Any) -> None:
            tried.append(True)
            if len(tried) == 1:
                raise Unsent("unreachable")
            await real(self, *given, **more)

        monkeypatch.setattr(Settlement, "undo_message", down)
    answer = ok(await till.ask_refund(bill, all=True), 201)
    assert answer["status"] in ("checking", "pending")
    await till.quiet()
    await check(till, await till.until(bill, "refunded"))


async def test_all_behind_a_refund_that_fails_gives_back_what_it_reserved(till: Till) -> None:
    bill = await till.paid()
    await till.service.fault("insurer", "delay", match={"infno": "2201"}, delay_ms=500)
    await till.service.fault("insurer", "error", match={"infno": "2203"})
    first = asyncio.create_task(till.ask_refund(bill, items=items_of(bill, "", "1")))
    await wait_for(lambda: _has_refund(till, bill))
    second = await till.ask_refund(bill, all=True)
    refused(await first, 422, "insurer-refused")
    assert second.status_code == 201
    await till.quiet()
    now = await till.until(bill, "partly-refunded")
    assert [one["total_fen"] for one in now["refunds"] if one["status"] == "succeeded"] == [4550]
    await check(till, now)


async def _has_refund(till: Till, bill: dict[str, Any]) -> bool:
    return bool((await till.look(bill))["refunds"])


async def test_a_key_that_failed_once_still_begins_one_refund(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    bill, key = await till.paid(), {"Idempotency-Key": "r-1"}
    await till.service.fault("insurer", "error", match={"infno": "2201"})
    refused(await till.ask_refund(bill, key, items=items_of(bill, "", "1")), 422, "insurer-refused")
    crash_once(monkeypatch, windows, "_answer_refund")
    assert (await till.ask_refund(bill, key, items=items_of(bill, "", "1"))).status_code == 500
    ok(await till.ask_refund(bill, key, items=items_of(bill, "", "1")), 201)
    now = await till.until(bill, "partly-refunded")
    assert [one["status"] for one in now["refunds"]] == ["failed", "succeeded"]


async def test_a_key_is_of_one_body_and_of_one_day(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    bill, key = await till.paid(self_paid=True), {"Idempotency-Key": "r-2"}
    crash_once(monkeypatch, windows, "_answer_refund")
    assert (await till.ask_refund(bill, key, amount_fen=100)).status_code == 500
    assert (await till.ask_refund(bill, key, amount_fen=300)).status_code == 201
    assert [one["total_fen"] for one in (await till.look(bill))["refunds"]] == [100, 300]


async def test_what_waits_behind_another_holds_up_no_other_bill(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    lots, other = await till.bill([item(1, "100"), item(10000)]), await till.bill()
    ok(await till.at_window(lots), 201)

    async def nobody(*_: Any) -> None:
        """Whoever asks goes away at once."""

    monkeypatch.setattr(windows, "press", nobody)
    one = [{"item_id": lots["items"][0]["item_id"], "quantity": "1"}]
    await asyncio.gather(*(till.ask_refund(lots, items=one) for _ in range(66)))
    far = (
        "UPDATE money_work SET due_at = yima_now() + interval '1 hour' WHERE kind = 'refund' AND bill_id = $1 AND seq ="
    )
    await till.service.sql(f"{far} (SELECT min(seq) FROM money_work WHERE bill_id = $1)", lots["bill_id"])
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=10)
    await till.thumb(await till.begin(other))
    await till.service.sql("UPDATE money_work SET due_at = yima_now() WHERE bill_id = $1", other["bill_id"])
    await till.until(other, "paid")


async def test_an_account_that_cannot_pay_any_more_keeps_no_settlement(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any) -> str:
        raise AssertionError("the account left")

    bill = await till.bill()
    monkeypatch.setattr(paying, "openid_of", gone)
    refused(await till.ask_payment(bill), 503, "payment-unavailable")
    assert (await till.look(bill))["status"] == "due"
    assert await till.balances(bill) == {}


async def test_a_hospitals_name_cannot_bend_the_statement(till: Till) -> None:
    await till.service.sql(
        "UPDATE hospitals SET name = '甲,`乙院' WHERE id = (SELECT hospital_id FROM bills WHERE id = $1)",
        (await till.bill())["bill_id"],
    )
    await till.paid()
    said = [order.description for order in till.service.world.pay_books.orders.values()]
    assert said[-1] == "甲乙院 门诊费用"


async def test_a_frozen_card_opens_no_pay_sheet(till: Till) -> None:
    payment = await till.begin(await till.bill())
    await till.http.post(f"/v1/patient/cards/{till.card['card_id']}/freeze", headers=till.me, json={})
    assert (await till.payment(payment))["jsapi"] is None


async def test_an_order_given_back_at_wechats_console_was_paid(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=10)
    payment = await till.begin(bill)
    await till.thumb(payment)
    await till.service.fault("wechat-pay", "lie", match={"path": "out-trade-no"}, set={"trade_state": "REFUND"})
    await till.cancel(payment)
    assert (await till.look(bill))["status"] == "paid"


async def test_a_refund_that_wechat_closed_is_asked_for_under_another_number(till: Till) -> None:
    bill = await till.paid(self_paid=True)
    numbers = "SELECT out_refund_no FROM refunds WHERE bill_id = $1"
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=10)
    await till.service.fault("wechat-pay", "lie", match={"path": "refunds/"}, set={"status": "CLOSED"})
    await till.refund(bill, amount_fen=100)
    first = await till.service.value(numbers, bill["bill_id"])

    async def renumbered() -> bool:
        await till.hurry()
        return bool(await till.service.value(numbers, bill["bill_id"]) != first)

    await wait_for(renumbered)
    await till.service.move_time(70)
    assert [one["status"] for one in (await till.until(bill, "partly-refunded"))["refunds"]] == ["succeeded"]


async def test_looking_at_a_bill_after_its_visit_is_seen(service: Service, till: Till) -> None:
    bill = await till.bill()
    path = f"/v1/patient/cards/{till.card['card_id']}/accesses"
    for _ in range(3):
        await till.look(bill)
    assert [one["act"] for one in ok(await till.http.get(path, headers=till.me))["accesses"]] == ["billed", None]
    await service.sql("UPDATE resolutions SET expires_at = yima_now() WHERE id = $1", till.resolution)
    for _ in range(3):
        await till.look(bill)
    acts = [one["act"] for one in ok(await till.http.get(path, headers=till.me))["accesses"]]
    assert acts == ["looked", "billed", None]


async def test_what_was_not_taken_is_not_in_who_looked(till: Till) -> None:
    bill = await till.bill()
    await till.service.fault("insurer", "error", match={"infno": "2207"})
    refused(await till.at_window(bill), 422, "insurer-refused")
    path = f"/v1/patient/cards/{till.card['card_id']}/accesses"
    assert [one["act"] for one in ok(await till.http.get(path, headers=till.me))["accesses"]] == ["billed", None]
    ok(await till.at_window(bill), 201)
    acts = [one["act"] for one in ok(await till.http.get(path, headers=till.me))["accesses"]]
    assert acts == ["paid", "billed", None]
