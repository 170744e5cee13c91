"""Records as hospitals post them, and a person with a card, hospitals, and their resolutions."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from api.sandbox.people import Person
from tests.support.service import ALL_SCOPES, Client, Headers, Service, bearer

LAB = "http://terminology.hl7.org/CodeSystem/v2-0074"
LOINC = "http://loinc.org"
BLOOD_COUNT = {"code": "250101015", "name": "血常规"}
JSON = {"Content-Type": "application/json"}
BREAK_GLASS = {
    "reason": "life-threatening",
    "statement": "患者昏迷，需了解用药情况",
    "operator": {"id": "n1", "name": "急诊一"},
}
_LAB = """\
{"resourceType":"DiagnosticReport","status":"<STATUS>",
 "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}],
 "code":{"coding":[{"system":"http://loinc.org","code":"58410-2"}],"text":"<TITLE>"},"effectiveDateTime":"<AT>",
 "contained":[{"resourceType":"Observation","id":"wbc","status":"final",
  "code":{"coding":[{"system":"http://loinc.org","code":"6690-2"}],"text":"白细胞"},"effectiveDateTime":"<AT>",
  "valueQuantity":{"value":<VALUE>,"unit":"10^9/L"},
  "referenceRange":[{"low":{"value":3.50},"high":{"value":9.50}}]}],
 "result":[{"reference":"#wbc"}]<EXTRA>}"""


def days_ago(days: float) -> str:
    """A time so many days before the machine's."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def lab(days: float = 3, *, title: str = "血常规", status: str = "final", value: str = "6.30", **more: Any) -> str:
    """A laboratory report with one white-cell count, as text: its decimals stay as they are written."""
    at = days_ago(days)
    extra = "".join(f",{json.dumps(name)}:{json.dumps(given, ensure_ascii=False)}" for name, given in more.items())
    words = {"STATUS": status, "TITLE": title, "AT": at, "VALUE": value, "EXTRA": extra}
    text = _LAB
    for word, said in words.items():
        text = text.replace(f"<{word}>", said)
    return text


def examination(days: float = 3, title: str = "胸部CT报告") -> str:
    """A report that is no laboratory's."""
    coding = [{"system": LAB, "code": "RAD"}]
    return json.dumps(
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "category": [{"coding": coding}],
            "code": {"text": title},
            "effectiveDateTime": days_ago(days),
            "conclusion": "未见异常",
        },
        ensure_ascii=False,
    )


def imaging(health_card_id: str, days: float = 3, study: str = "1.2.3.4") -> str:
    """An imaging study: FHIR wants its subject."""
    return json.dumps(
        {
            "resourceType": "ImagingStudy",
            "status": "available",
            "subject": {"reference": f"Patient/{health_card_id}"},
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{study}"}],
            "started": days_ago(days),
            "description": "胸部CT",
        },
        ensure_ascii=False,
    )


def document(days: float = 3, code: str = "18842-5", title: str = "出院小结") -> str:
    """A discharge summary, or another document."""
    return json.dumps(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "type": {"coding": [{"system": LOINC, "code": code}], "text": title},
            "date": days_ago(days),
            "content": [{"attachment": {"contentType": "text/html", "data": "PGI+aGk8L2I+"}}],
        },
        ensure_ascii=False,
    )


def mark(level: str = "national", area: str = "430000", text: str = "全国HR", **item: str) -> dict[str, Any]:
    """A mark of mutual recognition."""
    return {"level": level, "area": area, "mark": text, "items": [item or BLOOD_COUNT]}


