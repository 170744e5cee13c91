"""`yima mllp` as a program of its own, beside a service on the same database."""

import asyncio
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.settings import SettingsInvalid, read_settings
from tests.process.demo import YIMA, clean_environment, free_port
from tests.records.mllp.laboratory import connected
from tests.records.mllp.messages import oru
from tests.records.mllp.place import register
from tests.records.mllp.test_tls import self_signed
from tests.support.servers import Cluster
from tests.support.service import Client, Service


@asynccontextmanager
async def yima_mllp(folder: Path, port: int, **settings: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The program, killed in the end if it still runs."""
    given = clean_environment(YIMA_DATA_DIR=str(folder), YIMA_MLLP_PORT=str(port), **settings)
    process = await asyncio.to_thread(
        lambda: subprocess.Popen([YIMA, "mllp"], env=given, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        await asyncio.to_thread(process.communicate)


async def said_by(port: int, tls: ssl.SSLContext | None) -> str:
    """What the program says to a message, once it listens."""
    for _ in range(300):
        try:
            async with connected(port, tls) as lab:
                return str((await lab.send(oru()))["MSA-1"])
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)
    raise AssertionError("it does not listen")


@pytest.mark.parametrize("secure", [False, True])
async def test_it_takes_messages_until_it_is_told_to_stop(
    service: Service, hospital: Client, cluster: Cluster, tmp_path: Path, secure: bool
) -> None:
    root = tmp_path / "root.key"
    root.write_text(cluster.root.hex())
    root.chmod(0o600)
    settings = {"YIMA_DATABASE_URL": service.services.settings.database_url, "YIMA_ROOT_KEY_FILE": str(root)}
    tls = None
    if secure:
        ours, theirs = self_signed(tmp_path, "ours"), self_signed(tmp_path, "theirs")
        await register(service, hospital, certificates=(theirs.fingerprint,), addresses=())
        files = {"CERT": ours.certificate, "KEY": ours.key, "CA": theirs.certificate}
        settings |= {f"YIMA_MLLP_TLS_{name}": str(path) for name, path in files.items()}
        tls = theirs.client(ours)
    port = free_port()
    async with yima_mllp(tmp_path, port, **settings) as process:
        assert await said_by(port, tls) == "AA"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
    assert len(await service.sql("SELECT 1 FROM records")) == 1


async def test_it_says_what_it_lacks(tmp_path: Path) -> None:
    async with yima_mllp(tmp_path, free_port()) as process:
        _, said = await asyncio.to_thread(process.communicate, None, 20)
    assert (process.returncode, b"YIMA_DATABASE_URL" in said) == (1, True)


def test_the_files_of_tls_go_together() -> None:
    with pytest.raises(SettingsInvalid, match="YIMA_MLLP_TLS_KEY"):
        read_settings({"YIMA_MLLP_TLS_CERT": "a.pem", "YIMA_MLLP_TLS_CA": "b.pem"})
