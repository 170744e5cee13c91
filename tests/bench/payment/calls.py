"""News of WeChat Pay against an empty handler; and a bill made and paid against the upstreams' own time in it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import httpx

from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_books import PayOrder
from api.sandbox.pay_keys import PayKeys
from api.sandbox.pay_notify import Notifier, signature_headers
from api.sandbox.world import World
from models import database
from models.bills import BillData, ItemData
from models.database import transaction
from tests.bench.calls import only
from tests.bench.crowd import Keys, Member, make_crowd
from tests.bench.load import Load, Request
from tests.bench.payment.alone import FEN, Alone
from tests.bench.saying import Say, say_rates, say_times
from tests.bench.servers import Demo

NOTIFYING: Final = 0.06  # of the rate of an empty handler, at least
PAYING: Final = 2.0  # times what the upstreams take alone, at most
_LOOK: Final = 0.001  # seconds between looking whether it is paid
_PATH: Final = "/v1/notify/wechat-pay"
_ITEM: Final = {"code": "C1", "name": "检查费", "category": "检查费", "quantity": "1", "price_fen": FEN}


def measure_paying(demo: Demo, minimum: int, load: Load, pairs: int, count: int, say: Say) -> None:
    """Measure in turn, and say each figure. `minimum`: the port of the empty handler; count: of one measurement."""
    say(f"Payment (medians of {pairs} pairs):")
    told = [_notified(demo, minimum, load, count, first=bool(turn % 2)) for turn in range(pairs)]
    say_rates(say, "notifications", told, NOTIFYING, "of an empty handler")
    say_rates(say, "repeated", [_repeated(demo, minimum, load, count) for _ in range(pairs)], None, "")
    paid = asyncio.run(_paid(demo, pairs * 4))
    say_times(say, "a bill made and paid", paid, PAYING, "the upstreams alone")


def _notified(demo: Demo, minimum: int, load: Load, count: int, *, first: bool) -> tuple[float, float]:
    news = asyncio.run(_news(demo, count))
    if first:
        ours = _rate(load, demo.port, news, 204)
        return ours, _empty(load, minimum, count)
    bare = _empty(load, minimum, count)
    return _rate(load, demo.port, news, 204), bare


def _repeated(demo: Demo, minimum: int, load: Load, count: int) -> tuple[float, float]:
    news = asyncio.run(_news(demo, 1)) * count
    return _rate(load, demo.port, news, 204), _empty(load, minimum, count)


def _empty(load: Load, port: int, count: int) -> float:
    return _rate(load, port, [Request("/empty", {}, "{}")] * (4 * count), 200)


def _rate(load: Load, port: int, asked: list[Request], status: int) -> float:
    return len(asked) / only(load.run(port, asked), status).seconds


async def _news(demo: Demo, count: int) -> list[Request]:
    """Notifications of so many payments that wait for them, each of a bill of its own."""
    assert demo.database, "it is written straight into"
    await database.connect(demo.database)
    try:
        keys = await Keys.load(demo.data)
        (member,) = await make_crowd(keys, 1)
        numbers = [await _waiting(keys, member) for _ in range(count)]
    finally:
        await database.disconnect()
    secrets, pay_keys = SandboxSecrets(), PayKeys.of(demo.data / "wechat-pay")
    notifier = Notifier(World((), secrets, time.time, 7200), pay_keys)
    made, now = [], time.time()
    for number in numbers:
        order = PayOrder(number, "", FEN, "", "openid", "", "", now, "SUCCESS", f"42{number[:26]}", now)
        body = notifier._body(order, more_fen=0)
        headers = signature_headers(pay_keys, secrets.wechat_pay_public_key_id, body, time.time())
        made.append(Request(_PATH, {**headers, "Content-Type": "application/json"}, body.decode()))
    return made


async def _waiting(keys: Keys, member: Member) -> str:
    """A bill whose payment waits for its news: its out_trade_no."""
    bill_id, payment_id = uuid4(), uuid4()
    item = ItemData(uuid4(), "C1", "检查费", "检查费", Decimal(1), FEN, FEN)
    hospital = await database.row("SELECT id FROM hospitals LIMIT 1")
    assert hospital, "the demo has one"
    async with transaction() as tx:
        await database.row(
            "INSERT INTO bills (id, hospital_id, person_id, card_id, resolution_id, status, self_paid, total_fen, fund_fen,"
            " account_fen, hospital_fen, cash_fen, sealed, at)"
            " VALUES ($1, $2, $3, $4, $1, 'settling', true, $5, 0, 0, 0, $5, $6, yima_now()) RETURNING id",
            bill_id,
            hospital["id"],
            member.person_id,
            member.card_id,
            FEN,
            keys.vault.seal(BillData("V1", [item], None), "bills", "sealed", bill_id),
            using=tx,
        )
        await database.row(
            "INSERT INTO payments (id, bill_id, account_id, method, status, amount_fen, out_trade_no, at, expires_at,"
            " cancelled) VALUES ($1, $2, $1, 'wechat', 'pending', $3, $4, yima_now(), $5, false) RETURNING id",
            payment_id,
            bill_id,
            FEN,
            payment_id.hex,
            datetime.now(UTC) + timedelta(hours=1),
            using=tx,
        )
    return payment_id.hex


async def _paid(demo: Demo, count: int) -> list[tuple[float, float]]:
    """(seconds, the upstreams' seconds) of bills of the demo's first person, one after the other."""
    base, sandbox = demo.info["base_url"], demo.info["sandbox_url"]
    async with (
        httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as http,
        httpx.AsyncClient(base_url=sandbox, timeout=30, trust_env=False) as levers,
    ):
        hospital, me, resolution = await _scanned(http, demo)
        path = f"/v1/hospital/resolutions/{resolution}/bills"
        found = []
        watch = await asyncpg.connect(demo.database)
        async with Alone(demo) as alone:
            for number in range(count + 2):
                theirs = await alone.seconds() if number % 2 else 0.0
                began = time.perf_counter()
                await _make_and_pay(http, levers, watch, hospital, me, path, number)
                took = time.perf_counter() - began
                found.append((took, theirs or await alone.seconds()))
        await watch.close()
        return found[2:]


async def _make_and_pay(
    http: httpx.AsyncClient,
    levers: httpx.AsyncClient,
    watch: asyncpg.Connection,
    hospital: Any,
    me: Any,
    path: str,
    number: int,
) -> None:
    asked = {"items": [_ITEM], "visit_number": f"B{number}"}
    bill = (await http.post(path, headers=hospital, json=asked)).raise_for_status().json()
    payments = f"/v1/patient/bills/{bill['bill_id']}/payments"
    payment = (await http.post(payments, headers=me, json={})).raise_for_status().json()
    prepay_id = payment["jsapi"]["package"].removeprefix("prepay_id=")
    (await levers.post("/sandbox/pay", json={"prepay_id": prepay_id, "result": "success"})).raise_for_status()
    for _ in range(10_000):
        if await watch.fetchval("SELECT status FROM bills WHERE id = $1", bill["bill_id"]) == "paid":
            return
        await asyncio.sleep(_LOOK)
    raise RuntimeError("a bill was not paid within ten seconds")


async def _scanned(http: httpx.AsyncClient, demo: Demo) -> tuple[dict[str, str], dict[str, str], UUID]:
    """(hospital's headers, patient's, resolution) of the demo's first person, who holds their card."""
    client = demo.info["hospital"]
    token = await http.post(
        "/v1/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(client["client_id"], client["client_secret"]),
    )
    hospital = {"Authorization": f"Bearer {token.raise_for_status().json()['access_token']}"}
    signed = await http.post("/v1/patient/session", json={"js_code": demo.info["people"][0]["js_code"]})
    me = {"Authorization": f"Bearer {signed.raise_for_status().json()['token']}"}
    card = (await http.get("/v1/patient/cards", headers=me)).raise_for_status().json()["cards"][0]
    code = await http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={})
    scan = {"code": code.raise_for_status().json()["code"], "step": "0101051", "channel": "0100", "terminal": "W01"}
    found = await http.post("/v1/hospital/resolutions", headers=hospital, json=scan)
    return hospital, me, found.raise_for_status().json()["resolution_id"]
