"""An upstream that errs, hangs, lies or answers twice binds nobody (security.md, threats 15, 17, 18 and 24)."""

import asyncio
from datetime import date
from typing import Any

import pytest

from api.sandbox.people import Person
from tests.support.people import identity_of
from tests.support.service import Headers, Service, refused

FAILING = [
    ({"fault": "http-500", "times": 2}, 502, "upstream-failed"),
    ({"fault": "reset", "times": 2}, 502, "upstream-failed"),
    ({"fault": "drop-answer", "times": 2}, 502, "upstream-failed"),
    ({"fault": "delay", "delay_ms": 1500}, 504, "upstream-timeout"),
]
ASKED = [("wechat", "stable_token"), ("wechat", "getuserphonenumber"), ("registry", "agreement"), ("insurer", "1101")]


async def cards(service: Service) -> int:
    return int(await service.value("SELECT count(*) FROM cards"))


async def tried(service: Service, person: Person, **other: Any) -> Any:
    """A binding of oneself that must leave no card."""
    me = await service.patient(person)
    await service.sql("DELETE FROM upstream_tokens")
    before = await cards(service)
    answer = await service.bind(me, service.card_request(person, **other))
    assert await cards(service) == before
    return answer


@pytest.mark.parametrize(("upstream", "call"), ASKED)
@pytest.mark.parametrize(("fault", "status", "code"), FAILING, ids=lambda x: x["fault"] if isinstance(x, dict) else "")
async def test_no_clear_answer_binds_nobody_and_costs_no_try(
    service: Service, upstream: str, call: str, fault: dict[str, Any], status: int, code: str
) -> None:
    person = service.person()
    await service.fault(upstream, match={"call": call}, **fault)
    with service.impatient():
        answer = await tried(service, person)
    refused(answer, status, code)
    assert await service.value("SELECT coalesce(sum(count), 0) FROM proof_failures") == 0
    await service.sandbox.delete("/sandbox/faults")
    await service.holder(person)


PHONE_LIES = [
    {"phone_info.watermark.appid": "wx-of-another-program"},
    {"phone_info.watermark.timestamp": 1},
    {"phone_info.watermark.timestamp": 4_000_000_000},
    {"phone_info.watermark.timestamp": "soon"},
    {"phone_info.watermark": None},
    {"phone_info.purePhoneNumber": "13800000000"},
    {"phone_info.phoneNumber": "13800000000"},
    {"phone_info.purePhoneNumber": ""},
    {"phone_info.countryCode": "852"},
    {"phone_info": None},
    {"errcode": "0"},
    {"errcode": 1},
]


@pytest.mark.parametrize("lie", PHONE_LIES, ids=str)
async def test_a_phone_number_that_wechat_did_not_plainly_give_us_now_binds_nobody(
    service: Service, lie: dict[str, Any]
) -> None:
    await service.fault("wechat", "lie", match={"call": "getuserphonenumber"}, set=lie)
    answer = await tried(service, service.person())
    assert answer.json()["code"] in ("upstream-failed", "proof-failed"), answer.text


async def test_a_phone_of_another_person_binds_nobody_though_wechat_says_yes(service: Service) -> None:
    person, other = service.person(), service.person()
    info = {"phone_info.purePhoneNumber": other.phone, "phone_info.phoneNumber": other.phone}
    await service.fault("wechat", "lie", match={"call": "getuserphonenumber"}, set=info)
    refused(await tried(service, person), 403, "proof-failed")


async def test_a_phone_code_released_by_another_openid_binds_nobody(service: Service) -> None:
    person, other = service.person(), service.person()
    answer = await tried(service, person, proof={"type": "wechat-phone", "code": other.phone_code})
    refused(answer, 403, "proof-failed")


@pytest.mark.parametrize(
    ("errcode", "status", "code"),
    [
        (40029, 403, "proof-failed"),
        (40163, 403, "proof-failed"),
        (40003, 403, "proof-failed"),
        (40013, 403, "proof-failed"),
        (40226, 403, "wechat-user-blocked"),
        (45011, 429, "wechat-busy"),
        (-1, 502, "upstream-failed"),
        (48001, 502, "upstream-failed"),
        (77777, 502, "upstream-failed"),
    ],
)
async def test_each_errcode_of_the_phone_call_binds_nobody(
    service: Service, errcode: int, status: int, code: str
) -> None:
    await service.fault("wechat", "error", match={"call": "getuserphonenumber"}, set={"code": errcode})
    refused(await tried(service, service.person()), status, code)


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_dead_access_token_is_renewed_once_and_the_binding_goes_on(service: Service, errcode: int) -> None:
    person = service.person()
    me = await service.patient(person)
    await service.fault("wechat", "error", match={"call": "getuserphonenumber"}, set={"code": errcode})
    assert (await service.bind(me, service.card_request(person))).status_code == 201


async def test_an_access_token_that_stays_dead_ends_in_502(service: Service) -> None:
    await service.fault("wechat", "error", match={"call": "getuserphonenumber"}, set={"code": 40001}, times=9)
    calls = await service.calls("wechat", "getuserphonenumber")
    refused(await tried(service, service.person()), 502, "upstream-failed")
    assert await service.calls("wechat", "getuserphonenumber") == calls + 2


