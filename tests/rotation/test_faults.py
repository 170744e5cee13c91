"""Races, kills and loads. Short here; long by `make fault-rotation`, whose figures are printed.

100 races of two admins     one change and one 412 each
kills at every statement    before or after, never between; the same call again changes nothing more
rotations under load        not one failed issue, resolve or offline check, with 4 workers
compromises under load      by the database's clock no row under the kid after the answer
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import httpx
import pytest

from models.key_rows import KEYS_LOCK, RING_LOCK
from tests.process.demo import ROOT, Demo, bearer, remove, short_folder
from tests.rotation.desk import Desk
from tests.rotation.load import Work
from tests.rotation.office import KEYS, Office, Rotate, Wait
from tests.rotation.operations import OPERATIONS, again

pytestmark = pytest.mark.fault
LONG: Final = bool(os.environ.get("YIMA_TEST_LONG"))
LEAD, MAX_AGE, POLL, LIFE = 3, 1, 1, 5
QUIET: Final = 3 if LONG else 1  # seconds of load before the first rotation


async def test_two_admins_race(office: Office) -> None:
    races = 100 if LONG else 20
    told: Counter[tuple[int, ...]] = Counter()
    for _ in range(races):
        await Rotate().do(office)
        await Wait(201).do(office)
        await office.tag()
        name = f"K{len(await office.rows())}"
        path = f"{await office.kid(name)}/transitions"
        body = {"to": "active", "reason": "a race"}
        tag = {"If-Match": office.seen}
        answers = await asyncio.gather(*(office.post(path, who, body, **tag) for who in ("one", "two")))
        told[tuple(sorted(answer.status_code for answer in answers))] += 1
        states = list((await office.states()).values())
        assert (states.count("active"), states[-1]) == (1, "active")
    print(f"\n{races} races of two admins: {dict(told)}")
    assert told == {(200, 412): races}


# Kills


@pytest.mark.parametrize("place", range(len(OPERATIONS)), ids=[operation.name for operation in OPERATIONS])
async def test_killed_at_every_statement(desk: Desk, cluster: Any, place: int) -> None:
    operation = OPERATIONS[place]
    await operation.begin(desk)
    before = await desk.snapshot()
    kills, told = 0, ""
    async with _killer(desk.url, cluster.root) as killer:
        for number, when in _points():
            told = await killer(f"{place} {number} {when} {desk.first.hex()} {desk.other.hex()} {desk.seen}")
            await _session_gone(desk)
            kills += told == "killed"
            if told != "killed" or await desk.snapshot() != before:
                break
    assert told in ("killed", "done"), told
    after = await desk.snapshot()
    print(f"\n{operation.name}: {kills} kills; then {'the commit stood' if told == 'killed' else 'it got through'}")
    await _is_a_whole_change(desk, place, before, after)
    await again(desk, operation)
    if not operation.name.startswith("confirm"):
        assert await desk.snapshot() == after, "the same call again changed something"


def _points() -> Iterator[tuple[int, str]]:
    """Before and after each statement; every fourth of them where it is to be short."""
    points = [(number, when) for number in range(1, 60) for when in ("before", "after")]
    return iter(points if LONG else points[3::4])


@asynccontextmanager
async def _killer(url: str, root: bytes) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Sends a line to dying.py and gives its answer."""
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.rotation.dying", stdin=pipe, stdout=pipe, cwd=ROOT
    )
    assert running.stdin
    assert running.stdout
    said, heard = running.stdin, running.stdout
    said.write(f"{url} {root.hex()}\n".encode())

    async def ask(line: str) -> str:
        said.write(f"{line}\n".encode())
        return (await asyncio.wait_for(heard.readline(), 60)).decode().strip()

    try:
        yield ask
    finally:
        said.close()
        await running.wait()


async def _session_gone(desk: Desk) -> None:
    """PostgreSQL has noticed that the child is dead: its locks are free."""
    for lock in (RING_LOCK, KEYS_LOCK):
        await desk.sql("SELECT pg_advisory_xact_lock($1)", lock)


async def _is_a_whole_change(desk: Desk, place: int, before: list[str], after: list[str]) -> None:
    """A ring that turned has its audit, and one key is active: nothing between."""
    assert after != before
    assert (await desk.states()).count("active") == 1
    turned = {line for line in after if line.startswith("ring:")} != {
        line for line in before if line.startswith("ring:")
    }
    told = [line for line in after if line.startswith("audit")] != [line for line in before if line.startswith("audit")]
    assert told, OPERATIONS[place].name
    assert turned or OPERATIONS[place].name == "ask to roll back"


