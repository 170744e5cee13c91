"""Reconciling a day of 10^5 entries, against reading its statement alone: all but the network between us and WeChat.

The ledger is read from the service's own database, the file unpacked, its hash and its rows checked, both compared,
and the outcome kept.
"""

import asyncio
import gzip
import hashlib
import time
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from api.payment.reconciling import compare_day
from api.sandbox.pay_books import PayBooks, PayOrder
from api.sandbox.pay_statement import statement
from api.upstream.wechat_pay_statement import unpack
from codes.pay_statement import read_statement
from models import database, reconciliations
from models.database import transaction
from tests.bench.saying import Say, say_times
from tests.bench.servers import Demo

ENTRIES: Final = 100_000
DIFFERENCES: Final = 20
RATIO: Final = 5.0  # times reading the statement, at most
_DAY: Final = date(2026, 1, 5)
_COLUMNS: Final = (
    "id",
    "bill_id",
    "hospital_id",
    "act",
    "ref",
    "debit",
    "credit",
    "amount_fen",
    "insutype",
    "at",
    "day",
)


def measure_reconciling(demo: Demo, pairs: int, say: Say) -> None:
    """Measure in turn, and say the figure."""
    assert demo.database, "it is written straight into"
    found = asyncio.run(_measured(demo.database, pairs))
    say(f"Reconciling {ENTRIES:,} entries (medians of {pairs} pairs):")
    say_times(say, "reconcile a day", found, RATIO, "reading its statement alone")


async def _measured(url: str, pairs: int) -> list[tuple[float, float]]:
    numbers = [uuid4().hex for _ in range(ENTRIES)]
    content = _statement(numbers)
    services = _services(content)
    await _enter(url, numbers)
    await database.connect(url)
    try:
        await _reconcile(services)  # warm: connection made, plan prepared
        return [await _pair(services, content, first=bool(number % 2)) for number in range(pairs)]
    finally:
        await database.disconnect()


async def _pair(services: Any, content: bytes, *, first: bool) -> tuple[float, float]:
    """Seconds of reconciling and of reading, in the one or the other order."""
    if first:
        took = await _reconcile(services)
        return took, _read(content)
    reading = _read(content)
    return await _reconcile(services), reading


async def _reconcile(services: Any) -> float:
    began = time.perf_counter()
    compared = await compare_day(services, _DAY, "wechat")
    async with transaction() as tx:
        await reconciliations.keep(compared, uuid4(), using=tx)
    took = time.perf_counter() - began
    assert len(compared.differences) == DIFFERENCES, compared.code
    return took


def _read(content: bytes) -> float:
    began = time.perf_counter()
    read = read_statement(content)
    took = time.perf_counter() - began
    assert len(read.paid) == ENTRIES
    return took


def _statement(numbers: list[str]) -> bytes:
    at = datetime.combine(_DAY, datetime.min.time(), UTC).timestamp() + 3600
    books = PayBooks()
    for fen, number in enumerate(numbers, 100):
        order = PayOrder(number, "", fen, "门诊缴费", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "", "", at, state="SUCCESS")
        order.transaction_id, order.success_at = "4200001234202601051234567890", at
        books.orders[number] = order
    return statement(books, _DAY, "wx0000000000000001", "1900000109")


def _services(content: bytes) -> Any:
    """What comparing needs of a worker, its statement already at hand, packed as it comes."""
    packed, sha1 = gzip.compress(content), hashlib.sha1(content, usedforsecurity=False).hexdigest()

    async def downloaded(_day: date) -> bytes:
        return await asyncio.to_thread(unpack, packed, sha1)

    return SimpleNamespace(upstreams=SimpleNamespace(pay=SimpleNamespace(statement=downloaded)))


async def _enter(url: str, numbers: list[str]) -> None:
    """The same payments in the ledger, the first ones with other amounts."""
    connection = await asyncpg.connect(url)
    at, hospital = datetime.now(UTC) - timedelta(days=1), UUID(int=1)
    try:
        await connection.execute("SET session_replication_role = replica")  # no bills stand behind these entries
        rows = [
            (
                uuid4(),
                uuid4(),
                hospital,
                "paid",
                number,
                "wechat",
                "patient",
                fen + (fen < 100 + DIFFERENCES),
                None,
                at,
                _DAY,
            )
            for fen, number in enumerate(numbers, 100)
        ]
        await connection.copy_records_to_table("ledger_entries", records=rows, columns=_COLUMNS)
        await connection.execute("ANALYZE ledger_entries")  # as autovacuum does, a minute later
    finally:
        await connection.close()