async def test_ten_expiries_of_the_access_token_under_load_are_ten_fetches(service: Service) -> None:
    people = [(person, await service.patient(person)) for person in (service.person() for _ in range(4))]
    fetched = await service.calls("wechat", "stable_token")
    for _ in range(10):
        await service.sql("DELETE FROM upstream_tokens")
        answers = await asyncio.gather(
            *(service.bind(me, service.card_request(person, insurance=None)) for person, me in people)
        )
        assert {answer.status_code for answer in answers} == {201}
        for (_, me), answer in zip(people, answers, strict=True):
            await service.http.delete(f"/v1/patient/cards/{answer.json()['card_id']}", headers=me)
    assert await service.calls("wechat", "stable_token") == fetched + 10


@pytest.mark.parametrize(
    "lie",
    [{"agrees": "true"}, {"agrees": 1}, {"agrees": None}, {"request_id": "0" * 32}, {"request_id": None}],
    ids=str,
)
async def test_a_registry_that_answers_another_question_or_type_binds_nobody(
    service: Service, lie: dict[str, Any]
) -> None:
    await service.fault("registry", "lie", match={"call": "agreement"}, set=lie)
    refused(await tried(service, service.person()), 502, "upstream-failed")


async def test_a_registry_that_says_no_binds_nobody(service: Service) -> None:
    await service.fault("registry", "lie", match={"call": "agreement"}, set={"agrees": False})
    refused(await tried(service, service.person()), 403, "proof-failed")


@pytest.mark.parametrize(
    ("call", "lie"),
    [
        ("person", {"exists": False}),
        ("person", {"exists": "yes"}),
        ("guardianship", {"guardian": False}),
        ("guardianship", {"guardian": 1}),
        ("guardianship", {"request_id": "1" * 32}),
    ],
)
async def test_a_child_needs_both_of_the_registrys_clear_answers(
    service: Service, call: str, lie: dict[str, Any]
) -> None:
    parent = service.person()
    me, mine = await service.holder(parent)
    child = service.person(birthday=date(date.today().year - 5, 1, 1), parent=parent)
    await service.fault("registry", "lie", match={"call": call}, set=lie)
    before = await cards(service)
    proof = {"type": "guardian", "card_id": mine["card_id"]}
    answer = await service.bind(me, service.card_request(child, relation="child", proof=proof))
    assert answer.json()["code"] in ("upstream-failed", "proof-failed"), answer.text
    assert await cards(service) == before


async def face(service: Service, me: Headers, person: Person) -> dict[str, Any]:
    asked = {"type": "face", **identity_of(person)}
    begun = (await service.http.post("/v1/patient/verifications", headers=me, json=asked)).json()
    await service.deliver()
    return {"type": "face", "verification_id": begun["verification_id"]}


@pytest.mark.parametrize("lie", [{"status": True}, {"status": "PASSED"}, {"check_id": "another"}], ids=str)
async def test_a_face_check_that_is_not_plainly_passed_binds_nobody(service: Service, lie: dict[str, Any]) -> None:
    person = service.person()
    me = await service.patient(person)
    proof = await face(service, me, person)
    await service.fault("registry", "lie", match={"call": "face-check-state"}, set=lie)
    refused(await service.bind(me, service.card_request(person, proof=proof)), 502, "upstream-failed")


INSURER_LIES = [
    ({"infcode": -1, "err_msg": "无此人"}, 422, "insurance-refused"),
    ({"output.baseinfo.psn_name": "别人"}, 422, "insurance-refused"),
    ({"output.baseinfo.certno": "430102199001010015"}, 422, "insurance-refused"),
    ({"output.insuinfo": []}, 422, "insurance-refused"),
    ({"output.baseinfo.gend": "2"}, 502, "upstream-failed"),
    ({"output.baseinfo.brdy": "1901-01-01"}, 502, "upstream-failed"),
    ({"output.baseinfo.brdy": "yesterday"}, 502, "upstream-failed"),
    ({"output.baseinfo.psn_no": "a b"}, 502, "upstream-failed"),
    ({"output": None}, 502, "upstream-failed"),
    ({"output": {"baseinfo": 1}}, 502, "upstream-failed"),
    ({"infcode": 7}, 502, "upstream-failed"),
    ({"infcode": True}, 502, "upstream-failed"),
]


@pytest.mark.parametrize(("lie", "status", "code"), INSURER_LIES, ids=lambda x: str(x) if isinstance(x, dict) else "")
async def test_an_insurer_that_refuses_or_lies_leaves_no_card(
    service: Service, lie: dict[str, Any], status: int, code: str
) -> None:
    await service.fault("insurer", "lie", match={"infno": "1101"}, set=lie)
    refused(await tried(service, service.person()), status, code)


async def test_an_insurance_of_another_person_is_refused(service: Service) -> None:
    person, other = service.person(), service.person()
    insurance = {"type": other.insurance.type, "number": other.insurance.number, "area": other.insurance.area}
    refused(await tried(service, person, insurance=insurance), 422, "insurance-refused")


async def test_an_insurer_that_lies_changes_no_insurance_of_a_card(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person, insurance=None)
    assert card["insurance"] is None
    await service.fault("insurer", "lie", match={"infno": "1101"}, set={"output.baseinfo.psn_name": "别人"})
    body = {"type": person.insurance.type, "number": person.insurance.number, "area": person.insurance.area}
    path = f"/v1/patient/cards/{card['card_id']}"
    refused(await service.http.put(f"{path}/insurance", headers=me, json=body), 422, "insurance-refused")
    assert (await service.http.get(path, headers=me)).json()["insurance"] is None
    answer = await service.http.put(f"{path}/insurance", headers=me, json=body)
    assert answer.status_code == 200
    assert answer.json()["insurance"]["kind"] == "employee"
