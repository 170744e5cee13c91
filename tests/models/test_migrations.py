"""Migrations: a fresh database is brought up to date; one of another version says so and is left alone (issue 3)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.migrations.api.migrate import migrate as tortoise_migrate
from tortoise.migrations.autodetector import MigrationAutodetector

from models import database
from models.database import OtherSchemaVersion, check_version, migrate, pending_migrations
from tests.support.servers import Cluster


@pytest.fixture
async def empty(cluster: Cluster) -> AsyncIterator[str]:
    url = await cluster.new_database(empty=True)
    yield url
    await database.disconnect()
    await cluster.drop(url)


@pytest.fixture
async def migrated(cluster: Cluster) -> AsyncIterator[str]:
    url = await cluster.new_database()
    yield url
    await database.disconnect()
    await cluster.drop(url)


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def applied(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["name"] for row in await connection.fetch("SELECT name FROM tortoise_migrations ORDER BY name")]
    finally:
        await connection.close()


async def shape(url: str) -> list[tuple[str, ...]]:
    """Columns, indexes and functions of a database."""
    connection = await asyncpg.connect(url)
    try:
        columns = await connection.fetch(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text"
            " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        )
        indexes = await connection.fetch(
            "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        )
        functions = await connection.fetch(
            "SELECT proname::text, prosrc FROM pg_proc WHERE proname LIKE 'yima%' ORDER BY 1"
        )
        return [tuple(row) for row in (*columns, *indexes, *functions)]
    finally:
        await connection.close()


async def test_an_empty_database_is_brought_up_to_date(empty: str) -> None:
    missing, unknown = await pending_migrations(empty)
    assert missing
    assert unknown == []
    await database.disconnect()
    await migrate(empty)
    assert await pending_migrations(empty) == ([], [])
    await check_version(empty)


async def test_migrating_again_changes_nothing(migrated: str) -> None:
    before = await shape(migrated)
    await migrate(migrated)
    assert await shape(migrated) == before


async def test_two_who_migrate_at_once_are_harmless(empty: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
    command = (sys.executable, "-c", "from api.commands.migrate import main; raise SystemExit(main([]))")
    ran = [
        await asyncio.create_subprocess_exec(
            *command,
            env={**kept, "YIMA_DATABASE_URL": empty},
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    said = await asyncio.gather(*(process.communicate() for process in ran))
    assert [process.returncode for process in ran] == [0, 0, 0], said
    await check_version(empty)


async def test_an_older_database_says_run_yima_migrate(migrated: str) -> None:
    latest = (await applied(migrated))[-1]
    await execute(migrated, f"DELETE FROM tortoise_migrations WHERE name = '{latest}'")
    with pytest.raises(OtherSchemaVersion, match=rf"lacks {latest}: run `yima migrate`"):
        await check_version(migrated)


async def test_a_database_of_a_newer_build_is_left_alone(migrated: str) -> None:
    await execute(
        migrated,
        "INSERT INTO tortoise_migrations (app, name, applied_at) SELECT app, '9999_later', applied_at FROM tortoise_migrations LIMIT 1",
    )
    before = await shape(migrated)
    for act in (check_version, migrate):
        with pytest.raises(OtherSchemaVersion, match=r"made by a newer build.*9999_later"):
            await act(migrated)
        await database.disconnect()
    assert await shape(migrated) == before


async def test_a_migration_that_fails_leaves_nothing_half_done(empty: str) -> None:
    await execute(empty, "CREATE TABLE cards (id int)")
    with pytest.raises(Exception, match="cards"):
        await migrate(empty)
    await database.disconnect()
    await execute(empty, "DROP TABLE cards")
    await migrate(empty)
    await check_version(empty)


async def test_used_once_is_the_databases_own_rule(migrated: str) -> None:
    """The unique keys that decide races stand in the schema, not in a program."""
    unique = {str(row[1]) for row in await shape(migrated) if "UNIQUE" in str(row[1])}
    for decides in (
        "resolutions USING btree (cti)",
        "refusals USING btree (cti, client_id, terminal)",
        "people USING btree (document_index)",
        "accounts USING btree (openid_index)",
        "cards USING btree (account_id, person_id)",
        "used_assertions USING btree (client_id, jti)",
        "keys USING btree (kid)",
        "appointments USING btree (person_id, schedule_id)",
        "appointments USING btree (schedule_id, number)",
        "places USING btree (appointment_id)",
        "waitings USING btree (person_id, schedule_id)",
        "schedules USING btree (hospital_id, key)",
    ):
        assert any(decides in index for index in unique), decides


async def test_the_clock_is_the_databases_until_a_test_replaces_it(migrated: str) -> None:
    connection = await asyncpg.connect(migrated)
    try:
        early, now, late = await connection.fetchrow("SELECT clock_timestamp(), yima_now(), clock_timestamp()")
        assert early <= now <= late
    finally:
        await connection.close()


async def test_the_tables_are_what_the_models_say(migrated: str) -> None:
    await database.connect(migrated)
    config = database.orm_config(migrated)["apps"]
    assert Tortoise.apps is not None
    writers = await MigrationAutodetector(Tortoise.apps, config).changes()
    assert [writer.name for writer in writers] == [], "run Tortoise's makemigrations"


async def test_a_database_of_the_first_release_is_brought_up_to_date_with_its_rows(empty: str) -> None:
    await tortoise_migrate(config=database.orm_config(empty), target="models.0002_rules")
    await database.disconnect()
    assert await applied(empty) == ["0001_initial", "0002_rules"]
    await execute(
        empty,
        "INSERT INTO keys (kid, purpose, suite, state, version, created_at, longest_life, retain, mac)"
        " VALUES ('\\x01020304', 'code', 'ed25519', 'active', 1, now(), 60, false, '\\x00')",
        "INSERT INTO accounts (id, openid_index, sealed, epoch, created_at)"
        " VALUES (gen_random_uuid(), '\\x01', '\\x02', 3, now())",
    )
    await migrate(empty)
    await check_version(empty)
    connection = await asyncpg.connect(empty)
    try:
        assert await connection.fetchval("SELECT epoch FROM accounts") == 3
        assert await connection.fetchval("SELECT ring_version FROM keys") is not None
    finally:
        await connection.close()


async def test_a_database_from_before_booking_keeps_its_resolutions(empty: str) -> None:
    await tortoise_migrate(config=database.orm_config(empty), target="models.0005_forged_alarms")
    await database.disconnect()
    await execute(
        empty,
        "INSERT INTO resolutions (id, cti, kid, iat, exp, card_id, person_id, client_id, hospital_id, terminal, step,"
        " channel, granted, at, expires_at) VALUES (gen_random_uuid(), '\\x01', '\\x02', 1, 2, gen_random_uuid(),"
        " gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'W01', '0101051', '0100', 7, now(), now())",
    )
    await migrate(empty)
    await check_version(empty)
    connection = await asyncpg.connect(empty)
    try:
        assert await connection.fetch("SELECT terminal, arrival FROM resolutions") == [("W01", None)]
        resolving = await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname = 'yima_resolve'")
        assert resolving == 1
    finally:
        await connection.close()
