"""Bills: made, found and opened; what of them is sealed, and what their readers see."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from codes.money import Parts
from models.cards import FIELDS, CardRow, check_row, open_card
from models.database import Connection, row, rows
from models.keyset import FAR, LAST
from models.money_work import HoldLost, Work
from models.own_records import SEES
from models.registrations import batch_number
from models.vault import Vault


class ItemData(msgspec.Struct, frozen=True):
    """A line, as sealed. quantity × price (fen), half up, is its amount."""

    item_id: UUID
    code: str
    name: str
    category: str
    quantity: Decimal
    price_fen: int
    amount_fen: int


class InsuredData(msgspec.Struct, frozen=True):
    """Whom the insurer knows, as its transactions name them; as sealed."""

    psn_no: str
    insutype: str
    area: str
    mdtrt_cert_type: str
    mdtrt_cert_no: str
    name: str
    psn_cert_type: str
    certno: str


class BillData(msgspec.Struct, frozen=True):
    """What is sealed of a bill. `insured`: None where no insurer pays."""

    visit_number: str
    items: list[ItemData]
    insured: InsuredData | None


class PaymentSeen(msgspec.Struct, frozen=True):
    """A payment, in its bill."""

    payment_id: UUID
    method: str
    status: str
    amount_fen: int
    expires_at: datetime | None
    at: datetime


class RefundSeen(msgspec.Struct, frozen=True):
    """A refund, in its bill; the parts are what it gives back."""

    refund_id: UUID
    kind: str
    status: str
    total_fen: int
    fund_fen: int
    account_fen: int
    hospital_fen: int
    cash_fen: int
    owed: bool
    sealed: bytes
    at: datetime


class BillRow(NamedTuple):
    """A bill, opened. `parts`: previewed, or of its settlement. `given_back`: quantities, by item."""

    bill_id: UUID
    hospital_id: UUID
    hospital_name: str
    hospital_code: str
    hospital_area: str
    person_id: UUID
    card_id: UUID
    resolution_id: UUID
    status: str
    self_paid: bool
    parts: Parts
    registration_id: UUID | None
    setl_id: str | None
    data: BillData
    payments: list[PaymentSeen]
    refunds: list[RefundSeen]
    given_back: dict[UUID, Decimal]
    at: datetime
    paid_at: datetime | None
    visit_over: bool = False  # the resolution that it was made under has ended

    @property
    def told(self) -> "Told":
        """What people are told of it."""
        return Told(self.bill_id, self.hospital_name, self.person_id, self.card_id, self.parts.total, self.parts.cash)

    def rest(self) -> dict[UUID, Decimal]:
        """What of each item was not given back, nor is about to be."""
        return {item.item_id: item.quantity - self.given_back.get(item.item_id, Decimal(0)) for item in self.data.items}


class Client(NamedTuple):
    """Who bills: a hospital's client, and the clerk's shift if one did it."""

    client_id: UUID
    session_id: UUID | None


class NewBill(NamedTuple):
    """A bill that is being made."""

    bill_id: UUID
    hospital_id: UUID
    person_id: UUID
    card_id: UUID
    resolution_id: UUID
    self_paid: bool
    data: BillData

    @property
    def total(self) -> int:
        """Fen."""
        return sum(item.amount_fen for item in self.data.items)


_BEGIN: Final = """
WITH b AS (INSERT INTO bills (id, hospital_id, person_id, card_id, resolution_id, status, self_paid, insutype, total_fen,
        fund_fen, account_fen, hospital_fen, cash_fen, registration_id, sealed, at)
    VALUES ($1, $2, $3, $4, $5, 'making', $6, $7, $8, 0, 0, 0, $8, $10, $9, yima_now())
    ON CONFLICT (id) DO NOTHING RETURNING id, at),
i AS (INSERT INTO bill_items (id, bill_id, position, quantity, price_fen, amount_fen)
    SELECT i.id, b.id, i.n, i.quantity, i.price, i.amount FROM b, unnest($14::uuid[], $15::numeric[], $16::bigint[],
        $17::bigint[]) WITH ORDINALITY i(id, quantity, price, amount, n)),
