import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from api.upstream.http import Http
from api.upstream.settlement import Settlement
from api.upstream.wechat_pay import WeChatPay
from tests.upstream.insured import Bill
from tests.upstream.outside import QUICK, Clients, Sandbox, clients, running_sandbox
from tests.upstream.shop import CONFIG, KEYS, Receiver, Shop


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


@pytest.fixture
async def ours(sandbox: Sandbox) -> AsyncIterator[Clients]:
    """All clients, pointed at the sandbox."""
    async with clients(sandbox.base_url, sandbox.clock) as made:
        yield made


@pytest.fixture
async def bill(sandbox: Sandbox, ours: Clients) -> Bill:
    """A registered visit without lines."""
    return await Bill(Settlement(ours.insurer), sandbox).begun()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/notify/wechat-pay"
    yield made
    server.close()


@pytest.fixture
async def shop(receiver: Receiver) -> AsyncIterator[Shop]:
    heard: list[tuple[str, str, str]] = []
    async with running_sandbox(pay_keys=KEYS) as sandbox:
        sandbox.app.ctx.pay.refund_seconds = 0.02
        sandbox.app.ctx.pay.notifier.pauses = (0.02, 0.02)
        plain = httpx.AsyncHTTPTransport(verify=False)
        async with Http(QUICK, lambda *call: heard.append(call[:3]), plain) as http:
            config = replace(CONFIG, base_url=sandbox.base_url, notify_url=receiver.url)
            yield Shop(WeChatPay(config, http), sandbox, receiver, heard)
        await sandbox.app.ctx.pay.stop()
