"""What must agree in the rows of records at any moment, whatever was raced, killed or lost: every fault, told by its rows.

Tests post each report once, and none in error: so what is there twice, or dead without a correction, is a fault.
"""

from typing import Final

import asyncpg

from tests.fault.booking_checker import Fetch

# Each selects one text a fault.
FAULTS: Final = {
    "posted without its one access": """
        SELECT r.id::text FROM records r WHERE r.resolution_id IS NOT NULL AND 1 <> (SELECT count(*) FROM accesses a
            WHERE a.resolution_id = r.resolution_id AND a.at = r.posted_at AND a.records = ARRAY[r.id])""",
    "an access to what is not kept": """
        SELECT a.id::text FROM accesses a, unnest(a.records) n(id)
            WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.id = n.id)""",
    "kept twice": """
        SELECT r.person_id || ' ' || encode(r.sha256, 'hex') FROM records r
            GROUP BY r.person_id, r.hospital_id, r.sha256 HAVING count(*) > 1""",
    "a correction of what does not know it": """
        SELECT r.id::text FROM records r WHERE r.replaces IS NOT NULL AND NOT EXISTS (SELECT 1 FROM records e
            WHERE (e.id, e.superseded_by, e.person_id, e.hospital_id, e.kind)
                = (r.replaces, r.id, r.person_id, r.hospital_id, r.kind))""",
    "superseded by nothing": """
        SELECT e.id::text FROM records e WHERE e.superseded_by IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM records r WHERE (r.id, r.replaces) = (e.superseded_by, e.id))""",
    "not one live version": """
        SELECT v.root || ': ' || count(*) FILTER (WHERE v.live) FROM (
            WITH RECURSIVE versions AS (
                SELECT r.id AS root, r.id, r.live FROM records r WHERE r.replaces IS NULL
                UNION ALL SELECT v.root, r.id, r.live FROM versions v JOIN records r ON r.replaces = v.id)
            SELECT * FROM versions) v
            GROUP BY v.root HAVING count(*) FILTER (WHERE v.live) <> 1""",
}
_ALL: Final = " UNION ALL ".join(f"SELECT '{what}' AS what, q.* FROM ({sql}) q(which)" for what, sql in FAULTS.items())


async def faults(fetch: Fetch) -> list[str]:
    """Every fault there is."""
    return [f"{one['what']}: {one['which']}" for one in await fetch(_ALL)]


async def faults_at(database_url: str) -> list[str]:
    """Every fault of a database."""
    connection = await asyncpg.connect(database_url)
    try:
        return await faults(connection.fetch)
    finally:
        await connection.close()
