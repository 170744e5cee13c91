"""Sessions whose time is over, and waitings that can be given no place any more."""

from uuid import UUID

from models.database import Connection, row, rows

_OVER = "status = 'open' AND last_end <= yima_now() - interval '2 hours'"


async def is_over(schedule_id: UUID, *, using: Connection) -> bool:
    """Whether a session is still one of `over`, now that its lock is held."""
    found = await row(f"SELECT 1 FROM schedules WHERE id = $1 AND {_OVER}", schedule_id, using=using)
    return found is not None


async def over(limit: int = 50) -> list[UUID]:
    """Open sessions whose last slot ended two hours ago or earlier."""
    found = await rows(f"SELECT id FROM schedules WHERE {_OVER} ORDER BY last_end LIMIT $1", limit)
    return [record["id"] for record in found]


async def expire_waitings() -> None:
    """Those that can be given no place any more wait no more."""
    await row("UPDATE waitings SET status = 'expired' WHERE status = 'waiting' AND until <= yima_now() RETURNING id")
