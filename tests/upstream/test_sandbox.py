"""The sandbox itself: its levers (api.md), its people, and how it is run."""

import asyncio
import json
import os
import socket
import sys
import time
import urllib.request
from typing import Any

import httpx
import pytest

from api.sandbox import PEOPLE, SandboxSecrets, demo_people_json
from api.sandbox.levers import overlay
from codes.identity import age_on, parse_document, parse_name
from codes.insurance import parse_insurance
from codes.phone import parse_phone
from tests.upstream.outside import ME, Clients, Sandbox, document, insurance, outcome, running_sandbox


async def test_a_fault_strikes_as_often_as_ordered(sandbox: Sandbox, ours: Clients) -> None:
    order = {"upstream": "registry", "fault": "http-500"}
    answer = await sandbox.levers.post("/sandbox/faults", json=order)
    assert answer.status_code == 201
    await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone))
    assert await ours.registry.agrees(ME.name, document(ME), ME.phone)
    (shown,) = (await sandbox.levers.get("/sandbox/faults")).json()["faults"]
    assert shown | order == shown
    assert (shown["times"], shown["hits"]) == (1, 1)
    assert (await sandbox.levers.delete("/sandbox/faults")).status_code == 204
    assert (await sandbox.levers.get("/sandbox/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({}, 1),
        ({"infno": "1101"}, 1),
        ({"call": "1101"}, 1),
        ({"path": "callService"}, 1),
        ({"infno": "2207"}, 0),
        ({"call": "agreement"}, 0),
        ({"path": "/v1"}, 0),
        ({"infno": "1101", "path": "/v1"}, 0),
    ],
)
async def test_a_fault_strikes_what_it_matches(
    sandbox: Sandbox, ours: Clients, match: dict[str, str], hits: int
) -> None:
    await sandbox.fault("insurer", "http-500", match=match)
    await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME)))
    assert (await sandbox.levers.get("/sandbox/faults")).json()["faults"][0]["hits"] == hits


@pytest.mark.parametrize(
    "order",
    [
        {},
        [],
        {"upstream": "bank", "fault": "error"},
        {"upstream": "sms", "fault": "explode"},
        {"upstream": "sms", "fault": "error", "times": 0},
        {"upstream": "sms", "fault": "delay", "delay_ms": 60_001},
        {"upstream": "sms", "fault": "error", "match": {"host": "x"}},
        {"upstream": "sms", "fault": "error", "tims": 2},
    ],
)
async def test_a_wrong_order_is_refused(sandbox: Sandbox, order: Any) -> None:
    assert (await sandbox.levers.post("/sandbox/faults", json=order)).status_code == 422


async def test_every_call_is_listed_with_its_status(sandbox: Sandbox, ours: Clients) -> None:
    await ours.registry.agrees(ME.name, document(ME), ME.phone)
    for fault in ("http-500", "reset", "drop-answer"):
        await sandbox.fault("registry", fault, times=1)
        await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone))
    calls = (await sandbox.levers.get("/sandbox/calls")).json()["calls"]
    assert [(one["upstream"], one["call"], one["status"]) for one in calls] == [
        ("registry", "agreement", status) for status in (200, 500, 0, 0)
    ]
    assert calls[0]["at"].endswith("Z")


@pytest.mark.parametrize(
    ("fields", "bent"),
    [
        ({"a": 2}, {"a": 2, "b": {"c": 1, "d": [{"e": 1}]}}),
        ({"c": 2}, {"a": 1, "b": {"c": 2, "d": [{"e": 1}]}}),
        ({"e": 2}, {"a": 1, "b": {"c": 1, "d": [{"e": 2}]}}),
        ({"b.c": 2}, {"a": 1, "b": {"c": 2, "d": [{"e": 1}]}}),
        ({"b": {"c": 2}}, {"a": 1, "b": {"c": 2, "d": [{"e": 1}]}}),
        ({"x.y": 2}, {"a": 1, "b": {"c": 1, "d": [{"e": 1}]}, "x": {"y": 2}}),
        ({"new": 2}, {"a": 1, "b": {"c": 1, "d": [{"e": 1}]}, "new": 2}),
    ],
)
def test_how_a_lie_is_put_in(fields: dict[str, Any], bent: dict[str, Any]) -> None:
    assert overlay({"a": 1, "b": {"c": 1, "d": [{"e": 1}]}}, fields) == bent


