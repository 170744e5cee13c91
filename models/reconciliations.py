"""A local day of the ledger as the other side's books should have it, and the comparisons that were kept.

A settlement or its reversal, an order or its refund is known by its side and its number: (given back, ref).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from codes.insurer_files import Entry
from models.bills import BillData
from models.database import Connection, row, rows
from models.keyset import FAR, LAST
from models.vault import Vault

CHANNELS: Final = ("wechat", "insurer")
Key = tuple[bool, str]  # whether it was given back, and its number
Books = Mapping[Key, int]  # fen


class Sums(NamedTuple):
    """How many payments and refunds, and what they are together (fen)."""

    entries: int
    amount_fen: int
    refund_fen: int


class Found(NamedTuple):
    """A difference. kind: missing-ours (they have it), missing-theirs, amount."""

    kind: str
    ref: str
    ours_fen: int | None
    theirs_fen: int | None


class Compared(NamedTuple):
    """A day's comparison. code: why there is none; then `theirs` is None."""

    day: date
    channel: str
    ours: Sums
    theirs: Sums | None
    differences: list[Found]
    code: str | None = None

    @property
    def status(self) -> str:
        """matched, differs or failed."""
        return "failed" if self.code else "differs" if self.differences else "matched"


class Hospital(NamedTuple):
    """A hospital that has insured bills."""

    hospital_id: UUID
    code: str
    name: str
    area: str


class Insured(NamedTuple):
    """A settlement of the day, or a reversal (its amounts negative).

    taken_back: its parts did not add up and it is in no ledger; then only its total is known.
    """

    hospital_id: UUID
    insutype: str
    entry: Entry
    cash_fen: int
    taken_back: bool


_WECHAT: Final = """
SELECT act = 'refunded' AS back, ref, amount_fen FROM ledger_entries
WHERE day = $1 AND (act = 'paid' AND debit = 'wechat' OR act = 'refunded' AND credit = 'wechat')
"""

_INSURED: Final = """
WITH moved AS (
    SELECT e.hospital_id, e.bill_id, e.act, e.ref, e.insutype, sum(e.amount_fen)::bigint AS total,
        coalesce(sum(e.amount_fen) FILTER (WHERE 'fund' IN (e.debit, e.credit)), 0)::bigint AS fund,
        coalesce(sum(e.amount_fen) FILTER (WHERE 'account' IN (e.debit, e.credit)), 0)::bigint AS account,
        coalesce(sum(e.amount_fen) FILTER (WHERE 'patient' IN (e.debit, e.credit)), 0)::bigint AS cash, false AS taken_back
    FROM ledger_entries e WHERE e.day = $1 AND e.act IN ('settled', 'reversed') AND e.insutype IS NOT NULL
    GROUP BY e.hospital_id, e.bill_id, e.act, e.ref, e.insutype
    UNION ALL
    SELECT b.hospital_id, s.bill_id, w.act, s.setl_id, b.insutype, s.total_fen, 0, 0, s.total_fen, true
    FROM settlements s JOIN bills b ON b.id = s.bill_id,
        LATERAL (VALUES ('settled', s.settled_at), ('reversed', s.reversed_at)) w(act, at)
    WHERE s.taken_back AND (w.at AT TIME ZONE 'Asia/Shanghai')::date = $1
)
SELECT m.*, g.mdtrt_id, y.number, b.sealed FROM moved m LEFT JOIN bills b ON b.id = m.bill_id
    LEFT JOIN settlements s ON s.bill_id = m.bill_id AND s.setl_id = m.ref
    LEFT JOIN registrations g ON g.id = s.registration_id
    LEFT JOIN money_messages y ON y.id = CASE m.act WHEN 'settled' THEN s.settled_by ELSE s.reversed_by END
ORDER BY m.ref, m.act DESC
"""


async def wechat_day(day: date) -> dict[Key, int]:
    """What the ledger has of WeChat on a local day, payments that came late too."""
    return {(back, ref): fen for back, ref, fen in await rows(_WECHAT, day)}


async def insured_day(day: date) -> list[Any]:
    """What the ledger has of the insurer on a local day, as records that `insured` opens."""
    return await rows(_INSURED, day)


def insured(vault: Vault, records: list[Any]) -> list[Insured]:
    """The records of `insured_day`, opened; work for a thread where they are many. Raises SealBroken."""
    return [_insured(vault, one) for one in records]


