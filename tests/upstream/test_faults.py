"""Every fault × every client: a problem of the right kind, never another exception, never a yes."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.problems import INSURANCE_REFUSED, UPSTREAM_FAILED, UPSTREAM_TIMEOUT, Kind
from tests.upstream.outside import (
    CHILD,
    IMPATIENT,
    ME,
    QUICK,
    Clients,
    Sandbox,
    clients,
    document,
    insurance,
    outcome,
    raw,
    told,
)

Ask = Callable[[Clients], Awaitable[object]]

# name -> (upstream, how it is asked for a yes)
CALLS: dict[str, tuple[str, Ask]] = {
    "session": ("wechat", lambda c: c.wechat.session(ME.js_code)),
    "phone": ("wechat", lambda c: c.wechat.phone_number(ME.phone_code, ME.openid)),
    "agrees": ("registry", lambda c: c.registry.agrees(ME.name, document(ME), ME.phone)),
    "exists": ("registry", lambda c: c.registry.person_exists(ME.name, document(ME))),
    "guardian": ("registry", lambda c: c.registry.guardian_of(ME.name, document(ME), CHILD.name, document(CHILD))),
    "face-start": ("registry", lambda c: c.registry.start_face_check("r", ME.name, document(ME), ME.phone)),
    "face-state": ("registry", lambda c: c.registry.face_check_passed("0" * 32)),
    "sms": ("sms", lambda c: c.sms.send("1", ME.phone, "text")),
    "insurer": ("insurer", lambda c: c.insurer.person(insurance(ME), ME.name, document(ME))),
}

# A face check that was never started has no state
ANSWERED = [name for name in CALLS if name != "face-state"]

FAULTS: list[tuple[str, dict[str, Any], Kind]] = [
    ("error", {}, UPSTREAM_FAILED),
    ("error", {"set": {"code": "no number", "text": "x"}}, UPSTREAM_FAILED),
    ("http-500", {}, UPSTREAM_FAILED),
    ("reset", {}, UPSTREAM_FAILED),
    ("drop-answer", {}, UPSTREAM_FAILED),
    ("hang", {}, UPSTREAM_TIMEOUT),
    ("delay", {"delay_ms": 5000}, UPSTREAM_TIMEOUT),
    ("lie", {}, UPSTREAM_FAILED),
]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("fault", "more", "kind"), FAULTS)
async def test_a_fault_is_a_problem(sandbox: Sandbox, name: str, fault: str, more: dict[str, Any], kind: Kind) -> None:
    upstream, ask = CALLS[name]
    await sandbox.fault(upstream, fault, **more)
    refusal = INSURANCE_REFUSED if name == "insurer" and fault in ("error", "lie") else kind
    limits = IMPATIENT if kind is UPSTREAM_TIMEOUT else QUICK
    async with clients(sandbox.base_url, sandbox.clock, limits) as ours:
        assert await outcome(ask(ours)) is refusal
        assert ours.heard


@pytest.mark.parametrize("name", ANSWERED)
async def test_after_the_fault_it_works_again(sandbox: Sandbox, ours: Clients, name: str) -> None:
    upstream, ask = CALLS[name]
    for fault in ("reset", "http-500", "drop-answer"):
        await sandbox.fault(upstream, fault)
        assert isinstance(await outcome(ask(ours)), Kind)
        await sandbox.calm()
    assert not isinstance(await outcome(ask(ours)), Kind)


@pytest.mark.parametrize("name", ANSWERED)
async def test_a_short_delay_is_only_a_delay(sandbox: Sandbox, ours: Clients, name: str) -> None:
    upstream, ask = CALLS[name]
    await sandbox.fault(upstream, "delay", delay_ms=20)
    assert not isinstance(await outcome(ask(ours)), Kind)


GARBAGE: dict[str, bytes] = {
    "empty": raw(b""),
    "no json": raw(b"<html>Welcome to the captive portal</html>"),
    "html": raw(b"{}", content_type="text/html"),
    "no type": raw(b"{}", content_type=""),
    "array": raw(b"[]"),
    "string": raw(b'"ok"'),
    "null": raw(b"null"),
    "true": raw(b"true"),
    "object": raw(b"{}"),
    "key twice": raw(b'{"errcode":0,"errcode":0,"request_id":"a","request_id":"b","infcode":0,"infcode":0}'),
    "nan": raw(b'{"errcode":NaN}'),
    "deep": raw(b"[" * 30_000 + b"]" * 30_000),
    "deep objects": raw(b'{"a":' * 8_000 + b"1" + b"}" * 8_000),
    "long number": raw(b'{"errcode":' + b"9" * 6000 + b"}"),
    "not utf-8": raw(b'{"errcode":0,"openid":"\xff\xfe"}'),
    "utf-16": raw('{"errcode":0}'.encode("utf-16")),
    "lone surrogate": raw(b'{"errcode":0,"openid":"\\ud800","session_key":"\\ud800","request_id":"\\ud800"}'),
    "too large": raw(b'{"x":"' + b"a" * 70_000 + b'"}'),
    "too large, chunked": raw(
        b"11170\r\n" + b"a" * 70_000 + b"\r\n0\r\n\r\n", content_length="", transfer_encoding="chunked"
    ),
    "compressed": raw(b"\x1f\x8b" + b"a" * 100, content_encoding="gzip"),
    "redirect": raw(b"{}", "302 Found", location="http://127.0.0.1:1/admin"),
    "redirect, method kept": raw(b"{}", "307 Temporary Redirect", location="http://169.254.169.254/latest/meta-data"),
    "permanent redirect": raw(b"{}", "308 Permanent Redirect", location="file:///etc/passwd"),
    "no content": raw(b"", "204 No Content", content_length=""),
    "created": raw(b"{}", "201 Created"),
    "unauthorized": raw(b"{}", "401 Unauthorized"),
    "unavailable": raw(b"{}", "503 Service Unavailable"),
    "no http": b"220 smtp.example.org ESMTP\r\n",
    "truncated": raw(b'{"errcode":0', content_length="400"),
    "length twice": raw(b"{}", content_length="2, 3"),
    "huge header": raw(b"{}", x_big="a" * 300_000),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_is_a_problem(name: str, garbage: str) -> None:
    limits = IMPATIENT if garbage in ("truncated", "no http") else QUICK  # the rest never comes
    async with told(GARBAGE[garbage]) as server, clients(server.base_url, limits=limits) as ours:
        ours.tokens.token, ours.tokens.ends = "token", ours.clock() + 7200
        result = await outcome(CALLS[name][1](ours))
        assert result in (UPSTREAM_FAILED, UPSTREAM_TIMEOUT), (garbage, result)
        assert len(server.requests) == 1


@pytest.mark.parametrize("name", CALLS)
async def test_a_dripping_answer_is_a_timeout(name: str) -> None:
    async with told(raw(b'{"errcode":0}'), drip=0.05) as server, clients(server.base_url, limits=IMPATIENT) as ours:
        ours.tokens.token, ours.tokens.ends = "token", ours.clock() + 7200
        assert await outcome(CALLS[name][1](ours)) is UPSTREAM_TIMEOUT


@pytest.mark.parametrize("name", CALLS)
async def test_nobody_there_is_a_problem(name: str) -> None:
    async with clients("http://127.0.0.1:9") as ours:
        ours.tokens.token, ours.tokens.ends = "token", ours.clock() + 7200
        assert await outcome(CALLS[name][1](ours)) is UPSTREAM_FAILED
        assert [word for *_, word in ours.heard] == ["unreachable"]
