"""The simulated WeChat Pay keeps to itself: who may call it, whom it calls, and what it remembers."""

from pathlib import Path

import pytest

from api.upstream.outcomes import Refused
from tests.upstream.outside import ME, START, running_sandbox
from tests.upstream.shop import KEYS, SOON, Receiver, Shop, ended, merchant, until


async def test_the_sandbox_takes_nothing_that_the_merchant_did_not_sign(shop: Shop) -> None:
    unsigned = await shop.sandbox.levers.post("/v3/pay/transactions/jsapi", json={})
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "SIGN_ERROR")
    for wrong in ({"mchid": "1"}, {"serial": "1"}):
        async with merchant(shop.sandbox.base_url, **wrong) as pay:
            assert await ended(pay.query("order-0001")) == (Refused, "SIGN_ERROR")


@pytest.mark.parametrize("url", ["http://example.org/n", "https://127.0.0.1/n", "http://10.0.0.1/n", "http://[::2]/n"])
async def test_the_sandbox_notifies_this_machine_alone(shop: Shop, url: str) -> None:
    async with merchant(shop.sandbox.base_url, notify_url=url) as pay:
        assert await ended(pay.prepay("order-0001", 1, "x", ME.openid, SOON)) == (Refused, "PARAM_ERROR")


async def test_the_page_of_the_demo_may_press_the_thumb(shop: Shop) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for origin, allowed in (("http://127.0.0.1:8000", True), ("https://other.example", False)):
        for method in ("OPTIONS", "POST"):
            answer = await shop.sandbox.levers.request(method, "/sandbox/pay", headers={"Origin": origin, **ask})
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    assert await shop.thumb("wx-unknown") == 404


async def test_books_survive_a_restart_and_go_on(receiver: Receiver, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    receiver.statuses = [500]
    async with running_sandbox(pay_keys=KEYS, state=state) as sandbox:
        pay_side = sandbox.app.ctx.pay
        pay_side.refund_seconds = 60
        async with merchant(sandbox.base_url, notify_url=receiver.url) as pay:
            first = Shop(pay, sandbox, receiver, [])
            await first.paid()
            await pay.refund("refund-0001", "order-0001", 34, 1234, None)
            before = await first.books()
            await until(lambda: state.exists() and b"refund-0001" in state.read_bytes())
        await pay_side.stop()
    assert state.stat().st_mode & 0o077 == 0
    receiver.statuses, receiver.came = [204], []
    async with running_sandbox(pay_keys=KEYS, state=state) as sandbox:
        sandbox.app.ctx.pay.refund_seconds = 0.01
        async with merchant(sandbox.base_url, notify_url=receiver.url) as pay:
            assert await Shop(pay, sandbox, receiver, []).books() == before
            sandbox.app.ctx.pay.resume()
            kinds = {pay.notified(*came, START).kind for came in await receiver.got(2)}
            assert kinds == {"paid", "refund"}
        await sandbox.app.ctx.pay.stop()
