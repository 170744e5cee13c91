"""The patient's events: each worker asks once a second for all people it watches, and streams what is new.

No NOTIFY is sent from a resolving commit: its lock would serialise all commits (design.md).
"""

import asyncio
import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sanic.response import HTTPResponse, ResponseStream

from api.patient.shown import shown_access, shown_message
from api.patient.standing import require_standing
from api.problems import RATE_LIMITED
from api.web.answers import API_HEADERS, encode
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from codes.claims import services_to_names
from codes.ring import KeyState, Purpose
from models.accounts import Session, standing_among
from models.database import rows
from models.messages import Told, messages_since
from models.scans import accesses_since

if TYPE_CHECKING:
    from api.services import Services

ASK_SECONDS: Final = 1.0
OVERLAP: Final = timedelta(seconds=15)  # commits become visible out of order by at most a transaction's time
RESUME_MOST: Final = timedelta(minutes=10)
KEEP_ALIVE_SECONDS: Final = 10.0
STREAM_MOST_SECONDS: Final = 3600.0
CONTENT_TYPE: Final = "text/event-stream; charset=utf-8"
_QUEUE: Final = 200
_ID: Final = re.compile(r"(\d{1,17})-([0-9a-f-]{1,40})")
_log = logging.getLogger("yima.events")
subject = Subject("Patients")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when it became true, its own id, name and data."""

    at: datetime
    key: str
    name: str
    data: dict[str, Any]

    def text(self) -> bytes:
        """Its lines in the stream."""
        micros = int(self.at.timestamp()) * 1_000_000 + self.at.microsecond
        return f"id: {micros}-{self.key}\nevent: {self.name}\ndata: ".encode() + encode(self.data) + b"\n\n"


@dataclass(slots=True, eq=False)
class Watcher:
    """One open stream: whose session and cards it watches, and what it has sent."""

    session: Session
    language: str
    since: datetime
    cards: set[UUID] = field(default_factory=set)
    own_people: set[UUID] = field(default_factory=set)
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE + 1))
    sent: dict[str, datetime] = field(default_factory=dict)
    ending: bool = False

    @property
    def account_id(self) -> UUID:
        """Whose it is."""
        return self.session.account_id

    def watch(self, cards: list[Any]) -> None:
        """Take the account's cards as they are now: a `self` card covers its person, the others themselves."""
        own = [record for record in cards if record["account_id"] == self.account_id]
        self.cards = {record["id"] for record in own}
        self.own_people = {record["person_id"] for record in own if record["relation"] == "self"}

    def offer(self, event: Event) -> None:
        """Queue an event once. A reader too slow for the queue is ended: it resumes from the last id it got."""
        if self.ending or event.at <= self.since or event.key in self.sent:
            return
        if self.queue.qsize() >= _QUEUE:
            self.end()
            return
        self.sent[event.key] = event.at
        self.queue.put_nowait(event)

    def pass_over(self, edge: datetime) -> None:
        """What is older was offered."""
        self.since = max(self.since, edge)
        self.sent = {key: at for key, at in self.sent.items() if at > self.since}

    def end(self) -> None:
        """End the stream after what is queued (there is a place for this one)."""
        if not self.ending:
            self.ending = True
            self.queue.put_nowait(None)


class EventHub:
    """All streams of this worker, and the one question a second that feeds them."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._issuing: bytes | None = None

    def add(self, watcher: Watcher) -> None:
        """Watch."""
        self._watchers.add(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Watch no more."""
        self._watchers.discard(watcher)

    async def run(self, services: "Services") -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            if not self._watchers:
                continue
            try:
                await self._ask(services)
            except Exception as error:
                _log.warning("events not read", extra={"error": type(error).__name__})

    def close(self) -> None:
        """End all streams."""
        for watcher in self._watchers:
            watcher.end()

    async def _ask(self, services: "Services") -> None:
        """End the streams of sessions that were signed out, then feed the others; those that resume, each alone."""
        watchers = list(self._watchers)
        standing = await standing_among([watcher.session for watcher in watchers])
        for watcher in watchers:
            if watcher.session.session_id not in standing:
                watcher.end()
        edge = services.clock.today() - OVERLAP
        live = [watcher for watcher in watchers if watcher.since >= edge]
        for group in (live, *([watcher] for watcher in watchers if watcher.since < edge)):
            if group:
                await _feed(services, group)
        self._look_at_keys(services, watchers)
        for watcher in watchers:
            watcher.pass_over(edge)

    def _look_at_keys(self, services: "Services", watchers: list[Watcher]) -> None:
        """A page whose code was made under a key that was cut off fetches a new one."""
        ring = services.vault.ring
        before, self._issuing = self._issuing, ring.issuing().kid
        if before is None or before == self._issuing or ring.state(Purpose.CODE, before) is not KeyState.COMPROMISED:
            return
        event = Event(services.clock.today(), before.hex(), "key-replaced", {})
        for watcher in watchers:
            watcher.offer(event)


