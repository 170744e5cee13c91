"""What must agree about money when nothing is under way: our rows, the insurer's books and WeChat's; every fault, told.

Read from outside: the tables as they are, and the books of the sandbox (GET /sandbox/books). No code of the product.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

Books = dict[str, list[dict[str, Any]]]
Fetch = Callable[[str], Awaitable[list[Any]]]
PARTS: Final = ("fund_fen", "account_fen", "hospital_fen", "cash_fen")
PAID: Final = ("paid", "partly-refunded", "refunded")
QUIET: Final = (*PAID, "due", "cancelled")
UNSEEN: Final = ("making", "failed")
# A row a bill, and rows of bills: together a Case each.
_BILLS: Final = (
    "SELECT b.id AS bill_id, b.status, b.self_paid, b.total_fen, b.fund_fen, b.account_fen, b.hospital_fen, b.cash_fen,"
    " g.setl_id FROM bills b LEFT JOIN registrations g ON g.id = b.registration_id ORDER BY b.at"
)
_OF_BILLS: Final = {
    "payments": "SELECT bill_id, method, status, amount_fen, out_trade_no, prepay IS NOT NULL AS known FROM payments",
    "refunds": "SELECT bill_id, kind, status, total_fen, fund_fen, account_fen, hospital_fen, cash_fen FROM refunds",
    "entries": "SELECT bill_id, act, debit, credit, amount_fen FROM ledger_entries",
    "changes": "SELECT ref AS bill_id, kind FROM changes WHERE kind IN ('paid', 'refunded')",
    "works": "SELECT bill_id, kind, step FROM money_work WHERE done_at IS NULL",
    "doubts": "SELECT bill_id, call FROM money_messages WHERE call IN ('2207', '2208')"
    " AND (outcome IS NULL OR outcome = 'unknown')",
}


@dataclass
class Case:
    """A bill with all that belongs to it."""

    bill: Any
    payments: list[Any] = field(default_factory=list)
    refunds: list[Any] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)
    works: list[Any] = field(default_factory=list)
    doubts: list[Any] = field(default_factory=list)

    @property
    def paid(self) -> bool:
        """Whether it was paid, whatever went back."""
        return self.bill["status"] in PAID

    @property
    def method(self) -> str:
        """How."""
        return next((one["method"] for one in self.payments if one["status"] == "succeeded"), "nothing")

    @property
    def stands(self) -> dict[str, int]:
        """What of each part is not given back; nothing of a bill that is not paid."""
        given = [one for one in self.refunds if (one["kind"] != "late") and one["status"] == "succeeded"]
        return {part: (self.bill[part] - sum(one[part] for one in given)) if self.paid else 0 for part in PARTS}

    @property
    def balances(self) -> dict[str, int]:
        """Debit less credit, of accounts where that is not 0."""
        sums: dict[str, int] = defaultdict(int)
        for entry in self.entries:
            sums[entry["debit"]] += entry["amount_fen"]
            sums[entry["credit"]] -= entry["amount_fen"]
        return {account: fen for account, fen in sums.items() if fen}


async def cases(fetch: Fetch) -> list[Case]:
    """All bills there are."""
    found = {one["bill_id"]: Case(one) for one in await fetch(_BILLS)}
    for name, statement in _OF_BILLS.items():
        for one in await fetch(statement):
            getattr(found[one["bill_id"]], name).append(one)
    return list(found.values())


def faults(all_cases: list[Case], books: Books) -> list[str]:
    """Every fault there is."""
    orders = {one["out_trade_no"]: one for one in books["wechat"]}
    seen = [case for case in all_cases if case.bill["status"] not in UNSEEN]
    found = [f"{case.bill['bill_id']}: {text}" for case in all_cases for text in _unfinished(case)]
    for case in seen:
        told = (*_row(case), *_ledger(case), *_news(case), *_wechat(case, orders))
        found += [f"{case.bill['bill_id']} ({case.bill['status']}): {text}" for text in told]
    ours = {one["out_trade_no"] for case in all_cases for one in case.payments}
    found += [f"an order of no payment: {number}" for number in orders.keys() - ours]
    return found + list(_insurer(seen, books))


def _unfinished(case: Case) -> Iterator[str]:
    """Something hangs."""
    if case.works or case.doubts:
        yield f"under way for ever: {[tuple(one)[1:] for one in (*case.works, *case.doubts)]}"
    if case.bill["status"] not in (*QUIET, "failed"):
        yield f"is {case.bill['status']}"
    if case.bill["status"] == "failed" and (case.payments or case.entries):
        yield "was never made, and has payments or entries"
    if stuck := [one["status"] for one in case.refunds if one["status"] not in ("succeeded", "failed")]:
        yield f"refunds that are {stuck}"
    if stuck := [one["status"] for one in case.payments if one["status"] not in ("succeeded", "closed")]:
        yield f"payments that are {stuck}"


def _row(case: Case) -> Iterator[str]:
    """The status says what payments and refunds make of it."""
    if sum(one["status"] == "succeeded" for one in case.payments) != case.paid:
        yield f"payments {[one['status'] for one in case.payments]}"
    left = sum(case.stands.values())
    expected = "refunded" if not left else "paid" if left == case.bill["total_fen"] else "partly-refunded"
    if case.paid and (left < 0 or case.bill["status"] != expected):
        yield f"{left} fen are left, so it is {expected}"


def _ledger(case: Case) -> Iterator[str]:
    """The entries say what the row says; cash came and goes back by one way."""
    names = ("fund", "account", "hospital", case.method)
    expected = dict(zip(names, case.stands.values(), strict=True)) | {"income": -sum(case.stands.values())}
    if case.balances != {account: fen for account, fen in expected.items() if fen}:
        yield f"the ledger says {case.balances}, the row {expected}"


def _news(case: Case) -> Iterator[str]:
    """A hospital's system was told once of each thing."""
    given = sum(one["status"] == "succeeded" for one in case.refunds)
    told = Counter(one["kind"] for one in case.changes)
    if (told["paid"], told["refunded"]) != (int(case.paid), given):
        yield f"told {dict(told)}, with {given} refunds"


