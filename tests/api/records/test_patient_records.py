"""The person sees all of their records, and takes them away byte for byte."""

from tests.api.test_freezing import held_twice
from tests.support.records import Patient, lab, patient
from tests.support.service import Service, refused

ABSENT = "00000000-0000-4000-8000-000000000000"


async def test_all_records_of_all_hospitals_newest_first(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    old, new = (await a.posted(lab(5)))["record_id"], (await b.posted(b.of_kind("note", 1)))["record_id"]
    listed = (await me.get("records")).json()
    assert [record["record_id"] for record in listed["records"]] == [new, old]
    assert [record["hospital"]["name"] for record in listed["records"]] == ["乙医院", "甲医院"]
    assert listed["records"][0]["recognitions"] == []
    assert [r["record_id"] for r in (await me.get("records", kind="note")).json()["records"]] == [new]
    for one in (new, old):
        assert [r["record_id"] for r in (await me.get("records", record_id=one)).json()["records"]] == [one]
    assert (await me.get("records", record_id=ABSENT)).json()["records"] == []
    page = (await me.get("records", limit=1)).json()
    rest = (await me.get("records", limit=1, cursor=page["next_cursor"])).json()
    assert ([r["record_id"] for r in rest["records"]], rest["next_cursor"]) == ([old], None)


async def test_a_record_is_given_to_its_person_byte_for_byte_as_a_download(service: Service) -> None:
    me, other = await patient(service), await patient(service)
    text = lab()
    record = (await (await me.at()).posted(text))["record_id"]
    read = await service.http.get(f"/v1/patient/records/{record}", headers=me.headers)
    assert read.content == text.encode()
    assert read.headers["content-disposition"].startswith("attachment;")
    absent = await service.http.get(f"/v1/patient/records/{ABSENT}", headers=other.headers)
    theirs = await service.http.get(f"/v1/patient/records/{record}", headers=other.headers)
    refused(theirs, 404, "not-found")
    assert {**theirs.json(), "request_id": ""} == {**absent.json(), "request_id": ""}


async def test_the_bundle_holds_every_record_as_it_was_posted(service: Service) -> None:
    me = await patient(service)
    window = await me.at()
    texts = [lab(days, value=f"{days}.30") for days in range(1, 26)]
    first = await window.posted(texts[0])
    for text in texts[1:]:
        await window.posted(text)
    texts.append(lab(0.5, value="0.10000000000000000001"))
    await window.posted(texts[-1], replaces=first["record_id"])
    taken = await me.get("records/bundle")
    assert taken.headers["content-type"] == "application/fhir+json"
    assert "attachment" in taken.headers["content-disposition"]
    bundle = taken.json()
    assert (bundle["resourceType"], bundle["type"], len(bundle["entry"])) == ("Bundle", "collection", 25)
    assert all(text in taken.text for text in texts[1:])
    assert texts[0] not in taken.text
    assert len({entry["fullUrl"] for entry in bundle["entry"]}) == 25
    assert texts[0] in (await me.get("records/bundle", history="true")).text


async def test_the_bundle_of_nobodys_records_is_empty(service: Service) -> None:
    me = await patient(service)
    assert (await me.get("records/bundle")).json() == {"resourceType": "Bundle", "type": "collection", "entry": []}


async def test_a_trend_is_of_good_records_oldest_first_digit_by_digit(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    new, old = (await a.posted(lab(1, value="6.30")))["record_id"], (await b.posted(lab(9, value="5.0")))["record_id"]
    await a.posted(lab(2, status="preliminary", value="99"))
    points = (await me.get("observations", code="6690-2")).json()["points"]
    assert [(point["value"], point["record_id"]) for point in points] == [("5.0", old), ("6.30", new)]
    assert {name: points[0][name] for name in ("unit", "low", "high", "flag")} == {
        "unit": "10^9/L",
        "low": "3.50",
        "high": "9.50",
        "flag": None,
    }
    assert (await me.get("observations", code="718-7")).json() == {"points": []}
    codes = (await me.get("observation-codes")).json()["codes"]
    assert [(one["code"], one["name"], one["count"]) for one in codes] == [("6690-2", "白细胞", 2)]
    refused(await me.get("observations"), 422, "validation-failed")


async def test_who_holds_the_only_card_of_a_person_sees_all(service: Service) -> None:
    """A child, or a parent without a phone: somebody must see their records."""
    mother = service.person()
    mine, _ = await service.holder()
    card = await service.card(mine, mother, relation="parent", proof=await service.texted(mine, mother))
    me = Patient(service, mine, card)
    record = (await (await me.at()).posted(lab()))["record_id"]
    assert [r["record_id"] for r in (await me.get("records")).json()["records"]] == [record]
    assert (await me.get("consents")).status_code == 200
    hers = Patient(service, await service.patient(mother), await service.card(await service.patient(mother), mother))
    after = (await (await hers.at("乙医院")).posted(lab(1)))["record_id"]
    assert [r["record_id"] for r in (await me.get("records")).json()["records"]] == [record]
    refused(await service.http.get(f"/v1/patient/records/{after}", headers=mine), 404, "not-found")


async def test_a_closed_card_shows_nothing(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    other = Patient(service, mine, my_card)
    record = (await (await other.at()).posted(lab()))["record_id"]
    await service.http.delete(other.path, headers=mine)
    refused(await other.get("records"), 404, "not-found")
    refused(await service.http.get(f"/v1/patient/records/{record}", headers=mine), 404, "not-found")
    hers_too = Patient(service, hers, her_card)
    assert [r["record_id"] for r in (await hers_too.get("records")).json()["records"]] == [record]


async def test_hospitals_are_found_by_their_names(service: Service) -> None:
    me = await patient(service)
    await service.client(name="湘雅第九医院")
    found = (await service.http.get("/v1/hospitals", headers=me.headers, params={"q": "雅第九"})).json()
    assert [one["name"] for one in found["hospitals"]] == ["湘雅第九医院"]
    for words in ("没有的", "%", "_", "\\"):
        none = (await service.http.get("/v1/hospitals", headers=me.headers, params={"q": words})).json()
        assert none == {"hospitals": [], "next_cursor": None}
    refused(await service.http.get("/v1/hospitals?q=%00", headers=me.headers), 422, "validation-failed")
