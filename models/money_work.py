"""What is under way for a bill: who holds it, and each message to an upstream, written before it is sent.

A hold ends by itself, so work whose worker died is taken on by another. Everything a holder writes says its token:
who lost the hold writes nothing more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import asyncpg

from models.database import Connection, row, rows
from models.keyset import FAR, LAST

LISTED_AFTER: Final = 8  # tries, about four minutes
_BACKOFF_MOST: Final = 600
_LATER: Final = (
    "UPDATE money_work SET attempts = attempts + 1,"
    f" due_at = yima_now() + make_interval(secs => least({_BACKOFF_MOST}, power(2, least(attempts, 10)))),"
    f" listed_at = CASE WHEN attempts + 1 >= {LISTED_AFTER} THEN coalesce(listed_at, yima_now()) END"
    " WHERE id = $1 AND done_at IS NULL"
)
_LOST: Final = "YM020"  # of yima_hold


class HoldLost(Exception):
    """Another worker has taken this work on."""


class Work(NamedTuple):
    """Work that this process holds under `token`."""

    work_id: UUID
    bill_id: UUID
    kind: str
    ref: UUID
    step: str
    attempts: int
    at: datetime
    token: UUID


class Doubt(NamedTuple):
    """A message whose outcome nobody knows."""

    message_id: UUID
    call: str
    number: str


_EXCLUSIVE: Final = "('make', 'pay', 'refund')"
_FIRST: Final = (  # no earlier work of its bill must end before
    f"(w.kind NOT IN {_EXCLUSIVE} OR NOT EXISTS (SELECT 1 FROM money_work e WHERE e.bill_id = w.bill_id"
    f" AND e.done_at IS NULL AND e.seq < w.seq AND e.kind IN {_EXCLUSIVE}))"
)


async def add(bill_id: UUID, kind: str, ref: UUID, step: str, *, using: Connection) -> None:
    """Begin work that is anybody's."""
    await row(
        "INSERT INTO money_work (id, bill_id, kind, ref, step, attempts, at, due_at)"
        " VALUES ($1, $2, $3, $4, $5, 0, yima_now(), yima_now()) RETURNING id",
        uuid4(),
        bill_id,
        kind,
        ref,
        step,
        using=using,
    )


async def claim(work_id: UUID, seconds: float) -> Work | None:
    """Take work on for so many seconds, if nobody holds it and no earlier work of its bill must end first."""
    token = uuid4()
    found = await row(
        "UPDATE money_work w SET held_by = $2, held_until = yima_now() + make_interval(secs => $3) WHERE w.id = $1"
        " AND w.done_at IS NULL AND (w.held_until IS NULL OR w.held_until < yima_now())"
        f" AND {_FIRST} RETURNING w.*",
        work_id,
        token,
        seconds,
    )
    if found is None:
        return None
    return Work(
        found["id"],
        found["bill_id"],
        found["kind"],
        found["ref"],
        found["step"],
        found["attempts"],
        found["at"],
        token,
    )


async def live(ref: UUID) -> UUID | None:
    """The work about something that is not done, if there is any."""
    found = await row("SELECT id FROM money_work WHERE ref = $1 AND done_at IS NULL ORDER BY seq LIMIT 1", ref)
    return found["id"] if found else None


async def due(limit: int) -> list[UUID]:
    """Work that is due, held by nobody and first of its bill, oldest first."""
    found = await rows(
        "SELECT w.id FROM money_work w WHERE w.done_at IS NULL AND w.due_at <= yima_now()"
        f" AND (w.held_until IS NULL OR w.held_until < yima_now()) AND {_FIRST} ORDER BY w.due_at LIMIT $1",
        limit,
    )
    return [record["id"] for record in found]


async def go(work: Work, step: str, *, wait: float = 0.0, using: Connection | None = None) -> Work:
    """Move to a step; with a wait: due in so many seconds, and let go until then. Raises HoldLost."""
    await _hold(
        "UPDATE money_work SET step = $3, attempts = 0, due_at = yima_now() + make_interval(secs => $4), listed_at = NULL,"
        " held_until = CASE WHEN $4 = 0 THEN held_until END WHERE id = $1 AND held_by = $2 AND done_at IS NULL RETURNING id",
        work,
        step,
        wait,
        using=using,
    )
    return work._replace(step=step, attempts=0)


async def later(work: Work) -> None:
    """Try the step again after a while that grows; after some tries it goes on a person's list, too. Raises HoldLost."""
    await _hold(f"{_LATER} AND held_by = $2 RETURNING id", work)


async def wait(work: Work, seconds: float) -> None:
    """Look at the same step again in so many seconds: nothing went wrong. Raises HoldLost."""
    await _hold(
        "UPDATE money_work SET due_at = yima_now() + make_interval(secs => $3), attempts = 0, listed_at = NULL"
        " WHERE id = $1 AND held_by = $2 AND done_at IS NULL RETURNING id",
        work,
        seconds,
    )


async def finish(work: Work, *, using: Connection | None = None) -> None:
    """It is done. Raises HoldLost."""
    await _hold(
        "UPDATE money_work SET done_at = yima_now() WHERE id = $1 AND held_by = $2 AND done_at IS NULL RETURNING id",
        work,
        using=using,
    )


async def release(work: Work) -> None:
    """Let go, if it is still held."""
    await row(
        "UPDATE money_work SET held_until = NULL WHERE id = $1 AND held_by = $2 AND held_until IS NOT NULL"
        " AND done_at IS NULL RETURNING id",
        work.work_id,
        work.token,
    )


