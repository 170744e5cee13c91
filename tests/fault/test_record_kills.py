"""Records under kill -9: of workers and PostgreSQL under load, and of a worker at each point between asking and telling.

Whatever was killed: what was answered is kept once with its bytes, and nothing else is; records, their corrections and
their accesses agree (records_checker.py); a posting repeated under its Idempotency-Key gives the first answer.
Each test prints its figures.
"""

import asyncio

import asyncpg
import httpx
import pytest

from tests.fault import records_checker
from tests.fault.booking_load import strangers
from tests.fault.keyed_load import later
from tests.fault.records_load import EVERYTHING, Desk, RecordsLoad, desks, posting, records_load_on
from tests.fault.test_kills import kill_postgres, kill_workers
from tests.fault.workers import worker_on
from tests.process import processes
from tests.process.demo import Demo, patience

PEOPLE = 2
BACK_SECONDS = 10.0
# 503 and a connection that goes are what a kill looks like; 409: corrected by another, or under way.
_EXPECTED = {"200", "201", "409", "503", "RemoteProtocolError", "ReadError", "WriteError"}


async def assert_all_agrees(demo: Demo, load: RecordsLoad) -> None:
    """The rows, the bytes, and every posting that is repeated."""
    await later(demo.database_url)
    assert not await records_checker.faults_at(demo.database_url)
    assert await _kept(demo, load) == len(load.done)
    assert not await load.lost()
    assert not await load.repeated()
    assert await _kept(demo, load) == len(load.done)
    print(f"{len(load.done)} postings repeated; {dict(load.ledger.statuses)}; {dict(sorted(load.said.items()))}")


async def _kept(demo: Demo, load: RecordsLoad) -> int:
    """How many records there are of the load's resolutions."""
    connection = await asyncpg.connect(demo.database_url)
    try:
        under = [desk.resolution_id for desk in load.desks]
        return int(await connection.fetchval("SELECT count(*) FROM records WHERE resolution_id = ANY($1)", under))
    finally:
        await connection.close()


async def test_posting_while_workers_are_killed(demo: Demo, long: bool) -> None:
    async with records_load_on(demo, PEOPLE) as load:
        async with load.running(demo):
            killed = await kill_workers(demo, 50 if long else 2)
            await load.until_happened(EVERYTHING)
        await asyncio.to_thread(processes.wait_for, "all workers", lambda: len(demo.workers()) == 3, 20)
        print(f"\n{killed} kills of workers")
        assert load.ledger.statuses.keys() <= _EXPECTED, load.ledger.statuses
        await assert_all_agrees(demo, load)
    assert killed >= (50 if long else 2)


async def test_posting_while_postgres_is_killed(demo: Demo, long: bool) -> None:
    """Callers see 503 alone, and no connection that goes."""
    async with records_load_on(demo, PEOPLE) as load:
        async with load.running(demo):
            await asyncio.sleep(0.5)
            back = [await kill_postgres(demo, load.ledger) for _ in range(10 if long else 1)]
            await load.until_happened(EVERYTHING)
        print(f"\n{len(back)} kills of PostgreSQL; back after {', '.join(f'{one:.1f}' for one in back)} s")
        assert load.ledger.statuses.keys() <= {"201", "409", "503"}, load.ledger.statuses
        await assert_all_agrees(demo, load)
    assert max(back) < BACK_SECONDS * patience()


# A worker that dies at a point


class Stage:
    """A desk with a first record posted, and where to ask."""

    def __init__(self, demo: Demo, desk: Desk) -> None:
        self.demo, self.desk = demo, desk
        self.first = self.alive(posting("first")).json()["record_id"]

    def alive(self, body: bytes) -> httpx.Response:
        """Post at a worker that lives, always under one key a body."""
        return self.demo.http.post(self.desk.path, headers=self._headers(body), content=body)

    def _headers(self, body: bytes) -> dict[str, str]:
        return {**self.desk.headers, "Content-Type": "application/json", "Idempotency-Key": str(hash(body))}

    async def into_the_dark(self, point: str, body: bytes) -> None:
        """Post at a worker that dies at the point."""
        async with worker_on(self.demo, YIMA_INTERNAL_FAIL_POINT=point) as broken:
            async with httpx.AsyncClient(base_url=broken.address, timeout=20, trust_env=False) as http:
                with pytest.raises(httpx.TransportError):
                    await http.post(self.desk.path, headers=self._headers(body), content=body)
            assert broken.processes[0].wait(5) == -9

    def titles(self) -> list[str]:
        """What a list shows."""
        shown = self.demo.http.get(self.desk.path, headers=self.desk.headers).json()["records"]
        return sorted(record["title"] for record in shown)


@pytest.fixture
async def stage(demo: Demo) -> Stage:
    """One person at one hospital."""
    return Stage(demo, desks(demo, await strangers(demo, 1))[0])


@pytest.mark.parametrize(("point", "kept"), [("record.keep", False), ("record.kept", False), ("record.told", True)])
async def test_killed_while_it_posts_a_correction(stage: Stage, point: str, kept: bool) -> None:
    """Neither is it kept nor the earlier one superseded; or both are, and the same posting is told so."""
    correction = posting("corrected", stage.first)
    await stage.into_the_dark(point, correction)
    assert stage.titles() == (["corrected"] if kept else ["first"])
    again = stage.alive(correction)
    if not kept:
        assert (again.status_code, again.json()["code"]) == (409, "idempotency-in-progress")
        await later(stage.demo.database_url)
        again = stage.alive(correction)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, kept)
    assert stage.titles() == ["corrected"]
    assert stage.alive(correction).json() == again.json()
    assert not await records_checker.faults_at(stage.demo.database_url)
