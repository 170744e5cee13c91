"""A scanned code resolves exactly once: every outcome, by the database's clock (api.md; security.md, 5)."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from codes.issue import IssuedCode, issue, issue_printed
from codes.keys import SigningKey
from tests.codes.support import Parts, seeded
from tests.support.people import insurance_of
from tests.support.service import Client, Headers, Service, bearer, refused

NOBODYS = "/v1/hospital/resolutions/00000000-0000-4000-8000-000000000000"


class Scene:
    """A card, its code of a known time, and two hospitals' clients."""

    def __init__(self, service: Service, me: Headers, card: dict[str, Any], code: IssuedCode) -> None:
        self.service, self.me, self.card, self.code = service, me, card, code
        self.here: Headers = {}
        self.there: Headers = {}
        self.clients: list[Client] = []

    async def renew(self) -> None:
        """Tokens that hold at the time as it is now."""
        self.here, self.there = [
            bearer((await self.service.token(client)).json()["access_token"]) for client in self.clients
        ]

    async def at(self, after: float) -> None:
        """The time is so many seconds after the code's issue, and the clients' tokens are new."""
        await self.service.stop_time(self.code.iat + after)
        await self.renew()

    async def scan(self, who: Headers | None = None, **more: Any) -> Any:
        return await self.service.scan(who or self.here, self.code.text, **more)


@pytest.fixture
async def scene(service: Service) -> Scene:
    me, card = await service.holder()
    made = Scene(service, me, card, await service.own_code(card, iat=int(service.now()) + 2))
    made.clients = [await service.client(), await service.client()]
    await made.renew()
    return made


async def test_a_resolution_shows_the_person_whole_to_identity_full(service: Service) -> None:
    person = service.person("王𬱖", female=True)
    me, card = await service.holder(person)
    found = await service.resolved(await service.hospital(), await service.code(me, card))
    assert found.keys() == {
        *("resolution_id", "resolved_at", "expires_at", "step", "card", "insurance", "patient_number", "granted"),
        *("services", "arrival"),
    }
    assert found["card"] == {
        "name": "王𬱖",
        "gender": "female",
        "birthday": "1988-06-18",
        "id_type": "01",
        "id_number": person.id_number,
        "phone": person.phone,
        "health_card_id": card["health_card_id"],
    }
    assert found["insurance"] == {**insurance_of(person), "kind": "employee"}
    life = datetime.fromisoformat(found["expires_at"]) - datetime.fromisoformat(found["resolved_at"])
    assert life.total_seconds() == 12 * 3600
    assert (found["step"], found["patient_number"]) == ("0101051", None)
    assert found["services"] == {
        "booking": {"href": f"/v1/hospital/resolutions/{found['resolution_id']}/appointments"},
        "records": {"href": f"/v1/hospital/resolutions/{found['resolution_id']}/records"},
        "payment": {"href": f"/v1/hospital/resolutions/{found['resolution_id']}/bills"},
    }


# When: (seconds after iat, life 60 s) -> outcome of a first scan
EDGES = [
    (-31.0, "code-not-yet-valid"),
    (-30.000001, "code-not-yet-valid"),
    (-30.0, "won"),
    (0.0, "won"),
    (60.0, "won"),
    (90.0, "won"),
    (90.000001, "code-expired"),
    (91.0, "code-expired"),
    (90.0 + 86_400, "code-expired"),
]


@pytest.mark.parametrize(("after", "outcome"), EDGES)
async def test_a_code_is_good_from_30_s_before_its_issue_to_30_s_after_its_end(
    scene: Scene, after: float, outcome: str
) -> None:
    await scene.at(after)
    answer = await scene.scan()
    assert (answer.json().get("code", "won"), answer.status_code) == (outcome, _STATUS[outcome])


_STATUS = {"won": 201, "code-expired": 410, "code-not-yet-valid": 422, "code-already-used": 409, "replayed": 200}

# What the winner and others get: (seconds from the winning scan, which is 0 s after iat), who -> outcome
LATER = [
    (0.0, "winner", "replayed"),
    (119.9, "winner", "replayed"),  # the code itself ended at 90 s: its winner goes first
    (60.0, "winner", "replayed"),
    (60.0, "terminal", "code-already-used"),
    (60.0, "client", "code-already-used"),
    (90.0, "terminal", "code-already-used"),
    (90.5, "terminal", "code-expired"),
    (90.5, "client", "code-expired"),
    (120.5, "winner", "code-expired"),
    (3600.0, "winner", "code-expired"),
]


@pytest.mark.parametrize(("later", "who", "outcome"), LATER)
async def test_who_gets_what_after_the_code_was_used(scene: Scene, later: float, who: str, outcome: str) -> None:
    await scene.at(0)
    won = (await scene.scan()).json()
    await scene.at(later)
    answer = await scene.scan(
        scene.there if who == "client" else scene.here, terminal="W09" if who == "terminal" else "W01"
    )
    assert (answer.json().get("code", "replayed"), answer.status_code) == (outcome, _STATUS[outcome])
    if outcome == "replayed":
        assert answer.headers["idempotent-replayed"] == "true"
        assert answer.json() == won


