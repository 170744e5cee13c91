"""Publishing, stopping and closing sessions. Each is one transaction under the session's exclusive lock.

A publication never touches an appointment: what would move or drop a booked slot, or shrink it below what is booked, is
refused. Only `stop` and `close` end appointments.
"""

from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from models.database import Connection, row, rows

_FILL_LOCK: Final = 0x59494D4146494C4C  # who holds several people's locks, as by filling places: one at a time
_CLOSE_LOCK: Final = 0x59494D41434C4F53  # no-shows are marked one session after another: each sees those before it


class SlotPlan(NamedTuple):
    """A slot as it is to be."""

    key: str
    start: datetime
    ends: datetime
    capacity: int


class Plan(NamedTuple):
    """A session as it is to be; `body_hash` is the SHA-256 of the publication, `slots` in the order of time."""

    department: tuple[str, str]
    doctor: tuple[str, str, str] | None
    clinic: str
    room: str
    date: date
    period: str
    fee_fen: int
    opens_at: datetime
    cancel_until: datetime
    min_age: int | None
    max_age: int | None
    sex: str | None
    slots: list[SlotPlan]
    body_hash: bytes


class Published(NamedTuple):
    """What a publication did: the session, whether it is new, whether it changed, and so its limits of age and sex."""

    schedule_id: UUID
    created: bool
    changed: bool
    limits_changed: bool


class CapacityBelowBooked(Exception):
    """A slot would have fewer places than are booked."""


class SlotInUse(Exception):
    """A booked slot, or what its people were told of it, would change."""


class SessionOver(Exception):
    """The session was stopped or closed; `status` says which."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


_COLUMNS: Final = (
    "department_code",
    "department_name",
    "doctor_code",
    "doctor_name",
    "doctor_title",
    "clinic",
    "room",
    "date",
    "period",
    "fee_fen",
    "opens_at",
    "cancel_until",
    "min_age",
    "max_age",
    "sex",
    "body_hash",
    "last_end",
)
# What people were told when they booked: it stays while one of them is booked.
_TOLD: Final = ("department_code", "doctor_code", "clinic", "date", "fee_fen")
_LIMITS: Final = ("min_age", "max_age", "sex")


def _values(plan: Plan) -> tuple[object, ...]:
    doctor = plan.doctor or (None, None, None)
    last_end = max(slot.ends for slot in plan.slots)
    return (*plan.department, *doctor, *plan[2:12], plan.body_hash, last_end)


async def lock(schedule_id: UUID, *, using: Connection) -> None:
    """Take the session's exclusive lock until the transaction ends."""
    await row("SELECT yima_session_lock($1, true)", schedule_id, using=using)


async def schedule(hospital_id: UUID, key: str, *, using: Connection | None = None) -> Any | None:
    """The hospital's session of that key."""
    return await row("SELECT * FROM schedules WHERE hospital_id = $1 AND key = $2", hospital_id, key, using=using)


async def schedule_by_id(schedule_id: UUID) -> Any | None:
    """A session, whosever."""
    return await row("SELECT * FROM schedules WHERE id = $1", schedule_id)


async def slots_of(schedule_id: UUID, *, using: Connection | None = None) -> list[Any]:
    """A session's slots in the order of time, with what is booked of each."""
    return await rows(
        "SELECT s.*, (SELECT count(*) FROM places p WHERE p.schedule_id = s.schedule_id AND p.slot_id = s.id"
        " AND p.appointment_id IS NOT NULL) AS booked FROM slots s WHERE s.schedule_id = $1 AND NOT s.dropped ORDER BY s.start, s.id",
        schedule_id,
        using=using,
    )


