"""A proof that is begun: texts, tries, time, one use, and what it is bound to (api.md, Patients; threat 16)."""

import asyncio
from datetime import date
from typing import Any

import pytest

from api.sandbox.people import Person
from tests.support.people import identity_of, new_person
from tests.support.service import Headers, Service, refused

PATH = "/v1/patient/verifications"


async def begin(service: Service, me: Headers, person: Person, kind: str = "sms", **other: str) -> Any:
    return await service.http.post(PATH, headers=me, json={"type": kind, **identity_of(person), **other})


async def bind(service: Service, me: Headers, person: Person, proof: dict[str, Any], **other: Any) -> Any:
    body = service.card_request(person, relation="parent", insurance=None, proof=proof, **other)
    return await service.bind(me, body)


async def family(service: Service) -> tuple[Headers, Person]:
    """A signed-in person, and another adult."""
    return await service.patient(service.person()), service.person()


async def test_it_says_how_long_it_lives_and_nothing_else(service: Service) -> None:
    me, mother = await family(service)
    answer = await begin(service, me, mother)
    assert answer.status_code == 201
    assert answer.json().keys() == {"verification_id", "expires_at", "expires_in"}
    assert answer.json()["expires_in"] == 300


async def test_the_texted_code_has_six_digits_and_goes_to_the_persons_own_phone(service: Service) -> None:
    me, mother = await family(service)
    assert (await begin(service, me, mother)).status_code == 201
    assert "验证码" in await service.last_text(mother.phone)


@pytest.mark.parametrize("kind", ["sms", "face"])
async def test_known_and_unknown_people_get_the_same_answer_and_only_the_known_a_text(
    service: Service, kind: str
) -> None:
    me, mother = await family(service)
    unknown = new_person(mother.name)
    known, other = await begin(service, me, mother, kind), await begin(service, me, unknown, kind)
    assert known.status_code == other.status_code == 201

    def shape(answer: Any) -> tuple[object, ...]:
        names = sorted(name for name in answer.headers if name not in ("x-request-id", "date"))
        return names, len(answer.content), sorted(answer.json())

    assert shape(known) == shape(other)
    await service.deliver()
    sent = (await service.sandbox.get("/sandbox/outbox")).json()["messages"]
    assert [text for text in sent if text["phone"] == unknown.phone] == []


async def test_the_answer_waits_for_no_upstream(service: Service) -> None:
    """A slow registry must not tell known from unknown by its time."""
    me, mother = await family(service)
    calls = await service.calls("registry")
    service.services.outbox._holds = False
    await service.fault("registry", "hang", times=2)
    answer = await begin(service, me, mother)
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() < 0.9
    assert await service.calls("registry") <= calls + 2


async def test_a_right_code_after_four_wrong_ones_still_proves(service: Service) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    for wrong in wrong_codes(proof, 4):
        refused(await bind(service, me, mother, wrong), 403, "proof-failed")
    assert (await bind(service, me, mother, proof)).status_code == 201


async def test_five_wrong_tries_end_it(service: Service) -> None:
    """Counted by the verification itself, whoever's door they close."""
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    for wrong in wrong_codes(proof, 5):
        refused(await bind(service, me, mother, wrong), 403, "proof-failed")
    await service.sql("DELETE FROM proof_failures")
    refused(await bind(service, me, mother, proof), 403, "proof-failed")


def wrong_codes(proof: dict[str, Any], count: int) -> list[dict[str, Any]]:
    return [{**proof, "code": f"{(int(proof['code']) + n + 1) % 1_000_000:06d}"} for n in range(count)]


async def test_it_lives_five_minutes(service: Service) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    await service.move_time(295)
    assert (await bind(service, me, mother, proof)).status_code == 201
    aunt = service.person()
    await service.move_time(0)
    proof = await service.texted(me, aunt)
    await service.move_time(301)
    refused(await bind(service, me, aunt, proof), 403, "proof-failed")


async def test_it_proves_once(service: Service) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    card = (await bind(service, me, mother, proof)).json()
    await service.http.delete(f"/v1/patient/cards/{card['card_id']}", headers=me)
    refused(await bind(service, me, mother, proof), 403, "proof-failed")


