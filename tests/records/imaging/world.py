"""The words of the imaging tests: hospitals with a PACS, people with a patient number, turns of asking."""

import asyncio
import json
from typing import Any, Final
from uuid import uuid4

from api.sandbox.people import Person
from models.database import transaction
from models.leases import hold, release
from models.systems import drop_system
from tests.support.service import Client, Headers, Service, bearer

ANOTHER_WORKER: Final = uuid4()


class Patient:
    """A person at a hospital, by a resolution there."""

    def __init__(self, person: Person, me: Headers, card: dict[str, Any], number: str) -> None:
        self.person = person
        self.me = me
        self.card = card
        self.number = number


class World:
    """One service, and what the tests do to it."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def hospital(self, registration: dict[str, str] | None = None) -> tuple[Client, Headers]:
        """A new hospital, with its client's token; `registration`: its PACS."""
        client = await self.service.client()
        token = bearer((await self.service.token(client)).json()["access_token"])
        if registration is not None:
            await self.register(client.hospital_id, registration)
        return client, token

    async def register(self, hospital_id: str, body: dict[str, str]) -> None:
        """Register a PACS."""
        admin = await self.service.admin("registrar")
        answer = await self.service.http.put(f"/v1/admin/hospitals/{hospital_id}/dicomweb", headers=admin, json=body)
        assert answer.status_code == 200, answer.text

    async def asks_only_when_told(self) -> None:
        """The service's own turns are another worker's: a test counts what a PACS was asked, and asks by `turn`."""
        while not await hold("imaging", ANOTHER_WORKER, 86_400):
            await release("imaging", self.service.services.worker)

    async def forget_systems(self) -> None:
        """No hospital has a PACS."""
        for record in await self.service.sql("SELECT hospital_id FROM connected_systems"):
            async with transaction() as tx:
                await drop_system(record["hospital_id"], "dicomweb", using=tx)

    async def resolved(self, token: Headers, patient: Patient) -> str:
        """The path of a new resolution of a patient."""
        found = await self.service.resolved(token, await self.service.code(patient.me, patient.card))
        return f"/v1/hospital/resolutions/{found['resolution_id']}"

    async def patient(self, token: Headers, number: str) -> Patient:
        """A new person, to whom the hospital of this token gives a number."""
        person = self.service.person()
        me, card = await self.service.holder(person)
        made = Patient(person, me, card, number)
        await self.number(token, made, number)
        return made

    async def number(self, token: Headers, patient: Patient, number: str) -> None:
        """The hospital gives the person this number."""
        base = await self.resolved(token, patient)
        body = {"patient_number": number}
        answer = await self.service.http.put(f"{base}/patient-number", headers=token, json=body)
        assert answer.status_code == 200, answer.text

    async def turn(self) -> None:
        """Ask every PACS now, and wait for all."""
        imaging = self.service.services.imaging
        await asyncio.gather(*imaging._tasks.values())  # the service's own turn, begun before what the test just did
        imaging._due.clear()
        await imaging.turn(self.service.services)
        await asyncio.gather(*imaging._tasks.values())

    async def permit(self, patient: Patient) -> None:
        """Everybody may read the person's records."""
        path = f"/v1/patient/cards/{patient.card['card_id']}/consents"
        asked = await self.service.http.get(path, headers=patient.me)
        rules = [{"hospital_id": "*", "kind": "*", "effect": "permit"}]
        headers = {**patient.me, "If-Match": asked.headers["etag"]}
        answer = await self.service.http.put(path, headers=headers, json={"rules": rules})
        assert answer.status_code == 200, answer.text

    async def records(self, patient: Patient, **query: str) -> list[dict[str, Any]]:
        """The person's imaging records, as the person sees them."""
        path = f"/v1/patient/cards/{patient.card['card_id']}/records"
        answer = await self.service.http.get(path, headers=patient.me, params={"kind": "imaging", **query})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    async def resource(self, patient: Patient, record: dict[str, Any]) -> dict[str, Any]:
        """A record's resource."""
        answer = await self.service.http.get(f"/v1/patient/records/{record['record_id']}", headers=patient.me)
        assert answer.status_code == 200, answer.text
        resource: dict[str, Any] = json.loads(answer.content)
        return resource

    async def written(self) -> int:
        """How many records there are, old ones too."""
        return int(await self.service.value("SELECT count(*) FROM records"))
