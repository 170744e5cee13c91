"""A hospital publishes, stops and closes its sessions, and lists who booked them."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

import msgspec

from api.booking.eligibility import Limits, allows
from api.booking.shown import SHANGHAI, shown_numbered, shown_schedule
from api.booking.telling import tell_filled, tell_paused, tell_stopped
from api.booking.types import (
    Closed,
    NumberedAppointmentList,
    Schedule,
    ScheduleRequest,
    SlotGiven,
    Stopped,
    StopRequest,
)
from api.hospital.standing import standing_hospital
from api.patient.types import Empty
from api.problems import (
    CAPACITY_BELOW_BOOKED,
    CONFLICT,
    NOT_ALLOWED,
    NOT_FOUND,
    SESSION_STOPPED,
    SLOT_IN_USE,
    SLOT_PAST,
    VALIDATION_FAILED,
    FieldError,
    Problem,
    Text,
)
from api.run.failpoints import reach
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models import schedules
from models.appointments import appointments, appointments_of_schedule
from models.cards import people
from models.database import Connection, transaction
from models.scans import open_patient_number
from models.schedules import CapacityBelowBooked, Plan, SessionOver, SlotInUse, SlotPlan

subject = Subject("Booking")
_YEARS: Final = range(2020, 2100)
_KEY_MOST: Final = 64
_TOO_EARLY: Final = Text(
    "这是以后日期的门诊，还不能结束；如不开诊请用停诊。", "Its date is still to come: stop it instead."
)


@subject.route(
    "PUT",
    "/v1/hospital/schedules/<key:str>",
    Caller.HOSPITAL,
    "Publish a session by the hospital's own key, or change it",
    body=ScheduleRequest,
    answers={201: Schedule, 200: Schedule},
    problems=(NOT_ALLOWED, CAPACITY_BELOW_BOOKED, SLOT_IN_USE, SESSION_STOPPED, SLOT_PAST),
    limit="hospital",
)
async def publish_schedule(call: Call[ScheduleRequest]) -> Answer:
    """Repeating changes nothing. Growth, new slots and changes of unbooked ones apply; no appointment is touched."""
    hospital_id, key, plan = await standing_hospital(call, "booking"), _new_key(call), _plan(call.body)
    async with transaction() as tx:
        try:
            done = await schedules.publish(hospital_id, key, plan, using=tx)
        except CapacityBelowBooked:
            raise Problem(CAPACITY_BELOW_BOOKED) from None
        except SlotInUse:
            raise Problem(SLOT_IN_USE) from None
        except SessionOver as over:
            raise Problem(SESSION_STOPPED if over.status == "stopped" else SLOT_PAST) from None
        if done.changed:
            await _serve_line(call, done.schedule_id, plan, limits_changed=done.limits_changed, using=tx)
        answer = await _shown(hospital_id, key, using=tx)
    return Answer(201 if done.created else 200, answer)


async def _serve_line(
    call: Call[Any], schedule_id: UUID, plan: Plan, *, limits_changed: bool, using: Connection
) -> None:
    """Changed limits are asked anew of those who wait; then new places are theirs first."""
    vault = call.services.vault
    if limits_changed:
        limits = Limits(plan.min_age, plan.max_age, plan.sex)
        waiting = await schedules.waiting_people(schedule_id, using=using)
        known = await people(vault, [one["person_id"] for one in waiting], using=using)
        for one in waiting:
            person = known[one["person_id"]]
            allowed = allows(limits, plan.date, person.gender, person.birthday) is True
            await schedules.set_eligible(one["id"], eligible=allowed, using=using)
    filled = await schedules.fill_free(schedule_id, using=using)
    if filled:
        await tell_filled(vault, await appointments(filled, using=using), using=using)


def _key(call: Call[Any]) -> str:
    """The hospital's own key in the path. One that cannot be is not found."""
    try:
        key = unquote(call.request.match_info["key"], errors="strict")
    except UnicodeDecodeError:
        raise Problem(NOT_FOUND) from None
    if not 1 <= len(key) <= _KEY_MOST or not key.isprintable():
        raise Problem(NOT_FOUND)
    return key


