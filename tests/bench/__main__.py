"""`make bench`: prints rates as ratios to the hand-written minimum, memory, and how soon the demo is ready.

Service and minimum run side by side on one PostgreSQL with durable commits and are loaded in turn, pair by pair, so
that whatever else the machine does falls on both; the median of the pairs' ratios is told. Each side has one process.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import asyncpg

from api.run.postgres import EmbeddedPostgres
from tests.bench.booking.figures import Rounds, measure_booking
from tests.bench.calls import Callers, codes_of, minimum_issue, minimum_resolve, only
from tests.bench.load import Load, Outcome, Request
from tests.bench.minimum import CREATE
from tests.bench.offline import Compared, offline
from tests.bench.payment.calls import measure_paying
from tests.bench.payment.reconcile import measure_reconciling
from tests.bench.records.figures import Rounds as RecordRounds
from tests.bench.records.figures import measure_records
from tests.bench.servers import Demo, Minimum, cpu_seconds, resident_mib

TARGETS: Final = {"issue": 0.60, "resolve": 0.60, "matrix ms": 1.0, "resident MiB": 120.0, "ready s": 10.0}
PARTS: Final = ("codes", "booking", "records", "payment", "library", "ready")
_BATCH: Final = 5000  # codes issued and then resolved, well within their life


class Size(NamedTuple):
    """How much is done: pairs, requests of a measurement, resolves before memory is read, seconds of an offline one,
    and the rounds of booking and of records.
    """

    pairs: int
    requests: int
    resolves: int
    seconds: float
    booking: Rounds
    records: RecordRounds


FULL: Final = Size(11, 4000, 100_000, 0.3, booking=Rounds(7, 2000), records=RecordRounds(11, 400, 100))
QUICK: Final = Size(7, 1500, 20_000, 0.1, booking=Rounds(3, 500), records=RecordRounds(7, 100, 30))


class Side(NamedTuple):
    """One of the two: where it listens, its process, and what its last runs took."""

    port: int
    pid: int


class Measured(NamedTuple):
    """Answers a second, and microseconds of the process's own processor time an answer."""

    rate: float
    micros: float
    outcome: Outcome


class Bench:
    """Service, minimum and load generator, and what was done to them so far."""

    def __init__(self, demo: Demo, service: Side, minimum: Side, callers: Callers, load: Load) -> None:
        self.demo = demo
        self.service = service
        self.minimum = minimum
        self.callers = callers
        self.load = load
        self.resolved = 0

    def measure(self, side: Side, requests: list[Request], *, keep: bool = False) -> Measured:
        """One timed run, every answer 201."""
        before = cpu_seconds(side.pid)
        outcome = only(self.load.run(side.port, requests, keep=keep), 201)
        used = cpu_seconds(side.pid) - before
        return Measured(len(requests) / outcome.seconds, used / len(requests) * 1e6, outcome)

    def pair(self, count: int, service_first: bool) -> tuple[tuple[Measured, Measured], tuple[Measured, Measured]]:
        """(issue, resolve), each (service, minimum); the codes that the service issued are resolved by both."""
        issued = _in_turn(
            service_first,
            lambda: self.measure(self.service, self.callers.issue(count), keep=True),
            lambda: self.measure(self.minimum, minimum_issue(count), keep=True),
        )
        codes = codes_of(issued[0].outcome)
        resolved = _in_turn(
            service_first,
            lambda: self.measure(self.service, self.callers.resolve(codes)),
            lambda: self.measure(self.minimum, minimum_resolve(codes)),
        )
        self.resolved += count
        return issued, resolved

    def matrix_ms(self, count: int) -> float:
        """What a matrix beside the code adds to an answer of the saturated service, in milliseconds."""
        with_matrix, plain = _in_turn(
            True,
            lambda: self.measure(self.service, self.callers.issue(count, "?matrix=true")),
            lambda: self.measure(self.service, self.callers.issue(count)),
        )
        return (1 / with_matrix.rate - 1 / plain.rate) * 1000

    def resolve_until(self, total: int) -> None:
        """Issue and resolve until the service has resolved so many."""
        while self.resolved < total:
            count = min(_BATCH, total - self.resolved)
            issued = only(self.load.run(self.service.port, self.callers.issue(count), keep=True), 201)
            only(self.load.run(self.service.port, self.callers.resolve(codes_of(issued))), 201)
            self.resolved += count


def _in_turn(first: bool, one: Callable[[], Measured], two: Callable[[], Measured]) -> tuple[Measured, Measured]:
    if first:
        measured = one()
        return measured, two()
    later = two()
    return one(), later


