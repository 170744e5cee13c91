"""The pool resets nothing when a connection comes back (models.database): what was done leaves no session state."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

import asyncpg
import pytest

from models.database import connection, row, transaction
from tests.support.service import Service

POOL_MAX: Final = 10
# What `RESET ALL`, `UNLISTEN *`, `CLOSE ALL` and `pg_advisory_unlock_all()` would have undone, and what is temporary.
_STATE: Final = {
    "settings": "SELECT name FROM pg_settings WHERE source = 'session' AND setting IS DISTINCT FROM reset_val",
    "channels": "SELECT * FROM pg_listening_channels()",
    "locks": "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    "cursors": "SELECT name FROM pg_cursors WHERE name <> ''",
    "tables": "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()",
    "role": "SELECT current_user WHERE current_user <> session_user",
}


async def states() -> list[dict[str, Any]]:
    """The session state of every connection that the pool may have, all held at once."""
    found = []
    async with AsyncExitStack() as stack:
        for _ in range(POOL_MAX):
            raw: Any = await stack.enter_async_context(connection().acquire_connection())
            state = {what: [record[0] for record in await raw.fetch(sql)] for what, sql in _STATE.items()}
            found.append({what: values for what, values in state.items() if values} | _transaction(raw))
    return found


def _transaction(raw: Any) -> dict[str, Any]:
    return {"transaction": True} if raw.is_in_transaction() else {}


async def test_a_whole_journey_leaves_no_session_state(service: Service) -> None:
    me, card = await service.holder()
    hospital = await service.hospital()
    scans = [service.resolved(hospital, await service.code(me, card)) for _ in range(2 * POOL_MAX)]
    resolution = (await asyncio.gather(*scans))[0]
    path = f"/v1/hospital/resolutions/{resolution['resolution_id']}/patient-number"
    await service.http.put(path, headers=hospital, json={"patient_number": "P1"})
    await service.http.post(f"/v1/patient/cards/{card['card_id']}/freeze", headers=me, json={})
    await service.http.get(f"/v1/patient/cards/{card['card_id']}/accesses", headers=me)
    await service.http.get("/v1/patient/cards", headers=me)
    await service.deliver()
    await service.services.keeper.refresh()
    assert await states() == [{}] * POOL_MAX


async def test_what_failed_or_was_cancelled_leaves_no_session_state(service: Service) -> None:
    async def locked(statement: str) -> None:
        async with transaction() as tx:
            await row("SELECT pg_advisory_xact_lock(1)", using=tx)
            await row(statement, using=tx)

    with pytest.raises(asyncpg.PostgresError):
        await locked("SELECT 1 / 0")
    task = asyncio.create_task(locked("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await states() == [{}] * POOL_MAX


async def test_the_check_sees_what_a_statement_would_leave(service: Service) -> None:
    await row("SELECT set_config('work_mem', '1MB', false)")
    assert {"settings": ["work_mem"]} in await states()
    async with AsyncExitStack() as stack:
        for _ in range(POOL_MAX):
            raw: Any = await stack.enter_async_context(connection().acquire_connection())
            await raw.execute("RESET ALL")
    assert await states() == [{}] * POOL_MAX
