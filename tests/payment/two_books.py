"""The books of both sides on a local day, as each writes its own, and what can be planted in them."""

import secrets
from datetime import date, datetime, time
from typing import Final
from uuid import UUID, uuid4, uuid5

from api.booking.shown import SHANGHAI
from api.sandbox.insurer_books import Reversal, Settlement
from api.sandbox.pay_books import PayOrder, PayRefund
from codes.money import Parts
from tests.support.service import Service

Planted = tuple[str, str, int | None, int | None]  # kind, ref, ours, theirs
PARTS: Final = Parts(4600, 1000, 400, 600)


class Two:
    """The books of both sides on one local day, written as each side writes its own."""

    def __init__(self, service: Service, hospital_id: UUID, code: str, day: date) -> None:
        self.service = service
        self.hospital_id = hospital_id
        self.code = code
        self.day = day
        self.at = datetime.combine(day, time(9), SHANGHAI).timestamp()

    async def enter(self, act: str, ref: str, debit: str, credit: str, fen: int, insutype: str | None = None) -> None:
        await self.service.sql(
            "INSERT INTO ledger_entries (id, bill_id, hospital_id, act, ref, debit, credit, amount_fen, insutype, at, day)"
            " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, yima_now(), $9)",
            *(uuid5(self.hospital_id, ref), self.hospital_id, act, ref, debit, credit, fen, insutype, self.day),
        )

    def ordered(self, fen: int, number: str | None = None) -> str:
        """WeChat's side of a payment."""
        number = number or uuid4().hex
        order = PayOrder(number, f"wx{number}", fen, "门诊缴费", "o-1", "", "", self.at, state="SUCCESS")
        order.transaction_id, order.success_at = "4200001", self.at
        self.service.world.pay_books.orders[number] = order
        return number

    def returned(self, fen: int) -> str:
        """WeChat's side of a refund, of an order of the day before."""
        order = self.ordered(10_000)
        self.service.world.pay_books.orders[order].success_at = self.at - 86_400
        number = uuid4().hex
        refund = PayRefund(number, "5030", order, fen, 10_000, "", self.at, state="SUCCESS", success_at=self.at)
        self.service.world.pay_books.refunds[number] = refund
        return number

    def settled(self, *, reversed_only: bool = False, parts: Parts = PARTS, insutype: str = "310") -> str:
        """The insurer's side of a settlement; or of the reversal of one of the day before."""
        setl_id = f"S{secrets.token_hex(8)}"
        before = self.at - 86_400 * reversed_only
        one = Settlement(self.code, "P1", insutype, "M1", "B1", secrets.token_hex(15), before, parts)
        one.reversal = Reversal(secrets.token_hex(15), self.at) if reversed_only else None
        self.service.world.insurer_books.settlements[setl_id] = one
        return setl_id

    async def pay(self, number: str, fen: int) -> None:
        await self.enter("paid", number, "wechat", "patient", fen)

    async def refund(self, number: str, fen: int) -> None:
        await self.enter("refunded", number, "patient", "wechat", fen)

    async def settle(self, setl_id: str, parts: Parts = PARTS, act: str = "settled") -> None:
        for account, fen in zip(("fund", "account", "hospital", "patient"), parts, strict=True):
            sides = (account, "income") if act == "settled" else ("income", account)
            await self.enter(act, setl_id, *sides, fen, "310")

    async def equal(self) -> None:
        """One of each, as both sides have it; and what is not WeChat's."""
        await self.pay(self.ordered(1234), 1234)
        await self.refund(self.returned(234), 234)
        await self.settle(self.settled())
        await self.settle(self.settled(reversed_only=True), act="reversed")
        await self.enter("paid", uuid4().hex, "window", "patient", 999)
        await self.enter("refunded", uuid4().hex, "patient", "window", 99)


async def plant_at_wechat(two: Two) -> set[Planted]:
    planted: set[Planted] = set()
    for fen in (101, 102):
        lost = two.ordered(fen)
        planted.add(("missing-ours", lost, None, fen))
        only_ours = uuid4().hex
        await two.pay(only_ours, fen)
        planted.add(("missing-theirs", only_ours, fen, None))
    for ours, theirs in ((500, 501), (701, 700)):  # cancel out in the totals
        number = two.ordered(theirs)
        await two.pay(number, ours)
        planted.add(("amount", number, ours, theirs))
    lost, only_ours, other = two.returned(33), uuid4().hex, two.returned(44)
    await two.refund(only_ours, 34)
    await two.refund(other, 45)
    return planted | {
        ("missing-ours", lost, None, 33),
        ("missing-theirs", only_ours, 34, None),
        ("amount", other, 45, 44),
    }


async def plant_at_insurer(two: Two) -> set[Planted]:
    planted: set[Planted] = set()
    less, more = PARTS._replace(fund=PARTS.fund - 1), PARTS._replace(fund=PARTS.fund + 1)
    for theirs in (less, more):  # cancel out in 3201
        setl_id = two.settled(parts=theirs)
        await two.settle(setl_id)
        planted.add(("amount", setl_id, PARTS.total, theirs.total))
    lost, only_ours = two.settled(), f"S{secrets.token_hex(8)}"
    await two.settle(only_ours)  # cancel out, too
    shifted = two.settled(parts=PARTS._replace(fund=PARTS.fund - 7, account=PARTS.account + 7))
    await two.settle(shifted)
    undone, not_undone = two.settled(reversed_only=True), f"S{secrets.token_hex(8)}"
    await two.settle(not_undone, act="reversed")
    both_lost = two.settled()
    two.service.world.insurer_books.settlements[both_lost].reversal = Reversal("m", two.at)
    undone_less = two.settled(reversed_only=True, parts=less)
    await two.settle(undone_less, act="reversed")
    total = PARTS.total
    return planted | {
        ("missing-ours", lost, None, total),
        ("missing-theirs", only_ours, total, None),
        ("amount", shifted, PARTS.fund, PARTS.fund - 7),
        ("missing-ours", undone, None, -total),
        ("missing-theirs", not_undone, -total, None),
        ("missing-ours", both_lost, None, total),
        ("missing-ours", both_lost, None, -total),
        ("amount", undone_less, -total, -less.total),
    }
