"""Finding slots: by hospital, department, doctor and dates, in the order of time."""

from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from models.database import Connection, row, rows


class Whereabouts(msgspec.Struct, frozen=True):
    """At which hospital, in which department, and with whom, if the session names a doctor."""

    hospital_id: UUID
    hospital_name: str
    department_code: str
    department_name: str
    doctor_code: str | None
    doctor_name: str | None
    doctor_title: str | None


class SlotRow(Whereabouts, frozen=True):
    """A row of the view slot_rows, with its free places: a hint, which others may have taken when it is read."""

    slot_id: UUID
    schedule_id: UUID
    key: str
    clinic: str
    room: str
    date: date
    start: datetime
    ends: datetime
    fee_fen: int
    opens_at: datetime
    cancel_until: datetime
    min_age: int | None
    max_age: int | None
    sex: str | None
    capacity: int
    version: int
    stopped: bool
    schedule_status: str
    free: int
    now: datetime

    @property
    def status(self) -> str:
        """free, full, stopped or past, as the database's clock has it."""
        if self.stopped:
            return "stopped"
        if self.schedule_status == "closed" or self.start <= self.now:
            return "past"
        return "free" if self.free else "full"


class Wanted(NamedTuple):
    """What is looked for; None: any. Dates are local (Asia/Shanghai); `free`: what may still be booked alone."""

    hospital_id: UUID | None
    department: str | None
    doctor: str | None
    first: date | None
    last: date | None
    free: bool


_FREE: Final = "SELECT count(*) FROM places f WHERE f.slot_id = r.slot_id AND f.appointment_id IS NULL"
_NAMES: Final = ", ".join(f"r.{name}" for name in SlotRow.__struct_fields__ if name not in ("free", "now"))
_COLUMNS: Final = f"{_NAMES}, ({_FREE}) AS free, yima_now() AS now"
# In a SELECT of its own it is asked once, and an index can be searched by it.
_NOW: Final = "(SELECT yima_now())"
_TODAY: Final = f"({_NOW} AT TIME ZONE 'Asia/Shanghai')::date"


async def find_slots(wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int) -> list[SlotRow]:
    """Slots from today on, or from the date given, in the order of time, keyset.

    Only the conditions that are asked for are in the statement: each has its index, which a general one would not use.
    """
    values: list[object] = [limit]
    conditions = ["NOT s.dropped"]

    def condition(text: str, value: object) -> None:
        if value is not None:
            values.append(value)
            conditions.append(text.format(f"${len(values)}"))

    condition("s.hospital_id = {}", wanted.hospital_id)
    condition("s.department_code = {}", wanted.department)
    condition("s.doctor_code = {}", wanted.doctor)
    condition("s.start >= ({}::date)::timestamp AT TIME ZONE 'Asia/Shanghai'", wanted.first)
    condition("s.start < ({}::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'", wanted.last)
    if wanted.first is None:
        conditions.append(f"s.start >= ({_TODAY})::timestamp AT TIME ZONE 'Asia/Shanghai'")
    if wanted.free:
        conditions.append(
            f"s.start > {_NOW} AND NOT s.stopped AND NOT s.sold_out"
            " AND EXISTS (SELECT 1 FROM schedules d WHERE d.id = s.schedule_id AND d.status = 'open')"
            " AND EXISTS (SELECT 1 FROM places f WHERE f.slot_id = s.id AND f.appointment_id IS NULL)"
        )
    if after is not None:
        values += after
        conditions.append(f"(s.start, s.id) > (${len(values) - 1}, ${len(values)})")
    page = f"SELECT s.id FROM slots s WHERE {' AND '.join(conditions)} ORDER BY s.start, s.id LIMIT $1"
    found = await rows(
        f"SELECT {_COLUMNS} FROM slot_rows r WHERE r.slot_id IN ({page}) ORDER BY r.start, r.slot_id", *values
    )
    return [SlotRow(**record) for record in found]


# A slot that is offered; `{slot}` stands for its id.
OFFERED: Final = f"SELECT {_COLUMNS} FROM slot_rows r WHERE r.slot_id = {{slot}} AND NOT r.dropped"


def slot_of(text: str | None) -> SlotRow | None:
    """The slot in a statement's jsonb."""
    return msgspec.json.decode(text, type=SlotRow) if text is not None else None


async def slot(slot_id: UUID, *, hospital_id: UUID | None = None, using: Connection | None = None) -> SlotRow | None:
    """A slot that is offered; of this hospital alone, where one is given."""
    found = await row(
        OFFERED.format(slot="$1") + " AND ($2::uuid IS NULL OR r.hospital_id = $2)",
        slot_id,
        hospital_id,
        using=using,
    )
    return SlotRow(**found) if found else None


async def departments(hospital_id: UUID | None) -> list[Any]:
    """Departments and doctors of open sessions from today on, a record for each pair."""
    return await rows(
        "SELECT DISTINCT d.hospital_id, h.name AS hospital_name, d.department_code, d.department_name, d.doctor_code,"
        " d.doctor_name, d.doctor_title FROM schedules d JOIN hospitals h ON h.id = d.hospital_id"
        f" WHERE d.date >= {_TODAY} AND d.status <> 'closed' AND ($1::uuid IS NULL OR d.hospital_id = $1)"
        " ORDER BY h.name, d.hospital_id, d.department_code, d.doctor_code NULLS FIRST",
        hospital_id,
    )
