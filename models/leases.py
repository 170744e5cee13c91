"""Leases: one holder at a time for a job, by the database's clock."""

from uuid import UUID

from models.database import row


async def hold(name: str, holder: UUID, seconds: float) -> bool:
    """Take or keep a lease for so many seconds; whether this holder has it."""
    found = await row(
        "INSERT INTO leases (name, holder, until) VALUES ($1, $2, yima_now() + make_interval(secs => $3))"
        " ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until"
        " WHERE leases.holder = EXCLUDED.holder OR leases.until < yima_now() RETURNING holder",
        name,
        holder,
        seconds,
    )
    return found is not None


async def release(name: str, holder: UUID) -> None:
    """Give a lease back."""
    await row("DELETE FROM leases WHERE name = $1 AND holder = $2 RETURNING name", name, holder)
