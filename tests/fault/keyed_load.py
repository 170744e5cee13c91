"""Calls under Idempotency-Keys that survive faults: each repeated until its outcome is known, and written down."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from uuid import uuid4

import asyncpg
import httpx

from tests.fault.load import Ledger
from tests.process.demo import Demo, Headers

PAUSE: Final = 0.05
SETTLE_SECONDS: Final = 40.0
# As if the time had passed after which somebody else takes over what a dead worker began.
_LATER: Final = """
UPDATE idempotent_answers SET until = yima_now() WHERE status IS NULL;
UPDATE leases SET until = yima_now();
"""


class Keyed(NamedTuple):
    """A call with an Idempotency-Key that succeeded: what is sent again, and the first answer."""

    path: str
    headers: Headers
    body: Any
    answer: dict[str, Any]


class KeyedLoad:
    """All lines share a ledger of statuses. A body is JSON, or the bytes of one."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.ledger = Ledger()
        self.said: Counter[str] = Counter()
        self.done: list[Keyed] = []
        self._random = random.Random(7)
        self._keys = itertools.count()
        self._run = uuid4().hex[:8]
        self._stopping = False

    async def call(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response | None:
        """One call; None where its outcome is not known."""
        try:
            answer = await self.http.request(method, path, **_sent(headers, body))
        except httpx.TransportError as error:
            self.ledger.note(type(error).__name__, known=False)
            return None
        self.ledger.note(str(answer.status_code), known=answer.status_code != 503)
        return None if answer.status_code == 503 else answer

    async def settle(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response:
        """Call, and again until there is an answer that stands."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            answer = await self.call(method, path, headers, body)
            if answer is not None and not (answer.status_code == 409 and code_of(answer) == "idempotency-in-progress"):
                what = f"POST {path.rsplit('/', 1)[-1]}" if method == "POST" else method
                self.said[f"{what} {code_of(answer)}"] += 1
                return answer
            assert time.monotonic() < deadline, f"{method} {path} has no answer: {answer and answer.text}"
            await asyncio.sleep(PAUSE)

    async def once(self, path: str, headers: Headers, body: Any) -> dict[str, Any] | None:
        """A POST under a key of its own, written down where it succeeded."""
        keyed = {**headers, "Idempotency-Key": f"{self._run}-{next(self._keys)}"}
        answer = await self.settle("POST", path, keyed, body)
        if not answer.is_success:
            return None
        self.done.append(Keyed(path, keyed, body, answer.json()))
        return dict(answer.json())

    @asynccontextmanager
    async def under_way(self, demo: Demo, lines: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
        """The lines, for as long as the block; then every unknown outcome is settled."""
        tasks = [asyncio.create_task(line) for line in lines]
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.sleep(1)
            await later(demo.database_url)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    async def until_happened(self, what: tuple[str, ...], seconds: float = 30) -> None:
        """Go on until each of these was done."""
        deadline = time.monotonic() + seconds
        while missing := [one for one in what if not self.said[one]]:
            assert time.monotonic() < deadline, f"did not happen: {missing}"
            await asyncio.sleep(PAUSE)

    async def repeated(self) -> list[str]:
        """Calls whose repetition under their key does not give the first answer."""
        wrong = []
        for one in self.done:
            again = await self.settle("POST", one.path, one.headers, one.body)
            if not again.is_success or again.json() != one.answer or "idempotent-replayed" not in again.headers:
                wrong.append(f"{one.path}: {again.status_code} {again.text[:200]}")
        return wrong


def _sent(headers: Headers, body: Any) -> dict[str, Any]:
    if body is None:
        return {"headers": headers}
    if isinstance(body, bytes):
        return {"headers": {**headers, "Content-Type": "application/json"}, "content": body}
    return {"headers": headers, "json": body}


def code_of(answer: httpx.Response) -> str:
    """A success's status, or a problem's code."""
    return str(answer.status_code) if answer.is_success else str(answer.json()["code"])


async def later(url: str) -> None:
    """As if what a dead worker began could be taken over."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_LATER)
    finally:
        await connection.close()