def _new_key(call: Call[Any]) -> str:
    """The key of a session to be. Raises Problem validation-failed for one that cannot be."""
    try:
        return _key(call)
    except Problem:
        raise invalid("/key", "须为 1 至 64 个可见字符（UTF-8）", "1 to 64 printable characters, in UTF-8") from None


def _plan(asked: ScheduleRequest) -> Plan:
    """The session that is asked for, in UTC and the order of time. Raises Problem validation-failed."""
    slots = [SlotPlan(s.key, _utc(s.start), _utc(s.end), s.capacity) for s in asked.slots]
    opens_at, cancel_until = _utc(asked.opens_at), _utc(asked.cancel_until)
    errors = list(_faults(asked, [opens_at, cancel_until]))
    if errors:
        raise Problem(VALIDATION_FAILED, errors=tuple(errors))
    doctor = (asked.doctor.code, asked.doctor.name, asked.doctor.title) if asked.doctor else None
    plan = Plan(
        (asked.department.code, asked.department.name),
        doctor,
        asked.clinic,
        asked.room,
        asked.date,
        asked.period,
        asked.fee_fen,
        opens_at,
        cancel_until,
        asked.min_age,
        asked.max_age,
        asked.sex,
        sorted(slots, key=lambda slot: slot.start),
        b"",
    )
    return plan._replace(body_hash=hashlib.sha256(msgspec.json.encode(plan)).digest())


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)  # beyond any calendar: refused with its field


def _faults(asked: ScheduleRequest, times: list[datetime]) -> Iterable[FieldError]:
    for name, at in zip(("opens_at", "cancel_until"), times, strict=True):
        if at.year not in _YEARS:
            yield _fault(f"/{name}", "年份不合理", "not a plausible year")
    if asked.min_age is not None and asked.max_age is not None and asked.min_age > asked.max_age:
        yield _fault("/max_age", "最大年龄小于最小年龄", "below min_age")
    if len({slot.key for slot in asked.slots}) != len(asked.slots):
        yield _fault("/slots", "时段的 key 重复", "two slots have the same key")
    faults = [fault for n, slot in enumerate(asked.slots) if (fault := _slot_fault(asked, n, slot))]
    yield from faults
    if not faults:
        yield from _overlaps(asked.slots)


def _slot_fault(asked: ScheduleRequest, n: int, slot: SlotGiven) -> FieldError | None:
    start, end = _utc(slot.start), _utc(slot.end)
    for name, at in (("start", start), ("end", end)):
        if at.year not in _YEARS:
            return _fault(f"/slots/{n}/{name}", "年份不合理", "not a plausible year")
    if start >= end:
        return _fault(f"/slots/{n}/end", "结束时间须晚于开始时间", "must be after start")
    for name, at in (("start", start), ("end", end - datetime.resolution)):
        if at.astimezone(SHANGHAI).date() != asked.date:
            return _fault(
                f"/slots/{n}/{name}",
                "时段须在门诊当天（北京时间）之内",
                "must lie on the session's date in Asia/Shanghai",
            )
    return None


def _overlaps(slots: list[SlotGiven]) -> Iterable[FieldError]:
    in_order = sorted(enumerate(slots), key=lambda one: one[1].start)
    for (_, before), (n, after) in pairwise(in_order):
        if after.start < before.end:
            yield _fault(f"/slots/{n}/start", "与另一时段重叠", "overlaps another slot")


def _fault(field: str, zh: str, en: str) -> FieldError:
    return FieldError(field, Text(zh, en))


async def _shown(hospital_id: UUID, key: str, *, using: Connection | None = None) -> Schedule:
    record = await schedules.schedule(hospital_id, key, using=using)
    if record is None:
        raise Problem(NOT_FOUND)
    return shown_schedule(record, await schedules.slots_of(record["id"], using=using))


@subject.route(
    "GET",
    "/v1/hospital/schedules/<key:str>",
    Caller.HOSPITAL,
    "A session of the hospital's own",
    answers={200: Schedule},
    problems=(NOT_FOUND,),
    limit="hospital",
)
async def show_schedule(call: Call[None]) -> Answer:
    """As it was published last, with what is booked."""
    return Answer(200, await _shown(await standing_hospital(call, "booking"), _key(call)))


