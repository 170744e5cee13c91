"""Finding slots over hospitals, departments, doctors and dates; for patients all, for a window its own hospital's."""

from uuid import UUID

from api.booking.shown import shown_slot
from api.booking.types import (
    Department,
    DepartmentList,
    DepartmentOffered,
    DepartmentsQuery,
    Doctor,
    HospitalNamed,
    SlotList,
    SlotQuery,
)
from api.hospital.standing import standing_hospital
from api.patient.standing import require_standing
from api.web.answers import Answer
from api.web.calls import Call, HospitalCaller
from api.web.routes import Caller, Subject
from models.slots import Wanted, departments, find_slots

subject = Subject("Booking")


async def _hospital_seen(call: Call[None], asked: UUID | None) -> tuple[UUID | None, bool]:
    """(the hospital that is looked at, or all; whether the caller may see it)."""
    if not isinstance(call.caller, HospitalCaller):
        await require_standing(call)
        return asked, True
    own = await standing_hospital(call, "booking")
    return own, asked in (None, own)


@subject.route(
    "GET",
    "/v1/slots",
    Caller.BOOKER,
    "Find slots, in the order of time",
    query=SlotQuery,
    answers={200: SlotList},
    limit="slots",
)
async def list_slots(call: Call[None]) -> Answer:
    """`free` of a slot is a hint: only booking it says whether a place is left. Windows see their own hospital's."""
    query: SlotQuery = call.query
    hospital_id, seen = await _hospital_seen(call, query.hospital_id)
    if not seen:
        return Answer(200, SlotList([], None))
    wanted = Wanted(hospital_id, query.department, query.doctor, query.first, query.last, query.free)
    found = await find_slots(wanted, query.after(), query.limit + 1)
    shown, following = query.cut(found, lambda row: (row.start, row.slot_id))
    return Answer(200, SlotList([shown_slot(row) for row in shown], following))


@subject.route(
    "GET",
    "/v1/departments",
    Caller.BOOKER,
    "Departments and doctors with sessions from today on",
    query=DepartmentsQuery,
    answers={200: DepartmentList},
    limit="slots",
)
async def list_departments(call: Call[None]) -> Answer:
    """What slots can be looked for by."""
    hospital_id, seen = await _hospital_seen(call, call.query.hospital_id)
    offered: dict[tuple[UUID, str], DepartmentOffered] = {}
    for row in await departments(hospital_id) if seen else ():
        department = Department(row["department_code"], row["department_name"])
        one = offered.setdefault(
            (row["hospital_id"], department.code),
            DepartmentOffered(
                HospitalNamed(row["hospital_id"], row["hospital_name"]), department.code, department.name, []
            ),
        )
        if row["doctor_code"] is not None and all(doctor.code != row["doctor_code"] for doctor in one.doctors):
            one.doctors.append(Doctor(row["doctor_code"], row["doctor_name"], row["doctor_title"]))
    return Answer(200, DepartmentList(list(offered.values())))
