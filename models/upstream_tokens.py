"""Upstream access tokens, sealed, shared by all workers; one refreshes at a time."""

import hashlib
from collections.abc import Awaitable, Callable
from uuid import UUID

from models.database import row, transaction
from models.vault import Vault

_EARLY_SECONDS = 300  # a token this close to its end is fetched anew


class StoredAccessTokens:
    """The access token of one upstream, in PostgreSQL: workers wait for the one that fetches."""

    def __init__(self, vault: Vault, name: str) -> None:
        self._vault = vault
        self._name = name
        self._row_id = UUID(bytes=hashlib.sha256(name.encode()).digest()[:16])

    async def current(self) -> str | None:
        """The stored token, if it lasts a while yet."""
        found = await row(
            "SELECT sealed FROM upstream_tokens WHERE name = $1 AND expires_at > yima_now() + make_interval(secs => $2)",
            self._name,
            float(_EARLY_SECONDS),
        )
        return self._open(found["sealed"]) if found else None

    async def refresh(self, fetch: Callable[[], Awaitable[tuple[str, int]]], stale: str | None) -> str:
        """Fetch a new token unless another worker just did; `stale` is the one that did not work."""
        async with transaction() as tx:
            await tx.execute_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", [self._name])
            found = await row(
                "SELECT sealed FROM upstream_tokens WHERE name = $1 AND expires_at > yima_now()", self._name, using=tx
            )
            if found and (held := self._open(found["sealed"])) != stale:
                return held
            token, seconds = await fetch()
            sealed = self._vault.seal(token.encode(), "upstream_tokens", "sealed", self._row_id)
            await tx.execute_query(
                "INSERT INTO upstream_tokens (name, sealed, expires_at)"
                " VALUES ($1, $2, yima_now() + make_interval(secs => $3))"
                " ON CONFLICT (name) DO UPDATE SET sealed = EXCLUDED.sealed, expires_at = EXCLUDED.expires_at",
                [self._name, sealed, float(seconds)],
            )
            return token

    def _open(self, sealed: bytes) -> str:
        return self._vault.open(sealed, "upstream_tokens", "sealed", self._row_id).decode()
