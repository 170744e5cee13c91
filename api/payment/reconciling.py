"""A local day of the ledger compared with WeChat's statement and with the insurer's books.

Differences are listed and nothing corrects itself. A comparison that cannot be made says why, with our side's sums.
"""

import asyncio
import logging
import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.booking.shown import SHANGHAI
from api.leased import Leased
from api.payment.insurer_days import Day, read_hospital
from api.upstream.outcomes import CallEnded
from api.upstream.wechat_pay_types import StatementBroken, StatementNotReady
from codes.insurer_files import FileInvalid
from codes.pay_statement import StatementMalformed, read_statement
from models import reconciliations
from models.database import transaction
from models.reconciliations import CHANNELS, Books, Compared, Found, Hospital, Insured, Key, Sums

if TYPE_CHECKING:
    from api.services import Services

READY_AT: Final = time(10, 0)  # of the day after: WeChat's statement is there
_AT: Final = time(10, 30)
_AGAIN: Final = 600.0  # seconds after a try that failed
_AT_ONCE: Final = 4  # hospitals
_REF: Final = re.compile(r"[!-~]{1,64}")
_NO_STATEMENT: Final = "NO_STATEMENT_EXIST"
_log = logging.getLogger("yima.payment")


class BooksUnreadable(Exception):
    """The other side's books did not come, or not whole. `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def compare_day(services: "Services", day: date, channel: str) -> Compared:
    """The comparison of a local day with a channel's books; not kept yet."""
    return await (_compare_wechat if channel == "wechat" else _compare_insurer)(services, day)


def sums_of(books: Books) -> Sums:
    """How many, what was paid, and what was given back, which is never below nothing."""
    paid = sum(fen for (back, _), fen in books.items() if not back)
    return Sums(len(books), paid, sum(abs(fen) for (back, _), fen in books.items() if back))


def differences_of(ours: Books, theirs: Books) -> list[Found]:
    """What only one side has, or both have with other amounts, by number. Raises BooksUnreadable for no number."""
    found = [Found("missing-theirs", key[1], ours[key], None) for key in ours.keys() - theirs.keys()]
    found += [Found("missing-ours", key[1], None, theirs[key]) for key in theirs.keys() - ours.keys()]
    found += [Found("amount", key[1], fen, theirs[key]) for key, fen in ours.items() if theirs.get(key, fen) != fen]
    return in_order(found)


def in_order(found: list[Found]) -> list[Found]:
    """By number. Raises BooksUnreadable for a number that is none."""
    if not all(_REF.fullmatch(one.ref) for one in found):
        raise BooksUnreadable("statement-broken")
    return sorted(found, key=lambda one: (one.ref, one.kind, one.ours_fen or 0, one.theirs_fen or 0))


async def _compare_wechat(services: "Services", day: date) -> Compared:
    ours = await reconciliations.wechat_day(day)
    try:
        content = await _statement(services, day)
        theirs, found = await asyncio.to_thread(_read_wechat, content, ours)
    except BooksUnreadable as unreadable:
        return Compared(day, "wechat", sums_of(ours), None, [], unreadable.code)
    return Compared(day, "wechat", sums_of(ours), theirs, found)


async def _statement(services: "Services", day: date) -> bytes | None:
    """WeChat's statement; None where the day had neither payment nor refund, which WeChat says by having none."""
    try:
        return await services.upstreams.pay.statement(day)
    except StatementNotReady as no:
        due = datetime.combine(day + timedelta(days=1), READY_AT, SHANGHAI)
        if no.code == _NO_STATEMENT and services.clock.today() >= due:
            return None
        raise BooksUnreadable("statement-not-ready") from None
    except StatementBroken:
        raise BooksUnreadable("statement-broken") from None
    except CallEnded:
        raise BooksUnreadable("payment-unavailable") from None


def _read_wechat(content: bytes | None, ours: Books) -> tuple[Sums, list[Found]]:
    """Work for a thread: 10^5 rows take half a second."""
    theirs: dict[Key, int] = {}
    if content is not None:
        try:
            read = read_statement(content)
        except StatementMalformed:
            raise BooksUnreadable("statement-broken") from None
        theirs = {(False, one.out_trade_no): one.fen for one in read.paid}
        theirs |= {(True, one.out_refund_no): one.fen for one in read.refunded}
    return sums_of(theirs), differences_of(ours, theirs)


async def _compare_insurer(services: "Services", day: date) -> Compared:
    records = await reconciliations.insured_day(day)
    entries = await asyncio.to_thread(reconciliations.insured, services.vault, records)
    ours = {(one.entry.refund, one.entry.setl_id): one.entry.total_fen for one in entries}
    by_hospital: dict[UUID, list[Insured]] = {}
    for entry in entries:
        by_hospital.setdefault(entry.hospital_id, []).append(entry)
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(hospital: Hospital) -> Day:
        async with room:
            return await read_hospital(services.upstreams, hospital, day, by_hospital.get(hospital.hospital_id, []))

    hospitals = await reconciliations.insured_hospitals(set(by_hospital))
    tasks = [asyncio.create_task(one(hospital)) for hospital in hospitals]
    try:
        days = await asyncio.gather(*tasks)
        theirs = {key: fen for read in days for key, fen in read.theirs.items()}
        found = in_order([difference for read in days for difference in read.differences])
    except (CallEnded, FileInvalid, BooksUnreadable) as ended:
        code = "insurer-unavailable" if isinstance(ended, CallEnded) else "statement-broken"
        return Compared(day, "insurer", sums_of(ours), None, [], code)
    finally:
        for task in tasks:
            task.cancel()
    return Compared(day, "insurer", sums_of(ours), sums_of(theirs), found)


def tell(services: "Services", compared: Compared) -> None:
    """Count how a comparison ended; what the ledger lacks, and what could not be compared, is also logged."""
    services.metrics.reconciliation(compared.channel, compared.status)
    for kind in ("missing-ours", "missing-theirs", "amount"):
        if count := sum(one.kind == kind for one in compared.differences):
            services.metrics.differences(compared.channel, kind, count)
    if compared.status == "failed":
        _log.warning("reconciliation failed", extra={"job": compared.channel, "error": compared.code})
    if any(one.kind == "missing-ours" for one in compared.differences):
        _log.warning("reconciliation: their books have what the ledger lacks", extra={"job": compared.channel})


class Reconciler(Leased):
    """Compares yesterday at 10:30, or as soon as there is a worker after it; a try that failed, again until midnight."""

    lease = "reconciliation"
    pause = 30.0

    async def turn(self, services: "Services") -> None:
        """Each channel by itself: one that cannot be compared holds up no other."""
        now = services.clock.today().astimezone(SHANGHAI)
        since = datetime.combine(now.date(), _AT, SHANGHAI)
        if now < since:
            return
        yesterday = now.date() - timedelta(days=1)
        for channel in CHANNELS:
            try:
                if await reconciliations.due(yesterday, channel, since, _AGAIN):
                    await _keep_own(services, yesterday, channel)
            except Exception as error:
                _log.warning("a day was not compared", extra={"job": channel, "error": type(error).__name__})


async def _keep_own(services: "Services", day: date, channel: str) -> UUID | None:
    compared = await compare_day(services, day, channel)
    async with transaction() as tx:
        kept = await reconciliations.keep(compared, None, using=tx)
    if kept is not None:
        tell(services, compared)
    return kept
