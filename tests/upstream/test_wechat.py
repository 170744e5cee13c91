"""WeChat: who signed in, whose phone it is, and every errcode that WeChat documents."""

import asyncio
import base64
from typing import Any

import pytest

from api.problems import (
    PROOF_FAILED,
    UPSTREAM_FAILED,
    UPSTREAM_TIMEOUT,
    WECHAT_BUSY,
    WECHAT_CODE_INVALID,
    WECHAT_CODE_USED,
    WECHAT_USER_BLOCKED,
    Kind,
    Problem,
)
from api.sandbox import PEOPLE, SandboxSecrets
from tests.upstream.outside import IMPATIENT, ME, OTHER, SECRETS, START, Clients, Sandbox, clients, outcome

OURS = [40002, 40013, 40125, 40164, 40243, 41002, 41004, 45009, 50002, 50004, 50007, 89501, 89503, 89506, 89507]


async def test_a_js_code_tells_who_signed_in(ours: Clients) -> None:
    for person in PEOPLE:
        session = await ours.wechat.session(person.js_code)
        assert (session.openid, session.unionid) == (person.openid, person.unionid)
        assert len(base64.b64decode(session.session_key)) == 16
        assert session.session_key not in repr(session)


async def test_a_demo_code_may_be_used_again(ours: Clients) -> None:
    first, second = [await ours.wechat.session(ME.js_code) for _ in range(2)]
    assert first.openid == second.openid
    assert first.session_key != second.session_key


@pytest.mark.parametrize("js_code", ["", "unknown", "a b", "码", "x" * 513, "a\r\nb", "../../x?y=z&secret=1"])
async def test_an_unknown_js_code_is_no_session(ours: Clients, js_code: str) -> None:
    assert await outcome(ours.wechat.session(js_code)) is WECHAT_CODE_INVALID


SESSION_ERRORS: list[tuple[int, Kind]] = [
    (-1, UPSTREAM_FAILED),
    (40029, WECHAT_CODE_INVALID),
    (40163, WECHAT_CODE_USED),
    (40226, WECHAT_USER_BLOCKED),
    (41008, WECHAT_CODE_INVALID),
    (45011, WECHAT_BUSY),
    (99999, UPSTREAM_FAILED),
    *((errcode, UPSTREAM_FAILED) for errcode in OURS),
]


@pytest.mark.parametrize(("errcode", "kind"), SESSION_ERRORS)
async def test_every_errcode_of_jscode2session(sandbox: Sandbox, ours: Clients, errcode: int, kind: Kind) -> None:
    await sandbox.fault("wechat", "error", set={"code": errcode, "text": "as documented"})
    assert await outcome(ours.wechat.session(ME.js_code)) is kind
    assert kind.todo.zh
    assert kind.todo.en


PHONE_ERRORS: list[tuple[int, Kind]] = [
    (-1, UPSTREAM_FAILED),
    (40003, PROOF_FAILED),
    (40013, PROOF_FAILED),
    (40029, PROOF_FAILED),
    (40163, PROOF_FAILED),
    (40097, UPSTREAM_FAILED),
    (40226, WECHAT_USER_BLOCKED),
    (45009, UPSTREAM_FAILED),
    (45011, WECHAT_BUSY),
    (47001, UPSTREAM_FAILED),
    (48001, UPSTREAM_FAILED),
    (61024, UPSTREAM_FAILED),
    (40001, UPSTREAM_FAILED),
    (40014, UPSTREAM_FAILED),
    (42001, UPSTREAM_FAILED),
    (99999, UPSTREAM_FAILED),
]


@pytest.mark.parametrize(("errcode", "kind"), PHONE_ERRORS)
async def test_every_errcode_of_getuserphonenumber(sandbox: Sandbox, ours: Clients, errcode: int, kind: Kind) -> None:
    await sandbox.fault("wechat", "error", match={"call": "getuserphonenumber"}, set={"code": errcode})
    assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is kind


@pytest.mark.parametrize("errcode", [-1, 40001, *OURS])
async def test_every_errcode_of_stable_token(sandbox: Sandbox, ours: Clients, errcode: int) -> None:
    await sandbox.fault("wechat", "error", match={"call": "stable_token"}, set={"code": errcode})
    assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is UPSTREAM_FAILED
    assert "getuserphonenumber" not in await sandbox.calls("wechat")


async def test_being_too_fast_says_when_to_try_again(sandbox: Sandbox, ours: Clients) -> None:
    await sandbox.fault("wechat", "error", set={"code": 45011})
    with pytest.raises(Problem) as caught:
        await ours.wechat.session(ME.js_code)
    assert caught.value.kind.status == 429
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("wrong", [{"wechat_appid": "wx0"}, {"wechat_secret": "wrong"}])
async def test_a_wrong_account_of_ours_is_a_502_and_an_error_in_the_log(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, wrong: dict[str, str]
) -> None:
    async with clients(sandbox.base_url, secrets=SandboxSecrets(**wrong)) as ours:
        assert await outcome(ours.wechat.session(ME.js_code)) is UPSTREAM_FAILED
        assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is UPSTREAM_FAILED
        assert {word for *_, word in ours.heard} == {"misconfigured"}
    errors = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert [one["call"] for one in errors] == ["jscode2session", "stable_token"]
    assert {one["errcode"] for one in errors} <= {40013, 40125}


async def test_a_phone_code_tells_the_persons_number(ours: Clients) -> None:
    for person in PEOPLE:
        assert await ours.wechat.phone_number(person.phone_code, person.openid) == person.phone


