"""Cards: found, made, frozen and closed. Every change of a card's row goes through here and renews its hash."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from codes.identity import IdDocument, IdType, parse_document
from models.accounts import STANDS
from models.database import Connection, row, rows
from models.integrity import IntegrityBroken
from models.vault import Vault

CARDS_MOST: Final = 10
HANDLE_BYTES: Final = 8
HOLDER, PERSON, REGISTRAR = "holder", "person", "registrar"  # who may keep a card frozen

FIELDS: Final = (
    "c.id, c.account_id, c.person_id, c.relation, c.handle, c.status, c.frozen_by, c.live_since, c.version, c.mac,"
    " c.created_at, c.changed_at, p.health_card_id, p.sealed AS person_sealed, i.sealed AS insurance_sealed,"
    " yima_now() AS now"
)
_FROM: Final = "FROM cards c JOIN people p ON p.id = c.person_id LEFT JOIN insurances i ON i.card_id = c.id"


class PersonData(msgspec.Struct, frozen=True):
    """A person's identity data, as sealed. `birthday` is a date without zone; gender "male", "female" or None."""

    name: str
    id_type: str
    id_number: str
    phone: str
    gender: str | None = None
    birthday: str | None = None

    @property
    def document(self) -> IdDocument:
        """The identity document."""
        return parse_document(self.id_type, self.id_number)


class InsuranceData(msgspec.Struct, frozen=True):
    """A card's insurance, as sealed."""

    type: str
    number: str
    area: str
    kind: str


class CardRow(NamedTuple):
    """A card, checked and opened."""

    card_id: UUID
    account_id: UUID
    person_id: UUID
    relation: str
    handle: int
    status: str
    frozen_by: str
    live_since: datetime
    version: int
    created_at: datetime
    health_card_id: str
    person: PersonData
    insurance: InsuranceData | None
    now: datetime

    @property
    def alone(self) -> UUID | None:
        """What the card's holder sees of its person: of this card alone; None, of a `self` card: all of it."""
        return None if self.relation == "self" else self.card_id


class IssuingCard(NamedTuple):
    """What issuing needs of a card, read in one statement."""

    handle: int
    status: str
    ring_version: int


class AlreadyHeld(Exception):
    """The account holds a card of this person."""


class TooManyCards(Exception):
    """The account holds as many cards as it may."""


class SelfTaken(Exception):
    """The account has a `self` card of another person."""


class AccountLeft(Exception):
    """The account was deleted at its user's wish."""


def check_row(vault: Vault, record: Any) -> None:
    """Raise IntegrityBroken unless the card's row is as it was sealed."""
    vault.rows.check_card(
        record["mac"],
        record["id"],
        record["account_id"],
        record["person_id"],
        record["relation"],
        record["handle"],
        record["status"],
        record["frozen_by"],
        record["live_since"],
        record["version"],
    )


def open_person(vault: Vault, record: Any) -> PersonData:
    """The person of a record with person_id, person_sealed and health_card_id.

    Raises IntegrityBroken where the health-card id is another document's: a hospital finds its patient by it.
    """
    person = vault.open_as(PersonData, record["person_sealed"], "people", "sealed", record["person_id"])
    document = IdDocument(IdType(person.id_type), person.id_number)  # as it was parsed when it was sealed
    if vault.health_card_id(document) != record["health_card_id"]:
        raise IntegrityBroken("people")
    return person


def open_card(vault: Vault, record: Any) -> CardRow:
    """A card of a record of FIELDS. Raises IntegrityBroken."""
    check_row(vault, record)
    person = open_person(vault, record)
    insurance = record["insurance_sealed"]
    return CardRow(
        record["id"],
        record["account_id"],
        record["person_id"],
        record["relation"],
        record["handle"],
        record["status"],
        record["frozen_by"],
        record["live_since"],
        record["version"],
        record["created_at"],
        record["health_card_id"],
        person,
        vault.open_as(InsuranceData, insurance, "insurances", "sealed", record["id"]) if insurance else None,
        record["now"],
    )


async def cards_of(vault: Vault, account_id: UUID, *, using: Connection | None = None) -> list[CardRow]:
    """The account's cards that are not closed, oldest first."""
    found = await rows(
        f"SELECT {FIELDS} {_FROM} WHERE c.account_id = $1 AND c.status <> 'closed' ORDER BY c.created_at, c.id",
        account_id,
        using=using,
    )
    return [open_card(vault, record) for record in found]


async def card_of(vault: Vault, account_id: UUID, card_id: UUID, *, using: Connection | None = None) -> CardRow | None:
    """The account's card of that id, unless it is closed or another's."""
    found = await row(
        f"SELECT {FIELDS} {_FROM} WHERE c.id = $1 AND c.account_id = $2 AND c.status <> 'closed'",
        card_id,
        account_id,
        using=using,
    )
    return open_card(vault, found) if found else None


