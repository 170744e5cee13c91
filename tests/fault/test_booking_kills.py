"""Booking under kill -9: of workers and PostgreSQL under load, and of a worker at each point between asking and telling.

Whatever was killed, places, appointments, messages, changes and records agree (booking_checker.py); who is told of a stop
is told once; a call repeated under its Idempotency-Key gives the first answer. Each test prints its figures.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.fault import booking_checker
from tests.fault.booking_load import BookingLoad, booking_load_on, session_body, strangers, texts_sent
from tests.fault.keyed_load import later
from tests.fault.test_kills import kill_postgres, kill_workers
from tests.fault.workers import worker_on
from tests.process import processes
from tests.process.demo import Demo, Headers, patience
from tests.support import crowd
from tests.support.booking import SHANGHAI

PEOPLE = 10
BACK_SECONDS = 10.0


async def assert_all_agrees(demo: Demo, load: BookingLoad) -> None:
    """The rows, the texts that came, and every call that is repeated."""
    await later(demo.database_url)
    sent = await texts_sent(demo.database_url)
    assert not await booking_checker.faults_at(demo.database_url)
    repeated = await load.repeated()
    assert not repeated
    phones = {member.person.phone for member in load.people}
    came = [one for one in demo.sandbox.get("/sandbox/outbox").json()["messages"] if one["phone"] in phones]
    stopped = await _stopped(demo, load)
    print(
        f"{len(load.done)} calls repeated; {stopped} appointments stopped, {len(came)} texts came, {sent} sent in all;"
        f" {dict(load.ledger.statuses)}; {dict(sorted(load.said.items()))}"
    )
    assert len(came) == stopped
    assert load.ledger.statuses.keys() <= _EXPECTED, load.ledger.statuses


# 503 and a connection that goes are what a kill looks like; 4xx are refusals.
_EXPECTED = {
    *("200", "201", "204", "403", "404", "409", "410", "422", "503"),
    *("RemoteProtocolError", "ReadError", "WriteError"),
}


async def _stopped(demo: Demo, load: BookingLoad) -> int:
    connection = await asyncpg.connect(demo.database_url)
    try:
        found = await connection.fetchval(
            "SELECT count(*) FROM appointments WHERE person_id = ANY($1) AND cancelled_by = 'hospital'"
            " AND reason IS NOT NULL",
            [member.person_id for member in load.people],
        )
        return int(found)
    finally:
        await connection.close()


async def test_booking_while_workers_are_killed(demo: Demo, long: bool) -> None:
    async with booking_load_on(demo, PEOPLE) as load:
        async with load.running(demo):
            killed = await kill_workers(demo, 50 if long else 3)
            await load.until_all_happened()
        await asyncio.to_thread(processes.wait_for, "all workers", lambda: len(demo.workers()) == 3, 20)
        print(f"\n{killed} kills of workers")
        await assert_all_agrees(demo, load)
    assert killed >= (50 if long else 3)


async def test_booking_while_postgres_is_killed(demo: Demo, long: bool) -> None:
    async with booking_load_on(demo, PEOPLE) as load:
        async with load.running(demo):
            await asyncio.sleep(1)
            back = [await kill_postgres(demo, load.ledger) for _ in range(10 if long else 1)]
            await load.until_all_happened()
        print(f"\n{len(back)} kills of PostgreSQL; back after {', '.join(f'{one:.1f}' for one in back)} s")
        await assert_all_agrees(demo, load)
    assert max(back) < BACK_SECONDS * patience()


# A worker that dies at a point


class Stage:
    """A session of one hospital, people with cards, and where to ask."""

    def __init__(self, demo: Demo, people: list[crowd.Member]) -> None:
        self.demo, self.people, self.hospital = demo, people, demo.hospital()
        begin = (datetime.now(SHANGHAI) + timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)
        self.key = f"points-{uuid4().hex[:8]}"
        path = f"/v1/hospital/schedules/{self.key}"
        made = demo.http.put(path, headers=self.hospital, json=session_body(begin, [2]))
        self.schedule: dict[str, Any] = made.json()
        self.slot_id = self.schedule["slots"][0]["slot_id"]

    async def ask(self, address: str, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response:
        """One call at an address."""
        more: dict[str, Any] = {} if body is None else {"json": body}
        async with httpx.AsyncClient(base_url=address, timeout=20, trust_env=False) as http:
            return await http.request(method, path, headers=headers, **more)

    async def alive(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response:
        """One call at a worker that lives."""
        return await self.ask(self.demo.info["base_url"], method, path, headers, body)

    async def into_the_dark(self, point: str, method: str, path: str, headers: Headers, body: Any = None) -> None:
        """A call at a worker that dies at the point."""
        async with worker_on(self.demo, YIMA_INTERNAL_FAIL_POINT=point) as broken:
            with pytest.raises(httpx.TransportError):
                await self.ask(broken.address, method, path, headers, body)
            assert broken.processes[0].wait(5) == -9
        await self.until_nobody_works()

    async def until_nobody_works(self) -> None:
        """PostgreSQL has noticed that the dead worker is gone."""
        deadline = time.monotonic() + 10
        while await self.value("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    async def booked(self, n: int) -> str:
        """An appointment of person n."""
        made = await self.alive("POST", self.appointments(n), self.people[n].own.headers, {"slot_id": self.slot_id})
        assert made.status_code == 201, made.text
        return str(made.json()["appointment_id"])

    def appointments(self, n: int) -> str:
        """The path of person n's appointments."""
        return f"/v1/patient/cards/{self.people[n].own.card_id}/appointments"

    async def states(self) -> list[str]:
        """Of all appointments of the session, by the time they were made."""
        listed = await self.alive("GET", f"/v1/hospital/schedules/{self.key}/appointments", self.hospital)
        return [one["status"] for one in listed.json()["appointments"]][::-1]

    async def value(self, statement: str, *values: Any) -> Any:
        """The first value of a statement."""
        connection = await asyncpg.connect(self.demo.database_url)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()


