"""What must agree in the rows of booking at any moment, whatever was raced, killed or lost: every fault, told by its rows.

Tests stop sessions with a reason and cancel at windows without one: so the two are told apart here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

Fetch = Callable[[str], Awaitable[list[Any]]]

_STOPPED: Final = "(a.status = 'cancelled' AND a.cancelled_by = 'hospital' AND a.reason IS NOT NULL)"
_LIVE: Final = "a.status <> 'cancelled'"
# Each selects one text a fault.
FAULTS: Final = {
    "an appointment without its place": f"""
        SELECT a.id::text FROM appointments a WHERE {_LIVE} AND NOT EXISTS (SELECT 1 FROM places p
            WHERE p.appointment_id = a.id AND (p.schedule_id, p.slot_id, p.number) = (a.schedule_id, a.slot_id, a.number))""",
    "a place that is lost": f"""
        SELECT p.id::text FROM places p WHERE p.appointment_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM appointments a WHERE a.id = p.appointment_id AND {_LIVE})""",
    "a place sold twice": f"""
        SELECT a.schedule_id || ' ' || a.number FROM appointments a WHERE {_LIVE}
            GROUP BY a.schedule_id, a.number HAVING count(*) > 1""",
    "places that are not the capacity": """
        SELECT s.id::text FROM slots s WHERE (SELECT count(*) FROM places p WHERE p.slot_id = s.id)
            <> CASE WHEN s.dropped THEN 0 ELSE s.capacity END""",
    "said to be sold out with a place free": """
        SELECT s.id::text FROM slots s WHERE s.sold_out AND NOT s.dropped
            AND EXISTS (SELECT 1 FROM places p WHERE p.slot_id = s.id AND p.appointment_id IS NULL)""",
    "an appointment outside its slot": """
        SELECT a.id::text FROM appointments a JOIN slots s ON s.id = a.slot_id JOIN schedules d ON d.id = s.schedule_id
            WHERE a.status <> 'cancelled' AND (a.start, a.ends, a.date) IS DISTINCT FROM (s.start, s.ends, d.date)""",
    "twice in a session": f"""
        SELECT a.person_id || ' ' || a.schedule_id FROM appointments a WHERE {_LIVE}
            GROUP BY a.person_id, a.schedule_id HAVING count(*) > 1""",
    "two at the same time": f"""
        SELECT a.id || ' ' || b.id FROM appointments a JOIN appointments b ON b.person_id = a.person_id AND b.id > a.id
            AND b.start < a.ends AND a.start < b.ends WHERE {_LIVE} AND b.status <> 'cancelled'""",
    "more than three a date": f"""
        SELECT a.person_id || ' ' || a.date FROM appointments a WHERE {_LIVE}
            GROUP BY a.person_id, a.date HAVING count(*) > 3""",
    "waits in more than five lines": """
        SELECT w.person_id::text FROM waitings w WHERE w.status = 'waiting' AND w.until > yima_now()
            GROUP BY w.person_id HAVING count(*) > 5""",
    "a place in line that was given nothing": """
        SELECT w.id::text FROM waitings w WHERE (w.status = 'booked') IS DISTINCT FROM EXISTS (SELECT 1
            FROM appointments a WHERE a.id = w.appointment_id AND (a.schedule_id, a.person_id) = (w.schedule_id, w.person_id)
            AND (w.slot_id IS NULL OR w.slot_id = a.slot_id) AND (a.booked_by <> 'waiting' OR a.card_id = w.card_id))""",
    "given without a place in line": """
        SELECT a.id::text FROM appointments a WHERE a.booked_by = 'waiting'
            AND (SELECT count(*) FROM waitings w WHERE w.appointment_id = a.id) <> 1""",
    "changes that are not what happened": """
        SELECT a.id || ': ' || coalesce(h.kinds, 'none') FROM appointments a LEFT JOIN (SELECT c.ref, c.hospital_id,
                string_agg(c.kind, ' ' ORDER BY c.xid, c.id) AS kinds FROM changes c GROUP BY c.ref, c.hospital_id) h
                ON h.ref = a.id AND h.hospital_id = a.hospital_id
            WHERE h.kinds IS DISTINCT FROM concat_ws(' ', 'booked', CASE WHEN a.arrived_at IS NOT NULL THEN 'arrived' END,
                CASE WHEN a.status IN ('cancelled', 'noshow') THEN a.status END)""",
    "changes of nothing": """
        SELECT c.id::text FROM changes c WHERE NOT EXISTS (SELECT 1 FROM appointments a WHERE a.id = c.ref)""",
    "not told once that it is booked": """
        SELECT a.id::text FROM appointments a JOIN cards k ON k.id = a.card_id WHERE 1 <> (SELECT count(*)
            FROM messages m WHERE m.ref = a.id::text AND m.kind IN ('booked', 'waiting-booked')) OR 1 <> (SELECT count(*)
            FROM messages m WHERE m.ref = a.id::text AND m.account_id = k.account_id
            AND m.kind = CASE a.booked_by WHEN 'waiting' THEN 'waiting-booked' ELSE 'booked' END)""",
    "not told once that it is stopped": f"""
        SELECT a.id || ' ' || k.account_id FROM appointments a JOIN cards k ON k.person_id = a.person_id
            AND k.status <> 'closed' AND (k.id = a.card_id OR k.relation = 'self')
            WHERE (SELECT count(*) FROM messages m WHERE m.ref = a.id::text AND m.kind = 'session-stopped'
                AND m.account_id = k.account_id) <> CASE WHEN {_STOPPED} THEN 1 ELSE 0 END""",
    "texts that are not one a stopped appointment": f"""
        SELECT t.texts || ' for ' || t.stopped FROM (SELECT (SELECT count(*) FROM deliveries d WHERE d.kind = 'text')
            AS texts, (SELECT count(*) FROM appointments a WHERE {_STOPPED}) AS stopped) t WHERE t.texts <> t.stopped""",
    "uses by a window that are not recorded once": f"""
        SELECT t.person_id || ' ' || t.uses || ' recorded ' || t.recorded FROM (SELECT a.person_id,
                count(*) FILTER (WHERE a.booked_by = 'hospital') + count(*) FILTER (WHERE a.cancelled_by = 'hospital'
                    AND NOT {_STOPPED}) + count(*) FILTER (WHERE a.status = 'fulfilled') AS uses,
                (SELECT count(*) FROM accesses x WHERE x.person_id = a.person_id) AS recorded
            FROM appointments a GROUP BY a.person_id) t WHERE t.uses <> t.recorded""",
    "an arrival that its scan does not show": """
        SELECT a.id::text FROM appointments a WHERE (a.arrived_at IS NULL) IS DISTINCT FROM NOT EXISTS (SELECT 1
            FROM resolutions r WHERE r.arrival->>'appointment_id' = a.id::text AND r.at = a.arrived_at)""",
}
_ALL: Final = " UNION ALL ".join(f"SELECT '{what}' AS what, q.* FROM ({sql}) q(which)" for what, sql in FAULTS.items())
# (place, who waits): a place is free two hours ahead, and one in line may have it. Right only for who was offered it when
# it became free, and could not take it then.
PASSED_OVER: Final = """
SELECT p.id AS place, p.slot_id, p.number, w.id AS waiting FROM places p JOIN slot_rows r ON r.slot_id = p.slot_id
JOIN waitings w ON w.schedule_id = p.schedule_id AND w.status = 'waiting' AND w.eligible
    AND (w.slot_id IS NULL OR w.slot_id = p.slot_id)
JOIN cards c ON c.id = w.card_id AND c.status = 'active'
WHERE p.appointment_id IS NULL AND NOT r.dropped AND NOT r.stopped AND r.schedule_status = 'open'
    AND r.start >= yima_now() + interval '2 hours'
    AND yima_booking_limit(w.person_id, p.schedule_id, r.date, r.start, r.ends, yima_now()) IS NULL
"""


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
