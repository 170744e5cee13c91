"""The stand-in service with bookings behind it, as a window sees them: free slots, a person's appointments."""

import json
from dataclasses import dataclass, field
from typing import Any

from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from tests.pages.fake_service import CSRF, FakeService, Json, problem

RESOLUTION = "/v1/hospital/resolutions/<resolution_id:str>/appointments"
TODAY = "2026-11-24"  # the day on which the stand-in resolves every code, at 16:00 by the hospital's clock
HOSPITAL = {"hospital_id": "hospital-1", "name": "长沙市第一医院"}
DEPARTMENTS = ({"code": "01", "name": "内科"}, {"code": "02", "name": "外科"})
DOCTOR = {"code": "d1", "name": "李玉兰", "title": "主任医师"}


def slot(number: int, *, date: str = TODAY, hour: int = 9, session: str = "s1", **more: Any) -> Json:
    """A free slot of half an hour. `hour`: of UTC."""
    return {
        "slot_id": f"slot-{number}",
        "schedule_id": session,
        "key": str(number),
        "hospital": HOSPITAL,
        "department": DEPARTMENTS[0],
        "doctor": DOCTOR,
        "clinic": "expert",
        "date": date,
        "start": f"{date}T{hour:02}:00:00Z",
        "end": f"{date}T{hour:02}:30:00Z",
        "fee_fen": 2500,
        "opens_at": "2026-11-20T00:00:00Z",
        "capacity": 4,
        "free": 2,
        "status": "free",
        "room": "305 诊室",
        "cancel_until": f"{date}T00:00:00Z",
        "min_age": None,
        "max_age": None,
        "sex": None,
    } | more


def appointment(name: str, of: Json, *, number: int = 12, status: str = "booked", **more: Any) -> Json:
    """An appointment for that slot."""
    taken = {key: of[key] for key in ("slot_id", "schedule_id", "hospital", "department", "doctor", "room", "date")}
    return (
        taken
        | {"appointment_id": name, "start": of["start"], "end": of["end"], "number": number, "status": status}
        | {"booked_by": "patient", "arrived_at": None, "late": False, "ahead": 3, "cancelled_by": None, "reason": None}
        | {"cancel_until": of["cancel_until"], "fee_fen": of["fee_fen"], "clinic": of["clinic"]}
        | more
    )


@dataclass
class FakeDesk(FakeService):
    """What a window sees of bookings, and what it sent. `resolution`: members that every resolution then has."""

    resolution: Json = field(default_factory=dict)
    slots: list[Json] = field(default_factory=list)
    page_size: int = 50
    appointments: list[Json] = field(default_factory=list)
    departments_asked: int = 0
    slots_asked: list[dict[str, str]] = field(default_factory=list)
    looks: int = 0
    looks_problem: HTTPResponse | None = None
    booked: list[tuple[str, str]] = field(default_factory=list)  # slot and Idempotency-Key
    acts: list[tuple[str, str, Json]] = field(default_factory=list)
    act_problems: list[HTTPResponse] = field(default_factory=list)

    def blueprint(self) -> Blueprint:
        """The calls of the page, those of booking among them."""
        blueprint = super().blueprint()
        for handler, path, method in (
            (self._slots, "/v1/slots", "GET"),
            (self._departments, "/v1/departments", "GET"),
            (self._appointments, RESOLUTION, "GET"),
            (self._book, RESOLUTION, "POST"),
            (self._act, f"{RESOLUTION}/<appointment_id:str>/<act:str>", "POST"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"desk-{handler.__name__}")
        return blueprint

    async def _resolve(self, request: Request) -> HTTPResponse:
        answer = await super()._resolve(request)
        if answer.status != 201:
            return answer
        resolved: Json = json.loads(answer.body or b"{}") | {"arrival": None} | self.resolution
        self.resolved[request.json["code"]] = resolved
        return response.json(resolved, 201)

    async def _slots(self, request: Request) -> HTTPResponse:
        asked: dict[str, str] = {name: request.args.get(name) for name in request.args}
        self.slots_asked.append(asked)
        free = [each for each in self.slots if asked.get("department") in (None, each["department"]["code"])]
        begin = int(asked.get("cursor", 0))
        end = begin + self.page_size
        return response.json({"slots": free[begin:end], "next_cursor": str(end) if end < len(free) else None})

    async def _departments(self, request: Request) -> HTTPResponse:
        self.departments_asked += 1
        return response.json({"departments": [{"hospital": HOSPITAL, "doctors": [], **each} for each in DEPARTMENTS]})

    async def _appointments(self, request: Request, resolution_id: str) -> HTTPResponse:
        self.looks += 1
        if self.looks_problem:
            return self.looks_problem
        return response.json({"appointments": self.appointments, "next_cursor": None})

    async def _book(self, request: Request, resolution_id: str) -> HTTPResponse:
        assert request.headers["x-csrf-token"] == CSRF
        wanted = request.json["slot_id"]
        self.booked.append((wanted, request.headers["idempotency-key"]))
        if self.act_problems:
            return self.act_problems.pop(0)
        of = next(each for each in self.slots if each["slot_id"] == wanted)
        made = appointment(f"a{len(self.booked)}", of, number=7, booked_by="hospital")
        self.appointments.insert(0, made)
        return response.json(made, 201)

    async def _act(self, request: Request, resolution_id: str, appointment_id: str, act: str) -> HTTPResponse:
        assert request.headers["x-csrf-token"] == CSRF
        self.acts.append((act, appointment_id, request.json))
        if self.act_problems:
            return self.act_problems.pop(0)
        one = next(each for each in self.appointments if each["appointment_id"] == appointment_id)
        if act == "cancel":
            one |= {"status": "cancelled", "cancelled_by": "hospital", "reason": request.json.get("reason")}
        else:
            one |= {"status": "fulfilled"}
        return response.json(one | {"ahead": None})


def refusal(code: str, status: int, **members: Any) -> HTTPResponse:
    """A problem with members of its own."""
    plain = json.loads(problem(code, status).body or b"{}")
    return response.json(plain | members, status, None, "application/problem+json")
