"""What is seen of the keys from outside: state, age, next transition, and the ring version of each worker."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from api.schedule import timing_of
from api.settings import Settings
from models.database import row
from models.glasses import overdue
from models.key_rows import KeyRow, key_rows, next_of, ring_reports
from models.money_work import count_listed
from models.vault import Vault


class _Snapshot:
    """A collector over rows that were just read."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


async def key_exposition(vault: Vault, settings: Settings) -> bytes:
    """The text for Prometheus, read from the database now; a kid is public."""
    ring = await row(
        "SELECT r.version, yima_now() AS now, (SELECT count(*) FROM approvals WHERE kind = 'compromise'"
        " AND decided_at IS NULL AND expires_at <= yima_now()) AS unconfirmed FROM ring r"
    )
    unreviewed = await overdue()
    if ring is None:
        return b""
    keys, workers = await key_rows(vault), await ring_reports()
    registry = CollectorRegistry()
    registry.register(
        _Snapshot([*_metrics(keys, workers, ring, settings), _glasses(unreviewed), _unresolved(await count_listed())])
    )
    return generate_latest(registry)


def _glasses(unreviewed: int) -> Metric:
    return GaugeMetricFamily(
        "yima_break_glass_overdue", "Breakings of the glass without a verdict for more than 7 days", value=unreviewed
    )


def _unresolved(count: int) -> Metric:
    return GaugeMetricFamily(
        "yima_money_unresolved", "Payments and refunds whose outcome no try has found out", value=count
    )


def _metrics(keys: list[KeyRow], workers: list[Any], ring: Any, settings: Settings) -> list[Metric]:
    labels, timing = ["purpose", "kid", "state"], timing_of(settings)
    age = GaugeMetricFamily("yima_key_age_seconds", "Time since the key was made", labels=labels)
    ahead = GaugeMetricFamily(
        "yima_key_next_transition_seconds", "Time until the next scheduled transition", labels=[*labels, "to"]
    )
    for key in keys:
        names = [key.purpose.value, key.kid.hex(), key.state.value]
        age.add_metric(names, (ring["now"] - key.created_at).total_seconds())
        step = next_of(key, workers, ring["now"], timing)
        if step is not None and step.at is not None:
            ahead.add_metric([*names, step.to.value], (step.at - ring["now"]).total_seconds())
    held = GaugeMetricFamily("yima_worker_ring_version", "Ring version a worker reported", labels=["worker", "live"])
    for worker in workers:
        held.add_metric([worker["slot"], "yes" if worker["live"] else "no"], worker["version"])
    current = GaugeMetricFamily("yima_database_ring_version", "The database's ring version", value=ring["version"])
    unconfirmed = GaugeMetricFamily(
        "yima_compromise_unconfirmed", "Compromises not confirmed within 24 h", value=ring["unconfirmed"]
    )
    return [age, ahead, held, current, unconfirmed]
