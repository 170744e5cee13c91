"""One payment told twenty times at once to four workers, and then its refund to the demo's: one set of entries each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
from sanic import Request, Sanic
from sanic.response import HTTPResponse, empty

from tests.fault.forking import forking
from tests.fault.money_load import Desk, desks_of
from tests.fault.workers import settings_on
from tests.payment import plain
from tests.process.demo import Demo
from tests.support.payment import item, ok
from tests.support.servers import listening_socket, serving

TIMES: Final = 20
WORKERS: Final = 4


class Caught:
    """What WeChat tells: taken here, so that a test may bring it to whom and as often as it wants."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def take(self, request: Request) -> HTTPResponse:
        """The notify_url."""
        headers = {name: value for name, value in request.headers.items() if name.startswith("wechatpay-")}
        await self.news.put(({**headers, "content-type": "application/json"}, request.body))
        return empty()

    async def tell(self, addresses: list[str]) -> list[int]:
        """Bring the next piece of news to all of these at once, from as many callers; the statuses."""
        headers, body = await asyncio.wait_for(self.news.get(), 20)

        async def one(address: str) -> int:
            async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
                return (await http.post(f"{address}/v1/notify/wechat-pay", headers=headers, content=body)).status_code

        return list(await asyncio.gather(*(one(address) for address in addresses)))


@asynccontextmanager
async def caught_by(name: str) -> AsyncIterator[tuple[Caught, str]]:
    """Somebody who takes news, and where."""
    caught, app = Caught(), Sanic(name, configure_logging=False)
    app.add_route(caught.take, "/v1/notify/wechat-pay", methods=["POST"])
    async with serving(app, listening_socket()) as url:
        yield caught, url


async def test_twenty_notifications_to_four_workers_are_one_payment_and_one_refund(demo: Demo) -> None:
    async with caught_by("notified") as (caught, url), AsyncExitStack() as stack:
        made = await stack.enter_async_context(forking(settings_on(demo, YIMA_PUBLIC_URL=url)))
        addresses = [await made.worker() for _ in range(WORKERS)] * (TIMES // WORKERS)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=addresses[0], timeout=20, trust_env=False))
        (desk, *_) = desks_of(demo, 1)
        bill, payment = await begin(http, desk)
        prepay = {"prepay_id": payment["jsapi"]["package"].removeprefix("prepay_id=")}
        assert (await http.post(f"{demo.info['sandbox_url']}/sandbox/pay", json=prepay)).is_success
        assert await caught.tell(addresses) == [204] * TIMES
        assert (await look(http, desk, bill))["status"] == "paid"
        assert len(await entries(http, desk, bill, "paid")) == 1

        path = f"/v1/hospital/bills/{bill['bill_id']}/refunds"
        refund = ok(await http.post(path, headers=desk.hospital, json={"all": True, "reason": "未做"}), 201)
        await told_again(http, demo, refund["refund_id"].replace("-", ""))
        for _ in range(400):
            if not await faults(http, demo, bill):
                break
            await asyncio.sleep(0.1)
        assert (await look(http, desk, bill))["status"] == "refunded"
        assert len(await entries(http, desk, bill, "refunded")) == 1
        assert not await faults(http, demo, bill)


async def faults(http: httpx.AsyncClient, demo: Demo, bill: dict[str, Any]) -> list[str]:
    """Of the bill, or what is not done yet."""
    books = (await http.get(f"{demo.info['sandbox_url']}/sandbox/books")).json()
    return [one for one in await plain.faults_at(demo.database_url, books) if bill["bill_id"] in one]


async def begin(http: httpx.AsyncClient, desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """A bill whose payment waits for the payer."""
    body = {"items": [item(2500)], "visit_number": "notified"}
    bill = ok(await http.post(desk.path, headers=desk.hospital, json=body), 201)
    path = f"/v1/patient/bills/{bill['bill_id']}/payments"
    return bill, ok(await http.post(path, headers=desk.me, json={}), 201)


async def told_again(http: httpx.AsyncClient, demo: Demo, number: str) -> None:
    """The demo's workers are told of a refund so many times, as soon as there is anything to tell, and take it all."""
    for _ in range(400):
        told = await asyncio.gather(
            *(
                http.post(f"{demo.info['sandbox_url']}/sandbox/notify", json={"out_refund_no": number})
                for _ in range(TIMES)
            )
        )
        if all(one.is_success for one in told):
            break  # before there is anything to tell: 409
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)  # they are on their way


async def look(http: httpx.AsyncClient, desk: Desk, bill: dict[str, Any]) -> dict[str, Any]:
    """The bill as it is now."""
    return ok(await http.get(f"/v1/hospital/bills/{bill['bill_id']}", headers=desk.hospital))


async def entries(http: httpx.AsyncClient, desk: Desk, bill: dict[str, Any], act: str) -> list[dict[str, Any]]:
    """The ledger's entries of the cash that came, or went back."""
    way = ("wechat", "patient") if act == "paid" else ("patient", "wechat")
    found = ok(await http.get(f"/v1/hospital/bills/{bill['bill_id']}/ledger", headers=desk.hospital))["entries"]
    return [one for one in found if (one["debit"], one["credit"]) == way]
