"""Requests and answers of booking (api-services.md, Booking). Dates are local (Asia/Shanghai), times UTC."""

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.types import Strict
from api.texts import Code64, Line64, Line200
from api.web.queries import Page

Clinic = Literal["ordinary", "expert", "special"]
Period = Literal["morning", "afternoon", "evening"]
Sex = Literal["male", "female"]
Age = Annotated[int, Meta(ge=0, le=150)]
Instant = Annotated[datetime, Meta(tz=True)]
SLOTS_MOST = 200
CAPACITY_MOST = 500


class DepartmentGiven(Strict):
    """A department, by the hospital's own code."""

    code: Line64
    name: Line64


class DoctorGiven(Strict):
    """A doctor, by the hospital's own code."""

    code: Line64
    name: Line64
    title: Line64


class SlotGiven(Strict):
    """A slot of a session, by the hospital's own key."""

    key: Line64
    start: Instant
    end: Instant
    capacity: Annotated[int, Meta(ge=1, le=CAPACITY_MOST)]


class ScheduleRequest(Strict):
    """A session as the hospital publishes it. All slots lie on `date` and do not overlap."""

    department: DepartmentGiven
    doctor: DoctorGiven | None
    clinic: Clinic
    room: Line64
    date: dt.date
    period: Period
    fee_fen: Annotated[int, Meta(ge=0, le=1_000_000)]
    opens_at: Instant
    cancel_until: Instant
    slots: Annotated[list[SlotGiven], Meta(min_length=1, max_length=SLOTS_MOST)]
    min_age: Age | None = None
    max_age: Age | None = None
    sex: Sex | None = None


class StopRequest(Strict):
    """Stop a session (停诊), or the slots of these keys alone."""

    reason: Line200
    keys: Annotated[list[Line64], Meta(min_length=1, max_length=SLOTS_MOST)] | None = None


class BookRequest(Strict):
    """Which slot."""

    slot_id: UUID


class WaitRequest(Strict):
    """For a session, or one slot of it."""

    schedule_id: UUID
    slot_id: UUID | None = None


class CancelRequest(Strict):
    """Why the window cancels, if it says."""

    reason: Line200 | None = None


class HospitalNamed(msgspec.Struct):
    """A hospital."""

    hospital_id: UUID
    name: str


class Department(msgspec.Struct):
    """A department."""

    code: str
    name: str


class Doctor(msgspec.Struct):
    """A doctor."""

    code: str
    name: str
    title: str


class ScheduleSlot(msgspec.Struct):
    """A slot as it was published, and how it stands."""

    slot_id: UUID
    key: str
    start: datetime
    end: datetime
    capacity: int
    booked: int
    stopped: bool


class Schedule(msgspec.Struct):
    """A session as its hospital sees it."""

    schedule_id: UUID
    key: str
    hospital_id: UUID
    status: Literal["open", "stopped", "closed"]
    department: Department
    doctor: Doctor | None
    clinic: str
    room: str
    date: dt.date
    period: str
    fee_fen: int
    opens_at: datetime
    cancel_until: datetime
    min_age: int | None
    max_age: int | None
    sex: str | None
    slots: list[ScheduleSlot]


class Slot(msgspec.Struct):
    """A slot on offer. `free` is a hint: who books first has the place."""

    slot_id: UUID
    schedule_id: UUID
    key: str
    hospital: HospitalNamed
    department: Department
    doctor: Doctor | None
    clinic: str
    room: str
    date: dt.date
    start: datetime
    end: datetime
    fee_fen: int
    opens_at: datetime
    cancel_until: datetime
    min_age: int | None
    max_age: int | None
    sex: str | None
    capacity: int
    free: int
    status: Literal["free", "full", "stopped", "past"]


class SlotList(msgspec.Struct):
    """Slots in the order of time."""

    slots: list[Slot]
    next_cursor: str | None


class SlotQuery(Page):
    """What is looked for. `from` and `to` are dates; without `from`: from today. `free=true`: what can be booked."""

    hospital_id: UUID | None = None
    department: Code64 | None = None
    doctor: Code64 | None = None
    first: dt.date | None = msgspec.field(default=None, name="from")
    last: dt.date | None = msgspec.field(default=None, name="to")
    free: bool = False


class DepartmentsQuery(msgspec.Struct):
    """Of one hospital, or of all."""

    hospital_id: UUID | None = None


class DepartmentOffered(msgspec.Struct):
    """A department with sessions from today on, and its doctors there."""

    hospital: HospitalNamed
    code: str
    name: str
    doctors: list[Doctor]


class DepartmentList(msgspec.Struct):
    """Departments by hospital."""

    departments: list[DepartmentOffered]


class Appointment(msgspec.Struct):
    """An appointment.

    `number` (号序) is unique among the session's. `late`: came after the slot's end, and goes last. `ahead`: how many who
    arrived are called earlier; null once it is over.
    """

    appointment_id: UUID
    slot_id: UUID
    schedule_id: UUID
    hospital: HospitalNamed
    department: Department
    doctor: Doctor | None
    clinic: str
    room: str
    date: dt.date
    start: datetime
    end: datetime
    fee_fen: int
    cancel_until: datetime
    number: int
    status: Literal["booked", "arrived", "fulfilled", "cancelled", "noshow"]
    booked_by: Literal["patient", "hospital", "waiting"]
    arrived_at: datetime | None
    late: bool
    ahead: int | None
    cancelled_by: Literal["patient", "hospital"] | None
    reason: str | None


class AppointmentList(msgspec.Struct):
    """Appointments, newest first."""

    appointments: list[Appointment]
    next_cursor: str | None


class NumberedAppointment(Appointment):
    """An appointment as its hospital lists it: with its own number of the person, where it gave one."""

    patient_number: str | None


class NumberedAppointmentList(msgspec.Struct):
    """A session's appointments, newest first."""

    appointments: list[NumberedAppointment]
    next_cursor: str | None


class WaitingEntry(msgspec.Struct):
    """A place in line (候补). `position` is null unless it waits; start and end are of its slot, if it names one."""

    waiting_id: UUID
    schedule_id: UUID
    slot_id: UUID | None
    hospital: HospitalNamed
    department: Department
    doctor: Doctor | None
    date: dt.date
    start: datetime | None
    end: datetime | None
    at: datetime
    position: int | None
    status: Literal["waiting", "booked", "expired", "withdrawn"]
    appointment_id: UUID | None


class WaitingEntries(msgspec.Struct):
    """Waitings, newest first."""

    waitings: list[WaitingEntry]
    next_cursor: str | None


class Stopped(msgspec.Struct):
    """How many appointments this call cancelled."""

    cancelled: int


class Closed(msgspec.Struct):
    """How many no-shows this call marked."""

    noshow: int


class Change(msgspec.Struct):
    """One change; `ref` is the appointment's (or bill's) id."""

    at: datetime
    kind: Literal["booked", "cancelled", "arrived", "noshow", "paid", "refunded"]
    ref: UUID


class ChangeList(msgspec.Struct):
    """Changes, oldest first. `next_cursor` is always there: ask again from it."""

    changes: list[Change]
    next_cursor: str


class ChangeQuery(msgspec.Struct):
    """From where to go on; without a cursor, from the beginning."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    cursor: Annotated[str, Meta(max_length=100)] | None = None
