"""The stand-in service with records behind it, as a window sees them: lists, one record, images, break-glass."""

import json
from dataclasses import dataclass, field
from typing import Any

from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from tests.pages.fake_desk import FakeDesk
from tests.pages.fake_service import CSRF, Json, problem

UNDER = "/v1/hospital/resolutions/<resolution_id:str>"
OTHER_HOSPITAL = {"hospital_id": "hospital-2", "name": "湘雅演示医院"}
BLOOD = {"code": "250101015", "name": "血常规"}
# One pixel, black: what a picture archive gives, as small as it goes.
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300"
    + "01" * 64
    + "ffc0000b080001000101011100ffc4001400010000000000000000000000000000000affc40014100100000000000000000000000000000000"
    "ffda0008010100003f0047ffd9"
)


def record(name: str, *, kind: str = "laboratory", title: str = "血常规", **more: Any) -> Json:
    """A record of another hospital as lists show it."""
    plain: Json = {
        "record_id": name,
        "kind": kind,
        "title": title,
        "status": "final",
        "hospital": OTHER_HOSPITAL,
        "occurred_at": "2026-11-20T02:30:00Z",
        "posted_at": "2026-11-20T04:00:00Z",
        "replaces": None,
        "superseded_by": None,
        "recognition": None,
        "size": 900,
        "sha256": "00" * 32,
    }
    return plain | more


def marked(*items: Json, mark: str = "全国HR", level: str = "national") -> Json:
    """A mark of mutual recognition."""
    return {"level": level, "area": "430000", "mark": mark, "items": list(items or (BLOOD,))}


def observation(name: str, value: str, unit: str, low: str, high: str, flag: str | None = None) -> str:
    """A contained Observation, its numbers exactly as given."""
    coded = f',"interpretation":[{{"coding":[{{"code":"{flag}"}}]}}]' if flag else ""
    return (
        f'{{"resourceType":"Observation","id":"{name}","status":"final","code":{{"text":"{name}"}},'
        f'"valueQuantity":{{"value":{value},"unit":"{unit}"}},'
        f'"referenceRange":[{{"low":{{"value":{low}}},"high":{{"value":{high}}}}}]{coded}}}'
    )


def report(*observations: str, **members: Any) -> str:
    """A DiagnosticReport as a hospital posts it; `members` of its own."""
    names = [json.loads(each)["id"] for each in observations]
    plain = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "血常规"},
        "effectiveDateTime": "2026-11-20T10:30:00+08:00",
        "result": [{"reference": f"#{name}"} for name in names],
    }
    written = json.dumps(plain | members, ensure_ascii=False)
    return f'{written[:-1]},"contained":[{",".join(observations)}]}}'


@dataclass
class FakeDeskRecords(FakeDesk):
    """What may be read of a person at a window, and what was asked and sent. `posted`: records' texts by id."""

    records: list[Json] = field(default_factory=list)
    under_glass: list[Json] = field(default_factory=list)  # come to them when the glass is broken
    posted: dict[str, str] = field(default_factory=dict)
    images: list[Json] = field(default_factory=list)
    page_of_records: int = 20
    asked: list[dict[str, str]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    decisions: list[tuple[str, Json]] = field(default_factory=list)
    broken: list[Json] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    record_problems: list[HTTPResponse] = field(default_factory=list)

    def blueprint(self) -> Blueprint:
        """The calls of the page, those of records among them."""
        blueprint = super().blueprint()
        for handler, path, method in (
            (self._records, f"{UNDER}/records", "GET"),
            (self._posted, f"{UNDER}/records/<record_id:str>", "GET"),
            (self._images, f"{UNDER}/records/<record_id:str>/images", "GET"),
            (self._image, f"{UNDER}/records/<record_id:str>/images/<n:int>", "GET"),
            (self._decide, f"{UNDER}/records/<record_id:str>/recognitions", "POST"),
            (self._break, f"{UNDER}/break-glass", "POST"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"records-{handler.__name__}")
        return blueprint

    async def _records(self, request: Request, resolution_id: str) -> HTTPResponse:
        asked: dict[str, str] = {name: request.args.get(name) for name in request.args}
        self.asked.append(asked)
        if self.record_problems:
            return self.record_problems.pop(0)
        found = [each for each in self._readable() if asked.get("kind") in (None, each["kind"])]
        if asked.get("recognised"):
            marks = [(each, each["recognition"] or {"items": []}) for each in found]
            found = [each for each, mark in marks if asked["item"] in [item["code"] for item in mark["items"]]]
        elif asked.get("history") != "true":
            found = [each for each in found if not each["superseded_by"]]
        begin = int(asked.get("cursor", 0))
        end = begin + self.page_of_records
        return response.json({"records": found[begin:end], "next_cursor": str(end) if end < len(found) else None})

    def _readable(self) -> list[Json]:
        return [*self.records, *(self.under_glass if self.broken else [])]

    async def _posted(self, request: Request, resolution_id: str, record_id: str) -> HTTPResponse:
        self.read.append(record_id)
        if self.record_problems:
            return self.record_problems.pop(0)
        if record_id not in [each["record_id"] for each in self._readable()]:
            return problem("not-found", 404)
        return response.raw(self.posted.get(record_id, report()).encode(), content_type="application/fhir+json")

    async def _images(self, request: Request, resolution_id: str, record_id: str) -> HTTPResponse:
        return self.record_problems.pop(0) if self.record_problems else response.json({"images": self.images})

    async def _image(self, request: Request, resolution_id: str, record_id: str, n: int) -> HTTPResponse:
        self.read.append(f"{record_id}/{n}")
        return response.raw(JPEG, content_type="image/jpeg")

    async def _decide(self, request: Request, resolution_id: str, record_id: str) -> HTTPResponse:
        assert request.headers["x-csrf-token"] == CSRF
        self.decisions.append((record_id, request.json))
        self.attempts.append(request.headers["idempotency-key"])
        return self.record_problems.pop(0) if self.record_problems else response.json(request.json, 201)

    async def _break(self, request: Request, resolution_id: str) -> HTTPResponse:
        assert request.headers["x-csrf-token"] == CSRF
        self.attempts.append(request.headers["idempotency-key"])
        if self.record_problems:
            return self.record_problems.pop(0)
        self.broken.append(request.json)
        return response.json({"break_glass_id": "g1", "expires_at": "2026-11-24T09:00:00Z"}, 201)
