"""WeChat Pay over real sockets: orders, refunds, how calls end, and the traps of the library's."""

import base64
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from api.sandbox.pay_notify import signature_headers
from api.services import make_services
from api.settings import SettingsInvalid, read_settings
from api.upstream.outcomes import CallEnded, Refused, Unknown, Unsent
from tests.support.service import settings_for
from tests.upstream.outside import IMPATIENT, ME, START, raw, told
from tests.upstream.shop import CONFIG, KEYS, SOON, Shop, ended, merchant, offline

# Orders


async def test_an_order_is_paid_once_and_known_by_its_number(shop: Shop) -> None:
    assert await shop.pay.query("order-0001") is None
    prepay_id = await shop.ordered()
    assert await shop.ordered() == prepay_id
    before = await shop.pay.query("order-0001")
    assert before is not None
    assert (before.state, before.transaction_id, before.success_time) == ("NOTPAY", None, None)
    assert [await shop.thumb(prepay_id, result) for result in ("cancel", "fail", "success", "success")] == [
        *(204, 204, 204, 409)
    ]
    order = await shop.pay.query("order-0001")
    assert order is not None
    assert order.success_time == datetime.fromtimestamp(START, UTC)
    assert (order.state, order.amount_fen, bool(order.transaction_id)) == ("SUCCESS", 1234, True)
    assert await ended(shop.ordered()) == (Refused, "ORDERPAID")
    assert await ended(shop.pay.close("order-0001")) == (Refused, "ORDERPAID")


async def test_a_number_is_for_one_amount(shop: Shop) -> None:
    await shop.ordered(fen=100)
    assert await ended(shop.ordered(fen=101)) == (Refused, "OUT_TRADE_NO_USED")


async def test_time_expire_closes_nothing_and_close_does(shop: Shop) -> None:
    late, closed = await shop.ordered("order-late"), await shop.ordered("order-closed")
    await shop.pay.close("order-closed")
    await shop.pay.close("order-closed")
    shop.sandbox.clock.at += 3600
    assert await shop.thumb(late) == 204
    assert await shop.thumb(closed) == 409
    found = [await shop.pay.query(number) for number in ("order-late", "order-closed")]
    assert [order and order.state for order in found] == ["SUCCESS", "CLOSED"]
    shop.sandbox.clock.at = START
    assert await ended(shop.ordered("order-closed")) == (Refused, "ORDER_CLOSED")
    assert await ended(shop.pay.close("order-none")) == (Refused, "ORDER_NOT_EXIST")


def test_the_pay_sheet_gets_a_signature_of_the_merchant() -> None:
    given = msgspec.to_builtins(offline().jsapi("wx123", 1_793_000_000))
    assert given.keys() == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (given["timeStamp"], given["package"], given["signType"]) == ("1793000000", "prepay_id=wx123", "RSA")
    said = "".join(f"{given[name]}\n" for name in ("appId", "timeStamp", "nonceStr", "package"))
    KEYS.merchant.verify(base64.b64decode(given["paySign"]), said.encode(), PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    "number", ["", "short", "x" * 33, "../../v3/refund", "order 0001", "order-0001?a", "订单号码一二三"]
)
async def test_a_number_that_would_bend_the_path_is_not_sent(shop: Shop, number: str) -> None:
    for call in (shop.pay.query(number), shop.pay.close(number), shop.pay.query_refund(number)):
        with pytest.raises(ValueError, match="6 to 32"):
            await call
    assert await shop.sandbox.calls("wechat-pay") == []


@pytest.mark.parametrize("url", ["http://pay.example", "https://127.0.0.1/path", "ftp://127.0.0.1"])
def test_an_address_that_cannot_be_signed_or_trusted_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        offline(base_url=url)


@pytest.mark.parametrize("key", ["", "no key", CONFIG.public_key])
def test_a_key_that_cannot_be_used_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="PEM"):
        offline(private_key=key)


