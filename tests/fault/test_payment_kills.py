"""Money under kill -9: of workers at each point around a message to the insurer or WeChat, and of PostgreSQL, under load.

Whatever was killed: once nothing is under way, bills, ledger, the insurer's books and WeChat's agree
(tests/payment/plain.py); a call repeated under its Idempotency-Key gives the first answer, and had one effect.
Each test prints its figures.
"""

import asyncio
from collections import Counter

from tests.fault.forking import forking
from tests.fault.money_load import EVERYTHING, POINTS, MoneyLoad, money_load_on
from tests.fault.test_kills import kill_postgres
from tests.fault.workers import settings_on
from tests.process.demo import Demo, patience

PEOPLE = 2
BACK_SECONDS = 10.0
# 503 and a connection that goes are what a kill looks like; 409: paid, cancelled or given back already.
_GONE = {"RemoteProtocolError", "ReadError", "WriteError", "ConnectError"}
_EXPECTED = {"200", "201", "409", "503"}


async def assert_all_agrees(load: MoneyLoad) -> None:
    """The rows, the books, and every call that is repeated."""
    assert not await load.faults()
    assert not await load.repeated()
    assert not await load.twice()
    assert not await load.faults()
    print(f"{len(load.done)} calls repeated; {dict(load.ledger.statuses)}; {dict(sorted(load.said.items()))}")


async def test_paying_while_workers_are_killed(demo: Demo, long: bool) -> None:
    killed: Counter[str] = Counter()
    async with money_load_on(demo, PEOPLE) as load:
        settings = settings_on(demo, YIMA_PUBLIC_URL=demo.info["base_url"])
        async with load.running(2 if long else 1), forking(settings) as makes:
            for turn in range(60 if long else 3):
                passes = 1 + turn % 7
                dead = await asyncio.gather(*(load.killed_at(makes, point, passes) for point in POINTS))
                killed += Counter(point for point, died in zip(POINTS, dead, strict=True) if died)
                if killed.total() >= (200 if long else 12):
                    break
            await load.until_happened(EVERYTHING)
        print(f"\n{killed.total()} kills of workers: {dict(killed)}")
        assert load.ledger.statuses.keys() <= _EXPECTED | _GONE, load.ledger.statuses
        await assert_all_agrees(load)
    assert killed.total() >= (200 if long else 10)
    assert killed.keys() == set(POINTS)


async def test_paying_while_postgres_is_killed(demo: Demo, long: bool) -> None:
    """Callers see 503 alone, and no connection that goes."""
    async with money_load_on(demo, PEOPLE) as load:
        async with load.running():
            await asyncio.sleep(0.5)
            back = [await kill_postgres(demo, load.ledger) for _ in range(20 if long else 1)]
            await load.until_happened(EVERYTHING)
        print(f"\n{len(back)} kills of PostgreSQL; back after {', '.join(f'{one:.1f}' for one in back)} s")
        assert load.ledger.statuses.keys() <= _EXPECTED, load.ledger.statuses
        await assert_all_agrees(load)
    assert max(back) < BACK_SECONDS * patience()