@contextmanager
def bench(folder: Path, connections: int) -> Iterator[Bench]:
    """Everything started, and ended."""
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres")
        url = postgres.start()
        stack.callback(postgres.stop)
        asyncio.run(_minimum_database(url))
        service = Demo(folder / "service", url)
        stack.callback(service.stop)
        callers = Callers(service.info)
        minimum = Minimum(callers.public, urlsplit(url)._replace(path="/minimum").geturl())
        stack.callback(minimum.stop)
        load = Load(connections)
        stack.callback(load.stop)
        yield Bench(service, Side(service.port, service.worker), Side(minimum.port, minimum.worker), callers, load)


async def _minimum_database(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE minimum")
    await connection.close()
    connection = await asyncpg.connect(urlsplit(url)._replace(path="/minimum").geturl())
    await connection.execute(CREATE)
    await connection.close()


def ready_seconds(folder: Path) -> tuple[float, float]:
    """How soon the demo is ready with everything of its own: the first start, and a second one on the same data."""
    times = []
    for _ in range(2):
        demo = Demo(folder / "ready")
        times.append(demo.ready_after)
        demo.stop()
    return times[0], times[1]


def _compared(pairs: list[tuple[Measured, Measured]]) -> Compared:
    return Compared(
        median(ours.rate for ours, _ in pairs),
        median(bare.rate for _, bare in pairs),
        median(ours.rate / bare.rate for ours, bare in pairs),
    )


def _row(name: str, found: Compared, more: str = "") -> str:
    target = f"  target {TARGETS[name]:.2f}" if name in TARGETS else ""
    return f"  {name:<16}{found.rate:>9,.0f}/s   of {found.bare:>9,.0f}/s   ratio {found.ratio:5.2f}{target}{more}"


def _micros(pairs: list[tuple[Measured, Measured]]) -> str:
    ours, bare = (median(pair[side].micros for pair in pairs) for side in (0, 1))
    return f"   processor {ours:.0f} µs of {bare:.0f} µs"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def codes(both: Bench, size: Size) -> None:
    """Issuing and resolving."""
    _say("Against the hand-written minimum (bare Sanic, one signature, one statement), median of pairs:")
    both.pair(size.requests // 4, True)  # warm: plans prepared, pages in memory
    pairs = [both.pair(size.requests, bool(number % 2)) for number in range(size.pairs)]
    issued, resolved = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    _say(_row("issue", _compared(issued), _micros(issued)))
    _say(_row("resolve", _compared(resolved), _micros(resolved)))
    matrix = median(both.matrix_ms(size.requests // 4) for _ in range(size.pairs))
    _say(f"  matrix beside a code     {matrix:.2f} ms  target at most {TARGETS['matrix ms']:.0f} ms")
    both.resolve_until(size.resolves)
    resident = resident_mib(both.service.pid)
    _say(
        f"  resident memory of the worker after {both.resolved:,} resolves: {resident:.0f} MiB"
        f"  target below {TARGETS['resident MiB']:.0f} MiB"
    )


def run(folder: Path, size: Size, connections: int, parts: Sequence[str]) -> None:
    """Measure, and print as it goes."""
    if {"codes", "booking", "records", "payment"} & set(parts):
        with bench(folder, connections) as both:
            if "codes" in parts:
                codes(both, size)
            if "booking" in parts:
                measure_booking(both.demo, both.minimum.port, both.load, size.booking, _say)
            if "records" in parts:
                measure_records(both.demo, both.minimum.port, both.load, size.records, _say)
            if "payment" in parts:
                measure_paying(both.demo, both.minimum.port, both.load, size.pairs, size.requests // 10, _say)
                measure_reconciling(both.demo, size.pairs, _say)
    if "library" in parts:
        _say("Against the bare library (cryptography's verify, zxing-cpp's writer):")
        for name, found in offline(size.seconds).items():
            _say(_row(name, found))
    if "ready" in parts:
        first, again = ready_seconds(folder)
        _say(f"Demo ready after {first:.1f} s from nothing, {again:.1f} s again  target {TARGETS['ready s']:.0f} s")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements, 20,000 resolves")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--connections", type=int, default=32, help="kept-alive connections of the load generator")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, too
    with tempfile.TemporaryDirectory(prefix="yima-bench-") as folder:
        parts = (options.only,) if options.only else PARTS
        run(Path(folder), QUICK if options.quick else FULL, options.connections, parts)


if __name__ == "__main__":
    main()