@pytest.mark.parametrize("name", ["KEY_FILE", "PUBLIC_KEY_FILE"])
def test_a_start_without_a_key_says_which_setting(name: str, tmp_path: Path) -> None:
    field = f"wechat_pay_{name.lower()}"
    settings = settings_for("", "http://127.0.0.1:1", tmp_path)
    for file, why in ((None, "is not set"), (tmp_path / "none.pem", "cannot be read")):
        with pytest.raises(SettingsInvalid, match=f"YIMA_WECHAT_PAY_{name} {why}"):
            make_services(replace(settings, **{field: file}), bytes(32))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "value"), [("API_V3_KEY", "x" * 31), ("PUBLIC_KEY_ID", "5157F09E")])
def test_a_setting_of_the_wrong_shape_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"YIMA_WECHAT_PAY_{name} ") as caught:
        read_settings({f"YIMA_WECHAT_PAY_{name}": value})
    assert value not in str(caught.value)


# How calls end

ENDS: list[tuple[str, dict[str, Any], tuple[type[CallEnded], str]]] = [
    ("error", {"set": {"code": "PARAM_ERROR", "text": "x"}}, (Refused, "PARAM_ERROR")),
    ("error", {"set": {"code": "FREQUENCY_LIMITED"}}, (Refused, "FREQUENCY_LIMITED")),
    ("error", {"set": {"code": "not a code of theirs"}}, (Unknown, "status")),
    ("error", {}, (Unknown, "status")),
    ("http-500", {}, (Unknown, "status")),
    ("reset", {}, (Unknown, "broken")),
    ("drop-answer", {}, (Unknown, "broken")),
    ("unsigned", {}, (Unknown, "signature")),
    ("bad-signature", {}, (Unknown, "signature")),
]


@pytest.mark.parametrize(("fault", "more", "end"), ENDS)
async def test_every_end_is_told_apart(
    shop: Shop, fault: str, more: dict[str, Any], end: tuple[type[CallEnded], str]
) -> None:
    await shop.fault(fault, **more)
    assert await ended(shop.ordered()) == end
    kind, code = end
    assert shop.heard == [("wechat-pay", "prepay", "refused" if kind is Refused else code)]
    assert bool(await shop.books()) is (fault in ("drop-answer", "unsigned", "bad-signature"))  # the order may exist


@pytest.mark.parametrize("fault", ["hang", "delay"])
async def test_no_answer_in_time_is_unknown(shop: Shop, fault: str) -> None:
    await shop.fault(fault, delay_ms=2000)
    async with merchant(shop.sandbox.base_url, IMPATIENT) as pay:
        assert await ended(pay.query("order-0001")) == (Unknown, "timeout")


async def test_a_closed_port_was_never_reached() -> None:
    async with merchant("http://127.0.0.1:1") as pay:
        assert await ended(pay.prepay("order-0001", 1, "x", ME.openid, SOON)) == (Unsent, "unreachable")


async def test_a_lie_is_no_answer(shop: Shop) -> None:
    await shop.paid()
    for name, value in (("out_trade_no", "order-0002"), ("mchid", "1"), ("appid", "wx1"), ("amount.currency", "USD")):
        await shop.fault("lie", set={name: value})
        assert await ended(shop.pay.query("order-0001")) == (Unknown, "lying")
    await shop.fault("lie", set={"transaction_id": None})
    assert await ended(shop.pay.query("order-0001")) == (Unknown, "malformed")
    for name, number in (("out_refund_no", "refund-0002"), ("out_trade_no", "order-0002"), ("amount.refund", 2)):
        await shop.fault("lie", set={name: number})
        assert await ended(shop.pay.refund("refund-0001", "order-0001", 1, 1234, None)) == (Unknown, "lying")