async def publish(hospital_id: UUID, key: str, plan: Plan, *, using: Connection) -> Published:
    """Make a session as planned, or bring it to the plan; repeating changes nothing.

    Raises CapacityBelowBooked, SlotInUse or SessionOver.
    """
    schedule_id = uuid4()
    names = ", ".join(_COLUMNS)
    marks = ", ".join(f"${n + 4}" for n in range(len(_COLUMNS)))
    made = await row(
        f"INSERT INTO schedules (id, hospital_id, key, status, version, created_at, changed_at, {names})"
        f" VALUES ($1, $2, $3, 'open', 1, yima_now(), yima_now(), {marks})"
        " ON CONFLICT (hospital_id, key) DO NOTHING RETURNING id",
        schedule_id,
        hospital_id,
        key,
        *_values(plan),
        using=using,
    )
    if made is None:
        return await _republish(hospital_id, key, plan, using=using)
    for slot in plan.slots:
        await _add_slot(schedule_id, hospital_id, plan, slot, using=using)
    return Published(schedule_id, created=True, changed=False, limits_changed=False)


async def _republish(hospital_id: UUID, key: str, plan: Plan, *, using: Connection) -> Published:
    found = await schedule(hospital_id, key, using=using)
    assert found is not None  # noqa: S101 - it was in the way of the new one
    await lock(found["id"], using=using)
    before = await schedule(hospital_id, key, using=using)
    assert before is not None  # noqa: S101 - sessions are never deleted
    if before["body_hash"] == plan.body_hash:
        return Published(before["id"], created=False, changed=False, limits_changed=False)
    if before["status"] != "open":
        raise SessionOver(before["status"])
    after = dict(zip(_COLUMNS, _values(plan), strict=True))
    there = {slot["key"]: slot for slot in await slots_of(before["id"], using=using)}
    _check(before, after, there, plan)
    await _write(before["id"], after, using=using)
    for key_gone in there.keys() - {slot.key for slot in plan.slots}:
        await _drop(there[key_gone]["id"], using=using)
    for slot in plan.slots:
        if slot.key in there:
            await _change_slot(there[slot.key], plan, slot, using=using)
        else:
            await _add_slot(before["id"], hospital_id, plan, slot, using=using)
    limits_changed = any(before[name] != after[name] for name in _LIMITS)
    await _renew_waitings(before["id"], using=using)
    return Published(before["id"], created=False, changed=True, limits_changed=limits_changed)


def _check(before: Any, after: dict[str, Any], there: dict[str, Any], plan: Plan) -> None:
    """What is booked keeps its slot, its time, its places and what its people were told."""
    planned = {slot.key: slot for slot in plan.slots}
    booked = [slot for slot in there.values() if slot["booked"]]
    if booked and (any(before[name] != after[name] for name in _TOLD) or _takes_time_to_cancel(before, after)):
        raise SlotInUse
    for slot in booked:
        new = planned.get(slot["key"])
        if new is None or (new.start, new.ends) != (slot["start"], slot["ends"]):
            raise SlotInUse
        if new.capacity < slot["booked"]:
            raise CapacityBelowBooked


def _takes_time_to_cancel(before: Any, after: dict[str, Any]) -> bool:
    """Whether people who were told until when they may cancel would have less time."""
    return bool(after["cancel_until"] < before["cancel_until"])


async def _write(schedule_id: UUID, after: dict[str, object], *, using: Connection) -> None:
    sets = ", ".join(f"{name} = ${n + 2}" for n, name in enumerate(after))
    await using.execute_query(
        f"UPDATE schedules SET {sets}, version = version + 1, changed_at = yima_now() WHERE id = $1",
        [schedule_id, *after.values()],
    )


async def _add_slot(schedule_id: UUID, hospital_id: UUID, plan: Plan, slot: SlotPlan, *, using: Connection) -> None:
    """A new slot, or one that was dropped before, with its places."""
    doctor = plan.doctor[0] if plan.doctor else None
    found = await row(
        "INSERT INTO slots (id, schedule_id, hospital_id, department_code, doctor_code, key, date, start, ends, capacity,"
        " stopped, dropped) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false, false) ON CONFLICT (schedule_id, key) DO UPDATE SET dropped = false,"
        " stopped = false, department_code = $4, doctor_code = $5, date = $7, start = $8, ends = $9, capacity = $10"
        " RETURNING id",
        uuid4(),
        schedule_id,
        hospital_id,
        plan.department[0],
        doctor,
        slot.key,
        plan.date,
        slot.start,
        slot.ends,
        slot.capacity,
        using=using,
    )
    assert found is not None  # noqa: S101 - an upsert returns its row
    await _add_places(schedule_id, found["id"], slot.capacity, using=using)


