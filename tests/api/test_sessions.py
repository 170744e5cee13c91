"""Signing in with WeChat and signing out: security.md, threat 17 and rule 14."""

import base64
from typing import Any

import pytest

from api.upstream.wechat_errors import SESSION
from codes.ring import KeyState, Purpose, RingKey
from codes.tokens import Token, make_token
from tests.support.service import Service, bearer, refused

ME = "/v1/patient/cards"
OURS = sorted(code for code, meaning in SESSION.items() if meaning.ours)


async def test_a_js_code_becomes_a_session_of_one_day(service: Service) -> None:
    answer = await service.signed_in(service.person())
    assert answer.keys() == {"token", "expires_in", "account_id"}
    assert answer["expires_in"] == 86_400


async def test_the_same_wechat_user_comes_back_to_the_same_account(service: Service) -> None:
    person = service.person()
    first, second = await service.signed_in(person), await service.signed_in(person)
    assert first["account_id"] == second["account_id"]
    assert first["token"] != second["token"]


async def test_openid_and_session_key_are_in_no_answer_and_unsealed_in_no_row(service: Service) -> None:
    person = service.person()
    key = base64.b64encode(b"0123456789abcdef").decode()
    await service.fault("wechat", "lie", match={"call": "jscode2session"}, set={"session_key": key})
    answer = await service.http.post("/v1/patient/session", json={"js_code": person.js_code})
    row = (await service.sql("SELECT * FROM accounts WHERE id = $1", answer.json()["account_id"]))[0]
    for secret in (key, person.openid, person.unionid):
        assert secret not in answer.text
        assert secret.encode() not in b"".join(part for part in row if isinstance(part, bytes))


@pytest.mark.parametrize(
    ("errcode", "status", "code"),
    [
        (40029, 401, "wechat-code-invalid"),
        (41008, 401, "wechat-code-invalid"),
        (40163, 401, "wechat-code-used"),
        (40226, 403, "wechat-user-blocked"),
        (45011, 429, "wechat-busy"),
        (-1, 502, "upstream-failed"),
        (99999, 502, "upstream-failed"),
        *((ours, 502, "upstream-failed") for ours in OURS),
    ],
)
async def test_each_errcode_of_wechat_is_a_problem_and_no_session(
    service: Service, errcode: int, status: int, code: str
) -> None:
    accounts = await service.value("SELECT count(*) FROM accounts")
    await service.fault("wechat", "error", match={"call": "jscode2session"}, set={"code": errcode, "text": "told"})
    answer = await service.http.post("/v1/patient/session", json={"js_code": service.person().js_code})
    refused(answer, status, code)
    assert str(errcode) not in answer.json()["detail"]
    assert await service.value("SELECT count(*) FROM accounts") == accounts


@pytest.mark.parametrize("errcode", [45011, -1])
async def test_a_busy_wechat_says_when_to_try_again(service: Service, errcode: int) -> None:
    await service.fault("wechat", "error", match={"call": "jscode2session"}, set={"code": errcode})
    answer = await service.http.post("/v1/patient/session", json={"js_code": service.person().js_code})
    assert int(answer.headers["retry-after"]) > 0


async def test_a_code_that_wechat_does_not_know_is_no_session(service: Service) -> None:
    refused(await service.http.post("/v1/patient/session", json={"js_code": "guessed"}), 401, "wechat-code-invalid")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"fault": "http-500"}, 502, "upstream-failed"),
        ({"fault": "reset"}, 502, "upstream-failed"),
        ({"fault": "drop-answer"}, 502, "upstream-failed"),
        ({"fault": "delay", "delay_ms": 1500}, 504, "upstream-timeout"),
        ({"fault": "lie", "set": {"openid": ""}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"openid": "x" * 65}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"openid": 7}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"openid": None}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"openid": "two words"}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"unionid": ["a"]}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"session_key": "short"}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"session_key": None}}, 502, "upstream-failed"),
        ({"fault": "lie", "set": {"errcode": "0"}}, 502, "upstream-failed"),
    ],
)
async def test_a_wechat_that_fails_hangs_or_lies_makes_no_account(
    service: Service, fault: dict[str, Any], status: int, code: str
) -> None:
    accounts = await service.value("SELECT count(*) FROM accounts")
    calls = await service.calls("wechat", "jscode2session")
    await service.fault("wechat", match={"call": "jscode2session"}, **fault)
    with service.impatient():
        answer = await service.http.post("/v1/patient/session", json={"js_code": service.person().js_code})
    refused(answer, status, code)
    assert await service.value("SELECT count(*) FROM accounts") == accounts
    assert await service.calls("wechat", "jscode2session") == calls + 1, "a js_code is spent by asking: never twice"


