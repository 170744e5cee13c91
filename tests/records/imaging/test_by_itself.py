"""Nobody asks for it: a CT sends, and a moment later the person has a record; operators see how the asking goes."""

import asyncio
from pathlib import Path

from tests.records.imaging.peers import http, running_peer
from tests.records.imaging.world import World
from tests.support.pacs import running_orthanc
from tests.support.servers import Cluster
from tests.support.service import running_service


async def test_a_study_that_is_sent_is_there_soon_and_calls_are_counted(cluster: Cluster, tmp_path: Path) -> None:
    async with (
        running_service(cluster, tmp_path, imaging_poll=1) as service,
        running_orthanc() as orthanc,
        running_peer(studies=http(b"<html>", "text/html")) as lying,
    ):
        world = World(service)
        await world.hospital({"address": lying.address})
        _, token = await world.hospital(orthanc.registration)
        patient = await world.patient(token, "B-1")
        await orthanc.send_ct("B-1")
        for _ in range(200):
            if await world.records(patient):
                break
            await asyncio.sleep(0.1)
        assert len(await world.records(patient)) == 1
        metrics = (await service.http.get("/metrics")).text
        for outcome in ("ok", "content-type"):
            line = f'yima_upstream_calls_total{{call="studies",outcome="{outcome}",upstream="pacs"}}'
            assert line in metrics