async def test_a_hang_ends_with_the_sandbox() -> None:
    began = time.monotonic()
    async with running_sandbox() as sandbox:
        await sandbox.fault("wechat", "hang")
        asked = asyncio.create_task(httpx.AsyncClient().get(sandbox.base_url + "/sns/jscode2session", timeout=30))
        await asyncio.sleep(0.1)
    with pytest.raises(httpx.TransportError):
        await asked
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("method", "query", "errcode"),
    [
        ("GET", {}, 41002),
        ("GET", {"appid": "x"}, 41004),
        ("GET", {"appid": "x", "secret": "y"}, 40002),
        ("GET", {"appid": "x", "secret": "y", "grant_type": "authorization_code"}, 40013),
        ("POST", {}, 43001),
    ],
)
async def test_wechats_own_refusals(sandbox: Sandbox, method: str, query: dict[str, str], errcode: int) -> None:
    answer = await sandbox.levers.request(method, "/sns/jscode2session", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")
    assert answer.json()["errcode"] == errcode


async def test_stable_token_gives_the_same_token_until_shortly_before_its_end(sandbox: Sandbox) -> None:
    async def ask(**more: Any) -> tuple[str, int]:
        account = {"appid": sandbox.app.ctx.world.secrets.wechat_appid, "secret": "seeded-wechat-secret"}
        body = {"grant_type": "client_credential", **account, **more}
        answer = (await sandbox.levers.post("/cgi-bin/stable_token", json=body)).json()
        return answer["access_token"], answer["expires_in"]

    first, seconds = await ask()
    assert seconds == 7200
    sandbox.clock.at += 6000
    assert await ask() == (first, 1200)
    sandbox.clock.at += 901
    second, seconds = await ask()
    assert (second != first, seconds) == (True, 7200)
    assert (await ask(force_refresh=True))[0] != second


async def test_garbage_does_not_break_the_sandbox(sandbox: Sandbox) -> None:
    paths = [
        "/v1/agreements",
        "/v1/messages",
        "/fsi/api/rsfComIfsService/callService",
        "/wxa/business/getuserphonenumber",
    ]
    for path in [*paths, "/cgi-bin/stable_token", "/sandbox/faults"]:
        for body in (b"", b"null", b"[]", b"{", b"\xff", b'{"infno":{}}', b"[" * 100_000):
            assert (await sandbox.levers.post(path, content=body)).status_code < 500


def test_the_people_are_as_promised() -> None:
    *adults, child = PEOPLE
    today = child.birthday.replace(year=child.birthday.year + 8)
    assert len(adults) >= 8
    assert child.guardian == adults[0].id_number
    assert child.phone == adults[0].phone
    assert age_on(child.birthday, today) < 14
    for unique in ("name", "id_number", "phone", "openid", "js_code", "phone_code", "insurance"):
        assert len({getattr(one, unique) for one in adults}) == len(adults)
    for one in PEOPLE:
        document = parse_document(one.id_type, one.id_number)
        assert document.number == one.id_number
        assert document.birthday in (None, one.birthday)
        assert document.gender in (None, one.gender)
        assert parse_name(one.name) == one.name
        assert parse_phone(one.phone) == one.phone
        assert parse_insurance(one.insurance.type, one.insurance.number, one.insurance.area).number
    assert all(age_on(one.birthday, today) >= 18 for one in adults)
    assert any("·" in one.name for one in adults)
    assert any(ord(character) > 0xFFFF for one in adults for character in one.name)
    assert {one.gender for one in adults} == {"male", "female"}


def test_demo_json_has_the_promised_fields() -> None:
    shown = json.loads(json.dumps(demo_people_json()))
    assert len(shown) == len(PEOPLE)
    assert all(
        list(one) == ["name", "id_type", "id_number", "phone", "js_code", "phone_code", "insurance"] for one in shown
    )
    assert list(shown[0]["insurance"]) == ["type", "number", "area"]


def test_accounts_go_through_the_environment() -> None:
    secrets = SandboxSecrets(wechat_secret="one", sms_app_id="two")
    assert SandboxSecrets.from_environment(secrets.environment()) == secrets
    assert SandboxSecrets.from_environment({}) == SandboxSecrets()


@pytest.mark.parametrize("inherited", [False, True])
async def test_it_runs_as_a_program(inherited: bool) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        choice = ["--fd", str(sock.fileno())] if inherited else ["--port", "0"]
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api.sandbox", *choice),
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[sock.fileno()] if inherited else [],
            env={**os.environ, "YIMA_WECHAT_APPID": "wx-of-the-environment"},
        )
        assert running.stdout is not None
        line = (await asyncio.wait_for(running.stdout.readline(), 20)).decode().split()
        if inherited:
            assert line[1].endswith(f":{sock.getsockname()[1]}")
    query = "?appid=wx-of-the-environment&secret=x&grant_type=authorization_code"
    answer = await asyncio.to_thread(lambda: urllib.request.urlopen(line[1] + "/sns/jscode2session" + query).read())
    assert json.loads(answer)["errcode"] == 40125
    async with httpx.AsyncClient(base_url=line[1], trust_env=False) as levers:
        await levers.post("/sandbox/faults", json={"upstream": "wechat", "fault": "reset"})
        with pytest.raises(httpx.TransportError):
            await levers.get("/sns/jscode2session")
        await levers.post("/sandbox/faults", json={"upstream": "wechat", "fault": "hang"})
        hanging = asyncio.create_task(levers.get("/sns/jscode2session", timeout=30))
        await asyncio.sleep(0.2)
        running.terminate()
        assert await asyncio.wait_for(running.wait(), 10) == 0
        with pytest.raises(httpx.TransportError):
            await hanging
