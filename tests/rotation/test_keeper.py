"""The ring in a worker: never shared too old, stale after 60 s, cut off, put back, and clocks that are wrong."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from api import keeper as api_keeper
from api.clock import Clock
from api.keeper import RING_STALE_AFTER, RingKeeper, SeenVersion
from api.problems import Problem
from codes.ring import KeyState, Purpose
from models import rotation
from models.key_rows import Timing
from models.keyring import StoredRing, load_ring
from models.vault import Vault
from tests.rotation.desk import LEAD, ONE, TIMING, Desk
from tests.rotation.office import KEYS, Office, open_office
from tests.support.servers import Cluster
from tests.support.service import Service, refused, running_service

SET = "/.well-known/yima/keys.cbor"


@pytest.fixture
async def alone(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Service]:
    """A service whose database, time and workers are this test's alone."""
    async with running_service(cluster, tmp_path, key_lead=5, key_set_max_age=100, ring_poll=60) as service:
        await open_office(service)
        yield service


async def _turn_elsewhere(service: Service) -> str:
    """The code key is cut off elsewhere; this worker is not told."""
    vault = service.services.vault
    done = await rotation.compromise(vault, vault.ring.issuing().kid, "stolen", None, ONE)
    assert done.replacement_kid
    return done.replacement_kid.hex()


def _keeper(desk: Desk, worker: UUID | None = None, *, code_life: int = 60) -> RingKeeper:
    seen = SeenVersion(Path("/nowhere/seen"))
    return RingKeeper(
        desk.vault, Clock(), poll=15, code_life=code_life, url=desk.url, worker=worker or uuid4(), seen=seen
    )


# Loads


async def test_a_load_that_began_before_the_call_does_not_answer_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose poll read the ring just before a compromise must read again before it issues."""
    keeper = _keeper(desk)
    await keeper.refresh()
    real, began, go = load_ring, asyncio.Event(), asyncio.Event()

    async def slow(vault: Vault) -> StoredRing:
        stored = await real(vault)
        began.set()
        await go.wait()
        return stored

    monkeypatch.setattr(api_keeper, "load_ring", slow)
    poll = asyncio.create_task(keeper.refresh())
    await began.wait()
    done = await desk.compromise(await desk.kid(KeyState.ACTIVE))
    issuing = asyncio.create_task(keeper.require_issuing(await desk.version()))
    scanning = asyncio.create_task(keeper.refresh_for(done.replacement_kid or b""))
    await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(poll, issuing)
    assert keeper.vault.ring.issuing().kid == done.replacement_kid
    assert await scanning, "and the scan of a code under the replacement finds its key"


async def test_all_who_wait_share_one_load(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = _keeper(desk)
    real, loads = load_ring, []

    async def counted(vault: Vault) -> StoredRing:
        loads.append(1)
        await asyncio.sleep(0.02)
        return await real(vault)

    monkeypatch.setattr(api_keeper, "load_ring", counted)
    await keeper.refresh()
    await asyncio.gather(*(keeper.refresh() for _ in range(200)))
    assert len(loads) == 2
    await asyncio.gather(*(keeper.refresh_for(bytes([n, 0, 0, 0])) for n in range(200)), return_exceptions=True)
    assert len(loads) == 3
    assert not await keeper.refresh_for(bytes(4))
    assert len(loads) == 3, "an unknown kid is remembered"


async def test_a_load_that_failed_fails_for_those_who_waited_and_the_next_one_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = _keeper(desk)
    real = load_ring

    async def broken(vault: Vault) -> StoredRing:
        raise OSError

    monkeypatch.setattr(api_keeper, "load_ring", broken)
    told = await asyncio.gather(*(keeper.refresh() for _ in range(5)), return_exceptions=True)
    assert {type(each) for each in told} == {OSError}
    assert not keeper.fresh
    monkeypatch.setattr(api_keeper, "load_ring", real)
    await keeper.refresh()
    assert keeper.fresh


async def test_loading_notes_the_life_of_codes_and_reports_the_version(desk: Desk) -> None:
    worker = uuid4()
    keeper = _keeper(desk, worker, code_life=300)
    await keeper.refresh()
    (key,) = await desk.keys()
    assert key.longest_life == 300
    (report,) = await desk.sql("SELECT worker, version FROM ring_reports")
    assert (UUID(bytes=report["worker"].bytes), report["version"]) == (worker, await desk.version())
    await keeper.say_goodbye()
    assert await desk.sql("SELECT 1 FROM ring_reports") == []


@pytest.mark.parametrize(("age", "kept"), [(0, 100), (15, 100), (16, 99), (59, 56)])
async def test_a_key_set_of_an_older_ring_is_kept_less(desk: Desk, age: int, kept: int) -> None:
    """Max-age and one poll are what the lead allows for: together with the ring's age it is never more."""
    keeper = _keeper(desk)
    keeper._loaded_at = time.monotonic() - age
    assert keeper.published_for(100) == kept


# A worker that is cut off


