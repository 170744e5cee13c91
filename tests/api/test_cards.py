"""Cards: merged, limited, changed with a new proof, closed (api.md, Patients)."""

import asyncio
import hashlib
import re
from typing import Any

import pytest

from api.policies import POLICIES
from tests.support.people import insurance_of
from tests.support.service import Service, refused

PATH = "/v1/patient/cards"


async def test_a_card_shows_its_person_masked_and_nothing_else(service: Service) -> None:
    person = service.person("陈知夏")
    me, card = await service.holder(person)
    assert card.keys() == {
        *("card_id", "name", "id_type", "id_number", "phone", "health_card_id", "insurance", "relation", "status"),
        "created_at",
    }
    assert card["name"] == "陈**"
    assert card["id_number"] == person.id_number[:6] + "*" * 8 + person.id_number[-4:]
    assert card["phone"] == person.phone[:3] + "****" + person.phone[-4:]
    assert re.fullmatch("[0-9a-f]{64}", card["health_card_id"])
    assert (card["relation"], card["status"]) == ("self", "active")
    assert card["created_at"].endswith("Z")
    assert card["insurance"]["kind"] == "employee"
    assert person.insurance.number not in str(card)
    shown = await service.http.get(f"{PATH}/{card['card_id']}", headers=me)
    assert shown.json() == card
    assert (await service.http.get(PATH, headers=me)).json() == {"cards": [card], "next_cursor": None}


async def test_no_answer_about_a_person_is_kept_by_a_cache(service: Service) -> None:
    me, _ = await service.holder()
    assert (await service.http.get(PATH, headers=me)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["王𬱖", "李㛃", "买买提·艾力江", "ANNA LINDQVIST", "好" * 50, "\ue123某", "𠀀𪚥", "José Núñez"]
)
async def test_a_name_of_any_script_is_kept_exactly(service: Service, name: str) -> None:
    me, card = await service.holder(service.person(name))
    who = await service.hospital()
    found = await service.resolved(who, await service.code(me, card))
    assert found["card"]["name"] == name


@pytest.mark.parametrize("dot", ["・", "•", "‧", "．".replace("．", "･")])
async def test_look_alikes_of_the_middle_dot_are_folded(service: Service, dot: str) -> None:
    person = service.person("买买提·艾力江")
    me = await service.patient(person)
    card = await service.card(me, person, name=f"买买提{dot}艾力江")
    found = await service.resolved(await service.hospital(), await service.code(me, card))
    assert found["card"]["name"] == "买买提·艾力江"


@pytest.mark.parametrize(
    ("document", "name"),
    [(("03", "ZZ{:07d}"), "TANAKA HARUKA"), (("06", "H{:08d}"), "陈大文"), (("07", "{:08d}"), "林美")],
)
async def test_other_documents_are_taken_by_their_own_rules(
    service: Service, document: tuple[str, str], name: str
) -> None:
    number = document[1].format(int.from_bytes(name.encode()[:2]) + len(service.world.people))
    person = service.person(name, document=(document[0], number))
    me, card = await service.holder(person)
    found = await service.resolved(await service.hospital(), await service.code(me, card))
    assert (found["card"]["id_number"], found["card"]["gender"], found["card"]["birthday"]) == (number, None, None)


async def test_a_lower_case_x_is_the_same_document(service: Service) -> None:
    person = service.person()
    while not person.id_number.endswith("X"):
        person = service.person()
    me = await service.patient(person)
    await service.card(me, person, id_number=person.id_number.lower())
    refused(await service.bind(me, service.card_request(person)), 409, "card-exists")


