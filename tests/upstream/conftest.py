from collections.abc import AsyncIterator

import pytest

from tests.upstream.outside import Clients, Sandbox, clients, running_sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


@pytest.fixture
async def ours(sandbox: Sandbox) -> AsyncIterator[Clients]:
    """All clients, pointed at the sandbox."""
    async with clients(sandbox.base_url, sandbox.clock) as made:
        yield made