async def test_it_is_not_spent_by_a_binding_that_failed_for_another_reason(service: Service) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    await service.fault("registry", "http-500", times=2)
    refused(await bind(service, me, mother, proof), 502, "upstream-failed")
    await service.sandbox.delete("/sandbox/faults")
    assert (await bind(service, me, mother, proof)).status_code == 201


async def test_it_is_bound_to_the_account(service: Service) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    other = await service.patient(service.person())
    refused(await bind(service, other, mother, proof), 403, "proof-failed")
    assert (await bind(service, me, mother, proof)).status_code == 201, "another's try costs it nothing"


@pytest.mark.parametrize("changed", ["name", "id_number", "phone"])
async def test_it_is_bound_to_name_number_and_phone(service: Service, changed: str) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    twin = service.person("另一个人")
    refused(await bind(service, me, mother, proof, **{changed: identity_of(twin)[changed]}), 403, "proof-failed")


async def test_a_texts_code_is_no_face_and_a_face_is_no_text(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    proof = await service.texted(me, person)
    face = {"type": "face", "verification_id": proof["verification_id"]}
    refused(await service.bind(me, service.card_request(person, proof=face)), 403, "proof-failed")
    begun = (await begin(service, me, person, "face")).json()
    text = {"type": "sms", "verification_id": begun["verification_id"], "code": "000000"}
    refused(await bind(service, me, person, text), 403, "proof-failed")


async def test_a_phone_gets_three_texts_a_day_whoever_asks(service: Service) -> None:
    me, mother = await family(service)
    for _ in range(3):
        other = await service.patient(service.person())
        assert (await begin(service, other, mother)).status_code == 201
    answer = await begin(service, me, mother)
    refused(answer, 429, "too-many-tries")
    await service.move_time(86_400)
    me = await service.patient(service.person())
    assert (await begin(service, me, mother)).status_code == 201


async def test_the_texts_limit_is_the_same_for_people_who_are_not_there(service: Service) -> None:
    me, unknown = await service.patient(service.person()), new_person()
    said = [(await begin(service, me, unknown)).status_code for _ in range(4)]
    assert said == [201, 201, 201, 429]


async def test_four_texts_asked_at_once_are_three(service: Service) -> None:
    me, mother = await family(service)
    answers = await asyncio.gather(*(begin(service, me, mother) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 429, 429, 429]


async def test_no_code_is_kept_where_a_reader_of_the_database_could_try_a_million(service: Service) -> None:
    me, mother = await family(service)
    proof = await service.texted(me, mother)
    row = (await service.sql("SELECT * FROM verifications WHERE id = $1", proof["verification_id"]))[0]
    assert proof["code"].encode() not in b"".join(value for value in row if isinstance(value, bytes))
    erased = await service.value("SELECT max(length(sealed)) FROM deliveries WHERE done_at IS NOT NULL")
    assert erased == 0, "what was sent is erased from the outbox"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "12345678901"),
        ("phone", "1390000"),
        ("id_number", "430102198806180001"),
        ("id_number", "430102198802300000"),
        ("id_type", "02"),
        ("name", ""),
        ("name", "好" * 51),
        ("name", "a\u202eb"),
        ("type", "letter"),
    ],
)
async def test_a_wrong_field_is_named(service: Service, field: str, value: str) -> None:
    me, mother = await family(service)
    body = {"type": "sms", **identity_of(mother), field: value}
    answer = await service.http.post(PATH, headers=me, json=body)
    problem = refused(answer, 422, "validation-failed")
    assert problem["errors"][0]["field"] == f"/{field}"
    said = answer.text.replace(problem["request_id"], "")  # random digits, which "02" may be among
    assert value == "" or value not in said


async def test_somebody_born_tomorrow_is_nobody(service: Service) -> None:
    me = await service.patient(service.person())
    unborn = new_person(birthday=date(date.today().year + 1, 1, 1))
    problem = refused(await begin(service, me, unborn), 422, "validation-failed")
    assert problem["errors"][0]["field"] == "/id_number"