@pytest.mark.parametrize(("later", "outcome"), [(120.0, "replayed"), (120.000001, "code-already-used")])
async def test_the_winner_replays_for_120_s_of_a_code_that_still_lives(
    scene: Scene, later: float, outcome: str
) -> None:
    code = await scene.service.own_code(scene.card, iat=scene.code.iat, life=300)
    await scene.at(0)
    first = await scene.service.scan(scene.here, code.text)
    assert first.status_code == 201
    await scene.at(later)
    answer = await scene.service.scan(scene.here, code.text)
    assert (answer.json().get("code", "replayed"), answer.status_code) == (outcome, _STATUS[outcome])


@pytest.mark.parametrize(("later", "outcome"), [(209.0, "replayed"), (209.999, "replayed"), (210.5, "code-expired")])
async def test_a_winner_at_the_last_moment_replays_for_120_s_past_the_allowance(
    scene: Scene, later: float, outcome: str
) -> None:
    await scene.at(90)
    assert (await scene.scan()).status_code == 201
    await scene.at(later)
    answer = await scene.scan()
    assert (answer.json().get("code", "replayed"), answer.status_code) == (outcome, _STATUS[outcome])
    refused(await scene.scan(scene.there), 410, "code-expired")


async def test_a_used_code_is_refused_a_day_later_too(scene: Scene) -> None:
    """Used marks never end: no window opens when a cache would have let go."""
    code = await scene.service.own_code(scene.card, iat=scene.code.iat, life=300)
    await scene.at(0)
    assert (await scene.service.scan(scene.here, code.text)).status_code == 201
    for later in (121, 300, 329, 330, 331, 600, 86_400, 90_000, 10**7):
        await scene.at(later)
        for who in (scene.here, scene.there):
            answer = await scene.service.scan(who, code.text, terminal="W05")
            assert answer.status_code in (409, 410), later


async def test_a_replay_of_a_frozen_or_closed_card_is_card_revoked(scene: Scene) -> None:
    assert (await scene.scan()).status_code == 201
    path = f"/v1/patient/cards/{scene.card['card_id']}"
    await scene.service.http.post(f"{path}/freeze", headers=scene.me, json={})
    refused(await scene.scan(), 403, "card-revoked")
    await scene.at(100)
    refused(await scene.scan(), 410, "code-expired")


async def test_two_hundred_racers_have_one_winner(scene: Scene) -> None:
    answers = await asyncio.gather(*(scene.scan(terminal=f"T{n}") for n in range(200)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 199
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"code-already-used"}


async def test_one_terminal_racing_itself_gets_one_answer(scene: Scene) -> None:
    answers = await asyncio.gather(*(scene.scan() for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.text for answer in answers}) == 1
    rows = await scene.service.sql("SELECT * FROM resolutions WHERE cti = $1", scene.code.cti)
    assert len(rows) == 1


async def test_one_row_is_used_mark_resolution_and_access(scene: Scene) -> None:
    won = (await scene.scan(department="内科", operator={"id": "1", "name": "甲"})).json()
    await scene.scan(scene.there)
    (row,) = await scene.service.sql("SELECT * FROM resolutions WHERE cti = $1", scene.code.cti)
    assert str(row["id"]) == won["resolution_id"]
    assert (row["department"], row["operator_name"], row["terminal"]) == ("内科", "甲", "W01")
    (lost,) = await scene.service.sql("SELECT * FROM refusals WHERE cti = $1", scene.code.cti)
    assert lost["reason"] == "code-already-used"


async def forged_total(service: Service) -> float:
    text = (await service.http.get("/metrics")).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("forged_signature_total"))


async def test_a_good_signature_over_a_card_that_is_not_there_raises_the_alarm(scene: Scene) -> None:
    service = scene.service
    before = await forged_total(service)
    forged = await service.own_code(scene.card, iat=int(service.now()), handle=2**62 + 7)
    refused(await service.scan(scene.here, forged.text), 422, "code-not-authentic")
    assert await forged_total(service) == before + 1


async def test_a_sealed_card_under_another_time_than_the_claims_raises_the_alarm(scene: Scene) -> None:
    """A stolen signing key alone, with the cti of a real code, is not enough."""
    service = scene.service
    key = service.services.vault.ring.issuing()
    before = await forged_total(service)
    for iat in (scene.code.iat + 1, scene.code.iat - 1):
        text = Parts({1: -8, 4: key.kid}, payload={4: iat + 60, 6: iat, 7: scene.code.cti}).text(key)
        refused(await service.scan(scene.here, text), 422, "code-not-authentic")
    assert await forged_total(service) == before + 2
    assert (await scene.scan()).status_code == 201, "the real one is none the worse"


