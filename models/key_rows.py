"""Key rows under the state machine: read and checked, changed only through `change`, with gates' facts by query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from codes.lifecycle import Actor, Facts, life_after, next_step
from codes.ring import KeyState, Purpose
from models.admins import note
from models.database import Connection, row, rows
from models.vault import Vault

RING_LOCK: Final = 0x59494B52  # "YIKR": one change of the ring at a time
KEYS_LOCK: Final = 1497987397  # resolves hold it shared (resolve.sql); a compromise takes it exclusively
REPORT_FRESH_SECONDS: Final = 60.0  # a worker whose report is older is dead, or has stopped issuing
RING_CHANNEL: Final = "yima_ring"
ROTATED: Final = (Purpose.CODE, Purpose.TOKEN, Purpose.PRINT)


@dataclass(frozen=True, slots=True)
class Timing:
    """The settings that gates and schedules use, in seconds. `periods`: 0 rotates by hand alone."""

    lead: float
    key_set_max_age: float
    destroy_wait: float
    periods: Mapping[Purpose, int] = field(default_factory=dict)
    backup_horizon: float = 0.0


class By(NamedTuple):
    """Who asks: the schedule, or a custodian by id and name."""

    actor: Actor
    admin_id: UUID | None
    name: str


SCHEDULE: Final = By(Actor.SCHEDULE, None, "schedule")


class KeyRow(NamedTuple):
    """A key version's row, its hash checked."""

    row_id: int
    kid: bytes
    purpose: Purpose
    suite: str
    state: KeyState
    version: int
    created_at: datetime
    published_at: datetime | None
    activated_at: datetime | None
    retiring_at: datetime | None
    retired_at: datetime | None
    destroy_at: datetime | None
    destroyed_at: datetime | None
    compromised_at: datetime | None
    activate_after: datetime | None
    longest_life: int
    retain: bool
    ring_version: int | None
    replacement_kid: bytes | None


class NoSuchKey(LookupError):
    """No key of that kid."""


def _open(vault: Vault, record: Any) -> KeyRow:
    vault.rows.check_key(
        record["mac"], record["kid"], record["purpose"], record["suite"], record["state"], record["version"]
    )
    names = KeyRow._fields[6:]
    return KeyRow(
        record["id"],
        record["kid"],
        Purpose(record["purpose"]),
        record["suite"],
        KeyState(record["state"]),
        record["version"],
        *(record[name] for name in names),
    )


async def key_rows(vault: Vault, *, using: Connection | None = None) -> list[KeyRow]:
    """All keys, oldest first. Raises IntegrityBroken."""
    return [_open(vault, record) for record in await rows("SELECT * FROM keys ORDER BY id", using=using)]


async def key_row(vault: Vault, kid: bytes, *, using: Connection) -> KeyRow:
    """The key that `kid` names. Raises NoSuchKey or IntegrityBroken."""
    found = await row("SELECT * FROM keys WHERE kid = $1", kid, using=using)
    if found is None:
        raise NoSuchKey
    return _open(vault, found)


async def key_in_state(vault: Vault, purpose: Purpose, state: KeyState, *, using: Connection) -> KeyRow | None:
    """The purpose's key in a state that one key at most is in (pending, active)."""
    found = await row(
        "SELECT * FROM keys WHERE purpose = $1 AND state = $2 LIMIT 1", purpose.value, state.value, using=using
    )
    return _open(vault, found) if found else None


async def lock_ring(*, using: Connection) -> tuple[int, datetime]:
    """Hold the ring until the transaction ends; its version and the database's time."""
    await using.execute_query("SELECT pg_advisory_xact_lock($1)", [RING_LOCK])
    found = await row("SELECT version, yima_now() AS now FROM ring", using=using)
    assert found is not None  # noqa: S101 - the migration made the row
    return found["version"], found["now"]


async def turn_ring(*, using: Connection) -> int:
    """Count one change of the ring and hint at it; the new version. Workers poll, so a lost hint costs a poll."""
    found = await row("UPDATE ring SET version = version + 1, changed_at = yima_now() RETURNING version", using=using)
    assert found is not None  # noqa: S101 - the migration made the row
    await using.execute_query("SELECT pg_notify($1, $2)", [RING_CHANNEL, str(found["version"])])
    return int(found["version"])


