"""WeChat Pay (APIv3, public-key mode): the only place that knows the library `wechatpayv3`.

The library's traps, each closed here: its asynchronous half has its own enum; its HTTP client exists only inside
its context, so ours is put in its place; its gateway is a constant, set at one seam; a logger would be told every
body, so it gets none; a wrong signature on a 2xx is a plain Exception after the order exists, hence Unknown; it
joins any download address to the gateway, and takes a notification of any age.

How a call ends, besides well: `Refused(code)` (WeChat's own code), `Unsent`, `Unknown` (`api.upstream.outcomes`).
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, TypeVar

import httpx
from wechatpayv3.async_ import AsyncWeChatPay, WeChatPayType
from wechatpayv3.async_.utils import aes_decrypt, rsa_verify

from api.problems import Text
from api.upstream.http import Call, Http, decode
from api.upstream.outcomes import CallEnded, Refused, Unknown
from api.upstream.wechat_pay_statement import unpack
from api.upstream.wechat_pay_types import (
    Envelope,
    Failed,
    Forged,
    Jsapi,
    Notice,
    Order,
    Prepaid,
    Refund,
    RefundAnswer,
    RefundNotice,
    StatementBroken,
    StatementFile,
    StatementNotReady,
    Transaction,
    WeChatPayConfig,
)
from api.upstream.wechat_pay_wire import SIGNATURE_TYPE, Wire, is_download

__all__ = [
    "Forged",
    "Jsapi",
    "Notice",
    "Order",
    "Refund",
    "StatementBroken",
    "StatementNotReady",
    "WeChatPay",
    "WeChatPayConfig",
]

Read = TypeVar("Read")

FRESH_SECONDS: Final = 300
PROBE: Final = "WECHATPAY/SIGNTEST/"
BEIJING: Final = timezone(timedelta(hours=8))
_NUMBER: Final = re.compile(r"[0-9A-Za-z_\-]{6,32}")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,47}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_NONCE: Final = re.compile(r"[\x21-\x7e]{1,64}")
_NAMES: Final = {"ORDERNOTEXIST": "ORDER_NOT_EXIST", "ORDER_PAID": "ORDERPAID", "ORDERCLOSED": "ORDER_CLOSED"}
_NO_ORDER: Final = ("ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS")
_NO_STATEMENT: Final = ("NO_STATEMENT_EXIST", "STATEMENT_CREATING")
_REFUND_EVENTS: Final = {"REFUND.SUCCESS": "SUCCESS", "REFUND.ABNORMAL": "ABNORMAL", "REFUND.CLOSED": "CLOSED"}


class WeChatPay:
    """The merchant's side of WeChat Pay; one in each worker, alive as long as its `Http`."""

    def __init__(self, config: WeChatPayConfig, http: Http) -> None:
        """Raises ValueError for keys or an address that cannot be used."""
        self._config = config
        self._upstream = http.upstream("wechat-pay", Text("微信支付", "WeChat Pay"), config.base_url)
        self._gateway = config.base_url.rstrip("/")
        if httpx.URL(self._gateway).path not in ("", "/"):
            raise ValueError("WeChat Pay's address has no path: it would not be signed")
        self._pay = _library(config, self._gateway, Wire(http, config.public_key_id))
        self._public_key = self._pay._core._public_key

    async def prepay(
        self, out_trade_no: str, amount_fen: int, description: str, openid: str, expires_at: datetime
    ) -> str:
        """Order a payment of the mini-program; its prepay_id. The same order again gives it again.

        Raises Refused: OUT_TRADE_NO_USED (another amount), ORDERPAID, ORDER_CLOSED, …; Unsent, Unknown.
        """
        asking = self._pay.pay(
            description=description,
            out_trade_no=_number(out_trade_no),
            amount={"total": amount_fen, "currency": "CNY"},
            payer={"openid": openid},
            time_expire=expires_at.astimezone(BEIJING).isoformat(timespec="seconds"),
        )
        return await self._ask("prepay", asking, _prepay_id)

    def jsapi(self, prepay_id: str, now: int) -> Jsapi:
        """What the mini-program opens WeChat's pay sheet with. now: Unix seconds."""
        nonce, package = secrets.token_hex(16), f"prepay_id={prepay_id}"
        signature = self._pay.sign([self._config.appid, str(now), nonce, package])
        return Jsapi(self._config.appid, str(now), nonce, package, "RSA", signature)

    async def query(self, out_trade_no: str) -> Order | None:
        """The order as WeChat has it, or None: it never heard of it. Raises Refused, Unsent, Unknown."""

        def read(body: bytes) -> Order:
            return self._order(_decoded(body, Transaction), out_trade_no)

        try:
            return await self._ask("query", self._pay.query(out_trade_no=_number(out_trade_no)), read)
        except Refused as no:
            if no.code in _NO_ORDER:
                return None
            raise

    async def close(self, out_trade_no: str) -> None:
        """Close an order so that nobody can pay it; one that is closed stays so.

        Raises Refused: ORDERPAID (it was paid first), ORDER_NOT_EXIST; Unsent, Unknown.
        """
        try:
            await self._ask("close", self._pay.close(out_trade_no=_number(out_trade_no)), _nothing)
        except Refused as no:
            if no.code != "ORDER_CLOSED":
                raise

    async def refund(
        self, out_refund_no: str, out_trade_no: str, refund_fen: int, total_fen: int, reason: str | None
    ) -> Refund:
        """Give back a part of an order; the same number again is the same refund.

        Raises Refused: FREQUENCY_LIMITED (a minute between two), NOT_ENOUGH, RESOURCE_NOT_EXISTS,
        INVALID_REQUEST, …; Unsent, Unknown.
        """

        def read(body: bytes) -> Refund:
            made = _decoded(body, RefundAnswer)
            if (made.out_trade_no, made.amount.refund, made.amount.total) != (out_trade_no, refund_fen, total_fen):
                raise Unknown("lying")
            return _refund(made, out_refund_no)

        asking = self._pay.refund(
            out_refund_no=_number(out_refund_no),
            out_trade_no=_number(out_trade_no),
            amount={"refund": refund_fen, "total": total_fen, "currency": "CNY"},
            reason=reason,
        )
        return await self._ask("refund", asking, read)

    async def query_refund(self, out_refund_no: str) -> Refund | None:
        """The refund as WeChat has it, or None: it never heard of it. Raises Refused, Unsent, Unknown."""

        def read(body: bytes) -> Refund:
            return _refund(_decoded(body, RefundAnswer), out_refund_no)

        try:
            return await self._ask("query-refund", self._pay.query_refund(_number(out_refund_no)), read)
        except Refused as no:
            if no.code in _NO_ORDER:
                return None
            raise

    async def statement(self, day: date) -> bytes:
        """The statement of a local day, unpacked: UTF-8, yuan. It is there from 10:00 of the next day on.

        Raises StatementNotReady, StatementBroken; Refused, Unsent, Unknown.
        """

        def read(body: bytes) -> StatementFile:
            return _decoded(body, StatementFile)

        try:
            file = await self._ask("statement", self._pay.trade_bill(bill_date=day.isoformat()), read)
        except Refused as no:
            if no.code in _NO_STATEMENT:
                raise StatementNotReady(no.code) from None
            raise
        if file.hash_type != "SHA1":
            raise StatementBroken("hash")
        if not is_download(file.download_url, self._gateway):
            raise StatementBroken("address")
        packed = await self._ask("statement-file", self._pay.download_bill(file.download_url), bytes)
        return await asyncio.to_thread(unpack, packed, file.hash_value)

    def notified(self, headers: Mapping[str, str], raw: bytes, now: float) -> Notice:
        """What a notification says, once it is proven WeChat's, fresh, and ours.

        headers: by lower-case name, or a mapping without regard to case. raw: the body as it came.
        now: Unix seconds. Raises Forged.
        """
        self._prove(headers, raw, now)
        envelope = decode(raw, Envelope)
        if envelope is None or envelope.resource_type != "encrypt-resource":
            raise Forged("shape")
        plain = self._decrypted(envelope)
        if plain is None:
            raise Forged("undecryptable")
        if envelope.event_type == "TRANSACTION.SUCCESS":
            return self._paid(plain)
        if envelope.event_type in _REFUND_EVENTS:
            return self._refunded(plain, _REFUND_EVENTS[envelope.event_type])
        raise Forged("event")

    def _prove(self, headers: Mapping[str, str], raw: bytes, now: float) -> None:
        """Raises Forged unless WeChat signed this, for us, within the last minutes."""
        timestamp, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
        signature, serial = headers.get("wechatpay-signature", ""), headers.get("wechatpay-serial", "")
        if signature.startswith(PROBE):
            raise Forged("probe", probe=True)
        if not (signature and serial and _TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)):
            raise Forged("headers")
        if headers.get("wechatpay-signature-type", SIGNATURE_TYPE) != SIGNATURE_TYPE:
            raise Forged("headers")
        if serial != self._config.public_key_id:
            raise Forged("serial")
        if abs(now - int(timestamp)) > FRESH_SECONDS:
            raise Forged("stale")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Forged("encoding") from None
        if not rsa_verify(timestamp, nonce, text, signature, self._public_key):
            raise Forged("signature")

    def _decrypted(self, envelope: Envelope) -> bytes | None:
        resource = envelope.resource
        if resource.algorithm != "AEAD_AES_256_GCM":
            return None
        try:
            plain = aes_decrypt(
                resource.nonce, resource.ciphertext, resource.associated_data, apiv3_key=self._config.api_v3_key
            )
        except ValueError:  # no base64, no nonce, no UTF-8
            return None
        return plain.encode() if isinstance(plain, str) else None

    def _paid(self, plain: bytes) -> Notice:
        found = decode(plain, Transaction)
        if found is None or found.amount is None or found.trade_state != "SUCCESS" or found.amount.currency != "CNY":
            raise Forged("shape")
        if (found.mchid, found.appid) != (self._config.mchid, self._config.appid):
            raise Forged("merchant")
        if found.transaction_id is None or found.success_time is None:
            raise Forged("shape")
        return Notice(
            kind="paid",
            out_trade_no=found.out_trade_no,
            out_refund_no=None,
            amount_fen=found.amount.total,
            state=found.trade_state,
            success_time=found.success_time,
            transaction_id=found.transaction_id,
        )

    def _refunded(self, plain: bytes, state: str) -> Notice:
        found = decode(plain, RefundNotice)
        if found is None or found.amount.refund is None or found.refund_status != state:
            raise Forged("shape")
        if found.mchid != self._config.mchid:
            raise Forged("merchant")
        return Notice(
            kind="refund",
            out_trade_no=found.out_trade_no,
            out_refund_no=found.out_refund_no,
            amount_fen=found.amount.refund,
            state=found.refund_status,
            success_time=found.success_time,
            transaction_id=found.transaction_id,
        )

    def _order(self, found: Transaction, out_trade_no: str) -> Order:
        ours = (self._config.mchid, self._config.appid, out_trade_no)
        if (found.mchid, found.appid, found.out_trade_no) != ours:
            raise Unknown("lying")
        if found.amount is not None and found.amount.currency != "CNY":
            raise Unknown("lying")
        if found.trade_state in ("SUCCESS", "REFUND") and None in (
            found.amount,
            found.transaction_id,
            found.success_time,
        ):
            raise Unknown("malformed")
        amount = found.amount.total if found.amount else None
        return Order(found.trade_state, amount, found.transaction_id, found.success_time)

    async def _ask(self, name: str, asking: Awaitable[tuple[int, str | bytes]], read: Callable[[bytes], Read]) -> Read:
        """One call, reported once. No exception of the library's, nor of httpx's, stays in the chain."""
        async with self._upstream.calling(name) as call:
            try:
                status, body = await asking
                return read(_accepted(status, body.encode() if isinstance(body, str) else body))
            except CallEnded as known:
                ended = type(known), known.code
            except Exception:  # the library's word for a wrong signature; the order may exist
                ended = Unknown, "signature"
            _note(call, *ended)
        raise ended[0](ended[1])


