"""The service, and its people and hospitals, as the state machine drives them from its thread. Time is a row's."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
import httpx

from models.clients import SCOPES
from tests.booking.plain import SHANGHAI, Card, Person
from tests.support import crowd
from tests.support.people import new_person
from tests.support.service import Service

BEGIN: Final = datetime(2030, 3, 4, 6, 0, tzinfo=SHANGHAI)
PEOPLE: Final = (("one", "male", 40), ("two", "female", 70), ("three", "male", 25), ("four", "female", 30))
HOSPITALS: Final = 2
_TABLES: Final = (
    *("schedules", "slots", "places", "appointments", "waitings", "changes", "messages", "deliveries"),
    *("resolutions", "accesses", "refusals"),
)
_CLOCK: Final = """
CREATE TABLE IF NOT EXISTS test_clock (at timestamptz NOT NULL);
DELETE FROM test_clock;
INSERT INTO test_clock VALUES (clock_timestamp());
CREATE OR REPLACE FUNCTION yima_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT at FROM test_clock $$;
"""
Result = TypeVar("Result")


class World:
    """Called from the machine's thread; the work is done in the loop that has the connections."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self._loop = loop
        self.headers: dict[Card, crowd.Headers] = {}
        self.card_ids: dict[Card, UUID] = {}

    async def open(self) -> None:
        """Hospitals, and a clock that only the machine moves."""
        self._database = await asyncpg.connect(
            self.service.services.settings.database_url, server_settings={"jit": "off"}
        )
        await self._database.execute(_CLOCK)
        vault, clients = self.service.services.vault, [await self.service.client() for _ in range(HOSPITALS)]
        scopes = sum(SCOPES.values())
        self.clinics = [crowd.hospital(vault, client.client_id, scopes) for client in clients]

    async def close(self) -> None:
        await self._database.close()
        await self.service.move_time(0)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for what the loop does."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def begin(self) -> list[Person]:
        """Nothing is published; new people, the first with a card in the second one's account, too."""
        return self.run(self._begin())

    async def _begin(self) -> list[Person]:
        await self._database.execute(";".join(f"DELETE FROM {table}" for table in _TABLES))
        await self._move(BEGIN)
        vault, people, accounts = self.service.services.vault, [], []
        for name, sex, age in PEOPLE:
            known = new_person(birthday=date(BEGIN.year - age, 1, 2), female=sex == "female")
            (one,) = await crowd.crowd(vault, [known])
            person = Person(name, sex, age)
            self._hold(person, one.own, own=True)
            people.append(person)
            accounts.append((one, known))
        first, second = people[:2]
        added = await crowd.add(vault, accounts[0][0], accounts[1][0].own.account_id)
        self._hold(first, added, own=False)
        self.person_ids = {person: one.person_id for person, (one, _) in zip(people, accounts, strict=True)}
        assert second.cards[0].account == first.cards[1].account
        return people

    def _hold(self, person: Person, held: crowd.Held, *, own: bool) -> None:
        card = Card(person, held.account_id, own)
        person.cards.append(card)
        self.headers[card], self.card_ids[card] = held.headers, held.card_id

    def move(self, to: datetime) -> None:
        """It is then; what is over closes at once."""
        self.run(self._move(to))

    async def _move(self, to: datetime) -> None:
        await self._database.execute("UPDATE test_clock SET at = $1", to)
        now = time.monotonic()
        self.service.services.clock.learn(to, now, now)
        await self.service.services.closing.turn(self.service.services)

    def fetch(self, statement: str) -> list[Any]:
        """Rows."""
        return self.run(self._database.fetch(statement))

    async def afetch(self, statement: str) -> list[Any]:
        """Rows, in the loop."""
        return list(await self._database.fetch(statement))

    def ask(self, method: str, path: str, who: crowd.Headers, body: Any = None) -> httpx.Response:
        """One call."""
        more: dict[str, Any] = {} if body is None else {"json": body}
        return self.run(self.service.http.request(method, path, headers=who, **more))

    def of_card(self, method: str, card: Card, path: str, body: Any = None) -> httpx.Response:
        """A call below a card."""
        return self.ask(method, f"/v1/patient/cards/{self.card_ids[card]}/{path}", self.headers[card], body)

    def scan(self, card: Card, hospital: int, step: str) -> httpx.Response:
        """A new code of a card, scanned at a hospital; or the refusal of a code."""
        issued = self.of_card("POST", card, "codes", {})
        if issued.status_code != 201:
            return issued
        body = {"code": issued.json()["code"], "step": step, "channel": "0100", "terminal": "W01"}
        return self.ask("POST", "/v1/hospital/resolutions", self.clinics[hospital], body)


def said(answer: httpx.Response) -> str:
    """The outcome of an answer: "ok", or the problem's code."""
    return "ok" if answer.is_success else str(answer.json()["code"])
