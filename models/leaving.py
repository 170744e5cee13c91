"""Leaving: what goes with an account, what stays with others, and until when what must be kept is kept.

Locks, in this order: the account, its people, the sessions of what is cancelled (each the lower id first), filling,
then the people as booking.sql locks them. A booking made between the last two is found there, and all begins anew.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from models.accounts import STANDS, Session, whoever
from models.consents import choice_of, choose
from models.database import Connection, row, rows
from models.vault import Vault

_BATCH: Final = 500
_INDEX_BYTES: Final = 32
_SHANGHAI_DAY: Final = "(yima_now() AT TIME ZONE 'Asia/Shanghai')::date"


class Fate(NamedTuple):
    """What becomes of a person when an account leaves. `cards`: all that the account had of them, closed ones too.

    `others`: open cards of other accounts. `own_elsewhere`: one of these is the person's own. `known_elsewhere`: an
    account that has not left had a card of them. `held_back`: a registrar froze them.
    """

    person_id: UUID
    health_card_id: str
    cards: list[UUID]
    open_here: bool
    own: bool
    others: list[UUID]
    own_elsewhere: bool
    known_elsewhere: bool
    held_back: bool

    @property
    def alone(self) -> bool:
        """Nobody else answers for the person: all of theirs goes, at last they themselves."""
        return not self.others and (self.open_here or not self.known_elsewhere)

    @property
    def goes(self) -> bool:
        """Their records and choices go: nobody else holds them, or they themselves leave and are nowhere else.

        Else whoever holds another card of theirs would be shown, by their leaving, what only they saw.
        """
        return self.alone or (self.own and not self.own_elsewhere)

    @property
    def unbooks(self) -> bool:
        """What was booked with the account's cards is cancelled: the person has no account of their own that sees it."""
        return self.touched and (self.own or not self.own_elsewhere)

    @property
    def touched(self) -> bool:
        """Whether leaving changes anything of the person: not where the account's card was closed and others know them."""
        return self.open_here or self.goes


class Evidence(NamedTuple):
    """When each kind of what must be kept of a person last came to be, and until when they are kept."""

    person_id: UUID
    accesses: datetime | None
    glasses: datetime | None
    consents: datetime | None
    appointments: datetime | None
    until: datetime | None


class Going(NamedTuple):
    """How much there is of what leaving removes. `rules`: of people whose choice it ends."""

    insurances: int
    records: int
    rules: int
    appointments: int
    waitings: int
    messages: int


async def lock(session: Session, *, using: Connection) -> bool:
    """Lock the account until the transaction ends; whether the session still stands then."""
    await using.execute_query("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", [session.account_id])
    stands = STANDS.format(account="$1", session="$2", epoch="$3")
    found = await row(f"SELECT {stands} AS stands", *session, using=using)
    return bool(found and found["stands"])


async def created_at(account_id: UUID) -> datetime:
    """When the account was made."""
    found = await row("SELECT created_at FROM accounts WHERE id = $1", account_id)
    assert found is not None  # noqa: S101 - its session stands
    return found["created_at"]  # type: ignore[no-any-return]  # records are untyped


async def lock_people(account_id: UUID, *, using: Connection) -> None:
    """Lock all people of the account's cards: nobody binds, freezes, closes or decides for them meanwhile."""
    await using.execute_query(
        "SELECT 1 FROM people WHERE id IN (SELECT person_id FROM cards WHERE account_id = $1) ORDER BY id FOR UPDATE",
        [account_id],
    )


_RULES: Final = (  # that are in force
    "record_consent_rules r JOIN record_consents c ON c.id = r.consent_id"
    " WHERE c.version = (SELECT max(l.version) FROM record_consents l WHERE l.person_id = c.person_id)"
)
_FATES: Final = """
SELECT c.person_id, p.health_card_id, array_agg(c.id) FILTER (WHERE c.account_id = $1) AS cards,
    bool_or(c.account_id = $1 AND c.status <> 'closed') AS open_here,
    bool_or(c.account_id = $1 AND c.relation = 'self') AS own,
    coalesce(array_agg(c.id) FILTER (WHERE c.account_id <> $1 AND c.status <> 'closed'), '{}') AS others,
    bool_or(c.account_id <> $1 AND c.status <> 'closed' AND c.relation = 'self') AS own_elsewhere,
    bool_or(c.account_id <> $1 AND a.left_at IS NULL) AS known_elsewhere,
    bool_or('registrar' = ANY (string_to_array(c.frozen_by, ','))) AS held_back
FROM cards c JOIN people p ON p.id = c.person_id JOIN accounts a ON a.id = c.account_id
WHERE c.person_id IN (SELECT person_id FROM cards WHERE account_id = $1)
GROUP BY c.person_id, p.health_card_id ORDER BY c.person_id
"""