async def facts_of(key: KeyRow, now: datetime, timing: Timing, *, using: Connection) -> Facts:
    """What the gates ask, read in the caller's transaction."""
    lagging = await row(
        "SELECT count(*) AS n FROM ring_reports WHERE version < $1 AND at > yima_now() - make_interval(secs => $2)",
        key.ring_version or 0,
        REPORT_FRESH_SECONDS,
        using=using,
    )
    pending = await row(
        "SELECT 1 FROM keys WHERE purpose = $1 AND state = 'pending' AND kid <> $2",
        key.purpose.value,
        key.kid,
        using=using,
    )
    return facts_from(key, now, timing, lagging=lagging["n"] if lagging else 0, other_pending=pending is not None)


def facts_from(key: KeyRow, now: datetime, timing: Timing, *, lagging: int, other_pending: bool) -> Facts:
    """The same from what was read already."""
    return Facts(
        now=now.timestamp(),
        published_at=_seconds(key.published_at),
        activate_after=_seconds(key.activate_after),
        retiring_at=_seconds(key.retiring_at),
        destroy_at=_seconds(key.destroy_at),
        lead=timing.lead,
        lagging=lagging,
        other_pending=other_pending,
        references=0,  # codes, tokens and printed codes under a key are good for a time, not by a row
        life_after=life_after(key.purpose, key.longest_life, timing.key_set_max_age),
        retain=key.retain,
        retired_at=_seconds(key.retired_at),
        backup_horizon=timing.backup_horizon,
    )


class Step(NamedTuple):
    """What the schedule does with a key next: `at` is None while it waits for something other than time."""

    to: KeyState
    at: datetime | None
    waits_for: str | None


def next_of(key: KeyRow, workers: list[Any], now: datetime, timing: Timing) -> Step | None:
    """A key's next step, by the workers' reports; for an active key, the end of its period."""
    if key.purpose not in ROTATED:
        return None
    lagging = sum(worker["live"] and worker["version"] < (key.ring_version or 0) for worker in workers)
    step = next_step(key.state, facts_from(key, now, timing, lagging=lagging, other_pending=False))
    if step is not None:
        to, at, waits_for = step
        return Step(to, datetime.fromtimestamp(at, UTC) if at is not None else None, waits_for)
    period = timing.periods.get(key.purpose, 0)
    if key.state is KeyState.ACTIVE and period and key.activated_at:
        return Step(KeyState.RETIRING, key.activated_at + timedelta(seconds=period), "period-end")
    return None


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


async def change(
    vault: Vault,
    key: KeyRow,
    to: KeyState,
    by: By,
    reason: str | None,
    *,
    using: Connection,
    **columns: Any,
) -> KeyRow:
    """Write a transition that was checked, with its hash, its times and its entry in the audit.

    `columns`: further columns of the row. The caller holds the ring and turns it.
    """
    version = key.version + 1
    values: dict[str, Any] = {
        "state": to.value,
        "version": version,
        "mac": vault.rows.key(key.kid, key.purpose.value, key.suite, to.value, version),
        **columns,
    }
    names = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=3))
    written = await row(
        f"UPDATE keys SET {names} WHERE id = $1 AND version = $2 RETURNING *",
        key.row_id,
        key.version,
        *values.values(),
        using=using,
    )
    if written is None:
        raise NoSuchKey
    details = {"purpose": key.purpose.value, "from": key.state.value, "to": to.value}
    await note(by.admin_id, by.name, "key.transition", key.kid.hex(), reason=reason, details=details, using=using)
    return _open(vault, written)


async def report_ring(worker: UUID, slot: str, version: int) -> None:
    """Say which ring version a worker holds."""
    await row(
        "INSERT INTO ring_reports (worker, slot, version, at) VALUES ($1, $2, $3, yima_now())"
        " ON CONFLICT (worker) DO UPDATE SET version = EXCLUDED.version, at = EXCLUDED.at, slot = EXCLUDED.slot"
        " RETURNING worker",
        worker,
        slot,
        version,
    )


async def forget_report(worker: UUID) -> None:
    """A worker says goodbye."""
    await row("DELETE FROM ring_reports WHERE worker = $1 RETURNING worker", worker)


async def ring_reports() -> list[Any]:
    """Each worker's last report, with `live`; those of an hour ago are deleted."""
    await row("DELETE FROM ring_reports WHERE at < yima_now() - interval '1 hour' RETURNING worker")
    return await rows(
        "SELECT worker, slot, version, at, at > yima_now() - make_interval(secs => $1) AS live FROM ring_reports ORDER BY slot",
        REPORT_FRESH_SECONDS,
    )


async def note_life(purpose: Purpose, seconds: int) -> None:
    """Remember the longest life that the active key's codes were given: its retirement waits for them."""
    await row(
        "UPDATE keys SET longest_life = $2 WHERE purpose = $1 AND state = 'active' AND longest_life < $2 RETURNING id",
        purpose.value,
        seconds,
    )
