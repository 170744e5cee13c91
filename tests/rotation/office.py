"""What happens in a scenario, step by step, over the API of a running service whose schedule ticks only when told.

Keys have names: K1 is the code key that was active at the beginning, K2, K3 … the code keys made since, in their order.
`answer` is a status, or the code of a problem.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import httpx

from api.schedule import Schedule, timing_of
from models.rotation import tick
from tests.support.service import Headers, Service

KEYS: Final = "/v1/admin/keys"
Answer = int | str


class Office:
    """A service with two custodians and an auditor, a patient and a hospital, and what the scenario knows so far."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.ahead = 0.0

    async def begin(self) -> None:
        """New people; no key is pending, and nobody but the service reports a ring."""
        service = self.service
        self.who = {"one": await service.admin("custodian"), "two": await service.admin("custodian")}
        self.who |= {"auditor": await service.admin("auditor"), "registrar": await service.admin("registrar")}
        self.asked: list[str] = []
        self.answers: list[Any] = []
        self.codes: dict[str, str] = {}
        self.resolutions: dict[str, str] = {}
        self.me: Headers | None = None
        await service.sql("DELETE FROM ring_reports WHERE worker <> $1", service.services.worker)
        for row in await service.sql("SELECT kid FROM keys WHERE purpose = 'code' AND state = 'pending'"):
            await self.post(f"{row['kid'].hex()}/compromise", "one", {"reason": "left over"})
        self._first = await service.value("SELECT id FROM keys WHERE purpose = 'code' AND state = 'active'")
        self._before = await service.value("SELECT max(id) FROM keys")
        await self.tag()

    async def tag(self) -> str:
        """The ring's tag, as a page that was just opened has it."""
        answer = await self.service.http.get(KEYS, headers=self.who["auditor"])
        self.seen: str = answer.headers["etag"]
        self.shown = {key["kid"]: key for key in answer.json()["keys"]}
        return self.seen

    async def kid(self, name: str) -> str:
        """The kid of a key by its name here; anything that is not such a name is taken as it stands."""
        if not name.startswith("K"):
            return name
        rows = await self.rows()
        return str(rows[int(name[1:]) - 1]["kid"].hex())

    async def rows(self) -> list[Any]:
        """The rows of the keys that have names."""
        ours = "SELECT kid, state FROM keys WHERE purpose = 'code' AND (id = $1 OR id > $2) ORDER BY id"
        return await self.service.sql(ours, self._first, self._before)

    async def states(self) -> dict[str, str]:
        """The state of each key by name."""
        return {f"K{number}": row["state"] for number, row in enumerate(await self.rows(), start=1)}

    async def post(self, path: str, who: str, body: Any, **headers: str) -> httpx.Response:
        return await self.service.http.post(f"{KEYS}/{path}", headers={**self.who[who], **headers}, json=body)

    async def patient(self) -> tuple[Headers, dict[str, Any], Headers]:
        """A patient with a card, and a hospital; the scenario's own."""
        if self.me is None:
            self.me, self.card = await self.service.holder()
            self.hospital = await self.service.hospital()
        return self.me, self.card, self.hospital

    async def wait(self, seconds: float) -> None:
        self.ahead += seconds
        await self.service.move_time(self.ahead)


async def open_office(service: Service) -> Office:
    """The office of a service, with the schedule's lease in other hands for good."""
    await service.sql(
        "INSERT INTO leases (name, holder, until) VALUES ($1, $2, 'infinity')"
        " ON CONFLICT (name) DO UPDATE SET holder = $2, until = 'infinity'",
        Schedule.lease,
        UUID(int=0),
    )
    return Office(service)


def expect(response: httpx.Response, answer: Answer) -> Any:
    """The body of an answer that is as expected."""
    body = response.json()
    got: Answer = response.status_code if isinstance(answer, int) else body.get("code", response.status_code)
    assert got == answer, response.text
    return body


class Step(Protocol):
    """One thing that happens."""

    async def do(self, office: Office) -> None: ...


@dataclass(frozen=True)
class Rotate:
    """A custodian asks for a new key."""

    answer: Answer = 201
    when: str = "now"
    by: str = "one"

    async def do(self, office: Office) -> None:
        answer = await office.post("rotations", self.by, {"purpose": "code", "when": self.when})
        office.answers.append(expect(answer, self.answer))