async def fates(account_id: UUID, *, using: Connection | None = None) -> list[Fate]:
    """What becomes of each person of whom the account has, or had, a card."""
    return [Fate(**record) for record in await rows(_FATES, account_id, using=using)]


_EVIDENCE: Final = f"""
SELECT p.id AS person_id, e.accesses, e.glasses, r.consents, e.appointments,
    greatest(e.accesses, e.glasses, r.consents, e.appointments) + interval '3 years' AS until
FROM unnest($1::uuid[]) p(id) CROSS JOIN LATERAL yima_evidence(p.id) e CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS
    (SELECT 1 FROM {_RULES} AND c.person_id = p.id) THEN yima_now() ELSE e.consents END AS consents) r
"""


async def evidence(found: list[Fate], *, using: Connection | None = None) -> list[Evidence]:
    """What must be kept of those who go, as it is when their choice has been ended."""
    alone = [fate.person_id for fate in found if fate.alone]
    return [Evidence(**record) for record in await rows(_EVIDENCE, alone, using=using)]


_BOOKED_AHEAD: Final = "status = 'booked' AND ends > yima_now()"
_WAITS: Final = "status = 'waiting' AND until > yima_now()"
_GOING: Final = f"""
SELECT (SELECT count(*) FROM insurances WHERE card_id = ANY($1)) AS insurances,
    (SELECT count(*) FROM records WHERE person_id = ANY($3) AND (card_id IS NULL OR card_id <> ALL($4))) AS records,
    (SELECT count(*) FROM {_RULES} AND c.person_id = ANY($3)) AS rules,
    (SELECT count(*) FROM appointments WHERE card_id = ANY($6) AND {_BOOKED_AHEAD} AND person_id = ANY($5)) AS appointments,
    (SELECT count(*) FROM waitings WHERE card_id = ANY($6) AND {_WAITS} AND person_id = ANY($5)) AS waitings,
    (SELECT count(*) FROM messages WHERE account_id = $2) AS messages
"""


async def going(account_id: UUID, found: list[Fate], *, using: Connection | None = None) -> Going:
    """How much leaving removes."""
    leaving = [fate for fate in found if fate.goes]
    counted = await row(
        _GOING,
        cards_in(found),
        account_id,
        [fate.person_id for fate in leaving],
        [card_id for fate in leaving for card_id in fate.others],
        [fate.person_id for fate in found if fate.touched],
        bookers(found),
        using=using,
    )
    assert counted is not None  # noqa: S101 - a SELECT without FROM has a row
    return Going(**counted)


def bookers(found: list[Fate]) -> list[UUID]:
    """The account's cards whose bookings and places in line end."""
    return [card_id for fate in found if fate.unbooks for card_id in fate.cards]


def cards_in(found: list[Fate]) -> list[UUID]:
    """The account's cards, closed ones too, of people whom leaving changes."""
    return [card_id for fate in found if fate.touched for card_id in fate.cards]


async def audited(found: list[Fate], *, using: Connection | None = None) -> bool:
    """Whether an administrator acted on one of these people's cards."""
    ids = [fate.health_card_id for fate in found]
    return await row("SELECT 1 FROM audit_entries WHERE subject = ANY($1) LIMIT 1", ids, using=using) is not None


async def billed(found: list[Fate], *, using: Connection | None = None) -> bool:
    """Whether any of these people was ever billed."""
    ids = [fate.person_id for fate in found if fate.touched]
    seen = await row("SELECT 1 FROM bill_rows WHERE person_id = ANY($1) LIMIT 1", ids, using=using)
    return seen is not None


async def booked_ahead(card_ids: list[UUID], *, using: Connection) -> dict[UUID, UUID]:
    """appointment -> session of what is booked with these cards and not over."""
    found = await rows(
        f"SELECT id, schedule_id FROM appointments WHERE card_id = ANY($1) AND {_BOOKED_AHEAD} ORDER BY id",
        card_ids,
        using=using,
    )
    return {record["id"]: record["schedule_id"] for record in found}


async def lock_bookers(person_ids: list[UUID], *, using: Connection) -> None:
    """Lock people as booking.sql does: what was booked for them is committed, and nothing is booked meanwhile."""
    for person_id in sorted(person_ids):
        await row("SELECT yima_person_lock($1)", person_id, using=using)


