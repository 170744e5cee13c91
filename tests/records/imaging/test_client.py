"""The DICOMweb client before a PACS that does as the standard says, and before one that does not."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest

from api.problems import UPSTREAM_FAILED, UPSTREAM_TIMEOUT, Problem
from api.upstream.dicom_json import Instance
from api.upstream.dicomweb import Archive, DicomWeb, Registered
from api.upstream.http import HttpLimits
from tests.records.imaging.peers import JPEG, Peer, bomb, dataset, http, instance, listed, running_peer, series, study
from tests.support.pacs import new_uid

QUICK = HttpLimits(connect_seconds=0.5, total_seconds=0.5, answer_bytes=1024 * 1024, connections=50)
UID, OTHER = "1.2.3.4", "1.2.3.5"
DAYS = (date(2026, 11, 22), date(2026, 11, 30))
ONE = Instance(1, 1, "1.2.3.4.1", "1.2.3.4.1.1")


@dataclass
class Side:
    archive: Archive
    dicomweb: DicomWeb
    heard: list[tuple[str, str]] = field(default_factory=list)


@asynccontextmanager
async def asking(peer: Peer, limits: HttpLimits = QUICK, **credentials: str) -> AsyncIterator[Side]:
    heard: list[tuple[str, str]] = []
    dicomweb = DicomWeb(lambda _upstream, call, outcome, _seconds: heard.append((call, outcome)), limits)
    try:
        yield Side(dicomweb.archive(Registered(peer.address, **credentials)), dicomweb, heard)
    finally:
        await dicomweb.aclose()


async def found(archive: Archive) -> list[str]:
    return [one.uid async for page in archive.studies(*DAYS) for one in page]


async def picture(archive: Archive) -> bytes:
    async with archive.picture(UID, ONE) as shown:
        return b"".join([chunk async for chunk in shown.chunks])


async def test_addresses_are_built_of_the_registered_one_and_uids_whatever_the_answer_names() -> None:
    mine = study("P-1", UID, t00081190="http://169.254.169.254/latest")
    answers = {"studies": listed(mine), "series": listed(series()), "instances": listed(instance())}
    async with running_peer(**answers, rendered=http(JPEG, "image/jpeg")) as peer, asking(peer) as side:
        assert await found(side.archive) == [UID]
        await side.archive.series(UID, "P-1")
        (one,) = await side.archive.instances(UID, "P-1")
        async with side.archive.picture(UID, one) as shown:
            assert shown.length == len(JPEG)
            assert b"".join([chunk async for chunk in shown.chunks]) == JPEG
    base = "/dicom-web/studies"
    last = f"{base}/{UID}/series/{one.series}/instances/{one.uid}/frames/1/rendered"
    assert peer.paths == [base, f"{base}/{UID}/series", f"{base}/{UID}/instances", last]
    assert "StudyDate=20261122-20261130" in peer.requests[0]


@pytest.mark.parametrize(
    "uid", ["1.2/../../instances", "1.2?x=1", "1.2#", "1..2", "", "1.2 ", "१.२", "1." * 40 + "1", "x"]
)
async def test_no_uid_leads_elsewhere(uid: str) -> None:
    async with running_peer() as peer, asking(peer) as side:
        with pytest.raises(ValueError):
            await side.archive.series(uid, "P-1")
        with pytest.raises(ValueError):
            async with side.archive.picture(UID, Instance(1, 1, "1.2", uid)):
                pass
        assert peer.requests == []


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        ({"username": "yima", "password": "口令"}, "Basic " + base64.b64encode("yima:口令".encode()).decode()),
        ({"token": "t0ken"}, "Bearer t0ken"),
    ],
)
async def test_credentials_go_with_every_call(credentials: dict[str, Any], header: str) -> None:
    async with (
        running_peer(studies=listed(), rendered=http(JPEG, "image/jpeg")) as peer,
        asking(peer, **credentials) as side,
    ):
        await found(side.archive)
        await picture(side.archive)
        assert [f"authorization: {header}".lower() in one.lower() for one in peer.requests] == [True, True]


def test_a_registration_shows_no_credential() -> None:
    shown = repr(Registered("https://pacs.example", "yima", "secret-1", "secret-2"))
    assert "secret" not in shown


async def test_studies_come_page_by_page_each_once() -> None:
    uids = [new_uid() for _ in range(450)]
    pages = [listed(*(study("P-1", uid) for uid in uids[at : at + 200])) for at in (0, 200, 400)]
    async with running_peer(studies=pages) as peer, asking(peer) as side:
        assert await found(side.archive) == uids
        assert [f"offset={at}&" in one for at, one in zip((0, 200, 400), peer.requests, strict=True)] == [True] * 3


async def test_a_pacs_that_knows_no_paging_is_not_asked_for_ever() -> None:
    same = listed(*(study("P-1", f"1.2.{n}") for n in range(1, 201)))
    more = listed(*(study("P-1", f"1.2.{n}") for n in range(1, 301)))
    pictures = listed(*(instance(n) for n in range(1000)))
    async with running_peer(studies=same, instances=pictures) as peer, asking(peer) as side:
        assert len(await found(side.archive)) == 200
        assert len(await side.archive.instances(UID, "P-1")) == 1000
        peer.answers["/studies"] = more
        assert len(await found(side.archive)) == 300


async def test_no_content_means_none() -> None:
    nothing = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with running_peer(studies=nothing, instances=nothing) as peer, asking(peer) as side:
        assert await found(side.archive) == []
        assert await side.archive.instances(UID, "P-1") == []


async def test_what_is_no_study_of_a_patient_at_a_time_is_passed_over() -> None:
    bad = [
        study("P-1", "1.2/../3"),
        study("", UID),
        study("P-1", t00080020="20261340"),
        study("P-1", t00080020="tomorrow"),
        study("P-1", t00100020=[{"Alphabetic": "P-1"}]),
        {"0020000D": "1.2.3"},
        {"0020000D": {"vr": "UI"}, "00100020": None},
        {},
    ]
    async with running_peer(studies=listed(*bad, study("P-1", OTHER))) as peer, asking(peer) as side:
        assert await found(side.archive) == [OTHER]


@pytest.mark.parametrize(
    ("day", "at", "started"),
    [
        ("20261128", "093015.123456", "2026-11-28T09:30:15+08:00"),
        ("2026.11.28", "09:30", "2026-11-28T09:30:00+08:00"),
        ("20261128", "09", "2026-11-28T09:00:00+08:00"),
        ("20261128", "", "2026-11-28"),
        ("20261128", "nine", "2026-11-28"),
        ("20261128", [None], "2026-11-28"),
    ],
)
async def test_when_a_study_began(day: str, at: Any, started: str) -> None:
    async with (
        running_peer(studies=listed(study("P-1", t00080020=day, t00080030=at))) as peer,
        asking(peer) as side,
    ):
        (one,) = [one async for page in side.archive.studies(*DAYS) for one in page]
        assert one.started == started


async def test_texts_are_lines_without_control_characters() -> None:
    told = study("P-1 ", t00081030="胸部\x00\r\n<b>CT</b>" + "长" * 300, t00080061=["CT", "ct<script>", "SR"])
    async with running_peer(studies=listed(told)) as peer, asking(peer) as side:
        (one,) = [one async for page in side.archive.studies(*DAYS) for one in page]
        assert (one.patient_number, one.modalities) == ("P-1", ["CT", "SR"])
        assert one.description is not None
        assert one.description.startswith("胸部 <b>CT</b>长")
        assert len(one.description) == 200


async def test_pictures_are_in_the_order_of_series_and_number_and_reports_are_none() -> None:
    first, second = new_uid(), new_uid()
    told = [
        instance(2, second, t00200011=2),
        instance(10, first),
        instance(9, first, t00200013="9"),
        instance(1, t00080060="SR"),
        instance(1, new_uid(), t00200011=[]),
    ]
    async with running_peer(instances=listed(*told)) as peer, asking(peer) as side:
        shown = await side.archive.instances(UID, "P-1")
    assert [(one.series, one.number) for one in shown[:3]] == [(first, 9), (first, 10), (second, 2)]
    assert len(shown) == 4


MINE = {"t00100020": "P-1", "t0020000E": "1.2.1", "t00080018": "1.2.1.1"}
LIES = {
    "another study": dataset(**MINE, t0020000D=OTHER),
    "another patient": dataset(**{**MINE, "t00100020": "P-2"}),
    "nobody": dataset(t0020000E="1.2.1", t00080018="1.2.1.1"),
    "an empty PatientID": dataset(**{**MINE, "t00100020": ""}),
    "no UID": dataset(t00100020="P-1", t00080060="CT"),
    "a path for a UID": dataset(**{**MINE, "t0020000E": "../../../instances", "t00080018": "../1"}),
    "a study's UID that is no UID": dataset(**MINE, t0020000D="x"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("call", ["series", "instances"])
async def test_an_answer_about_something_else_is_not_believed(lie: str, call: str) -> None:
    async with running_peer(**{call: listed(LIES[lie])}) as peer, asking(peer) as side:
        with pytest.raises(Problem) as raised:
            await getattr(side.archive, call)(UID, "P-1")
        assert raised.value.kind is UPSTREAM_FAILED
        assert side.heard == [(call, "lying")]


async def test_the_pacs_is_asked_whose_each_series_and_each_picture_is() -> None:
    """On these levels QIDO-RS need name the patient only to those who ask."""
    async with running_peer(series=listed(series()), instances=listed(instance())) as peer, asking(peer) as side:
        await side.archive.series(UID, "P-1")
        await side.archive.instances(UID, "P-1")
        assert ["includefield=00100020" in one for one in peer.requests] == [True, True]


@pytest.mark.parametrize("call", ["series", "instances"])
async def test_the_same_thing_twice_is_not_believed(call: str) -> None:
    twice = dataset(**MINE)
    async with running_peer(**{call: listed(twice, twice)}) as peer, asking(peer) as side:
        with pytest.raises(Problem):
            await getattr(side.archive, call)(UID, "P-1")
        assert side.heard == [(call, "lying")]


WAYS: dict[str, tuple[Callable[[Peer], Any], str]] = {
    "hangs": (lambda peer: peer.hang, "timeout"),
    "drips": (lambda peer: peer.drip, "timeout"),
    "sends 10 GB": (lambda peer: peer.flood("application/dicom+json"), "too-large"),
    "sends 10 GB of objects": (lambda peer: peer.flood("application/dicom+json", b"[", b"{},"), "too-large"),
    "packs a bomb": (lambda _peer: bomb(), "encoded"),
    "sends a page": (lambda _peer: http(b"<html>", "text/html"), "content-type"),
    "sends what is no JSON": (lambda _peer: http(b"[{]"), "malformed"),
    "sends an object": (lambda _peer: http(b"{}"), "malformed"),
    "sends a key twice": (lambda _peer: http(b'[{"0020000D": {}, "0020000D": {}}]'), "malformed"),
    "nests without end": (lambda _peer: http(b"[" * 100_000), "malformed"),
    "refuses": (lambda _peer: http(b"", status="401 Unauthorized"), "status"),
    "fails": (lambda _peer: http(b"", status="500 Oh"), "status"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", ["studies", "series", "instances"])
async def test_a_pacs_that_misbehaves_is_a_problem_soon_and_small(way: str, call: str) -> None:
    made, outcome = WAYS[way]
    async with running_peer() as peer, asking(peer) as side:
        peer.answers[f"/{call}"] = made(peer)
        began = asyncio.get_running_loop().time()
        with pytest.raises(Problem) as raised:
            await (found(side.archive) if call == "studies" else getattr(side.archive, call)(UID, "P-1"))
        assert asyncio.get_running_loop().time() - began < 3
        assert raised.value.kind is (UPSTREAM_TIMEOUT if outcome == "timeout" else UPSTREAM_FAILED)
        assert side.heard == [(call, outcome)]
        assert peer.sent < 32 * 1024 * 1024


@pytest.mark.parametrize("call", ["studies", "rendered"])
async def test_no_redirect_is_followed_and_no_credential_given_away(call: str) -> None:
    async with running_peer(studies=listed(study("P-1"))) as inside, running_peer() as peer:
        peer.answers[f"/{call}"] = http(b"", status="302 Found", Location=f"{inside.address}/studies")
        async with asking(peer, token="t0ken") as side:
            with pytest.raises(Problem) as raised:
                await (found(side.archive) if call == "studies" else picture(side.archive))
        assert raised.value.kind is UPSTREAM_FAILED
        assert inside.requests == []


PICTURES: dict[str, tuple[Callable[[Peer], Any], str]] = {
    "hangs": (lambda peer: peer.hang, "timeout"),
    "stops in the middle": (lambda peer: peer.stop_in_the_middle, "timeout"),
    "breaks off": (lambda peer: peer.break_off, "broken"),
    "sends 10 GB": (lambda peer: peer.flood("image/jpeg", b"\xff\xd8\xff\xe0"), "too-large"),
    "says it is long": (lambda _peer: http(JPEG, "image/jpeg", Content_Length=str(9 * 1024 * 1024)), "too-large"),
    "packs it": (lambda _peer: http(JPEG, "image/jpeg", Content_Encoding="gzip"), "encoded"),
    "sends a page": (lambda _peer: http(b"<script>", "text/html"), "content-type"),
    "sends SVG": (lambda _peer: http(b"<svg/>", "image/svg+xml"), "content-type"),
    "calls a page a JPEG": (lambda _peer: http(b"<script>alert(1)</script>", "image/jpeg"), "lying"),
    "sends nothing": (lambda _peer: http(b"", "image/jpeg"), "lying"),
    "has none": (lambda _peer: http(b"", status="404 Not Found"), "status"),
}


@pytest.mark.parametrize("way", PICTURES)
async def test_a_picture_that_is_none_or_does_not_end_well_is_a_problem(way: str) -> None:
    made, outcome = PICTURES[way]
    async with running_peer() as peer, asking(peer) as side:
        peer.answers["/rendered"] = made(peer)
        with pytest.raises(Problem) as raised:
            await asyncio.wait_for(picture(side.archive), 5)
        assert raised.value.kind is (UPSTREAM_TIMEOUT if outcome == "timeout" else UPSTREAM_FAILED)
        assert side.heard == [("picture", outcome)]
        assert peer.sent < 32 * 1024 * 1024


async def test_leaving_a_picture_ends_the_connection() -> None:
    async with running_peer() as peer, asking(peer) as side:
        peer.answers["/rendered"] = peer.flood("image/jpeg", b"\xff\xd8\xff\xe0")
        async with side.archive.picture(UID, ONE) as shown:
            await anext(shown.chunks)
            assert peer.under_way == 1
        await asyncio.wait_for(peer.gone.wait(), 2)


async def test_one_pacs_that_hangs_has_few_calls_under_way_and_others_are_answered() -> None:
    patient = replace(QUICK, connect_seconds=2.0, total_seconds=2.0)
    async with (
        running_peer() as bad,
        running_peer(studies=listed(study("P-1", UID))) as good,
        asking(bad, patient) as side,
    ):
        bad.answers["/series"] = bad.hang
        waiting = [asyncio.create_task(side.archive.series(UID, "P-1")) for _ in range(60)]
        await asyncio.sleep(0.8)
        assert bad.under_way == 8
        assert await found(side.dicomweb.archive(Registered(good.address))) == [UID]
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert {one.kind for one in told if isinstance(one, Problem)} == {UPSTREAM_TIMEOUT}
        assert len(told) == 60


async def test_nobody_there_is_a_problem() -> None:
    async with running_peer() as peer:
        pass
    async with asking(peer) as side:
        with pytest.raises(Problem) as raised:
            await found(side.archive)
        assert raised.value.kind is UPSTREAM_FAILED
        assert side.heard == [("studies", "unreachable")]


async def test_json_that_is_big_but_honest_is_read() -> None:
    many = [instance(n) for n in range(900)]
    assert len(json.dumps(many)) > 128 * 1024
    async with running_peer(instances=listed(*many)) as peer, asking(peer) as side:
        assert [one.number for one in await side.archive.instances(UID, "P-1")] == list(range(900))
