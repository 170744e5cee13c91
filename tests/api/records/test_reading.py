"""Reading: what the person permits, newest first; the rest is absent; each call one access with what it showed."""

import json
from typing import Any

from tests.support.records import days_ago, lab, patient, rule
from tests.support.service import Service, refused

ABSENT = "00000000-0000-4000-8000-000000000000"


def bytes_but_for_the_request(answer: Any) -> tuple[int, list[tuple[str, str]], str]:
    headers = sorted((k, v) for k, v in answer.headers.items() if k not in ("x-request-id", "date"))
    return answer.status_code, headers, json.dumps({**answer.json(), "request_id": ""})


async def test_without_consent_only_who_posted_reads(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = await a.posted(lab())
    assert await a.listed() == [record["record_id"]]
    assert await b.listed() == []
    refused(await b.get(record["record_id"]), 404, "not-found")


async def test_unreadable_and_absent_are_answered_with_equal_bytes(service: Service) -> None:
    me, other = await patient(service), await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    hidden = await a.posted(lab())
    elses = await (await other.at()).posted(lab())
    absent = bytes_but_for_the_request(await b.get(ABSENT))
    for record in (hidden, elses):
        assert bytes_but_for_the_request(await b.get(record["record_id"])) == absent
        decided = f"{b.path}/{record['record_id']}/recognitions"
        body = {"item": "x", "decision": "accepted"}
        answer = await service.http.post(decided, headers=b.headers, json=body)
        nothing = await service.http.post(f"{b.path}/{ABSENT}/recognitions", headers=b.headers, json=body)
        assert bytes_but_for_the_request(answer) == bytes_but_for_the_request(nothing)
    # An empty list is the same bytes whether nothing is there or nothing may be read.
    empty = await (await other.at("丁医院")).get()
    assert (await b.get()).content == empty.content


async def test_consent_opens_and_its_withdrawal_closes_an_open_resolution(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = await a.posted(lab())
    note = await a.posted(a.of_kind("note"))
    await me.permit(b, "laboratory")
    assert await b.listed() == [record["record_id"]]
    assert (await b.get(record["record_id"])).status_code == 200
    refused(await b.get(note["record_id"]), 404, "not-found")
    await me.allow()
    assert await b.listed() == []
    refused(await b.get(record["record_id"]), 404, "not-found")


async def test_pages_have_no_gap_where_records_may_not_be_read(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    seen = []
    for days in range(1, 13):
        kind = "laboratory" if days % 3 == 0 else "note"
        record = await a.posted(a.of_kind(kind, days))
        if kind == "laboratory":
            seen.append(record["record_id"])
    await me.permit(b, "laboratory")
    found: list[str] = []
    cursor: dict[str, str] = {}
    for length in (2, 2):
        page = (await b.get(limit=2, **cursor)).json()
        assert set(page) == {"records", "next_cursor"}
        assert len(page["records"]) == length
        found += [record["record_id"] for record in page["records"]]
        cursor = {"cursor": page["next_cursor"]}
    assert found == seen
    assert page["next_cursor"] is None


async def test_pages_are_keyset_while_records_are_added(service: Service) -> None:
    window = await (await patient(service)).at()
    old = [(await window.posted(lab(days)))["record_id"] for days in (3, 4, 5, 6, 7)]
    first = (await window.get(limit=2)).json()
    await window.posted(lab(1))
    rest = (await window.get(limit=100, cursor=first["next_cursor"])).json()
    assert [r["record_id"] for r in first["records"] + rest["records"]] == old


async def test_lists_are_filtered_by_kind_time_and_hospital(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    early, late = (await a.posted(lab(30)))["record_id"], (await a.posted(lab(2)))["record_id"]
    own = (await b.posted(b.of_kind("note", 10)))["record_id"]
    await me.permit(b)
    assert await b.listed() == [late, own, early]
    assert await b.listed(kind="note") == [own]
    assert await b.listed(**{"from": days_ago(15)}) == [late, own]
    assert await b.listed(to=days_ago(5)) == [own, early]
    assert await b.listed(hospital_id=a.hospital_id) == [late, early]
    refused(await b.get(kind="secret"), 422, "validation-failed")
    refused(await b.get(**{"from": "yesterday"}), 422, "validation-failed")
    refused(await b.get(limit=101), 422, "validation-failed")


async def test_records_before_1970_keep_their_place_in_pages(service: Service) -> None:
    window = await (await patient(service)).at()
    old = [(await window.posted(lab().replace(lab().split('"effectiveDateTime":"')[1][:25], at)))["record_id"]
           for at in ("1969-12-31T23:59:59.5+00:00", "1960-01-01T00:00:00.25+00:00", "1955-06-01T00:00:00+00:00")]  # fmt: skip
    found: list[str] = []
    cursor: dict[str, str] = {}
    for _ in old:
        page = (await window.get(limit=1, **cursor)).json()
        found += [record["record_id"] for record in page["records"]]
        cursor = {"cursor": page["next_cursor"]}
    assert found == old


async def test_every_call_is_one_access_with_what_it_showed(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    hidden = (await a.posted(a.of_kind("note")))["record_id"]
    await me.permit(b, "laboratory")
    await b.listed()
    await b.get(record)
    await b.get(hidden)
    await b.listed(kind="note")
    accesses = (await me.get("accesses", limit=100)).json()["accesses"]
    assert all(access["outcome"] == "allowed" and not access["break_glass"] for access in accesses)
    assert {access["act"] for access in accesses if access["hospital"] == "乙医院"} == {"read", None}
    at_b = [(access["what"], access["records"]) for access in accesses if access["hospital"] == "乙医院"]
    assert at_b[:-1] == [(["records"], []), (["records"], []), (["records"], [record]), (["records"], [record])]
    at_a = [(access["act"], access["records"]) for access in accesses if access["hospital"] != "乙医院"]
    assert at_a == [("posted", [hidden]), ("posted", [record]), (None, [])]


async def test_the_one_more_that_tells_of_a_next_page_is_not_in_the_access(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    ids = [(await window.posted(lab(days)))["record_id"] for days in (1, 2, 3)]
    await window.get(limit=2)
    newest = (await me.get("accesses", limit=1)).json()["accesses"][0]
    assert newest["records"] == ids[:2]


async def test_a_frozen_persons_other_card_does_not_open(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = await a.posted(lab())
    await me.allow(rule())
    assert (await b.get(record["record_id"])).status_code == 200
    await service.http.post(f"{me.path}/freeze", headers=me.headers)
    refused(await b.get(record["record_id"]), 403, "card-revoked")