def _insured(vault: Vault, record: Any) -> Insured:
    back, who = record["act"] == "reversed", None
    if record["sealed"] is not None:
        who = vault.open_as(BillData, record["sealed"], "bills", "sealed", record["bill_id"]).insured
    sign = -1 if back else 1
    entry = Entry(
        who.psn_no if who else "",
        record["mdtrt_id"] or "",
        record["ref"],
        record["number"] or "",
        back,
        sign * record["total"],
        sign * record["fund"],
        sign * record["account"],
    )
    return Insured(record["hospital_id"], record["insutype"], entry, sign * record["cash"], record["taken_back"])


async def insured_hospitals(entered: set[UUID]) -> list[Hospital]:
    """Every hospital whose patients the insurer settles for, and those with entries, by code."""
    found = await rows(
        "SELECT h.id, h.code, h.name, h.area FROM hospitals h"
        " WHERE EXISTS (SELECT 1 FROM bills b WHERE b.hospital_id = h.id AND b.insutype IS NOT NULL)"
        " OR h.id = ANY($1) ORDER BY h.code",
        list(entered),
    )
    return [Hospital(*one) for one in found]


async def due(day: date, channel: str, since: datetime, again: float) -> bool:
    """Whether a day is to be compared: nobody did from `since` on, and no own try failed in the last `again` seconds.

    Before the first bill there is nothing to compare.
    """
    found = await row(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM bills WHERE at < ($1::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')"
        " AND NOT EXISTS (SELECT 1 FROM reconciliations WHERE date = $1 AND channel = $2 AND (status <> 'failed' AND at >= $3"
        " OR asked_by IS NULL AND at > yima_now() - make_interval(secs => $4)))",
        day,
        channel,
        since,
        again,
    )
    return found is not None


async def keep(compared: Compared, asked_by: UUID | None, *, using: Connection) -> UUID | None:
    """Keep a comparison with its differences; None if nobody asked for it and another worker kept that day's before."""
    theirs = compared.theirs or (None, None, None)
    made = await row(
        "INSERT INTO reconciliations (id, date, channel, status, code, ours_count, ours_fen, ours_refund_fen, theirs_count,"
        " theirs_fen, theirs_refund_fen, asked_by, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, yima_now())"
        " ON CONFLICT (date, channel) WHERE asked_by IS NULL AND status <> 'failed' DO NOTHING RETURNING id",
        uuid4(),
        compared.day,
        compared.channel,
        compared.status,
        compared.code,
        *compared.ours,
        *theirs,
        asked_by,
        using=using,
    )
    if made is None:
        return None
    columns = [list(column) for column in zip(*compared.differences, strict=True)]
    if columns:
        await rows(
            "INSERT INTO differences (id, reconciliation_id, position, kind, ref, ours_fen, theirs_fen)"
            " SELECT gen_random_uuid(), $1, d.n, d.kind, d.ref, d.ours, d.theirs"
            " FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) WITH ORDINALITY d(kind, ref, ours, theirs, n)",
            made["id"],
            *columns,
            using=using,
        )
    reconciliation_id: UUID = made["id"]
    return reconciliation_id


async def reconciliation(reconciliation_id: UUID, *, using: Connection | None = None) -> Any | None:
    """One comparison, or None."""
    return await row("SELECT * FROM reconciliations WHERE id = $1", reconciliation_id, using=using)


async def listed(day: date | None, channel: str | None, after: tuple[datetime, UUID] | None, limit: int) -> list[Any]:
    """Comparisons (of a day, of a channel), newest first, keyset."""
    return await rows(
        "SELECT * FROM reconciliations WHERE ($1::date IS NULL OR date = $1) AND ($2::text IS NULL OR channel = $2)"
        " AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT $5",
        day,
        channel,
        *(after or (FAR, LAST)),
        limit,
    )


async def differences(of: list[UUID], most: int | None = None, *, using: Connection | None = None) -> list[Any]:
    """The differences of these comparisons in their order; the first `most` of each."""
    return await rows(
        "SELECT * FROM differences WHERE reconciliation_id = ANY($1) AND position <= coalesce($2, position)"
        " ORDER BY reconciliation_id, position",
        of,
        most,
        using=using,
    )


async def explain(difference_id: UUID, admin_id: UUID, explanation: str, *, using: Connection) -> Any | None:
    """Write why a difference is there, over what was written before; the difference, or None."""
    return await row(
        "UPDATE differences SET explanation = $3, explained_by = $2, explained_at = yima_now() WHERE id = $1 RETURNING *",
        difference_id,
        admin_id,
        explanation,
        using=using,
    )
