"""Prometheus metrics, over all workers (prometheus_client's multiprocess files under YIMA_INTERNAL metrics folder)."""

import collections
import os
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.afterwards import Afterwards

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0)

_REQUESTS = Counter("yima_requests", "Answers", ["route", "status"])
_SECONDS = Histogram("yima_request_seconds", "Time to answer", ["route"], buckets=_BUCKETS)
_PROBLEMS = Counter("yima_problems", "Answers that said no", ["route", "code"])
_SCANS = Counter("yima_scans", "Scans by outcome", ["outcome"])
_FORGED = Counter("forged_signature", "Good signatures over cards that do not exist: a key was stolen")
_BOOKINGS: Final = Counter("yima_bookings", "Tries to book or cancel by outcome", ["outcome"])
_GLASSES = Counter("yima_break_glass", "Breakings of the glass", ["reason"])
_MONEY_NEWS: Final = Counter("yima_money_news", "News of WeChat Pay", ["kind", "outcome"])
_RECONCILED: Final = Counter("yima_reconciliations", "Days compared with the other side's books", ["channel", "status"])
_DIFFERENCES: Final = Counter("yima_reconciliation_differences", "What two books have otherwise", ["channel", "kind"])
_REFUSED_KEYS = Counter("yima_refused_by_key_state", "Codes refused for their key, by its state", ["state"])
_INTEGRITY = Counter("yima_integrity_failures", "Stored rows whose hash did not hold", ["table"])
_UPSTREAM = Counter("yima_upstream_calls", "Calls to systems outside", ["upstream", "call", "outcome"])
_UPSTREAM_SECONDS = Histogram("yima_upstream_seconds", "Time of calls outside", ["upstream"], buckets=_BUCKETS)
_DEGRADED = Counter("yima_limits_degraded", "Times the shared rate limits could not be asked")
_DELIVERIES = Counter("yima_deliveries", "Outbox deliveries by outcome", ["kind", "outcome"])
_RING_AGE = Gauge("yima_ring_age_seconds", "Age of the key ring", ["worker"], multiprocess_mode="liveall")
_RING_VERSION = Gauge("yima_ring_version", "Version of the key ring", ["worker"], multiprocess_mode="liveall")


class Metrics:
    """The one place that counts. Labels are words of this program, never a caller's."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], Counter] = {}
        self._seconds: dict[str, Histogram] = {}
        for table in ("cards", "keys"):  # counted from nought: an alert on the increase must see the first one
            _INTEGRITY.labels(table)
        self._scans: dict[str, Counter] = {}
        self._answers = Afterwards(self._count_answers)
        self._scanned = Afterwards(self._count_scans)

    def catch_up(self) -> None:
        """Count what waits to be counted."""
        self._answers.catch_up()
        self._scanned.catch_up()

    def request(self, route: str, status: int, seconds: float) -> None:
        """One answer, counted a moment later."""
        self._answers.add((route, status, seconds))

    def _count_answers(self, answers: list[tuple[str, int, float]]) -> None:
        for route, status, seconds in answers:
            key = (route, status)
            if key not in self._requests:
                self._requests[key] = _REQUESTS.labels(route, str(status))
                self._seconds.setdefault(route, _SECONDS.labels(route))
            self._requests[key].inc()
            self._seconds[route].observe(seconds)

    def problem(self, route: str, code: str) -> None:
        """One answer that said no."""
        _PROBLEMS.labels(route, code).inc()

    def scan(self, outcome: str) -> None:
        """One scan, counted a moment later."""
        self._scanned.add(outcome)

    def _count_scans(self, outcomes: list[str]) -> None:
        for outcome, count in collections.Counter(outcomes).items():
            if outcome not in self._scans:
                self._scans[outcome] = _SCANS.labels(outcome)
            self._scans[outcome].inc(count)

    def booking(self, outcome: str) -> None:
        """One try to book or cancel."""
        _BOOKINGS.labels(outcome).inc()

    def glass(self, reason: str) -> None:
        """One breaking of the glass."""
        _GLASSES.labels(reason).inc()

    def money_news(self, kind: str, outcome: str) -> None:
        """One piece of news of WeChat Pay: of a payment or refund, or a forged one."""
        _MONEY_NEWS.labels(kind, outcome).inc()

    def reconciliation(self, channel: str, status: str) -> None:
        """One day compared."""
        _RECONCILED.labels(channel, status).inc()

    def differences(self, channel: str, kind: str, count: int) -> None:
        """What a comparison found."""
        _DIFFERENCES.labels(channel, kind).inc(count)

    def refused_key(self, state: str) -> None:
        """A code whose key may not verify, by the key's state ("unknown": no such key)."""
        _REFUSED_KEYS.labels(state).inc()

    def forged(self) -> None:
        """The alarm of security.md, rule 3."""
        _FORGED.inc()

    def integrity(self, table: str) -> None:
        """A row whose hash did not hold."""
        _INTEGRITY.labels(table).inc()

    def upstream(self, upstream: str, call: str, outcome: str, seconds: float) -> None:
        """One call to a system outside."""
        _UPSTREAM.labels(upstream, call, outcome).inc()
        _UPSTREAM_SECONDS.labels(upstream).observe(seconds)

    def limits_degraded(self) -> None:
        """The shared rate limits could not be asked."""
        _DEGRADED.inc()

    def delivery(self, kind: str, outcome: str) -> None:
        """One try of the outbox."""
        _DELIVERIES.labels(kind, outcome).inc()

    def ring(self, worker: int, version: int, age: float) -> None:
        """The key ring this worker holds."""
        _RING_VERSION.labels(str(worker)).set(version)
        _RING_AGE.labels(str(worker)).set(age)


def exposition() -> bytes:
    """The text that Prometheus reads, over all workers."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest()
