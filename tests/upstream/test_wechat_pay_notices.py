"""Notifications: signed by WeChat, fresh, for us; everything else is forged, and says why."""

import json
from datetime import UTC, datetime

import pytest

from api.upstream.wechat_pay import (
    Forged,
    Notice,
)
from tests.upstream.outside import START
from tests.upstream.shop import Shop, offline, signed


async def test_a_payment_is_told_signed_and_encrypted(shop: Shop) -> None:
    await shop.paid()
    headers, body = (await shop.receiver.got(1))[0]
    assert b"order-0001" not in body
    notice = shop.pay.notified(headers, body, START + 300)
    order = await shop.pay.query("order-0001")
    assert order is not None
    assert notice == Notice(
        "paid", "order-0001", None, 1234, "SUCCESS", datetime.fromtimestamp(START, UTC), order.transaction_id
    )


async def test_a_refund_is_told_when_it_is_done(shop: Shop) -> None:
    await shop.paid()
    await shop.pay.refund("refund-0001", "order-0001", 34, 1234, None)
    notices = [shop.pay.notified(*came, START) for came in await shop.receiver.got(2)]
    told_of = [(n.kind, n.out_trade_no, n.out_refund_no, n.amount_fen, n.state) for n in notices]
    assert told_of == [
        ("paid", "order-0001", None, 1234, "SUCCESS"),
        ("refund", "order-0001", "refund-0001", 34, "SUCCESS"),
    ]


async def test_wechat_tells_until_it_is_heard_and_again_by_lever(shop: Shop) -> None:
    shop.receiver.statuses = [500, 401, 204]
    await shop.paid()
    await shop.receiver.got(3)
    again = {"out_trade_no": "order-0001"}
    assert (await shop.sandbox.levers.post("/sandbox/notify", json=again)).status_code == 204
    came = await shop.receiver.got(4)
    assert len({shop.pay.notified(*one, START) for one in came}) == 1
    unknown = await shop.sandbox.levers.post("/sandbox/notify", json={"out_refund_no": "refund-0001"})
    assert unknown.status_code == 404


FORGED: dict[str, tuple[str, bool]] = {
    "stale": ("stale", False),
    "forge": ("signature", False),
    "signtest": ("probe", True),
}


@pytest.mark.parametrize("fault", FORGED)
async def test_a_notification_out_of_order_is_told_apart_and_the_next_is_good(shop: Shop, fault: str) -> None:
    shop.receiver.statuses = [401, 204]
    await shop.fault(fault, match={"path": "notify"})
    await shop.paid()
    bad, good = await shop.receiver.got(2)
    with pytest.raises(Forged) as caught:
        shop.pay.notified(*bad, START)
    assert (caught.value.reason, caught.value.probe) == FORGED[fault]
    assert shop.pay.notified(*good, START).amount_fen == 1234


async def test_notifications_are_lost_doubled_and_wrong(shop: Shop) -> None:
    await shop.fault("skip", match={"path": "notify"})
    await shop.paid("order-lost")
    await shop.fault("duplicate", match={"path": "notify"})
    await shop.paid("order-twice")
    await shop.receiver.got(2)
    await shop.fault("wrong-amount", match={"path": "notify"})
    await shop.paid("order-wrong")
    notices = [shop.pay.notified(*came, START) for came in await shop.receiver.got(3)]
    assert [(one.out_trade_no, one.amount_fen) for one in notices] == [
        ("order-twice", 1234),
        ("order-twice", 1234),
        ("order-wrong", 1235),
    ]


async def test_notifications_overtake_each_other(shop: Shop) -> None:
    await shop.fault("reorder", match={"path": "notify"}, delay_ms=4000)
    await shop.paid("order-first")
    await shop.paid("order-second")
    numbers = [shop.pay.notified(*came, START).out_trade_no for came in await shop.receiver.got(2)]
    assert numbers == ["order-second", "order-first"]


def changed(headers: dict[str, str], name: str, value: str | None) -> dict[str, str]:
    rest = {key: one for key, one in headers.items() if key != name}
    return rest if value is None else {**rest, name: value}


BAD_HEADERS = [
    *((f"wechatpay-{name}", None, "headers") for name in ("timestamp", "nonce", "signature", "serial")),
    ("wechatpay-timestamp", "soon", "headers"),
    ("wechatpay-timestamp", str(int(START) - 301), "stale"),
    ("wechatpay-timestamp", str(int(START) + 301), "stale"),
    ("wechatpay-timestamp", str(int(START) + 1), "signature"),
    ("wechatpay-nonce", "another", "signature"),
    ("wechatpay-nonce", "\udcff", "headers"),
    ("wechatpay-serial", "PUB_KEY_ID_0000", "serial"),
    ("wechatpay-serial", "5157F09EFDC096DE15EBE81A47057A72", "serial"),
    ("wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3", "headers"),
    ("wechatpay-signature", "AAAA", "signature"),
    ("wechatpay-signature", "签", "signature"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD_HEADERS)
async def test_headers_that_prove_nothing(shop: Shop, name: str, value: str | None, reason: str) -> None:
    await shop.paid()
    headers, body = (await shop.receiver.got(1))[0]
    with pytest.raises(Forged) as caught:
        shop.pay.notified(changed(headers, name, value), body, START)
    assert (caught.value.reason, caught.value.probe) == (reason, False)


ENVELOPE = {"event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource"}
RESOURCE = {"algorithm": "AEAD_AES_256_GCM", "ciphertext": "AAAA", "nonce": "0123456789ab", "associated_data": ""}
BAD_BODIES: list[tuple[bytes, str]] = [
    (b"\xff", "encoding"),
    (b"", "shape"),
    (b"[]", "shape"),
    (b"[" * 100_000, "shape"),
    (json.dumps(ENVELOPE).encode(), "shape"),
    (json.dumps({**ENVELOPE, "resource_type": "x", "resource": RESOURCE}).encode(), "shape"),
    (json.dumps({**ENVELOPE, "resource": {**RESOURCE, "algorithm": "x"}}).encode(), "undecryptable"),
    (json.dumps({**ENVELOPE, "resource": RESOURCE}).encode(), "undecryptable"),
    (json.dumps({**ENVELOPE, "resource": {**RESOURCE, "ciphertext": "A" * 40}}).encode(), "undecryptable"),
    (json.dumps({**ENVELOPE, "resource": {**RESOURCE, "ciphertext": "密"}}).encode(), "undecryptable"),
    (json.dumps({**ENVELOPE, "resource": {**RESOURCE, "nonce": ""}}).encode(), "undecryptable"),
]


@pytest.mark.parametrize(("body", "reason"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_signed_body_of_another_shape(body: bytes, reason: str) -> None:
    with pytest.raises(Forged, match=reason):
        offline().notified(signed(body), body, START)


OTHERS = {"mchid": "1900000009", "appid": "wx0000000000000009", "api_v3_key": "another-key-of-thirty-two-chars-"}


@pytest.mark.parametrize("field", OTHERS)
async def test_a_notification_for_somebody_else(shop: Shop, field: str) -> None:
    await shop.paid()
    headers, body = (await shop.receiver.got(1))[0]
    other = offline(**{field: OTHERS[field]})
    with pytest.raises(Forged, match="undecryptable" if field == "api_v3_key" else "merchant"):
        other.notified(headers, body, START)
