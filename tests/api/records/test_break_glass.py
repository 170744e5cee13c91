"""Break-glass: a reason, an hour, this resolution; told at once, each reading marked, reviewed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from api.booking.shown import SHANGHAI
from tests.support.records import lab, patient, rule
from tests.support.service import Service, refused


async def queue(service: Service, **query: Any) -> list[dict[str, Any]]:
    auditor = await service.admin("auditor")
    found = await service.http.get("/v1/admin/break-glass", headers=auditor, params={"limit": 100, **query})
    listed: list[dict[str, Any]] = found.json()["break_glasses"]
    return listed


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": "curiosity"}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"statement": "too short"}, "/statement"),
        ({"statement": "长" * 501}, "/statement"),
        ({"statement": " \u3000\u200b" * 10}, "/statement"),
        ({"operator": {"id": "n1", "name": "\u200b"}}, "/operator/name"),
        ({"operator": None}, "/operator"),
        ({"operator": {"id": "n1"}}, "/operator/name"),
        ({"operator": {"id": "", "name": "x"}}, "/operator/id"),
    ],
)
async def test_it_needs_a_reason_a_statement_and_who(service: Service, wrong: dict[str, Any], field: str) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    await a.posted(lab())
    problem = refused(await b.break_glass(**wrong), 422, "break-glass-reason-required")
    assert problem["errors"][0]["field"] == field
    assert await b.listed() == []


async def test_it_opens_all_against_a_denial_for_an_hour_under_this_resolution(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    records = [
        (await a.posted(a.of_kind(kind, days)))["record_id"] for days, kind in enumerate(("note", "laboratory"), 1)
    ]
    await me.allow(rule(effect="deny"))
    other = await me.scanned(b.client)
    opened = await b.break_glass()
    assert opened.status_code == 201
    assert await b.listed() == records
    assert (await b.get(records[0])).status_code == 200
    assert await other.listed() == []
    refused(await other.get(records[0]), 404, "not-found")
    await service.move_time(3600 - 5)
    await b.renew()
    assert await b.listed() == records
    await service.move_time(3601)
    assert await b.listed() == []
    refused(await b.get(records[0]), 404, "not-found")


async def test_the_person_is_told_by_message_and_text_at_once(service: Service) -> None:
    person = service.person()
    me = await patient(service, person)
    b = await me.at("乙医院")
    opened = (await b.break_glass(reason="cannot-consent")).json()
    told = (await service.http.get("/v1/patient/messages", headers=me.headers)).json()["messages"][0]
    assert (told["kind"], told["ref"]) == ("break-glass", opened["break_glass_id"])
    assert "乙医院" in told["text"]
    assert "无法表示同意" in told["text"]
    text = await service.last_text(person.phone)
    assert "乙医院" in text
    assert person.name not in text
    assert "昏迷" not in text + told["text"]


@pytest.mark.parametrize(("begins", "says"), [((23, 40), "至次日00:40止"), ((10, 0), "至11:00止")])
async def test_an_hour_that_crosses_midnight_says_so(service: Service, begins: tuple[int, int], says: str) -> None:
    now = datetime.now(SHANGHAI)
    begin = now.replace(hour=begins[0], minute=begins[1], second=5)
    await service.move_time((begin - now - timedelta(days=begin > now)).total_seconds())
    me = await patient(service)
    await (await me.at("乙医院")).break_glass()
    told = (await service.http.get("/v1/patient/messages", headers=me.headers)).json()["messages"][0]
    assert says in told["text"]


async def test_each_reading_under_it_is_marked(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    await b.listed()
    await b.break_glass()
    await b.listed()
    await b.get(record)
    accesses = (await me.get("accesses")).json()["accesses"]
    assert "opened" in {one["act"] for one in accesses}
    assert {one["operator"]["name"] for one in accesses if one["break_glass"]} == {"急诊一"}  # who broke it
    marked = [(one["break_glass"], one["records"]) for one in accesses if one["hospital"] == "乙医院"]
    assert marked == [(True, [record]), (True, [record]), (True, []), (False, []), (False, [])]
    waiting = await queue(service, reviewed="false")
    assert waiting[-1]["reads"] == 2


async def test_the_auditor_gives_one_verdict(service: Service) -> None:
    me = await patient(service)
    b = await me.at("乙医院")
    opened = (await b.break_glass(statement="昏迷送医，疑服抗凝药")).json()["break_glass_id"]
    mine = next(one for one in await queue(service, reviewed="false") if one["break_glass_id"] == opened)
    assert (mine["hospital"], mine["reason"], mine["statement"]) == (
        "乙医院",
        "life-threatening",
        "昏迷送医，疑服抗凝药",
    )
    assert (mine["operator"], mine["review"], mine["overdue"]) == ({"id": "n1", "name": "急诊一"}, None, False)
    path, body = f"/v1/admin/break-glass/{opened}/review", {"verdict": "justified", "note": "急救属实"}
    for role in ("custodian", "registrar"):
        headers = await service.admin(role)
        refused(await service.http.get("/v1/admin/break-glass", headers=headers), 403, "not-allowed")
        refused(await service.http.post(path, headers=headers, json=body), 403, "not-allowed")
    auditor = await service.admin("auditor")
    for wrong in (
        {"verdict": "maybe", "note": "x"},
        {"verdict": "justified", "note": " \u200b"},
        {"verdict": "justified", "note": ""},
        {"verdict": "justified"},
    ):
        refused(await service.http.post(path, headers=auditor, json=wrong), 422, "validation-failed")
    done = await service.http.post(path, headers=auditor, json=body)
    assert (done.status_code, done.json()["review"]["verdict"]) == (200, "justified")
    told = (await service.http.get("/v1/patient/messages", headers=me.headers)).json()["messages"][0]
    assert (told["kind"], told["ref"]) == ("break-glass", opened)
    assert "有正当理由" in told["text"]
    assert "急救属实" not in told["text"]
    again = await service.http.post(path, headers=auditor, json={"verdict": "unjustified", "note": "x"})
    refused(again, 409, "conflict")
    assert opened not in {one["break_glass_id"] for one in await queue(service, reviewed="false")}
    reviewed = next(one for one in await queue(service, reviewed="true") if one["break_glass_id"] == opened)
    assert reviewed["review"]["note"] == "急救属实"
    entries = (await service.http.get("/v1/admin/audit", headers=auditor)).json()["entries"]
    assert ("break-glass.review", opened) in {(one["action"], one["subject"]) for one in entries}
    absent = await service.http.post(path.replace(opened, me.card["card_id"]), headers=auditor, json=body)
    refused(absent, 404, "not-found")


async def test_what_waits_seven_days_is_overdue_and_an_alarm(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    me = await patient(service)
    opened = (await (await me.at()).break_glass()).json()["break_glass_id"]
    await service.move_time(7 * 86400 + 60)
    mine = next(one for one in await queue(service, reviewed="false") if one["break_glass_id"] == opened)
    assert mine["overdue"] is True
    metrics = (await service.http.get("/metrics")).text
    count = next(line for line in metrics.splitlines() if line.startswith("yima_break_glass_overdue"))
    assert float(count.split()[-1]) >= 1
    await service.services.glass_alarm.turn(service.services)
    assert "without a verdict" in caplog.text


async def test_the_queue_is_oldest_first_by_keyset(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    made = [(await window.break_glass()).json()["break_glass_id"] for _ in range(3)]
    auditor = await service.admin("auditor")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (
            await service.http.get(
                "/v1/admin/break-glass", headers=auditor, params={"reviewed": "false", "limit": 2, **cursor}
            )
        ).json()
        found += [one["break_glass_id"] for one in page["break_glasses"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found[-3:] == made
    assert len(found) == len(set(found))
