"""Records' figures, measured in rounds and told as ratios with their targets."""

import asyncio
from statistics import median
from typing import Final, NamedTuple

from models import database
from tests.bench.crowd import Keys
from tests.bench.load import Load
from tests.bench.records.bundle import bundle
from tests.bench.records.calls import Absent, Pages, Rates, absent, pages, rates
from tests.bench.records.library import Library
from tests.bench.records.report import report
from tests.bench.records.stage import FEW, MANY, Stage, prepare
from tests.bench.saying import Say, say_rates, say_times
from tests.bench.servers import Demo

POSTING: Final = 0.30  # of the rate of the library validating alone, at least
READING: Final = 0.08  # of the rate of an empty handler, at least
PAGE: Final = 3.0  # times what it takes among few, at most
BUNDLE: Final = 20.0  # MiB, at most
_PAGE_NAMES: Final = {
    "own": "page, own hospital",
    "permitted": "page, permitted all",
    "nothing": "page, permitted nothing",
    "patient": "page, the patient",
}
_ABSENT_NAMES: Final = {
    "anothers": "404, somebody else's",
    "unreadable": "404, not permitted",
    "of_many": f"404, one of {MANY:,}",
}


class Rounds(NamedTuple):
    """How often all is measured in turn, reports posted in one, and calls of a time that is taken alone."""

    turns: int
    posted: int
    alone: int

    def order(self) -> list[bool]:
        """For each round, whether the first goes first."""
        return [bool(number % 2) for number in range(self.turns)]


def measure_records(demo: Demo, minimum: int, load: Load, rounds: Rounds, say: Say) -> None:
    """Measure, and say each figure when it is there. `minimum`: the port of the empty handler."""
    stage = asyncio.run(_prepare(demo, minimum, load))
    say(f"Records (a report of 5 KB; medians of {rounds.turns} rounds):")
    _say_rates(_rated(stage, rounds), say)
    _say_pages([_paged(stage, rounds.alone, first=first) for first in rounds.order()], say)
    _say_absent([absent(stage, rounds.alone, first=first) for first in rounds.order()], say)
    grown = bundle(stage)
    say(
        f"  a Bundle of {MANY:,} ({grown.mib:.0f} MiB) grows the worker of {grown.before:.0f} MiB by {grown.peak:.1f} MiB at"
        f" its peak, {grown.after:.1f} MiB after  target at most {BUNDLE:.0f} MiB"
    )


async def _prepare(demo: Demo, minimum: int, load: Load) -> Stage:
    assert demo.database, "it is written straight into"
    await database.connect(demo.database)
    try:
        return await prepare(demo.info["base_url"], await Keys.load(demo.data), minimum, demo.worker, load)
    finally:
        await database.disconnect()


def _rated(stage: Stage, rounds: Rounds) -> list[Rates]:
    library = Library(report())
    try:
        rates(stage, library, rounds.posted // 4, first=True)  # warm: models built, plans prepared
        return [rates(stage, library, rounds.posted, first=first) for first in rounds.order()]
    finally:
        library.stop()


def _say_rates(found: list[Rates], say: Say) -> None:
    say_rates(say, "posting", [(one.posted.rate, one.validated) for one in found], POSTING, "of validating alone")
    say_rates(say, "reading", [(one.read.rate, one.empty) for one in found], READING, "of an empty handler")
    posted, read = (median(getattr(one, name).processor for one in found) * 1e6 for name in ("posted", "read"))
    say(f"    processor of the worker {posted:,.0f} µs a report posted, {read:,.0f} µs a record read")


def _paged(stage: Stage, calls: int, *, first: bool) -> tuple[Pages, Pages]:
    if first:
        of_many = pages(stage, stage.many, calls)
        return of_many, pages(stage, stage.few, calls)
    of_few = pages(stage, stage.few, calls)
    return pages(stage, stage.many, calls), of_few


def _say_pages(found: list[tuple[Pages, Pages]], say: Say) -> None:
    for field, name in _PAGE_NAMES.items():
        pairs = [(getattr(many, field), getattr(few, field)) for many, few in found]
        say_times(say, name, pairs, PAGE, f"{FEW} instead of {MANY:,}")


def _say_absent(found: list[Absent], say: Say) -> None:
    for field, name in _ABSENT_NAMES.items():
        say_times(say, name, [(getattr(one, field), one.absent) for one in found], None, "one that is not there")
