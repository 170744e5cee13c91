"""Which hospitals there are, for who chooses one."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.standing import require_standing
from api.texts import PLAIN
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models.clients import find_hospitals

subject = Subject("Patients")


class HospitalQuery(Page):
    """Words of a hospital's name."""

    q: Annotated[str, Meta(max_length=50, pattern=PLAIN)] = ""


class FoundHospital(msgspec.Struct):
    """A hospital. `area`: its administrative division (GB/T 2260)."""

    hospital_id: UUID
    name: str
    area: str


class FoundHospitalList(msgspec.Struct):
    """Hospitals."""

    hospitals: list[FoundHospital]
    next_cursor: str | None


@subject.route(
    "GET",
    "/v1/hospitals",
    Caller.PATIENT,
    "Hospitals, by words of their names",
    query=HospitalQuery,
    answers={200: FoundHospitalList},
    limit="patient",
)
async def find_hospital(call: Call[None]) -> Answer:
    """Newest first."""
    await require_standing(call)
    query: HospitalQuery = call.query
    found = await find_hospitals(query.q.strip(), query.after(), query.limit + 1)
    shown, following = query.cut(found, lambda record: (record["created_at"], record["id"]))
    listed = [FoundHospital(record["id"], record["name"], record["area"]) for record in shown]
    return Answer(200, FoundHospitalList(listed, following))
