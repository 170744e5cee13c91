"""Connections: who may send, for how long, how much; and what happens when the database or we go."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from api.records.mllp.framing import framed
from api.records.mllp.server import Bounds
from tests.records.mllp.messages import msh, obr, obx, oru, pid
from tests.records.mllp.place import Place, listening, numbered, register
from tests.support.servers import Cluster
from tests.support.service import Client, Service

QUICK = Bounds(idle=0.6, stall=0.3, connections=6, of_one_address=4)


@pytest.fixture
async def quick(service: Service, hospital: Client) -> AsyncIterator[Place]:
    """A server without patience."""
    async with listening(service, bounds=QUICK) as running:
        yield running


async def test_a_sender_of_no_hospital_is_told_and_cut_off(place: Place, hospital: Client) -> None:
    await register(place.service, hospital, addresses=("10.0.0.0/8",))
    async with place.lab() as lab:
        said = await lab.send(oru(header=msh("M1")))
        assert (said["MSA-1"], said["MSA-2"], "not registered" in said["MSA-3"]) == ("AR", "M1", True)
        assert await lab.closed()
    assert await place.records() == []


async def test_a_stranger_gets_no_memory(place: Place, hospital: Client) -> None:
    await register(place.service, hospital, addresses=("10.0.0.0/8",))
    async with place.lab() as lab:
        said = await lab.send(oru(pid(), obr(), obx(f2="ST", f5="x" * 70_000)))
        assert said["MSA-1"] == "AR"
        assert await lab.closed()


async def test_a_change_of_who_may_send_counts_for_open_connections(place: Place, hospital: Client) -> None:
    async with place.lab() as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AA"
        await register(place.service, hospital, addresses=("10.0.0.0/8",))
        assert (await lab.send(oru()))["MSA-1"] == "AR"
        assert await lab.closed()


async def test_facilities_tell_hospitals_behind_one_address_apart(place: Place, service: Service) -> None:
    second = await service.client()
    await register(service, second, "GB18030", facility="H2")
    await numbered(service, second, "P001")
    async with place.lab() as lab:
        assert (await lab.send(oru(header=msh(f4="H2")), "gb18030"))["MSA-1"] == "AA"
        assert (await lab.send(oru(header=msh(f4="ANY"))))["MSA-1"] == "AA"
    hospitals = [str(one["hospital_id"]) for one in await place.records()]
    assert (hospitals[0], hospitals[1] != hospitals[0]) == (second.hospital_id, True)


async def test_a_facility_nobody_has_registered_is_rejected(place: Place, hospital: Client) -> None:
    await register(place.service, hospital, facility="H1")
    async with place.lab() as lab:
        said = await lab.send(oru(header=msh(f4="H2")))
        assert (said["MSA-1"], "MSH-4" in said["MSA-3"]) == ("AR", True)
        assert await lab.closed()


async def test_two_hospitals_that_cannot_be_told_apart_get_nothing(place: Place, service: Service) -> None:
    await register(service, await service.client())
    async with place.lab() as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AR"
    assert await place.records() == []


async def test_the_narrower_network_goes_first(place: Place, service: Service) -> None:
    wide = await service.client()
    await register(service, wide, addresses=("127.0.0.0/8",))
    async with place.lab() as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AA"
    async with place.lab(source="127.0.0.9") as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AR"  # the wide one's, where nobody is P001
    assert len(await place.records()) == 1


async def test_half_a_block_is_answered_when_its_rest_does_not_come_and_the_connection_lives_on(quick: Place) -> None:
    async with quick.lab() as lab:
        await lab.write(framed(oru(header=msh("M1")).encode())[:200])
        said = await lab.ack()
        assert (said["MSA-1"], said["MSA-2"]) == ("AR", "M1")
        assert (await lab.send(oru(header=msh("M2"))))["MSA-2"] == "M2"


async def test_half_a_block_before_another_is_answered_by_its_own_control_id(place: Place) -> None:
    half = framed(oru(header=msh("M1")).encode())[:200]
    async with place.lab() as lab:
        await lab.write(half)
        first, second = await lab.send(oru(header=msh("M2"))), await lab.ack()
        assert [(one["MSA-1"], one["MSA-2"]) for one in (first, second)] == [("AR", "M1"), ("AA", "M2")]


@pytest.mark.parametrize("half", [framed(oru(header=msh("M1")).encode())[:200], b"\x0b", b"\x0bMSH|^~"])
async def test_no_answer_to_half_a_block_can_be_taken_for_its_resends(place: Place, half: bytes) -> None:
    async with place.lab() as lab:
        await lab.write(half)
        said = await lab.send(oru(header=msh("M1")))
        assert (said["MSA-1"], said["MSA-2"]) == ("AA", "M1")
        assert await lab.nothing()


async def test_bytes_outside_of_blocks_are_passed_over(place: Place) -> None:
    async with place.lab() as lab:
        await lab.write(b"\r\n" + oru().encode() + b"\x1c\r")
        assert await lab.nothing()
        assert (await lab.send(oru()))["MSA-1"] == "AA"


async def test_an_idle_connection_is_closed(quick: Place) -> None:
    async with quick.lab() as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AA"
        assert await lab.closed()


async def test_a_sender_that_trickles_is_given_up(service: Service, hospital: Client) -> None:
    async with listening(service, bounds=Bounds(stall=0.1)) as place, place.lab() as lab:
        await lab.write(b"\x0bMSH|^~\\&|")
        waiting = asyncio.create_task(lab.ack())
        for _ in range(100):
            if waiting.done():
                break
            await lab.write(b"x")
            await asyncio.sleep(0.05)
        assert (await waiting)["MSA-1"] == "AR"


async def test_connections_are_bounded_for_each_address_and_in_all(quick: Place) -> None:
    async with quick.lab() as a, quick.lab(), quick.lab(), quick.lab():
        assert (await a.send(oru()))["MSA-1"] == "AA"
        async with quick.lab() as fifth:
            assert await fifth.closed()
        async with quick.lab(source="127.0.0.2"), quick.lab(source="127.0.0.3"), quick.lab(source="127.0.0.4") as last:
            assert await last.closed()
    await asyncio.sleep(0.1)
    async with quick.lab() as later:
        assert (await later.send(oru()))["MSA-1"] == "AA"


async def test_one_message_is_in_hand_on_a_connection(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0
    answer = place.server.receiver.answer

    async def counted(*given: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await answer(*given)
        finally:
            at_once -= 1

    monkeypatch.setattr(place.server.receiver, "answer", counted)
    async with place.lab() as lab:
        await lab.write(b"".join(framed(oru(pid(), obr(f3=f"F{n}"), obx()).encode()) for n in range(20)))
        assert [(await lab.ack())["MSA-1"] for _ in range(20)] == ["AA"] * 20
    assert most == 1


async def test_stopping_finishes_the_message_in_hand(service: Service, hospital: Client) -> None:
    async with listening(service) as place, place.lab() as idle, place.lab() as lab:
        assert (await idle.send(oru()))["MSA-1"] == "AA"
        locked = await _lock(service)
        try:
            await lab.write(framed(oru(header=msh("M9")).encode()))
            await asyncio.sleep(0.3)
            stopping = asyncio.create_task(place.server.stop(5))
            assert await idle.closed()
        finally:
            await locked.close()
        assert (await lab.ack())["MSA-2"] == "M9"
        assert await lab.closed()
        await stopping
    assert len(await service.sql("SELECT 1 FROM records")) == 2


async def _lock(service: Service) -> Any:
    """A session that keeps everybody from writing messages down until it is closed."""
    session = await asyncpg.connect(service.services.settings.database_url)
    await session.execute("BEGIN; LOCK TABLE lab_messages IN SHARE MODE")
    return session


async def test_without_the_database_the_answer_is_ae_and_the_connection_lives_on(
    place: Place, cluster: Cluster
) -> None:
    name = urlsplit(place.service.services.settings.database_url).path.lstrip("/")
    async with place.lab() as lab:
        assert (await lab.send(oru(header=msh("M1"))))["MSA-1"] == "AA"
        await cluster.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await cluster.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            said = await lab.send(oru(pid(), obr(f3="F2"), obx(), header=msh("M2")))
            assert (said["MSA-1"], said["MSA-2"], "again" in said["MSA-3"]) == ("AE", "M2", True)
        finally:
            await cluster.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        for _ in range(20):  # the pool may hold connections that are dead
            said = await lab.send(oru(pid(), obr(f3="F2"), obx(), header=msh("M2")))
            if said["MSA-1"] == "AA":
                break
        assert said["MSA-1"] == "AA"
    assert len(await place.records()) == 2
