"""The root key and the database belong together: a stranger's root key makes no keys, and serves nothing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from api.run.postgres import EmbeddedPostgres
from tests.process.demo import YIMA, clean_environment
from tests.process.test_serve import real_settings


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """A migrated database without keys."""
    database = EmbeddedPostgres(folder / "pg")
    try:
        address = database.start()
        assert yima(address, folder / "any.key", "migrate").returncode == 0
        yield address
    finally:
        database.stop()


def yima(url: str, root_key: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on this database under this root key."""
    settings = {
        **real_settings(root_key.parent, "http://127.0.0.1:9"),
        "YIMA_DATABASE_URL": url,
        "YIMA_DATA_DIR": str(root_key.parent / "data"),
        "YIMA_ROOT_KEY_FILE": str(root_key),
        "YIMA_PORT": "0",
    }
    command = [YIMA, *arguments]
    return subprocess.run(
        command, env=clean_environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )


async def kids(url: str) -> list[bytes]:
    connection = await asyncpg.connect(url)
    try:
        return [row["kid"] for row in await connection.fetch("SELECT kid FROM keys ORDER BY id")]
    finally:
        await connection.close()


async def test_keys_are_not_made_beside_those_of_another_root_key(folder: Path, url: str) -> None:
    assert yima(url, folder / "first.key", "keys", "init").returncode == 0
    made = await kids(url)
    connection = await asyncpg.connect(url)
    await connection.execute("DELETE FROM keys WHERE purpose = 'print'")  # a purpose that a later build would add
    await connection.close()

    refused = yima(url, folder / "second.key", "keys", "init")
    assert refused.returncode == 1
    assert refused.stderr.startswith("yima: the database's keys do not open with this root key")
    assert not (folder / "second.key").exists()  # nothing is sealed under it: it must not be taken for the right one
    assert len(await kids(url)) == len(made) - 1

    assert yima(url, folder / "first.key", "keys", "init").returncode == 0
    assert len(await kids(url)) == len(made)


def test_serve_refuses_a_root_key_that_is_not_the_databases(folder: Path, url: str) -> None:
    assert yima(url, folder / "first.key", "keys", "init").returncode == 0
    another = folder / "another.key"
    another.write_text(os.urandom(32).hex())
    another.chmod(0o600)
    refused = yima(url, another, "serve")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert refused.stderr.startswith("yima: the database's keys do not open with this root key")


def test_serve_refuses_a_database_without_keys(folder: Path, url: str) -> None:
    key = folder / "root.key"
    key.write_text(os.urandom(32).hex())
    key.chmod(0o600)
    refused = yima(url, key, "serve")
    assert (refused.returncode, refused.stderr) == (
        1,
        "yima: the database has no keys yet: make them with `yima keys init`\n",
    )
