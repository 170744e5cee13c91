"""What a scanner may send: every malformed text gets its problem, every decorated one is taken (code-format.md)."""

import asyncio
from collections.abc import Callable
from typing import Any, get_args

import pytest

from api.hospital.types import Channel, Step
from tests.codes.support import VECTORS
from tests.support.service import SCAN, Service, bearer, refused

TOLD_BY_TEXT = ("code-malformed", "older-code", "code-not-authentic")
_STATUS = {"code-malformed": 400, "older-code": 422, "code-not-authentic": 422}


async def test_every_invalid_vector_gets_its_problem(service: Service) -> None:
    """The vectors' keys are not this service's: those of a wrong time have their own tests with its keys."""
    who = await service.hospital()
    cases = [case for case in VECTORS["invalid"] if case["problem"] in TOLD_BY_TEXT]
    assert len(cases) > 200
    wrong = []
    for start in range(0, len(cases), 25):
        batch = cases[start : start + 25]
        answers = await asyncio.gather(*(service.scan(who, case["text"]) for case in batch))
        for case, answer in zip(batch, answers, strict=True):
            if (answer.json()["code"], answer.status_code) != (case["problem"], _STATUS[case["problem"]]):
                wrong.append((case["why"], case["problem"], answer.text))
    assert wrong == []


def full_width(code: str) -> str:
    return "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in code)


DECORATED: dict[str, Callable[[str], str]] = {
    "Enter": lambda code: code + "\r\n",
    "Tab": lambda code: code + "\t",
    "spaces": lambda code: f"  {code} ",
    "byte-order mark": lambda code: "\ufeff" + code,
    "NUL": lambda code: code + "\0",
    "full-width digits": full_width,
    "some full-width digits": lambda code: full_width(code[:40]) + code[40:],
    "AIM identifier": lambda code: "]Q1" + code,
    "ECI escape": lambda code: "\\000026" + code,
    "both": lambda code: "]Q2\\000026" + code,
}


@pytest.mark.parametrize("form", DECORATED)
async def test_what_scanners_and_input_methods_add_is_taken_off(service: Service, form: str) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(), await service.code(me, card)
    assert (await service.scan(who, DECORATED[form](code))).status_code == 201
    answer = await service.scan(who, code, terminal="W02")
    refused(answer, 409, "code-already-used")


async def test_all_forms_of_one_code_are_one_code(service: Service) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(), await service.code(me, card)
    forms = [form(code) for form in DECORATED.values()] * 4
    answers = await asyncio.gather(*(service.scan(who, text, terminal=f"T{n}") for n, text in enumerate(forms)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (len(forms) - 1)


@pytest.mark.parametrize("step", get_args(Step))
@pytest.mark.parametrize("channel", get_args(Channel))
async def test_each_step_and_channel_of_the_table_is_taken(service: Service, step: str, channel: str) -> None:
    answer = await service.scan(await service.hospital(), "0", step=step, channel=channel)
    refused(answer, 400, "code-malformed")


WRONG = [
    ({"step": "0101999"}, "/step"),
    ({"step": None}, "/step"),
    ({"channel": "0500"}, "/channel"),
    ({"channel": 100}, "/channel"),
    ({"terminal": ""}, "/terminal"),
    ({"terminal": None}, "/terminal"),
    ({"terminal": "x" * 65}, "/terminal"),
    ({"terminal": "窗口"}, "/terminal"),
    ({"terminal": "a\nb"}, "/terminal"),
    ({"terminal": "a\x7f"}, "/terminal"),
    ({"department": "x" * 65}, "/department"),
    ({"department": "a\u0000b"}, "/department"),
    ({"operator": {"id": "1"}}, "/operator/name"),
    ({"operator": {"id": "1", "name": ""}}, "/operator/name"),
    ({"operator": "nurse"}, "/operator"),
    ({"code": 8601}, "/code"),
    ({"code": ["8601"]}, "/code"),
    ({"code": "1" * 16_001}, "/code"),
    ({"extra": 1}, "/extra"),
]


@pytest.mark.parametrize(("change", "field"), WRONG, ids=lambda x: str(x)[:30])
async def test_a_wrong_field_is_named_and_uses_nothing(service: Service, change: dict[str, Any], field: str) -> None:
    me, card = await service.holder(insurance=None)
    who, code = await service.hospital(), await service.code(me, card)
    body = {"code": code, **SCAN, **change}
    answer = await service.http.post("/v1/hospital/resolutions", headers=who, json=body)
    problem = refused(answer, 422, "validation-failed")
    assert problem["errors"][0]["field"] == field
    assert code not in answer.text
    assert (await service.scan(who, code)).status_code == 201


async def test_sixty_four_printable_characters_are_a_terminal(service: Service) -> None:
    me, card = await service.holder()
    terminal = " ~" * 32
    assert (await service.scan(await service.hospital(), await service.code(me, card), terminal=terminal)).is_success


async def test_the_idempotency_key_is_ignored_since_cti_is_the_key(service: Service) -> None:
    me, card = await service.holder()
    who = {**await service.hospital(), "Idempotency-Key": "the same"}
    first, second = [await service.resolved(who, await service.code(me, card)) for _ in range(2)]
    assert first["resolution_id"] != second["resolution_id"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("text", ["", "ID:1234", "8601" + "9" * 300])
async def test_a_problem_of_a_scan_says_what_to_do_at_the_window(service: Service, text: str, language: str) -> None:
    who = {**await service.hospital(), "Accept-Language": language}
    problem = (await service.scan(who, text)).json()
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in problem["detail"])
    assert chinese == (language == "zh-CN")
    assert len(problem["detail"]) > 5


MATRIX = [
    (("booking", "records", "payment", "identity:full"), None, ["booking", "records", "payment"]),
    (("booking", "identity:full"), None, ["booking"]),
    (("booking", "records"), ["records", "payment"], ["records"]),
    (("payment",), ["booking"], []),
    (("identity:full",), None, []),
    (("records", "payment"), ["payment", "records"], ["records", "payment"]),
]


@pytest.mark.parametrize(("scopes", "services", "granted"), MATRIX)
async def test_granted_is_what_the_code_allows_and_the_client_may(
    service: Service, scopes: tuple[str, ...], services: list[str] | None, granted: list[str]
) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(scopes), await service.code(me, card, services)
    found = await service.resolved(who, code)
    assert found["granted"] == granted
    assert list(found["services"]) == granted
    again = (await service.http.get(f"/v1/hospital/resolutions/{found['resolution_id']}", headers=who)).json()
    assert again == found


async def test_without_identity_full_the_person_is_masked_everywhere(service: Service) -> None:
    person = service.person("欧阳明远")
    me, card = await service.holder(person)
    who = await service.hospital(("booking", "records", "payment"))
    code = await service.code(me, card)
    answer = await service.scan(who, code)
    path = f"/v1/hospital/resolutions/{answer.json()['resolution_id']}"
    put = await service.http.put(f"{path}/patient-number", headers=who, json={"patient_number": "P1"})
    for shown in (answer, await service.scan(who, code), await service.http.get(path, headers=who), put):
        assert shown.json()["card"]["name"] == "欧***"
        for secret in (person.name, person.id_number, person.phone, person.insurance.number):
            assert secret not in shown.text


async def test_a_token_with_fewer_scopes_gets_what_the_token_allows(service: Service) -> None:
    me, card = await service.holder()
    client = await service.client()
    some = bearer((await service.token(client, scope="booking")).json()["access_token"])
    found = await service.resolved(some, await service.code(me, card))
    assert found["granted"] == ["booking"]
    assert "*" in found["card"]["name"]
