"""WeChat Pay's server side, simulated: APIv3 in public-key mode, its rules in `pay_books`.

Every request must carry the merchant's signature and every 2xx carries the platform's; an answer that says no is
`{code, message}`, unsigned. Without keys (`pay_keys`) every request is refused.
"""

import ipaddress
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import date, datetime
from gzip import compress
from hashlib import sha1
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from sanic import Request, Sanic
from sanic.response import HTTPResponse

from api.sandbox.pay_books import No, PayOrder, PayRefund, local_time
from api.sandbox.pay_keys import PayKeys
from api.sandbox.pay_notify import SYSTEM_NAME, Notifier, order_fields, signature_headers
from api.sandbox.pay_statement import check_ready, statement
from api.sandbox.world import Reply, System, World, parse

WINDOW: Final = 300  # seconds that a request's timestamp may be off
_FILES_KEPT: Final = 20
_NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*@]{6,32}")
_AUTHORIZATION: Final = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="([^"]*)",nonce_str="([^"]{1,64})",signature="([^"]*)",'
    r'timestamp="([0-9]{1,12})",serial_no="([^"]*)"'
)


def _error(code: str, text: str) -> Reply:
    no = No(code or "SYSTEM_ERROR", text or "系统错误")
    return Reply({"code": no.code, "message": no.message}, no.status)


SYSTEM: Final = System(
    SYSTEM_NAME,
    _error,
    {"out_trade_no": "not-yours", "out_refund_no": "not-yours", "prepay_id": "", "hash_value": "0" * 40},
)


