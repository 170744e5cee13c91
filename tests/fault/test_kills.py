"""kill -9 of workers and of PostgreSQL under load: the service stays or comes back, the ledger is whole.

Each test prints its figures (`pytest -s`).
"""

import asyncio
import time
from typing import Any

import asyncpg

from tests.fault.load import Ledger, load_on
from tests.process import processes
from tests.process.demo import Demo, patience

BACK_SECONDS = 10.0  # after a PostgreSQL that was killed
SILENCE_SECONDS = 5.0  # the longest time without any answer while workers die
LONG_SECONDS = 900.0
_END_ONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'yima'
ORDER BY state <> 'active', random() LIMIT 1
"""


async def test_workers_killed_in_a_loop(demo: Demo, long: bool) -> None:
    me = demo.patient()
    card = demo.card(me)["card_id"]
    async with load_on(demo) as load:
        async with load.running(me, card, lines=1):
            killed = await kill_workers(demo, 1000 if long else 8)
        verdict = await load.verdict(demo.database_url)
    await asyncio.to_thread(processes.wait_for, "all workers", lambda: len(demo.workers()) == 3, 20)
    silence = load.ledger.longest_silence()
    print(f"\n{killed} kills of workers: {verdict}; {dict(load.ledger.statuses)}; longest silence {silence:.1f} s")
    assert not verdict.faults, verdict
    assert not load.ledger.unexpected(), load.ledger.statuses
    assert killed >= 8
    assert silence < SILENCE_SECONDS * patience()


async def kill_workers(demo: Demo, times: int) -> int:
    """Kill workers in turn, each when it works and another one does; how many."""
    ends = time.monotonic() + LONG_SECONDS
    database = await asyncpg.connect(demo.database_url)
    seen: set[int] = set()
    try:
        while len(seen) < times and time.monotonic() < ends:
            await asyncio.sleep(0.05)
            working = await _working(demo, database) - seen
            if len(working) > 1:
                victim = min(working)
                processes.kill(victim)
                seen.add(victim)
    finally:
        await database.close()
    return len(seen)


async def _working(demo: Demo, database: Any) -> set[int]:
    """Workers that live and have loaded their key ring, the last thing before they answer."""
    reported = await database.fetch("SELECT slot FROM ring_reports")
    return {int(row["slot"].split()[-1]) for row in reported} & set(demo.workers())


async def test_postgres_killed_under_load(demo: Demo, long: bool) -> None:
    """Its main process, as the memory killer would: only 503 meanwhile, back within ten seconds."""
    me = demo.patient()
    card = demo.card(me)["card_id"]
    async with load_on(demo) as load:
        async with load.running(me, card):
            back = [await kill_postgres(demo, load.ledger) for _ in range(200 if long else 2)]
        verdict = await load.verdict(demo.database_url)
    print(f"\n{len(back)} kills of PostgreSQL: {verdict}; {dict(load.ledger.statuses)}; back after {_spread(back)}")
    assert not verdict.faults, verdict
    assert load.ledger.statuses.keys() <= {"200", "201", "409", "503"}
    assert max(back) < BACK_SECONDS * patience()


async def kill_postgres(demo: Demo, ledger: Ledger) -> float:
    """Seconds until the next code is issued or resolved on the new one."""
    before = demo.postmaster
    moment = time.monotonic()
    processes.kill(before)
    await asyncio.to_thread(_wait_for_another, demo, before)
    up = time.monotonic()
    while ledger.last_answer < up:
        assert time.monotonic() < up + 60, "nothing is answered any more"
        await asyncio.sleep(0.02)
    back = ledger.last_answer - moment
    await asyncio.sleep(0.5)  # under load again
    return back


def _wait_for_another(demo: Demo, before: int) -> None:
    def there() -> bool:
        try:
            lines = (demo.data / "postgres" / "data" / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:  # between a start that was too early and the next
            return False
        return lines[0] != str(before) and len(lines) > 7 and lines[7].strip() == "ready"

    processes.wait_for("PostgreSQL again", there, 60)


async def test_a_session_of_postgres_killed(demo: Demo, long: bool) -> None:
    """kill -9 of one session makes PostgreSQL end all others and recover: the same to callers."""
    me = demo.patient()
    card = demo.card(me)["card_id"]
    async with load_on(demo) as load:
        async with load.running(me, card):
            for _ in range(20 if long else 2):
                session = next(p.pid for p in demo.processes() if p.command.startswith("postgres: postgres"))
                moment = time.monotonic()
                processes.kill(session)
                await asyncio.sleep(0.3)
                while load.ledger.last_answer < moment + 0.3:
                    assert time.monotonic() < moment + BACK_SECONDS * patience(), "nothing is answered any more"
                    await asyncio.sleep(0.05)
        verdict = await load.verdict(demo.database_url)
    assert not verdict.faults, verdict
    assert load.ledger.statuses.keys() <= {"200", "201", "409", "503"}


async def test_sessions_ended_under_load(demo: Demo, long: bool) -> None:
    """An administrator ends sessions at random moments, in the middle of COMMIT too: an answer or 503, none lost."""
    me = demo.patient()
    card = demo.card(me)["card_id"]
    administrator = await asyncpg.connect(demo.database_url)
    async with load_on(demo) as load:
        async with load.running(me, card):
            ended = 0
            stop = time.monotonic() + (120 if long else 4)
            while time.monotonic() < stop:
                ended += len(await administrator.fetch(_END_ONE))
                await asyncio.sleep(0.03)
        verdict = await load.verdict(demo.database_url)
    await administrator.close()
    print(f"\n{ended} sessions ended: {verdict}; {dict(load.ledger.statuses)}")
    assert ended > 5
    assert not verdict.faults, verdict
    assert load.ledger.statuses.keys() <= {"200", "201", "409", "503"}


def _spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{ordered[0]:.1f} to {ordered[-1]:.1f} s (median {ordered[len(ordered) // 2]:.1f})"
