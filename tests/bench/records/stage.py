"""Where records are measured: a person of many and one of few, and hospitals that may read all, some or nothing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import httpx

from models import database
from models.clients import SCOPES, add_client, add_hospital
from models.consents import Rule, choose
from models.database import transaction
from models.records import KINDS, NewRecord, keep
from tests.bench.calls import only
from tests.bench.crowd import Keys, Member, make_crowd
from tests.bench.load import Load, Outcome, Request
from tests.bench.records.report import report

MANY: Final = 5000
FEW: Final = 5
ONE: Final = 1  # connection of what is timed alone, one call after the other


class Hospital(NamedTuple):
    """A hospital, and the headers of its client."""

    hospital_id: UUID
    headers: dict[str, str]


class Place(NamedTuple):
    """Where one caller asks for one person's records."""

    headers: dict[str, str]
    path: str

    def get(self, more: str = "") -> Request:
        """GET the list (`?…`), or a record below it (`/…`)."""
        return Request(self.path + more, self.headers, "", "GET")


class Person(NamedTuple):
    """A person with so many records of one hospital, seen from everywhere: the hospital whose they are, one that may
    read all, one that may read nothing, and the person.
    """

    records: list[UUID]
    own: Place
    permitted: Place
    nothing: Place
    patient: Place


class Stage(NamedTuple):
    """`service` and `minimum` are ports, `worker` the service's process; `posting` takes what is posted."""

    service: int
    minimum: int
    worker: int
    load: Load
    posting: Place
    many: Person
    few: Person

    def run(self, asked: list[Request], status: int, connections: int = 0) -> Outcome:
        """One timed run of the service, every answer of this status."""
        return only(self.load.run(self.service, asked, connections=connections), status)


async def prepare(base_url: str, keys: Keys, minimum: int, worker: int, load: Load) -> Stage:
    """Everybody, and their records. The database is connected."""
    own, permitted, nothing = [await _hospital(keys, number) for number in range(3)]
    many, few, posted = await make_crowd(keys, 3)
    async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http:
        people = []
        for member, count in ((many, MANY), (few, FEW)):
            await _permit(member, permitted)
            records = await _fill(keys, member.person_id, own, count)
            at_own, at_permitted, at_nothing = [await _scanned(http, member, one) for one in (own, permitted, nothing)]
            patient = Place(member.headers, f"/v1/patient/cards/{member.card_id}/records")
            people.append(Person(records, at_own, at_permitted, at_nothing, patient))
        posting = await _scanned(http, posted, own)
    async with database.connection().acquire_connection() as raw:
        await raw.execute("ANALYZE records, accesses", timeout=60)  # as autovacuum does, a minute later
    return Stage(http.base_url.port or 0, minimum, worker, load, posting, people[0], people[1])


async def _hospital(keys: Keys, number: int) -> Hospital:
    async with transaction() as tx:
        hospital_id = await add_hospital(f"测试医院{number}", f"H4301023333{number}", "430102", using=tx)
        assert hospital_id, "the hospital is new"
        client_id = await add_client(hospital_id, "LIS", SCOPES["records"], hashed_secret=None, jwks="{}", using=tx)
    return Hospital(hospital_id, keys.hospital(client_id, "records"))


async def _permit(member: Member, hospital: Hospital) -> None:
    """This hospital reads everything."""
    found = await database.row("SELECT account_id FROM cards WHERE id = $1", member.card_id)
    assert found, "the crowd has cards"
    rules = [Rule(hospital.hospital_id, None, "permit", None, None)]
    async with transaction() as tx:
        await choose(member.person_id, member.card_id, found["account_id"], 0, rules, using=tx)


async def _scanned(http: httpx.AsyncClient, member: Member, hospital: Hospital) -> Place:
    """A resolution of the member's code at the hospital."""
    asked = await http.post(f"/v1/patient/cards/{member.card_id}/codes", headers=member.headers, json={})
    scan = {"code": asked.raise_for_status().json()["code"], "step": "0101051", "channel": "0100", "terminal": "W01"}
    found: dict[str, Any] = (
        (await http.post("/v1/hospital/resolutions", headers=hospital.headers, json=scan)).raise_for_status().json()
    )
    return Place(hospital.headers, f"/v1/hospital/resolutions/{found['resolution_id']}/records")


async def _fill(keys: Keys, person_id: UUID, hospital: Hospital, count: int) -> list[UUID]:
    """So many records of all kinds in turn, one every eight hours, each of a report's size."""
    now, made = datetime.now(UTC), [uuid4() for _ in range(count)]
    async with transaction() as tx:
        for number, record_id in enumerate(made):
            at = now - timedelta(hours=8 * number)
            new = NewRecord(
                record_id=record_id,
                person_id=person_id,
                hospital_id=hospital.hospital_id,
                card_id=None,
                resolution_id=None,
                kind=KINDS[number % len(KINDS)],
                status="final",
                title="血常规",
                occurred_at=at,
                sampled_at=at,
                raw=report(number, at).encode(),
                observed=[],
                replaces=None,
                recognition=None,
                source="api",
                source_key=None,
            )
            await keep(keys.vault, new, using=tx)
    return made


def post(place: Place, number: int) -> Request:
    """A report of its own number, posted here."""
    return Request(place.path, place.headers, f'{{"resource":{report(number)}}}')


def listed(body: str) -> int:
    """How many records a page has."""
    return len(json.loads(body)["records"])
