"""One service and one Orthanc a module; no PACS is registered before a test."""

from collections.abc import AsyncIterator

import pytest

from tests.records.imaging.world import World
from tests.support.pacs import Orthanc, running_orthanc
from tests.support.service import Service


@pytest.fixture(scope="module")
async def orthanc() -> AsyncIterator[Orthanc]:
    """A real PACS; its tests are skipped where it is not installed."""
    async with running_orthanc() as running:
        yield running


@pytest.fixture
async def world(service: Service) -> World:
    """The module's service, without a PACS."""
    made = World(service)
    await made.asks_only_when_told()
    await made.forget_systems()
    return made
