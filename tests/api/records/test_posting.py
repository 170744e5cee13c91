"""Posting records: kept byte for byte, refused with the place, about nobody else, corrected by who posted them."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.support.records import BLOOD_COUNT, JSON, document, lab, mark, patient
from tests.support.service import Service, refused

MIB = 1024 * 1024
ABSENT = "00000000-0000-4000-8000-000000000000"


async def test_the_posted_bytes_are_kept_and_read_back(service: Service) -> None:
    window = await (await patient(service)).at()
    text = lab(value="6.30000000000000000001").replace(",", " , ", 3)
    record = await window.posted(text, recognition=mark())
    assert record["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert (record["size"], record["kind"], record["title"]) == (len(text.encode()), "laboratory", "血常规")
    assert record["recognition"]["items"] == [BLOOD_COUNT]
    read = await window.get(record["record_id"])
    assert read.content == text.encode()
    assert read.headers["content-type"] == "application/fhir+json"
    assert read.headers["content-disposition"].startswith("attachment;")
    assert (read.headers["x-content-type-options"], read.headers["cache-control"]) == ("nosniff", "no-store")
    assert "sandbox" in read.headers["content-security-policy"]


async def test_a_resource_alone_as_fhir_json_is_the_same(service: Service) -> None:
    window = await (await patient(service)).at()
    headers = {**window.headers, "Content-Type": "application/fhir+json; charset=utf-8"}
    text = document()
    posted = await service.http.post(window.path, headers=headers, content=text.encode())
    assert (posted.status_code, posted.json()["kind"]) == (201, "discharge")
    assert (await window.get(posted.json()["record_id"])).content == text.encode()
    faulty = await service.http.post(window.path, headers=headers, content=text.replace("current", "new").encode())
    assert refused(faulty, 422, "record-invalid")["errors"][0]["field"] == "/status"


@pytest.mark.parametrize("kind", ["laboratory", "examination", "imaging", "discharge", "note"])
async def test_each_kind_is_told_apart(service: Service, kind: str) -> None:
    window = await (await patient(service)).at()
    record = await window.posted(window.of_kind(kind))
    assert record["kind"] == kind
    assert await window.listed(kind=kind) == [record["record_id"]]
    others = [other for other in ("laboratory", "note", "imaging") if other != kind]
    assert [await window.listed(kind=other) for other in others] == [[]] * len(others)


BAD: list[tuple[str, str, str, int, str, str | None]] = [
    ("a status of no such name", '"final"', '"banana"', 422, "record-invalid", "/resource/status"),
    ("no code", '"code":{"coding":[{"system":"http://loinc.org","code":"58410-2"}],"text":"血常规"},', "", 422, "record-invalid", "/resource/code"),
    ("a key twice", '"status":"final"', '"status":"final","status":"final"', 422, "record-invalid", "/resource/status"),
    ("another kind of resource", '"DiagnosticReport"', '"Patient"', 422, "record-kind-unsupported", None),
    ("no kind of resource", '"resourceType":"DiagnosticReport",', "", 422, "record-invalid", "/resource/resourceType"),
    ("another's subject", '"contained"', '"subject":{"identifier":{"value":"110101199003070011"}},"contained"', 422, "record-subject-mismatch", "/resource/subject"),
    ("another's subject in a part", '"id":"wbc"', '"id":"wbc","subject":{"reference":"Patient/else"}', 422, "record-subject-mismatch", "/resource/contained/0/subject"),
    ("a script for a reference", '"#wbc"', '"javascript:alert(1)"', 422, "record-invalid", "/resource/result/0/reference"),
    ("a reference to nothing inside", '"#wbc"', '"#none"', 422, "record-invalid", "/resource/result/0/reference"),
    ("a decimal of 5,000 digits", "6.30", "6." + "3" * 5000, 422, "record-invalid", "/resource/contained/0/valueQuantity/value"),
    ("a NUL", "血常规", "血\\u0000规", 422, "record-invalid", "/resource/code/text"),
    ("half a surrogate", "血常规", "血\\ud800规", 400, "body-malformed", None),
    ("no number", "6.30", "NaN", 400, "body-malformed", None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "status", "code", "place"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
async def test_what_is_wrong_is_refused_with_its_place(
    service: Service, old: str, new: str, status: int, code: str, place: str | None
) -> None:
    window = await (await patient(service)).at()
    text = lab()
    assert old in text
    answer = await window.post(text.replace(old, new, 1))
    problem = refused(answer, status, code)
    fields = [fault["field"] for fault in problem.get("errors", [])]
    assert place is None or any(field.startswith(place) for field in fields), fields
    assert "110101199003070011" not in answer.text
    assert await window.listed() == []


async def test_the_future_is_refused(service: Service) -> None:
    window = await (await patient(service)).at()
    assert (
        refused(await window.post(lab(days=-1)), 422, "record-invalid")["errors"][0]["field"]
        == "/resource/effectiveDateTime"
    )


async def test_a_record_is_at_most_one_mebibyte(service: Service) -> None:
    window = await (await patient(service)).at()

    def sized(size: int) -> bytes:
        frame = document().replace("PGI+aGk8L2I+", "{}")
        return frame.replace("{}", "QUJD" * ((size - len(frame.encode()) + 2) // 4)).encode()

    fits = sized(MIB - 8)
    headers = {**window.headers, "Content-Type": "application/fhir+json"}
    posted = await service.http.post(window.path, headers=headers, content=fits)
    assert posted.status_code == 201, posted.text
    assert (await window.get(posted.json()["record_id"])).content == fits
    over = await service.http.post(window.path, headers=headers, content=fits.ljust(MIB) + b" ")
    refused(over, 413, "body-too-large")


async def test_depth_is_bounded(service: Service) -> None:
    window = await (await patient(service)).at()
    for deep in (100, 100_000):
        extension = '{"url":"urn:x","extension":[' * deep + '{"url":"urn:x","valueString":"x"}' + "]}" * deep
        text = lab().replace('"resourceType"', f'"extension":[{extension}],"resourceType"', 1)
        assert (await window.post(text)).status_code in (400, 413, 422)


async def test_subjects_by_patient_number_card_or_document_are_the_person(service: Service) -> None:
    person = service.person()
    me = await patient(service)
    window = await me.at()
    await service.http.put(
        f"/v1/hospital/resolutions/{window.resolution_id}/patient-number",
        headers=window.headers,
        json={"patient_number": "P0001"},
    )
    found = (await service.http.get(f"/v1/hospital/resolutions/{window.resolution_id}", headers=window.headers)).json()
    card = found["card"]
    mine = [
        {"reference": "Patient/P0001"},
        {"reference": f"Patient/{card['health_card_id']}"},
        {"identifier": {"value": card["id_number"]}},
    ]
    for subject in mine:
        await window.posted(lab(subject=subject))
    for subject in ({"reference": "Patient/P0002"}, {"identifier": {"value": person.id_number}}):
        refused(await window.post(lab(subject=subject)), 422, "record-subject-mismatch")


async def test_a_correction_supersedes_and_history_stays(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    first = await window.posted(lab(), recognition=mark())
    second = await window.posted(lab(status="corrected", value="5.10"), replaces=first["record_id"])
    assert second["replaces"] == first["record_id"]
    assert await window.listed() == [second["record_id"]]
    history = (await window.get(history="true")).json()["records"]
    assert {(r["record_id"], r["superseded_by"]) for r in history} == {
        (first["record_id"], second["record_id"]),
        (second["record_id"], None),
    }
    assert await window.listed(recognised="true", item=BLOOD_COUNT["code"]) == []
    points = (await me.get("observations", code="6690-2")).json()["points"]
    assert [point["value"] for point in points] == ["5.10"]
    refused(await window.post(lab(), replaces=first["record_id"]), 409, "record-superseded")


async def test_entered_in_error_leaves_lists_and_trends(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    first = await window.posted(lab())
    await window.posted(lab(status="entered-in-error"), replaces=first["record_id"])
    assert await window.listed() == []
    assert (await me.get("records")).json()["records"] == []
    assert (await me.get("observations", code="6690-2")).json()["points"] == []
    assert len(await window.listed(history="true")) == 2


async def test_only_who_posted_a_record_replaces_it_and_only_of_the_same_person(service: Service) -> None:
    me, other = await patient(service), await patient(service)
    mine, theirs = await me.at(), await me.at("乙医院")
    record = await mine.posted(lab())
    answers = [await theirs.post(lab(), replaces=gone) for gone in (record["record_id"], ABSENT)]
    elsewhere = await other.scanned(mine.client)
    answers.append(await elsewhere.post(lab(), replaces=record["record_id"]))
    for answer in answers:
        refused(answer, 404, "not-found")
    assert await mine.listed() == [record["record_id"]]
    wrong = refused(await mine.post(document(), replaces=record["record_id"]), 422, "record-invalid")
    assert wrong["errors"][0]["field"] == "/replaces"


async def test_two_corrections_at_once_supersede_once(service: Service) -> None:
    import asyncio

    window = await (await patient(service)).at()
    first = await window.posted(lab())
    answers = await asyncio.gather(*(window.post(lab(), replaces=first["record_id"]) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(await window.listed()) == 1


async def test_the_same_key_keeps_one_record(service: Service) -> None:
    window = await (await patient(service)).at()
    text, key = lab(), {"Idempotency-Key": str(uuid4())}
    first, again = await window.post(text, headers=key), await window.post(text, headers=key)
    assert first.json() == again.json()
    assert len(await window.listed()) == 1
    refused(await window.post(lab(value="7.1"), headers=key), 422, "idempotency-key-reused")


async def test_a_code_that_does_not_open_records_and_a_client_that_may_not(service: Service) -> None:
    me = await patient(service)
    narrow = await me.scanned((await me.at()).client, ["booking"])
    bookings = await me.at("丙医院", scopes=("booking",))
    for window in (narrow, bookings):
        refused(await window.post(lab()), 403, "service-not-granted")
        refused(await window.get(), 403, "service-not-granted")
        refused(await window.get(ABSENT), 403, "service-not-granted")
        refused(await window.break_glass(), 403, "service-not-granted")


async def test_nothing_under_a_resolution_that_ended(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    record = await window.posted(lab())
    await service.move_time(12 * 3600 + 1)
    await window.renew()
    for answer in (await window.post(lab(days=4)), await window.get(), await window.get(record["record_id"])):
        refused(answer, 410, "resolution-expired")
    await service.move_time(0)
    await window.renew()
    await service.http.post(f"{me.path}/freeze", headers=me.headers)
    for answer in (await window.post(lab()), await window.get(), await window.get(record["record_id"])):
        refused(answer, 403, "card-revoked")


async def test_another_clients_resolution_is_not_there(service: Service) -> None:
    me = await patient(service)
    mine, theirs = await me.at(), await me.at("乙医院")
    mine.headers = theirs.headers
    for answer in (await mine.post(lab()), await mine.get(), await mine.get(ABSENT)):
        refused(answer, 404, "not-found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "county"},
        {"area": "43"},
        {"area": "4300000"},
        {"items": []},
        {"items": [{"code": "", "name": "x"}]},
        {"mark": ""},
        {"mark": "x" * 21},
    ],
)
async def test_a_mark_is_as_declared(service: Service, wrong: dict[str, Any]) -> None:
    window = await (await patient(service)).at()
    refused(await window.post(lab(), recognition={**mark(), **wrong}), 422, "validation-failed")


async def test_what_surrounds_the_resource_is_read_strictly(service: Service) -> None:
    window = await (await patient(service)).at()
    for body, status in (
        (f'{{"resource":{lab()},"resource":{lab()}}}', 400),
        (f'{{"resource":{lab()},"extra":1}}', 422),
        ("{}", 422),
        ('{"resource":"text"}', 422),
        ('{"resource":[]}', 422),
        (json.dumps({"resource": None}), 422),
    ):
        answer = await service.http.post(window.path, headers={**window.headers, **JSON}, content=body.encode())
        assert answer.status_code == status, (body[:40], answer.text)
