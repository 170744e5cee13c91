"""A day at the insurer: sums and rows compared, whatever it answers."""

from dataclasses import dataclass
from datetime import date

import pytest

from api.upstream.insurer import Institution, Insurer, InsurerConfig
from api.upstream.insurer_books import InsurerDays, Sums
from api.upstream.outcomes import Refused, Unknown
from codes.insurer_files import (
    AMOUNTS_DIFFER,
    CENTRE_HAS_MORE,
    HOSPITAL_HAS_MORE,
    Entry,
    read_differences,
    write_entries,
)
from tests.upstream.insured import HOSPITAL, TODAY, Bill, ending, line
from tests.upstream.outside import Clients, clients, raw, told


@dataclass
class Day:
    """What an institution asks about a day."""

    days: InsurerDays
    bill: Bill
    inst: Institution = HOSPITAL

    async def matched(self, sums: Sums, insutype: str = "310", day: date = TODAY) -> bool:
        return await self.days.totals(self.inst, insutype, day, sums, msgid=self.bill.msgid())

    async def compared(self, entries: list[Entry], day: date = TODAY) -> set[tuple[str, bool, str]]:
        sums = Sums(sum(one.total_fen for one in entries), sum(one.fund_fen for one in entries), 0, 0, len(entries))
        packed = write_entries("day.txt", entries)
        sent = await self.days.upload(self.inst, "day.txt.zip", packed, msgid=self.bill.msgid())
        result = await self.days.compare(self.inst, day, sums, sent, msgid=self.bill.msgid())
        content = await self.days.download(self.inst, result, msgid=self.bill.msgid())
        return {(one.entry.setl_id, one.entry.refund, one.verdict) for one in read_differences(content)}


@pytest.fixture
def day(bill: Bill, ours: Clients) -> Day:
    return Day(InsurerDays(ours.insurer), bill)


async def settled_entry(bill: Bill, batch: str) -> Entry:
    await bill.details(line(6600, sn=batch), batch=batch)
    setl_id, parts, _ = await bill.settle(batch=batch)
    return Entry(bill.patient.psn_no, bill.mdtrt_id, setl_id, bill.last, False, 6600, parts.fund, parts.account)


def refund_of(entry: Entry, msgid: str) -> Entry:
    return entry._replace(
        msgid=msgid,
        refund=True,
        total_fen=-entry.total_fen,
        fund_fen=-entry.fund_fen,
        account_fen=-entry.account_fen,
    )


async def test_a_days_sums_match_or_do_not(day: Day) -> None:
    assert await day.matched(Sums(0, 0, 0, 0, 0))
    await settled_entry(day.bill, "B1")
    assert await day.matched(Sums(6600, 4620, 660, 1254, 1))
    assert await day.matched(Sums(0, 0, 0, 0, 0), insutype="390")
    for wrong in (Sums(6601, 4620, 660, 1254, 1), Sums(6600, 4620, 661, 1253, 1), Sums(6600, 4620, 660, 1254, 2)):
        assert not await day.matched(wrong)


async def test_a_reversal_is_a_row_of_its_own_day(day: Day) -> None:
    entry = await settled_entry(day.bill, "B1")
    day.bill.sandbox.clock.at += 86_400
    await day.bill.reverse(entry.setl_id)
    tomorrow = date(2026, 10, 27)
    refund = refund_of(entry, day.bill.last)
    assert await day.matched(Sums(6600, 4620, 660, 1254, 1))
    assert await day.matched(Sums(-6600, -4620, -660, -1254, 1), day=tomorrow)
    assert await day.compared([entry]) == set()
    assert await day.compared([refund], tomorrow) == set()


async def test_a_settlement_undone_by_its_message_is_no_row(day: Day) -> None:
    await settled_entry(day.bill, "B1")
    await day.bill.undo(day.bill.last, "2207")
    assert await day.compared([]) == set()


async def test_each_row_that_differs_is_found_and_no_other(day: Day) -> None:
    same, ours_differs, theirs_alone = [await settled_entry(day.bill, f"B{n}") for n in range(3)]
    ours_alone = same._replace(setl_id="S000000009999")
    found = await day.compared([same, ours_differs._replace(fund_fen=4621), ours_alone])
    assert found == {
        (ours_differs.setl_id, False, AMOUNTS_DIFFER),
        (theirs_alone.setl_id, False, CENTRE_HAS_MORE),
        (ours_alone.setl_id, False, HOSPITAL_HAS_MORE),
    }


async def test_institutions_have_books_of_their_own(day: Day) -> None:
    await settled_entry(day.bill, "B1")
    other = HOSPITAL._replace(code="H43010207777")
    day.inst = day.bill.inst = other
    assert await day.matched(Sums(0, 0, 0, 0, 0))


async def test_a_file_that_is_none_is_refused_or_unusable(day: Day) -> None:
    bill, days = day.bill, day.days
    assert await ending(days.download(HOSPITAL, "fsi/plc/9", msgid=bill.msgid())) is Refused
    sent = await days.upload(HOSPITAL, "day.zip", b"no zip", msgid=bill.msgid())
    assert await ending(days.download(HOSPITAL, sent, msgid=bill.msgid())) is Unknown
    assert await ending(days.compare(HOSPITAL, TODAY, Sums(0, 0, 0, 0, 0), sent, msgid=bill.msgid())) is Refused
    for fault in ("http-500", "reset", "drop-answer"):
        await bill.sandbox.fault("insurer", fault, match={"infno": "9102"}, times=1)
        assert await ending(days.download(HOSPITAL, sent, msgid=bill.msgid())) is Unknown


async def test_a_file_beyond_bounds_is_not_read() -> None:
    big = raw(b"PK" + b"x" * 2000, content_type="application/octet-stream")
    async with told(big) as server, clients(server.base_url) as ours:
        config = InsurerConfig(server.base_url, HOSPITAL.code, HOSPITAL.name, HOSPITAL.area, file_bytes=1000)
        with pytest.raises(Unknown) as ended:
            await InsurerDays(Insurer(config, ours.http)).download(HOSPITAL, "f", msgid="H" * 30)
        assert ended.value.code == "too-large"
