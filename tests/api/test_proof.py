"""Who may be bound, and by what proof (security.md, 4; threat 15)."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from api.sandbox.people import Person
from tests.support.people import identity_of
from tests.support.service import Headers, Service, refused

NOBODY = "00000000-0000-4000-8000-000000000000"
PHONE = {"type": "wechat-phone", "code": "x"}
TEXT = {"type": "sms", "verification_id": NOBODY, "code": "123456"}
FACE = {"type": "face", "verification_id": NOBODY}
GUARDIAN = {"type": "guardian", "card_id": NOBODY}


def child_of(service: Service, parent: Person, age: int = 8) -> Person:
    return service.person(birthday=date.today() - timedelta(days=366 * age), parent=parent)


async def bound(service: Service, person: Person) -> int:
    """How many cards of a person there are, by the health-card id of their document."""
    document = service.services.vault.index("document", f"{person.id_type}:{person.id_number}")
    return int(
        await service.value(
            "SELECT count(*) FROM cards c JOIN people p ON p.id = c.person_id WHERE p.document_index = $1", document
        )
    )


async def face_proof(service: Service, me: Headers, person: Person) -> dict[str, Any]:
    asked = {"type": "face", **identity_of(person)}
    begun = (await service.http.post("/v1/patient/verifications", headers=me, json=asked)).json()
    await service.deliver()
    return {"type": "face", "verification_id": begun["verification_id"]}


async def test_oneself_is_proven_by_wechats_phone_code(service: Service) -> None:
    person = service.person()
    _, card = await service.holder(person)
    assert card["relation"] == "self"
    assert await bound(service, person) == 1


async def test_oneself_is_proven_by_a_face_check(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    card = await service.card(me, person, proof=await face_proof(service, me, person))
    assert card["relation"] == "self"


async def test_another_adult_is_proven_by_a_code_texted_to_their_own_phone(service: Service) -> None:
    mother, me = service.person(), await service.patient(service.person())
    card = await service.card(me, mother, relation="parent", proof=await service.texted(me, mother))
    assert card["relation"] == "parent"
    assert card["phone"][-4:] == mother.phone[-4:]


async def test_a_child_is_proven_by_the_guardians_verified_card(service: Service) -> None:
    parent = service.person()
    child = child_of(service, parent)
    me, mine = await service.holder(parent)
    card = await service.card(me, child, relation="child", proof={"type": "guardian", "card_id": mine["card_id"]})
    assert card["relation"] == "child"


MISFITS = [(r, p) for r in ("parent", "spouse", "other", "child") for p in (PHONE, FACE)]
MISFITS += [("self", TEXT), *((r, GUARDIAN) for r in ("self", "parent", "spouse", "other", "child"))]


@pytest.mark.parametrize(("relation", "proof"), MISFITS, ids=lambda x: x if isinstance(x, str) else x["type"])
async def test_a_proof_that_does_not_fit_an_adult_asks_nobody(
    service: Service, relation: str, proof: dict[str, Any]
) -> None:
    person = service.person()
    me = await service.patient(person)
    calls = await service.calls("registry")
    answer = await service.bind(me, service.card_request(person, relation=relation, proof=proof))
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == "/proof/type"
    assert await service.calls("registry") == calls
    assert await bound(service, person) == 0


@pytest.mark.parametrize(
    ("relation", "proof"), [("self", PHONE), ("self", FACE), ("child", TEXT), ("other", TEXT), ("other", GUARDIAN)]
)
async def test_a_child_under_14_is_bound_by_no_other_proof(
    service: Service, relation: str, proof: dict[str, Any]
) -> None:
    parent = service.person()
    child = child_of(service, parent)
    me = await service.patient(parent)
    answer = await service.bind(me, service.card_request(child, relation=relation, proof=proof))
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == "/proof/type"


async def test_on_their_14th_birthday_a_guardian_no_longer_proves_them(service: Service) -> None:
    today = date.today()
    parent = service.person()
    me, mine = await service.holder(parent)
    proof = {"type": "guardian", "card_id": mine["card_id"]}
    for birthday, young in ((today.replace(year=today.year - 14) + timedelta(days=2), True), (None, False)):
        child = service.person(birthday=birthday or today.replace(year=today.year - 14), parent=parent)
        answer = await service.bind(me, service.card_request(child, relation="child", proof=proof))
        if young:
            assert answer.status_code == 201, answer.text
        else:
            refused(answer, 422, "validation-failed")


async def test_a_guardian_of_another_family_proves_nothing(service: Service) -> None:
    parent, stranger = service.person(), service.person()
    child = child_of(service, parent)
    me, mine = await service.holder(stranger)
    proof = {"type": "guardian", "card_id": mine["card_id"]}
    refused(await service.bind(me, service.card_request(child, relation="child", proof=proof)), 403, "proof-failed")
    assert await bound(service, child) == 0


async def test_only_the_accounts_own_active_self_card_is_a_guardians(service: Service) -> None:
    parent = service.person()
    child = child_of(service, parent)
    me, mine = await service.holder(parent)
    stranger = await service.patient(service.person())
    other = await service.card(me, grand := service.person(), relation="parent", proof=await service.texted(me, grand))
    request = service.card_request(child, relation="child", insurance=None)

    async def tried(who: Headers, card_id: str) -> None:
        answer = await service.bind(who, {**request, "proof": {"type": "guardian", "card_id": card_id}})
        refused(answer, 403, "proof-failed")

    await tried(stranger, mine["card_id"])  # another account's
    await tried(me, other["card_id"])  # not its own person's
    await tried(me, NOBODY)
    await service.http.post(f"/v1/patient/cards/{mine['card_id']}/freeze", headers=me, json={})
    await tried(me, mine["card_id"])  # frozen
    assert await bound(service, child) == 0


async def test_a_child_that_the_registry_does_not_know_is_not_bound(service: Service) -> None:
    parent = service.person()
    me, mine = await service.holder(parent)
    unknown = child_of(service, parent)
    service.world.people = service.world.people[:-1]
    proof = {"type": "guardian", "card_id": mine["card_id"]}
    answer = await service.bind(me, service.card_request(unknown, relation="child", insurance=None, proof=proof))
    refused(answer, 403, "proof-failed")


@pytest.mark.parametrize("wrong", ["name", "id_number", "phone"])
async def test_name_number_and_phone_must_all_be_one_persons(service: Service, wrong: str) -> None:
    person, other = service.person("陈知夏"), service.person("林一诺")
    me = await service.patient(person)
    body = service.card_request(person, **{wrong: identity_of(other)[wrong]})
    refused(await service.bind(me, body), 403, "proof-failed")
    assert await bound(service, person) == await bound(service, other) == 0


async def test_a_stolen_name_number_and_phone_bind_nobody_without_the_phone(service: Service) -> None:
    """The thief knows all that is for sale, and has a WeChat and a phone of their own."""
    victim, thief = service.person(), service.person()
    me = await service.patient(thief)
    for proof in (
        {"type": "wechat-phone", "code": thief.phone_code},
        {"type": "wechat-phone", "code": victim.phone_code},  # released by another openid
        {"type": "wechat-phone", "code": "guessed"},
    ):
        refused(await service.bind(me, service.card_request(victim, proof=proof)), 403, "proof-failed")
    assert await bound(service, victim) == 0


async def test_a_face_that_was_not_passed_binds_nobody(service: Service) -> None:
    person, thief = service.person(), service.person()
    me = await service.patient(thief)
    wrong = service.card_request(person, name="另一个名字", insurance=None)
    proof = await face_proof(service, me, person)
    refused(await service.bind(me, {**wrong, "proof": proof}), 403, "proof-failed")
    for status in ("failed", "pending"):
        proof = await face_proof(service, me, person)
        await service.fault("registry", "lie", match={"call": "face-check-state"}, set={"status": status})
        refused(await service.bind(me, service.card_request(person, proof=proof)), 403, "proof-failed")
    assert await bound(service, person) == 0


async def test_five_failures_a_day_close_the_door_for_the_day(service: Service) -> None:
    victim, person = service.person(), service.person()
    me = await service.patient(person)
    for _ in range(5):
        refused(await service.bind(me, service.card_request(victim, proof=PHONE)), 403, "proof-failed")
    answer = await service.bind(me, service.card_request(person))
    refused(answer, 429, "too-many-tries")
    assert int(answer.headers["retry-after"]) > 0
    begun = await service.http.post(
        "/v1/patient/verifications", headers=me, json={"type": "sms", **identity_of(victim)}
    )
    refused(begun, 429, "too-many-tries")
    await service.move_time(86_400 - 60 * 60)
    me = await service.patient(person)
    await service.move_time(86_400)
    assert (await service.bind(me, service.card_request(person))).status_code == 201


async def test_failures_sent_at_once_open_no_more_than_five_tries(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    wrong = service.card_request(person, id_number=service.person().id_number, insurance=None)
    calls = await service.calls("registry", "agreement")
    answers = await asyncio.gather(*(service.bind(me, wrong) for _ in range(20)))
    said = sorted(answer.json()["code"] for answer in answers)
    assert said.count("proof-failed") == 5
    assert said.count("too-many-tries") == 15
    assert await service.calls("registry", "agreement") - calls <= 5


async def test_a_proof_that_holds_costs_no_try(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    for _ in range(7):
        card = await service.card(me, person)
        await service.http.delete(f"/v1/patient/cards/{card['card_id']}", headers=me)
    await service.fault("registry", "http-500", times=20)
    for _ in range(6):
        refused(await service.bind(me, service.card_request(person)), 502, "upstream-failed")
    await service.sandbox.delete("/sandbox/faults")
    await service.card(me, person)


async def test_another_accounts_failures_close_nobody_elses_door(service: Service) -> None:
    victim, thief = service.person(), service.person()
    theirs = await service.patient(thief)
    for _ in range(6):
        await service.bind(theirs, service.card_request(victim, proof=PHONE))
    await service.holder(victim)