async def test_a_worker_cut_off_through_a_whole_rotation(alone: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ring goes stale: it does not issue, it does not publish, it says so; when it is back it is of use at once."""
    me, card = await alone.holder()
    hospital = await alone.hospital()
    keeper = alone.services.keeper
    assert (await alone.http.get(SET)).status_code == 200
    real = load_ring

    async def cut(vault: Vault) -> StoredRing:
        raise OSError

    monkeypatch.setattr(api_keeper, "load_ring", cut)
    new = await _turn_elsewhere(alone)
    keeper._loaded_at = time.monotonic() - RING_STALE_AFTER - 1
    codes = f"/v1/patient/cards/{card['card_id']}/codes"
    assert (await alone.http.post(codes, headers=me, json={})).status_code >= 500
    refused(await alone.http.get(SET), 503, "try-again")
    refused(await alone.http.get("/.well-known/jwks.json"), 503, "try-again")
    ready = await alone.http.get("/readyz")
    assert (ready.status_code, ready.json()["key_ring"]) == (503, False)
    assert "key ring" in ready.json()["problems"][0]
    monkeypatch.setattr(api_keeper, "load_ring", real)
    issued = await alone.http.post(codes, headers=me, json={})
    assert issued.status_code == 201, "the first code after it is back does not wait for a poll"
    assert alone.services.vault.ring.issuing().kid.hex() == new
    await alone.resolved(hospital, issued.json()["code"])
    assert (await alone.http.get(SET)).status_code == 200


async def test_a_worker_that_missed_the_hint_issues_under_the_new_key_and_scans_it(alone: Service) -> None:
    me, card = await alone.holder()
    hospital = await alone.hospital()
    stolen = await alone.code(me, card)
    alone.services.keeper._hint = asyncio.Event()  # what waits for hints waits at the old one
    await _turn_elsewhere(alone)
    refused(await alone.scan(hospital, stolen), 422, "code-not-authentic")
    await alone.resolved(hospital, await alone.code(me, card))


# A database that was put back


async def test_a_ring_that_was_put_back(alone: Service) -> None:
    office = Office(alone)
    await office.begin()
    me, card, hospital = await office.patient()
    before = await alone.code(me, card)
    version = alone.services.vault.ring.version
    await office.post("rotations", "one", {"purpose": "token", "when": "now"})
    assert alone.services.vault.ring.version > version
    await alone.sql("UPDATE ring SET version = $1", version)
    await alone.services.keeper.refresh()
    refused(
        await alone.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={}),
        503,
        "ring-rolled-back",
    )
    refused(await alone.scan(hospital, before), 503, "ring-rolled-back")
    refused(await alone.http.get(SET), 503, "ring-rolled-back")
    refused(await office.post("rotations", "one", {"purpose": "code", "when": "now"}), 503, "ring-rolled-back")
    ready = await alone.http.get("/readyz")
    assert (ready.status_code, ready.json()["key_ring"]) == (503, True)
    refused(await office.post("ring/confirm", "auditor", {"reason": "restored"}), 403, "not-allowed")
    confirmed = await office.post("ring/confirm", "one", {"reason": "restored from the backup of Monday"})
    assert confirmed.json()["ring_version"] > version + 1
    await alone.resolved(hospital, before)
    assert (await alone.http.get("/readyz")).status_code == 200
    (noted,) = await alone.sql("SELECT reason FROM audit_entries WHERE action = 'ring.confirm'")
    assert noted["reason"] == "restored from the backup of Monday"


def test_what_was_seen_is_the_highest_of_all_workers_of_the_machine(tmp_path: Path) -> None:
    one, two = SeenVersion(tmp_path / "seen"), SeenVersion(tmp_path / "seen")
    one.note(12)
    two.note(10)
    assert (two.highest, SeenVersion(tmp_path / "seen").highest) == (12, 12), "a lower one does not overwrite it"
    assert two.look() == 12
    (tmp_path / "seen").write_text("not a number")
    assert SeenVersion(tmp_path / "seen").highest == 0
    assert two.look() == 12


# Clocks


@pytest.mark.parametrize("off", [-300.0, 300.0], ids=("five minutes behind", "five minutes ahead"))
async def test_a_workers_own_clock_decides_nothing(alone: Service, monkeypatch: pytest.MonkeyPatch, off: float) -> None:
    """Neither when a key turns, nor what a code says, nor what is accepted."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + off)
    office = Office(alone)
    await office.begin()
    me, card, hospital = await office.patient()
    await office.post("rotations", "one", {"purpose": "code", "when": "now"})
    services = alone.services
    timing = Timing(5, 100, 700)
    await rotation.tick(services.vault, timing)
    assert await office.states() == {"K1": "active", "K2": "pending"}
    code = await alone.code(me, card)
    await office.wait(6)
    await rotation.tick(services.vault, timing)
    assert await office.states() == {"K1": "retiring", "K2": "active"}
    await services.keeper.refresh()
    await alone.resolved(hospital, code)
    assert abs(services.clock.now() - (real() + 6)) < 2
    assert (await alone.http.get(KEYS, headers=office.who["auditor"])).status_code == 200


# Tokens


async def test_a_token_key_that_turned_and_one_that_was_stolen(alone: Service) -> None:
    office = Office(alone)
    await office.begin()
    me, card, _ = await office.patient()
    stolen = alone.services.vault.ring.symmetric(Purpose.TOKEN).kid.hex()
    await office.post("rotations", "one", {"purpose": "token", "when": "now"})
    await office.wait(LEAD)
    await rotation.tick(alone.services.vault, TIMING)
    await alone.services.keeper.refresh()
    await alone.code(me, card)
    answer = await office.post(f"{stolen}/compromise", "one", {"reason": "stolen"})
    assert (answer.status_code, answer.json()["replacement_kid"]) == (200, None), "it was retiring"
    ended = await alone.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={})
    refused(ended, 401, "unauthenticated")


async def test_a_problem_is_what_a_keeper_raises(desk: Desk) -> None:
    keeper = _keeper(desk)
    with pytest.raises(Problem):
        keeper.require_fresh()
