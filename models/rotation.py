"""Rotating keys: asked for by custodians or done by the schedule, each act one transaction (security.md, 3)."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from codes.lifecycle import Actor, Facts, Gate, GateRefused, check
from codes.ring import KeyState, Purpose
from models.admins import iso, note
from models.approvals import ask, confirm_later, confirmation_of
from models.database import Connection, row, transaction
from models.key_reports import count_uses
from models.key_rows import (
    KEYS_LOCK,
    ROTATED,
    SCHEDULE,
    By,
    KeyRow,
    Timing,
    change,
    facts_of,
    key_in_state,
    key_row,
    key_rows,
    lock_ring,
    turn_ring,
)
from models.keyring import insert_key
from models.vault import Vault


class StaleVersion(Exception):
    """The ring is of another version than the caller saw."""


class Rotation(NamedTuple):
    """A pending key, and when it can be active at the earliest."""

    kid: bytes
    created: bool
    activates_at: datetime


class Outcome(NamedTuple):
    """A transition that was made (`key`), or waits for a second custodian (`approval_id`)."""

    key: KeyRow
    approval_id: UUID | None


class Compromise(NamedTuple):
    """What a compromise did: the replacement (if the key was active) and the confirmation it waits for."""

    kid: bytes
    replacement_kid: bytes | None
    approval_id: UUID
    ended: int


async def request_rotation(vault: Vault, purpose: Purpose, at_once: bool, by: By, timing: Timing) -> Rotation:
    """A pending key for a purpose: the one that is there, or a new one.

    `at_once`: active as soon as the gates hold; else at the period's end.
    """
    async with transaction() as tx:
        _, now = await lock_ring(using=tx)
        pending = await key_in_state(vault, purpose, KeyState.PENDING, using=tx)
        after = now if at_once else await _period_end(vault, purpose, now, timing, using=tx)
        if pending is not None:
            if pending.activate_after is None or after < pending.activate_after:
                await tx.execute_query("UPDATE keys SET activate_after = $2 WHERE id = $1", [pending.row_id, after])
                details = {"purpose": purpose.value, "activate_after": iso(after)}
                await note(by.admin_id, by.name, "key.sooner", pending.kid.hex(), details=details, using=tx)
                pending = pending._replace(activate_after=after)
            return Rotation(pending.kid, False, _activates_at(pending, timing))
        key = await _make_pending(vault, purpose, after, by, using=tx)
        return Rotation(key.kid, True, _activates_at(key, timing))


async def _period_end(vault: Vault, purpose: Purpose, now: datetime, timing: Timing, *, using: Connection) -> datetime:
    active = await key_in_state(vault, purpose, KeyState.ACTIVE, using=using)
    period = timing.periods.get(purpose, 0)
    if active is None or active.activated_at is None or not period:
        return now
    return max(now, active.activated_at + timedelta(seconds=period))


async def _make_pending(vault: Vault, purpose: Purpose, after: datetime, by: By, *, using: Connection) -> KeyRow:
    check(None, KeyState.PENDING, by.actor, Facts(0.0))  # the callers saw, under the ring's lock, that none is pending
    kid = await insert_key(vault, purpose, KeyState.PENDING, using=using)
    await using.execute_query("UPDATE keys SET activate_after = $2 WHERE kid = $1", [kid, after])
    await turn_ring(using=using)
    details = {"purpose": purpose.value, "from": None, "to": KeyState.PENDING.value}
    await note(by.admin_id, by.name, "key.transition", kid.hex(), details=details, using=using)
    return await key_row(vault, kid, using=using)


def _activates_at(key: KeyRow, timing: Timing) -> datetime:
    published = (key.published_at or key.created_at) + timedelta(seconds=timing.lead)
    return max(published, key.activate_after or published)


async def transition(
    vault: Vault, kid: bytes, to: KeyState, by: By, reason: str, seen_version: int, timing: Timing
) -> Outcome:
    """Make a transition, or ask a second custodian where two are needed.

    Raises NoSuchKey, StaleVersion (the ring changed since it was seen) or GateRefused.
    """
    async with transaction() as tx:
        version, now = await lock_ring(using=tx)
        if version != seen_version:
            raise StaleVersion
        key = await key_row(vault, kid, using=tx)
        _rotatable(key)
        if to is KeyState.COMPROMISED:
            raise GateRefused(Gate.TABLE, "a compromise has a call of its own")
        rule = check(key.state, to, by.actor, await facts_of(key, now, timing, using=tx))
        if rule.custodians > 1:
            return Outcome(key, await ask(key, to, by, reason, using=tx))
        return Outcome(await make(vault, key, to, by, reason, now, timing, using=tx), None)


def _rotatable(key: KeyRow) -> None:
    if key.purpose not in ROTATED:
        raise GateRefused(Gate.TABLE, f"keys of purpose {key.purpose} are not rotated here")


async def make(
    vault: Vault,
    key: KeyRow,
    to: KeyState,
    by: By,
    reason: str | None,
    now: datetime,
    timing: Timing,
    *,
    using: Connection,
) -> KeyRow:
    """Write a transition that its gates allow, with what belongs to it, and turn the ring."""
    version = await turn_ring(using=using)
    columns: dict[str, Any] = {}
    if to is KeyState.ACTIVE:
        await _retire_active(vault, key.purpose, by, reason, now, using=using)
        columns = {"activated_at": now, "retiring_at": None}
    elif to is KeyState.RETIRED:
        columns = {"retired_at": now, "destroy_at": None}
    elif to is KeyState.PENDING:
        columns = {"published_at": now, "activate_after": now, "retired_at": None, "ring_version": version}
    elif to is KeyState.DESTROY_SCHEDULED:
        columns = {"destroy_at": now + timedelta(seconds=timing.destroy_wait)}
    elif to is KeyState.DESTROYED:
        columns = {"destroyed_at": now, "wrapped": None}
    return await change(vault, key, to, by, reason, using=using, **columns)


async def _retire_active(
    vault: Vault, purpose: Purpose, by: By, reason: str | None, now: datetime, *, using: Connection
) -> None:
    active = await key_in_state(vault, purpose, KeyState.ACTIVE, using=using)
    if active is not None:
        await change(vault, active, KeyState.RETIRING, by, reason, using=using, retiring_at=now)


async def compromise(vault: Vault, kid: bytes, reason: str, since: datetime | None, by: By) -> Compromise:
    """Cut a key off at once; nothing under it that begins after this returns is accepted.

    If it was active, its replacement is active in the same commit; the purpose's pending key goes too. Repeating
    gives the first answer. Raises NoSuchKey or GateRefused (destroyed, or of a purpose not rotated here).
    """
    async with transaction() as tx:
        _, now = await lock_ring(using=tx)
        await tx.execute_query("SELECT pg_advisory_xact_lock($1)", [KEYS_LOCK])
        key = await key_row(vault, kid, using=tx)
        _rotatable(key)
        if key.state is KeyState.COMPROMISED:
            return await _as_before(key, using=tx)
        check(key.state, KeyState.COMPROMISED, by.actor, await facts_of(key, now, Timing(0, 0, 0), using=tx))
        revoked = min(since or key.activated_at or key.created_at, now)
        pending = await key_in_state(vault, key.purpose, KeyState.PENDING, using=tx)
        replacement = None
        gone = await change(
            vault, key, KeyState.COMPROMISED, by, reason, using=tx, compromised_at=now, revoked_since=revoked
        )
        if pending is not None and pending.kid != kid:
            await change(
                vault,
                pending,
                KeyState.COMPROMISED,
                by,
                reason,
                using=tx,
                compromised_at=now,
                revoked_since=pending.created_at,
            )
        if key.state is KeyState.ACTIVE:
            replacement = await insert_key(vault, key.purpose, KeyState.ACTIVE, using=tx)
            details = {"purpose": key.purpose.value, "from": None, "to": KeyState.ACTIVE.value, "replaces": kid.hex()}
            await note(
                by.admin_id, by.name, "key.transition", replacement.hex(), reason=reason, details=details, using=tx
            )
            await tx.execute_query("UPDATE keys SET replacement_kid = $2 WHERE id = $1", [key.row_id, replacement])
        await turn_ring(using=tx)
        approval_id = await confirm_later(gone, key.state, by, reason, using=tx)
        return Compromise(kid, replacement, approval_id, (await count_uses(kid, revoked, using=tx)).open)


async def _as_before(key: KeyRow, *, using: Connection) -> Compromise:
    approval_id = await confirmation_of(key.kid, using=using)
    if approval_id is None:  # it went with another key of its purpose
        raise GateRefused(Gate.TABLE, "it was compromised together with the purpose's active key")
    revoked = await row("SELECT revoked_since FROM keys WHERE kid = $1", key.kid, using=using)
    since = revoked["revoked_since"] if revoked else key.created_at
    return Compromise(key.kid, key.replacement_kid, approval_id, (await count_uses(key.kid, since, using=using)).open)


async def tick(vault: Vault, timing: Timing) -> list[str]:
    """What the schedule does now: make keys whose period ends, activate, retire, destroy; what it did, in words.

    Run by one lease holder; each act is a transaction of its own that checks its gates again.
    """
    done = []
    for key in await key_rows(vault):
        if key.purpose in ROTATED:
            done += await _tick_key(vault, key, timing)
    return done


_STEPS: Final = {
    KeyState.PENDING: KeyState.ACTIVE,
    KeyState.RETIRING: KeyState.RETIRED,
    KeyState.DESTROY_SCHEDULED: KeyState.DESTROYED,
}


async def _tick_key(vault: Vault, seen: KeyRow, timing: Timing) -> list[str]:
    to = _STEPS.get(seen.state)
    if to is None:
        return await _tick_period(vault, seen, timing) if seen.state is KeyState.ACTIVE else []
    async with transaction() as tx:
        _, now = await lock_ring(using=tx)
        key = await key_row(vault, seen.kid, using=tx)
        if key.state is not seen.state:
            return []
        try:
            check(key.state, to, Actor.SCHEDULE, await facts_of(key, now, timing, using=tx))
        except GateRefused:
            return []
        await make(vault, key, to, SCHEDULE, None, now, timing, using=tx)
    return [f"{key.purpose} {key.kid.hex()} {key.state} -> {to}"]


async def _tick_period(vault: Vault, active: KeyRow, timing: Timing) -> list[str]:
    """Make the next key a lead before the period ends, once a period."""
    period = timing.periods.get(active.purpose, 0)
    if not period or active.activated_at is None:
        return []
    ends = active.activated_at + timedelta(seconds=period)
    async with transaction() as tx:
        _, now = await lock_ring(using=tx)
        if now < ends - timedelta(seconds=timing.lead):
            return []
        if await key_in_state(vault, active.purpose, KeyState.PENDING, using=tx) is not None:
            return []
        still = await key_row(vault, active.kid, using=tx)
        if still.state is not KeyState.ACTIVE:
            return []
        key = await _make_pending(vault, active.purpose, ends, SCHEDULE, using=tx)
        once = await row(  # a period's key that was compromised while it was pending has a successor
            "INSERT INTO scheduled_rotations AS s (id, purpose, period_start, kid, at)"
            " VALUES ($1, $2, $3, $4, yima_now()) ON CONFLICT (purpose, period_start) DO UPDATE"
            " SET kid = EXCLUDED.kid, at = EXCLUDED.at"
            " WHERE EXISTS (SELECT 1 FROM keys k WHERE k.kid = s.kid AND k.state = 'compromised') RETURNING id",
            uuid4(),
            active.purpose.value,
            active.activated_at,
            key.kid,
            using=tx,
        )
        if once is None:
            raise StaleVersion
    return [f"{active.purpose} {key.kid.hex()} -> pending"]


async def confirm_ring(seen: int, by: By, reason: str) -> int:
    """Go on after a database was put back: the ring's version is set above any that a worker has seen."""
    async with transaction() as tx:
        await lock_ring(using=tx)
        await tx.execute_query("UPDATE ring SET version = greatest(version, $1)", [seen])
        version = await turn_ring(using=tx)
        await tx.execute_query("UPDATE keys SET ring_version = $1 WHERE state IN ('pending', 'active')", [version])
        await note(by.admin_id, by.name, "ring.confirm", str(version), reason=reason, using=tx)
    return version