async def test_the_same_person_again_is_card_exists_also_when_asked_at_once(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    answers = await asyncio.gather(*(service.bind(me, service.card_request(person)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "card-exists")


async def test_an_account_holds_ten_cards_and_frees_a_place_by_closing_one(service: Service) -> None:
    me, _ = await service.holder()
    held = []
    for _ in range(9):
        relative = service.person()
        proof = await service.texted(me, relative)
        held.append(await service.card(me, relative, relation="other", insurance=None, proof=proof))
    calls = await service.calls("registry")
    eleventh = service.person()
    body = service.card_request(
        eleventh, relation="other", proof={"type": "sms", "verification_id": held[0]["card_id"], "code": "123456"}
    )
    refused(await service.bind(me, body), 409, "card-limit")
    assert await service.calls("registry") == calls, "no upstream is asked in vain"
    assert (await service.http.delete(f"{PATH}/{held[0]['card_id']}", headers=me)).status_code == 204
    proof = await service.texted(me, eleventh)
    await service.card(me, eleventh, relation="other", insurance=None, proof=proof)
    assert len((await service.http.get(PATH, headers=me)).json()["cards"]) == 10


async def test_an_account_has_one_person_of_its_own(service: Service) -> None:
    me, _ = await service.holder()
    answer = await service.bind(me, service.card_request(service.person()))
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == "/relation"


async def test_consent_is_kept_with_policy_text_hash_and_time(service: Service) -> None:
    _, card = await service.holder()
    kept = (await service.sql("SELECT * FROM consents WHERE card_id = $1", card["card_id"]))[0]
    policy = (await service.http.get(f"/v1/policies/{kept['policy']}")).json()
    texts = f"{policy['zh']}\0{policy['en']}"
    assert kept["text_sha256"] == hashlib.sha256(texts.encode()).digest()
    assert policy["sha256"] == kept["text_sha256"].hex()
    assert abs(kept["at"].timestamp() - service.now()) < 60


async def test_policies_are_listed_and_a_version_that_is_not_there_is_not_found(service: Service) -> None:
    listed = (await service.http.get("/v1/policies")).json()["policies"]
    assert [one["version"] for one in listed] == list(reversed(POLICIES))
    assert "2026-11" in POLICIES
    refused(await service.http.get("/v1/policies/1999-01"), 404, "not-found")


async def test_without_consent_to_a_known_policy_nobody_is_bound(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    calls = await service.calls("registry")
    for consent, field in ((None, "/consent"), ({"policy": "1999-01"}, "/consent/policy"), ({}, "/consent/policy")):
        answer = await service.bind(me, service.card_request(person, consent=consent))
        assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == field
    assert await service.calls("registry") == calls


async def test_a_phone_changes_only_with_a_new_proof(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person)
    path = f"{PATH}/{card['card_id']}"
    refused(await service.http.patch(path, headers=me, json={"phone": "13712345678"}), 422, "validation-failed")
    guess = {"type": "wechat-phone", "code": person.phone_code}
    answer = await service.http.patch(path, headers=me, json={"phone": "13712345678", "proof": guess})
    refused(answer, 403, "proof-failed")
    assert (await service.http.get(path, headers=me)).json()["phone"] == card["phone"]
    await service.fault(
        "wechat",
        "lie",
        match={"call": "getuserphonenumber"},
        set={"phone_info.purePhoneNumber": "13712345678", "phone_info.phoneNumber": "13712345678"},
    )
    await service.fault("registry", "lie", match={"call": "agreement"}, set={"agrees": True})
    answer = await service.http.patch(path, headers=me, json={"phone": "13712345678", "proof": guess})
    assert answer.status_code == 200, answer.text
    assert answer.json()["phone"] == "137****5678"


async def test_a_name_changes_only_to_what_the_registry_has(service: Service) -> None:
    person = service.person("林知夏")
    me, card = await service.holder(person)
    path = f"{PATH}/{card['card_id']}"
    change = {"name": "王小明", "proof": {"type": "wechat-phone", "code": person.phone_code}}
    refused(await service.http.patch(path, headers=me, json=change), 403, "proof-failed")
    await service.fault("registry", "lie", match={"call": "agreement"}, set={"agrees": True})
    assert (await service.http.patch(path, headers=me, json=change)).json()["name"] == "王**"


async def test_a_change_of_nothing_is_refused(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person)
    proof = {"type": "wechat-phone", "code": person.phone_code}
    bodies: list[dict[str, Any]] = [
        {"proof": proof},
        {"proof": proof, "id_number": person.id_number},
        {"proof": proof, "phone": "110"},
    ]
    for body in bodies:
        answer = await service.http.patch(f"{PATH}/{card['card_id']}", headers=me, json=body)
        refused(answer, 422, "validation-failed")


async def test_a_closed_card_is_gone_and_its_codes_are_card_revoked(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital()
    old, used = await service.code(me, card), await service.code(me, card)
    resolution = await service.resolved(who, used)
    path = f"{PATH}/{card['card_id']}"
    assert (await service.http.delete(path, headers=me)).status_code == 204
    refused(await service.scan(who, old), 403, "card-revoked")
    refused(await service.scan(who, used), 403, "card-revoked")
    href = f"/v1/hospital/resolutions/{resolution['resolution_id']}"
    refused(await service.http.get(href, headers=who), 403, "card-revoked")
    for method, at in (("GET", path), ("DELETE", path), ("POST", f"{path}/codes"), ("POST", f"{path}/unfreeze")):
        body: Any = {} if method == "POST" else None
        refused(await service.http.request(method, at, headers=me, json=body), 404, "not-found")
    assert (await service.http.get(PATH, headers=me)).json()["cards"] == []


async def test_a_person_bound_again_has_the_same_health_card_and_other_codes(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person)
    old = await service.code(me, card)
    await service.http.delete(f"{PATH}/{card['card_id']}", headers=me)
    again = await service.card(me, person)
    assert again["health_card_id"] == card["health_card_id"]
    assert again["card_id"] != card["card_id"]
    refused(await service.scan(await service.hospital(), old), 403, "card-revoked")


async def test_insurance_is_merged_later_and_replaced(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person, insurance=None)
    path = f"{PATH}/{card['card_id']}/insurance"
    merged = await service.http.put(path, headers=me, json=insurance_of(person))
    assert merged.status_code == 200
    assert merged.json()["insurance"]["area"] == person.insurance.area
    assert person.insurance.number not in merged.text
    assert (await service.http.put(path, headers=me, json=insurance_of(person))).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "02"),
        ("number", "12"),
        ("number", "abc/def"),
        ("area", "4301"),
        ("area", "990101"),
        ("area", "４３０１０２x"),
    ],
)
async def test_a_wrong_insurance_field_is_named_where_it_stands(service: Service, field: str, value: str) -> None:
    person = service.person()
    me, card = await service.holder(person, insurance=None)
    wrong = {**insurance_of(person), field: value}
    answer = await service.http.put(f"{PATH}/{card['card_id']}/insurance", headers=me, json=wrong)
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == f"/{field}"
    other = service.person()
    wrong = {**insurance_of(other), field: value}
    answer = await service.bind(await service.patient(other), service.card_request(other, insurance=wrong))
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == f"/insurance/{field}"