def _wechat(case: Case, orders: dict[str, Any]) -> Iterator[str]:
    """WeChat keeps the cash that stands, of one order, and of no other anything; none can still be paid."""
    for one in case.payments:
        order = orders.get(one["out_trade_no"])
        kept = 0 if order is None or order["state"] in ("NOTPAY", "CLOSED") else order["amount_fen"]
        net = kept - (order["refunded_fen"] if order else 0)
        mine = one["status"] == "succeeded" and one["method"] == "wechat"
        if net != (case.stands["cash_fen"] if mine else 0):
            yield f"WeChat keeps {net} fen of a payment that is {one['status']}, and {case.stands} stands"
        if order and one["known"] and order["state"] == "NOTPAY":
            yield f"an order can still be paid, and its payment is {one['status']}"


def _insurer(seen: list[Case], books: Books) -> Iterator[str]:
    """At the insurer stands what stands of paid bills, by its parts, and nothing else."""
    standing = {one["setl_id"]: {part: one[part] for part in PARTS} for one in books["insurer"] if not one["reversed"]}
    for case in seen:
        name, setl_id = f"{case.bill['bill_id']} ({case.bill['status']})", case.bill["setl_id"]
        settled = standing.pop(setl_id, None)
        if case.bill["self_paid"] or not any(case.stands.values()):
            if setl_id is not None or settled is not None:
                yield f"{name}: a settlement stands"
        elif settled != case.stands:
            yield f"{name}: at the insurer stands {settled}, here {case.stands}"
    yield from (f"stands at the insurer for no bill: {setl_id} {parts}" for setl_id, parts in standing.items())


async def faults_at(database_url: str, books: Books) -> list[str]:
    """Every fault of a database and the books beside it."""
    connection = await asyncpg.connect(database_url)
    try:
        return faults(await cases(connection.fetch), books)
    finally:
        await connection.close()
