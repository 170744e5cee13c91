"""The stand-in service with records as a patient sees them: reports, trends, pictures, consents, the account."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from tests.pages.fake_booking import FIRST, SECOND, FakeBooking, at, utc
from tests.pages.fake_service import Json, problem

LOINC = "http://loinc.org"
GLUCOSE = "2345-7"
SCRIPT = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
# 1 x 1, grey.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/"
    "yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k="
)
HOSPITALS: list[Json] = [
    FIRST | {"area": "430100"},
    SECOND | {"area": "430100"},
    {"hospital_id": "hospital-3", "name": "湘潭市人民医院", "area": "430300"},
]


def record(name: str, days: int = -1, kind: str = "laboratory", **more: Any) -> Json:
    """What a list says of a record of the first hospital, so many days from today."""
    moment = utc(at(days, 9, 30))
    return {
        "record_id": name,
        "kind": kind,
        "title": "生化检查",
        "status": "final",
        "hospital": FIRST,
        "occurred_at": moment,
        "posted_at": moment,
        "replaces": None,
        "superseded_by": None,
        "recognition": None,
        "recognitions": [],
        "size": 5000,
        "sha256": "ab" * 32,
    } | more


def observation(name: str, text: str, value: str, unit: str = "mmol/L", **more: Any) -> str:
    """One result as a hospital writes it; `value` digit by digit."""
    known = json.dumps({"coding": [{"system": LOINC, "code": more.pop("code", name)}], "text": text})
    rest = "".join(f", {json.dumps(key)}: {json.dumps(each)}" for key, each in more.items())
    quantity = f'"valueQuantity": {{"value": {value}, "unit": "{unit}"}}' if value else '"valueString": "未见异常"'
    head = f'"resourceType": "Observation", "id": "{name}", "status": "final"'
    return f'{{{head}, "code": {known}, {quantity}{rest}}}'


def reference(low: str, high: str, unit: str = "mmol/L") -> list[Any]:
    """A reference range."""
    return [{"low": {"value": float(low), "unit": unit}, "high": {"value": float(high), "unit": unit}}]


def laboratory() -> str:
    """A report of four results: high by the hospital's word, low by its range, normal, and one in words."""
    flag = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}]}]
    parts = [
        observation("g", "葡萄糖", "6.30", code=GLUCOSE, interpretation=flag, referenceRange=reference("3.9", "6.1")),
        observation("k", "钾", "3.20", referenceRange=reference("3.5", "5.3")),
        observation("c", "肌酐", "72", "μmol/L", referenceRange=reference("57", "97", "μmol/L")),
        observation("u", "尿沉渣", ""),
        '{"resourceType": "Specimen", "id": "s", "collection": {"collectedDateTime": "2026-11-20T07:05:00+08:00"}}',
    ]
    pdf = base64.b64encode(b"%PDF-1.4 an old report").decode()
    page = base64.b64encode(b"<html><script>parent.pwned = 1</script></html>").decode()
    forms = [{"contentType": "application/pdf", "title": "报告单", "data": pdf}]
    forms += [{"contentType": "text/html", "title": "../网页", "data": page}]
    forms += [{"contentType": "application/pdf", "title": "原始图谱", "url": "https://lab.example/1"}]
    text = {"status": "generated", "div": f"<div>葡萄糖<br/>6.30 mmol/L{SCRIPT}<p>复查</p></div>"}
    top = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "text": text,
        "code": {"text": "生化检查"},
        "conclusion": "空腹血糖偏高，\n建议复查。",
        "presentedForm": forms,
        "specimen": [{"reference": "#s"}],
        "result": [{"reference": f"#{each}"} for each in "gkcu"],
    }
    return json.dumps(top, ensure_ascii=False)[:-1] + f', "contained": [{", ".join(parts)}]}}'


def study(count: int) -> str:
    """A study of so many pictures in two series."""
    series = [
        {"uid": "1.2.3.1", "description": "胸部平扫", "modality": {"code": "CT"}, "numberOfInstances": count - 1},
        {"uid": "1.2.3.2", "description": "定位像", "modality": {"code": "CT"}, "numberOfInstances": 1},
    ]
    return json.dumps(
        {"resourceType": "ImagingStudy", "status": "available", "description": "胸部 CT", "series": series}
    )


def discharge() -> str:
    """A discharge summary in a Bundle, told by its narrative."""
    text = {"status": "generated", "div": f"<div><h2>出院诊断</h2><p>2 型糖尿病</p>{SCRIPT}<p>按时服药</p></div>"}
    top = {"resourceType": "DocumentReference", "status": "current", "text": text, "description": "出院小结"}
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:1", "resource": top}]}
    )


def point(days: int, value: str, unit: str | None = "mmol/L", **more: Any) -> Json:
    """A result in a trend."""
    of = {"at": utc(at(days, 7)), "value": value, "unit": unit, "low": "3.9", "high": "6.1", "flag": None}
    return of | {"record_id": "r1"} | more


def rule(hospital: str = "*", kind: str = "*", effect: str = "permit", **more: Any) -> Json:
    """A rule of the patient's."""
    return {"hospital_id": hospital, "kind": kind, "effect": effect} | more


