"""The state machine of booking: people, windows and hospitals' systems in any order, with time moving.

After each step the service answered as the plain rules say (plain.py), its rows are theirs, and what must agree in them
does (booking_checker.py): no place sold twice or lost, nobody over a limit, nobody passed over.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.booking.plain import (
    BEFOREHAND,
    LIVE,
    OK,
    SHANGHAI,
    Appointment,
    Card,
    Limits,
    Plain,
    Plan,
    Session,
    Slot,
    SlotPlan,
)
from tests.booking.world import BEGIN, HOSPITALS, World, said
from tests.fault import booking_checker
from tests.support.booking import ARRIVAL, utc

LOOKING: Final = "0101051"  # a step that makes nobody arrived
WIDTH: Final = timedelta(minutes=30)
HOURS: Final = (9, 9, 10, 14, 15, 16)
LIMITS: Final = (Limits(), Limits(), Limits(min_age=60), Limits(sex="female"))
SEASON: Final = timedelta(days=91)

any_one = st.integers(0, 30)
some_hospital = st.integers(0, HOSPITALS - 1)
some_capacities = st.sampled_from([[1], [1], [1, 1], [2, 1], [1, 1, 1]])


class Booking(RuleBasedStateMachine):
    """The service and the rules side by side."""

    plain_class: type[Plain] = Plain

    def make_world(self) -> World:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.world = self.make_world()
        people = self.world.begin()
        self.cards = [card for person in people for card in person.cards]
        self.plain = self.plain_class(BEGIN)
        self.ids: dict[Session | Slot, str] = {}
        self.keys = 0
        self.missed = False
        for hospital in range(HOSPITALS):
            self.publish(hospital, 0, 14 + 2 * hospital, [1, 1], Limits(), False, False)
            self.rush(0)

    # What a hospital's system does

    @rule(
        hospital=some_hospital,
        days=st.integers(0, 1),
        hour=st.sampled_from(HOURS),
        capacities=some_capacities,
        limits=st.sampled_from(LIMITS),
        later=st.booleans(),
        strict=st.booleans(),
    )
    def publish(
        self, hospital: int, days: int, hour: int, capacities: list[int], limits: Limits, later: bool, strict: bool
    ) -> None:
        """`later`: not on sale yet. `strict`: to be cancelled an hour before its start at the latest."""
        self._tick()
        day = (self.plain.now.astimezone(SHANGHAI) + timedelta(days=days)).replace(hour=hour, minute=0, second=0)
        slots = tuple(
            SlotPlan(str(n), day + n * WIDTH, day + (n + 1) * WIDTH, capacity) for n, capacity in enumerate(capacities)
        )
        opens_at = self.plain.now + timedelta(minutes=30 if later else -30)
        self.keys += 1
        self._put(hospital, f"S{self.keys}", Plan(slots, opens_at, day - timedelta(hours=int(strict)), 2500, limits))

    @precondition(lambda self: self.plain.sessions)
    @rule(
        which=any_one,
        slot=any_one,
        how=st.sampled_from(["again", "grow", "shrink", "drop", "move", "add", "limits", "fee", "open"]),
    )
    def republish(self, which: int, slot: int, how: str) -> None:
        self._tick()
        session = self._session(which)
        self._put(session.hospital, session.key, _changed(session.plan, slot, how, self.plain.now))

    def _put(self, hospital: int, key: str, plan: Plan) -> None:
        expected = self.plain.publish(hospital, key, plan)
        answer = self.world.ask("PUT", f"/v1/hospital/schedules/{key}", self.world.clinics[hospital], _body(plan))
        assert said(answer) == expected, answer.text
        session = self.plain.sessions[hospital, key]
        if expected == OK:
            self.ids[session] = answer.json()["schedule_id"]
            self.ids |= {session.slots[slot["key"]]: slot["slot_id"] for slot in answer.json()["slots"]}
            shown = [
                (slot["key"], slot["capacity"], slot["booked"], slot["stopped"]) for slot in answer.json()["slots"]
            ]
            assert shown == [(slot.key, len(slot.places), slot.taken, slot.stopped) for slot in session.offered]

    @precondition(lambda self: self.plain.sessions)
    @rule(which=any_one, slot=st.none() | any_one)
    def stop(self, which: int, slot: int | None) -> None:
        self._tick()
        session = self._session(which)
        keys = None if slot is None else [session.offered[slot % len(session.offered)].key]
        expected, cancelled = self.plain.stop(session, keys)
        self._post_schedule(session, "stop", {"reason": "stopped", "keys": keys}, expected, {"cancelled": cancelled})

    @precondition(lambda self: self._due())
    @rule(which=any_one)
    def close(self, which: int) -> None:
        """One of today; now and then any."""
        due = self._due()
        self._tick()
        self._close(due[which % len(due)] if which % 5 else self._session(which))

    def _due(self) -> list[Session]:
        today = self.plain.now.astimezone(SHANGHAI).date()
        return [one for one in self.plain.sessions.values() if one.status == "open" and one.plan.date == today]

    def _close(self, session: Session) -> None:
        expected, missed = self.plain.close(session)
        self._post_schedule(session, "close", {}, expected, {"noshow": missed})

    def _post_schedule(self, session: Session, what: str, body: Any, expected: str, shown: dict[str, int]) -> None:
        path = f"/v1/hospital/schedules/{session.key}/{what}"
        answer = self.world.ask("POST", path, self.world.clinics[session.hospital], body)
        assert said(answer) == expected, answer.text
        assert expected != OK or answer.json() == shown

    # What patients do

    @precondition(lambda self: self.plain.sessions)
    @rule(card=any_one, which=any_one, slot=any_one)
    def book(self, card: int, which: int, slot: int) -> None:
        self._tick()
        self._book(self._card(card), self._slot(which, slot))

    @precondition(lambda self: self.plain.sessions)
    @rule(which=any_one)
    def rush(self, which: int) -> None:
        """Everybody wants the same session: who finds no place stands in line."""
        session = self._session(which)
        for card in self.cards:
            for slot in session.offered:
                self._tick()
                if self._book(card, slot) != "slot-full":
                    break
            else:
                self._wait(card, session, None)

    def _book(self, card: Card, slot: Slot) -> str:
        expected = self.plain.book(card, slot, "patient")
        answer = self.world.of_card("POST", card, "appointments", {"slot_id": self.ids[slot]})
        assert said(answer) == expected, answer.text
        if expected == "booking-paused":
            assert datetime.fromisoformat(answer.json()["until"]) == self.plain.paused_until(card.person)
        self._link()
        return expected

    @precondition(lambda self: self.plain.appointments)
    @rule(which=any_one, card=any_one, own=st.booleans())
    def cancel(self, which: int, card: int, own: bool) -> None:
        """With the card that booked it, or with any."""
        self._tick()
        appointment = self._appointment(which)
        by = appointment.card if own else self._card(card)
        seen = self.plain.sees(by, appointment.card)
        expected = self.plain.cancel(appointment, "patient") if seen else "not-found"
        answer = self.world.ask("DELETE", f"/v1/patient/appointments/{appointment.id}", self.world.headers[by])
        assert said(answer) == expected, answer.text

    @precondition(lambda self: self.plain.sessions)
    @rule(card=any_one, which=any_one, slot=st.none() | any_one)
    def wait(self, card: int, which: int, slot: int | None) -> None:
        self._tick()
        session = self._session(which)
        self._wait(self._card(card), session, None if slot is None else self._slot(which, slot))

    def _wait(self, card: Card, session: Session, slot: Slot | None) -> None:
        expected = self.plain.wait(card, session, slot)
        body = {"schedule_id": self.ids[session], "slot_id": self.ids[slot] if slot else None}
        answer = self.world.of_card("POST", card, "waitings", body)
        assert said(answer) == expected, answer.text
        if expected == OK:
            wait, shown = self.plain.line[-1], answer.json()
            wait.id = shown["waiting_id"]
            assert (shown["status"], shown["position"]) == ("waiting", self.plain.position(wait))

    @precondition(lambda self: self.plain.line)
    @rule(which=any_one, card=any_one, own=st.booleans())
    def withdraw(self, which: int, card: int, own: bool) -> None:
        self._tick()
        wait = self.plain.line[-1 - which % len(self.plain.line)]
        by = wait.card if own else self._card(card)
        expected = self.plain.withdraw(wait) if self.plain.sees(by, wait.card) else "not-found"
        answer = self.world.ask("DELETE", f"/v1/patient/waitings/{wait.id}", self.world.headers[by])
        assert said(answer) == expected, answer.text

    @precondition(lambda self: not any(card.frozen_by for card in self.cards[2:]))
    @rule(card=any_one)
    def freeze(self, card: int) -> None:
        self._tick()
        found = self._card(card)
        assert said(self.world.of_card("POST", found, "freeze", {})) == self.plain.freeze(found)

    @precondition(lambda self: any(card.frozen_by for card in self.cards))
    @rule(card=any_one)
    def unfreeze(self, card: int) -> None:
        self._tick()
        frozen = [one for one in self.cards if one.frozen_by]
        found = frozen[card % len(frozen)] if card % 5 else self._card(card)
        assert said(self.world.of_card("POST", found, "unfreeze", {})) == self.plain.unfreeze(found)

    @precondition(lambda self: not self.missed)
    @rule(card=any_one)
    def miss_three(self, card: int) -> None:
        """Of three sessions of today; what the limits allow of them."""
        missed, self.missed = self._card(card), True
        for hour in (17, 18, 19):
            self.publish(hour % 2, 0, hour, [1], Limits(), False, False)
            session = next(reversed(self.plain.sessions.values()))
            self._book(missed, session.slots["0"])
            self._close(session)

    # What windows do

    @rule(card=any_one, hospital=some_hospital, step=st.sampled_from([ARRIVAL, ARRIVAL, LOOKING]))
    def scan(self, card: int, hospital: int, step: str) -> None:
        self._tick()
        self._scan(self._card(card), hospital, step)

    @precondition(lambda self: self._today())
    @rule(late=st.booleans())
    def everybody_comes(self, late: bool) -> None:
        """Who is booked today, before the first start or after the last end."""
        today = self._today()
        to = max(one.ends for one in today) if late else min(one.start for one in today) - BEFOREHAND
        self._move(max(to, self.plain.now) + timedelta(seconds=1))
        for appointment in today:
            self._tick()
            self._scan(appointment.card, appointment.session.hospital, ARRIVAL)

    def _today(self) -> list[Appointment]:
        today = self.plain.now.astimezone(SHANGHAI).date()
        return [one for one in self.plain.appointments if one.status == "booked" and one.session.plan.date == today]

    def _scan(self, card: Card, hospital: int, step: str) -> str | None:
        """The resolution's path, or None of a card that shows no code."""
        answer = self.world.scan(card, hospital, step)
        if card.frozen_by:
            assert said(answer) == "card-frozen"
            return None
        assert said(answer) == OK, answer.text
        due = self.plain.arrive(card.person, hospital) if step == ARRIVAL else None
        shown = answer.json()["arrival"]
        assert (shown and shown["appointment_id"]) == (due and str(due.id))
        if due:
            said_of = (shown["status"], shown["late"], shown["ahead"])
            assert said_of == ("arrived", due.late, self.plain.ahead(due))
        return f"/v1/hospital/resolutions/{answer.json()['resolution_id']}/appointments"

    @precondition(lambda self: self.plain.sessions)
    @rule(card=any_one, hospital=some_hospital, which=any_one, slot=any_one)
    def book_at_a_window(self, card: int, hospital: int, which: int, slot: int) -> None:
        self._tick()
        found, wanted = self._card(card), self._slot(which, slot)
        path = self._scan(found, hospital, LOOKING)
        if path is not None:
            ours = wanted.session.hospital == hospital
            expected = self.plain.book(found, wanted, "hospital") if ours else "not-found"
            answer = self.world.ask("POST", path, self.world.clinics[hospital], {"slot_id": self.ids[wanted]})
            assert said(answer) == expected, answer.text
            self._link()

    @precondition(lambda self: self.plain.appointments)
    @rule(which=any_one, arriving=st.booleans(), what=st.sampled_from(["cancel", "fulfil"]))
    def finish_at_a_window(self, which: int, arriving: bool, what: str) -> None:
        """Cancel, or fulfil; perhaps with the scan that makes them arrived."""
        self._tick()
        appointment = self._appointment(which)
        hospital = appointment.session.hospital
        path = self._scan(appointment.card, hospital, ARRIVAL if arriving else LOOKING)
        if path is not None:
            fulfilling = what == "fulfil"
            expected = self.plain.fulfil(appointment) if fulfilling else self.plain.cancel(appointment, "hospital")
            answer = self.world.ask("POST", f"{path}/{appointment.id}/{what}", self.world.clinics[hospital], {})
            assert said(answer) == expected, answer.text

    # Time

    @rule(how=st.sampled_from(["a little", "an hour", "next start", "before a start", "next morning"]))
    def let_time_pass(self, how: str) -> None:
        """Also to the very second where something begins or ends."""
        now, starts = self.plain.now, [slot.start for one in self.plain.sessions.values() for slot in one.offered]
        ways = {
            "a little": [now + timedelta(minutes=10)],
            "an hour": [now + timedelta(hours=1)],
            "next start": sorted(starts),
            "before a start": sorted(start - BEFOREHAND for start in starts),
            "next morning": [now.astimezone(SHANGHAI).replace(hour=6, minute=0, second=0) + timedelta(days=1)],
        }
        self._move(next((to for to in ways[how] if to > now), now + WIDTH))

    @precondition(lambda self: any(self.plain.paused_until(card.person) for card in self.cards))
    @rule()
    def let_a_season_pass(self) -> None:
        """Pauses are over."""
        self._move(self.plain.now + SEASON)

    def _tick(self) -> None:
        self._move(self.plain.now + timedelta(seconds=1))

    def _move(self, to: datetime) -> None:
        self.plain.move(to)
        self.world.move(to)

    # What is seen from outside

    @rule(hospital=some_hospital)
    def find_slots(self, hospital: int) -> None:
        path = f"/v1/slots?from={BEGIN.date()}&limit=100"
        answer = self.world.ask("GET", path, self.world.clinics[hospital]).json()["slots"]
        sessions = [one for one in self.plain.sessions.values() if one.hospital == hospital]
        offered = {self.ids[slot]: _seen(slot, self.plain.now) for session in sessions for slot in session.offered}
        assert answer
        assert {slot["slot_id"]: (slot["free"], slot["status"]) for slot in answer}.items() <= offered.items()

    @rule(card=any_one)
    def look_at_my_own(self, card: int) -> None:
        mine = self._card(card)
        self._link()
        seen = [one for one in self.plain.appointments if one.card is mine or (mine.own and one.person is mine.person)]
        shown = self.world.of_card("GET", mine, "appointments?limit=100").json()["appointments"]
        assert {one["appointment_id"]: (one["status"], one["ahead"]) for one in shown} == {
            str(one.id): (one.status, self.plain.ahead(one)) for one in seen
        }

    @invariant()
    def the_rows_are_what_the_rules_say(self) -> None:
        self._link()
        fetch, plain = self.world.fetch, self.plain
        appointments = {one["id"]: tuple(one.values())[1:] for one in fetch(_APPOINTMENTS)}
        assert appointments == {one.id: self._row(one) for one in plain.appointments}
        lines = {
            str(one["waiting_id"]): (one["status"], one["position"], one["appointment_id"]) for one in fetch(_LINES)
        }
        assert lines == {
            str(w.id): (w.status, plain.position(w), w.appointment and w.appointment.id) for w in plain.line
        }
        places = {(str(one["slot_id"]), one["number"]): one["appointment_id"] for one in fetch("SELECT * FROM places")}
        assert places == {
            (self.ids[slot], place.number): place.appointment and place.appointment.id
            for session in plain.sessions.values()
            for slot in session.slots.values()
            for place in slot.places
        }
        states = {str(one["id"]): one["status"] for one in fetch("SELECT id, status FROM schedules")}
        assert states == {self.ids[session]: session.status for session in plain.sessions.values()}

    @invariant()
    def everybody_was_told_once(self) -> None:
        self._link()
        told = Counter(tuple(one.values()) for one in self.world.fetch(_TOLD))
        assert told == Counter((kind, account, str(one.id)) for kind, account, one in self.plain.told)

    @invariant()
    def what_must_agree_does(self) -> None:
        found = self.world.run(booking_checker.faults(self.world.afetch))
        assert not found, found

    @invariant()
    def nobody_is_passed_over(self) -> None:
        """But who could not take it when it became free: it has been on sale since."""
        found = {(str(one["slot_id"]), one["number"], str(one["waiting"])) for one in self.world.fetch(_PASSED_OVER)}
        assert found <= {
            (self.ids[slot], place.number, str(wait.id))
            for session in self.plain.sessions.values()
            for slot in session.slots.values()
            for place in slot.places
            for wait in place.passed
        }

    def _link(self) -> None:
        """Tell the rules the ids of appointments that were made."""
        nameless = [one for one in self.plain.appointments if one.id is None]
        if not nameless:
            return
        known = {one.id for one in self.plain.appointments}
        for made in self.world.fetch("SELECT id, slot_id, number, card_id, booked_by FROM appointments ORDER BY at"):
            if made["id"] not in known:
                same = [
                    one
                    for one in nameless
                    if one.id is None
                    and (self.ids[one.slot], one.number, one.by)
                    == (str(made["slot_id"]), made["number"], made["booked_by"])
                    and self.world.card_ids[one.card] == made["card_id"]
                ]
                assert same, f"an appointment that nobody made: {made}"
                same[0].id = made["id"]
        assert all(one.id is not None for one in nameless), "an appointment that was not made"

    def _row(self, one: Appointment) -> tuple[Any, ...]:
        ids = (self.ids[one.slot], self.world.card_ids[one.card], one.number)
        return (*ids, one.status, one.by, one.cancelled_by, one.arrived_at, one.late, self.plain.ahead(one))

    # Choosing: what was made last first

    def _card(self, which: int) -> Card:
        return self.cards[which % len(self.cards)]

    def _session(self, which: int) -> Session:
        """Mostly one that is open."""
        found = list(self.plain.sessions.values())
        if which % 6:
            found = [one for one in found if one.status == "open"] or found
        return found[-1 - which % len(found)]

    def _slot(self, which: int, slot: int) -> Slot:
        """Also one that was dropped."""
        slots = list(self._session(which).slots.values())
        return slots[slot % len(slots)]

    def _appointment(self, which: int) -> Appointment:
        """Mostly one that can still be cancelled."""
        self._link()
        live = [one for one in self.plain.appointments if one.status in LIVE]
        found = live if live and which % 5 else self.plain.appointments
        return found[-1 - which % len(found)]


