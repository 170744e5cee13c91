"""Other people's ids in patients' calls: as if they were not there (security.md, threat 14)."""

import json
import re
from datetime import date
from typing import Any

import pytest

from api.app import openapi_document
from tests.api.test_freezing import held_twice
from tests.support.people import identity_of, insurance_of
from tests.support.service import Service

ABSENT = "00000000-0000-4000-8000-000000000000"


def patient_routes_with_ids() -> list[tuple[str, str]]:
    """Every patient's operation with an id in its path, from the OpenAPI document: new ones are tried unasked."""
    return [
        (method.upper(), path)
        for path, operations in openapi_document()["paths"].items()
        for method, operation in operations.items()
        if {"patient": []} in operation.get("security", []) and "{" in path
    ]


def a_body(method: str, path: str, person: Any) -> Any:
    """A body that the operation would take from the owner."""
    proof = {"type": "wechat-phone", "code": person.phone_code}
    if path.endswith(("/appointments", "/waitings")):
        return {"slot_id": ABSENT} if path.endswith("/appointments") else {"schedule_id": ABSENT}
    if path.endswith("/consents"):
        return {"rules": []}
    bodies = {"PATCH": {"phone": person.phone, "proof": proof}, "PUT": insurance_of(person), "POST": {}}
    return bodies.get(method)


def test_there_are_such_routes() -> None:
    assert len(patient_routes_with_ids()) >= 10


@pytest.mark.parametrize(("method", "path"), patient_routes_with_ids())
async def test_anothers_id_is_answered_as_an_absent_one_byte_for_byte(service: Service, method: str, path: str) -> None:
    owner, stranger = service.person(), service.person()
    hers, her_card, mine, my_card = await held_twice(service)
    owners, card = await service.holder(owner)
    me, own = await service.holder(stranger)
    body = a_body(method, path, stranger)
    before = await service.sql("SELECT * FROM cards ORDER BY id")

    async def ask(card_id: str, other_id: str) -> Any:
        names = re.findall(r"{(\w+)}", path)
        ids = dict(zip(names, (card_id, other_id), strict=False))
        asked = {"code": "6690-2"} if path.endswith("/observations") else {}
        return await service.http.request(method, path.format(**ids), headers=me, json=body, params=asked)

    absent = await ask(ABSENT, ABSENT)
    assert absent.status_code == 404, absent.text
    for theirs in (card["card_id"], her_card["card_id"], my_card["card_id"]):
        answer = await ask(theirs, my_card["card_id"])
        assert answer.status_code == 404
        assert blank(answer) == blank(absent)
    if "holder" in path and method == "DELETE":
        answer = await ask(own["card_id"], my_card["card_id"])
        assert blank(answer) == blank(absent)
    assert await service.sql("SELECT * FROM cards ORDER BY id") == before
    assert (owners, hers, mine) != (me, me, me)


def blank(answer: Any) -> tuple[int, list[str], str]:
    names = sorted(name for name in answer.headers if name not in ("x-request-id", "date"))
    said = {**json.loads(answer.text), "request_id": ""}
    return answer.status_code, names, json.dumps(said)


async def test_a_guardians_card_of_another_account_proves_nothing_and_says_nothing(service: Service) -> None:
    owner = service.person()
    _, card = await service.holder(owner)
    me = await service.patient(service.person())
    child = service.person(birthday=date(date.today().year - 5, 1, 1), parent=owner)
    answers = []
    for card_id in (card["card_id"], ABSENT):
        body = service.card_request(child, relation="child", proof={"type": "guardian", "card_id": card_id})
        answers.append(await service.bind(me, body))
    assert blank(answers[0]) == blank(answers[1])
    assert answers[0].status_code == 403


async def test_a_verification_of_another_account_is_as_one_that_is_not_there(service: Service) -> None:
    mother, other = service.person(), await service.patient(service.person())
    proof = await service.texted(other, mother)
    me = await service.patient(service.person())
    answers = []
    for verification_id in (proof["verification_id"], ABSENT):
        body = service.card_request(mother, relation="parent", proof={**proof, "verification_id": verification_id})
        answers.append(await service.bind(me, body))
    assert blank(answers[0]) == blank(answers[1])
    assert identity_of(mother)["name"] not in answers[0].text