async def cards_of_person(
    vault: Vault, person_id: UUID, *, closed: bool = False, using: Connection | None = None
) -> list[CardRow]:
    """All cards of a person, whoever holds them, oldest first; closed ones only where they are asked for."""
    found = await rows(
        f"SELECT {FIELDS} {_FROM} WHERE c.person_id = $1 AND (c.status <> 'closed' OR $2) ORDER BY c.created_at, c.id",
        person_id,
        closed,
        using=using,
    )
    return [open_card(vault, record) for record in found]


async def cards_told(vault: Vault, card_ids: list[UUID], person_ids: list[UUID], *, using: Connection) -> list[CardRow]:
    """Of these people: these cards, and their own (`self`) ones; none that is closed."""
    found = await rows(
        f"SELECT {FIELDS} {_FROM} WHERE c.person_id = ANY($2) AND (c.id = ANY($1) OR c.relation = 'self')"
        " AND c.status <> 'closed' ORDER BY c.created_at, c.id",
        card_ids,
        person_ids,
        using=using,
    )
    return [open_card(vault, record) for record in found]


async def people(vault: Vault, person_ids: list[UUID], *, using: Connection) -> dict[UUID, PersonData]:
    """These people's data, whether or not anybody holds a card of them."""
    found = await rows(
        "SELECT id AS person_id, sealed AS person_sealed, health_card_id FROM people WHERE id = ANY($1)",
        person_ids,
        using=using,
    )
    return {record["person_id"]: open_person(vault, record) for record in found}


_ISSUE: Final = f"""
SELECT q.n, {STANDS.format(account="q.account_id", epoch="q.epoch", session="q.session_id")} AS stands,
    c.id, c.account_id, c.person_id, c.relation, c.handle, c.status, c.frozen_by, c.live_since, c.version, c.mac,
    r.version AS ring_version
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) WITH ORDINALITY AS q(card_id, account_id, session_id, epoch, n)
CROSS JOIN ring r
LEFT JOIN cards c ON c.id = q.card_id AND c.account_id = q.account_id AND c.status <> 'closed'
"""


async def read_for_issuing(asked: Sequence[tuple[UUID, UUID, UUID, int]]) -> list[Any]:
    """One record for each (card, account, session, epoch), in order: `stands`, the card's row or NULLs, ring_version."""
    cards, accounts, sessions, epochs = zip(*asked, strict=True)
    found = await rows(_ISSUE, list(cards), list(accounts), list(sessions), list(epochs))
    return sorted(found, key=lambda record: record["n"])


async def lock_account(account_id: UUID, *, using: Connection) -> None:
    """One change of an account's cards at a time. Raises AccountLeft."""
    found = await row("SELECT left_at FROM accounts WHERE id = $1 FOR UPDATE", account_id, using=using)
    if found is None or found["left_at"] is not None:
        raise AccountLeft


async def upsert_person(vault: Vault, person: PersonData, *, using: Connection) -> UUID:
    """The person of this document, made or brought up to date; locked until the transaction ends.

    One who left and comes back is not erased.
    """
    document = person.document
    found = await row(
        "INSERT INTO people (id, document_index, health_card_id, sealed, created_at, updated_at)"
        " VALUES ($1, $2, $3, '', yima_now(), yima_now())"
        " ON CONFLICT (document_index) DO UPDATE SET updated_at = yima_now(), erase_at = NULL RETURNING id",
        uuid4(),
        vault.index("document", f"{document.type}:{document.number}"),
        vault.health_card_id(document),
        using=using,
    )
    assert found is not None  # noqa: S101 - an upsert returns its row
    await save_person(vault, found["id"], person, using=using)
    return UUID(bytes=found["id"].bytes)


async def find_person(vault: Vault, document: IdDocument, *, using: Connection) -> tuple[UUID, PersonData] | None:
    """The person of this document, locked until the transaction ends."""
    index = vault.index("document", f"{document.type}:{document.number}")
    found = await row("SELECT id, sealed FROM people WHERE document_index = $1 FOR UPDATE", index, using=using)
    if found is None:
        return None
    return found["id"], vault.open_as(PersonData, found["sealed"], "people", "sealed", found["id"])


async def save_person(vault: Vault, person_id: UUID, person: PersonData, *, using: Connection) -> None:
    """Write a person's data anew."""
    sealed = vault.seal(person, "people", "sealed", person_id)
    await using.execute_query(
        "UPDATE people SET sealed = $2, updated_at = yima_now() WHERE id = $1", [person_id, sealed]
    )


