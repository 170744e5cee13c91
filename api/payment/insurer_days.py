"""A hospital's local day at the insurer: its sums by insurance type (3201), and always its rows (9101, 3202, 9102).

Sums alone prove nothing: differences can cancel each other out in them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from api.payment.chain import institution_of
from api.upstream.insurer import Institution
from api.upstream.insurer_books import InsurerDays, Sums
from codes.insurer_files import (
    AMOUNTS_DIFFER,
    CENTRE_HAS_MORE,
    EQUAL,
    HOSPITAL_HAS_MORE,
    Difference,
    RowsInvalid,
    read_differences,
    write_entries,
)
from models.reconciliations import Found, Hospital, Insured, Key

if TYPE_CHECKING:
    from api.services import Upstreams


class Day(NamedTuple):
    """What the insurer has of a hospital's day, and where that is not what we have."""

    theirs: dict[Key, int]
    differences: list[Found]


async def read_hospital(upstreams: "Upstreams", hospital: Hospital, day: date, ours: list[Insured]) -> Day:
    """Compare a hospital's day. Raises Refused, Unsent, Unknown, and FileInvalid for an answer that cannot be."""
    days, inst = upstreams.insurer_days, institution_of(hospital.code, hospital.name, hospital.area)

    def number() -> str:
        return upstreams.insurer.message_id(inst)

    unequal = await _unequal_types(upstreams, inst, day, ours)
    sums, name = sums_of(ours), f"{hospital.code}-{day:%Y%m%d}"
    packed = await asyncio.to_thread(write_entries, f"{name}.txt", [one.entry for one in ours])
    file = await days.upload(inst, f"{name}.zip", packed, msgid=number())
    result = await days.compare(inst, day, sums, file, msgid=number())
    answered = await days.download(inst, result, msgid=number())
    read = read_day(ours, await asyncio.to_thread(read_differences, answered))
    if unequal and not read.differences:  # every row is as they have it, yet counted under another insurance type
        read.differences.extend(
            Found("amount", f"{hospital.code}-{insutype}", total, None) for insutype, total in unequal.items()
        )
    return read


async def _unequal_types(upstreams: "Upstreams", inst: Institution, day: date, ours: list[Insured]) -> dict[str, int]:
    """The insurance types whose sums are not the insurer's, and our totals of them."""
    days: InsurerDays = upstreams.insurer_days
    by_type: dict[str, list[Insured]] = defaultdict(list)
    for one in ours:
        by_type[one.insutype].append(one)
    unequal = {}
    for insutype, entries in sorted(by_type.items()):
        sums = sums_of(entries)
        if not await days.totals(inst, insutype, day, sums, msgid=upstreams.insurer.message_id(inst)):
            unequal[insutype] = sums.total_fen
    return unequal


def sums_of(ours: Iterable[Insured]) -> Sums:
    """Rows summed: settlements, less reversals."""
    rows = [(one.entry.total_fen, one.entry.fund_fen, one.entry.account_fen, one.cash_fen) for one in ours]
    total, fund, account, cash = (sum(column) for column in zip((0, 0, 0, 0), *rows, strict=True))
    return Sums(total, fund, account, cash, len(rows))


def read_day(ours: list[Insured], found: list[Difference]) -> Day:
    """What the insurer's answer makes of our rows. Raises RowsInvalid where it speaks of rows that are not there."""
    known = {(one.entry.refund, one.entry.setl_id): one for one in ours}
    theirs = {key: one.entry.total_fen for key, one in known.items()}
    differences: list[Found] = []
    if len({(entry.refund, entry.setl_id) for entry, *_ in found}) != len(found):
        raise RowsInvalid
    for entry, verdict, _memo in found:
        key = (entry.refund, entry.setl_id)
        if verdict != EQUAL and (key in known) is (verdict == CENTRE_HAS_MORE):
            raise RowsInvalid
        if verdict == CENTRE_HAS_MORE:
            theirs[key] = entry.total_fen
            differences.append(Found("missing-ours", entry.setl_id, None, entry.total_fen))
        elif verdict == HOSPITAL_HAS_MORE:
            differences.append(Found("missing-theirs", entry.setl_id, theirs.pop(key), None))
        elif verdict == AMOUNTS_DIFFER:
            theirs[key] = entry.total_fen
            differences += _amounts(known[key], (entry.total_fen, entry.fund_fen, entry.account_fen), entry.setl_id)
    return Day(theirs, differences)


def _amounts(one: Insured, theirs: tuple[int, int, int], setl_id: str) -> list[Found]:
    """The total that differs; where it does not, the part. Of one that was taken back, only the total was ever known."""
    ours = one.entry.total_fen, one.entry.fund_fen, one.entry.account_fen
    unequal = [(own, other) for own, other in zip(ours, theirs, strict=True) if own != other]
    if not unequal or (one.taken_back and ours[0] == theirs[0]):
        return []
    return [Found("amount", setl_id, *unequal[0])]
