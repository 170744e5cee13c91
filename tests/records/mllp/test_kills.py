"""kill -9 of the MLLP process and of PostgreSQL while laboratories send: no AA without its record, none kept twice."""

import asyncio
import functools
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.process import processes
from tests.process.demo import Demo, copy_of, patience, remove, short_folder
from tests.records.mllp.laboratory import Laboratory, connected
from tests.records.mllp.messages import msh, obr, obx, oru, pid

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]
LONG = bool(os.environ.get("YIMA_TEST_LONG"))
LINES = 4
NUMBER = "MLLP-1"
GONE = (OSError, asyncio.IncompleteReadError, TimeoutError)


@pytest.fixture(scope="module")
def demo(ran_before: Path) -> Iterator[Demo]:
    """A demo of its own, whose first hospital knows the first person as MLLP-1."""
    data = short_folder()
    running = Demo(copy_of(ran_before, data), YIMA_LOG_LEVEL="ERROR")
    me, who = running.patient(), running.hospital()
    seen = running.scan(who, running.code(me, running.card(me))).json()
    path = f"/v1/hospital/resolutions/{seen['resolution_id']}/patient-number"
    assert running.http.put(path, headers=who, json={"patient_number": NUMBER}).status_code == 200
    yield running
    running.stop()
    remove(data)


class Sender:
    """A laboratory that sends order after order, each until it is told AA, and notes what it was told."""

    def __init__(self, demo: Demo, line: int) -> None:
        self.port = demo.info["mllp"]["port"]
        self.line = line
        self.told: list[str] = []  # orders that were acknowledged by AA
        self.seen: Counter[str] = Counter()
        self.stopping = False

    async def run(self) -> None:
        """Send until told to stop; the last order is finished."""
        for n in itertools.count():
            if self.stopping:
                return
            order = f"L{self.line}-{n}"
            groups = [part for g in range(1 + n % 3) for part in (obr(f3=f"{order}-{g}"), obx(f5=f"{n}.30"))]
            await self._until_aa(order, oru(pid(NUMBER), *groups, header=msh(order)))
            self.told += [f"{order}-{g}" for g in range(1 + n % 3)]

    async def _until_aa(self, control_id: str, message: str) -> None:
        while True:
            try:
                async with connected(self.port) as lab:
                    if await self._send(lab, control_id, message) == "AA":
                        return
            except GONE as gone:
                self.seen[type(gone).__name__] += 1
            await asyncio.sleep(0.05)

    async def _send(self, lab: Laboratory, control_id: str, message: str) -> str:
        said = await lab.send(message)
        assert said["MSA-2"] == control_id
        self.seen[said["MSA-1"]] += 1
        return str(said["MSA-1"])


def mllp_pids(demo: Demo) -> list[int]:
    """The processes that take messages."""
    return [one.pid for one in demo.processes() if "api.commands.mllp" in one.command]


async def orders_kept(demo: Demo) -> tuple[Counter[str], int]:
    """How many live records each order has, as the hospital reads them, and how many rows there are."""
    me = demo.patient()
    card = demo.card(me)["card_id"]
    bundle = (await asyncio.to_thread(demo.http.get, f"/v1/patient/cards/{card}/records/bundle", headers=me)).text
    kept: Counter[str] = Counter()
    for entry in json.loads(bundle).get("entry", []):
        kept[entry["resource"]["identifier"][0]["value"]] += 1
    session = await asyncpg.connect(demo.database_url)
    try:
        return kept, int(await session.fetchval("SELECT count(*) FROM records WHERE source = 'mllp'"))
    finally:
        await session.close()


@pytest.mark.parametrize("victim", ["mllp", "postgres"])
async def test_no_aa_without_its_record_and_none_twice(demo: Demo, victim: str) -> None:
    before, rows_before = await orders_kept(demo)
    senders = [Sender(demo, line + (100 if victim == "mllp" else 200)) for line in range(LINES)]
    running = [asyncio.create_task(one.run()) for one in senders]
    times = {"mllp": 200 if LONG else 3, "postgres": 10 if LONG else 1}[victim]
    for _ in range(times):
        reached = sum(len(one.told) for one in senders) + LINES
        await _until(functools.partial(_told, senders, reached), "messages are taken")
        await asyncio.sleep(random.random() * 0.1)
        if victim == "postgres":
            processes.kill(demo.postmaster)
        else:
            for pid_ in mllp_pids(demo):
                processes.kill(pid_)
    for one in senders:
        one.stopping = True
    await asyncio.wait_for(asyncio.gather(*running), 60 * patience())
    kept, rows = await orders_kept(demo)
    seen = sum((one.seen for one in senders), Counter[str]())
    told = [order for one in senders for order in one.told]
    print(f"\n{times} kills of {victim}: {len(told)} reports acknowledged, {rows - rows_before} kept; {dict(seen)}")
    assert kept - before == Counter(told)
    assert rows - rows_before == len(told)


def _told(senders: list[Sender], count: int) -> bool:
    return sum(len(one.told) for one in senders) >= count


async def _until(happened: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + 60 * patience()
    while not happened():
        assert time.monotonic() < ends, f"not in time: {what}"
        await asyncio.sleep(0.02)
