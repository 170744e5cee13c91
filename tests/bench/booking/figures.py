"""Booking's figures, measured in rounds and told as ratios with their targets."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from models import database
from tests.bench.booking.cancelling import CANCELLED, WAITING, Cancelling, cancelling
from tests.bench.booking.finding import FEW, MANY, Place, Searches, fill, searches
from tests.bench.booking.rush import Rush, rush
from tests.bench.booking.stage import CONNECTIONS, Stage, days
from tests.bench.crowd import Keys, make_crowd
from tests.bench.load import Load
from tests.bench.saying import Say, say_rates, say_times
from tests.bench.servers import Demo

CONTESTED: Final = 0.70  # of the rate of people who are spread, at least
BOOKING: Final = 0.05  # of the rate of an empty handler, at least
SLOTS: Final = 3.0  # times what it takes among few, at most
CANCEL: Final = 3.0  # times what it takes where nobody waits, at most
_SMALL: Final = "booking_small"


class Rounds(NamedTuple):
    """How often all is measured in turn, and how many people rush."""

    turns: int
    people: int

    def order(self) -> list[bool]:
        """For each round, whether the first goes first."""
        return [bool(number % 2) for number in range(self.turns)]


def measure_booking(demo: Demo, minimum: int, load: Load, rounds: Rounds, say: Say) -> None:
    """Measure, and say each figure when it is there. `minimum`: the port of the empty handler."""
    assert demo.database, "a second database is made beside it"
    with asyncio.Runner() as loop, _small(demo, loop) as small:
        few = loop.run(_fill(small, FEW))
        loop.run(database.connect(demo.database))
        try:
            many, stage = loop.run(_prepare(demo, minimum, load))
            say(f"Booking ({rounds.people:,} people over {CONNECTIONS} connections; medians of {rounds.turns} rounds):")
            people = stage.crowd[: rounds.people]
            _say_rush([rush(stage, people, first=first) for first in rounds.order()], say)
            _say_cancelling([loop.run(cancelling(stage, first=first)) for first in rounds.order()], say)
            _say_searches([_searched(load, many, few, first=first) for first in rounds.order()], say)
        finally:
            loop.run(database.disconnect())


@contextmanager
def _small(demo: Demo, loop: asyncio.Runner) -> Iterator[Demo]:
    """A second service, on a database of its own in the same cluster."""
    assert demo.database, "its cluster has room for another"

    async def create() -> None:
        connection = await asyncpg.connect(demo.database)
        await connection.execute(f"CREATE DATABASE {_SMALL}")
        await connection.close()

    loop.run(create())
    small = Demo(demo.data.with_name(_SMALL), urlsplit(demo.database)._replace(path=f"/{_SMALL}").geturl())
    try:
        yield small
    finally:
        small.stop()


async def _fill(demo: Demo, slots: int) -> Place:
    """So many slots, and somebody who looks for one."""
    assert demo.database, "it is beside the first"
    await database.connect(demo.database)
    try:
        return await _place(demo, await Keys.load(demo.data), slots)
    finally:
        await database.disconnect()


async def _place(demo: Demo, keys: Keys, slots: int) -> Place:
    (one,) = await make_crowd(keys, 1)
    return Place(demo.port, one.headers, await fill(slots))


async def _prepare(demo: Demo, minimum: int, load: Load) -> tuple[Place, Stage]:
    """The service with very many slots, and its crowd."""
    keys = await Keys.load(demo.data)
    hospital = keys.hospital(UUID(demo.info["hospital"]["client_id"]))
    crowd = await make_crowd(keys, CANCELLED + WAITING)
    return await _place(demo, keys, MANY), Stage(demo.port, minimum, load, hospital, crowd, days())


def _searched(load: Load, many: Place, few: Place, *, first: bool) -> tuple[Searches, Searches]:
    if first:
        of_many = searches(load, many)
        return of_many, searches(load, few)
    of_few = searches(load, few)
    return searches(load, many), of_few


def _say_rush(rounds: list[Rush], say: Say) -> None:
    say_rates(say, "contested", [(one.contested, one.spread) for one in rounds], CONTESTED, "of spread")
    say_rates(say, "booking", [(one.spread, one.empty) for one in rounds], BOOKING, "of an empty handler")
    say_rates(say, "with a key", [(one.keyed, one.empty) for one in rounds], None, "")


def _say_cancelling(rounds: list[Cancelling], say: Say) -> None:
    pairs = [(one.line, one.none) for one in rounds]
    say_times(say, f"cancel, {WAITING:,} waiting", pairs, CANCEL, "nobody waiting")


def _say_searches(rounds: list[tuple[Searches, Searches]], say: Say) -> None:
    for name in Searches._fields:
        pairs = [(getattr(many, name), getattr(few, name)) for many, few in rounds]
        say_times(say, f"slots, {name}", pairs, SLOTS, f"{FEW} instead of {MANY:,}")
