"""A hospital with sessions, and people who book: the words of the booking tests."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx

from api.patient.session import TOKEN_SECONDS
from api.sandbox.people import Person
from codes.identity import parse_document
from codes.ring import Purpose
from codes.tokens import Token, make_token
from models.accounts import WeChatIdentity, sign_in
from models.cards import PersonData, add_card, upsert_person
from models.database import transaction
from tests.support.service import ALL_SCOPES, Client, Headers, Service, bearer, refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
ARRIVAL = "0101012"


def utc(at: datetime) -> str:
    """As JSON has it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Clinic:
    """One hospital that publishes sessions; time is the service's."""

    def __init__(self, service: Service, who: Headers, client: Client | None = None) -> None:
        self.service = service
        self.who = who
        self.client = client
        self._keys = 0

    async def renew(self) -> None:
        """A token that holds at the time as it is now."""
        assert self.client is not None
        self.who = bearer((await self.service.token(self.client)).json()["access_token"])

    @property
    def hospital_id(self) -> str:
        """Of its client."""
        assert self.client is not None
        return self.client.hospital_id

    def now(self) -> datetime:
        """The time that decides, local."""
        return datetime.fromtimestamp(self.service.now(), SHANGHAI).replace(microsecond=0)

    def day(self, days: int = 1, hour: int = 9, minute: int = 0) -> datetime:
        """A local time so many days on."""
        return (self.now() + timedelta(days=days)).replace(hour=hour, minute=minute, second=0)

    def body(self, start: datetime, capacities: list[int], *, minutes: int = 10, **more: Any) -> dict[str, Any]:
        """A session of slots in a row, one for each capacity."""
        width = timedelta(minutes=minutes)
        return {
            "department": {"code": "03.01", "name": "内科"},
            "doctor": {"code": "D1", "name": "测试医生", "title": "主任医师"},
            "clinic": "expert",
            "room": "201",
            "date": start.date().isoformat(),
            "period": "morning" if start.hour < 12 else "afternoon" if start.hour < 18 else "evening",
            "fee_fen": 2500,
            "opens_at": utc(self.day(-1, 0)),
            "cancel_until": utc(start),
            "slots": [
                {"key": str(n), "start": utc(start + n * width), "end": utc(start + (n + 1) * width), "capacity": c}
                for n, c in enumerate(capacities)
            ],
            **more,
        }

    def new_key(self) -> str:
        """A key that no session has."""
        self._keys += 1
        return f"S{self._keys}"

    async def put(self, key: str, body: dict[str, Any]) -> httpx.Response:
        """PUT a schedule."""
        return await self.service.http.put(f"/v1/hospital/schedules/{key}", headers=self.who, json=body)

    async def session(
        self, start: datetime, capacities: list[int], **more: Any
    ) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
        """A new session: its key, the Schedule, and its slots in the order of time."""
        key = self.new_key()
        made = await self.put(key, self.body(start, capacities, **more))
        assert made.status_code == 201, made.text
        schedule: dict[str, Any] = made.json()
        return key, schedule, schedule["slots"]

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """POST under this hospital's schedules."""
        return await self.service.http.post(f"/v1/hospital/schedules/{path}", headers=self.who, json=body)

    async def changes(self) -> list[tuple[str, str]]:
        """All (kind, ref), in order."""
        found: list[tuple[str, str]] = []
        cursor = ""
        while True:
            page = (
                await self.service.http.get(
                    "/v1/hospital/changes",
                    headers=self.who,
                    params={"limit": 100, **({"cursor": cursor} if cursor else {})},
                )
            ).json()
            if not page["changes"]:
                return found
            found += [(change["kind"], change["ref"]) for change in page["changes"]]
            cursor = page["next_cursor"]