async def _feed(services: "Services", watchers: list[Watcher]) -> None:
    """Offer these streams what happened since the eldest's time, in the order of time, as resuming needs it."""
    since = min(watcher.since for watcher in watchers)
    accounts = list({watcher.account_id for watcher in watchers})
    cards = await cards_of_accounts(accounts)
    for watcher in watchers:
        watcher.watch(cards)
    people = list({record["person_id"] for record in cards})
    found = [_access(watchers, record) for record in await accesses_since(people, since)]
    for told in await messages_since(services.vault, accounts, since):
        found += _message(watchers, told)
    found += [change for record in cards if (change := _card(watchers, record))]
    for event, to in sorted(found, key=lambda one: one[0].at):
        for watcher in to:
            watcher.offer(event)


async def cards_of_accounts(accounts: list[UUID]) -> list[Any]:
    """The cards of these accounts, closed ones too: a refused try of one is shown."""
    return await rows(
        "SELECT id, account_id, person_id, relation, status, created_at, changed_at FROM cards"
        " WHERE account_id = ANY($1) ORDER BY changed_at",
        accounts,
    )


def _message(watchers: list[Watcher], told: Told) -> list[tuple[Event, list[Watcher]]]:
    """The event of a message, in each language that is read."""
    found = []
    for language in {watcher.language for watcher in watchers}:
        shown = shown_message(told, language)
        data = {
            "message_id": shown.message_id,
            "kind": shown.kind,
            "card_id": shown.card_id,
            "text": shown.text,
            "ref": shown.ref,
        }
        to = [one for one in watchers if one.account_id == told.account_id and one.language == language]
        found.append((Event(told.at, str(told.message_id), "message", data), to))
    return found


def _card(watchers: list[Watcher], record: Any) -> tuple[Event, list[Watcher]] | None:
    at = record["changed_at"]
    if at == record["created_at"]:
        return None
    key = f"{record['id'].hex[:12]}{int(at.timestamp() * 1_000_000):x}"
    event = Event(at, key, "card", {"card_id": record["id"], "status": record["status"]})
    return event, [watcher for watcher in watchers if record["account_id"] == watcher.account_id]


def _access(watchers: list[Watcher], record: Any) -> tuple[Event, list[Watcher]]:
    shown = shown_access(record)
    data = {
        "card_id": record["card_id"],
        **{
            name: getattr(shown, name) for name in ("access_id", "at", "hospital", "department", "terminal", "operator")
        },
        "step": shown.step,
        "what": shown.what,
        "granted": services_to_names(record["granted"]) if record["granted"] else [],
        "outcome": shown.outcome,
        "reason": shown.reason,
    }
    event = Event(record["at"], str(record["id"]), "refused" if record["reason"] else "scanned", data)
    return event, [one for one in watchers if record["person_id"] in one.own_people or record["card_id"] in one.cards]


@subject.route(
    "GET",
    "/v1/patient/events",
    Caller.PATIENT,
    "What happens to the account's cards, as it happens (text/event-stream)",
    answers={200: Media("text/event-stream", "events scanned, refused, card, message, key-replaced")},
    problems=(RATE_LIMITED,),
    headers=("Last-Event-ID",),
    limit="events",
)
async def stream_events(call: Call[None]) -> HTTPResponse | ResponseStream:
    """Stream until the client goes; `Last-Event-ID` resumes from ten minutes back at most."""
    services, patient = call.services, call.patient
    await require_standing(call)
    since, seen = _resume(call)
    watcher = Watcher(Session(patient.account_id, patient.session_id, patient.epoch), call.language, since)
    watcher.sent[seen] = services.clock.today()

    async def stream(response: Any) -> None:
        services.events.add(watcher)
        try:
            await response.write(b"retry: 2000\n\n: hello\n\n")
            end = min(services.clock.now() + STREAM_MOST_SECONDS, patient.expires)
            while services.clock.now() < end:
                try:
                    event = await asyncio.wait_for(watcher.queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if event is None:
                    return
                await response.write(event.text())
        finally:
            services.events.remove(watcher)

    headers = {**API_HEADERS, "X-Accel-Buffering": "no", "X-Request-Id": call.request_id}
    if call.request.method == "HEAD":  # a stream has no end that the connection could wait for
        return HTTPResponse(None, headers=headers, content_type=CONTENT_TYPE)
    return ResponseStream(stream, headers=headers, content_type=CONTENT_TYPE)


def _resume(call: Call[None]) -> tuple[datetime, str]:
    """From when to stream, and the key of the last event that the client has."""
    now = call.services.clock.today()
    found = _ID.fullmatch(call.request.headers.get("last-event-id", ""))
    if found is None:
        return now, ""
    at = datetime.fromtimestamp(int(found[1]) / 1_000_000, UTC) - timedelta(microseconds=2)
    return min(now, max(at, now - RESUME_MOST)), found[2]