async def _change_slot(before: Any, plan: Plan, slot: SlotPlan, *, using: Connection) -> None:
    doctor = plan.doctor[0] if plan.doctor else None
    await using.execute_query(
        "UPDATE slots SET department_code = $2, doctor_code = $3, date = $4, start = $5, ends = $6, capacity = $7"
        " WHERE id = $1",
        [before["id"], plan.department[0], doctor, plan.date, slot.start, slot.ends, slot.capacity],
    )
    if slot.capacity > before["capacity"]:
        await _add_places(before["schedule_id"], before["id"], slot.capacity - before["capacity"], using=using)
    elif slot.capacity < before["capacity"]:
        await using.execute_query(
            "DELETE FROM places WHERE id IN (SELECT id FROM places WHERE slot_id = $1 AND appointment_id IS NULL"
            " ORDER BY number DESC LIMIT $2)",
            [before["id"], before["capacity"] - slot.capacity],
        )


async def _add_places(schedule_id: UUID, slot_id: UUID, count: int, *, using: Connection) -> None:
    """So many places with the session's next numbers."""
    await using.execute_query(
        "INSERT INTO places (id, schedule_id, slot_id, number) SELECT gen_random_uuid(), $1, $2, n + coalesce("
        "(SELECT max(number) FROM places WHERE schedule_id = $1), 0) FROM generate_series(1, $3::int) n",
        [schedule_id, slot_id, count],
    )


async def _drop(slot_id: UUID, *, using: Connection) -> None:
    """A slot that nobody booked goes from sale; who waited for it waits no more."""
    await using.execute_query("UPDATE slots SET dropped = true WHERE id = $1", [slot_id])
    await using.execute_query("DELETE FROM places WHERE slot_id = $1 AND appointment_id IS NULL", [slot_id])
    await using.execute_query(
        "UPDATE waitings SET status = 'expired' WHERE slot_id = $1 AND status = 'waiting'", [slot_id]
    )


async def _renew_waitings(schedule_id: UUID, *, using: Connection) -> None:
    """Until when each waits, after slots were added, moved or stopped; who can be given none of them any more is out."""
    await using.execute_query(
        "UPDATE waitings w SET until = coalesce(n.until, w.until),"
        " status = CASE WHEN n.until > yima_now() THEN 'waiting' ELSE 'expired' END"
        " FROM (SELECT q.id, (SELECT max(s.start) - interval '2 hours' FROM slots s"
        " WHERE s.schedule_id = q.schedule_id AND NOT s.dropped AND NOT s.stopped"
        " AND (q.slot_id IS NULL OR s.id = q.slot_id)) AS until FROM waitings q"
        " WHERE q.schedule_id = $1 AND q.status = 'waiting') n WHERE w.id = n.id AND w.status = 'waiting'",
        [schedule_id],
    )


async def waiting_people(schedule_id: UUID, *, using: Connection) -> list[Any]:
    """Who waits for a session: waiting id and person, for their eligibility to be told anew."""
    return await rows(
        "SELECT id, person_id FROM waitings WHERE schedule_id = $1 AND status = 'waiting'", schedule_id, using=using
    )


async def set_eligible(waiting_id: UUID, *, eligible: bool, using: Connection) -> None:
    """Whether the session's limits of age and sex allow one who waits."""
    await using.execute_query("UPDATE waitings SET eligible = $2 WHERE id = $1", [waiting_id, eligible])


async def lock_filling(*, using: Connection) -> None:
    """Hold several people's locks alone, until the transaction ends. Sessions' locks are taken before it."""
    await row("SELECT pg_advisory_xact_lock($1)", _FILL_LOCK, using=using)


