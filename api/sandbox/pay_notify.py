"""Notifications of the simulated WeChat Pay: signed, encrypted, sent again until the receiver takes them."""

import asyncio
import json
import secrets
import ssl
import time
from base64 import b64encode
from collections.abc import Coroutine
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from api.sandbox.levers import NOTIFY, Order
from api.sandbox.pay_books import PayOrder, PayRefund, local_time
from api.sandbox.pay_keys import PayKeys
from api.sandbox.world import World

SYSTEM_NAME: Final = "wechat-pay"
SIGNTEST: Final = "WECHATPAY/SIGNTEST/"
STALE_SECONDS: Final = 3600
PAUSES: Final = (1.0, 3.0, 10.0, 30.0, 60.0)  # before the attempts after the first one


def signature_headers(keys: PayKeys, key_id: str, body: bytes, at: float) -> dict[str, str]:
    """What signs an answer or a notification, as WeChat Pay does it in public-key mode. at: Unix seconds."""
    timestamp, nonce = str(int(at)), secrets.token_hex(16)
    said = b"\n".join((timestamp.encode(), nonce.encode(), body, b""))
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": b64encode(keys.platform.sign(said, PKCS1v15(), SHA256())).decode(),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        "Wechatpay-Serial": key_id,
        "Request-ID": secrets.token_hex(16),
    }


class Notifier:
    """Sends notifications in tasks of its own, which end with the sandbox. `pauses`: seconds between attempts."""

    def __init__(self, world: World, keys: PayKeys) -> None:
        self.pauses: tuple[float, ...] = PAUSES
        self._world = world
        self._keys = keys
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.Event] = []
        self._client: httpx.AsyncClient | None = None

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the calls."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, owed: PayOrder | PayRefund) -> None:
        """Tell the merchant of a payment or a refund that succeeded."""
        self.spawn(self._deliver(owed))

    async def stop(self) -> None:
        """End all tasks; what was not taken yet is sent again by the next sandbox of these books."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()
            self._client = None

    async def _deliver(self, owed: PayOrder | PayRefund) -> None:
        for pause in (0.0, *self.pauses):
            if pause:
                await self._world.idle(pause)
            if self._world.stopping.is_set():
                return
            if await self._attempt(owed):
                owed.told = True
                self._world.touched()
                return

    async def _attempt(self, owed: PayOrder | PayRefund) -> bool:
        fault = self._world.faults.take(SYSTEM_NAME, NOTIFY, None, httpx.URL(owed.notify_url).path)
        kind = fault.fault if fault else None
        if kind == "skip":
            return True  # lost for good
        if fault and kind == "delay":
            await self._world.idle(fault.delay_ms / 1000)
        if fault and kind == "reorder":
            await self._let_another_pass(fault)
        taken = await self._post(owed, kind)
        if kind == "duplicate":
            await self._post(owed, kind)
        for waiting in self._held:
            waiting.set()
        self._held.clear()
        return taken

    async def _let_another_pass(self, fault: Order) -> None:
        passed = asyncio.Event()
        self._held.append(passed)
        try:
            await asyncio.wait_for(passed.wait(), fault.delay_ms / 1000)
        except TimeoutError:
            self._held.remove(passed)

    async def _post(self, owed: PayOrder | PayRefund, kind: str | None) -> bool:
        if self._client is None:  # over plain HTTP alone: a context that trusts nobody costs nothing to make
            nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._client = httpx.AsyncClient(trust_env=False, timeout=5.0, verify=nobody)
        body = self._body(owed, more_fen=1 if kind == "wrong-amount" else 0)
        at = self._world.now() - (STALE_SECONDS if kind == "stale" else 0)
        headers = signature_headers(self._keys, self._world.secrets.wechat_pay_public_key_id, body, at)
        wrong = b64encode(secrets.token_bytes(256)).decode()
        if kind == "forge":
            headers["Wechatpay-Signature"] = wrong
        elif kind == "signtest":
            headers["Wechatpay-Signature"] = SIGNTEST + wrong
        try:
            answer = await self._client.post(
                owed.notify_url, content=body, headers={**headers, "Content-Type": "application/json"}
            )
        except httpx.HTTPError:
            return False
        return answer.is_success  # WeChat looks at nothing but the status

    def _body(self, owed: PayOrder | PayRefund, more_fen: int) -> bytes:
        event, kind, summary, said = (
            ("TRANSACTION.SUCCESS", "transaction", "支付成功", self._paid_fields(owed, more_fen))
            if isinstance(owed, PayOrder)
            else ("REFUND.SUCCESS", "refund", "退款成功", self._refund_fields(owed, more_fen))
        )
        nonce = secrets.token_hex(6)
        key = AESGCM(self._world.secrets.wechat_pay_api_v3_key.encode())
        plain = json.dumps(said, ensure_ascii=False).encode()
        notice = {
            "id": secrets.token_hex(18),
            "create_time": local_time(self._world.now()),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": {
                "original_type": kind,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": b64encode(key.encrypt(nonce.encode(), plain, kind.encode())).decode(),
                "associated_data": kind,
                "nonce": nonce,
            },
        }
        return json.dumps(notice, ensure_ascii=False).encode()

    def _paid_fields(self, order: PayOrder, more_fen: int) -> dict[str, Any]:
        return {**order_fields(self._world, order, more_fen), "trade_state": "SUCCESS"}  # as it was, refunds or not

    def _refund_fields(self, refund: PayRefund, more_fen: int) -> dict[str, Any]:
        order = self._world.pay_books.orders[refund.out_trade_no]
        amount = refund.refund_fen + more_fen
        return {
            "mchid": self._world.secrets.wechat_pay_mchid,
            "transaction_id": order.transaction_id,
            "out_trade_no": refund.out_trade_no,
            "refund_id": refund.refund_id,
            "out_refund_no": refund.out_refund_no,
            "refund_status": refund.state,
            "success_time": local_time(refund.success_at or time.time()),
            "user_received_account": "支付用户零钱",
            "amount": {
                "total": refund.total_fen,
                "refund": amount,
                "payer_total": refund.total_fen,
                "payer_refund": amount,
            },
        }


def order_fields(world: World, order: PayOrder, more_fen: int = 0) -> dict[str, Any]:
    """An order as queries and notifications tell it; before payment WeChat leaves half of it out."""
    told: dict[str, Any] = {
        "appid": world.secrets.wechat_appid,
        "mchid": world.secrets.wechat_pay_mchid,
        "out_trade_no": order.out_trade_no,
        "trade_state": world.pay_books.trade_state(order),
        "trade_state_desc": {"SUCCESS": "支付成功", "CLOSED": "订单已关闭"}.get(order.state, "订单未支付"),
        "payer": {"openid": order.openid},
        "amount": {"total": order.amount_fen + more_fen, "currency": "CNY"},
    }
    if order.success_at is not None:
        told |= {
            "transaction_id": order.transaction_id,
            "trade_type": "JSAPI",
            "bank_type": "OTHERS",
            "success_time": local_time(order.success_at),
        }
        told["amount"] |= {"payer_total": order.amount_fen + more_fen, "payer_currency": "CNY"}
    return told