# Load


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Four workers, with rotations as short as the rules allow."""
    data = short_folder()
    settings = {"YIMA_WORKERS": "4", "YIMA_KEY_LEAD": str(LEAD), "YIMA_KEY_SET_MAX_AGE": str(MAX_AGE)}
    settings |= {"YIMA_RING_POLL": str(POLL), "YIMA_CODE_LIFE": str(LIFE), "YIMA_LOG_LEVEL": "ERROR"}
    running = Demo(data / "data", None, **settings)
    yield running
    running.stop()
    remove(data)


class Custodian:
    """The demo's first custodian."""

    def __init__(self, demo: Demo) -> None:
        self.headers = bearer(next(admin["token"] for admin in demo.info["admins"] if admin["role"] == "custodian"))
        self.http = httpx.AsyncClient(base_url=demo.info["base_url"], timeout=30, headers=self.headers, trust_env=False)

    async def keys(self) -> dict[str, str]:
        listed = (await self.http.get(KEYS)).json()["keys"]
        return {key["kid"]: key["state"] for key in listed if key["purpose"] == "code"}

    async def rotate(self) -> float:
        """A planned rotation; the seconds it took until the key was active."""
        began = time.monotonic()
        made = await self.http.post(f"{KEYS}/rotations", json={"purpose": "code", "when": "now"})
        assert made.status_code == 201, made.text
        while (await self.keys())[made.json()["kid"]] != "active":
            assert time.monotonic() < began + 60, "it was not activated"
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def compromise(self) -> tuple[str, float, float]:
        """Of the active key: its kid, when the answer came (seconds since 1970), and how long it took."""
        (active,) = [kid for kid, state in (await self.keys()).items() if state == "active"]
        began = time.monotonic()
        answer = await self.http.post(f"{KEYS}/{active}/compromise", json={"reason": "a test"})
        ended, took = time.time(), time.monotonic() - began
        assert answer.status_code == 200, answer.text
        return active, ended, took


async def test_rotations_under_load(demo: Demo) -> None:
    rotations = 20 if LONG else 2
    custodian = Custodian(demo)
    async with Work(demo, 4) as work:
        await asyncio.sleep(QUIET)
        quiet, since = work.counts["resolved"] / QUIET, time.monotonic()
        seen = work.counts["resolved"]
        took = [await custodian.rotate() for _ in range(rotations)]
        rate = (work.counts["resolved"] - seen) / (time.monotonic() - since)
        await asyncio.sleep(LIFE)
    print(
        f"\n{rotations} rotations under load: {dict(work.counts)}, {len(work.faults)} failed;"
        f" resolved {quiet:.0f}/s before and {rate:.0f}/s during; active after {min(took):.1f} to {max(took):.1f} s"
    )
    assert not work.faults, work.faults[:3]
    assert min(work.counts.values()) > 20 * rotations


async def test_compromises_under_load(demo: Demo) -> None:
    compromises = 50 if LONG else 3
    custodian = Custodian(demo)
    answered: dict[str, float] = {}
    took = []
    async with Work(demo, 4) as work:
        await asyncio.sleep(1)
        work.replacing = True
        for _ in range(compromises):
            kid, at, seconds = await custodian.compromise()
            work.stolen[kid] = time.monotonic()
            answered[kid] = at
            took.append(seconds)
            await asyncio.sleep(0.4)
    late = await _rows_after(demo, answered)
    median = sorted(took)[len(took) // 2] * 1000
    print(
        f"\n{compromises} compromises under load: {dict(work.counts)}, {len(work.faults)} failed, {late} rows after an answer; median {median:.0f} ms"
    )
    assert late == 0
    assert not work.faults, work.faults[:3]


async def _rows_after(demo: Demo, answered: dict[str, float]) -> int:
    """Rows under a kid later than its compromise's answer, by the database's clock: the machine's own here."""
    database = await asyncpg.connect(demo.database_url)
    try:
        for kid in answered:
            assert await database.fetchval("SELECT state FROM keys WHERE kid = $1", bytes.fromhex(kid)) == "compromised"
        return sum(
            [
                await database.fetchval(
                    "SELECT count(*) FROM resolutions WHERE kid = $1 AND at > $2",
                    bytes.fromhex(kid),
                    datetime.fromtimestamp(at, UTC),
                )
                for kid, at in answered.items()
            ]
        )
    finally:
        with suppress(Exception):
            await database.close()