g AS (INSERT INTO registrations (id, bill_id, chrg_bchno, total_fen, undone, at)
    SELECT $10, b.id, $18, $8, false, yima_now() FROM b WHERE $10 IS NOT NULL),
w AS (INSERT INTO money_work (id, bill_id, kind, ref, step, attempts, at, due_at, held_by, held_until)
    SELECT $11, b.id, 'make', $10, 'undo', 0, yima_now(), yima_now(), $12, yima_now() + make_interval(secs => $13)
    FROM b WHERE $10 IS NOT NULL)
SELECT at FROM b
"""


async def begin(
    vault: Vault,
    new: NewBill,
    registration_id: UUID | None = None,
    hold: float = 0.0,
    *,
    using: Connection | None = None,
) -> Work | None:
    """Write a bill that is shown to nobody yet, and what is about to be registered for it at the insurer; None if a bill
    of that id is there. The work, held for so many seconds, undoes what was registered should the bill not come about.
    """
    insured, items = new.data.insured, new.data.items
    work_id, token = uuid4(), uuid4()
    made = await row(
        _BEGIN,
        *new[:6],
        insured.insutype if insured else None,
        new.total,
        vault.seal(new.data, "bills", "sealed", new.bill_id),
        registration_id,
        work_id,
        token,
        hold,
        [item.item_id for item in items],
        [item.quantity for item in items],
        [item.price_fen for item in items],
        [item.amount_fen for item in items],
        batch_number(registration_id) if registration_id else None,
        using=using,
    )
    if made is None:
        return None
    return Work(work_id, new.bill_id, "make", registration_id or work_id, "undo", 0, made["at"], token)


_PUBLISH: Final = """
WITH w AS (UPDATE money_work SET done_at = yima_now() WHERE id = $8 AND held_by = $9 AND done_at IS NULL RETURNING id),
m AS (UPDATE money_messages SET outcome = 'done', ended_at = yima_now() WHERE id = ANY($10)),
b AS (UPDATE bills SET status = 'due', fund_fen = $2, account_fen = $3, hospital_fen = $4, cash_fen = $5
    WHERE id = $1 AND ($8::uuid IS NULL OR EXISTS (SELECT 1 FROM w)) RETURNING resolution_id)
SELECT yima_money_access(b.resolution_id, $6, $7, 'billed', true, yima_now()) AS seen FROM b
"""


async def publish(
    bill_id: UUID, parts: Parts, client: Client, work: Work | None, answered: list[UUID], *, using: Connection
) -> bool:
    """It is due, with the insurer's preview, and a use of its resolution; False where the card is not active any more.

    work: what made it, if it was registered, which is done; answered: its messages that were. Raises HoldLost.
    """
    found = await row(
        _PUBLISH,
        bill_id,
        *parts,
        *client,
        work.work_id if work else None,
        work.token if work else None,
        answered,
        using=using,
    )
    if found is None:
        raise HoldLost
    return bool(found["seen"])


async def becomes(bill_id: UUID, status: str, *, using: Connection) -> None:
    """Move a bill to a status; the database refuses a way that it does not go."""
    await row("UPDATE bills SET status = $2 WHERE id = $1 RETURNING id", bill_id, status, using=using)


async def put_parts(bill_id: UUID, parts: Parts, *, using: Connection) -> None:
    """What the insurer previews, or settled."""
    await row(
        "UPDATE bills SET fund_fen = $2, account_fen = $3, hospital_fen = $4, cash_fen = $5 WHERE id = $1 RETURNING id",
        bill_id,
        *parts,
        using=using,
    )


async def lock(bill_id: UUID, *, using: Connection) -> str | None:
    """Lock a bill's row; its status, or None where there is none. Whoever changes money of a bill does this first."""
    found = await row("SELECT status FROM bills WHERE id = $1 FOR UPDATE", bill_id, using=using)
    return found["status"] if found else None


async def bill(vault: Vault, bill_id: UUID, *, using: Connection | None = None) -> BillRow | None:
    """A bill, whoever's; None where there is none, or none that is shown."""
    found = await row("SELECT * FROM bill_rows WHERE bill_id = $1", bill_id, using=using)
    return _opened(vault, found) if found else None