@dataclass
class FakeRecords(FakeBooking):
    """What a patient sees of records, and what was sent.

    `bodies`: posted bytes by record; `pictures`: numbers that can be had; `fetched`: numbers that were; `put`: bodies of
    consents with their If-Match; `left`: bodies of leaving; `broken`: the Bundle's answer is cut short.
    """

    records: list[Json] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)
    codes: list[Json] = field(default_factory=list)
    points: list[Json] = field(default_factory=list)
    pictures: int = 3
    fetched: list[int] = field(default_factory=list)
    rules: list[Json] = field(default_factory=list)
    version: int = 1
    put: list[tuple[Json, str | None]] = field(default_factory=list)
    left: list[Json] = field(default_factory=list)
    kept: list[Json] = field(default_factory=list)
    broken: bool = False

    def blueprint(self) -> Blueprint:
        """The calls that the pages make."""
        blueprint = super().blueprint()
        card, mine = "/v1/patient/cards/<card:str>", "/v1/patient"
        for handler, path, method in (
            (self._list_records, f"{card}/records", "GET"),
            (self._bundle, f"{card}/records/bundle", "GET"),
            (self._codes_of, f"{card}/observation-codes", "GET"),
            (self._points_of, f"{card}/observations", "GET"),
            (self._consents, f"{card}/consents", "GET"),
            (self._decide, f"{card}/consents", "PUT"),
            (self._record, f"{mine}/records/<name:str>", "GET"),
            (self._images, f"{mine}/records/<name:str>/images", "GET"),
            (self._image, f"{mine}/records/<name:str>/images/<number:int>", "GET"),
            (self._hospitals, "/v1/hospitals", "GET"),
            (self._account, f"{mine}/account", "GET"),
            (self._leave, f"{mine}/account", "DELETE"),
            (self._export, f"{mine}/account/export", "GET"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"records-{handler.__name__}")
        return blueprint

    async def _list_records(self, request: Request, card: str) -> HTTPResponse:
        asked = {key: request.args.get(key) for key in request.args}
        self.asked.append(asked)
        if refused := self._refused(request):
            return refused
        live = [each for each in self.records if asked.get("history") or not each["superseded_by"]]
        wanted = [each for each in live if asked.get("kind") in (None, each["kind"])]
        wanted = [each for each in wanted if asked.get("record_id") in (None, each["record_id"])]
        first = int(asked.get("cursor", 0))
        last = first + min(self.page, int(asked["limit"]))
        return response.json({"records": wanted[first:last], "next_cursor": str(last) if len(wanted) > last else None})

    async def _record(self, request: Request, name: str) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        if name not in self.bodies:
            return problem("not-found", 404)
        return response.text(self.bodies[name], content_type="application/fhir+json")

    async def _bundle(self, request: Request, card: str) -> HTTPResponse | None:
        if refused := self._refused(request):
            return refused
        body = f'{{"resourceType": "Bundle", "type": "collection", "entry": [{laboratory()}]}}'
        if not self.broken:
            return response.text(body, content_type="application/fhir+json")
        stream: Any = await request.respond(content_type="application/fhir+json")
        await stream.send(body[:1000])
        connection: Any = request.transport
        connection.abort()
        return None

    async def _codes_of(self, request: Request, card: str) -> HTTPResponse:
        return self._refused(request) or response.json({"codes": self.codes})

    async def _points_of(self, request: Request, card: str) -> HTTPResponse:
        return self._refused(request) or response.json({"points": self.points})

    async def _images(self, request: Request, name: str) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        listed = [{"n": n, "series": "1.2.3.1", "instance": f"1.2.3.1.{n}"} for n in range(1, self.pictures + 1)]
        return response.json({"images": listed})

    async def _image(self, request: Request, name: str, number: int) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        assert request.headers["authorization"].startswith("Bearer token-of-")
        self.fetched.append(number)
        return response.raw(JPEG, content_type="image/jpeg")

    async def _consents(self, request: Request, card: str) -> HTTPResponse:
        return self._refused(request) or self._standing()

    async def _decide(self, request: Request, card: str) -> HTTPResponse:
        tag = request.headers.get("if-match")
        self.put.append((request.json, tag))
        if refused := self._refused(request):
            return refused
        if tag != f'"{self.version}"':
            return problem("version-conflict", 412)
        self.rules, self.version = request.json["rules"], self.version + 1
        return self._standing()

    def _standing(self) -> HTTPResponse:
        named = {each["hospital_id"] for each in self.rules}
        hospitals = [
            {"hospital_id": each["hospital_id"], "name": each["name"]}
            for each in HOSPITALS
            if each["hospital_id"] in named
        ]
        body = {"version": self.version, "rules": self.rules, "hospitals": hospitals}
        return response.json(body, headers={"ETag": f'"{self.version}"'})

    async def _hospitals(self, request: Request) -> HTTPResponse:
        if refused := self._refused(request):
            return refused
        found = [each for each in HOSPITALS if request.args.get("q", "") in each["name"]]
        return response.json({"hospitals": found, "next_cursor": None})

    async def _account(self, request: Request) -> HTTPResponse:
        removed = [
            {"what": "cards", "text": f"{len(self.cards)}张卡：停用"},
            {"what": "consents", "text": "病历授权：全部撤回"},
        ]
        body = {"account_id": "a", "created_at": utc(at(-90, 9)), "cards": len(self.cards)}
        body |= {"removed": removed, "kept": self.kept}
        return self._refused(request) or response.json(body)

    async def _leave(self, request: Request) -> HTTPResponse:
        self.left.append(request.json)
        if refused := self._refused(request):
            return refused
        self.cards.clear()
        return response.json({})

    async def _export(self, request: Request) -> HTTPResponse:
        return self._refused(request) or response.json({"account_id": "a", "cards": self.cards})