async def withdraw_all(card_ids: list[UUID], *, using: Connection) -> None:
    """Whoever waits with these cards waits no more."""
    await using.execute_query(
        "UPDATE waitings SET status = 'withdrawn' WHERE card_id = ANY($1) AND status = 'waiting'", [card_ids]
    )


async def cancelled_by_patient(appointment_ids: list[UUID], *, using: Connection) -> None:
    """It is said of these that the patient cancelled them."""
    await using.execute_query(
        "UPDATE appointments SET cancelled_by = 'patient' WHERE id = ANY($1) AND status = 'cancelled'",
        [appointment_ids],
    )


async def delete_records(person_id: UUID, but_of_cards: list[UUID], *, using: Connection) -> None:
    """Delete a person's records with what doctors decided on them, except those posted under these cards."""
    while True:
        found = await rows(
            "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE person_id = $1"
            " AND (card_id IS NULL OR card_id <> ALL($2)) LIMIT $3) RETURNING id",
            person_id,
            but_of_cards,
            _BATCH,
            using=using,
        )
        ids = [record["id"] for record in found]
        await using.execute_query("DELETE FROM recognition_decisions WHERE record_id = ANY($1)", [ids])
        if len(found) < _BATCH:
            return


async def end_choice(fate: Fate, account_id: UUID, *, using: Connection) -> None:
    """Nobody may read any more: said as a version of its own, after those that prove what was agreed to."""
    choice = await choice_of(fate.person_id, using=using)
    if choice.rules:
        await choose(fate.person_id, fate.cards[0], account_id, choice.version, [], using=using)


async def delete_numbers(person_ids: list[UUID], *, using: Connection) -> None:
    """Hospitals' own numbers no longer lead to these people: their systems' messages are of nobody known."""
    await using.execute_query("DELETE FROM patient_numbers WHERE person_id = ANY($1)", [person_ids])


async def forget(vault: Vault, account_id: UUID, card_ids: list[UUID], *, using: Connection) -> datetime:
    """Delete what is the account's alone, end its sessions, and forget whose it was; when that was.

    What was tried today (texts to a phone, failed proofs) is remembered until midnight, by no more than is needed to
    count it for who comes back.
    """
    found = await row("SELECT openid_index FROM accounts WHERE id = $1", account_id, using=using)
    assert found is not None  # noqa: S101 - the caller locked it
    await using.execute_query("DELETE FROM insurances WHERE card_id = ANY($1)", [card_ids])
    for table in ("messages", "ended_sessions"):
        await using.execute_query(f"DELETE FROM {table} WHERE account_id = $1", [account_id])
    today = f"(created_at AT TIME ZONE 'Asia/Shanghai')::date = {_SHANGHAI_DAY}"
    await using.execute_query(f"DELETE FROM verifications WHERE account_id = $1 AND NOT {today}", [account_id])
    await using.execute_query(
        "UPDATE verifications SET subject_index = '', sealed = NULL, code_hash = NULL WHERE account_id = $1",
        [account_id],
    )
    await using.execute_query(
        "WITH gone AS (DELETE FROM proof_failures WHERE account_id = $1 RETURNING day, count)"
        " INSERT INTO proof_failures AS f (id, account_id, day, count) SELECT gen_random_uuid(), $2, day, count FROM gone"
        f" WHERE day = {_SHANGHAI_DAY} AND count > 0"
        " ON CONFLICT (account_id, day) DO UPDATE SET count = f.count + EXCLUDED.count",
        [account_id, whoever(found["openid_index"])],
    )
    written = await row(
        "UPDATE accounts SET openid_index = $2, sealed = $3, epoch = epoch + 1, left_at = yima_now() WHERE id = $1"
        " RETURNING left_at",
        account_id,
        vault.random(_INDEX_BYTES),
        vault.seal({"openid": ""}, "accounts", "sealed", account_id),
        using=using,
    )
    assert written is not None  # noqa: S101 - the caller locked it
    return written["left_at"]  # type: ignore[no-any-return]  # records are untyped


async def erase_later(person_ids: list[UUID], *, using: Connection) -> None:
    """When these people go themselves: with what must be kept of them, at once where there is none."""
    await using.execute_query(
        "UPDATE people SET erase_at = coalesce(yima_kept_until(id), yima_now()) WHERE id = ANY($1)", [person_ids]
    )
