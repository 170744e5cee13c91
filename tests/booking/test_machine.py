"""All that can happen to bookings, in any order, against the service (machine.py says what and what must hold).

And that the machine sees a rule that is another: each one changed makes it fail.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.booking.machine import Booking
from tests.booking.plain import Appointment, Person, Place, Plain, Session, Slot
from tests.booking.world import World
from tests.support.servers import Cluster
from tests.support.service import running_service

LONG = bool(os.environ.get("YIMA_TEST_LONG"))
EXAMPLES = 100 if LONG else 9
STEPS = 60 if LONG else 35

pytestmark = pytest.mark.fault  # at length by `make fault`


@pytest.fixture(scope="module")
async def world(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A service whose time the machine moves."""
    async with running_service(cluster, tmp_path_factory.mktemp("machine")) as service:
        made = World(service, asyncio.get_running_loop())
        await made.open()
        yield made
        await made.close()


async def run(world: World, rules: type[Plain], **given: Any) -> None:
    """The machine, in a thread of its own."""

    class Driven(Booking):
        plain_class = rules

        def make_world(self) -> World:
            return world

    chosen = settings(
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        **given,
    )
    await asyncio.to_thread(run_state_machine_as_test, Driven, settings=chosen)


async def test_any_order_of_events(world: World) -> None:
    await run(world, Plain, max_examples=EXAMPLES, stateful_step_count=STEPS)


class LastInLineFirst(Plain):
    """Who came last is served first."""

    def _waiting(self, session: Session) -> Any:
        return super()._waiting(session)[::-1]


class NobodyIsGivenAFreedPlace(Plain):
    """The line is asked when a hospital publishes alone."""

    def cancel(self, appointment: Appointment, by: str) -> str:
        self.cancelling = True
        try:
            return super().cancel(appointment, by)
        finally:
            self.cancelling = False

    def _fill(self, session: Session, place: Place) -> None:
        if not getattr(self, "cancelling", False):
            super()._fill(session, place)


class TwiceInASession(Plain):
    """No limit counts."""

    def _limit(self, person: Person, slot: Slot) -> str | None:
        return None


class NoPause(Plain):
    """Who does not come may go on."""

    def paused_until(self, person: Person) -> Any:
        return None


class ArrivesByTheDay(Plain):
    """A scan in the morning is an arrival in the afternoon."""

    def arrive(self, person: Person, hospital: int) -> Appointment | None:
        now, self.now = self.now, self.now + timedelta(hours=6)
        try:
            return super().arrive(person, hospital)
        finally:
            self.now = now


SEEN_SOON = (TwiceInASession, ArrivesByTheDay)
SEEN_LATE = (LastInLineFirst, NobodyIsGivenAFreedPlace, NoPause)


@pytest.mark.parametrize("broken", SEEN_SOON + SEEN_LATE if LONG else SEEN_SOON, ids=lambda broken: broken.__name__)
async def test_the_machine_sees_a_rule_that_is_another(world: World, broken: type[Plain]) -> None:
    with pytest.raises(AssertionError):
        await run(world, broken, max_examples=100, stateful_step_count=60, derandomize=True)
