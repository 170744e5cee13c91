"""Notifications of WeChat Pay: raw bytes, signature, time, merchant, order and amount; repeated without harm (issue 7)."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from api.sandbox.pay_keys import PayKeys
from api.sandbox.pay_notify import signature_headers
from tests.payment.test_paying import number
from tests.support.pay import pay_folder
from tests.support.payment import Till, due, open_till
from tests.support.service import Service, refused

PATH = "/v1/notify/wechat-pay"


@pytest.fixture
async def till(service: Service) -> Till:
    return await open_till(service)


async def waiting(till: Till) -> tuple[dict[str, Any], dict[str, Any]]:
    """A bill and its payment that the payer has made, while the news is lost."""
    bill = await till.bill()
    payment = await till.begin(bill)
    await till.service.fault("wechat-pay", "skip", match={"path": "notify"}, times=100)
    await till.thumb(payment)
    await till.service.sandbox.delete("/sandbox/faults")
    return bill, payment


@pytest.mark.parametrize("fault", ["stale", "forge", "signtest", "wrong-amount"])
async def test_news_that_is_not_good_changes_nothing_and_the_good_one_does(till: Till, fault: str) -> None:
    bill, _ = await waiting(till)
    await till.service.fault("wechat-pay", fault, match={"path": "notify"}, times=3)
    again = {"out_trade_no": number(await till.look(bill))}
    await till.service.sandbox.post("/sandbox/notify", json=again)
    await till.until(bill, "paid")
    assert await till.balances(bill) == due(await till.look(bill))


@pytest.mark.parametrize("fault", ["duplicate", "delay", "reorder"])
async def test_news_that_comes_oddly_counts_once(till: Till, fault: str) -> None:
    bill = await till.bill()
    await till.service.fault("wechat-pay", fault, match={"path": "notify"}, times=2, delay_ms=50)
    await till.thumb(await till.begin(bill))
    await till.until(bill, "paid")
    await asyncio.sleep(0.2)
    assert await till.balances(bill) == due(await till.look(bill))


async def send(service: Service, body: bytes, **headers: str) -> httpx.Response:
    return await service.http.post(PATH, content=body, headers={"Content-Type": "application/json", **headers})


def signed(service: Service, body: bytes, at: float | None = None) -> dict[str, str]:
    """The headers of somebody who holds WeChat's key."""
    world = service.world
    return signature_headers(
        PayKeys.of(pay_folder()), world.secrets.wechat_pay_public_key_id, body, service.now() if at is None else at
    )


async def test_what_carries_no_good_signature_is_refused(service: Service) -> None:
    body = b'{"id": "1"}'
    good = signed(service, body)
    refused(await send(service, body), 401, "notification-not-authentic")
    refused(await send(service, body + b" ", **good), 401, "notification-not-authentic")
    refused(await send(service, b"\xff\xfe", **signed(service, body)), 401, "notification-not-authentic")
    refused(await send(service, b"", **good), 401, "notification-not-authentic")
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        refused(await send(service, body, **rest), 401, "notification-not-authentic")
    refused(await send(service, body, **{**good, "Wechatpay-Serial": "5F3A"}), 401, "notification-not-authentic")


@pytest.mark.parametrize("seconds", [-301, 301, -3 * 86_400])
async def test_what_was_signed_at_another_time_is_refused(service: Service, seconds: float) -> None:
    body = b'{"id": "1"}'
    headers = signed(service, body, service.now() + seconds)
    refused(await send(service, body, **headers), 401, "notification-not-authentic")


async def test_an_order_nobody_knows_and_another_amount_are_refused(till: Till) -> None:
    bill, _ = await waiting(till)
    order = number(await till.look(bill))
    world = till.service.world.pay_books.orders
    world["0" * 32] = msgspec.structs.replace(world[order], out_trade_no="0" * 32)
    before = await till.service.value("SELECT count(*) FROM ledger_entries")
    await till.service.sandbox.post("/sandbox/notify", json={"out_trade_no": "0" * 32})
    await asyncio.sleep(0.3)
    assert await till.service.value("SELECT count(*) FROM ledger_entries") == before
    del world["0" * 32]


async def test_news_before_the_answer_to_the_prepay_pays(till: Till) -> None:
    """The phone was quicker than the answer on its way to us."""
    bill = await till.bill()
    await till.service.fault("wechat-pay", "drop-answer", match={"path": "/jsapi"}, times=1)
    asked = asyncio.create_task(till.ask_payment(bill))
    prepay_id = await _prepaid(till, bill)
    await till.service.sandbox.post("/sandbox/pay", json={"prepay_id": prepay_id, "result": "success"})
    assert (await asked).status_code == 201
    assert await till.balances(await till.until(bill, "paid")) == due(await till.look(bill))


async def _prepaid(till: Till, bill: dict[str, Any]) -> str:
    """The prepay_id of the bill's order, as soon as WeChat has it."""
    for _ in range(1000):
        found = await till.service.sql("SELECT out_trade_no FROM payments WHERE bill_id = $1", bill["bill_id"])
        numbers = {record["out_trade_no"] for record in found}
        for prepay_id, out_trade_no in till.service.world.pay_books.prepaid.items():
            if out_trade_no in numbers:
                return str(prepay_id)
        await asyncio.sleep(0.005)
    raise AssertionError("WeChat never had the order")


async def test_twenty_at_once_make_one_entry_set(till: Till) -> None:
    bill, _ = await waiting(till)
    again = {"out_trade_no": number(await till.look(bill))}
    await asyncio.gather(*(till.service.sandbox.post("/sandbox/notify", json=again) for _ in range(20)))
    await till.until(bill, "paid")
    assert await till.balances(bill) == due(await till.look(bill))
    told = (await till.http.get("/v1/patient/messages", headers=till.me)).json()["messages"]
    assert [one["kind"] for one in told if one["ref"] == bill["bill_id"]] == ["paid", "bill"]
