"""What the simulated systems share: people, accounts, levers, and the way a call is answered."""

import asyncio
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from sanic import Request
from sanic.response import HTTPResponse, empty, raw, text

from api.sandbox.config import SandboxSecrets
from api.sandbox.insurer_books import InsurerBooks
from api.sandbox.levers import KEPT, Calls, Faults, Order, Seen, overlay
from api.sandbox.pay_books import PayBooks
from api.sandbox.people import Person

HANG_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a JSON object, its status and what its type is called; `content` instead of the object, for files."""

    body: dict[str, Any]
    status: int = 200
    content_type: str = "application/json"
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A text in the outbox."""

    at: str
    message_id: str
    phone: str
    text: str


@dataclass(frozen=True, slots=True)
class System:
    """How one upstream misbehaves in its own words: its error answer, and its lie if `set` names none."""

    name: str
    error: Callable[[str, str], Reply]  # (code, text), either "" if not ordered
    lie: dict[str, Any]


@dataclass(slots=True)
class World:
    """The state of one sandbox; it dies with the process, but for the books of money where `kept` keeps them."""

    people: tuple[Person, ...]
    secrets: SandboxSecrets
    now: Callable[[], float]
    token_life: int
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)
    outbox: deque[Message] = field(default_factory=lambda: deque(maxlen=KEPT))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    insurer_books: InsurerBooks = field(default_factory=InsurerBooks)
    late: set[asyncio.Task[Reply]] = field(default_factory=set)
    pay_books: PayBooks = field(default_factory=PayBooks)
    touched: Callable[[], None] = lambda: None  # told when something that is kept may have changed

    async def answer(
        self,
        request: Request,
        system: System,
        call: str,
        work: Callable[[], Reply],
        infno: str | None = None,
        sign: Callable[[bytes, str | None], dict[str, str]] | None = None,
    ) -> HTTPResponse:
        """Do the work and answer, or whatever an ordered fault makes of it.

        sign: the headers that sign the body of a 2xx, for the body and the fault that strikes it.
        """
        seen = self.calls.begin(system.name, call)
        fault = self.faults.take(system.name, call, infno, request.path)
        kind = fault.fault if fault else None
        if kind in ("reset", "hang"):
            if kind == "hang":
                await self.idle(HANG_SECONDS)
            return _cut(request, seen)
        if kind == "http-500":
            seen.status = 500
            return text("Internal Server Error", status=500)
        if fault and kind == "delay":
            reply = await self._later(fault.delay_ms / 1000, work)
        else:
            reply = system.error(*_code_and_text(fault)) if fault and kind == "error" else work()
        if fault and kind == "lie":
            reply = replace(reply, body=overlay(reply.body, fault.set or system.lie))
        if kind == "drop-answer":
            return _cut(request, seen)
        seen.status = reply.status
        body = reply.content if reply.content is not None else json.dumps(reply.body, ensure_ascii=False).encode()
        headers = sign(body, kind) if sign and reply.status < 300 else None
        return raw(body, status=reply.status, headers=headers, content_type=reply.content_type)

    async def _later(self, seconds: float, work: Callable[[], Reply]) -> Reply:
        """A message that is long under way: the work is done even if nobody waits for its answer any more."""

        async def arrive() -> Reply:
            await self.idle(seconds)
            reply = work()
            self.touched()
            return reply

        task = asyncio.create_task(arrive())
        self.late.add(task)
        task.add_done_callback(self.late.discard)
        return await asyncio.shield(task)

    async def idle(self, seconds: float) -> None:
        """Wait, but not longer than the sandbox lives."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return


def parse(request: Request) -> dict[str, Any] | None:
    """The request's JSON object, or None if it is none."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _code_and_text(fault: Order) -> tuple[str, str]:
    return str(fault.set.get("code", "")), str(fault.set.get("text", ""))


def _cut(request: Request, seen: Seen) -> HTTPResponse:
    """Reset the connection without a byte of answer; what is returned goes nowhere."""
    seen.status = 0
    transport = cast(asyncio.Transport, request.transport)
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return empty()
