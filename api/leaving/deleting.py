"""Deletion of an account: one transaction, so that there is never half an account."""

from typing import Any, Final
from uuid import UUID

from api.booking.telling import tell_filled
from api.leaving.telling import Leaving, kept
from api.leaving.types import Left
from api.problems import TRY_AGAIN, UNAUTHENTICATED, Problem
from api.web.calls import Call
from models import leaving
from models.accounts import Session
from models.appointments import appointments, cancel
from models.cards import CardRow, cards_of, close
from models.database import Connection, transaction
from models.leaving import Fate
from models.messages import enqueue
from models.schedules import lock as lock_session
from models.schedules import lock_filling
from models.vault import Vault

_TRIES: Final = 5
_TEXT: Final = (
    "【一码】您的一码账户已注销，卡已停用。如非本人操作，请尽快检查您的微信账户安全；需要时可重新登录并添加卡。"
)


class _BookedMeanwhile(Exception):
    """Something was booked in a session whose lock is not held: its lock comes before the person's."""


async def leave(call: Call[Any]) -> Left:
    """Delete the caller's account. Raises Problem unauthenticated where another device was first, or try-again."""
    for _ in range(_TRIES):
        try:
            async with transaction() as tx:
                return await _leave(call, using=tx)
        except _BookedMeanwhile:
            continue
    raise Problem(TRY_AGAIN, retry_after=1)


async def read_leaving(account_id: UUID, call: Call[Any], *, using: Connection | None = None) -> Leaving:
    """What leaving would remove and keep."""
    fates = await leaving.fates(account_id, using=using)
    cards = await cards_of(call.services.vault, account_id, using=using)
    going = await leaving.going(account_id, fates, using=using)
    evidence = await leaving.evidence(fates, using=using)
    audited = await leaving.audited(fates, using=using)
    billed = await leaving.billed(fates, using=using)
    return Leaving(call.services.clock.today(), len(cards), fates, evidence, going, audited, billed)


async def _leave(call: Call[Any], *, using: Connection) -> Left:
    vault, patient = call.services.vault, call.patient
    session = Session(patient.account_id, patient.session_id, patient.epoch)
    if not await leaving.lock(session, using=using):
        raise Problem(UNAUTHENTICATED)
    await leaving.lock_people(session.account_id, using=using)
    said = await read_leaving(session.account_id, call, using=using)
    cards = await cards_of(vault, session.account_id, using=using)
    for fate in said.fates:
        await _end_records(fate, session.account_id, using=using)
    await _end_bookings(vault, said.fates, using=using)
    for card in cards:
        await close(vault, card, using=using)
    left_at = await leaving.forget(vault, session.account_id, leaving.cards_in(said.fates), using=using)
    await leaving.erase_later([fate.person_id for fate in said.fates if fate.alone], using=using)
    await _text(vault, cards, using=using)
    return Left(left_at, kept(said, call.language))


async def _end_records(fate: Fate, account_id: UUID, *, using: Connection) -> None:
    """Records and choices go; of a person whom others still hold, those posted under these others' cards stay."""
    if fate.goes:
        await leaving.delete_records(fate.person_id, fate.others, using=using)
        await leaving.end_choice(fate, account_id, using=using)
    if fate.goes:
        await leaving.delete_numbers([fate.person_id], using=using)


async def _end_bookings(vault: Vault, fates: list[Fate], *, using: Connection) -> None:
    """Cancel what is ahead, also past the time to cancel; each place goes to who waits, who is told.

    Raises _BookedMeanwhile.
    """
    cards = leaving.bookers(fates)
    locked = set((await leaving.booked_ahead(cards, using=using)).values())
    for schedule_id in sorted(locked):
        await lock_session(schedule_id, using=using)
    await lock_filling(using=using)
    await leaving.lock_bookers([fate.person_id for fate in fates], using=using)
    ahead = await leaving.booked_ahead(cards, using=using)
    if not locked.issuperset(ahead.values()):
        raise _BookedMeanwhile
    await leaving.withdraw_all(cards, using=using)
    filled = []
    for appointment_id in ahead:
        _, given = await cancel(appointment_id, "leaving", None, None, using=using)
        filled += [given] if given is not None else []
    await leaving.cancelled_by_patient(list(ahead), using=using)
    await tell_filled(vault, await appointments(filled, using=using), using=using)


async def _text(vault: Vault, cards: list[CardRow], *, using: Connection) -> None:
    """Say it to the phone of the account's own person: it may be somebody else who has the telephone's WeChat."""
    for card in cards:
        if card.relation == "self":
            await enqueue(vault, "text", {"phone": card.person.phone, "text": _TEXT}, using=using)
