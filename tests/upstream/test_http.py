"""The one way out: where it may go, how long, how often, and what it tells."""

import asyncio
import json
import logging
from typing import Any

import msgspec
import pytest

from api.problems import UPSTREAM_FAILED, Problem, Text
from api.upstream.http import Http, HttpLimits, decode
from tests.upstream.outside import (
    ME,
    OTHER,
    QUICK,
    SECRETS,
    Clients,
    Sandbox,
    clients,
    document,
    insurance,
    outcome,
    raw,
    told,
)

LABEL = Text("某系统", "A system")


class Said(msgspec.Struct):
    said: str


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org",
        "http://10.0.0.1:8080",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "https://",
        "https://user:password@example.org",
        "https://example.org/?x=y",
        "https://example.org/#x",
    ],
)
async def test_an_address_that_is_not_safe_is_refused(address: str) -> None:
    async with Http() as http:
        with pytest.raises(ValueError):
            http.upstream("some", LABEL, address)


@pytest.mark.parametrize(
    "address", ["https://example.org/base/", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost"]
)
async def test_https_or_this_machine(address: str) -> None:
    async with Http() as http:
        http.upstream("some", LABEL, address)


async def test_a_plain_host_has_to_be_named() -> None:
    async with Http(HttpLimits(plain_hosts=frozenset({"sandbox"}))) as http:
        http.upstream("some", LABEL, "http://sandbox:9000")


@pytest.mark.parametrize(
    "body",
    [
        b'{"said":"a","said":"a"}',
        b'{"said":"a","x":{"y":1,"y":1}}',
        b'{"said":"a","x":NaN}',
        b'{"said":"a"}{}',
        b'\xef\xbb\xbf{"said":"a"}',
        '{"said":"a"}'.encode("utf-16"),
        b'{"said":1}',
        b'{"said":null}',
        b'["a"]',
    ],
)
def test_an_answer_is_one_object_of_the_right_type(body: bytes) -> None:
    assert decode(body, Said) is None
    assert decode(b'{"said":"a","more":[]}', Said) == Said("a")


REFUSED: dict[str, bytes] = {
    "redirected": raw(b'{"said":"a"}', "302 Found", location="/"),
    "status": raw(b'{"said":"a"}', "201 Created"),
    "content-type": raw(b'{"said":"a"}', content_type="text/html"),
    "encoded": raw(b'{"said":"a"}', content_encoding="gzip"),
    "too-large": raw(b'{"said":"' + b"a" * QUICK.answer_bytes + b'"}'),
    "broken": raw(b'{"said":"a"}', content_length="x"),
    "malformed": raw(b'{"said":"a","said":"a"}'),
}


@pytest.mark.parametrize("word", REFUSED)
async def test_a_good_body_does_not_save_a_wrong_answer(word: str) -> None:
    heard: list[str] = []
    async with told(REFUSED[word]) as server, Http(QUICK, lambda *call: heard.append(call[2])) as http:
        assert await outcome(_ask(http, server.base_url)) is UPSTREAM_FAILED
    assert heard == [word]


async def _ask(http: Http, base_url: str, **more: Any) -> Said:
    async with http.upstream("some", LABEL, base_url).calling("ask") as call:
        return await call.send("GET", "/x", answer=Said, **more)


async def test_a_lost_call_is_repeated_only_if_it_is_safe_and_allowed() -> None:
    bad, good = raw(b"{}", "503 Service Unavailable"), raw(b'{"said":"yes"}')
    for limits, safe, times in ((HttpLimits(retries=2), False, 1), (HttpLimits(), True, 1)):
        async with told(bad, good) as server, Http(limits) as http:
            assert await outcome(_ask(http, server.base_url, safe=safe)) is UPSTREAM_FAILED
            assert len(server.requests) == times
    async with told(bad, bad, good) as server, Http(HttpLimits(retries=2)) as http:
        assert (await _ask(http, server.base_url, safe=True)).said == "yes"
        assert len(server.requests) == 3
    async with told(bad) as server, Http(HttpLimits(retries=2)) as http:
        assert await outcome(_ask(http, server.base_url, safe=True)) is UPSTREAM_FAILED
        assert len(server.requests) == 3


async def test_a_repeated_request_is_signed_anew() -> None:
    async with (
        told(raw(b"{}", "500 Oops")) as server,
        clients(server.base_url, limits=HttpLimits(retries=1, pause_seconds=0)) as ours,
    ):
        await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone))
        first, second = server.requests
        assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]
        assert first != second