@dataclass(frozen=True)
class Change:
    """A custodian asks for a transition. `tag`: fresh, seen (at the last Look), bad or none. `gate`: which refused."""

    key: str
    to: str
    answer: Answer = 200
    by: str = "one"
    tag: str = "fresh"
    gate: str | None = None

    async def do(self, office: Office) -> None:
        if self.tag == "fresh":
            await office.tag()
        tags = {"none": {}, "bad": {"If-Match": '"stale"'}}
        headers = tags.get(self.tag, {"If-Match": office.seen})
        body = {"to": self.to, "reason": "a scenario"}
        answer = await office.post(f"{await office.kid(self.key)}/transitions", self.by, body, **headers)
        said = expect(answer, self.answer)
        assert self.gate is None or said["gate"] == self.gate, answer.text
        if answer.status_code == 202:
            office.asked.append(said["approval_id"])
        office.answers.append(said)


@dataclass(frozen=True)
class Decide:
    """A custodian decides what was asked for last, or `ago` requests before."""

    answer: Answer = 200
    by: str = "two"
    approve: bool = True
    ago: int = 0

    async def do(self, office: Office) -> None:
        path = f"/v1/admin/approvals/{office.asked[-1 - self.ago]}"
        answer = await office.service.http.post(path, headers=office.who[self.by], json={"approve": self.approve})
        office.answers.append(expect(answer, self.answer))


@dataclass(frozen=True)
class Compromise:
    """A custodian cuts a key off. `since`: the suspected time, seconds ago."""

    key: str
    answer: Answer = 200
    by: str = "one"
    since: float | None = None

    async def do(self, office: Office) -> None:
        body = {"reason": "stolen"}
        if self.since is not None:
            at = datetime.fromtimestamp(office.service.now(), UTC) - timedelta(seconds=self.since)
            body["since"] = at.isoformat()
        answer = await office.post(f"{await office.kid(self.key)}/compromise", self.by, body)
        said = expect(answer, self.answer)
        if answer.status_code == 200:
            office.asked.append(said["approval_id"])
        office.answers.append(said)


@dataclass(frozen=True)
class SameAnswerAsBefore:
    """The last two answers are one and the same."""

    async def do(self, office: Office) -> None:
        assert office.answers[-1] == office.answers[-2]


@dataclass(frozen=True)
class Look:
    """An administrator opens the page, and does not reload it."""

    async def do(self, office: Office) -> None:
        await office.tag()


@dataclass(frozen=True)
class Wait:
    """Time passes, by the database's clock."""

    seconds: float

    async def do(self, office: Office) -> None:
        await office.wait(self.seconds)


@dataclass(frozen=True)
class Tick:
    """The schedule looks what there is to do."""

    async def do(self, office: Office) -> None:
        services = office.service.services
        await tick(services.vault, timing_of(services.settings))
        await services.keeper.refresh()


@dataclass(frozen=True)
class Keys:
    """The keys' states are exactly these, in their order."""

    states: tuple[str, ...]

    async def do(self, office: Office) -> None:
        assert tuple((await office.states()).values()) == self.states


@dataclass(frozen=True)
class Show:
    """The patient's screen shows a code."""

    name: str = "code"

    async def do(self, office: Office) -> None:
        me, card, _ = await office.patient()
        office.codes[self.name] = await office.service.code(me, card)


@dataclass(frozen=True)
class Scan:
    """A hospital scans it."""

    answer: Answer = 201
    name: str = "code"

    async def do(self, office: Office) -> None:
        _, _, hospital = await office.patient()
        answer = await office.service.scan(hospital, office.codes[self.name])
        said = expect(answer, self.answer)
        if answer.is_success:
            office.resolutions[self.name] = said["resolution_id"]


@dataclass(frozen=True)
class Read:
    """The hospital reads its resolution again."""

    answer: Answer = 200
    name: str = "code"

    async def do(self, office: Office) -> None:
        path = f"/v1/hospital/resolutions/{office.resolutions[self.name]}"
        expect(await office.service.http.get(path, headers=office.hospital), self.answer)


@dataclass(frozen=True)
class Row:
    """Somebody changed or looks at a key's row: `holds` is true of it afterwards."""

    key: str
    holds: str = "true"
    set: str | None = None

    async def do(self, office: Office) -> None:
        kid = bytes.fromhex(await office.kid(self.key))
        if self.set:
            await office.service.sql(f"UPDATE keys SET {self.set} WHERE kid = $1", kid)
        assert await office.service.value(f"SELECT {self.holds} FROM keys WHERE kid = $1", kid)


@dataclass(frozen=True)
class Worker:
    """Another worker reports the ring as it was `behind` changes ago, and then is silent."""

    behind: int = 0

    async def do(self, office: Office) -> None:
        await office.service.sql(
            "INSERT INTO ring_reports (worker, slot, version, at)"
            " SELECT gen_random_uuid(), 'another', version - $1, yima_now() FROM ring",
            self.behind,
        )


@dataclass(frozen=True)
class Scenario:
    """A name and what happens."""

    name: str
    steps: tuple[Step, ...] = field(default=())
