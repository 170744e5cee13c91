"""Custodians and the schedule at a real database, through the models alone. Time moves by `yima_now()`."""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from codes.lifecycle import Actor
from codes.ring import KeyState, Purpose
from models import rotation
from models.deciding import decide
from models.key_rows import By, KeyRow, Timing, key_rows
from models.vault import Vault

LEAD: Final = 145
MAX_AGE: Final = 100
DESTROY_WAIT: Final = 700
TIMING: Final = Timing(LEAD, MAX_AGE, DESTROY_WAIT)
ONE: Final = By(Actor.CUSTODIAN, UUID(int=1), "one")
TWO: Final = By(Actor.CUSTODIAN, UUID(int=2), "two")
LIFE_AFTER: Final = 60 + 30 + MAX_AGE  # of a code key that signed codes of 60 s
_CLOCK: Final = (
    "CREATE OR REPLACE FUNCTION yima_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ SELECT {} $$"
)

_TABLES: Final = {
    "keys": "concat_ws(' ', encode(kid, 'hex'), purpose, state, version, retain, encode(replacement_kid, 'hex'), wrapped IS NULL)",
    "approvals": "concat_ws(' ', encode(kid, 'hex'), kind, \"to\", decided_at IS NULL, approved)",
    "audit_entries": "concat_ws(' ', action, subject, actor)",
    "ring": "version",
    "scheduled_rotations": "concat_ws(' ', purpose, encode(kid, 'hex'))",
}


class Desk:
    """One database: what is asked for, and what its rows say."""

    def __init__(self, url: str, vault: Vault, timing: Timing = TIMING) -> None:
        self.url = url
        self.vault = vault
        self.timing = timing
        self._ahead = 0.0
        # What a test wants to remember: its first key, another one, and the ring's version that was seen.
        self.first = self.other = b""
        self.seen = 0

    async def begin(self) -> None:
        """All keys are active from now on; the code key has signed codes of 60 s."""
        await self.open()
        await self.sql("UPDATE keys SET activated_at = yima_now()")
        await self.sql("UPDATE keys SET longest_life = 60 WHERE purpose = 'code'")

    async def open(self) -> None:
        """Open a connection of its own."""
        self.outside: asyncpg.Connection[Any] = await asyncpg.connect(self.url)

    async def close(self) -> None:
        with suppress(Exception):
            await self.outside.close()

    async def sql(self, statement: str, *values: Any) -> list[Any]:
        """A statement on a connection that the models do not know."""
        return list(await self.outside.fetch(statement, *values))

    async def move(self, seconds: float) -> None:
        """Let time pass, by the only clock that decides."""
        self._ahead += seconds
        await self.outside.execute(_CLOCK.format(f"clock_timestamp() + make_interval(secs => {self._ahead!r})"))

    async def keys(self, purpose: Purpose = Purpose.CODE) -> list[KeyRow]:
        """The purpose's keys, oldest first."""
        return [key for key in await key_rows(self.vault) if key.purpose is purpose]

    async def states(self, purpose: Purpose = Purpose.CODE) -> list[str]:
        """Their states, oldest first."""
        return [key.state.value for key in await self.keys(purpose)]

    async def kid(self, state: KeyState, purpose: Purpose = Purpose.CODE) -> bytes:
        """The one key in a state."""
        (found,) = [key.kid for key in await self.keys(purpose) if key.state is state]
        return found

    async def version(self) -> int:
        """The ring's version."""
        return int((await self.sql("SELECT version FROM ring"))[0]["version"])

    async def rotate(self, at_once: bool = True, purpose: Purpose = Purpose.CODE, by: By = ONE) -> rotation.Rotation:
        return await rotation.request_rotation(self.vault, purpose, at_once, by, self.timing)

    async def ask(self, kid: bytes, to: KeyState, by: By = ONE, seen: int | None = None) -> rotation.Outcome:
        """By one custodian, who saw the ring as it is unless `seen` says otherwise."""
        version = await self.version() if seen is None else seen
        return await rotation.transition(self.vault, kid, to, by, "a test", version, self.timing)

    async def change(self, kid: bytes, to: KeyState) -> KeyRow:
        """By as many custodians as it takes."""
        outcome = await self.ask(kid, to)
        if outcome.approval_id is None:
            return outcome.key
        return await decide(self.vault, outcome.approval_id, True, TWO, self.timing)

    async def compromise(self, kid: bytes, by: By = ONE) -> rotation.Compromise:
        return await rotation.compromise(self.vault, kid, "stolen", None, by)

    async def tick(self) -> list[str]:
        return await rotation.tick(self.vault, self.timing)

    async def turn(self, purpose: Purpose = Purpose.CODE) -> bytes:
        """A whole planned rotation up to the new key's activation; its kid."""
        made = await self.rotate(purpose=purpose)
        await self.move(LEAD + 1)
        await self.tick()
        return made.kid

    async def report(self, version: int, worker: UUID | None = None) -> UUID:
        """A worker says which ring it holds."""
        worker = worker or uuid4()
        await self.sql(
            "INSERT INTO ring_reports (worker, slot, version, at) VALUES ($1, 'a test', $2, yima_now())"
            " ON CONFLICT (worker) DO UPDATE SET version = $2, at = yima_now() RETURNING worker",
            worker,
            version,
        )
        return worker

    async def snapshot(self) -> list[str]:
        """All that a key operation may change, with names instead of kids and ids: two runs can be compared."""
        names: dict[str, str] = {}
        for name, what in (
            ("K", "encode(kid, 'hex') AS it FROM keys ORDER BY id"),
            ("A", "id::text AS it FROM approvals ORDER BY at"),
        ):
            names |= {row["it"]: f"{name}{n}" for n, row in enumerate(await self.sql(f"SELECT {what}"), start=1)}
        lines = []
        for table, what in _TABLES.items():
            for row in await self.sql(f"SELECT {what} AS it FROM {table}"):
                line = f"{table}: {row['it']}"
                for found, name in names.items():
                    line = line.replace(found, name)
                lines.append(line)
        return sorted(lines)
