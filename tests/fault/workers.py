"""One more worker on the demo's database, with settings of its own: the one that a test breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import httpx

from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_keys import make_pay_keys
from tests.process.demo import UNHURRIED, Demo, Headers
from tests.support.servers import Workers, listening_socket


def settings_on(demo: Demo, **settings: str) -> dict[str, str]:
    """The settings of a worker on the demo's database and sandbox, and these."""
    return {
        "YIMA_DATABASE_URL": demo.database_url,
        "YIMA_DATA_DIR": str(demo.data),
        **UNHURRIED,
        "YIMA_LOG_LEVEL": "ERROR",
        **{
            f"YIMA_{name}_URL": demo.info["sandbox_url"]
            for name in ("WECHAT", "REGISTRY", "SMS", "INSURER", "WECHAT_PAY")
        },
        **SandboxSecrets().environment(),
        **make_pay_keys(demo.data / "wechat-pay"),
        **settings,
    }


@asynccontextmanager
async def worker_on(demo: Demo, **settings: str) -> AsyncIterator[Workers]:
    """A worker with these settings besides the demo's."""
    running = Workers(settings_on(demo, **settings), 1, listening_socket())
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
        running.sock.close()


async def scan_at(address: str, who: Headers, code: str, terminal: str = "T", wait: float = 20) -> httpx.Response:
    """One scan at an address. Raises httpx.TransportError where the outcome is not known."""
    body = {"code": code, "step": "0101051", "channel": "0100", "terminal": terminal}
    async with httpx.AsyncClient(base_url=address, timeout=wait, trust_env=False) as http:
        return await http.post("/v1/hospital/resolutions", headers=who, json=body)


async def scan_into_the_dark(address: str, who: Headers, code: str, terminal: str = "T") -> None:
    """A scan whose answer never comes."""
    with suppress(httpx.TransportError):
        answer = await scan_at(address, who, code, terminal)
        raise AssertionError(f"the worker was to be dead and answered {answer.status_code}")


async def until_waiting(demo: Demo, count: int = 1) -> None:
    """Wait until so many resolving statements wait for a lock."""
    database = await asyncpg.connect(demo.database_url)
    try:
        for _ in range(400):
            waiting = await database.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%yima_resolve%'"
            )
            if waiting >= count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("no statement waits")
    finally:
        await database.close()
