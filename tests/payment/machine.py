"""The state machine of payment: hospitals, patients, windows, the insurer and WeChat in any order, whatever fails.

After each call the service answered with what api-services.md names; and once nothing is under way, our rows, the
insurer's books and WeChat's agree (plain.py). The clock is the machine's, so that payments expire and refunds may go on.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from models.clients import SCOPES
from tests.payment import plain
from tests.support import crowd
from tests.support.payment import Answer, Till, item
from tests.support.service import Service

TIMEOUT_MS: Final = 350  # of our calls
_LATE_MS: Final = 500  # done when nobody waits for the answer any more
_TABLES: Final = (
    *("money_messages", "money_work", "refund_items", "refunds", "payments", "settlements", "registrations"),
    *("bill_items", "bills", "changes", "messages", "deliveries"),
)
_EMPTY: Final = f"""
ALTER TABLE ledger_entries DISABLE TRIGGER USER; TRUNCATE ledger_entries; ALTER TABLE ledger_entries ENABLE TRIGGER USER;
{";".join(f"DELETE FROM {table}" for table in _TABLES)}
"""
BILLS: Final[dict[str, tuple[list[Answer], bool]]] = {
    "insured": ([item(2500), item(2050, "2")], False),
    "dear": ([item(15000), item(5000)], False),  # its first item alone costs more cash than both
    "no cash": ([item(5000, category="公共卫生")], False),
    "all cash": ([item(900, "1.5", category="特需"), item(333, "0.5")], False),
    "self-paid": ([item(2500), item(2050, "2")], True),
}
# Those that move money more often
INSURER: Final = (
    *("1101", "2201", "2203", "2204", "2205", "2202", "2206"),
    *("2207", "2208", "2601") * 3,
)
WECHAT: Final = ("/jsapi", "out-trade-no", "/close", "/refund/domestic/refunds")
CALLS: Final = ("error", "http-500", "reset", "drop-answer", "hang", "delay")
NOTICES: Final = ("skip", "duplicate", "delay", "reorder", "stale", "forge", "signtest", "wrong-amount")
Fault = tuple[str, str, dict[str, str], Answer]  # upstream, kind, match, and more
FAULTS: Final[list[Fault]] = [
    *(("insurer", kind, {"infno": infno}, {}) for infno in INSURER for kind in CALLS),
    *(("insurer", "lie", {"infno": infno}, {"set": {"psn_cash_pay": "0.01"}}) for infno in ("2206", "2207")),
    *(("wechat-pay", kind, {"path": path}, {}) for path in WECHAT for kind in (*CALLS, "unsigned", "bad-signature")),
    *(("wechat-pay", kind, {"path": "notify"}, {}) for kind in NOTICES),
]
_SAID: Final = frozenset(
    {
        *("bill-not-payable", "bill-changed", "refund-exceeds", "refund-would-charge", "refund-needs-items"),
        *("insurer-refused", "insurer-parts-mismatch", "insurer-unavailable", "payment-unavailable", "amount-invalid"),
        *("card-frozen", "card-revoked"),
    }
)
Result = TypeVar("Result")


class World:
    """Called from the machine's thread; the work is done in the loop that has the connections."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self._loop = loop
        self.ahead = 0.0
        self.trace: list[str] = []

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for what the loop does."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def begin(self) -> None:
        """Empty books, a person and a hospital."""
        service = self.service
        service.world.insurer_books.settlements.clear()
        service.world.pay_books.orders.clear()
        connection = await asyncpg.connect(service.services.settings.database_url)
        await connection.execute(_EMPTY)
        await connection.close()
        self.trace.clear()
        vault, client = service.services.vault, await service.client()
        _, card = await self._holder()
        self.account_id: UUID = await service.value("SELECT account_id FROM cards WHERE id = $1", card["card_id"])
        hospital = crowd.hospital(vault, client.client_id, sum(SCOPES.values()))
        self.till = Till(service, hospital, crowd.patient(vault, self.account_id), card, "")
        await self.scan()

    async def _holder(self) -> tuple[crowd.Headers, Answer]:
        """Whoever is first signed in before the time is over, on a machine that has other things to do."""
        for _ in range(9):
            with suppress(AssertionError):
                return await self.service.holder()
        return await self.service.holder()

    async def scan(self) -> None:
        """A new resolution: the last one is over when time was moved."""
        found = await self.service.resolved(self.till.hospital, await self.service.code(self.till.me, self.till.card))
        self.till.resolution = found["resolution_id"]

    async def move(self, seconds: float) -> None:
        """It is so much later."""
        self.ahead += seconds
        await self.service.move_time(self.ahead)

    async def quiet(self) -> list[str]:
        """Nothing fails any more: what is under way ends, and then everything must agree."""
        await self.service.sandbox.delete("/sandbox/faults")
        await self.move(16 * 60)
        await asyncio.gather(*self.service.world.late, return_exceptions=True)
        for _ in range(60):
            if not await self.service.value("SELECT count(*) FROM money_work WHERE done_at IS NULL"):
                break
            await self.move(61)
            await self.till.hurry()
            await asyncio.sleep(0.02)
        return await self.faults()

    async def faults(self) -> list[str]:
        """Of plain.py, as it is now."""
        return plain.faults(await self.cases(), await self.till.books())

    async def cases(self) -> list[plain.Case]:
        """All bills, with what belongs to them."""
        connection = await asyncpg.connect(self.service.services.settings.database_url)
        try:
            return await plain.cases(connection.fetch)
        finally:
            await connection.close()