async def bill_of_account(vault: Vault, bill_id: UUID, account_id: UUID) -> tuple[BillRow, str] | None:
    """A bill that an account may see by one of its cards, and that card's status (an active one, if any is).

    Raises IntegrityBroken where the card is not as it was sealed.
    """
    found = await row(
        "SELECT x.*, c.* FROM bill_rows x CROSS JOIN LATERAL (SELECT c.id, c.account_id, c.person_id, c.relation, c.handle,"
        " c.status AS card_status, c.frozen_by, c.live_since, c.version, c.mac FROM cards c"
        f" WHERE c.account_id = $2 AND {SEES} ORDER BY c.status = 'active' DESC LIMIT 1) c WHERE x.bill_id = $1",
        bill_id,
        account_id,
    )
    if found is None:
        return None
    check_row(vault, {**found, "status": found["card_status"]})
    return _opened(vault, found), found["card_status"]


_LIST: Final = (
    "SELECT * FROM bill_rows x WHERE {} AND (x.at, x.bill_id) < ($3, $4) ORDER BY x.at DESC, x.bill_id DESC LIMIT $5"
)


async def bills_of(
    vault: Vault,
    person_id: UUID,
    card_id: UUID | None,
    hospital_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[BillRow]:
    """A person's bills (of one card, of one hospital), cancelled ones too, newest first, keyset."""
    found = await rows(
        _LIST.format(
            "x.person_id = $1 AND ($2::uuid IS NULL OR x.card_id = $2) AND ($6::uuid IS NULL OR x.hospital_id = $6)"
        ),
        person_id,
        card_id,
        *(after or (FAR, LAST)),
        limit,
        hospital_id,
    )
    return [_opened(vault, record) for record in found]


async def ledger(bill_id: UUID) -> list[Any]:
    """The entries of a bill, oldest first: id, at, debit, credit, amount_fen, ref, act."""
    return await rows("SELECT * FROM ledger_entries WHERE bill_id = $1 ORDER BY at, act, id", bill_id)


def _opened(vault: Vault, record: Any) -> BillRow:
    return BillRow(
        record["bill_id"],
        record["hospital_id"],
        record["hospital_name"],
        record["hospital_code"],
        record["hospital_area"],
        record["person_id"],
        record["card_id"],
        record["resolution_id"],
        record["status"],
        record["self_paid"],
        Parts(record["fund_fen"], record["account_fen"], record["hospital_fen"], record["cash_fen"]),
        record["registration_id"],
        record["setl_id"],
        vault.open_as(BillData, record["sealed"], "bills", "sealed", record["bill_id"]),
        msgspec.json.decode(record["payments"], type=list[PaymentSeen]),
        msgspec.json.decode(record["refunds"].replace("\\n", ""), type=list[RefundSeen]),
        msgspec.json.decode(record["given_back"], type=dict[UUID, Decimal]),
        record["at"],
        record["paid_at"],
        record["visit_over"],
    )


def new_item(code: str, name: str, category: str, quantity: Decimal, price_fen: int, amount_fen: int) -> ItemData:
    """A line of a new bill."""
    return ItemData(uuid4(), code, name, category, quantity, price_fen, amount_fen)


async def status_of(bill_id: UUID) -> Any | None:
    """status and at of a bill, in whatever state."""
    return await row("SELECT status, at FROM bills WHERE id = $1", bill_id)


class Told(NamedTuple):
    """What people are told of a bill; nothing of what it was for."""

    bill_id: UUID
    hospital_name: str
    person_id: UUID
    card_id: UUID
    total: int
    cash: int


async def told_of(bill_id: UUID, *, using: Connection) -> Told:
    """What people are told of a bill. Raises LookupError."""
    found = await row(
        "SELECT b.id, h.name, b.person_id, b.card_id, b.total_fen, b.cash_fen FROM bills b"
        " JOIN hospitals h ON h.id = b.hospital_id WHERE b.id = $1",
        bill_id,
        using=using,
    )
    if found is None:
        raise LookupError("no such bill")
    return Told(*found)


class News(NamedTuple):
    """What news of an order is about: its bill, whether it is known already, and the cards whose accounts are told."""

    bill: Told
    known: bool
    cards: list[CardRow]


_OF_ORDER: Final = f"""
SELECT b.id AS bill_id, h.name AS hospital_name, b.person_id AS patient_id, b.card_id AS billed_card, b.total_fen, b.cash_fen,
    y.paid_at, {FIELDS}
FROM payments y JOIN bills b ON b.id = y.bill_id JOIN hospitals h ON h.id = b.hospital_id
LEFT JOIN (cards c JOIN people p ON p.id = c.person_id LEFT JOIN insurances i ON i.card_id = c.id)
    ON c.person_id = b.person_id AND (c.id = b.card_id OR c.relation = 'self') AND c.status <> 'closed'
WHERE y.out_trade_no = $1 ORDER BY c.created_at, c.id
"""


async def news_of_order(vault: Vault, number: str) -> News | None:
    """What news of an order is about; None where there is no such order. Raises IntegrityBroken."""
    found = await rows(_OF_ORDER, number)
    if not found:
        return None
    names = ("bill_id", "hospital_name", "patient_id", "billed_card", "total_fen", "cash_fen")
    return News(
        Told(*(found[0][name] for name in names)),
        found[0]["paid_at"] is not None,
        [open_card(vault, record) for record in found if record["id"] is not None],
    )


class Unfinished(NamedTuple):
    """What undoing needs of a bill, also of one that is shown to nobody."""

    hospital_id: UUID
    status: str
    data: BillData


async def unfinished(vault: Vault, bill_id: UUID) -> Unfinished | None:
    """A bill in whatever state."""
    found = await row("SELECT hospital_id, status, sealed FROM bills WHERE id = $1", bill_id)
    if found is None:
        return None
    return Unfinished(
        found["hospital_id"], found["status"], vault.open_as(BillData, found["sealed"], "bills", "sealed", bill_id)
    )


async def empty_bills(vault: Vault, person_id: UUID, limit: int, *, using: Connection) -> bool:
    """Erase what a person's bills and refunds were for, so many at most, but not while money moves; whether that is all.

    Amounts stay.
    """
    found = await rows(
        "SELECT b.id FROM bills b WHERE b.person_id = $1 AND NOT b.erased AND NOT EXISTS (SELECT 1 FROM money_work w"
        " WHERE w.bill_id = b.id AND w.done_at IS NULL) ORDER BY b.id LIMIT $2 FOR UPDATE OF b",
        person_id,
        limit,
        using=using,
    )
    for record in found:
        await row(
            "UPDATE bills SET sealed = $2, erased = true, status = CASE status WHEN 'due' THEN 'cancelled' ELSE status END"
            " WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM money_work w WHERE w.bill_id = $1 AND w.done_at IS NULL)"
            " RETURNING id",
            record["id"],
            vault.seal(BillData("", [], None), "bills", "sealed", record["id"]),
            using=using,
        )
        for refund in await rows("SELECT id FROM refunds WHERE bill_id = $1", record["id"], using=using):
            await row(
                "UPDATE refunds SET sealed = $2 WHERE id = $1 RETURNING id",
                refund["id"],
                vault.seal({"reason": ""}, "refunds", "sealed", refund["id"]),
                using=using,
            )
    left = await row("SELECT 1 FROM bills WHERE person_id = $1 AND NOT erased LIMIT 1", person_id, using=using)
    return left is None


def made(new: NewBill, hospital: Any, parts: Parts, registration_id: UUID | None, at: datetime) -> BillRow:
    """A bill that is being made, as its readers will see it. hospital: its row."""
    return BillRow(
        new.bill_id,
        new.hospital_id,
        hospital["name"],
        hospital["code"],
        hospital["area"],
        *new[2:5],
        "due",
        new.self_paid,
        parts,
        registration_id,
        None,
        new.data,
        [],
        [],
        {},
        at,
        None,
    )
