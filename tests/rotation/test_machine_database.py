"""All events in any order against models.rotation on a real PostgreSQL whose `yima_now()` is the test's."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from codes.ring import KeyRing, KeyState, Purpose
from models.key_rows import Timing, note_life, report_ring
from models.keyring import load_ring
from tests.rotation.desk import Desk
from tests.rotation.machine import Rotating
from tests.rotation.world import DESTROY_WAIT, LEAD, MAX_AGE, PERIOD, Store

EXAMPLES = 100 if os.environ.get("YIMA_TEST_LONG") else 3
STEPS = 40 if os.environ.get("YIMA_TEST_LONG") else 25
Result = TypeVar("Result")


class DatabaseStore:
    """`Store` by the real models. Called from a thread; the work is done in the loop that has the connections."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._loop = loop
        self._desk.timing = Timing(LEAD, MAX_AGE, DESTROY_WAIT, {Purpose.CODE: PERIOD})
        self._before = len(self._wait(desk.keys())) - 1  # keys of earlier examples; the active one is ours

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def now(self) -> float:
        return float(self._wait(self._desk.sql("SELECT extract(epoch FROM yima_now()) AS t"))[0]["t"])

    def move(self, seconds: int) -> None:
        self._wait(self._desk.move(seconds))

    def version(self) -> int:
        return self._wait(self._desk.version())

    def states(self) -> dict[bytes, KeyState]:
        return {key.kid: key.state for key in self._wait(self._desk.keys())[self._before :]}

    def ring(self) -> KeyRing:
        ring = self._wait(load_ring(self._desk.vault)).ring
        self._desk.vault.ring = ring
        return ring

    def report(self, worker: int, version: int) -> None:
        self._wait(report_ring(UUID(int=worker), "a test", version))

    def note_life(self, seconds: int) -> None:
        self._wait(note_life(Purpose.CODE, seconds))

    def rotate(self, at_once: bool) -> None:
        self._wait(self._desk.rotate(at_once))

    def transition(self, kid: bytes, to: KeyState) -> None:
        self._wait(self._desk.change(kid, to))

    def compromise(self, kid: bytes) -> bytes | None:
        return self._wait(self._desk.compromise(kid)).replacement_kid

    def tick(self) -> None:
        self._wait(self._desk.tick())


async def test_any_order_of_events_in_the_database(desk: Desk) -> None:
    class InDatabase(Rotating):
        loop: ClassVar = asyncio.get_running_loop()

        def make_store(self) -> Store:
            """The active key of the last example is the next one's first; what else is there stays out of its sight."""
            asyncio.run_coroutine_threadsafe(_clean(desk), self.loop).result(60)
            return DatabaseStore(desk, self.loop)

    checks = list(HealthCheck)
    run = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=checks,
        phases=[Phase.generate],
    )
    await asyncio.to_thread(run_state_machine_as_test, InDatabase, settings=run)


async def _clean(desk: Desk) -> None:
    """Only the active key of purpose code stays, as if it were activated now."""
    await desk.sql("DELETE FROM keys WHERE purpose = 'code' AND state <> 'active'")
    await desk.sql("UPDATE keys SET activated_at = yima_now(), longest_life = 0 WHERE purpose = 'code'")
    for table in ("approvals", "ring_reports", "scheduled_rotations"):
        await desk.sql(f"DELETE FROM {table}")