async def test_a_closed_cards_code_is_revoked_not_forged(scene: Scene) -> None:
    before = await forged_total(scene.service)
    await scene.service.http.delete(f"/v1/patient/cards/{scene.card['card_id']}", headers=scene.me)
    refused(await scene.scan(), 403, "card-revoked")
    assert await forged_total(scene.service) == before


async def test_an_unknown_kid_is_looked_up_once_and_remembered_for_30_s(scene: Scene) -> None:

    service, keeper = scene.service, scene.service.services.keeper
    key = SigningKey.generate(seeded(99))
    loads = 0
    real = keeper._load

    async def counted() -> None:
        nonlocal loads
        loads += 1
        await real()

    keeper._load = counted  # type: ignore[method-assign]  # counts what a lookup costs
    try:
        for nonce in range(20):
            code = issue(key, handle=1, now=int(service.now()), life=60, services=None, nonce=bytes([nonce] * 4))
            refused(await service.scan(scene.here, code.text), 422, "code-not-authentic")
    finally:
        keeper._load = real  # type: ignore[method-assign]
    assert loads == 1


async def test_a_known_kid_with_a_bad_signature_is_never_looked_up(scene: Scene) -> None:
    service = scene.service
    keeper = service.services.keeper
    before = keeper._loaded_at
    number = int(scene.code.text[4:]) ^ 1
    refused(await service.scan(scene.here, f"8601{number}"), 422, "code-not-authentic")
    assert keeper._loaded_at == before
    assert (await scene.scan()).status_code == 201


async def test_a_printed_code_has_no_card_here_yet(scene: Scene) -> None:

    service = scene.service
    code = issue_printed(service.services.vault.ring.printing(), now=int(service.now()), life=3600, cti=bytes(16))
    refused(await service.scan(scene.here, code.text), 422, "code-not-authentic")


async def test_a_resolution_is_read_again_by_its_client_alone_until_it_ends(scene: Scene) -> None:
    service = scene.service
    won = (await scene.scan()).json()
    path = f"/v1/hospital/resolutions/{won['resolution_id']}"
    assert (await service.http.get(path, headers=scene.here)).json() == won
    theirs, absent = [await service.http.get(at, headers=scene.there) for at in (path, NOBODYS)]
    body = refused(theirs, 404, "not-found")
    assert {**refused(absent, 404, "not-found"), "request_id": body["request_id"]} == body
    await service.move_time(12 * 3600 + 1)
    here = bearer((await service.token(await service.client())).json()["access_token"])
    refused(await service.http.get(path, headers=here), 404, "not-found")


async def test_a_resolution_lives_twelve_hours(service: Service) -> None:
    me, card = await service.holder()
    client = await service.client()
    here = bearer((await service.token(client)).json()["access_token"])
    found = await service.resolved(here, await service.code(me, card))
    path = f"/v1/hospital/resolutions/{found['resolution_id']}"
    for moved, status, code in ((12 * 3600 - 5, 200, None), (12 * 3600 + 1, 410, "resolution-expired")):
        await service.move_time(moved)
        later = bearer((await service.token(client)).json()["access_token"])
        answer = await service.http.get(path, headers=later)
        assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_the_hospitals_own_number_is_shown_in_its_later_resolutions_alone(scene: Scene) -> None:
    service = scene.service
    won = (await scene.scan()).json()
    path = f"/v1/hospital/resolutions/{won['resolution_id']}"
    put = await service.http.put(f"{path}/patient-number", headers=scene.here, json={"patient_number": "P-7 号"})
    assert (put.status_code, put.json()["patient_number"]) == (200, "P-7 号")
    assert (await service.http.get(path, headers=scene.here)).json()["patient_number"] == "P-7 号"
    for who, number in ((scene.here, "P-7 号"), (scene.there, None)):
        found = await service.resolved(who, await service.code(scene.me, scene.card))
        assert found["patient_number"] == number
    refused(
        await service.http.put(f"{path}/patient-number", headers=scene.there, json={"patient_number": "x"}),
        404,
        "not-found",
    )


async def test_a_number_names_one_person_of_a_hospital(scene: Scene) -> None:
    service = scene.service
    other_me, other_card = await service.holder()
    one = (await scene.scan()).json()
    two = await service.resolved(scene.here, await service.code(other_me, other_card))
    base = "/v1/hospital/resolutions"

    async def put(found: dict[str, Any], number: str) -> Any:
        path = f"{base}/{found['resolution_id']}/patient-number"
        return await service.http.put(path, headers=scene.here, json={"patient_number": number})

    assert (await put(one, "A1")).status_code == 200
    refused(await put(two, "A1"), 409, "patient-number-taken")
    assert (await put(one, "A1")).status_code == 200
    assert (await put(one, "A2")).status_code == 200
    assert (await put(two, "A1")).status_code == 200, "a number that was given up is free"
    racing = await asyncio.gather(*(put(found, "B7") for found in (one, two) * 4))
    assert {answer.status_code for answer in racing} == {200, 409}