_APPOINTMENTS: Final = (
    "SELECT appointment_id AS id, slot_id::text, card_id, number, status, booked_by, cancelled_by, arrived_at, late, ahead"
    " FROM appointment_rows"
)
_LINES: Final = "SELECT waiting_id, status, position, appointment_id FROM waiting_rows"
_TOLD: Final = (
    "SELECT kind, account_id, ref FROM messages"
    " WHERE kind IN ('booked', 'waiting-booked', 'session-stopped', 'booking-paused')"
)
_PASSED_OVER: Final = booking_checker.PASSED_OVER


def _body(plan: Plan) -> dict[str, Any]:
    """As a hospital's system sends it."""
    return {
        "department": {"code": "03", "name": "内科"},
        "doctor": None,
        "clinic": "ordinary",
        "room": "201",
        "date": plan.date.isoformat(),
        "period": "afternoon",
        "fee_fen": plan.fee_fen,
        "opens_at": utc(plan.opens_at),
        "cancel_until": utc(plan.cancel_until),
        "min_age": plan.limits.min_age,
        "sex": plan.limits.sex,
        "slots": [
            {"key": one.key, "start": utc(one.start), "end": utc(one.ends), "capacity": one.capacity}
            for one in plan.slots
        ],
    }


def _changed(plan: Plan, which: int, how: str, now: datetime) -> Plan:
    """The plan with one thing changed."""
    at = which % len(plan.slots)
    slot, others = plan.slots[at], (*plan.slots[:at], *plan.slots[at + 1 :])
    last = max(one.ends for one in plan.slots)
    match how:
        case "grow":
            changed: tuple[SlotPlan, ...] = (slot._replace(capacity=slot.capacity + 1), *others)
        case "shrink":
            changed = (slot._replace(capacity=max(1, slot.capacity - 1)), *others)
        case "drop":
            changed = others or plan.slots
        case "move":
            changed = (slot._replace(start=last, ends=last + WIDTH), *others)
        case "add":
            free = next(str(n) for n in range(99) if str(n) not in {one.key for one in plan.slots})
            changed = (*plan.slots, SlotPlan(free, last, last + WIDTH, 1))
        case _:
            changed = plan.slots
    changed = tuple(sorted(changed, key=lambda one: one.start))
    if changed[-1].ends.astimezone(SHANGHAI).date() != plan.date or len(changed) > 6:
        changed = plan.slots  # a session stays on its date
    limits = LIMITS[which % len(LIMITS)] if how == "limits" else plan.limits
    fee_fen = plan.fee_fen + 100 if how == "fee" else plan.fee_fen
    return Plan(changed, now if how == "open" else plan.opens_at, plan.cancel_until, fee_fen, limits)


def _seen(slot: Slot, now: datetime) -> tuple[int, str]:
    """Free places and status, as who looks for slots sees them."""
    free = len(slot.places) - slot.taken
    if slot.stopped or slot.session.status == "stopped":
        return free, "stopped"
    if slot.session.status == "closed" or slot.start <= now:
        return free, "past"
    return free, "free" if free else "full"