class Window:
    """A hospital with an open resolution of the person."""

    def __init__(self, service: Service, client: Client, headers: Headers, resolution: dict[str, Any]) -> None:
        self.service = service
        self.client = client
        self.headers = headers
        self.hospital_id = client.hospital_id
        self.resolution_id = resolution_id = resolution["resolution_id"]
        self.card = resolution["card"]
        self.path = f"/v1/hospital/resolutions/{resolution_id}/records"

    async def renew(self) -> None:
        """A token that holds at the time as it is now."""
        self.headers = bearer((await self.service.token(self.client)).json()["access_token"])

    def of_kind(self, kind: str, days: float = 3) -> str:
        """A record of a kind, as it may be posted here."""
        if kind == "imaging":
            return imaging(self.card["health_card_id"], days)
        if kind == "note":
            return document(days, "34109-9", "病程记录")
        if kind == "discharge":
            return document(days)
        return lab(days) if kind == "laboratory" else examination(days)

    async def post(self, resource: str, *, headers: Headers | None = None, **more: Any) -> httpx.Response:
        """POST records; `more`: replaces, recognition."""
        rest = "".join(f",{json.dumps(k)}:{json.dumps(v, ensure_ascii=False)}" for k, v in more.items())
        body = f'{{"resource":{resource}{rest}}}'
        sent = {**self.headers, **JSON, **(headers or {})}
        return await self.service.http.post(self.path, headers=sent, content=body.encode())

    async def posted(self, resource: str, **more: Any) -> dict[str, Any]:
        """A record that was kept."""
        answer = await self.post(resource, **more)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def get(self, record_id: str = "", **query: Any) -> httpx.Response:
        """GET records, or one of them."""
        path = f"{self.path}/{record_id}" if record_id else self.path
        return await self.service.http.get(path, headers=self.headers, params=query)

    async def listed(self, **query: Any) -> list[str]:
        """The ids of a page."""
        answer = await self.get(**query)
        assert answer.status_code == 200, answer.text
        return [record["record_id"] for record in answer.json()["records"]]

    async def break_glass(self, **more: Any) -> httpx.Response:
        """POST break-glass."""
        path = f"/v1/hospital/resolutions/{self.resolution_id}/break-glass"
        return await self.service.http.post(path, headers=self.headers, json={**BREAK_GLASS, **more})


class Patient:
    """A person with a card of their own."""

    def __init__(self, service: Service, headers: Headers, card: dict[str, Any]) -> None:
        self.service = service
        self.headers = headers
        self.card = card
        self.path = f"/v1/patient/cards/{card['card_id']}"

    async def at(self, name: str = "甲医院", *, area: str = "430102", **more: Any) -> Window:
        """A new hospital that scanned the person's code."""
        client = await self.service.client(more.pop("scopes", ALL_SCOPES), name=name)
        await self.service.sql("UPDATE hospitals SET area = $1 WHERE id = $2", area, client.hospital_id)
        return await self.scanned(client, **more)

    async def scanned(self, client: Client, services: list[str] | None = None) -> Window:
        """A resolution at a hospital that is there."""
        headers = bearer((await self.service.token(client)).json()["access_token"])
        found = await self.service.resolved(headers, await self.service.code(self.headers, self.card, services))
        return Window(self.service, client, headers, found)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """GET under the card."""
        return await self.service.http.get(f"{self.path}/{path}", headers=self.headers, params=query)

    async def allow(self, *rules: dict[str, Any]) -> httpx.Response:
        """PUT consents, after those that are in force."""
        seen = await self.get("consents")
        headers = {**self.headers, "If-Match": seen.headers["etag"]}
        return await self.service.http.put(f"{self.path}/consents", headers=headers, json={"rules": list(rules)})

    async def permit(self, window: Window, kind: str = "*", effect: str = "permit", **more: Any) -> None:
        """One rule for one hospital, and no other."""
        answer = await self.allow(rule(window.hospital_id, kind, effect, **more))
        assert answer.status_code == 200, answer.text


def rule(hospital_id: str = "*", kind: str = "*", effect: str = "permit", **more: Any) -> dict[str, Any]:
    """A rule."""
    return {"hospital_id": hospital_id, "kind": kind, "effect": effect, **more}


async def patient(service: Service, person: Person | None = None) -> Patient:
    """A new person with a card."""
    return Patient(service, *await service.holder(person))
