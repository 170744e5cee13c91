"""Slots, appointments and waitings as patients and windows see them."""

from typing import Any
from zoneinfo import ZoneInfo

from api.booking.types import (
    Appointment,
    Department,
    Doctor,
    HospitalNamed,
    NumberedAppointment,
    Schedule,
    ScheduleSlot,
    Slot,
    WaitingEntry,
)
from models.appointments import AppointmentRow, WaitingRow
from models.slots import SlotRow, Whereabouts

SHANGHAI = ZoneInfo("Asia/Shanghai")


def doctor_of(row: Whereabouts) -> Doctor | None:
    """The doctor, if the session names one."""
    if row.doctor_code is None or row.doctor_name is None or row.doctor_title is None:
        return None
    return Doctor(row.doctor_code, row.doctor_name, row.doctor_title)


def _place(row: Whereabouts) -> dict[str, Any]:
    return {
        "hospital": HospitalNamed(row.hospital_id, row.hospital_name),
        "department": Department(row.department_code, row.department_name),
        "doctor": doctor_of(row),
    }


def shown_slot(row: SlotRow) -> Slot:
    """A slot on offer."""
    same = ("slot_id", "schedule_id", "key", "clinic", "room", "date", "start", "fee_fen", "opens_at", "cancel_until")
    more = ("min_age", "max_age", "sex", "capacity", "free", "status")
    return Slot(end=row.ends, **_place(row), **{name: getattr(row, name) for name in same + more})


_APPOINTMENT = tuple(
    name for name in Appointment.__struct_fields__ if name not in ("hospital", "department", "doctor", "end")
)


def _appointment(row: AppointmentRow) -> dict[str, Any]:
    return {"end": row.ends, **_place(row), **{name: getattr(row, name) for name in _APPOINTMENT}}


def shown_appointment(row: AppointmentRow) -> Appointment:
    """An appointment."""
    return Appointment(**_appointment(row))


def shown_numbered(row: AppointmentRow, patient_number: str | None) -> NumberedAppointment:
    """An appointment with the hospital's own number of the person."""
    return NumberedAppointment(**_appointment(row), patient_number=patient_number)


def shown_waiting(row: WaitingRow) -> WaitingEntry:
    """A place in line."""
    same = ("waiting_id", "schedule_id", "slot_id", "date", "start", "at", "position", "status", "appointment_id")
    return WaitingEntry(end=row.ends, **_place(row), **{name: getattr(row, name) for name in same})


def shown_schedule(record: Any, slots: list[Any]) -> Schedule:
    """A session, of its row and its slots' rows."""
    same = ("key", "hospital_id", "status", "clinic", "room", "date", "period", "fee_fen", "opens_at", "cancel_until")
    doctor = record["doctor_code"]
    return Schedule(
        schedule_id=record["id"],
        department=Department(record["department_code"], record["department_name"]),
        doctor=Doctor(doctor, record["doctor_name"], record["doctor_title"]) if doctor is not None else None,
        slots=[
            ScheduleSlot(s["id"], s["key"], s["start"], s["ends"], s["capacity"], s["booked"], s["stopped"])
            for s in slots
        ],
        **{name: record[name] for name in (*same, "min_age", "max_age", "sex")},
    )