async def write(
    work: Work,
    call: str,
    about: UUID,
    seconds: float,
    *,
    number: str | None = None,
    institution: str = "",
    done: list[UUID] = [],  # noqa: B006 - it is only read
) -> tuple[UUID, str]:
    """Write a message that is sent next, and keep the hold for its time: its id and number. Raises HoldLost.

    done: messages that were answered meanwhile, and changed nothing.

    number: the same again (a prepay, a refund) is the same message, asked once more. Without one: a new msgid of the
    institution, of 12 characters.
    """
    found = await row(
        "WITH past AS (UPDATE money_messages SET outcome = 'done', ended_at = yima_now() WHERE id = ANY($9)),"
        " held AS (UPDATE money_work SET held_until = yima_now() + make_interval(secs => $7)"
        " WHERE id = $1 AND held_by = $2 AND held_until > yima_now() AND done_at IS NULL RETURNING id, bill_id)"
        " INSERT INTO money_messages (id, work_id, bill_id, about, call, number, at)"
        " SELECT $3, h.id, h.bill_id, $4, $5, coalesce($6, yima_msgid($8)), yima_now() FROM held h"
        " ON CONFLICT (call, number) DO UPDATE SET outcome = NULL, code = NULL, work_id = EXCLUDED.work_id, ended_at = NULL"
        " WHERE money_messages.about = EXCLUDED.about RETURNING id, number",
        work.work_id,
        work.token,
        uuid4(),
        about,
        call,
        number,
        seconds,
        institution,
        done,
    )
    if found is None:
        raise HoldLost
    return found["id"], found["number"]


async def ended(message_id: UUID, outcome: str, code: str = "", *, using: Connection | None = None) -> None:
    """How a message ended: done, refused, unsent, unknown or undone."""
    await row(
        "UPDATE money_messages SET outcome = $2, code = nullif($3, ''), ended_at = yima_now() WHERE id = $1 RETURNING id",
        message_id,
        outcome,
        code[:40],
        using=using,
    )


async def all_done(message_ids: list[UUID], *, using: Connection | None = None) -> None:
    """These were answered, and changed nothing."""
    if message_ids:
        await row(
            "UPDATE money_messages SET outcome = 'done', ended_at = yima_now() WHERE id = ANY($1) RETURNING id",
            message_ids,
            using=using,
        )


async def doubts(about: UUID, calls: tuple[str, ...]) -> list[Doubt]:
    """Messages about something whose outcome is not known, newest first."""
    found = await rows(
        "SELECT id, call, number FROM money_messages WHERE about = $1 AND call = ANY($2)"
        " AND (outcome IS NULL OR outcome = 'unknown') ORDER BY at DESC",
        about,
        list(calls),
    )
    return [Doubt(*record) for record in found]


async def listed(after: tuple[datetime, UUID] | None, limit: int) -> list[Any]:
    """What no try ended, for a person to look at, newest first."""
    return await rows(
        "SELECT w.id, w.bill_id, b.hospital_id, w.kind, w.step, w.attempts, w.at, w.due_at, w.listed_at,"
        " (SELECT m.call FROM money_messages m WHERE m.bill_id = w.bill_id AND m.work_id = w.id ORDER BY m.at DESC LIMIT 1) AS call,"
        " (SELECT m.code FROM money_messages m WHERE m.bill_id = w.bill_id AND m.work_id = w.id ORDER BY m.at DESC LIMIT 1) AS code"
        " FROM money_work w JOIN bills b ON b.id = w.bill_id WHERE w.done_at IS NULL AND w.listed_at IS NOT NULL"
        " AND (w.listed_at, w.id) < ($1, $2) ORDER BY w.listed_at DESC, w.id DESC LIMIT $3",
        *(after or (FAR, LAST)),
        limit,
    )


async def keep(work: Work, seconds: float, *, using: Connection) -> None:
    """It is still held, and for so many seconds more. Raises HoldLost. The bill's row is locked before."""
    await _hold(
        "UPDATE money_work SET held_until = yima_now() + make_interval(secs => $3)"
        " WHERE id = $1 AND held_by = $2 AND done_at IS NULL RETURNING id",
        work,
        seconds,
        using=using,
    )


@contextmanager
def holding() -> Iterator[None]:
    """Turns the refusal of `yima_hold` into HoldLost."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate == _LOST:
            raise HoldLost from None
        raise


async def _hold(statement: str, work: Work, *values: object, using: Connection | None = None) -> None:
    if await row(statement, work.work_id, work.token, *values, using=using) is None:
        raise HoldLost


async def set_back(work_id: UUID) -> None:
    """The same of a step that broke off for no reason that it knows, whoever holds it."""
    await row(f"{_LATER} RETURNING id", work_id)


async def hurry(out_refund_no: str) -> None:
    """Look at a refund's work now."""
    await row(
        "UPDATE money_work w SET due_at = yima_now() FROM refunds r WHERE r.out_refund_no = $1 AND w.ref = r.id"
        " AND w.done_at IS NULL RETURNING w.id",
        out_refund_no,
    )


async def count_listed() -> int:
    """How much is on the person's list."""
    found = await row("SELECT count(*) AS n FROM money_work WHERE done_at IS NULL AND listed_at IS NOT NULL")
    return int(found["n"]) if found else 0