async def add_card(vault: Vault, account_id: UUID, person_id: UUID, relation: str, *, using: Connection) -> UUID:
    """A new card of a person in an account; frozen if the person's others are frozen by themselves or a registrar.

    The caller holds the account's and the person's locks. Raises AlreadyHeld, TooManyCards or SelfTaken.
    """
    held = await rows(
        "SELECT person_id, relation FROM cards WHERE account_id = $1 AND status <> 'closed'", account_id, using=using
    )
    if any(card["person_id"] == person_id for card in held):
        raise AlreadyHeld
    if len(held) >= CARDS_MOST:
        raise TooManyCards
    if relation == "self" and any(card["relation"] == "self" for card in held):
        raise SelfTaken
    freezers = set[str]()
    for card in await cards_of_person(vault, person_id, closed=True, using=using):
        # a registrar's freeze is not shed by closing the card and binding the person anew
        freezers |= _freezers(card.frozen_by) & ({REGISTRAR} if card.status == "closed" else {REGISTRAR, PERSON})
    card_id = uuid4()
    handle = int.from_bytes(vault.random(HANDLE_BYTES), "big") >> 1
    status = "frozen" if freezers else "active"
    frozen_by = ",".join(sorted(freezers))
    now = await _now(using)
    mac = vault.rows.card(card_id, account_id, person_id, relation, handle, status, frozen_by, now, 1)
    await using.execute_query(
        "INSERT INTO cards (id, handle, account_id, person_id, relation, status, frozen_by, live_since, created_at,"
        " changed_at, version, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8, 1, $9)",
        [card_id, handle, account_id, person_id, relation, status, frozen_by, now, mac],
    )
    return card_id


async def put_insurance(vault: Vault, card_id: UUID, insurance: InsuranceData, *, using: Connection) -> None:
    """Write a card's insurance."""
    sealed = vault.seal(insurance, "insurances", "sealed", card_id)
    await using.execute_query(
        "INSERT INTO insurances (card_id, sealed, at) VALUES ($1, $2, yima_now())"
        " ON CONFLICT (card_id) DO UPDATE SET sealed = EXCLUDED.sealed, at = EXCLUDED.at",
        [card_id, sealed],
    )
    await using.execute_query("UPDATE cards SET changed_at = yima_now() WHERE id = $1", [card_id])


async def add_consent(card_id: UUID, policy: str, text_sha256: bytes, *, using: Connection) -> None:
    """Record what was agreed to for a card."""
    await using.execute_query(
        "INSERT INTO consents (id, card_id, policy, text_sha256, at) VALUES ($1, $2, $3, $4, yima_now())",
        [uuid4(), card_id, policy, text_sha256],
    )


async def freeze(vault: Vault, card: CardRow, by: str, *, using: Connection) -> CardRow:
    """Freeze a card on behalf of `by`: its codes stop resolving and its resolutions end for good.

    A closed card stays closed; that it is frozen is kept for the person's next card.
    """
    status = "closed" if card.status == "closed" else "frozen"
    return await _change(vault, card, status, _freezers(card.frozen_by) | {by}, using=using)


async def unfreeze(vault: Vault, card: CardRow, by: str, *, using: Connection) -> CardRow:
    """Take back a freeze of `by`; the card is active when nobody else keeps it frozen, and a closed one closed."""
    freezers = _freezers(card.frozen_by) - {by}
    status = "closed" if card.status == "closed" else "frozen" if freezers else "active"
    return await _change(vault, card, status, freezers, using=using)


async def close(vault: Vault, card: CardRow, *, using: Connection) -> CardRow:
    """Close a card for good. Its row stays, so that its codes are told apart from forged ones."""
    return await _change(vault, card, "closed", _freezers(card.frozen_by), using=using)


def _freezers(frozen_by: str) -> set[str]:
    return set(filter(None, frozen_by.split(",")))


async def _now(using: Connection) -> datetime:
    found = await row("SELECT yima_now() AS now", using=using)
    assert found is not None  # noqa: S101 - a SELECT without FROM has a row
    return found["now"]  # type: ignore[no-any-return]  # records are untyped


async def _change(vault: Vault, card: CardRow, status: str, freezers: set[str], *, using: Connection) -> CardRow:
    """Write status, live_since and hash of the version that was read. The caller holds the person's lock."""
    now = await _now(using)
    frozen_by = ",".join(sorted(freezers))
    if (status, frozen_by) == (card.status, card.frozen_by):
        return card
    changed = card._replace(status=status, frozen_by=frozen_by, live_since=now, version=card.version + 1)
    mac = vault.rows.card(*changed[:9])
    written = await row(
        "UPDATE cards SET status = $3, frozen_by = $4, live_since = $5, changed_at = $5, version = $6, mac = $7"
        " WHERE id = $1 AND version = $2 RETURNING id",
        card.card_id,
        card.version,
        status,
        frozen_by,
        now,
        changed.version,
        mac,
        using=using,
    )
    if written is None:
        raise IntegrityBroken("cards")
    return changed


async def lock_person(person_id: UUID, *, using: Connection) -> None:
    """One change of a person's cards at a time."""
    await using.execute_query("SELECT 1 FROM people WHERE id = $1 FOR UPDATE", [person_id])


async def person_by_health_card(health_card_id: str, *, using: Connection) -> UUID | None:
    """The person of a health-card id, locked until the transaction ends."""
    found = await row("SELECT id FROM people WHERE health_card_id = $1 FOR UPDATE", health_card_id, using=using)
    return found["id"] if found else None
