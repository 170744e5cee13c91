"""The connection to PostgreSQL goes at COMMIT: the sender is told to send again, and what it sends is kept once."""

import shutil
import tempfile
from pathlib import Path

import pytest

from models import database
from tests.fault.proxy import Lose, Proxy
from tests.records.mllp.messages import msh, oru
from tests.records.mllp.place import listening, numbered, register
from tests.support.servers import Cluster
from tests.support.service import running_service


@pytest.mark.parametrize("when", [Lose.BEFORE, Lose.DURING, Lose.AFTER])
async def test_a_commit_whose_outcome_is_lost_is_ae_and_its_resend_is_kept_once(
    cluster: Cluster, tmp_path: Path, when: Lose
) -> None:
    url = await cluster.new_database()
    async with running_service(cluster, tmp_path, url=url) as service:
        client = await service.client()
        await register(service, client)
        await numbered(service, client, "P001")
    folder = Path(tempfile.mkdtemp(prefix="yima-t-"))
    async with Proxy(url, folder).running() as proxy:
        await database.connect(proxy.url)
        try:
            async with listening(service) as place, place.lab() as lab:
                proxy.lose(b"COMMIT", when)
                said = await lab.send(oru(header=msh("M1")))
                assert (said["MSA-1"], said["MSA-2"], proxy.lost) == ("AE", "M1", 1)
                kept = len(await place.records())
                assert kept == 0 if when is Lose.BEFORE else kept <= 1
                assert (await lab.send(oru(header=msh("M1"))))["MSA-1"] == "AA"
                assert len(await place.records()) == 1
        finally:
            await database.disconnect()
    shutil.rmtree(folder)
    await cluster.drop(url)
