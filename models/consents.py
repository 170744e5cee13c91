"""Whose choice it is which hospital reads which records, and what was chosen, version by version."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from models.database import Connection, row, rows


class Rule(NamedTuple):
    """A rule. hospital_id None: any that reads; kind None: all; in force from valid_from until before valid_until."""

    hospital_id: UUID | None
    kind: str | None
    effect: str
    valid_from: datetime | None
    valid_until: datetime | None


class Choice(NamedTuple):
    """What a person chose, and by which account; version 0: nothing yet."""

    version: int
    rules: list[Rule]
    account_id: UUID | None = None


async def speaks_for(person_id: UUID, relation: str, *, using: Connection | None = None) -> bool:
    """Whether a card of this relation sees and decides for all of the person: `self`, or no account ever had that.

    A person who closes their own card does not hand what only they saw to who else holds a card of theirs.
    """
    if relation == "self":
        return True
    found = await row(
        "SELECT 1 FROM cards WHERE person_id = $1 AND relation = 'self' LIMIT 1",
        person_id,
        using=using,
    )
    return found is None


async def choice_of(person_id: UUID, *, using: Connection | None = None) -> Choice:
    """The version that is in force."""
    found = await rows(
        "SELECT c.version, c.account_id, r.hospital_id, r.kind, r.effect, r.valid_from, r.valid_until FROM record_consents c"
        " LEFT JOIN record_consent_rules r ON r.consent_id = c.id WHERE c.person_id = $1"
        " AND c.version = (SELECT max(version) FROM record_consents WHERE person_id = $1) ORDER BY r.position",
        person_id,
        using=using,
    )
    if not found:
        return Choice(0, [])
    return Choice(
        found[0]["version"], [Rule(*tuple(r)[2:]) for r in found if r["effect"] is not None], found[0]["account_id"]
    )


async def choose(
    person_id: UUID, card_id: UUID, account_id: UUID, before: int, rules: list[Rule], *, using: Connection
) -> int:
    """Write the version after `before`, and give it. `card_id` and `account_id`: whose choice it was.

    The caller holds the person's lock. The versions before stay, as the record of what was agreed to.
    """
    consent_id = uuid4()
    await row(
        "INSERT INTO record_consents (id, person_id, version, account_id, card_id, at) VALUES ($1, $2, $3, $4, $5, yima_now())",
        consent_id,
        person_id,
        before + 1,
        account_id,
        card_id,
        using=using,
    )
    await using.execute_many(
        "INSERT INTO record_consent_rules (id, consent_id, position, hospital_id, kind, effect, valid_from, valid_until)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [[uuid4(), consent_id, position, *rule] for position, rule in enumerate(rules)],
    )
    return before + 1
