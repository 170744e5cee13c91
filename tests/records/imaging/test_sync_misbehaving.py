"""A PACS that hangs, lies or never ends costs itself alone: others are read meanwhile, and nothing false is kept."""

import asyncio
from typing import Any

import pytest

from api.records.imaging.sync import Imaging
from models.leases import hold
from tests.records.imaging.peers import Peer, bomb, http, listed, running_peer, series, study
from tests.records.imaging.world import World
from tests.support.pacs import new_uid


def registration(peer: Peer) -> dict[str, str]:
    return {"address": peer.address}


async def test_others_are_read_while_some_hang_or_flood(world: World) -> None:
    answers = {"studies": listed(study("M-1")), "series": listed(series(t00100020="M-1"))}
    async with running_peer() as hanging, running_peer() as flooding, running_peer(**answers) as good:
        hanging.answers["/studies"] = hanging.hang
        flooding.answers["/studies"] = flooding.flood("application/dicom+json")
        for bad in (hanging, flooding):
            await world.hospital(registration(bad))
        _, token = await world.hospital(registration(good))
        patient = await world.patient(token, "M-1")
        imaging = world.service.services.imaging
        imaging._due.clear()
        await imaging.turn(world.service.services)
        tasks = list(imaging._tasks.values())
        for _ in range(100):
            if await world.records(patient):
                break
            await asyncio.sleep(0.05)
        assert len(await world.records(patient)) == 1
        assert hanging.under_way == 1, "the one that hangs is still waited for"
        assert len([task for task in tasks if not task.done()]) >= 1
        await world.forget_systems()
        await imaging.turn(world.service.services)
        assert all(task.done() for task in tasks), "one that was taken away is waited for no more"
        assert flooding.sent < 64 * 1024 * 1024


LIED_ABOUT = "M-lied-about"
LIES: dict[str, Any] = {
    "another study's series": listed(series(t00100020=LIED_ABOUT, t0020000D="1.2.3.4")),
    "another patient's series": listed(series(t00100020="M-other")),
    "nobody's series": listed(series(t00100020=[])),
    "series without a UID": listed(series("x", t00100020=LIED_ABOUT)),
    "the same series twice": listed(*[series("1.2.3", t00100020=LIED_ABOUT)] * 2),
    "a page": http(b"<html>", "text/html"),
    "a redirect": http(b"", status="301 Moved", Location="http://169.254.169.254/"),
    "a bomb": bomb(),
    "no such study": http(b"", status="404 Not Found"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_study_that_the_pacs_lies_about_is_not_kept_and_the_next_is(
    world: World, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = new_uid(), new_uid()
    answers = {f"{bad}/series": LIES[lie], f"{good}/series": listed(series(t00100020=LIED_ABOUT))}
    async with running_peer(**answers) as peer:
        _, token = await world.hospital(registration(peer))
        patient = await world.patient(token, LIED_ABOUT)
        peer.answers["/studies"] = listed(study(patient.number, bad), study(patient.number, good))
        await world.turn()
        (record,) = await world.records(patient)
        assert good in str(await world.resource(patient, record))
    assert [one.message for one in caplog.records if one.name == "yima.imaging"][:1] == ["study not kept"]


@pytest.mark.parametrize(
    "told",
    [
        {"t00080020": "20991231"},
        {"t00080020": "19000101", "t00080030": "9999"},
        {"t00080020": "0001"},
        {"t0020000D": "1.2.3/../../patients"},
        {"t00100020": "*"},
        {"t00100020": ["M-2", "M-2"], "t0020000D": []},
        {"t00201208": -1, "t00081030": "\x00" * 100, "t00080061": "<script>"},
    ],
    ids=str,
)
async def test_odd_studies_break_nothing(world: World, told: dict[str, Any]) -> None:
    """What cannot be kept is not; what can be is, without what is odd."""
    good = new_uid()
    async with running_peer(series=listed(series(t00100020="M-2"))) as peer:
        _, token = await world.hospital(registration(peer))
        patient = await world.patient(token, "M-2")
        peer.answers["/studies"] = listed(study("M-2", **told), study("M-2", good))
        await world.turn()
        titles = [str(await world.resource(patient, record)) for record in await world.records(patient)]
        assert sum(good in one for one in titles) == 1
        assert "script" not in str(titles)
        assert "2099" not in str(titles)


async def test_a_pacs_that_fails_in_the_middle_goes_on_where_it_was(world: World) -> None:
    first, second = new_uid(), new_uid()
    async with running_peer(series=listed(series(t00100020="M-3"))) as peer:
        _, token = await world.hospital(registration(peer))
        patient = await world.patient(token, "M-3")
        page = [study("M-3", first), *(study("M-nobody", t00080020="20261101") for _ in range(199))]
        peer.answers["/studies"] = [listed(*page), http(b"", status="500 Oh")]
        await world.turn()
        assert len(await world.records(patient)) == 1
        asked = len(peer.requests)
        peer.answers["/studies"] = [listed(*page), listed(study("M-3", second))]
        await world.turn()
        assert len(await world.records(patient)) == 2
        assert sum(f"{first}/series" in path for path in peer.paths[asked:]) == 0, "what is known is not asked again"


@pytest.mark.parametrize("number", ["住院 123/4", "A B", "#1", "Patient/7", "x" * 64, "0_1"])
async def test_a_number_of_any_characters_names_its_person(world: World, number: str) -> None:
    """FHIR's references hold few characters; hospitals' numbers hold any."""
    uid = new_uid()
    async with running_peer(studies=listed(study(number, uid)), series=listed(series(t00100020=number))) as peer:
        _, token = await world.hospital(registration(peer))
        patient = await world.patient(token, number)
        await world.turn()
        (record,) = await world.records(patient)
        await world.number(token, patient, "another")
        await world.turn()
        assert await world.records(patient) == [record]
        peer.answers["/studies"] = listed(study("moved", uid))
        await world.turn()
        assert await world.records(patient) == []


async def test_only_the_holder_of_the_lease_asks(world: World) -> None:
    """Another worker's lease is waited for."""
    services = world.service.services
    async with running_peer(studies=listed()) as peer:
        await world.hospital(registration(peer))
        assert not await hold("imaging", services.worker, 60), "another worker's"
        running = asyncio.create_task(Imaging(0.1).run(services))
        await asyncio.sleep(0.3)
        running.cancel()
        assert peer.requests == []


async def test_two_workers_at_once_keep_a_study_once(world: World) -> None:
    services = world.service.services
    async with running_peer(studies=listed(study("M-4")), series=listed(series("1.2.3.4", t00100020="M-4"))) as peer:
        _, token = await world.hospital(registration(peer))
        patient = await world.patient(token, "M-4")
        others = [Imaging(60) for _ in range(4)]
        await asyncio.gather(*(one.turn(services) for one in others))
        await asyncio.gather(*(task for one in others for task in one._tasks.values()))
        assert len(await world.records(patient)) == 1
