"""Any order of payments, refunds and faults, against the service (machine.py says what, plain.py what must hold).

And that what must hold is seen when it does not: a service that forgets to undo or to give back, and books that differ.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from api.payment.chain import Chain
from models import money_work, registrations
from models.registrations import Registration
from tests.payment import plain
from tests.payment.machine import TIMEOUT_MS, Payments, World
from tests.support.servers import Cluster
from tests.support.service import running_service

LONG = bool(os.environ.get("YIMA_TEST_LONG"))
EXAMPLES = 100 if LONG else 10
STEPS = 60 if LONG else 30

pytestmark = pytest.mark.fault  # at length by `make fault`


@pytest.fixture(scope="module")
async def world(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A service whose time the machine moves."""
    folder = tmp_path_factory.mktemp("machine")
    async with running_service(cluster, folder, upstream_timeout_ms=TIMEOUT_MS) as service:
        yield World(service, asyncio.get_running_loop())


async def test_any_order_of_events(world: World) -> None:
    class Driven(Payments):
        def make_world(self) -> World:
            return world

    chosen = settings(
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
    )
    await asyncio.to_thread(run_state_machine_as_test, Driven, settings=chosen)


# That it is seen


async def forgets_what_is_in_doubt(self: Chain, registration_id: Any) -> Registration:
    """Instead of Chain.clear."""
    return await registrations.registration(registration_id)


async def takes_unknown_for_refused(message_id: Any, outcome: str, code: str = "", **more: Any) -> None:
    """Instead of money_work.ended."""
    await written(message_id, "refused" if outcome == "unknown" else outcome, code, **more)


written = money_work.ended


@pytest.mark.parametrize(
    ("where", "name", "planted"),
    [(Chain, "clear", forgets_what_is_in_doubt), (money_work, "ended", takes_unknown_for_refused)],
)
async def test_a_settlement_that_nobody_undoes_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, planted: Callable[..., Any]
) -> None:
    await world.begin()
    monkeypatch.setattr(where, name, planted)
    bill = await world.till.bill()
    await world.service.fault("insurer", "drop-answer", match={"infno": "2207"})
    await world.till.ask_payment(bill)
    assert any("stands at the insurer for no bill" in one for one in await world.quiet())


async def test_late_money_that_is_not_given_back_is_seen(world: World) -> None:
    await world.begin()
    bill = await world.till.bill()
    payment = await world.till.begin(bill)
    await world.till.cancel(payment)
    (order,) = world.service.world.pay_books.orders.values()
    order.state = "NOTPAY"
    await world.till.thumb(payment)
    for _ in range(100):
        if await world.service.sql("UPDATE money_work SET done_at = at WHERE kind = 'cashback' RETURNING id"):
            break
        await asyncio.sleep(0.02)
    found = await world.faults()
    assert any("refunds that are" in one for one in found)
    assert any("WeChat keeps" in one for one in found)


def change(name: str, **fields: Any) -> Callable[[plain.Books], None]:
    """The first row of a book is otherwise."""
    return lambda books: books[name][0].update(fields)


@pytest.mark.parametrize(
    "differ",
    [
        change("insurer", reversed=True),
        change("insurer", fund_fen=1),
        change("wechat", refunded_fen=1),
        change("wechat", amount_fen=1),
        change("wechat", state="NOTPAY"),
        lambda books: books["insurer"].append({**books["insurer"][0], "setl_id": "S2"}),
        lambda books: books["wechat"].append({**books["wechat"][0], "out_trade_no": "another"}),
        lambda books: books["wechat"].clear(),
    ],
)
async def test_books_that_differ_are_seen(paid: tuple[list[plain.Case], plain.Books], differ: Any) -> None:
    cases, books = paid
    assert plain.faults(cases, books) == []
    other = {name: [dict(one) for one in rows] for name, rows in books.items()}
    differ(other)
    assert plain.faults(cases, other)


@pytest.fixture(scope="module")
async def paid(world: World) -> tuple[list[plain.Case], plain.Books]:
    """One bill that was paid, and the books."""
    await world.begin()
    await world.till.paid()
    return await world.cases(), await world.till.books()
