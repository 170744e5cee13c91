"""`yima mllp`: laboratory systems' results by HL7 v2 over MLLP, beside `yima serve` on the same database."""

import argparse
import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence
from typing import Final

from api.logs import configure
from api.records.fhir import prepare_soon
from api.records.mllp.receiving import Receiver
from api.records.mllp.senders import Senders
from api.records.mllp.server import Server, tls_context
from api.run.root_key import read_root_key
from api.run.supervisor import CannotStart, check_database, listen, run
from api.settings import Settings, read_settings
from models import database
from models.keyring import load_ring
from models.vault import Vault

PORT: Final = 2575  # IANA: hl7
_log = logging.getLogger("yima.mllp")


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="yima mllp", description=__doc__)
    parser.add_argument("--fd", type=int, help="a listening socket that was inherited")
    options = parser.parse_args(arguments)
    return run(lambda: _serve(options.fd))


async def _serve(fd: int | None) -> None:
    settings = read_settings()
    configure(settings.log_level, settings.log_format)
    if not settings.database_url:
        raise CannotStart("YIMA_DATABASE_URL is not set: it is the database of `yima serve`")
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    root = read_root_key(settings.root_key)
    await check_database(settings.database_url, root)
    sock = socket.socket(fileno=fd) if fd is not None else listen(settings.mllp_host, settings.mllp_port or PORT)
    vault = Vault(root, os.urandom)
    await database.connect(settings.database_url)
    try:
        vault.ring = (await load_ring(vault)).ring
        await _take_messages(settings, vault, sock, stopping)
    finally:
        await database.disconnect()
        sock.close()


async def _take_messages(settings: Settings, vault: Vault, sock: socket.socket, stopping: asyncio.Event) -> None:
    senders = Senders(vault)
    server = Server(Receiver(vault, senders), senders)
    tls = None
    if settings.mllp_tls_cert and settings.mllp_tls_key and settings.mllp_tls_ca:
        tls = tls_context(settings.mllp_tls_cert, settings.mllp_tls_key, settings.mllp_tls_ca)
    tasks = [asyncio.create_task(_follow_ring(vault, settings.ring_poll)), asyncio.create_task(prepare_soon())]
    try:
        await server.start(sock, tls)
        _log.info("listening for HL7 v2 over MLLP", extra={"port": sock.getsockname()[1]})
        await stopping.wait()
    finally:
        await server.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow_ring(vault: Vault, seconds: float) -> None:
    """Seal by the database's ring, as fresh as a worker's. What is kept here is sealed; no code is signed by it."""
    while True:
        await asyncio.sleep(seconds)
        try:
            vault.ring = (await load_ring(vault)).ring
        except Exception as error:
            _log.warning("key ring not refreshed", extra={"error": type(error).__name__})


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