class Payments(RuleBasedStateMachine):
    """Everything that can be asked for, and everything that can fail."""

    def make_world(self) -> World:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.world = self.make_world()
        self.run = self.world.run
        self.run(self.world.begin())
        self.trace = self.world.trace
        self.till = self.world.till
        self.bills: list[Answer] = []
        self.paid: list[Answer] = []  # or about to be
        self.payments: list[Answer] = []
        self.waiting: list[Answer] = []  # for the payer
        self.lied = self.frozen = self.moved = False
        self.dice, self.step = Random(0), 0
        while not self.bills:
            self.make_bill()

    def ask(self, what: str, call: Coroutine[Any, Any, httpx.Response]) -> Answer | None:
        """The body of a call that did as asked; what else is said, api-services.md names."""
        answer = self.run(call)
        said = str(answer.status_code) if answer.is_success else str(answer.json()["code"])
        self.trace.append(f"{what}: {said}")
        assert answer.is_success or said in _SAID, f"{said} {answer.text}\n" + "\n".join(self.trace)
        return dict(answer.json()) if answer.is_success else None

    @rule(seed=st.integers(0, 2**32 - 1))
    def happens(self, seed: int) -> None:
        """Mostly what may come next. One rule, and dice: Hypothesis would leave some out, and repeat the others."""
        self.step += 1
        self.dice = Random(seed + self.step)  # the same seed again is something else
        likely = ["fails"] * 5 + [
            "the_worker_works",
            "time_passes",
            "make_bill",
            "pay",
            "news_comes_again",
            "cancel_bill",
        ]
        likely += ["pay", "pay", "pay_at_the_window"] * (len(self.bills) > len(self.paid))
        likely += ["refund"] * (5 if self.paid else 1)
        likely += ["thumb", "thumb", "thumb", "thumb", "cancel", "look"] * bool(self.waiting)
        likely += ["cancel", "thumb"] * bool(self.payments)
        likely += ["all_is_well_again", "it_becomes_quiet", "insurer_says_other_parts"]
        likely += ["freeze_or_unfreeze"] * (5 if self.frozen else 1)
        getattr(self, self.dice.choice(likely))()

    # The hospital

    def make_bill(self) -> None:
        kind = self.dice.choice(list(BILLS))
        if self.moved and not self.frozen:
            self.run(self.world.scan())
            self.moved = False
        if not self.moved and len(self.bills) < 6:
            items, self_paid = BILLS[kind]
            made = self.ask(f"bill {kind}", self.till.ask_bill(items, self_paid=self_paid))
            self.bills += [made] if made else []

    def cancel_bill(self) -> None:
        self.ask("cancel bill", self.till.cancel_bill(self.dice.choice(self.bills)))

    def pay_at_the_window(self) -> None:
        bill = self.run(self.till.look(self._due()))
        wrong = self.dice.random() < 0.1
        if self.ask("window", self.till.at_window(bill, bill["cash_fen"] + wrong)):
            self.paid.append(bill)

    def refund(self) -> None:
        bill = self.dice.choice(self.paid or self.bills)
        first, last = bill["items"][0], bill["items"][-1]
        what: Answer = self.dice.choice(
            [
                {"items": [{"item_id": last["item_id"], "quantity": "1"}]},
                {"items": [{"item_id": last["item_id"], "quantity": "0.5"}]},
                {"items": [{"item_id": first["item_id"], "quantity": first["quantity"]}]},
                {"amount_fen": 700} if bill["self_paid"] else {"all": True},
                {"all": True},
            ]
        )
        self.ask(f"refund {next(iter(what))}", self.till.ask_refund(bill, **what))

    # The patient

    def pay(self) -> None:
        bill = self._due()
        begun = self.ask("pay", self.till.ask_payment(bill))
        if begun and begun["jsapi"]:
            self.payments.append(begun)
            self.waiting.append(begun)
        elif begun and begun["status"] == "succeeded":
            self.paid.append(bill)

    def thumb(self) -> None:
        payment = self.dice.choice(self.waiting or self.payments)
        result = self.dice.choice(["success"] * 5 + ["fail", "cancel"])
        answer = self.run(self.till.thumb(payment, result))
        self.trace.append(f"thumb {result}: {answer.status_code}")
        if result == "success" and payment in self.waiting:
            self.waiting.remove(payment)
            self.paid += [one for one in self.bills if one["bill_id"] == payment["bill_id"]]

    def cancel(self) -> None:
        payment = self.dice.choice(self.payments)
        path = f"/v1/patient/payments/{payment['payment_id']}/cancel"
        self.ask("cancel", self.till.http.post(path, headers=self.till.me, json={}))

    def look(self) -> None:
        self.run(self.till.payment(self.dice.choice(self.payments)))
        self.trace.append("look")

    def freeze_or_unfreeze(self) -> None:
        path = f"/v1/patient/cards/{self.till.card['card_id']}/{'unfreeze' if self.frozen else 'freeze'}"
        self.ask(path.rpartition("/")[2], self.till.http.post(path, headers=self.till.me, json={}))
        self.frozen = not self.frozen

    def _due(self) -> Answer:
        """Mostly a bill that nobody paid."""
        paid = {one["bill_id"] for one in self.paid}
        due = [one for one in self.bills if one["bill_id"] not in paid]
        return self.dice.choice(due if due and self.dice.random() < 0.9 else self.bills)

    # What fails

    def fails(self) -> None:
        self._fault(self.dice.choice(FAULTS), self.dice.choice([1, 1, 1, 2, 3]))

    def _fault(self, fault: Fault, times: int) -> None:
        upstream, kind, match, more = fault
        self.trace.append(f"{upstream} {kind} {next(iter(match.values()))} x{times}")
        given: Answer = {"times": times, "delay_ms": _LATE_MS, "match": match, **more}
        self.run(self.till.service.fault(upstream, kind, **given))

    def insurer_says_other_parts(self) -> None:
        """Once: what it says twice, nobody can tell from the truth."""
        yuan = {"fund_pay_sumamt": "0.00", "acct_pay": "0.00", "hosp_part_amt": "0.00", "psn_cash_pay": "66.00"}
        if not self.lied:
            self.lied = True
            self._fault(("insurer", "lie", {"infno": "2207"}, {"set": yuan}), 1)

    def all_is_well_again(self) -> None:
        self.run(self.till.service.sandbox.delete("/sandbox/faults"))
        self.trace.append("all is well")

    # Time, the worker, and news that comes again

    def time_passes(self) -> None:
        seconds = self.dice.choice([5, 61, 61, 61, 16 * 60])
        self.trace.append(f"{seconds} s pass")
        self.run(self.world.move(seconds))
        self.moved = True

    def the_worker_works(self) -> None:
        self.trace.append("worker")
        self.run(self.till.hurry() if self.dice.random() < 0.8 else self.till.press())

    def news_comes_again(self) -> None:
        books = self.till.service.world.pay_books
        numbers = [("out_trade_no", one) for one in books.orders] + [("out_refund_no", one) for one in books.refunds]
        if numbers:
            name, number = self.dice.choice(numbers)
            answer = self.run(self.till.service.sandbox.post("/sandbox/notify", json={name: number}))
            self.trace.append(f"again {name}: {answer.status_code}")

    # What must hold

    def it_becomes_quiet(self) -> None:
        self.trace.append("quiet")
        self.moved = True
        self.waiting.clear()
        found = self.run(self.world.quiet())
        assert not found, "\n".join([*found, *self.trace])

    def teardown(self) -> None:
        if hasattr(self, "trace"):  # it began
            self.it_becomes_quiet()