async def test_no_redirect_is_followed() -> None:
    async with told(raw(b'{"said":"secret"}')) as inside:
        away = raw(b"", "302 Found", location=inside.base_url + "/x")
        async with told(away) as server, Http() as http:
            assert await outcome(_ask(http, server.base_url)) is UPSTREAM_FAILED
        assert inside.requests == []


async def test_no_cookie_is_kept_and_no_proxy_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with told(raw(b'{"said":"x"}', set_cookie="a=b; Path=/")) as server, Http(QUICK) as http:
        await _ask(http, server.base_url)
        await _ask(http, server.base_url)
        assert len(server.requests) == 2
        assert b"cookie" not in server.requests[1].lower()


async def test_an_answer_sent_twice_never_answers_the_next_question() -> None:
    """A second answer on the same connection would be the next person's."""
    first = json.dumps({"openid": ME.openid, "session_key": "AAAAAAAAAAAAAAAAAAAAAA=="}).encode()
    second = json.dumps({"openid": OTHER.openid, "session_key": "AAAAAAAAAAAAAAAAAAAAAA=="}).encode()
    async with told(raw(first) + raw(first), raw(second)) as server, clients(server.base_url) as ours:
        assert (await ours.wechat.session(ME.js_code)).openid == ME.openid
        assert (await ours.wechat.session(OTHER.js_code)).openid == OTHER.openid


async def test_the_hook_hears_every_call_once(sandbox: Sandbox, ours: Clients) -> None:
    await ours.registry.agrees(ME.name, document(ME), ME.phone)
    await outcome(ours.wechat.session("unknown"))
    await sandbox.fault("insurer", "delay", delay_ms=5000)
    await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME)))
    await sandbox.fault("sms", "http-500")
    await outcome(ours.sms.send("1", ME.phone, "text"))
    assert ours.heard == [
        ("registry", "agreement", "ok"),
        ("wechat", "jscode2session", "refused"),
        ("insurer", "1101", "timeout"),
        ("sms", "send", "status"),
    ]


async def test_a_call_given_up_is_told_and_the_client_lives_on(sandbox: Sandbox, ours: Clients) -> None:
    await sandbox.fault("registry", "hang", times=1)
    task = asyncio.create_task(ours.registry.agrees(ME.name, document(ME), ME.phone))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ours.heard == [("registry", "agreement", "cancelled")]
    assert await ours.registry.agrees(ME.name, document(ME), ME.phone)


async def test_nothing_secret_or_personal_is_logged(
    sandbox: Sandbox, ours: Clients, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "yima.upstream"):
        caplog.set_level(logging.DEBUG, logger=name)
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    session = await ours.wechat.session(ME.js_code)
    for upstream in ("", "wechat", "registry", "sms", "insurer"):
        if upstream:
            await sandbox.fault(upstream, "error")
        await outcome(ours.wechat.session(ME.js_code))
        await outcome(ours.wechat.phone_number(ME.phone_code, ME.openid))
        await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone))
        await outcome(ours.sms.send("m", ME.phone, "the text 123456"))
        await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME)))
    assert ("jscode2session", "ok") in {(vars(one).get("call"), vars(one).get("outcome")) for one in caplog.records}
    assert not [record for record in caplog.records if record.name.startswith("http")]
    told_all = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    secrets = [SECRETS.wechat_secret, SECRETS.registry_secret, SECRETS.sms_secret, SECRETS.insurer_secret]
    personal = [ME.js_code, ME.phone_code, ME.openid, ME.name, ME.id_number, ME.phone, ME.insurance.number, "123456"]
    for value in [*secrets, *personal, session.session_key, ours.tokens.token or "", "?appid"]:
        assert value not in told_all


async def test_a_problem_carries_no_exception_with_an_address(sandbox: Sandbox, ours: Clients) -> None:
    for fault in ("reset", "hang", "http-500", "lie"):
        await sandbox.fault("wechat", fault)
        with pytest.raises(Problem) as caught:
            await ours.wechat.session(ME.js_code)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert "微信" in caught.value.detail.zh
        await sandbox.calm()
