"""What the upstreams take alone: the calls of one bill, by the service's own clients, with no service behind them.

1101, 2201, 2203, 2204, 2206, 2207, the prepay, the payer's thumb, and the notification, taken by a bare server.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import httpx

from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_keys import make_pay_keys
from api.upstream.http import Http
from api.upstream.insurer import Institution, Insurer, InsurerConfig, cert_type
from api.upstream.settlement import Line, Patient, Settlement
from api.upstream.wechat_pay import WeChatPay, WeChatPayConfig
from codes.identity import parse_document
from codes.insurance import parse_insurance
from tests.bench.servers import Demo

FEN: Final = 6600
_TAKEN: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Alone:
    """The upstreams' clients, and where the notification comes."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._person: dict[str, Any] = demo.info["people"][0]
        self._told = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Alone":
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        await self._stack.enter_async_context(server)
        port = server.sockets[0].getsockname()[1]
        secrets, sandbox = SandboxSecrets(), self._demo.info["sandbox_url"]
        http = await self._stack.enter_async_context(Http())
        self._levers = await self._stack.enter_async_context(httpx.AsyncClient(base_url=sandbox, trust_env=False))
        self._insurer = Insurer(
            InsurerConfig(
                sandbox,
                secrets.insurer_fixmedins_code,
                secrets.insurer_fixmedins_name,
                secrets.insurer_mdtrtarea,
                app_id=secrets.insurer_app_id,
                secret=secrets.insurer_secret,
            ),
            http,
        )
        self._settlement = Settlement(self._insurer)
        self._pay = WeChatPay(self._config(secrets, sandbox, f"http://127.0.0.1:{port}/notify"), http)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _config(self, secrets: SandboxSecrets, sandbox: str, notify_url: str) -> WeChatPayConfig:
        keys = make_pay_keys(self._demo.data / "wechat-pay")  # those that the demo made
        return WeChatPayConfig(
            sandbox,
            secrets.wechat_pay_mchid,
            secrets.wechat_pay_serial,
            open(keys["YIMA_WECHAT_PAY_KEY_FILE"]).read(),
            secrets.wechat_pay_api_v3_key,
            open(keys["YIMA_WECHAT_PAY_PUBLIC_KEY_FILE"]).read(),
            secrets.wechat_pay_public_key_id,
            secrets.wechat_appid,
            notify_url,
        )

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        writer.write(_TAKEN)
        await writer.drain()
        writer.close()
        self._told.set()

    async def seconds(self) -> float:
        """Of the calls of one bill, one after the other."""
        began = time.perf_counter()
        await self._settle()
        number = uuid4().hex
        until = datetime.now(UTC) + timedelta(minutes=15)
        prepay_id = await self._pay.prepay(number, FEN // 5, "门诊费用", "oYimaSandbox_openid_00000001", until)
        self._pay.jsapi(prepay_id, int(time.time()))
        self._told.clear()
        thumb = await self._levers.post("/sandbox/pay", json={"prepay_id": prepay_id, "result": "success"})
        thumb.raise_for_status()
        await asyncio.wait_for(self._told.wait(), 10)
        return time.perf_counter() - began

    async def _settle(self) -> None:
        person, given = self._person, self._person["insurance"]
        document = parse_document(person["id_type"], person["id_number"])
        insured = parse_insurance(given["type"], given["number"], given["area"])
        found = await self._insurer.person(insured, person["name"], document)
        first = found.insurances[0]
        patient = Patient(
            found.psn_no,
            first.insutype,
            first.area,
            insured.type,
            insured.number,
            person["name"],
            cert_type(document),
            document.number,
        )
        at, batch, who = datetime.now(UTC), uuid4().hex[:30], Institution("H43010200001", "演示医院", "430102")
        bill, line = self._settlement, Line("1", "C1", "检查费", "检查费", Decimal(1), FEN, FEN)
        visit = await bill.register(who, patient, f"A{batch[:12]}", at, msgid=bill.message_id(who))
        await bill.visit(who, patient, visit, at, msgid=bill.message_id(who))
        await bill.details(who, patient, visit, batch, [line], msgid=bill.message_id(who))
        await bill.preview(who, patient, visit, batch, FEN, msgid=bill.message_id(who))
        await bill.settle(who, patient, visit, batch, FEN, msgid=bill.message_id(who))