@pytest.fixture
async def stage(demo: Demo) -> AsyncIterator[Stage]:
    """Two places and three people; afterwards the rows agree."""
    yield Stage(demo, await strangers(demo, 3))
    assert not await booking_checker.faults_at(demo.database_url)


@pytest.mark.parametrize(("point", "made"), [("book.ask", []), ("book.told", ["booked"])])
async def test_killed_while_it_books(stage: Stage, point: str, made: list[str]) -> None:
    """All of it or nothing; and its repetition is told what was done, or does it."""
    me = {**stage.people[0].own.headers, "Idempotency-Key": "one"}
    call = ("POST", stage.appointments(0), me, {"slot_id": stage.slot_id})
    await stage.into_the_dark(point, *call)
    assert await stage.states() == made
    again = await stage.alive(*call)
    if not made:
        assert (again.status_code, again.json()["code"]) == (409, "idempotency-in-progress")
        await later(stage.demo.database_url)
        again = await stage.alive(*call)
    assert again.status_code == 201
    assert ("idempotent-replayed" in again.headers) == bool(made)
    assert await stage.states() == ["booked"]
    assert (await stage.alive(*call)).json() == again.json()


async def test_killed_after_it_booked_without_a_key(stage: Stage) -> None:
    """The place is theirs; who asks again is told that it is."""
    call = ("POST", stage.appointments(0), stage.people[0].own.headers, {"slot_id": stage.slot_id})
    await stage.into_the_dark("book.told", *call)
    again = await stage.alive(*call)
    assert (again.status_code, again.json()["code"]) == (409, "already-booked")


async def test_killed_while_it_cancels(stage: Stage) -> None:
    """Neither is the place given back nor has the line been given it; then both."""
    first, _ = await stage.booked(0), await stage.booked(1)
    third = stage.people[2].own
    waiting = {"schedule_id": stage.schedule["schedule_id"]}
    stood = await stage.alive("POST", f"/v1/patient/cards/{third.card_id}/waitings", third.headers, waiting)
    assert stood.status_code == 201
    call = ("DELETE", f"/v1/patient/appointments/{first}", stage.people[0].own.headers)
    await stage.into_the_dark("cancel.done", *call)
    assert await stage.states() == ["booked", "booked"]
    assert (await stage.alive(*call)).status_code == 204
    assert await stage.states() == ["cancelled", "booked", "booked"]


async def test_killed_while_it_stops(stage: Stage) -> None:
    """Nobody is cancelled and nobody told; then everybody, once."""
    made = [await stage.booked(0), await stage.booked(1)]
    told = "SELECT count(*) FROM messages WHERE kind = 'session-stopped' AND ref = ANY($1)"
    call = ("POST", f"/v1/hospital/schedules/{stage.key}/stop", stage.hospital, {"reason": "stopped"})
    await stage.into_the_dark("stop.done", *call)
    assert (await stage.states(), await stage.value(told, made)) == (["booked", "booked"], 0)
    assert (await stage.alive(*call)).json() == {"cancelled": 2}
    assert (await stage.alive(*call)).json() == {"cancelled": 0}
    assert (await stage.states(), await stage.value(told, made)) == (["cancelled", "cancelled"], 2)