async def fill_free(schedule_id: UUID, *, using: Connection) -> list[UUID]:
    """Give the session's free places to its line, in the order of numbers; the appointments that were made."""
    waits = await row(
        "SELECT 1 FROM waitings WHERE schedule_id = $1 AND status = 'waiting' AND eligible LIMIT 1",
        schedule_id,
        using=using,
    )
    if waits is None:
        return []
    await lock_filling(using=using)
    places = await rows(
        "SELECT p.id FROM places p JOIN slots s ON s.id = p.slot_id WHERE p.schedule_id = $1"
        " AND p.appointment_id IS NULL AND NOT s.stopped AND s.start > yima_now() ORDER BY p.number",
        schedule_id,
        using=using,
    )
    filled = []
    for place in places:
        made = await row("SELECT yima_fill($1, yima_now()) AS made", place["id"], using=using)
        if made is not None and made["made"] is not None:
            filled.append(made["made"])
    return filled


async def stop(schedule_id: UUID, keys: list[str] | None, reason: str, *, using: Connection) -> list[UUID]:
    """Stop a session, or the slots of these keys: their appointments are cancelled; the ids of those that now were.

    The caller holds the lock.
    """
    stopped = await rows(
        "UPDATE slots SET stopped = true WHERE schedule_id = $1 AND ($2::text[] IS NULL OR key = ANY($2))"
        " AND NOT stopped AND NOT dropped RETURNING id",
        schedule_id,
        keys,
        using=using,
    )
    slot_ids = [slot["id"] for slot in stopped]
    cancelled = await rows(
        "UPDATE appointments SET status = 'cancelled', cancelled_by = 'hospital', reason = $2, ended_at = yima_now(),"
        " turn = NULL WHERE slot_id = ANY($1) AND status IN ('booked', 'arrived') RETURNING id",
        slot_ids,
        reason,
        using=using,
    )
    ids = [appointment["id"] for appointment in cancelled]
    await using.execute_query("UPDATE places SET appointment_id = NULL WHERE appointment_id = ANY($1)", [ids])
    await using.execute_query(
        "UPDATE schedules SET status = 'stopped', version = version + 1, changed_at = yima_now() WHERE id = $1"
        " AND status = 'open' AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.schedule_id = $1 AND NOT s.stopped"
        " AND NOT s.dropped)",
        [schedule_id],
    )
    await using.execute_query(
        "UPDATE waitings SET status = 'expired' WHERE schedule_id = $1 AND status = 'waiting' AND (slot_id = ANY($2)"
        " OR EXISTS (SELECT 1 FROM schedules d WHERE d.id = $1 AND d.status = 'stopped'))",
        [schedule_id, slot_ids],
    )
    await _renew_waitings(schedule_id, using=using)
    await _note(ids, "cancelled", using=using)
    return ids


async def close(schedule_id: UUID, *, using: Connection) -> list[UUID]:
    """Close a session: who is still booked did not come. The ids of those that now are no-shows.

    The caller holds the lock.
    """
    await row("SELECT pg_advisory_xact_lock($1)", _CLOSE_LOCK, using=using)
    missed = await rows(
        "UPDATE appointments SET status = 'noshow', ended_at = yima_now() WHERE schedule_id = $1 AND status = 'booked'"
        " RETURNING id",
        schedule_id,
        using=using,
    )
    await using.execute_query(
        "UPDATE schedules SET status = 'closed', version = version + 1, changed_at = yima_now()"
        " WHERE id = $1 AND status = 'open'",
        [schedule_id],
    )
    await using.execute_query(
        "UPDATE waitings SET status = 'expired' WHERE schedule_id = $1 AND status = 'waiting'", [schedule_id]
    )
    ids = [appointment["id"] for appointment in missed]
    await _note(ids, "noshow", using=using)
    return ids


async def _note(ids: list[UUID], kind: str, *, using: Connection) -> None:
    await row(
        "SELECT count(yima_change(a.hospital_id, $2, a.id, a.ended_at)) FROM (SELECT * FROM appointments"
        " WHERE id = ANY($1) ORDER BY number) a",
        ids,
        kind,
        using=using,
    )


async def newly_paused(missed: list[UUID], *, using: Connection) -> list[Any]:
    """Of these no-shows, those that were their person's third within 90 days: id and `until`."""
    return await rows(
        "SELECT a.id, p.until FROM appointments a CROSS JOIN LATERAL (SELECT yima_paused_until(a.person_id, a.ended_at)"
        " AS until) p WHERE a.id = ANY($1) AND p.until = a.ended_at + interval '90 days'",
        missed,
        using=using,
    )