STRANGE = {
    "redirect": (raw(b"", "302 Found", location="http://127.0.0.1:1/"), (Unknown, "redirected")),
    "too-many": (raw(b"", "429 Too Many Requests"), (Refused, "FREQUENCY_LIMITED")),
    "proxy": (raw(b"<html>", "403 Forbidden", content_type="text/html"), (Unknown, "status")),
    "huge": (raw(b" " * 70_000), (Unknown, "too-large")),
    "no-http": (b"hello\r\n\r\n", (Unknown, "broken")),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_a_strange_answer_has_its_end(name: str) -> None:
    answer, end = STRANGE[name]
    async with told(answer) as other, merchant(other.base_url) as pay:
        assert await ended(pay.query("order-0001")) == end


async def test_an_answer_of_another_key_asks_the_network_for_nothing() -> None:
    """The library would fetch certificates, trusting whatever came."""
    headers = signature_headers(KEYS, "PUB_KEY_ID_0000", b"{}", START)
    async with told(raw(b"{}", **{name.replace("-", "_"): value for name, value in headers.items()})) as other:
        async with merchant(other.base_url) as pay:
            assert await ended(pay.query("order-0001")) == (Unknown, "signature")
        assert len(other.requests) == 1


async def test_the_library_prints_nothing_and_minds_no_proxy(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    caplog.set_level(logging.DEBUG)
    async with merchant(shop.sandbox.base_url, notify_url=shop.receiver.url) as pay:
        prepay_id = await pay.prepay("order-0001", 1234, "门诊缴费", ME.openid, SOON)
    printed = "".join(f"{record.getMessage()}{record.__dict__}" for record in caplog.records)
    assert '"prepay"' in printed or "'prepay'" in printed
    assert not any(secret in printed for secret in (prepay_id, ME.openid, "门诊缴费", "order-0001", "1234"))


# Refunds


async def test_refunds_are_accepted_then_done(shop: Shop) -> None:
    await shop.paid()
    assert await shop.pay.query_refund("refund-0001") is None
    first = await shop.pay.refund("refund-0001", "order-0001", 1000, 1234, "退一项")
    assert (first.state, first.refund_fen, first.success_time) == ("PROCESSING", 1000, None)
    await shop.settled("refund-0001")
    again = await shop.pay.refund("refund-0001", "order-0001", 1000, 1234, "退一项")
    assert (again.state, again.success_time) == ("SUCCESS", datetime.fromtimestamp(START, UTC))
    assert await shop.books() == [
        {"out_trade_no": "order-0001", "amount_fen": 1234, "refunded_fen": 1000, "state": "REFUND"}
    ]
    assert await ended(shop.pay.refund("refund-0002", "order-0001", 1, 1234, None)) == (Refused, "FREQUENCY_LIMITED")
    shop.sandbox.clock.at += 60
    assert await ended(shop.pay.refund("refund-0002", "order-0001", 235, 1234, None)) == (Refused, "INVALID_REQUEST")
    assert (await shop.pay.refund("refund-0002", "order-0001", 234, 1234, None)).state == "PROCESSING"


async def test_refunds_that_wechat_does_not_make(shop: Shop) -> None:
    await shop.paid()
    refund = shop.pay.refund
    assert await ended(refund("refund-0001", "order-none", 1, 1, None)) == (Refused, "RESOURCE_NOT_EXISTS")
    assert await ended(refund("refund-0001", "order-0001", 1, 1235, None)) == (Refused, "INVALID_REQUEST")
    await refund("refund-0001", "order-0001", 1, 1234, None)
    assert await ended(refund("refund-0001", "order-0001", 2, 1234, None)) == (Refused, "INVALID_REQUEST")
    for number in range(2, 51):
        shop.sandbox.clock.at += 60
        await refund(f"refund-{number:04d}", "order-0001", 1, 1234, None)
    shop.sandbox.clock.at += 60
    assert await ended(refund("refund-0051", "order-0001", 1, 1234, None)) == (Refused, "INVALID_REQUEST")
    shop.sandbox.clock.at = START
    await shop.ordered("order-0002")
    assert await ended(refund("refund-9999", "order-0002", 1, 1234, None)) == (Refused, "INVALID_REQUEST")


async def test_a_year_later_nothing_is_given_back(shop: Shop) -> None:
    await shop.paid()
    shop.sandbox.clock.at += 365 * 86_400 + 1
    end = await ended(shop.pay.refund("refund-0001", "order-0001", 1, 1234, None))
    assert end == (Refused, "INVALID_REQUEST")
