"""Texts: handed over once, however often."""

import pytest

from api.problems import UPSTREAM_FAILED
from api.sandbox import SandboxSecrets
from tests.upstream.outside import ME, OTHER, Clients, Sandbox, clients, outcome


async def _outbox(sandbox: Sandbox, **params: str) -> list[tuple[str, str]]:
    answer = await sandbox.levers.get("/sandbox/outbox", params=params)
    return [(one["phone"], one["text"]) for one in answer.json()["messages"]]


async def test_texts_lie_in_the_outbox_oldest_first(sandbox: Sandbox, ours: Clients) -> None:
    await ours.sms.send("1", ME.phone, "【一码】验证码 123456")
    await ours.sms.send("2", OTHER.phone, "other")
    await ours.sms.send("3", ME.phone, "later")
    assert await _outbox(sandbox, phone=ME.phone) == [(ME.phone, "【一码】验证码 123456"), (ME.phone, "later")]
    assert len(await _outbox(sandbox)) == 3
    page = await sandbox.levers.get("/")
    assert "123456" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_same_id_again_sends_nothing(sandbox: Sandbox, ours: Clients) -> None:
    for _ in range(3):
        await ours.sms.send("1", ME.phone, "once")
    assert await _outbox(sandbox) == [(ME.phone, "once")]
    assert await outcome(ours.sms.send("1", ME.phone, "another text")) is UPSTREAM_FAILED
    assert await outcome(ours.sms.send("1", OTHER.phone, "once")) is UPSTREAM_FAILED
    assert len(await _outbox(sandbox)) == 1


async def test_a_text_whose_answer_was_lost_is_not_sent_twice(sandbox: Sandbox, ours: Clients) -> None:
    await sandbox.fault("sms", "drop-answer")
    assert await outcome(ours.sms.send("1", ME.phone, "once")) is UPSTREAM_FAILED
    await sandbox.calm()
    await ours.sms.send("1", ME.phone, "once")
    assert await _outbox(sandbox) == [(ME.phone, "once")]


@pytest.mark.parametrize("phone", ["12345678901", "1380000010", "abc"])
async def test_no_such_phone(ours: Clients, phone: str) -> None:
    assert await outcome(ours.sms.send("1", phone, "text")) is UPSTREAM_FAILED


@pytest.mark.parametrize("lie", [{"message_id": "2"}, {"state": "queued"}, {"state": None}])
async def test_an_answer_for_another_text_is_not_taken(sandbox: Sandbox, ours: Clients, lie: dict[str, object]) -> None:
    await sandbox.fault("sms", "lie", set=lie)
    assert await outcome(ours.sms.send("1", ME.phone, "text")) is UPSTREAM_FAILED


async def test_a_wrong_secret_sends_nothing(sandbox: Sandbox) -> None:
    async with clients(sandbox.base_url, secrets=SandboxSecrets(sms_secret="wrong")) as ours:
        assert await outcome(ours.sms.send("1", ME.phone, "text")) is UPSTREAM_FAILED
    assert await _outbox(sandbox) == []


async def test_the_page_shows_markup_as_text(sandbox: Sandbox, ours: Clients) -> None:
    await ours.sms.send("1", ME.phone, "<script>alert(1)</script>")
    page = (await sandbox.levers.get("/")).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
