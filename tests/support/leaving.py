"""Somebody with something of every kind, who leaves."""

from typing import Any
from uuid import UUID

import httpx

from tests.support.booking import Booker, Clinic, new_clinic
from tests.support.payment import item
from tests.support.records import Patient, Window, lab, rule
from tests.support.service import Headers, Service

PATH = "/v1/patient/account"
YEAR = 365.25 * 86_400


class Leaver(Patient):
    """A person with a card of their own."""

    def __init__(self, service: Service, person: Any, headers: Headers, card: dict[str, Any]) -> None:
        super().__init__(service, headers, card)
        self.person = person
        self.books = Booker(service, headers, card, person)

    async def account(self, **headers: str) -> dict[str, Any]:
        """GET account."""
        answer = await self.service.http.get(PATH, headers={**self.headers, **headers})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def leave(self, confirm: str = "注销", **headers: str) -> httpx.Response:
        """DELETE account."""
        sent = {**self.headers, **headers}
        return await self.service.http.request("DELETE", PATH, headers=sent, json={"confirm": confirm})

    async def left(self) -> dict[str, Any]:
        """Having left."""
        answer = await self.leave()
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def export(self) -> httpx.Response:
        """GET export."""
        return await self.service.http.get(f"{PATH}/export", headers=self.headers)

    async def person_id(self) -> UUID:
        """The row of the person."""
        found: UUID = await self.service.value("SELECT person_id FROM cards WHERE id = $1", self.card["card_id"])
        return found

    async def account_id(self) -> UUID:
        """The row of the account."""
        found: UUID = await self.service.value("SELECT account_id FROM cards WHERE id = $1", self.card["card_id"])
        return found

    async def back(self) -> "Leaver":
        """The same WeChat user and person again."""
        return await leaver(self.service, self.person)


async def leaver(service: Service, person: Any = None) -> Leaver:
    """A new person with a card of their own."""
    person = person or service.person()
    return Leaver(service, person, *await service.holder(person))


async def relative_of(who: Leaver, relation: str = "parent") -> Leaver:
    """Another account, with its own card, that holds a card of the person, too."""
    service = who.service
    other = await leaver(service)
    card = await service.card(
        other.headers, who.person, relation=relation, proof=await service.texted(other.headers, who.person)
    )
    return Leaver(service, other.person, other.headers, card)


class Life:
    """What a person did here. `clinic` has one full session of tomorrow, where the person holds the one place."""

    def __init__(
        self, me: Leaver, window: Window, clinic: Clinic, schedule: dict[str, Any], slot: dict[str, Any]
    ) -> None:
        self.me = me
        self.window = window
        self.clinic = clinic
        self.schedule = schedule
        self.slot = slot


async def live(me: Leaver, *, raw: str | None = None) -> Life:
    """A scan, a bill, a record with a decision, a choice, a broken glass, a number, an appointment, a place in line."""
    service = me.service
    window, clinic = await me.at(), await new_clinic(service)
    path = f"/v1/hospital/resolutions/{window.resolution_id}/patient-number"
    await service.http.put(path, headers=window.headers, json={"patient_number": f"N-{me.card['card_id'][:8]}"})
    billed = {"items": [item(name="甲肝抗体检测")], "visit_number": "V-731"}
    bills = f"/v1/hospital/resolutions/{window.resolution_id}/bills"
    assert (await service.http.post(bills, headers=window.headers, json=billed)).status_code == 201
    record = await window.posted(raw or lab())
    await me.permit(window)
    await me.allow(rule(effect="deny"), rule(window.hospital_id))
    await window.break_glass()
    await window.get(record["record_id"])
    _, schedule, (slot,) = await clinic.session(clinic.day(), [1])
    await me.books.booked(slot)
    _, full, (other,) = await clinic.session(clinic.day(2), [1])
    assert (await (await leaver(service)).books.book(other)).status_code == 201
    assert (await me.books.wait(full)).status_code == 201
    return Life(me, window, clinic, schedule, slot)


async def purge(service: Service) -> None:
    """One turn of the purge."""
    await service.services.purge.turn(service.services)
