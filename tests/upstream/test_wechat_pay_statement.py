"""Statements: there from ten o'clock on, from WeChat alone, whole, and the file whose hash it named."""

import gzip
import hashlib
import json
from datetime import date, datetime, timedelta

import pytest

from api.sandbox.pay_notify import signature_headers
from api.upstream.wechat_pay import (
    StatementBroken,
    StatementNotReady,
)
from tests.upstream.outside import START, raw, told
from tests.upstream.shop import CONFIG, KEYS, TODAY, Shop, merchant


async def test_the_statement_is_there_from_ten_on_the_next_day(shop: Shop) -> None:
    await shop.paid()
    await shop.pay.refund("refund-0001", "order-0001", 34, 1234, None)
    await shop.settled("refund-0001")
    with pytest.raises(StatementNotReady, match="STATEMENT_CREATING"):
        await shop.pay.statement(TODAY)
    ten = datetime.fromisoformat(f"{TODAY + timedelta(days=1)}T10:00:00+08:00").timestamp()
    shop.sandbox.clock.at = ten - 1
    with pytest.raises(StatementNotReady):
        await shop.pay.statement(TODAY)
    shop.sandbox.clock.at = ten
    lines = (await shop.pay.statement(TODAY)).decode().split("\r\n")
    rows = [line.removeprefix("`").split(",`") for line in lines[1:3]]
    assert all(len(row) == len(lines[0].split(",")) == 27 for row in rows)
    assert sorted((row[6], row[9], row[15], row[12], row[16]) for row in rows) == [
        ("order-0001", "REFUND", "refund-0001", "0.00", "0.34"),
        ("order-0001", "SUCCESS", "0", "12.34", "0.00"),
    ]
    assert lines[3].startswith("总交易单数,")
    assert lines[4:] == ["`2,`12.34,`0.34,`0.00,`0.00000,`12.34,`0.34", ""]
    with pytest.raises(StatementNotReady, match="NO_STATEMENT_EXIST"):
        await shop.pay.statement(TODAY - timedelta(days=1))


async def test_a_lever_makes_it_ready_now(shop: Shop) -> None:
    await shop.paid()
    answer = await shop.sandbox.levers.post("/sandbox/statements", json={"date": TODAY.isoformat()})
    assert answer.status_code == 204
    assert b"`order-0001" in await shop.pay.statement(TODAY)


FILE = "交易时间\r\n".encode() * 50
SHA1 = hashlib.sha1(FILE).hexdigest()
BROKEN = {
    "another-host": ({"download_url": "https://other.example/v3/billdownload/file?token=x"}, b"", "address"),
    "host-as-prefix": ({"download_url": "{base}.other.example/v3/billdownload/file?token=x"}, b"", "address"),
    "user": ({"download_url": "{base}@other.example/v3/billdownload/file"}, b"", "address"),
    "another-path": ({"download_url": "{base}/v3/certificates"}, b"", "address"),
    "climbing": ({"download_url": "{base}/v3/billdownload/../certificates"}, b"", "address"),
    "relative": ({"download_url": "/v3/billdownload/file?token=x"}, b"", "address"),
    "another-hash": ({"hash_type": "MD5"}, b"", "hash"),
    "changed": ({}, gzip.compress(FILE + b"1"), "hash"),
    "cut": ({}, gzip.compress(FILE)[:-9], "truncated"),
    "empty": ({}, b"", "truncated"),
    "unpacked": ({}, FILE, "not-a-file"),
    "more-behind": ({}, gzip.compress(FILE) + b"x", "not-a-file"),
    "bomb": ({}, gzip.compress(bytes(101 * 1024 * 1024), 1), "too-large"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_statement_that_is_not_the_one_named(name: str) -> None:
    more, packed, reason = BROKEN[name]
    async with told(b"") as other:
        named = {
            "hash_type": "SHA1",
            "hash_value": SHA1,
            "download_url": "{base}/v3/billdownload/file?token=x",
        } | more
        body = json.dumps({key: value.replace("{base}", other.base_url) for key, value in named.items()}).encode()
        headers = signature_headers(KEYS, CONFIG.public_key_id, body, START)
        signed = {key.replace("-", "_"): value for key, value in headers.items()}
        other.answers[:] = [raw(body, **signed), raw(packed, content_type="application/x-gzip")]
        async with merchant(other.base_url) as pay:
            with pytest.raises(StatementBroken) as caught:
                await pay.statement(date(2026, 10, 1))
        assert caught.value.reason == reason
        assert len(other.requests) == (1 if packed == b"" and name != "empty" else 2)