def _library(config: WeChatPayConfig, gateway: str, wire: Wire) -> Any:
    """The library, with what it has no parameter for put in: the address and the client. Raises ValueError."""
    try:
        made = AsyncWeChatPay(
            wechatpay_type=WeChatPayType.MINIPROG,
            mchid=config.mchid,
            private_key=config.private_key,
            cert_serial_no=config.serial,
            appid=config.appid,
            apiv3_key=config.api_v3_key,
            notify_url=config.notify_url,
            logger=None,
            public_key=config.public_key,
            public_key_id=config.public_key_id,
        )
    except Exception:  # the library's, on a key it cannot read
        made = None
    if made is None or made._core._private_key is None or made._core._public_key is None:
        raise ValueError("the keys for WeChat Pay are PEM files: PKCS #8 of the merchant, the public key of WeChat Pay")
    made._core._gate_way = gateway
    made._core._client = wire
    return made


def _accepted(status: int, body: bytes) -> bytes:
    """The body of a 2xx. Raises Refused or Unknown as status and code have it."""
    if 200 <= status < 300:
        return body
    said = decode(body, Failed)
    code = said.code if said and _CODE.fullmatch(said.code) else ""
    if 400 <= status < 500 and code != "SYSTEM_ERROR":
        if status == 429 and not code:
            code = "FREQUENCY_LIMITED"
        if code:
            raise Refused(_NAMES.get(code, code))
    raise Unknown("redirected" if 300 <= status < 400 else "status")


def _note(call: Call, kind: type[CallEnded], code: str) -> None:
    if kind is Refused:
        call.refused()
    else:
        call.outcome = code


def _number(text: str) -> str:
    """A number of ours that goes into a path. Raises ValueError for any other text."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("a number of an order or a refund has 6 to 32 letters, digits, _ or -")
    return text


def _decoded(body: bytes, kind: type[Read]) -> Read:
    found = decode(body, kind)
    if found is None:
        raise Unknown("malformed")
    return found


def _prepay_id(body: bytes) -> str:
    prepay_id = _decoded(body, Prepaid).prepay_id
    if not re.fullmatch(r"[\x21-\x7e]{1,64}", prepay_id):
        raise Unknown("malformed")
    return prepay_id


def _nothing(_body: bytes) -> None:
    return None


def _refund(found: RefundAnswer, out_refund_no: str) -> Refund:
    if found.out_refund_no != out_refund_no or found.amount.refund is None:
        raise Unknown("lying")
    return Refund(found.status, found.amount.refund, found.success_time)