@pytest.mark.parametrize("code", ["", "unknown", "a b", "x" * 513, OTHER.phone_code])
async def test_another_ones_phone_code_proves_nothing(ours: Clients, code: str) -> None:
    assert await outcome(ours.wechat.phone_number(code, ME.openid)) is PROOF_FAILED


PHONE_LIES: list[tuple[dict[str, Any], Kind]] = [
    ({"phone_info.watermark.appid": "wx-another"}, UPSTREAM_FAILED),
    ({"phone_info.watermark.timestamp": int(START) - 301}, PROOF_FAILED),
    ({"phone_info.watermark.timestamp": int(START) + 301}, UPSTREAM_FAILED),
    ({"phone_info.watermark.timestamp": "now"}, UPSTREAM_FAILED),
    ({"phone_info.watermark": None}, UPSTREAM_FAILED),
    ({"phone_info.countryCode": "852"}, PROOF_FAILED),
    ({"phone_info.countryCode": None}, UPSTREAM_FAILED),
    ({"phone_info.purePhoneNumber": OTHER.phone}, UPSTREAM_FAILED),
    ({"phone_info.purePhoneNumber": "1380000010", "phone_info.phoneNumber": "1380000010"}, UPSTREAM_FAILED),
    ({"phone_info.purePhoneNumber": 13800000101}, UPSTREAM_FAILED),
    ({"phone_info": None}, UPSTREAM_FAILED),
    ({"phone_info": []}, UPSTREAM_FAILED),
    ({"errcode": "0"}, UPSTREAM_FAILED),
    ({"errcode": None}, UPSTREAM_FAILED),
]


@pytest.mark.parametrize(("lie", "kind"), PHONE_LIES)
async def test_a_forged_phone_answer_proves_nothing(
    sandbox: Sandbox, ours: Clients, lie: dict[str, Any], kind: Kind
) -> None:
    await sandbox.fault("wechat", "lie", match={"call": "getuserphonenumber"}, set=lie)
    assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is kind


@pytest.mark.parametrize("shown", [{"phone_info.countryCode": 86}, {"phone_info.phoneNumber": "+86" + ME.phone}])
async def test_the_forms_that_wechat_really_sends_are_taken(
    sandbox: Sandbox, ours: Clients, shown: dict[str, Any]
) -> None:
    await sandbox.fault("wechat", "lie", match={"call": "getuserphonenumber"}, set=shown)
    assert await ours.wechat.phone_number(ME.phone_code, ME.openid) == ME.phone


SESSION_LIES: list[dict[str, Any]] = [
    {"openid": ""},
    {"openid": 7},
    {"openid": None},
    {"openid": "a b"},
    {"openid": "x" * 65},
    {"openid": "o\ud800penid".encode("utf-8", "surrogatepass").decode("utf-8", "replace")},
    {"unionid": "a b"},
    {"session_key": "short"},
    {"session_key": None},
    {"errcode": "none"},
]


@pytest.mark.parametrize("lie", SESSION_LIES)
async def test_a_forged_session_answer_is_no_session(sandbox: Sandbox, ours: Clients, lie: dict[str, Any]) -> None:
    await sandbox.fault("wechat", "lie", set=lie)
    assert await outcome(ours.wechat.session(ME.js_code)) is UPSTREAM_FAILED


@pytest.mark.parametrize("lie", [{"access_token": ""}, {"access_token": "a b"}, {"expires_in": 0}, {"expires_in": "x"}])
async def test_a_forged_token_is_not_used(sandbox: Sandbox, ours: Clients, lie: dict[str, Any]) -> None:
    await sandbox.fault("wechat", "lie", match={"call": "stable_token"}, set=lie)
    assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is UPSTREAM_FAILED
    assert ours.tokens.token is None


async def test_ten_expiries_are_ten_fetches(sandbox: Sandbox, ours: Clients) -> None:
    for _ in range(10):
        sandbox.app.ctx.tokens.expire()
        numbers = await asyncio.gather(*(ours.wechat.phone_number(one.phone_code, one.openid) for one in PEOPLE[:8]))
        assert numbers == [one.phone for one in PEOPLE[:8]]
    assert (await sandbox.calls("wechat")).count("stable_token") == 10


async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(sandbox: Sandbox, ours: Clients) -> None:
    await ours.wechat.phone_number(ME.phone_code, ME.openid)
    ours.tokens.token = "no longer known"
    assert await ours.wechat.phone_number(ME.phone_code, ME.openid) == ME.phone
    assert (await sandbox.calls("wechat"))[-3:] == ["getuserphonenumber", "stable_token", "getuserphonenumber"]


async def test_a_token_refused_for_ever_ends(sandbox: Sandbox, ours: Clients) -> None:
    await sandbox.fault("wechat", "error", match={"call": "getuserphonenumber"}, set={"code": 42001})
    assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is UPSTREAM_FAILED
    assert (await sandbox.calls("wechat")).count("getuserphonenumber") == 2


async def test_a_hanging_token_call_is_a_timeout(sandbox: Sandbox) -> None:
    await sandbox.fault("wechat", "hang", match={"call": "stable_token"})
    async with clients(sandbox.base_url, limits=IMPATIENT) as ours:
        assert await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid)) is UPSTREAM_TIMEOUT


def test_secrets_are_not_printed() -> None:
    assert SECRETS.wechat_secret not in repr(SECRETS)
