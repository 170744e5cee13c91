"""The way to PostgreSQL: one pool under Tortoise, migrations by Tortoise's own tool, transactions.

The pool's `reset` does nothing (a round trip saved at every release), so no code may change a session: no SET, no
LISTEN, no session lock on its connections.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection, get_connections
from tortoise.migrations.api.migrate import migrate as _migrate
from tortoise.migrations.executor import MigrationExecutor
from tortoise.transactions import in_transaction

MODULES = [
    f"models.{name}"
    for name in ("people", "hospitals", "visits", "booking", "record_tables", "payment", "keys", "work", "audit")
]
# Tortoise writes each statement's values at DEBUG; they are people's data, so it writes nothing, whatever the level.
logging.getLogger("tortoise.db_client").addFilter(lambda _: False)

_MIGRATE_LOCK = 0x59494D41  # "YIMA": one migration at a time

Connection = BaseDBAsyncClient
# A connection went, perhaps in the middle of COMMIT: the outcome is not known.
ConnectionLost = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a session that PostgreSQL ended while it waited in the pool
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
Unavailable = (
    *ConnectionLost,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)


class OtherSchemaVersion(RuntimeError):
    """The database is of another version than this build; the message says what to do."""


async def _keep_session(_: object) -> None:
    """Reset nothing: our statements leave no session state behind."""


def orm_config(url: str, *, pool_max: int = 10) -> dict[str, Any]:
    """Tortoise's configuration for a `postgres://user:password@host:port/database?host=…&sslmode=…` address."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    credentials: dict[str, Any] = {
        "host": query.get("host") or parts.hostname or "127.0.0.1",
        "port": parts.port or 5432,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/") or "postgres",
        "minsize": 1,
        "maxsize": pool_max,
        "reset": _keep_session,
        "timeout": 5,
        "command_timeout": 15,
        "server_settings": {
            "statement_timeout": "10000",
            "lock_timeout": "5000",
            "idle_in_transaction_session_timeout": "60000",
            "default_transaction_isolation": "read committed",
            "application_name": "yima",
        },
    }
    if "sslmode" in query:
        credentials["ssl"] = query["sslmode"]
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {"models": {"models": MODULES, "migrations": "models.migrations", "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def connect(url: str, *, pool_max: int = 10) -> None:
    """Open the pool (lazily). Call `disconnect` when done."""
    await Tortoise.init(config=orm_config(url, pool_max=pool_max), _enable_global_fallback=True)


async def disconnect() -> None:
    """Close the pool."""
    await Tortoise.close_connections()


def connection() -> Connection:
    """The pool, for statements of their own."""
    return get_connection("default")


async def rows(sql: str, *values: object, using: Connection | None = None) -> list[Any]:
    """The rows of one statement, as records (Tortoise's own call gives none for INSERT … RETURNING)."""
    async with (using or connection()).acquire_connection() as raw:
        return list(await raw.fetch(sql, *values))


async def row(sql: str, *values: object, using: Connection | None = None) -> Any | None:
    """The first row of one statement, or None."""
    found = await rows(sql, *values, using=using)
    return found[0] if found else None


@asynccontextmanager
async def transaction() -> AsyncIterator[Connection]:
    """One READ COMMITTED transaction; rolled back when an exception leaves it."""
    context = in_transaction("default")
    try:
        opened = await context.__aenter__()
    except BaseException:
        await _give_back(context)
        raise
    try:
        yield opened
    except BaseException as error:
        await context.__aexit__(type(error), error, error.__traceback__)
        raise
    await context.__aexit__(None, None, None)


async def _give_back(context: Any) -> None:
    """Put away a transaction whose BEGIN failed. Tortoise 1.1 leaves it in place: out of the pool for good, and the
    connection of all that its task does later, so that a loop which met one lost connection never works again.
    """
    token = getattr(context, "token", None)
    if token is not None:
        await context.client._parent._pool.release(context.client._connection)
        get_connections().reset(token)


async def pending_migrations(url: str) -> tuple[list[str], list[str]]:
    """(migrations this build has and the database lacks, migrations the database has and this build lacks)."""
    await connect(url)
    executor = MigrationExecutor(connection(), orm_config(url)["apps"])
    await executor.loader.build_graph()
    applied = {key.name for key in executor.loader.applied_migrations}
    known = {key.name for key in executor.loader.disk_migrations}
    return sorted(known - applied), sorted(applied - known)


async def migrate(url: str) -> None:
    """Bring the database to this build's version; two callers at once are harmless."""
    guard = await asyncpg.connect(_plain_address(url), timeout=10)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATE_LOCK)
        _, unknown = await pending_migrations(url)
        if unknown:
            raise OtherSchemaVersion(
                f"the database was made by a newer build (it has {unknown[-1]}): install that build or a later one"
            )
        await _migrate(config=orm_config(url))
    finally:
        await guard.close()
        await disconnect()


async def check_version(url: str) -> None:
    """Raise OtherSchemaVersion unless the database is exactly of this build's version."""
    missing, unknown = await pending_migrations(url)
    if unknown:
        raise OtherSchemaVersion(
            f"the database was made by a newer build (it has {unknown[-1]}): install that build or a later one"
        )
    if missing:
        raise OtherSchemaVersion(f"the database lacks {missing[0]}: run `yima migrate`, then start again")


def _plain_address(url: str) -> str:
    return url