async def test_signing_out_ends_this_session_alone(service: Service) -> None:
    person = service.person()
    here, there = await service.patient(person), await service.patient(person)
    assert (await service.http.delete("/v1/patient/session", headers=here)).status_code == 204
    refused(await service.http.get(ME, headers=here), 401, "unauthenticated")
    assert (await service.http.get(ME, headers=there)).status_code == 200
    assert (await service.http.delete("/v1/patient/session", headers=here)).status_code == 204


async def test_signing_out_everywhere_ends_every_session_and_code_issuing_at_once(service: Service) -> None:
    person = service.person()
    here, card = await service.holder(person)
    there = await service.patient(person)
    assert (await service.http.delete("/v1/patient/session?all=true", headers=here)).status_code == 204
    for headers in (here, there):
        refused(await service.http.get(ME, headers=headers), 401, "unauthenticated")
        answer = await service.http.post(f"{ME}/{card['card_id']}/codes", headers=headers, json={})
        refused(answer, 401, "unauthenticated")
    again = await service.patient(person)
    assert (await service.http.get(ME, headers=again)).status_code == 200
    assert (await service.http.delete("/v1/patient/session?all=true", headers=here)).status_code == 204
    assert (await service.http.get(ME, headers=again)).status_code == 200, "a dead session ends no living one"


async def test_a_session_lives_a_day_and_no_longer(service: Service) -> None:
    me = await service.patient(service.person())
    await service.move_time(86_400 - 5)
    assert (await service.http.get(ME, headers=me)).status_code == 200
    await service.move_time(86_400 + 1)
    refused(await service.http.get(ME, headers=me), 401, "unauthenticated")


async def test_a_token_with_any_byte_changed_is_no_token(service: Service) -> None:
    token = (await service.signed_in(service.person()))["token"]
    data = base64.urlsafe_b64decode(token[3:])
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        text = token[:3] + base64.urlsafe_b64encode(changed).decode()
        refused(await service.http.get(ME, headers=bearer(text)), 401, "unauthenticated")
    assert (await service.http.get(ME, headers=bearer(token))).status_code == 200


@pytest.mark.parametrize("prefix", ["yh_", "yc_", "ya_", "yi_", "yz_", "yadm_"])
async def test_a_patients_token_under_another_prefix_is_nobodys(service: Service, prefix: str) -> None:
    token = prefix + (await service.signed_in(service.person()))["token"][3:]
    for path in (ME, "/v1/hospital/session", "/v1/admin/audit"):
        answer = await service.http.get(path, headers=bearer(token))
        assert answer.status_code in (401, 403), path
        assert answer.json()["code"] in ("unauthenticated", "not-allowed")


async def test_a_token_of_a_key_that_is_not_in_the_ring_is_no_token(service: Service) -> None:
    read = Token("patient", bytes(16), bytes(16), 1, 0, int(service.now()) + 60)
    other = RingKey(b"\0\1\2\3", Purpose.TOKEN, KeyState.ACTIVE, bytes(32))
    refused(await service.http.get(ME, headers=bearer(make_token(other, read))), 401, "unauthenticated")


async def test_a_token_for_an_account_that_is_not_there_is_unauthenticated(service: Service) -> None:
    key = service.services.vault.ring.symmetric(Purpose.TOKEN)
    token = make_token(key, Token("patient", bytes(16), bytes(16), 1, 0, int(service.now()) + 60))
    refused(await service.http.get(ME, headers=bearer(token)), 401, "unauthenticated")


async def test_each_kind_of_token_opens_its_own_calls_alone(service: Service) -> None:
    patient, hospital = await service.patient(service.person()), await service.hospital()
    admin = await service.admin("auditor")
    audit, shift = "/v1/admin/audit", f"/v1/hospital/resolutions/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    for headers, mine in ((patient, ME), (hospital, shift), (admin, audit)):
        for path in (ME, shift, audit):
            answer = await service.http.get(path, headers=headers)
            if path == mine:
                assert answer.status_code in (200, 404), path
            else:
                refused(answer, 403, "not-allowed")


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "bearer x", "Bearer " + "y" * 5000, "Bearer yp_\u00e9"])
async def test_a_header_that_is_no_bearer_token_is_unauthenticated(service: Service, header: str) -> None:
    answer = await service.http.get(ME, headers={b"Authorization": header.encode()})
    refused(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body", [{}, {"js_code": ""}, {"js_code": "a b"}, {"js_code": 7}, {"js_code": "x" * 513}])
async def test_a_js_code_of_the_wrong_shape_asks_nobody(service: Service, body: dict[str, object]) -> None:
    calls = await service.calls("wechat")
    refused(await service.http.post("/v1/patient/session", json=body), 422, "validation-failed")
    assert await service.calls("wechat") == calls
