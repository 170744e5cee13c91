"""Hospitals that bill, people who pay and windows that give back, as a load that survives faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from tests.fault.forking import Forking, lives
from tests.fault.keyed_load import Keyed, KeyedLoad, later
from tests.payment import plain
from tests.process.demo import Demo, Headers
from tests.support.payment import item

EVERYTHING: Final = ("POST bills 201", "POST payments 201", "POST refunds 201", "POST cancel 200", "by WeChat")
POINTS: Final = ("money.send", "money.told", "money.keep", "money.kept")
_ITEMS: Final = [item(2500), item(2050, "2")]
_SECONDS: Final = 5.0  # that a paid bill is waited for
# As if the time had passed after which others take on what a dead worker held; not what a live one has just begun.
_TAKEN_ON: Final = """
UPDATE idempotent_answers SET until = yima_now() WHERE status IS NULL AND until < yima_now() + interval '18 s';
UPDATE money_work SET held_until = yima_now() WHERE done_at IS NULL AND held_until < yima_now() + interval '19 s';
UPDATE money_work SET due_at = yima_now() WHERE done_at IS NULL;
UPDATE leases SET until = yima_now() WHERE name = 'payment' AND until < yima_now() + interval '3 s';
"""
_EXPIRED: Final = "UPDATE payments SET expires_at = yima_now() WHERE status IN ('pending', 'checking')"


class Desk:
    """A window with an open resolution of a person, and the person's phone."""

    def __init__(self, hospital: Headers, me: Headers, resolution_id: str) -> None:
        self.hospital = hospital
        self.me = me
        self.resolution_id = resolution_id
        self.path = f"/v1/hospital/resolutions/{resolution_id}/bills"


