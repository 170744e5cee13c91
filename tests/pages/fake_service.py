"""A stand-in for the service behind the pages: it answers as api.md says and does what a test tells it.

The real journey through real parts is tested elsewhere; here a test needs a service that fails on demand.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from codes import picture

Json = dict[str, Any]
CSRF = "csrf-of-the-shift"

CARD: Json = {
    "card_id": "card-1",
    "name": "张*",
    "id_type": "01",
    "id_number": "430102********123X",
    "phone": "138****8000",
    "health_card_id": "ab" * 32,
    "insurance": {"type": "01", "number": "EC43****01", "area": "430100", "kind": "职工医保"},
    "relation": "self",
    "status": "active",
    "created_at": "2026-11-24T08:00:00Z",
}
PERSON: Json = {
    "name": "张建国",
    "gender": "male",
    "birthday": "1957-03-07",
    "id_type": "01",
    "id_number": "43010219570307123X",
    "phone": "13800138000",
    "health_card_id": "ab" * 32,
}
ACCESS: Json = {
    "card_id": "card-1",
    "at": "2026-11-24T08:00:00Z",
    "hospital": "长沙市第一医院",
    "department": "内科",
    "terminal": "W03",
    "operator": "王护士",
    "step": "0101012",
    "what": ["identity", "booking", "records", "payment"],
    "granted": ["booking", "records", "payment"],
    "records": [],
    "break_glass": False,
    "outcome": "allowed",
    "reason": None,
}


def problem(code: str, status: int, **headers: str) -> HTTPResponse:
    """A problem as the service words it."""
    body = {"type": f"/problems/{code}", "code": code, "status": status, "title": code, "detail": code}
    return response.json(body, status, headers, "application/problem+json")


@dataclass
class FakeService:
    """What the pages see, and what they sent."""

    cards: list[Json] = field(default_factory=lambda: [dict(CARD)])
    life: int = 60
    refresh_after: int = 30
    streaming: bool = True
    accesses: list[Json] = field(default_factory=list)
    issued: list[Json] = field(default_factory=list)
    scans: list[Json] = field(default_factory=list)
    csrf_seen: list[str | None] = field(default_factory=list)
    code_problems: list[HTTPResponse] = field(default_factory=list)
    scan_problems: list[HTTPResponse] = field(default_factory=list)
    resolved: dict[str, Json] = field(default_factory=dict)
    signed_in: bool = False
    session: Json | None = None
    _events: list[str] = field(default_factory=list)

    def tell(self, event: str, data: Json) -> None:
        """Sends an event to every stream that is open or comes later."""
        number = len(self._events) + 1
        self._events.append(f"event: {event}\nid: {number}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n")

    def blueprint(self) -> Blueprint:
        """The calls that the pages make."""
        blueprint = Blueprint("fake-service")
        for handler, path, method in (
            (self._session, "/v1/patient/session", "POST"),
            (self._cards, "/v1/patient/cards", "GET"),
            (self._codes, "/v1/patient/cards/card-1/codes", "POST"),
            (self._accesses, "/v1/patient/cards/card-1/accesses", "GET"),
            (self._freeze, "/v1/patient/cards/card-1/freeze", "POST"),
            (self._stream, "/v1/patient/events", "GET"),
            (self._shift, "/v1/hospital/session", "GET"),
            (self._shift_begins, "/v1/hospital/session", "POST"),
            (self._shift_ends, "/v1/hospital/session", "DELETE"),
            (self._resolve, "/v1/hospital/resolutions", "POST"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"{method}-{path.replace('/', '-')}")
        return blueprint

    async def _session(self, request: Request) -> HTTPResponse:
        self.signed_in = True
        return response.json({"token": f"token-of-{request.json['js_code']}", "expires_in": 86400, "account_id": "a"})

    async def _cards(self, request: Request) -> HTTPResponse:
        if not request.headers.get("authorization", "").startswith("Bearer token-of-"):
            return problem("unauthenticated", 401)
        return response.json({"cards": self.cards})

    async def _codes(self, request: Request) -> HTTPResponse:
        if self.code_problems:
            return self.code_problems[0]
        self.issued.append(request.json)
        code = f"8601{len(self.issued):03}" + "7" * 282
        drawn = picture.matrix(code)
        body = {
            "code": code,
            "issued_at": "2026-11-24T08:00:00Z",
            "expires_at": "2026-11-24T08:01:00Z",
            "expires_in": self.life,
            "refresh_after": self.refresh_after,
            "services": request.json.get("services") or ["booking", "records", "payment"],
            "matrix": {"size": drawn.size, "bits": drawn.base64},
        }
        return response.json(body, 201)

    async def _accesses(self, request: Request) -> HTTPResponse:
        return response.json({"accesses": self.accesses[::-1], "next_cursor": None})

    async def _freeze(self, request: Request) -> HTTPResponse:
        self.cards[0]["status"] = "frozen"
        return response.json(self.cards[0])

    async def _stream(self, request: Request) -> HTTPResponse | None:
        if not self.streaming:
            return problem("try-again", 503)
        seen = int(request.headers.get("last-event-id", 0))
        stream: Any = await request.respond(content_type="text/event-stream")
        await stream.send(": here\n\n")
        end = time.monotonic() + 30
        while self.streaming and time.monotonic() < end:
            while seen < len(self._events):
                await stream.send(self._events[seen])
                seen += 1
            await asyncio.sleep(0.05)
        return None

    async def _shift(self, request: Request) -> HTTPResponse:
        return response.json(self.session) if self.session else problem("unauthenticated", 401)

    async def _shift_begins(self, request: Request) -> HTTPResponse:
        asked = request.json
        self.session = {"hospital": "长沙市第一医院", "terminal": asked["terminal"], "operator": asked["operator"]}
        self.session |= {"expires_at": "2026-11-24T20:00:00Z", "expires_in": 43200}
        answer = response.empty(headers={"X-CSRF-Token": CSRF})
        answer.add_cookie("yima_csrf", CSRF, path="/", httponly=False, samesite="Strict", secure=False)
        return answer

    async def _shift_ends(self, request: Request) -> HTTPResponse:
        self.csrf_seen.append(request.headers.get("x-csrf-token"))
        self.session = None
        return response.empty()

    async def _resolve(self, request: Request) -> HTTPResponse:
        asked: Json = request.json
        self.scans.append(asked)
        self.csrf_seen.append(request.headers.get("x-csrf-token"))
        if self.scan_problems:
            return self.scan_problems.pop(0)
        if not asked["code"].startswith("8601"):
            return problem("code-malformed", 400)
        replayed = asked["code"] in self.resolved
        answer = self.resolved.setdefault(
            asked["code"],
            {
                "resolution_id": f"r{len(self.resolved)}",
                "resolved_at": "2026-11-24T08:00:00Z",
                "expires_at": "2026-11-24T20:00:00Z",
                "step": asked["step"],
                "card": PERSON,
                "insurance": None,
                "patient_number": None,
                "granted": ["booking"],
                "services": {},
            },
        )
        return response.json(answer, 200 if replayed else 201, {"Idempotent-Replayed": "true"} if replayed else {})
