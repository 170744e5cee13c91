"""The laboratory and imaging systems that hospitals connected: who may send, and where images are."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

from models.database import Connection, row, rows
from models.vault import Vault


class System(NamedTuple):
    """A hospital's system. `kind`: mllp or dicomweb; `config` as the administrator gave it, secrets and all."""

    hospital_id: UUID
    hospital_code: str
    kind: str
    config: dict[str, Any]
    version: int


async def put_system(vault: Vault, hospital_id: UUID, kind: str, config: dict[str, Any], *, using: Connection) -> None:
    """Write a hospital's system of a kind; there is one."""
    made = await row(
        "INSERT INTO connected_systems (id, hospital_id, kind, sealed, version, changed_at)"
        " VALUES ($1, $2, $3, '', 0, yima_now()) ON CONFLICT (hospital_id, kind) DO UPDATE SET changed_at = yima_now()"
        " RETURNING id",
        uuid4(),
        hospital_id,
        kind,
        using=using,
    )
    assert made is not None  # noqa: S101 - RETURNING of a row that was written
    await row(
        "UPDATE connected_systems SET sealed = $2, version = version + 1 WHERE id = $1",
        made["id"],
        vault.seal(config, "connected_systems", "sealed", made["id"]),
        using=using,
    )


async def systems(vault: Vault, kind: str, hospital_id: UUID | None = None) -> list[System]:
    """All systems of a kind, or those of one hospital."""
    found = await rows(
        "SELECT s.id, s.hospital_id, h.code, s.kind, s.sealed, s.version FROM connected_systems s"
        " JOIN hospitals h ON h.id = s.hospital_id WHERE s.kind = $1 AND ($2::uuid IS NULL OR s.hospital_id = $2)"
        " ORDER BY s.hospital_id",
        kind,
        hospital_id,
    )
    return [
        System(
            r["hospital_id"],
            r["code"],
            r["kind"],
            vault.open_as(dict[str, Any], r["sealed"], "connected_systems", "sealed", r["id"]),
            r["version"],
        )
        for r in found
    ]


async def system_of(vault: Vault, hospital_id: UUID, kind: str) -> System | None:
    """A hospital's system of a kind."""
    found = await systems(vault, kind, hospital_id)
    return found[0] if found else None


async def drop_system(hospital_id: UUID, kind: str, *, using: Connection) -> bool:
    """Take a system away; whether there was one."""
    return (
        await row(
            "DELETE FROM connected_systems WHERE hospital_id = $1 AND kind = $2 RETURNING id",
            hospital_id,
            kind,
            using=using,
        )
        is not None
    )
