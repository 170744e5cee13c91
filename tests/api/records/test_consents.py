"""The person's choice: rules, their order, their time, their versions, and whose choice it is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.test_freezing import held_twice
from tests.support.records import Patient, lab, patient, rule
from tests.support.service import Service, refused


async def test_at_first_nobody_else_reads_and_version_0_says_so(service: Service) -> None:
    me = await patient(service)
    seen = await me.get("consents")
    assert seen.json() == {"version": 0, "rules": [], "hospitals": []}
    assert seen.headers["etag"] == '"0"'


async def test_a_choice_is_written_whole_and_read_back(service: Service) -> None:
    me = await patient(service)
    b = await me.at("乙医院")
    rules = [rule(b.hospital_id, "laboratory", valid_until="2030-01-01T00:00:00Z"), rule("*", "note", "deny")]
    answer = await me.allow(*rules)
    assert answer.status_code == 200
    said = answer.json()
    assert said["rules"] == [{"valid_from": None, "valid_until": None, **one} for one in rules]
    assert said["hospitals"] == [{"hospital_id": b.hospital_id, "name": "乙医院"}]
    assert (said["version"], answer.headers["etag"]) == (1, '"1"')
    assert (await me.get("consents")).json() == said


async def test_the_version_must_be_the_one_in_force(service: Service) -> None:
    me = await patient(service)
    path, body = f"{me.path}/consents", {"rules": [rule()]}
    refused(await service.http.put(path, headers=me.headers, json=body), 428, "precondition-required")
    for stale in ('"stale"', '"1"', "0", 'W/"0"', "*", ""):
        answer = await service.http.put(path, headers={**me.headers, "If-Match": stale}, json=body)
        refused(answer, 412, "version-conflict")
    first = await service.http.put(path, headers={**me.headers, "If-Match": '"0"'}, json=body)
    again = await service.http.put(path, headers={**me.headers, "If-Match": '"0"'}, json={"rules": []})
    assert first.status_code == 200
    refused(again, 412, "version-conflict")
    assert (await me.get("consents")).json()["version"] == 1


async def test_two_choices_at_once_are_one_and_a_conflict(service: Service) -> None:
    import asyncio

    me = await patient(service)
    headers = {**me.headers, "If-Match": '"0"'}
    answers = await asyncio.gather(
        *(service.http.put(f"{me.path}/consents", headers=headers, json={"rules": [rule()]}) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("a hospital that is not there", rule(str(uuid4())), "/rules/0/hospital_id"),
    ("no id of a hospital", rule("everybody"), "/rules/0/hospital_id"),
    ("a kind that is not there", rule(kind="secrets"), "/rules/0/kind"),
    ("an effect that is not there", rule(effect="maybe"), "/rules/0/effect"),
    ("a time without zone", rule(valid_until="2030-01-01T00:00:00"), "/rules/0/valid_until"),
    ("an end before its begin", rule(valid_from="2030-01-02T00:00:00Z", valid_until="2030-01-01T00:00:00Z"), "/rules/0/valid_until"),
    ("a field that is not there", rule(until="2030-01-01T00:00:00Z"), "/rules/0/until"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "field"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
async def test_a_rule_that_cannot_be_is_refused_with_its_place(
    service: Service, given: dict[str, Any], field: str
) -> None:
    me = await patient(service)
    problem = refused(await me.allow(given), 422, "consent-invalid")
    assert problem["errors"][0]["field"].startswith(field)
    assert (await me.get("consents")).json()["version"] == 0


async def test_there_are_at_most_100_rules(service: Service) -> None:
    me = await patient(service)
    assert (await me.allow(*[rule()] * 100)).status_code == 200
    refused(await me.allow(*[rule()] * 101), 422, "consent-invalid")


async def test_the_most_specific_rule_decides_and_a_tie_denies(service: Service) -> None:
    me = await patient(service)
    a, b, c = await me.at(), await me.at("乙医院"), await me.at("丙医院")
    record = (await a.posted(lab()))["record_id"]
    for rules, reads in (
        ([rule()], True),
        ([rule(), rule("*", "laboratory", "deny")], False),
        ([rule("*", "laboratory", "deny"), rule(b.hospital_id)], True),
        ([rule(b.hospital_id, "laboratory", "deny"), rule(b.hospital_id)], False),
        ([rule(effect="deny"), rule(b.hospital_id, "laboratory")], True),
        ([rule(b.hospital_id, "laboratory"), rule(b.hospital_id, "laboratory", "deny")], False),
        ([rule(), rule(effect="deny")], False),
        ([rule(c.hospital_id)], False),
        ([rule(a.hospital_id)], False),
        ([rule(b.hospital_id, "note")], False),
    ):
        assert (await me.allow(*rules)).status_code == 200
        assert (await b.listed() == [record]) is reads, rules
        assert ((await b.get(record)).status_code == 200) is reads, rules
        assert await a.listed() == [record]


async def test_a_rule_holds_from_its_begin_until_before_its_end(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    now = datetime.fromtimestamp(int(service.now()) + 100, UTC)
    end = now + timedelta(minutes=10)
    await me.permit(b, valid_from=now.isoformat(), valid_until=end.isoformat())
    for at, reads in (
        (now.timestamp() - 0.001, False),
        (now.timestamp(), True),
        (end.timestamp() - 0.001, True),
        (end.timestamp(), False),
    ):
        await service.stop_time(at)
        assert (await b.listed() == [record]) is reads, at
        assert ((await b.get(record)).status_code == 200) is reads, at


async def test_an_expired_denial_gives_way(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    soon = datetime.fromtimestamp(service.now() + 60, UTC).isoformat()
    await me.allow(rule(), rule(b.hospital_id, "*", "deny", valid_until=soon))
    assert await b.listed() == []
    await service.move_time(61)
    assert await b.listed() == [record]


async def test_where_a_person_has_a_card_of_their_own_no_other_card_decides_or_sees(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    owner, other = Patient(service, hers, her_card), Patient(service, mine, my_card)
    if her_card["relation"] != "self":
        owner, other = other, owner
    a = await owner.at()
    b = await other.at("乙医院")
    own = (await a.posted(lab()))["record_id"]
    under_other = (await b.posted(lab(4)))["record_id"]
    refused(await other.get("consents"), 403, "not-allowed")
    put = await service.http.put(
        f"{other.path}/consents", headers={**other.headers, "If-Match": '"0"'}, json={"rules": [rule()]}
    )
    refused(put, 403, "not-allowed")
    listed = (await owner.get("records")).json()["records"], (await other.get("records")).json()["records"]
    assert [[r["record_id"] for r in one] for one in listed] == [[own, under_other], [under_other]]
    read = [await service.http.get(f"/v1/patient/records/{own}", headers=one.headers) for one in (owner, other)]
    assert [answer.status_code for answer in read] == [200, 404]
    assert own not in (await other.get("records/bundle")).text
    # What the person chose holds whichever card is scanned.
    await owner.permit(b)
    assert await b.listed() == [own, under_other]


async def relative(service: Service, person: Any) -> Patient:
    """Another account's card of the person."""
    mine, _ = await service.holder()
    card = await service.card(mine, person, relation="spouse", proof=await service.texted(mine, person))
    return Patient(service, mine, card)


