"""A worker killed, or its connection lost, at each point between a scan and its answer: the row is whole or not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import pytest

from tests.fault.load import cti_of, ledger_rows
from tests.fault.proxy import Lose, Proxy
from tests.fault.workers import scan_at, scan_into_the_dark, until_waiting, worker_on
from tests.process.demo import Demo, Headers, remove, short_folder

RESOLVE_LOCK = 1497987397  # resolve.sql: a compromise takes it exclusively


class Window(NamedTuple):
    """A clerk and a code to scan."""

    clerk: Headers
    other: Headers
    code: str


@pytest.fixture
def window(demo: Demo) -> Window:
    """A new code, and two hospitals' clerks."""
    me = demo.patient()
    return Window(demo.hospital(), demo.hospital("second_hospital"), demo.code(me, demo.card(me)))


async def rows_of(demo: Demo, code: str) -> int:
    """How often the code is used."""
    return len(await ledger_rows(demo.database_url, {cti_of(code)}))


async def assert_retry_gets(demo: Demo, window: Window, status: int) -> None:
    """The same terminal tries again at a worker that lives, then again, then another hospital does."""
    base = demo.info["base_url"]
    first = await scan_at(base, window.clerk, window.code)
    assert first.status_code == status
    again = await scan_at(base, window.clerk, window.code)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    for same in ("resolution_id", "resolved_at", "card", "granted"):
        assert again.json()[same] == first.json()[same]
    assert (await scan_at(base, window.other, window.code)).status_code == 409
    assert await rows_of(demo, window.code) == 1


@pytest.mark.parametrize(
    ("point", "used"), [("resolve.ask", 0), ("resolve.told", 1), ("answer.start", 1), ("answer.half", 1)]
)
async def test_killed_before_and_after_the_statement_and_in_the_answer(
    demo: Demo, window: Window, point: str, used: int
) -> None:
    async with worker_on(demo, YIMA_INTERNAL_FAIL_POINT=point) as broken:
        await scan_into_the_dark(broken.address, window.clerk, window.code)
        assert broken.processes[0].wait(5) == -9
        assert await rows_of(demo, window.code) == used
    await assert_retry_gets(demo, window, 200 if used else 201)


@asynccontextmanager
async def held(demo: Demo, statement: str, *values: Any) -> AsyncIterator[None]:
    """A transaction that did this and holds what it locked; rolled back in the end."""
    connection = await asyncpg.connect(demo.database_url)
    try:
        await connection.execute("BEGIN")
        await connection.execute(statement, *values)
        yield
        await connection.execute("ROLLBACK")
    finally:
        await connection.close()


# What makes the resolving function wait inside its transaction: before its insert, and in it.
BEFORE_INSERT = ("SELECT pg_advisory_xact_lock($1)", RESOLVE_LOCK)
IN_INSERT = """
INSERT INTO resolutions (id, cti, kid, iat, exp, card_id, person_id, client_id, hospital_id, terminal, step, channel,
    granted, at, expires_at)
SELECT gen_random_uuid(), $1, '\\x00000000', 0, 0, c.id, c.person_id, l.id, l.hospital_id, 'X', '0101051', '0100', 0,
    now(), now() FROM cards c, clients l LIMIT 1
"""


@pytest.mark.parametrize("where", ["before the insert", "in the insert"])
async def test_killed_inside_the_transaction(demo: Demo, window: Window, where: str) -> None:
    """PostgreSQL finishes what it was told: used, without anybody having been told, until the terminal asks again."""
    blocking = BEFORE_INSERT if where == "before the insert" else (IN_INSERT, cti_of(window.code))
    async with worker_on(demo) as broken, held(demo, *blocking):
        scan = asyncio.create_task(scan_into_the_dark(broken.address, window.clerk, window.code))
        await until_waiting(demo)
        broken.processes[0].kill()
        await scan
    await assert_retry_gets(demo, window, 200)


async def test_killed_inside_the_transaction_that_then_rolls_back(demo: Demo, window: Window) -> None:
    async with worker_on(demo) as broken, held(demo, *BEFORE_INSERT):
        scan = asyncio.create_task(scan_into_the_dark(broken.address, window.clerk, window.code))
        await until_waiting(demo)
        broken.processes[0].kill()
        await scan
        await _end_waiting(demo)
    assert await rows_of(demo, window.code) == 0
    await assert_retry_gets(demo, window, 201)


async def _end_waiting(demo: Demo) -> None:
    connection = await asyncpg.connect(demo.database_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND query LIKE '%yima_resolve%'"
        )
    finally:
        await connection.close()


@asynccontextmanager
async def behind_a_proxy(demo: Demo) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the database, and the address of a worker that goes through it."""
    folder = short_folder()
    try:
        async with (
            Proxy(demo.database_url, folder).running() as proxy,
            worker_on(demo, YIMA_DATABASE_URL=proxy.url) as worker,
        ):
            yield proxy, worker.address
    finally:
        remove(folder)


@pytest.mark.parametrize("when", list(Lose))
async def test_a_connection_lost_around_commit_is_asked_again(demo: Demo, window: Window, when: Lose) -> None:
    """The same call with the same resolution_id on another connection: it is mine, so I get the answer, at once."""
    async with behind_a_proxy(demo) as (proxy, address):
        proxy.lose(cti_of(window.code), when)
        answer = await scan_at(address, window.clerk, window.code)
    assert (answer.status_code, proxy.lost) == (201, 1)
    assert await rows_of(demo, window.code) == 1
    await assert_retry_gets(demo, window, 200)


async def test_a_connection_lost_while_another_wins(demo: Demo, window: Window) -> None:
    """Nothing was executed, and meanwhile another terminal used the code: 409, as for any loser."""
    async with behind_a_proxy(demo) as (proxy, address):
        won = await scan_at(demo.info["base_url"], window.other, window.code)
        proxy.lose(cti_of(window.code), Lose.BEFORE)
        lost = await scan_at(address, window.clerk, window.code)
    assert (won.status_code, lost.status_code, proxy.lost) == (201, 409, 1)


async def test_a_lock_that_does_not_come_is_said_to_be_unknown(demo: Demo, window: Window) -> None:
    """Lock timeout (5 s): 503, nothing used."""
    async with held(demo, *BEFORE_INSERT):
        answer = await scan_at(demo.info["base_url"], window.clerk, window.code)
    assert (answer.status_code, answer.json()["code"]) == (503, "try-again")
    assert int(answer.headers["retry-after"]) >= 1
    assert await rows_of(demo, window.code) == 0
    await assert_retry_gets(demo, window, 201)


async def test_a_statement_that_takes_too_long_is_said_to_be_unknown(demo: Demo, window: Window, long: bool) -> None:
    """Statement timeout (10 s): 503, nothing used."""
    if not long:
        pytest.skip("takes ten seconds: `make fault`")
    connection = await asyncpg.connect(demo.database_url)
    clock = "CREATE OR REPLACE FUNCTION yima_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ {} $$"
    try:
        await connection.execute(clock.format("SELECT clock_timestamp() FROM pg_sleep(12)"))
        answer = await scan_at(demo.info["base_url"], window.clerk, window.code)
    finally:
        await connection.execute(clock.format("SELECT clock_timestamp()"))
        await connection.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "try-again")
    assert await rows_of(demo, window.code) == 0