class Booker:
    """A person with a card."""

    def __init__(self, service: Service, me: Headers, card: dict[str, Any], person: Person | None = None) -> None:
        self.service, self.me, self.card, self.person = service, me, card, person

    async def renew(self) -> None:
        """A token that holds at the time as it is now."""
        assert self.person is not None
        self.me = await self.service.patient(self.person)

    @property
    def path(self) -> str:
        """The card's."""
        return f"/v1/patient/cards/{self.card['card_id']}"

    async def book(self, slot: dict[str, Any], **headers: str) -> httpx.Response:
        """POST appointments."""
        return await self.service.http.post(
            f"{self.path}/appointments", headers={**self.me, **headers}, json={"slot_id": slot["slot_id"]}
        )

    async def booked(self, slot: dict[str, Any]) -> dict[str, Any]:
        """An appointment that was made."""
        answer = await self.book(slot)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def cancel(self, appointment: dict[str, Any]) -> httpx.Response:
        """DELETE the appointment."""
        return await self.service.http.delete(
            f"/v1/patient/appointments/{appointment['appointment_id']}", headers=self.me
        )

    async def wait(self, schedule: dict[str, Any], slot: dict[str, Any] | None = None) -> httpx.Response:
        """POST waitings."""
        body = {"schedule_id": schedule["schedule_id"], **({"slot_id": slot["slot_id"]} if slot else {})}
        return await self.service.http.post(f"{self.path}/waitings", headers=self.me, json=body)

    async def appointments(self, **query: Any) -> list[dict[str, Any]]:
        """The first page."""
        answer = await self.service.http.get(f"{self.path}/appointments", headers=self.me, params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["appointments"]
        return found

    async def waitings(self) -> list[dict[str, Any]]:
        """The first page."""
        found: list[dict[str, Any]] = (await self.service.http.get(f"{self.path}/waitings", headers=self.me)).json()[
            "waitings"
        ]
        return found

    async def messages(self, kind: str, language: str = "zh") -> list[dict[str, Any]]:
        """The messages of a kind."""
        headers = {**self.me, "Accept-Language": language}
        page = (await self.service.http.get("/v1/patient/messages", headers=headers, params={"limit": 100})).json()
        return [message for message in page["messages"] if message["kind"] == kind]

    async def scanned(self, clinic: Clinic, services: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """The resolution of a new code of the card, at a clinic."""
        code = await self.service.code(self.me, self.card, services)
        return await self.service.resolved(clinic.who, code, **more)


async def new_clinic(service: Service, scopes: tuple[str, ...] = ALL_SCOPES, **more: Any) -> Clinic:
    """A new hospital."""
    made = Clinic(service, {}, await service.client(scopes, **more))
    await made.renew()
    return made


async def new_booker(service: Service, **person: Any) -> Booker:
    """A new person with their own card, written as signing in and binding do: by HTTP that is a dozen calls."""
    known, vault = service.person(**person), service.services.vault
    document = parse_document(known.id_type, known.id_number)
    birthday = document.birthday.isoformat() if document.birthday else None
    data = PersonData(known.name, document.type, document.number, known.phone, document.gender, birthday)
    account = await sign_in(vault, WeChatIdentity(known.openid, known.unionid, "session-key"))
    async with transaction() as tx:
        person_id = await upsert_person(vault, data, using=tx)
        card_id = await add_card(vault, account.account_id, person_id, "self", using=tx)
    expires = int(service.now()) + TOKEN_SECONDS
    token = Token("patient", account.account_id.bytes, uuid4().bytes, account.epoch, 0, expires)
    me = bearer(make_token(vault.ring.symmetric(Purpose.TOKEN), token))
    return Booker(service, me, {"card_id": str(card_id)}, known)


async def new_bookers(service: Service, count: int) -> list[Booker]:
    """So many people."""
    return list(await asyncio.gather(*(new_booker(service) for _ in range(count))))


async def on_two_accounts(service: Service) -> tuple[Booker, Booker]:
    """One person on two accounts: their own, and a relative's who holds a card of them, too."""
    hers, relative = await new_bookers(service, 2)
    person_id = await service.value("SELECT person_id FROM cards WHERE id = $1", hers.card["card_id"])
    account_id = await service.value("SELECT account_id FROM cards WHERE id = $1", relative.card["card_id"])
    async with transaction() as tx:
        card_id = await add_card(service.services.vault, account_id, person_id, "parent", using=tx)
    return hers, Booker(service, relative.me, {"card_id": str(card_id)})


async def child_of(parent: Booker) -> Booker:
    """A child of eight on its parent's account."""
    service = parent.service
    year = datetime.fromtimestamp(service.now(), SHANGHAI).year
    child = service.person(parent=parent.person, birthday=date(year - 8, 1, 1))
    proof = {"type": "guardian", "card_id": parent.card["card_id"]}
    return Booker(service, parent.me, await service.card(parent.me, child, relation="child", proof=proof))


async def go_to(service: Service, moment: datetime, *renewed: Clinic | Booker) -> None:
    """The clock that decides shows this moment and goes on; tokens are renewed for it."""
    await service.move_time((moment - datetime.now(UTC)).total_seconds())
    await asyncio.gather(*(each.renew() for each in renewed))


async def stand_at(service: Service, moment: datetime, *renewed: Clinic | Booker) -> None:
    """The clock that decides stands at this very moment; tokens are renewed for it."""
    await service.stop_time(moment.timestamp())
    await asyncio.gather(*(each.renew() for each in renewed))


def local(days: int, hour: int, minute: int = 0) -> datetime:
    """A time in Shanghai, so many days from the machine's own."""
    here = datetime.now(SHANGHAI) + timedelta(days=days)
    return here.replace(hour=hour, minute=minute, second=0, microsecond=0)


def field(answer: httpx.Response) -> str:
    """The JSON pointer of the one field that a 422 names."""
    (error,) = refused(answer, 422, "validation-failed")["errors"]
    return str(error["field"])
