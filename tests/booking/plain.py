"""The rules of booking without a database: one thing after the other, in this process's memory.

What the service answers is compared with what these rules say (machine.py). Every outcome is a problem's code or "ok".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
BEFOREHAND: Final = timedelta(hours=2)  # of arriving, of being given a place, of closing by itself
PAUSE: Final = timedelta(days=90)
A_DATE: Final = 3
WAITING_MOST: Final = 5
OK: Final = "ok"
LIVE: Final = ("booked", "arrived")


class Limits(NamedTuple):
    """Of a session; None: no limit."""

    min_age: int | None = None
    sex: str | None = None


class SlotPlan(NamedTuple):
    """A slot as a publication has it."""

    key: str
    start: datetime
    ends: datetime
    capacity: int


class Plan(NamedTuple):
    """A session as a publication has it."""

    slots: tuple[SlotPlan, ...]
    opens_at: datetime
    cancel_until: datetime
    fee_fen: int = 2500
    limits: Limits = Limits()

    @property
    def date(self) -> date:
        """The local date."""
        return self.slots[0].start.astimezone(SHANGHAI).date()


@dataclass(eq=False)
class Person:
    """Somebody. `birthday` is far enough from today's date for no test to cross it."""

    name: str
    sex: str
    age: int
    cards: list["Card"] = field(default_factory=list)

    def allowed(self, limits: Limits) -> bool:
        """Whether a session takes them."""
        return limits.sex in (None, self.sex) and self.age >= (limits.min_age or 0)


@dataclass(eq=False)
class Card:
    """A person's card in an account; `own`: the account is the person's."""

    person: Person
    account: UUID
    own: bool
    frozen_by: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Place:
    """A place; `passed`: those in line who could not take it when it was offered."""

    number: int
    appointment: "Appointment | None" = None
    passed: set["Wait"] = field(default_factory=set)


@dataclass(eq=False)
class Slot:
    """A slot, also one that was dropped."""

    session: "Session"
    key: str
    start: datetime
    ends: datetime
    stopped: bool = False
    dropped: bool = False
    places: list[Place] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return sum(place.appointment is not None for place in self.places)


@dataclass(eq=False)
class Session:
    """A session."""

    hospital: int
    key: str
    plan: Plan
    status: str = "open"
    slots: dict[str, Slot] = field(default_factory=dict)

    @property
    def offered(self) -> list[Slot]:
        """The slots that were not dropped, in the order of time."""
        return sorted((slot for slot in self.slots.values() if not slot.dropped), key=lambda slot: slot.start)

    @property
    def places(self) -> list[Place]:
        """All places, by number."""
        return sorted((place for slot in self.slots.values() for place in slot.places), key=lambda place: place.number)


@dataclass(eq=False)
class Appointment:
    """An appointment; the service's id is told by the machine."""

    slot: Slot
    card: Card
    number: int
    by: str
    start: datetime
    ends: datetime
    status: str = "booked"
    cancelled_by: str | None = None
    arrived_at: datetime | None = None
    ended_at: datetime | None = None
    late: bool = False
    id: UUID | None = None

    @property
    def person(self) -> Person:
        """Whose."""
        return self.card.person

    @property
    def session(self) -> Session:
        """Of which session."""
        return self.slot.session

    @property
    def turn(self) -> float:
        """Where it is called: by number, and after all of them the late by arrival."""
        if self.status == "arrived" and self.late and self.arrived_at is not None:
            return self.arrived_at.timestamp()
        return self.number


@dataclass(eq=False)
class Wait:
    """A place in line."""

    session: Session
    slot: Slot | None
    card: Card
    until: datetime
    status: str = "waiting"
    eligible: bool = True
    appointment: Appointment | None = None
    id: UUID | None = None

    def wants(self, slot: Slot) -> bool:
        """Whether a place of this slot is what they wait for."""
        return self.slot in (None, slot)


