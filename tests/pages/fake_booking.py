"""The stand-in service with booking as a patient sees it: sessions from today on, appointments, the waiting list."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from tests.pages.fake_service import FakeService, Json, problem

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = {"hospital_id": "hospital-1", "name": "长沙市第一医院"}
SECOND = {"hospital_id": "hospital-2", "name": "长沙市中心医院"}
LI = {"code": "d1", "name": "李玉兰", "title": "主任医师"}
WU = {"code": "d2", "name": "吴敏", "title": "副主任医师"}
MEDICINE = {"code": "01", "name": "心血管内科"}
CHILDREN = {"code": "02", "name": "儿科"}
DEPARTMENTS: list[Json] = [
    {"hospital": FIRST, **MEDICINE, "doctors": [LI, WU]},
    {"hospital": FIRST, **CHILDREN, "doctors": []},
    {"hospital": SECOND, **MEDICINE, "doctors": [WU]},
]


def today() -> date:
    """The hospitals' date."""
    return datetime.now(SHANGHAI).date()


def at(days: int, hour: int, minute: int = 0) -> datetime:
    """An hour of the hospitals' clock, so many days from today."""
    day = today() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def utc(moment: datetime) -> str:
    """As the service writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slot(name: str, days: int = 2, hour: int = 9, minute: int = 0, **more: Any) -> Json:
    """A slot of half an hour with three free places, opened long ago."""
    start = at(days, hour, minute)
    return {
        "slot_id": f"slot-{name}",
        "schedule_id": "session-1",
        "key": name,
        "hospital": FIRST,
        "department": MEDICINE,
        "doctor": LI,
        "clinic": "expert",
        "room": "门诊三楼 305 诊室",
        "date": start.date().isoformat(),
        "start": utc(start),
        "end": utc(start + timedelta(minutes=30)),
        "fee_fen": 2550,
        "opens_at": utc(at(-7, 8)),
        "cancel_until": utc(at(days - 1, 23, 30)),
        "min_age": None,
        "max_age": None,
        "sex": None,
        "capacity": 6,
        "free": 3,
        "status": "free",
    } | more


def appointment(name: str, of: Json, number: int = 6, status: str = "booked", **more: Any) -> Json:
    """An appointment for that slot."""
    left_out = ("key", "opens_at", "min_age", "max_age", "sex", "capacity", "free", "status")
    return (
        {key: value for key, value in of.items() if key not in left_out}
        | {"appointment_id": name, "number": number, "status": status, "booked_by": "patient", "arrived_at": None}
        | {"late": False, "ahead": None, "cancelled_by": None, "reason": None}
        | more
    )


def waiting(name: str, of: Json, status: str = "waiting", **more: Any) -> Json:
    """A place in line for that slot."""
    kept = ("schedule_id", "slot_id", "hospital", "department", "doctor", "date", "start", "end")
    return (
        {key: of[key] for key in kept}
        | {"waiting_id": name, "at": utc(at(-1, 10)), "status": status, "appointment_id": None}
        | {"position": 3 if status == "waiting" else None}
        | more
    )


@dataclass
class FakeBooking(FakeService):
    """What a patient sees of booking, and what was sent.

    `refusals`: by method and last part of the path, what is answered next; `asked`: queries of slots; `sent`: bodies
    of posts with their Idempotency-Key; `page`: how many slots a page has.
    """

    slots: list[Json] = field(default_factory=list)
    appointments: list[Json] = field(default_factory=list)
    waitings: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    departments: list[Json] = field(default_factory=lambda: list(DEPARTMENTS))
    refusals: dict[str, HTTPResponse] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: list[tuple[Json, str]] = field(default_factory=list)
    page: int = 20

    def blueprint(self) -> Blueprint:
        """The calls that the pages make."""
        blueprint = super().blueprint()
        card = "/v1/patient/cards/<card:str>"
        for handler, path, method in (
            (self._list_departments, "/v1/departments", "GET"),
            (self._list_slots, "/v1/slots", "GET"),
            (self._list_appointments, f"{card}/appointments", "GET"),
            (self._book, f"{card}/appointments", "POST"),
            (self._appointment, "/v1/patient/appointments/<name:str>", "GET"),
            (self._cancel, "/v1/patient/appointments/<name:str>", "DELETE"),
            (self._list_waitings, f"{card}/waitings", "GET"),
            (self._wait, f"{card}/waitings", "POST"),
            (self._withdraw, "/v1/patient/waitings/<name:str>", "DELETE"),
            (self._list_messages, "/v1/patient/messages", "GET"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"booking-{handler.__name__}")
        return blueprint

    def find(self, name: str) -> Json:
        """The appointment of that id."""
        return next(each for each in self.appointments if each["appointment_id"] == name)

    def _refused(self, request: Request) -> HTTPResponse | None:
        return self.refusals.get(f"{request.method} {request.path.rsplit('/', 1)[-1]}")

    async def _list_departments(self, request: Request) -> HTTPResponse:
        return self._refused(request) or response.json({"departments": self.departments})

    async def _list_slots(self, request: Request) -> HTTPResponse:
        asked = {key: request.args.get(key) for key in request.args}
        self.asked.append(asked)
        if refused := self._refused(request):
            return refused
        wanted = [
            each
            for each in self.slots
            if asked["from"] <= each["date"] <= asked["to"]
            and each["hospital"]["hospital_id"] == asked["hospital_id"]
            and each["department"]["code"] == asked["department"]
            and asked.get("doctor") in (None, (each["doctor"] or {}).get("code"))
        ]
        first = int(asked.get("cursor", 0))
        last = first + self.page
        following = str(last) if len(wanted) > last else None
        return response.json({"slots": wanted[first:last], "next_cursor": following})

    async def _list_appointments(self, request: Request, card: str) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        return response.json({"appointments": self.appointments, "next_cursor": None})

    async def _book(self, request: Request, card: str) -> HTTPResponse:
        self.sent.append((request.json, request.headers["idempotency-key"]))
        if refused := self._refused(request):
            return refused
        of = next(each for each in self.slots if each["slot_id"] == request.json["slot_id"])
        made = appointment(f"a{len(self.appointments) + 1}", of)
        self.appointments.insert(0, made)
        return response.json(made, 201)

    async def _appointment(self, request: Request, name: str) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        return response.json(self.find(name))

    async def _cancel(self, request: Request, name: str) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        self.find(name).update(status="cancelled", cancelled_by="patient")
        return response.empty()

    async def _list_waitings(self, request: Request, card: str) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        return response.json({"waitings": self.waitings, "next_cursor": None})

    async def _wait(self, request: Request, card: str) -> HTTPResponse:
        self.sent.append((request.json, request.headers["idempotency-key"]))
        if refused := self._refused(request):
            return refused
        of = next(each for each in self.slots if each["schedule_id"] == request.json["schedule_id"])
        self.waitings.insert(0, waiting("w1", of))
        return response.json(self.waitings[0], 201)

    async def _withdraw(self, request: Request, name: str) -> HTTPResponse:
        for each in self.waitings:
            if each["waiting_id"] == name:
                each.update(status="withdrawn", position=None)
        return response.empty()

    async def _list_messages(self, request: Request) -> HTTPResponse:
        return response.json({"messages": self.messages, "next_cursor": None})


def paused() -> HTTPResponse:
    """Booking is paused until a date far from now."""
    body = {"type": "/problems/booking-paused", "code": "booking-paused", "status": 403, "title": "x", "detail": "y"}
    return response.json(body | {"until": "2031-05-06T04:00:00Z"}, 403, content_type="application/problem+json")


def no_place() -> HTTPResponse:
    """Somebody else was quicker."""
    return problem("slot-full", 409)
