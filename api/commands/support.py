"""What the commands that work on the database share: its address, the embedded cluster, the vault."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.run.root_key import read_root_key
from api.run.supervisor import DataFolder, start_database
from api.settings import Settings, read_settings
from models import database
from models.keyring import load_ring
from models.vault import Vault


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[str]:
    """The address of the configured database; the embedded one is started for as long as it is needed."""
    folder = DataFolder(settings.data_dir)
    if not settings.database_url:
        folder.hold()
    embedded = None
    try:
        url, embedded = start_database(settings, folder)
        yield url
    finally:
        await database.disconnect()
        if embedded:
            embedded.stop()
        folder.release()


@asynccontextmanager
async def connected() -> AsyncIterator[Settings]:
    """A connection to a database of this build's version."""
    settings = read_settings()
    async with database_of(settings) as url:
        await database.check_version(url)
        yield settings


async def open_vault(settings: Settings) -> Vault:
    """The vault under the root key, with the ring loaded."""
    vault = Vault(read_root_key(settings.root_key), os.urandom)
    vault.ring = (await load_ring(vault)).ring
    return vault
