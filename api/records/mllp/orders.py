"""Which record a report takes the place of: the last one of its order, unless that may not be."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from api.records.fhir import Facts
from api.records.mllp.refused import DUPLICATE, error, reject
from api.records.mllp.reports import Earlier, Report, earlier
from models.database import Connection
from models.lab_messages import APART, Last, last_of_order, lock_orders
from models.records import raw_of
from models.vault import Vault

SOURCE: Final = "mllp"
WITHDRAWN: Final = "entered-in-error"
_CORRECTS: Final = ("corrected", WITHDRAWN)
_ONE_SAMPLE: Final = timedelta(hours=12)
_GOOD: Final = ("final", "corrected")
_UNFINISHED: Final = ("registered", "partial", "preliminary")
_EPOCH: Final = datetime(1900, 1, 1, tzinfo=UTC)


class Slot(NamedTuple):
    """Where a report goes: the key that finds it again, and what it takes the place of."""

    source_key: bytes | None
    last: Last | None


async def lock(vault: Vault, hospital_id: UUID, made: list[Report], *, using: Connection) -> None:
    """Let no other message change the orders of these reports meanwhile."""
    orders = [vault.index("lab-order", f"{hospital_id}\0{order}") for one in made for order in one.orders]
    if orders:
        await lock_orders(orders, using=using)


async def slot_of(
    vault: Vault, hospital_id: UUID, person_id: UUID, made: Report, facts: Facts, *, using: Connection
) -> Slot:
    """The slot of a person's report whose orders are locked. Raises Refused."""
    own_key = None
    # Many laboratories begin their numbers anew each day: with a time of sampling, only what says that it corrects
    # reaches further back.
    within = APART if facts.status in _CORRECTS or not made.obr.raw(7) else _ONE_SAMPLE
    for order in made.orders:
        keys = _keys(vault, hospital_id, order, facts.occurred_at)
        found = await last_of_order(hospital_id, keys, facts.occurred_at, within, using=using)
        if own_key is not None:  # by the placer's number: not what has a filler's, which is another
            found = [one for one in found if one.source != SOURCE or one.source_key in keys]
        last = _last(found, person_id, made, facts)
        if last is not None:
            await _check(vault, last, made, facts, using)
            return Slot(own_key or last.source_key, last)
        own_key = own_key or keys[0]
    return Slot(own_key, None)


def _keys(vault: Vault, hospital_id: UUID, order: str, at: datetime) -> list[bytes]:
    """The keys under which an order observed about then may be kept, its own first: one for each stretch of time."""
    stretch = (at - _EPOCH) // APART
    return [vault.index("lab-order", f"{hospital_id}\0{order}\0{n}") for n in (stretch, stretch - 1, stretch + 1)]


def _last(found: list[Last], person_id: UUID, made: Report, facts: Facts) -> Last | None:
    """The person's own, else another's that is live, which can be withdrawn but not corrected for this person."""
    own = next((one for one in found if one.person_id == person_id), None)
    if own is not None and own.live:
        return own
    others = next((one for one in found if one.live), None)
    if others is None:
        return own
    if facts.status != WITHDRAWN:
        raise error(DUPLICATE, "the order is of another patient: withdraw it there first", made.obr.place(3))
    return others


async def _check(vault: Vault, last: Last, made: Report, facts: Facts, using: Connection) -> None:
    """Raise Refused where a report may not take the place of the last one."""
    if last.source != SOURCE:
        raise reject(DUPLICATE, "this report was corrected by the hospital, which is not overruled", made.obr.place(3))
    raw = await raw_of(vault, last.record_id, using=using)
    assert raw is not None  # noqa: S101 - the order is locked
    before = earlier(raw)
    if _comes_late(before, last, made, facts):
        raise reject(DUPLICATE, "a later report of this order and service is kept already", made.obr.place(3))
    if last.live and facts.status in _GOOD and before.codes - made.codes:
        why = "results of the earlier report are missing: send the whole report, or mark them D"
        raise error(DUPLICATE, why, made.obr.place())


def _comes_late(before: Earlier, last: Last, made: Report, facts: Facts) -> bool:
    """Whether the last one was sent later; where nothing tells, good results do not become unfinished ones."""
    if before.sent is not None and made.sent is not None and before.sent != made.sent:
        return before.sent > made.sent
    return last.status in _GOOD and facts.status in _UNFINISHED