class Pay:
    """The simulated WeChat Pay. `refund_seconds`: from accepting a refund to its success."""

    def __init__(self, world: World, keys: PayKeys | None, notify_host: str | None) -> None:
        self.world = world
        self._notify_host = notify_host
        self.refund_seconds = 1.0
        self.notifier = Notifier(world, keys) if keys else None
        self._keys = keys
        self._files: dict[str, bytes] = {}

    def resume(self) -> None:
        """Go on where the books of an earlier sandbox ended: refunds under way, notifications not taken."""
        books = self.world.pay_books
        for refund in books.refunds.values():
            if refund.state == "PROCESSING":
                self._later(refund)
            elif not refund.told:
                self.tell(refund)
        for order in books.orders.values():
            if order.state == "SUCCESS" and not order.told:
                self.tell(order)

    def tell(self, owed: PayOrder | PayRefund) -> None:
        """Notify the merchant."""
        if self.notifier:
            self.notifier.send(owed)

    async def stop(self) -> None:
        """End what runs beside the calls."""
        if self.notifier:
            await self.notifier.stop()

    # How a call is answered

    async def answer(self, request: Request, call: str, work: Callable[[], Reply]) -> HTTPResponse:
        """Check the merchant's signature, do the work, sign the answer."""

        def checked() -> Reply:
            try:
                self._check_signature(request)
                return work()
            except No as no:
                return Reply({"code": no.code, "message": no.message}, no.status)

        return await self.world.answer(request, SYSTEM, call, checked, sign=self._sign)

    def _sign(self, body: bytes, fault: str | None) -> dict[str, str]:
        if self._keys is None or fault == "unsigned":
            return {}
        signed = body + b" " if fault == "bad-signature" else body
        return signature_headers(self._keys, self.world.secrets.wechat_pay_public_key_id, signed, self.world.now())

    def _check_signature(self, request: Request) -> None:
        found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        accounts = self.world.secrets
        if self._keys is None or found is None:
            raise No("SIGN_ERROR", "签名错误")
        mchid, nonce, signature, timestamp, serial = found.groups()
        if (mchid, serial) != (accounts.wechat_pay_mchid, accounts.wechat_pay_serial):
            raise No("SIGN_ERROR", "商户号或证书序列号不正确")
        # The library signs by the machine's clock, wherever the world's stands
        if abs(time.time() - int(timestamp)) > WINDOW:
            raise No("SIGN_ERROR", "时间戳已过期")
        said = b"\n".join(
            (request.method.encode(), request.raw_url, timestamp.encode(), nonce.encode(), request.body, b"")
        )
        try:
            self._keys.merchant.verify(b64decode(signature, validate=True), said, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            raise No("SIGN_ERROR", "签名错误") from None

    # Orders

    def prepay(self, request: Request) -> Reply:
        """POST /v3/pay/transactions/jsapi."""
        given = _given(request)
        self._check_merchant(given, with_app=True)
        amount, payer = given.get("amount"), given.get("payer")
        openid = payer.get("openid") if isinstance(payer, dict) else None
        if not any(person.openid == openid for person in self.world.people):
            _wrong("payer.openid")
        description = given.get("description")
        if not isinstance(description, str) or not 1 <= len(description) <= 127:
            _wrong("description")
        wanted = PayOrder(
            out_trade_no=_numbered(given, "out_trade_no"),
            prepay_id=f"wx{secrets.token_hex(17)}",
            amount_fen=_fen(amount, "total"),
            description=description,
            openid=str(openid),
            notify_url=self._notify_url(given),
            time_expire=self._expiry(given.get("time_expire")),
            made_at=self.world.now(),
        )
        return Reply({"prepay_id": self.world.pay_books.prepay(wanted).prepay_id})

    def _expiry(self, text: object) -> str:
        try:
            ends = datetime.fromisoformat(str(text))
        except ValueError:
            _wrong("time_expire")
        if ends.tzinfo is None or ends.timestamp() <= self.world.now():
            _wrong("time_expire")
        return str(text)

    def query(self, request: Request, number: str) -> Reply:
        """GET …/out-trade-no/{number}?mchid=."""
        self._check_merchant({"mchid": request.args.get("mchid")})
        return Reply(order_fields(self.world, self.world.pay_books.order(number)))

    def close(self, request: Request, number: str) -> Reply:
        """POST …/out-trade-no/{number}/close."""
        self._check_merchant(_given(request))
        self.world.pay_books.close(number)
        return Reply({}, 204, content=b"")

    def _check_merchant(self, given: dict[str, Any], with_app: bool = False) -> None:
        accounts = self.world.secrets
        if given.get("mchid") != accounts.wechat_pay_mchid:
            raise No("PARAM_ERROR", "商户号不匹配")
        if with_app and given.get("appid") != accounts.wechat_appid:
            raise No("APPID_MCHID_NOT_MATCH", "appid 和 mch_id 不匹配")

    def _notify_url(self, given: dict[str, Any]) -> str:
        """Where to notify: this machine alone, whatever the order says."""
        url = urlsplit(str(given.get("notify_url", "")))
        here = is_here(url.hostname) or url.hostname == self._notify_host
        if url.scheme != "http" or not url.hostname or not here or url.query or len(url.geturl()) > 255:
            _wrong("notify_url")
        return url.geturl()

    # Refunds

    def refund(self, request: Request) -> Reply:
        """POST /v3/refund/domestic/refunds."""
        given = _given(request)
        amount = given.get("amount")
        wanted = PayRefund(
            out_refund_no=_numbered(given, "out_refund_no"),
            refund_id=f"50000{secrets.randbelow(10**23):023d}",
            out_trade_no=_numbered(given, "out_trade_no"),
            refund_fen=_fen(amount, "refund"),
            total_fen=_fen(amount, "total"),
            notify_url=self._notify_url(given),
            made_at=self.world.now(),
        )
        refund, new = self.world.pay_books.refund(wanted)
        if new:
            self._later(refund)
        return Reply(self._refund_fields(refund))

    def query_refund(self, number: str) -> Reply:
        """GET /v3/refund/domestic/refunds/{number}."""
        if number not in self.world.pay_books.refunds:
            raise No("RESOURCE_NOT_EXISTS", "退款单不存在")
        return Reply(self._refund_fields(self.world.pay_books.refunds[number]))

    def _later(self, refund: PayRefund) -> None:
        if self.notifier:
            self.notifier.spawn(self._succeed(refund))

    async def _succeed(self, refund: PayRefund) -> None:
        await self.world.idle(self.refund_seconds)
        if self.world.stopping.is_set():
            return
        refund.state, refund.success_at = "SUCCESS", self.world.now()
        self.world.touched()
        self.tell(refund)

    def _refund_fields(self, refund: PayRefund) -> dict[str, Any]:
        order = self.world.pay_books.orders[refund.out_trade_no]
        told: dict[str, Any] = {
            "refund_id": refund.refund_id,
            "out_refund_no": refund.out_refund_no,
            "transaction_id": order.transaction_id,
            "out_trade_no": refund.out_trade_no,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": local_time(refund.made_at),
            "status": refund.state,
            "funds_account": "AVAILABLE",
            "amount": {
                "total": refund.total_fen,
                "refund": refund.refund_fen,
                "payer_total": refund.total_fen,
                "payer_refund": refund.refund_fen,
                "settlement_refund": refund.refund_fen,
                "settlement_total": refund.total_fen,
                "discount_refund": 0,
                "currency": "CNY",
            },
        }
        return told | ({"success_time": local_time(refund.success_at)} if refund.success_at is not None else {})

    # Statements

    def tradebill(self, request: Request) -> Reply:
        """GET /v3/bill/tradebill?bill_date=&bill_type=ALL&tar_type=GZIP."""
        try:
            day = date.fromisoformat(request.args.get("bill_date", ""))
        except ValueError:
            _wrong("bill_date")
        if request.args.get("bill_type", "ALL") != "ALL" or request.args.get("tar_type") != "GZIP":
            _wrong("bill_type")
        accounts = self.world.secrets
        check_ready(self.world.pay_books, day, self.world.now())
        content = statement(self.world.pay_books, day, accounts.wechat_appid, accounts.wechat_pay_mchid)
        token = secrets.token_urlsafe(32)
        self._files[token] = compress(content)
        while len(self._files) > _FILES_KEPT:
            del self._files[next(iter(self._files))]
        digest = sha1(content, usedforsecurity=False).hexdigest()
        url = f"http://{request.host}/v3/billdownload/file?token={token}"
        return Reply({"hash_type": "SHA1", "hash_value": digest, "download_url": url})

    def file(self, request: Request) -> Reply:
        """GET /v3/billdownload/file?token=."""
        packed = self._files.get(request.args.get("token", ""))
        if packed is None:
            raise No("RESOURCE_NOT_EXISTS", "文件不存在")
        return Reply({}, content_type="application/x-gzip", content=packed)


def add_wechat_pay(app: Sanic[Any, Any], world: World, keys: PayKeys | None, notify_host: str | None) -> Pay:
    """Serve WeChat Pay's paths on `app`."""
    pay = Pay(world, keys, notify_host)

    async def prepay(request: Request) -> HTTPResponse:
        return await pay.answer(request, "prepay", lambda: pay.prepay(request))

    async def query(request: Request, number: str) -> HTTPResponse:
        return await pay.answer(request, "query", lambda: pay.query(request, number))

    async def close(request: Request, number: str) -> HTTPResponse:
        return await pay.answer(request, "close", lambda: pay.close(request, number))

    async def refund(request: Request) -> HTTPResponse:
        return await pay.answer(request, "refund", lambda: pay.refund(request))

    async def query_refund(request: Request, number: str) -> HTTPResponse:
        return await pay.answer(request, "query-refund", lambda: pay.query_refund(number))

    async def tradebill(request: Request) -> HTTPResponse:
        return await pay.answer(request, "statement", lambda: pay.tradebill(request))

    async def file(request: Request) -> HTTPResponse:
        return await pay.answer(request, "statement-file", lambda: pay.file(request))

    orders, refunds = "/v3/pay/transactions/out-trade-no/<number>", "/v3/refund/domestic/refunds"
    app.add_route(prepay, "/v3/pay/transactions/jsapi", methods=["POST"], name="pay-prepay")
    app.add_route(query, orders, methods=["GET"], name="pay-query")
    app.add_route(close, f"{orders}/close", methods=["POST"], name="pay-close")
    app.add_route(refund, refunds, methods=["POST"], name="pay-refund")
    app.add_route(query_refund, f"{refunds}/<number>", methods=["GET"], name="pay-query-refund")
    app.add_route(tradebill, "/v3/bill/tradebill", methods=["GET"], name="pay-tradebill")
    app.add_route(file, "/v3/billdownload/file", methods=["GET"], name="pay-file")
    return pay


def _wrong(field: str) -> NoReturn:
    raise No("PARAM_ERROR", f"参数错误：{field}")


def _given(request: Request) -> dict[str, Any]:
    given = parse(request)
    if given is None:
        raise No("PARAM_ERROR", "请求体不是 JSON")
    return given


def _numbered(given: dict[str, Any], name: str) -> str:
    number = given.get(name)
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        _wrong(name)
    return number


def _fen(amount: object, name: str) -> int:
    fen = amount.get(name) if isinstance(amount, dict) and amount.get("currency", "CNY") == "CNY" else None
    if type(fen) is not int or not 1 <= fen <= 10**9:
        _wrong(f"amount.{name}")
    return fen


def is_here(host: str | None) -> bool:
    """Whether a host is this machine."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
