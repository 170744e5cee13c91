"""A hospital that bills, and people who pay: the words of the payment tests."""

import asyncio
from collections import defaultdict
from typing import Any, Final

import httpx

from api.sandbox.people import Person
from tests.support.service import Headers, Service

ITEMS: Final = [
    {"code": "110200001", "name": "诊查费", "category": "诊查费", "quantity": "1", "price_fen": 2500},
    {"code": "250101015", "name": "血常规", "category": "化验费", "quantity": "2", "price_fen": 2050},
]
PARTS: Final = ("fund_fen", "account_fen", "hospital_fen", "cash_fen")
Answer = dict[str, Any]


def item(price_fen: int = 1000, quantity: str = "1", **more: Any) -> Answer:
    """A line of a bill."""
    return {
        "code": "C1",
        "name": "检查费",
        "category": "检查费",
        "quantity": quantity,
        "price_fen": price_fen,
        **more,
    }


class Till:
    """One hospital and one patient with an open resolution."""

    def __init__(self, service: Service, hospital: Headers, me: Headers, card: Answer, resolution: str) -> None:
        self.service = service
        self.hospital = hospital
        self.me = me
        self.card = card
        self.resolution = resolution
        self.http = service.http
        self._visits = 0

    # Bills

    async def ask_bill(
        self, items: list[Answer] | None = None, *, headers: Headers | None = None, **more: Any
    ) -> httpx.Response:
        """POST bills."""
        self._visits += 1
        body = {"items": items or ITEMS, "visit_number": f"V{self._visits}", **more}
        return await self.http.post(
            f"/v1/hospital/resolutions/{self.resolution}/bills", headers={**self.hospital, **(headers or {})}, json=body
        )

    async def bill(self, items: list[Answer] | None = None, **more: Any) -> Answer:
        """A new bill."""
        return ok(await self.ask_bill(items, **more), 201)

    async def look(self, bill: Answer) -> Answer:
        """The bill as it is now."""
        return ok(await self.http.get(f"/v1/hospital/bills/{bill['bill_id']}", headers=self.hospital))

    async def cancel_bill(self, bill: Answer) -> httpx.Response:
        """POST cancel."""
        return await self.http.post(f"/v1/hospital/bills/{bill['bill_id']}/cancel", headers=self.hospital, json={})

    async def until(self, bill: Answer, status: str, seconds: float = 10.0, refunds: int = 0) -> Answer:
        """The bill, once it is so, with at least so many refunds and none of them under way."""
        now: Answer = {}
        for _ in range(int(seconds * 20)):
            now = await self.look(bill)
            if (now["status"], len(now["refunds"]) >= refunds) == (status, True) and all(
                one["status"] in ("succeeded", "failed") for one in now["refunds"]
            ):
                return now
            await self.press()
            await asyncio.sleep(0.05)
        raise AssertionError(f"{status} never came: {now['status']} {now['payments']} {now['refunds']}")

    async def press(self) -> None:
        """Let what waits go on, as the leased worker does."""
        await self.service.services.money.turn(self.service.services)

    async def quiet(self) -> None:
        """Once nothing is under way any more, but payments that wait for their payer."""
        under_way = "SELECT count(*) FROM money_work WHERE done_at IS NULL AND step <> 'wait'"
        for _ in range(200):
            if not await self.service.value(under_way):
                return
            await self.hurry()
            await asyncio.sleep(0.05)
        raise AssertionError("something is under way for ever")

    async def hurry(self) -> None:
        """Whatever waits for a time is due now."""
        await self.service.sql("UPDATE money_work SET due_at = yima_now() WHERE done_at IS NULL")
        await self.press()

    # Payments

    async def ask_payment(self, bill: Answer, me: Headers | None = None, **headers: str) -> httpx.Response:
        """POST payments."""
        return await self.http.post(
            f"/v1/patient/bills/{bill['bill_id']}/payments", headers={**(me or self.me), **headers}, json={}
        )

    async def begin(self, bill: Answer) -> Answer:
        """A payment that waits for the payer."""
        return ok(await self.ask_payment(bill), 201)

    async def thumb(self, payment: Answer, result: str = "success") -> httpx.Response:
        """The payer's thumb."""
        prepay = payment["jsapi"]["package"].removeprefix("prepay_id=")
        return await self.service.sandbox.post("/sandbox/pay", json={"prepay_id": prepay, "result": result})

    async def payment(self, payment: Answer) -> Answer:
        """The payment as it is now."""
        return ok(await self.http.get(f"/v1/patient/payments/{payment['payment_id']}", headers=self.me))

    async def cancel(self, payment: Answer) -> Answer:
        """Cancel it."""
        return ok(
            await self.http.post(f"/v1/patient/payments/{payment['payment_id']}/cancel", headers=self.me, json={})
        )

    async def paid(self, items: list[Answer] | None = None, **more: Any) -> Answer:
        """A bill that was paid by WeChat."""
        bill = await self.bill(items, **more)
        await self.thumb(await self.begin(bill))
        return await self.until(bill, "paid")

    async def at_window(self, bill: Answer, received: int | None = None) -> httpx.Response:
        """POST payments at the window."""
        body = {"received_fen": bill["cash_fen"] if received is None else received}
        return await self.http.post(f"/v1/hospital/bills/{bill['bill_id']}/payments", headers=self.hospital, json=body)

    # Refunds

    async def ask_refund(self, bill: Answer, headers: Headers | None = None, **what: Any) -> httpx.Response:
        """POST refunds."""
        return await self.http.post(
            f"/v1/hospital/bills/{bill['bill_id']}/refunds",
            headers={**self.hospital, **(headers or {})},
            json={"reason": "未做", **what},
        )

    async def refund(self, bill: Answer, **what: Any) -> Answer:
        """A refund that was taken."""
        return ok(await self.ask_refund(bill, **what), 201)

    # Books

    async def entries(self, bill: Answer) -> list[Answer]:
        """The ledger of a bill."""
        found = ok(await self.http.get(f"/v1/hospital/bills/{bill['bill_id']}/ledger", headers=self.hospital))
        return list(found["entries"])

    async def balances(self, bill: Answer) -> dict[str, int]:
        """Debit less credit, of accounts where that is not 0."""
        sums: dict[str, int] = defaultdict(int)
        for entry in await self.entries(bill):
            assert entry["amount_fen"] > 0
            sums[entry["debit"]] += entry["amount_fen"]
            sums[entry["credit"]] -= entry["amount_fen"]
        return {account: fen for account, fen in sums.items() if fen}

    async def books(self) -> Answer:
        """Those of the sandbox."""
        return ok(await self.service.sandbox.get("/sandbox/books"))

    async def order(self, number: str) -> Answer:
        """An order, of WeChat's books."""
        listed = (await self.books())["wechat"]
        return next(one for one in listed if one["out_trade_no"] == number)

    async def paid_nothing_at_wechat(self, bill: Answer) -> bool:
        """Whether WeChat has no order of the bill that was paid."""
        numbers = {one["payment_id"].replace("-", "") for one in (await self.look(bill))["payments"]}
        return not any(o["out_trade_no"] in numbers and o["state"] != "CLOSED" for o in (await self.books())["wechat"])

    async def settlements(self) -> list[Answer]:
        """What stands at the insurer."""
        return [one for one in (await self.books())["insurer"] if not one["reversed"]]


async def open_till(service: Service, person: Person | None = None, *, insured: bool = True) -> Till:
    """A new hospital that has scanned a person's code."""
    hospital = await service.hospital()
    me, card = await service.holder(person, **({} if insured else {"insurance": None}))
    found = await service.resolved(hospital, await service.code(me, card))
    return Till(service, hospital, me, card, found["resolution_id"])


def due(bill: Answer, by: str = "wechat") -> dict[str, int]:
    """The balances of a bill that is paid."""
    sums = {"fund": bill["fund_fen"], "account": bill["account_fen"], "hospital": bill["hospital_fen"]}
    sums |= {by: bill["cash_fen"], "income": -bill["total_fen"]}
    return {account: fen for account, fen in sums.items() if fen}


def ok(response: httpx.Response, status: int = 200) -> Answer:
    """The answer of a call that did as asked."""
    assert response.status_code == status, f"{response.request.method} {response.request.url.path}: {response.text}"
    body: Answer = response.json()
    return body
