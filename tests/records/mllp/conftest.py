"""One connected hospital for each test, its tables empty."""

from collections.abc import AsyncIterator

import pytest

from tests.records.mllp.place import Place, listening, numbered, register
from tests.support.service import Client, Service


@pytest.fixture
async def hospital(service: Service) -> Client:
    """A hospital with the patient P001, whose laboratory writes UTF-8 from this machine."""
    await service.sql("TRUNCATE records, lab_messages, connected_systems")
    client = await service.client()
    await register(service, client)
    await numbered(service, client, "P001")
    return client


@pytest.fixture
async def place(service: Service, hospital: Client) -> AsyncIterator[Place]:
    """Its server."""
    async with listening(service) as running:
        yield running