class MoneyLoad(KeyedLoad):
    """Each line bills, pays one way or another, and gives back. Half of the calls go to a worker that will die."""

    def __init__(self, http: httpx.AsyncClient, demo: Demo, desks: list[Desk]) -> None:
        super().__init__(http)
        self.demo = demo
        self.desks = desks
        self.dying: list[str] = []

    async def call(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response | None:
        """One call, at any worker."""
        at = self._random.choice(self.dying) if self.dying and self._random.random() < 0.6 else ""
        return await super().call(method, f"{at}{path}", headers, body)

    async def line(self, desk: Desk) -> None:
        """Bill after bill."""
        while not self._stopping:
            await asyncio.sleep(0.4 * self._random.random())  # the dying ones must come to be
            self_paid = self._random.random() < 0.2
            body = {"items": _ITEMS, "visit_number": f"V{next(self._keys)}", "self_paid": self_paid}
            bill = await self.once(desk.path, desk.hospital, body)
            if bill is None:
                continue
            chance = self._random.random()
            path = f"/v1/hospital/bills/{bill['bill_id']}"
            if chance < 0.1:
                await self.once(f"{path}/cancel", desk.hospital, {})
            elif chance < 0.3:
                await self.once(f"{path}/payments", desk.hospital, {"received_fen": bill["cash_fen"]})
            else:
                await self._by_wechat(desk, bill)
            if self._random.random() < 0.7:
                last = bill["items"][-1]["item_id"]
                items = {"items": [{"item_id": last, "quantity": "1"}]}
                what = items if self._random.random() < 0.7 else {"all": True}
                await self.once(f"{path}/refunds", desk.hospital, {**what, "reason": "未做"})

    async def _by_wechat(self, desk: Desk, bill: dict[str, Any]) -> None:
        path = f"/v1/patient/bills/{bill['bill_id']}/payments"
        headers = {**desk.me, "Idempotency-Key": f"{self._run}-{next(self._keys)}"}
        answer = await self.settle("POST", path, headers, {})
        if not answer.is_success:
            return
        if answer.status_code == 201:  # 200: one that was there
            self.done.append(Keyed(path, headers, {}, answer.json()))
        payment = answer.json()
        if self._random.random() < 0.2 or not payment["jsapi"]:
            await self.once(f"/v1/patient/payments/{payment['payment_id']}/cancel", desk.me, {})
            return
        prepay = {"prepay_id": payment["jsapi"]["package"].removeprefix("prepay_id=")}
        pressed = await self.http.post(f"{self.demo.info['sandbox_url']}/sandbox/pay", json=prepay)
        assert pressed.status_code in (200, 204, 409), pressed.text
        for _ in range(int(_SECONDS / 0.1)):
            now = await self.settle("GET", f"/v1/patient/bills/{bill['bill_id']}", desk.me)
            if now.json()["status"] not in ("settling", "checking"):
                break
            await asyncio.sleep(0.1)
        self.said["by WeChat"] += 1

    @asynccontextmanager
    async def running(self, lines: int = 1) -> AsyncIterator["MoneyLoad"]:
        """The load, for as long as the block; then every unknown outcome is settled, and nothing is under way."""
        async with self.under_way(self.demo, [self.line(desk) for desk in self.desks for _ in range(lines)]):
            helping = asyncio.create_task(self._take_on())
            yield self
        await self.until_quiet()
        helping.cancel()
        with suppress(asyncio.CancelledError):
            await helping

    async def _take_on(self) -> None:
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                await self._execute(_TAKEN_ON)
            await asyncio.sleep(0.5)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.demo.database_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def until_quiet(self, seconds: float = 90) -> None:
        """Wait until nothing is under way any more."""
        await later(self.demo.database_url)
        for _ in range(int(seconds)):
            await self._execute(_EXPIRED)
            await asyncio.sleep(1)
            if not await self.rows("SELECT id FROM money_work WHERE done_at IS NULL"):
                return

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """Rows of the demo's database."""
        connection = await asyncpg.connect(self.demo.database_url)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def killed_at(self, makes: Forking, point: str, passes: int, seconds: float = 30) -> bool:
        """Whether a worker that takes part died at its so-manieth pass of a point."""
        address, pid = await makes.dying(point, passes)
        self.dying.append(address)
        for _ in range(int(seconds / 0.02)):
            await asyncio.sleep(0.02)
            if not lives(pid):
                break
        self.dying.remove(address)
        return not lives(pid)

    # Afterwards

    async def faults(self) -> list[str]:
        """Of plain.py."""
        books = (await self.http.get(f"{self.demo.info['sandbox_url']}/sandbox/books")).json()
        return await plain.faults_at(self.demo.database_url, books)

    async def twice(self) -> list[str]:
        """Bills and refunds that no key was answered with."""
        told = {UUID(one.answer[name]) for one in self.done for name in ("bill_id", "refund_id") if name in one.answer}
        under = [desk.resolution_id for desk in self.desks]
        bills = await self.rows(
            "SELECT id FROM bills WHERE resolution_id = ANY($1::uuid[]) AND status NOT IN ('making', 'failed')", under
        )
        refunds = await self.rows(
            "SELECT r.id FROM refunds r JOIN bills b ON b.id = r.bill_id WHERE b.resolution_id = ANY($1::uuid[])"
            " AND r.status <> 'failed' AND r.kind <> 'late'",
            under,
        )
        return [f"of no answer: {one['id']}" for one in (*bills, *refunds) if one["id"] not in told]


def desks_of(demo: Demo, people: int) -> list[Desk]:
    """A window of each of the demo's hospitals for so many of its people."""
    made = []
    for n in range(people):
        me = demo.patient(n)
        card = demo.card(me, n)
        for which in ("hospital", "second_hospital"):
            hospital = demo.hospital(which)
            found = demo.scan(hospital, demo.code(me, card)).json()
            made.append(Desk(hospital, me, found["resolution_id"]))
    return made


@asynccontextmanager
async def money_load_on(demo: Demo, people: int) -> AsyncIterator[MoneyLoad]:
    """A load of both hospitals of the demo on so many of its people."""
    desks = desks_of(demo, people)
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=60)
    async with httpx.AsyncClient(base_url=demo.info["base_url"], timeout=20, limits=limits, trust_env=False) as http:
        yield MoneyLoad(http, demo, desks)
