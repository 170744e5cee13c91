"""A hospital whose laboratory is connected: its server in this event loop, on the service's database."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

from api.records.mllp.receiving import Receiver
from api.records.mllp.senders import Senders
from api.records.mllp.server import Bounds, Server
from models.database import transaction
from models.systems import put_system
from tests.records.mllp.laboratory import Laboratory, connected
from tests.support.servers import listening_socket
from tests.support.service import Client, Service, bearer

HERE = ("127.0.0.1/32",)


class Place:
    """The server and what stands behind it."""

    def __init__(self, service: Service, port: int, server: Server) -> None:
        self.service = service
        self.port = port
        self.server = server

    def lab(self, **more: Any) -> AbstractAsyncContextManager[Laboratory]:
        """A laboratory's connection."""
        return connected(self.port, **more)

    async def records(self) -> list[Any]:
        """All records of the database, oldest first."""
        return await self.service.sql("SELECT * FROM records ORDER BY posted_at, id")

    async def resources(self) -> list[dict[str, Any]]:
        """What they hold, as it was kept."""
        vault = self.service.services.vault
        return [json.loads(vault.open(r["sealed"], "records", "sealed", r["id"])) for r in await self.records()]


@asynccontextmanager
async def listening(
    service: Service, *, bounds: Bounds | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Place]:
    """A running server; who may send is read anew for every message."""
    senders = Senders(service.services.vault, now=iter(range(0, 10**9, 100)).__next__)
    server = Server(Receiver(service.services.vault, senders), senders, bounds)
    sock = listening_socket()
    await server.start(sock, tls)
    try:
        yield Place(service, sock.getsockname()[1], server)
    finally:
        await asyncio.wait_for(server.stop(1), 5)


async def register(
    service: Service,
    client: Client,
    charset: str = "UTF-8",
    *,
    facility: str | None = None,
    addresses: tuple[str, ...] = HERE,
    certificates: tuple[str, ...] = (),
    recognition: dict[str, Any] | None = None,
) -> None:
    """Register a hospital's laboratory."""
    config = {
        "charset": charset,
        "facility": facility,
        "addresses": [*addresses],
        "certificates": [*certificates],
        "recognition": recognition,
    }
    async with transaction() as tx:
        await put_system(service.services.vault, UUID(client.hospital_id), "mllp", config, using=tx)


async def numbered(service: Service, client: Client, number: str, **person: Any) -> dict[str, Any]:
    """A new person's card, and the hospital's number for them."""
    me, card = await service.holder(service.person(**person))
    who = bearer((await service.token(client)).json()["access_token"])
    seen = await service.resolved(who, await service.code(me, card))
    path = f"/v1/hospital/resolutions/{seen['resolution_id']}/patient-number"
    put = await service.http.put(path, headers=who, json={"patient_number": number})
    assert put.status_code == 200, put.text
    return card
