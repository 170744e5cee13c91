"""Databases whose keys turn: one with the models alone, one under a service whose schedule ticks only when told."""

import os
from collections.abc import AsyncIterator

import pytest

from models import database
from models.vault import Vault
from tests.rotation.desk import Desk
from tests.rotation.office import Office, open_office
from tests.support.servers import Cluster
from tests.support.service import running_service


@pytest.fixture
async def desk(cluster: Cluster) -> AsyncIterator[Desk]:
    """The models on a database of its own."""
    url = await cluster.new_database()
    await database.connect(url)
    made = Desk(url, Vault(cluster.root, os.urandom))
    try:
        await made.begin()
        yield made
    finally:
        await made.close()
        await database.disconnect()
        await cluster.drop(url)


@pytest.fixture(scope="module")
async def building(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A service for a module's scenarios."""
    async with running_service(
        cluster, tmp_path_factory.mktemp("rotation"), key_set_max_age=100, key_lead=200
    ) as service:
        yield await open_office(service)


@pytest.fixture
async def office(building: Office) -> Office:
    """The service with nobody else's pending key, and custodians of the scenario's own."""
    await building.begin()
    return building
