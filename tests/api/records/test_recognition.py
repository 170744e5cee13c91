"""Mutual recognition: is there one I need not repeat, where does its mark hold, and what was decided."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.records import BLOOD_COUNT, Window, document, lab, mark, patient, rule
from tests.support.service import Service, refused

CODE = BLOOD_COUNT["code"]
CHANGSHA, ZHUZHOU, WUHAN, BEIJING_EAST, BEIJING_WEST = "430102", "430202", "420102", "110101", "110102"


async def recognised(window: Window, **query: Any) -> list[str]:
    return await window.listed(recognised="true", **{"item": CODE, **query})


async def decide(window: Window, record_id: str, **body: Any) -> httpx.Response:
    path = f"{window.path}/{record_id}/recognitions"
    return await window.service.http.post(path, headers=window.headers, json={"item": CODE, **body})


@pytest.mark.parametrize(
    ("level", "area", "here", "holds"),
    [
        ("national", "430000", WUHAN, True),
        ("province", "430000", ZHUZHOU, True),
        ("province", "430000", WUHAN, False),
        ("city", "430100", CHANGSHA, True),
        ("city", "430100", ZHUZHOU, False),
        ("city", "110000", BEIJING_EAST, True),
        ("city", BEIJING_EAST, BEIJING_WEST, True),
        ("province", "110000", BEIJING_WEST, True),
        ("city", "430100", BEIJING_EAST, False),
    ],
)
async def test_a_mark_holds_in_its_area(service: Service, level: str, area: str, here: str, holds: bool) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院", area=here)
    record = (await a.posted(lab(), recognition=mark(level, area)))["record_id"]
    await me.permit(b)
    assert (await recognised(b) == [record]) is holds
    answer = await decide(b, record, decision="accepted")
    assert answer.status_code == (201 if holds else 422), answer.text


async def test_only_items_that_are_marked_young_enough_and_permitted(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    marked = (await a.posted(lab(3), recognition=mark()))["record_id"]
    await a.posted(lab(2))
    other = (await a.posted(lab(1), recognition=mark(code="250203020", name="凝血")))["record_id"]
    assert await recognised(b) == []
    await me.permit(b)
    assert await recognised(b) == [marked]
    assert await recognised(b, within=3) == []
    assert await recognised(b, within=4) == [marked]
    assert await b.listed(recognised="true", item="250203020") == [other]
    assert await b.listed(recognised="true") == [other, marked]
    assert await recognised(b, kind="note") == []
    refused(await b.get(item=CODE), 422, "validation-failed")
    refused(await b.get(recognised="true", item=CODE, within=0), 422, "validation-failed")


async def test_the_age_is_that_of_the_sample(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    at = lab(10).split('"effectiveDateTime":"')[1][:25]
    specimen = f'{{"resourceType":"Specimen","id":"s","collection":{{"collectedDateTime":"{at}"}}}}'
    text = lab(1).replace('"contained":[', f'"specimen":[{{"reference":"#s"}}],"contained":[{specimen},', 1)
    record = (await window.posted(text, recognition=mark()))["record_id"]
    assert await recognised(window, within=9) == []
    assert await recognised(window, within=11) == [record]


@pytest.mark.parametrize("status", ["registered", "partial", "preliminary", "cancelled", "unknown", "entered-in-error"])
async def test_what_is_not_final_stands_for_nothing(service: Service, status: str) -> None:
    window = await (await patient(service)).at()
    await window.posted(lab(status=status), recognition=mark())
    assert await recognised(window) == []


async def test_a_decision_has_an_official_reason_if_the_test_is_repeated(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab(), recognition=mark()))["record_id"]
    await me.permit(b)
    for wrong in (
        {"decision": "repeated"},
        {"decision": "repeated", "reason": "habit"},
        {"decision": "accepted", "reason": "other"},
        {"decision": "maybe"},
    ):
        refused(await decide(b, record, **wrong), 422, "validation-failed")
    refused(await decide(b, record, decision="accepted", item="other"), 422, "validation-failed")
    for reason in ("condition-changed", "changes-fast", "major-treatment", "emergency", "forensic", "other"):
        answer = await decide(b, record, decision="repeated", reason=reason)
        assert (answer.status_code, answer.json()["reason"]) == (201, reason)
        b = await me.scanned(b.client)
    shown = (await me.get("records")).json()["records"][0]["recognitions"]
    assert len(shown) == 6
    assert {k: shown[0][k] for k in ("hospital", "item", "item_name", "decision", "reason")} == {
        "hospital": "乙医院",
        "item": CODE,
        "item_name": "血常规",
        "decision": "repeated",
        "reason": "condition-changed",
    }


async def test_no_decision_on_what_may_not_be_read_or_was_superseded(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab(), recognition=mark()))["record_id"]
    refused(await decide(b, record, decision="accepted"), 404, "not-found")
    await me.allow(rule())
    await a.posted(lab(), replaces=record, recognition=mark())
    refused(await decide(b, record, decision="accepted"), 409, "record-superseded")
    unmarked = (await a.posted(document()))["record_id"]
    refused(await decide(b, unmarked, decision="accepted"), 422, "validation-failed")


async def test_decisions_are_counted_by_item_for_auditors(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    item = {"code": "250999", "name": "计数项目"}
    record = (await window.posted(lab(), recognition=mark(**item)))["record_id"]
    for body in ({"decision": "accepted"}, {"decision": "accepted"}, {"decision": "repeated", "reason": "emergency"}):
        window = await me.scanned(window.client)
        assert (await decide(window, record, item="250999", **body)).status_code == 201
    auditor = await service.admin("auditor")
    found = (await service.http.get("/v1/admin/recognitions", headers=auditor)).json()["items"]
    mine = next(one for one in found if one["item"] == "250999")
    assert mine == {"item": "250999", "name": "计数项目", "accepted": 2, "repeated": 1, "reasons": {"emergency": 1}}
    none = await service.http.get("/v1/admin/recognitions?from=2020-01-01&to=2020-01-31", headers=auditor)
    assert none.json() == {"items": []}
    wrong = await service.http.get("/v1/admin/recognitions?from=2020-02-01&to=2020-01-31", headers=auditor)
    refused(wrong, 422, "validation-failed")
    refused(
        await service.http.get("/v1/admin/recognitions", headers=await service.admin("registrar")), 403, "not-allowed"
    )


async def test_a_preliminary_result_stands_for_nothing_and_each_look_is_an_access(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    record = (await window.posted(lab(status="preliminary"), recognition=mark()))["record_id"]
    refused(await decide(window, record, decision="accepted"), 422, "validation-failed")
    accesses = (await me.get("accesses")).json()["accesses"]
    assert [(one["act"], one["records"]) for one in accesses[:2]] == [("read", [record]), ("posted", [record])]


async def test_the_last_decision_of_a_resolution_on_an_item_counts(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    item = {"code": "250998", "name": "改主意的项目"}
    record = (await window.posted(lab(), recognition=mark(**item)))["record_id"]
    answers = await asyncio.gather(*(decide(window, record, item="250998", decision="accepted") for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6
    await decide(window, record, item="250998", decision="repeated", reason="other")
    (shown,) = (await me.get("records")).json()["records"][0]["recognitions"]
    assert shown["decision"] == "repeated"
    found = await service.http.get("/v1/admin/recognitions", headers=await service.admin("auditor"))
    (mine,) = [one for one in found.json()["items"] if one["item"] == "250998"]
    assert (mine["accepted"], mine["repeated"], mine["reasons"]) == (0, 1, {"other": 1})