async def test_who_closes_their_own_card_hands_nothing_to_who_holds_another(service: Service) -> None:
    person = service.person()
    me = await patient(service, person)
    other = await relative(service, person)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    await me.permit(b)
    assert (await service.http.delete(me.path, headers=me.headers)).status_code == 204
    assert (await other.get("records")).json()["records"] == []
    refused(await service.http.get(f"/v1/patient/records/{record}", headers=other.headers), 404, "not-found")
    refused(await other.get("consents"), 403, "not-allowed")
    # Nobody is left who could withdraw, so it has ended.
    again = await other.scanned(b.client)
    assert await again.listed() == []


async def test_what_another_chose_ends_when_the_person_has_a_card_of_their_own(service: Service) -> None:
    person = service.person()
    other = await relative(service, person)
    a, b = await other.at(), await other.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    await other.permit(b)
    assert await b.listed() == [record]
    me = await patient(service, person)
    assert await b.listed() == []
    assert (await me.get("consents")).json()["rules"] == []
    for one in (me, other):
        told = (await service.http.get("/v1/patient/messages", headers=one.headers)).json()["messages"]
        assert "consents-ended" in {message["kind"] for message in told}


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "1066-10-14T00:00:00Z"])
async def test_a_time_that_nobody_means_is_refused_wherever_it_is_given(service: Service, at: str) -> None:
    me = await patient(service)
    window = await me.at()
    refused(await me.allow(rule(valid_until=at)), 422, "consent-invalid")
    for name in ("from", "to"):
        refused(await window.get(**{name: at}), 422, "validation-failed")
        refused(await me.get("records", **{name: at}), 422, "validation-failed")
