"""The checker of records' rows (tests/fault/records_checker.py) sees each fault that it names."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest

from tests.fault import records_checker
from tests.support.records import lab, patient
from tests.support.service import Service

_LAST: Final = "WHERE superseded_by IS NULL AND replaces IS NOT NULL"
DAMAGES: Final = {
    "posted without its one access": "DELETE FROM accesses",
    "an access to what is not kept": "UPDATE accesses SET records = ARRAY[gen_random_uuid()]",
    "kept twice": """INSERT INTO records SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),
        'replaces', NULL))).* FROM records r""",
    "a correction of what does not know it": f"UPDATE records SET replaces = gen_random_uuid() {_LAST}",
    "superseded by nothing": f"DELETE FROM records {_LAST}",
    "not one live version": "UPDATE records SET live = false",
}


@pytest.fixture(scope="module")
async def database(shared_service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A report was posted, corrected twice and read; another only posted. Nothing is wrong."""
    window = await (await patient(shared_service)).at()
    record = None
    for title in ("first", "second", "third"):
        record = (await window.posted(lab(title=title), **({"replaces": record} if record else {})))["record_id"]
    await window.posted(lab(title="other"))
    assert len(await window.listed()) == 2
    connection = await asyncpg.connect(shared_service.services.settings.database_url)
    yield connection
    await connection.close()


async def test_nothing_is_wrong_where_nothing_went_wrong(database: asyncpg.Connection) -> None:
    assert await records_checker.faults(database.fetch) == []


def test_every_fault_has_its_damage() -> None:
    assert DAMAGES.keys() == records_checker.FAULTS.keys()


@pytest.mark.parametrize("fault", DAMAGES)
async def test_a_fault_is_seen(database: asyncpg.Connection, fault: str) -> None:
    damage = database.transaction()
    await damage.start()
    try:
        await database.execute(DAMAGES[fault])
        found = await records_checker.faults(database.fetch)
    finally:
        await damage.rollback()
    assert fault in {one.split(":")[0] for one in found}, found