@subject.route(
    "GET",
    "/v1/hospital/schedules/<key:str>/appointments",
    Caller.HOSPITAL,
    "A session's appointments, cancelled ones too, newest first",
    query=Page,
    answers={200: NumberedAppointmentList},
    problems=(NOT_FOUND,),
    limit="hospital",
)
async def list_schedule_appointments(call: Call[None]) -> Answer:
    """With the hospital's own number of each person; who they are, the scan tells."""
    hospital_id, page = await standing_hospital(call, "booking"), call.query
    record = await schedules.schedule(hospital_id, _key(call))
    if record is None:
        raise Problem(NOT_FOUND)
    found = await appointments_of_schedule(record["id"], page.after(), page.limit + 1)
    listed, following = page.cut(found, lambda one: (one.appointment.at, one.appointment.appointment_id))
    vault, shown = call.services.vault, []
    for row, sealed in listed:
        number = open_patient_number(vault, sealed, hospital_id, row.person_id) if sealed else None
        shown.append(shown_numbered(row, number))
    return Answer(200, NumberedAppointmentList(shown, following))


@subject.route(
    "POST",
    "/v1/hospital/schedules/<key:str>/stop",
    Caller.HOSPITAL,
    "Stop a session (停诊), or some of its slots",
    body=StopRequest,
    answers={200: Stopped},
    problems=(NOT_FOUND, SLOT_PAST),
    limit="hospital",
)
async def stop_schedule(call: Call[StopRequest]) -> Answer:
    """Who is booked is cancelled without penalty and told, once, by message and text; repeating cancels nobody."""
    hospital_id, vault = await standing_hospital(call, "booking"), call.services.vault
    async with transaction() as tx:
        record = await _locked(hospital_id, _key(call), using=tx)
        if call.body.keys is not None:
            known = {slot["key"] for slot in await schedules.slots_of(record["id"], using=tx)}
            for n, key in enumerate(call.body.keys):
                if key not in known:
                    raise invalid(f"/keys/{n}", "没有这个时段", "the session has no such slot")
        if record["status"] == "closed":
            raise Problem(SLOT_PAST)
        cancelled = await schedules.stop(record["id"], call.body.keys, call.body.reason, using=tx)
        await tell_stopped(vault, await appointments(cancelled, using=tx), using=tx)
        reach("stop.done")
    call.services.outbox.wake()
    return Answer(200, Stopped(len(cancelled)))


@subject.route(
    "POST",
    "/v1/hospital/schedules/<key:str>/close",
    Caller.HOSPITAL,
    "Close a session: who did not come is a no-show",
    body=Empty,
    answers={200: Closed},
    problems=(NOT_FOUND, CONFLICT),
    limit="hospital",
)
async def close_schedule(call: Call[Empty]) -> Answer:
    """By itself two hours after the last slot. A session of a date to come is stopped, not closed."""
    hospital_id = await standing_hospital(call, "booking")
    async with transaction() as tx:
        record = await _locked(hospital_id, _key(call), using=tx)
        if record["date"] > call.services.clock.today().astimezone(SHANGHAI).date():
            raise Problem(CONFLICT, _TOO_EARLY)
        missed = await close_and_tell(call.services.vault, record["id"], using=tx)
    return Answer(200, Closed(missed))


async def close_and_tell(vault: Any, schedule_id: UUID, *, using: Connection) -> int:
    """Close a session whose lock is held; how many no-shows it made. Who must pause now is told."""
    missed = await schedules.close(schedule_id, using=using)
    paused = {record["id"]: record["until"] for record in await schedules.newly_paused(missed, using=using)}
    rows = await appointments(list(paused), using=using)
    await tell_paused(vault, [(row, paused[row.appointment_id]) for row in rows], using=using)
    return len(missed)


async def _locked(hospital_id: UUID, key: str, *, using: Connection) -> Any:
    """The hospital's session, locked and as it is now."""
    found = await schedules.schedule(hospital_id, key, using=using)
    if found is None:
        raise Problem(NOT_FOUND)
    await schedules.lock(found["id"], using=using)
    return await schedules.schedule(hospital_id, key, using=using)
