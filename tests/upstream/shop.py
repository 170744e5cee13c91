"""A merchant of WeChat Pay: at a sandbox of its own, with a server that is notified."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from api.sandbox.pay_keys import PLATFORM_PUBLIC, PayKeys
from api.sandbox.pay_notify import signature_headers
from api.upstream.http import Http, HttpLimits
from api.upstream.outcomes import CallEnded
from api.upstream.wechat_pay import (
    WeChatPay,
    WeChatPayConfig,
)
from tests.support.pay import pay_folder
from tests.upstream.outside import ME, QUICK, SECRETS, START, Sandbox

SOON = datetime.fromtimestamp(START + 900, UTC)
TODAY = (datetime.fromtimestamp(START, UTC) + timedelta(hours=8)).date()
KEYS = PayKeys.of(pay_folder())
CONFIG = WeChatPayConfig(
    base_url="http://127.0.0.1:1",
    mchid=SECRETS.wechat_pay_mchid,
    serial=SECRETS.wechat_pay_serial,
    private_key=(pay_folder() / "merchant.pem").read_text(),
    api_v3_key=SECRETS.wechat_pay_api_v3_key,
    public_key=(pay_folder() / PLATFORM_PUBLIC).read_text(),
    public_key_id=SECRETS.wechat_pay_public_key_id,
    appid=SECRETS.wechat_appid,
    notify_url="http://127.0.0.1:1/v1/notify/wechat-pay",
)


@dataclass
class Receiver:
    """Whom WeChat notifies: keeps what came, answers with the next status (the last one again and again)."""

    statuses: list[int] = field(default_factory=lambda: [204])
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, value in lines}
                self.came.append((headers, await reader.readexactly(int(headers["content-length"]))))
                status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def got(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        await until(lambda: len(self.came) >= count)
        return self.came


@dataclass
class Shop:
    """A merchant at a sandbox of its own."""

    pay: WeChatPay
    sandbox: Sandbox
    receiver: Receiver
    heard: list[tuple[str, str, str]]

    async def ordered(self, number: str = "order-0001", fen: int = 1234) -> str:
        return await self.pay.prepay(number, fen, "门诊缴费", ME.openid, SOON)

    async def thumb(self, prepay_id: str, result: str = "success") -> int:
        body = {"prepay_id": prepay_id, "result": result}
        return (await self.sandbox.levers.post("/sandbox/pay", json=body)).status_code

    async def paid(self, number: str = "order-0001", fen: int = 1234) -> None:
        assert await self.thumb(await self.ordered(number, fen)) == 204

    async def fault(self, fault: str, **more: Any) -> None:
        answer = await self.sandbox.levers.post(
            "/sandbox/faults", json={"upstream": "wechat-pay", "fault": fault, **more}
        )
        assert answer.status_code == 201, answer.text

    async def books(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.sandbox.levers.get("/sandbox/books")).json()["wechat"]
        return found

    async def settled(self, number: str) -> None:
        refund = self.sandbox.app.ctx.world.pay_books.refunds[number]
        await until(lambda: refund.state == "SUCCESS")


@asynccontextmanager
async def merchant(base_url: str, limits: HttpLimits = QUICK, /, **more: str) -> AsyncIterator[WeChatPay]:
    async with Http(limits) as http:
        yield WeChatPay(replace(CONFIG, base_url=base_url, **more), http)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        for _ in iter(int, 1):
            if happened():
                return
            await asyncio.sleep(0.005)


@cache
def offline(**more: str) -> WeChatPay:
    """One that calls nobody."""
    return WeChatPay(replace(CONFIG, **more), Http(QUICK))


async def ended(made: Any) -> tuple[type[CallEnded], str]:
    with pytest.raises(CallEnded) as caught:
        await made
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return type(caught.value), caught.value.code


def signed(body: bytes, at: float = START) -> dict[str, str]:
    return {name.lower(): value for name, value in signature_headers(KEYS, CONFIG.public_key_id, body, at).items()}