class Plain:
    """Everything there is."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.sessions: dict[tuple[int, str], Session] = {}
        self.appointments: list[Appointment] = []
        self.line: list[Wait] = []
        self.told: list[tuple[str, UUID, Appointment]] = []  # kind, account, about
        self.changes: list[tuple[str, Appointment]] = []

    # Hospitals

    def publish(self, hospital: int, key: str, plan: Plan) -> str:
        """Make a session, or bring it to the plan."""
        session = self.sessions.get((hospital, key))
        if session is None:
            session = self.sessions[hospital, key] = Session(hospital, key, plan)
            for given in plan.slots:
                self._add(session, given)
            return OK
        if session.plan == plan:
            return OK
        refusal = self._refuses(session, plan)
        if refusal:
            return refusal
        self._change(session, plan)
        for place in session.places:
            self._fill(session, place)
        return OK

    def _refuses(self, session: Session, plan: Plan) -> str | None:
        if session.status != "open":
            return "session-stopped" if session.status == "stopped" else "slot-past"
        booked = [slot for slot in session.offered if slot.taken]
        if booked and (session.plan.date, session.plan.fee_fen) != (plan.date, plan.fee_fen):
            return "slot-in-use"
        if booked and plan.cancel_until < session.plan.cancel_until:
            return "slot-in-use"
        planned = {given.key: given for given in plan.slots}
        for slot in booked:
            given = planned.get(slot.key)
            if given is None or (given.start, given.ends) != (slot.start, slot.ends):
                return "slot-in-use"
            if given.capacity < slot.taken:
                return "capacity-below-booked"
        return None

    def _change(self, session: Session, plan: Plan) -> None:
        limits_changed = session.plan.limits != plan.limits
        session.plan = plan
        for slot in session.offered:
            if slot.key not in {given.key for given in plan.slots}:
                slot.dropped, slot.places = True, []
                self._expire(wait for wait in self._waiting(session) if wait.slot is slot)
        for given in plan.slots:
            slot_there = session.slots.get(given.key)
            if slot_there is None or slot_there.dropped:
                self._add(session, given)
                continue
            slot_there.start, slot_there.ends = given.start, given.ends
            self._resize(slot_there, given.capacity)
        self._renew(session)
        for wait in self._waiting(session) if limits_changed else ():
            wait.eligible = wait.card.person.allowed(plan.limits)

    def _add(self, session: Session, given: SlotPlan) -> None:
        slot = session.slots.setdefault(given.key, Slot(session, given.key, given.start, given.ends))
        slot.start, slot.ends, slot.stopped, slot.dropped = given.start, given.ends, False, False
        self._resize(slot, given.capacity)

    def _resize(self, slot: Slot, capacity: int) -> None:
        last = max((place.number for place in slot.session.places), default=0)
        slot.places += [Place(last + n) for n in range(1, capacity - len(slot.places) + 1)]
        for place in sorted(slot.places, key=lambda place: -place.number):
            if len(slot.places) > capacity and place.appointment is None:
                slot.places.remove(place)

    def stop(self, session: Session, keys: list[str] | None) -> tuple[str, int]:
        """(outcome, how many were cancelled)."""
        if session.status == "closed":
            return "slot-past", 0
        stopping = [slot for slot in session.offered if not slot.stopped and (keys is None or slot.key in keys)]
        cancelled = []
        for slot in stopping:
            slot.stopped = True
            for place in slot.places:
                if place.appointment is not None and place.appointment.status in LIVE:
                    cancelled.append(place.appointment)
                    self._end(place.appointment, "cancelled", by="hospital")
                    place.appointment, place.passed = None, set()
        if session.status == "open" and all(slot.stopped for slot in session.offered):
            session.status = "stopped"
        over = session.status == "stopped"
        self._expire(wait for wait in self._waiting(session) if over or wait.slot in stopping)
        self._renew(session)
        for appointment in sorted(cancelled, key=lambda one: one.number):
            self.changes.append(("cancelled", appointment))
            self._tell("session-stopped", appointment)
        return OK, len(cancelled)

    def close(self, session: Session) -> tuple[str, int]:
        """(outcome, how many did not come)."""
        if session.plan.date > self.now.astimezone(SHANGHAI).date():
            return "conflict", 0
        missed = [one for one in self.appointments if one.session is session and one.status == "booked"]
        for appointment in sorted(missed, key=lambda one: one.number):
            self._end(appointment, "noshow")
            self.changes.append(("noshow", appointment))
        if session.status == "open":
            session.status = "closed"
        self._expire(self._waiting(session))
        for appointment in missed:
            if self.paused_until(appointment.person) == self.now + PAUSE:
                self._tell("booking-paused", appointment)
        return OK, len(missed)

    # People

    def book(self, card: Card, slot: Slot, by: str) -> str:
        """Take the lowest free number."""
        session = slot.session
        if card.frozen_by:
            return "card-frozen"
        if slot.dropped:
            return "not-found"
        if not card.person.allowed(session.plan.limits):
            return "slot-not-eligible"
        if slot.stopped or session.status == "stopped":
            return "session-stopped"
        if session.status == "closed" or slot.start <= self.now:
            return "slot-past"
        if session.plan.opens_at > self.now:
            return "slot-not-open"
        limit = self._limit(card.person, slot)
        free = [place for place in slot.places if place.appointment is None]
        if limit != "already-booked" and not free:
            return "slot-full"
        if limit:
            return limit
        made = self._take(min(free, key=lambda place: place.number), slot, card, by)
        for wait in self._waiting(session):
            if wait.card.person is card.person and wait.wants(slot):
                wait.status, wait.appointment = "booked", made
        return OK

    def _take(self, place: Place, slot: Slot, card: Card, by: str) -> Appointment:
        made = Appointment(slot, card, place.number, by, slot.start, slot.ends)
        place.appointment = made
        self.appointments.append(made)
        self.changes.append(("booked", made))
        self.told.append(("waiting-booked" if by == "waiting" else "booked", card.account, made))
        return made

    def _limit(self, person: Person, slot: Slot) -> str | None:
        that_day = slot.session.plan.date
        mine = [one for one in self.appointments if one.person is person and one.status != "cancelled"]
        mine = [one for one in mine if one.session.plan.date == that_day]
        if any(one.session is slot.session for one in mine):
            return "already-booked"
        if any(one.start < slot.ends and one.ends > slot.start for one in mine):
            return "time-conflict"
        if len(mine) >= A_DATE:
            return "daily-limit"
        return "booking-paused" if self.paused_until(person) else None

    def paused_until(self, person: Person) -> datetime | None:
        """Until when the person may not book."""
        ended = [one.ended_at for one in self.appointments if one.person is person and one.status == "noshow"]
        missed = sorted(at for at in ended if at is not None)
        thirds = zip(missed, missed[2:], strict=False)
        return max(
            (last + PAUSE for first, last in thirds if first > last - PAUSE and last > self.now - PAUSE), default=None
        )

    def cancel(self, appointment: Appointment, by: str) -> str:
        """Give a place back; the first in line has it at once."""
        if appointment.status not in LIVE:
            return "not-cancellable"
        until = appointment.session.plan.cancel_until
        if appointment.by == "waiting":
            until = max(until, appointment.start)
        if by == "patient" and self.now >= until:
            return "cancel-too-late"
        self._end(appointment, "cancelled", by=by)
        self.changes.append(("cancelled", appointment))
        (place,) = [place for place in appointment.slot.places if place.appointment is appointment]
        place.appointment, place.passed = None, set()
        self._fill(appointment.session, place)
        return OK

    def wait(self, card: Card, session: Session, slot: Slot | None) -> str:
        """Stand in line."""
        if card.frozen_by:
            return "card-frozen"
        if slot is not None and slot.dropped:
            return "not-found"
        if not card.person.allowed(session.plan.limits):
            return "slot-not-eligible"
        wanted = [one for one in session.offered if slot in (None, one) and not one.stopped]
        if session.status == "stopped" or not wanted:
            return "session-stopped"
        last = max(one.start for one in wanted)
        if session.status == "closed" or last <= self.now + BEFOREHAND:
            return "slot-past"
        if session.plan.opens_at > self.now:
            return "slot-not-open"
        person = card.person
        if any(
            one.person is person and one.session is session and one.status != "cancelled" for one in self.appointments
        ):
            return "already-booked"
        if any(wait.card.person is person for wait in self._waiting(session)):
            return "already-waiting"
        if any(one.taken < len(one.places) and one.start > self.now for one in wanted):
            return "slot-free"
        waits = [wait for wait in self.line if wait.status == "waiting" and wait.card.person is person]
        if len(waits) >= WAITING_MOST:
            return "waiting-limit"
        if self.paused_until(person):
            return "booking-paused"
        self.line.append(Wait(session, slot, card, last - BEFOREHAND))
        return OK

    def withdraw(self, wait: Wait) -> str:
        """Leave the line."""
        if wait.status != "waiting":
            return "conflict"
        wait.status = "withdrawn"
        return OK

    def arrive(self, person: Person, hospital: int) -> Appointment | None:
        """What a scan there makes arrived: today's, from two hours before its start, the nearest."""
        today = self.now.astimezone(SHANGHAI).date()
        due = [
            one
            for one in self.appointments
            if one.person is person
            and one.status == "booked"
            and one.session.hospital == hospital
            and one.session.plan.date == today
            and one.session.status != "closed"
            and one.start - BEFOREHAND <= self.now
        ]
        if not due:
            return None
        nearest = min(due, key=lambda one: (abs(one.start - self.now), one.id))
        nearest.status, nearest.arrived_at, nearest.late = "arrived", self.now, self.now > nearest.ends
        self.changes.append(("arrived", nearest))
        return nearest

    def fulfil(self, appointment: Appointment) -> str:
        """The visit is done."""
        if appointment.status != "arrived":
            return "conflict"
        self._end(appointment, "fulfilled")
        return OK

    def freeze(self, card: Card) -> str:
        """One's own card freezes all of the person."""
        for each in card.person.cards if card.own else [card]:
            each.frozen_by.add("person" if card.own else "holder")
        return OK

    def unfreeze(self, card: Card) -> str:
        """Take that back. What others froze stays, and then nothing is changed."""
        by = "person" if card.own else "holder"
        if card.frozen_by - {by}:
            return "not-allowed"
        for each in card.person.cards if card.own else [card]:
            each.frozen_by.discard(by)
        return OK

    def sees(self, card: Card, other: Card) -> bool:
        """Whether the account of a card sees what was done with another card."""
        return card.account == other.account or (card.own and card.person is other.person)

    # Time

    def move(self, to: datetime) -> None:
        """It is later: what is over closes, what can be given no place waits no more."""
        self.now = to
        open_ones = [one for one in self.sessions.values() if one.status == "open"]
        for session in sorted(open_ones, key=_last_end):
            if _last_end(session) <= self.now - BEFOREHAND:
                self.close(session)
        self._expire(wait for wait in self.line if wait.status == "waiting" and wait.until <= self.now)

    # What is seen

    def ahead(self, appointment: Appointment) -> int | None:
        """How many who arrived are called earlier."""
        if appointment.status not in LIVE:
            return None
        others = (one for one in self.appointments if one.session is appointment.session and one.status == "arrived")
        late = appointment.status == "booked" and self.now > appointment.ends
        turn = self.now.timestamp() if late else appointment.turn
        return sum(one.turn < turn for one in others)

    def position(self, wait: Wait) -> int | None:
        """Where one stands: after the earlier ones who could take the same place."""
        if wait.status != "waiting":
            return None
        earlier = self.line[: self.line.index(wait)]
        ahead = [one for one in earlier if one.session is wait.session and one.status == "waiting"]
        return 1 + sum(wait.slot is None or one.wants(wait.slot) for one in ahead)

    # Within

    def _fill(self, session: Session, place: Place) -> None:
        """Offer a free place to the line."""
        slot = next(slot for slot in session.slots.values() if place in slot.places)
        late = slot.start < self.now + BEFOREHAND
        if place.appointment is not None or slot.stopped or session.status != "open" or late:
            return
        for wait in [wait for wait in self._waiting(session) if wait.eligible and wait.wants(slot)]:
            if wait.card.frozen_by or self._limit(wait.card.person, slot):
                place.passed.add(wait)
                continue
            wait.status, wait.appointment = "booked", self._take(place, slot, wait.card, "waiting")
            return

    def _waiting(self, session: Session) -> list[Wait]:
        return [wait for wait in self.line if wait.session is session and wait.status == "waiting"]

    def _expire(self, waits: Iterable[Wait]) -> None:
        for wait in waits:
            wait.status = "expired"

    def _renew(self, session: Session) -> None:
        for wait in self._waiting(session):
            starts = [slot.start for slot in session.offered if not slot.stopped and wait.wants(slot)]
            wait.until = max(starts) - BEFOREHAND if starts else wait.until
            if not starts or wait.until <= self.now:
                wait.status = "expired"

    def _end(self, appointment: Appointment, status: str, *, by: str | None = None) -> None:
        appointment.status, appointment.cancelled_by, appointment.ended_at = status, by, self.now

    def _tell(self, kind: str, appointment: Appointment) -> None:
        for card in appointment.person.cards:
            if card is appointment.card or card.own:
                self.told.append((kind, card.account, appointment))


def _last_end(session: Session) -> datetime:
    return max(slot.ends for slot in session.plan.slots)
