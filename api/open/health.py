"""Whether the process lives, whether it can do its work, and what it counted."""

import asyncio
import os

import msgspec
from sanic.response import HTTPResponse

from api.metrics import CONTENT_TYPE, exposition
from api.open.key_metrics import key_exposition
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from models.database import row

subject = Subject("Open")
DATABASE_SECONDS = 2.0


class Alive(msgspec.Struct):
    """The process lives."""

    status: str


class Ready(msgspec.Struct):
    """Whether each part can do its work; `problems` says why not."""

    status: str
    database: bool
    key_ring: bool
    clock: bool
    problems: list[str]


@subject.route("GET", "/healthz", Caller.ANYONE, "The process lives", answers={200: Alive})
async def show_alive(call: Call[None]) -> Answer:
    """Always 200."""
    return Answer(200, Alive("ok"))


@subject.route(
    "GET", "/readyz", Caller.ANYONE, "Database, key ring and clock are usable", answers={200: Ready, 503: Ready}
)
async def show_ready(call: Call[None]) -> Answer:
    """503 with the reasons where one is not."""
    services = call.services
    problems = []
    database = await _database_answers()
    if not database:
        problems.append("the database does not answer")
    if not services.keeper.fresh:
        problems.append("the key ring is older than 60 s: this worker does not issue")
    if services.keeper.rolled_back:
        problems.append("the key ring is older than one already seen: a custodian must confirm it")
    if not services.clock.known:
        problems.append("the database's time is not known")
    ready = Ready(
        "ready" if not problems else "not ready", database, services.keeper.fresh, services.clock.known, problems
    )
    return Answer(503 if problems else 200, ready)


async def _database_answers() -> bool:
    try:
        return await asyncio.wait_for(row("SELECT 1"), DATABASE_SECONDS) is not None
    except Exception:
        return False


@subject.route(
    "GET",
    "/metrics",
    Caller.ANYONE,
    "Prometheus metrics, over all workers",
    answers={200: Media("text/plain", "Prometheus text format")},
)
async def show_metrics(call: Call[None]) -> HTTPResponse:
    """No label is ever a caller's word."""
    keeper = call.services.keeper
    call.services.metrics.ring(os.getpid(), call.services.vault.ring.version, keeper.age)
    try:
        keys = await key_exposition(call.services.vault, call.services.settings)
    except Exception:
        keys = b""  # without the database the other metrics still say so
    call.services.metrics.catch_up()
    return HTTPResponse(exposition() + keys, content_type=CONTENT_TYPE)
