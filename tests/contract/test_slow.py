"""Slow, half-sent, oversized and many: each gets its problem, and others are served meanwhile."""

import asyncio
import contextlib
import gzip
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.app import BODY_MOST, IDLE_SECONDS
from tests.process.demo import Demo, patience

PATH = "/v1/patient/session"
CONNECTIONS = 500


class Raw:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, demo: Demo) -> "Raw":
        place = urlsplit(demo.info["base_url"])
        return cls(*await asyncio.open_connection(place.hostname, place.port))

    async def answer(self, seconds: float) -> tuple[int, dict[str, Any]]:
        """Status and body of a problem."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), seconds)).decode().lower()
        assert "content-type: application/problem+json" in head
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        body = await asyncio.wait_for(self.reader.readexactly(length), seconds)
        return int(head.split()[1]), json.loads(body)

    async def closed(self, seconds: float) -> None:
        """Wait until the other side has closed."""
        try:
            while await asyncio.wait_for(self.reader.read(4096), seconds):
                pass
        except ConnectionError:
            return
        finally:
            self.writer.transport.abort()


def head(length: int | None, *more: str, path: str = PATH) -> bytes:
    """The head of a POST that says how long its body will be."""
    lines = [f"POST {path} HTTP/1.1", "Host: here", "Content-Type: application/json", *more]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


HALF_SENT = (b"POST /v1/pat", head(100)[:-2], head(100), head(100) + b'{"js_code":')
DRIPPING = (head(4000), b"POST /v1/patient/session HTTP/1.1\r\nHost: ")


async def test_a_request_has_ten_seconds_however_its_bytes_are_spread(contract_demo: Demo) -> None:
    """Half sent, or a drop now and then, in head or body: 408 and closed. All at once, since they only wait."""
    await asyncio.gather(
        *(_cut_off(contract_demo, sent, drip=False) for sent in HALF_SENT),
        *(_cut_off(contract_demo, sent, drip=True) for sent in DRIPPING),
        _what_follows_an_answer(contract_demo),
    )


async def _cut_off(demo: Demo, sent: bytes, *, drip: bool) -> None:
    raw = await Raw.to(demo)
    raw.writer.write(sent)
    began = time.monotonic()
    answering = asyncio.create_task(raw.answer((IDLE_SECONDS + 10) * patience()))
    while not answering.done():
        if drip:
            raw.writer.write(b" ")
        await asyncio.sleep(0.5)
    status, body = await answering
    assert (status, body["code"]) == (408, "request-timeout")
    assert time.monotonic() - began < (IDLE_SECONDS + 6) * patience()
    await raw.closed(5)


async def _what_follows_an_answer(demo: Demo) -> None:
    """A refused request whose body goes on coming has no longer, either."""
    raw = await Raw.to(demo)
    raw.writer.write(head(4000, path="/nowhere"))
    began = time.monotonic()
    closing = asyncio.create_task(raw.closed((IDLE_SECONDS + 10) * patience()))
    while not closing.done():
        raw.writer.write(b" ")
        await asyncio.sleep(0.5)
    await closing
    assert time.monotonic() - began < (IDLE_SECONDS + 8) * patience()


@pytest.mark.parametrize("size", [64 * 1024 + 1, BODY_MOST + 1, 10**12])
async def test_too_large_is_413_before_it_is_read(contract_demo: Demo, size: int) -> None:
    raw = await Raw.to(contract_demo)
    raw.writer.write(head(size) + b'{"js_code":"' + b"x" * min(size - 12, 70_000 if size > BODY_MOST else size))
    status, body = await raw.answer(10 * patience())
    assert (status, body["code"]) == (413, "body-too-large")
    raw.writer.transport.abort()


async def test_a_chunked_body_without_end_is_cut_off(contract_demo: Demo) -> None:
    """413, and closed: what was under way may hide the answer from a client that does not read."""
    raw = await Raw.to(contract_demo)
    raw.writer.write(head(None, "Transfer-Encoding: chunked"))
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 32 * BODY_MOST:
            raw.writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
            await raw.writer.drain()
            sent += 65_536
        status, _ = await raw.answer(5)
        assert status == 413
    await raw.closed(5)
    assert sent < 32 * BODY_MOST, "all of it was read"


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"\x00\xff\x00\xff\r\n\r\n", {400}),
        (b"GET / HTTP/9.9\r\n\r\n", {400, 505}),
        (head(5, "Content-Length: 6") + b"{}   ", {400}),
        (head(2, "Transfer-Encoding: chunked") + b"{}", {400}),
        (head(None, "X-Long: " + "x" * 100_000) + b"{}", {400, 413, 431}),
        (head(-1) + b"{}", {400}),
        (b"POST " + b"/x" * 10_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", {400, 404, 413, 414}),
    ],
)
async def test_what_is_no_request_is_a_problem_and_no_more(
    contract_demo: Demo, sent: bytes, statuses: set[int]
) -> None:
    raw = await Raw.to(contract_demo)
    raw.writer.write(sent)
    status, _ = await raw.answer((IDLE_SECONDS + 5) * patience())
    assert status in statuses
    raw.writer.transport.abort()
    assert contract_demo.http.get("/healthz").status_code == 200


async def test_no_body_is_unpacked(contract_demo: Demo) -> None:
    """A packed body is malformed: nothing here unpacks, so nothing can burst."""
    packed = gzip.compress(b'{"js_code":"' + b"x" * 10_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = contract_demo.http.post(PATH, content=packed, headers=headers)
    assert answer.status_code == 400


async def test_many_slow_connections_hold_nobody_up(contract_demo: Demo) -> None:
    """Slow-loris: hundreds of requests that never come to an end, and others are served as ever."""
    slow = [await Raw.to(contract_demo) for _ in range(CONNECTIONS)]
    for raw in slow:
        raw.writer.write(head(1000) + b"{")
    ends = time.monotonic() + (60 if os.environ.get("YIMA_TEST_LONG") else 4)
    took = []
    async with httpx.AsyncClient(base_url=contract_demo.info["base_url"], timeout=10, trust_env=False) as http:
        while time.monotonic() < ends:
            began = time.monotonic()
            assert (await http.get("/readyz")).status_code == 200
            took.append(time.monotonic() - began)
            for raw in slow[len(took) % 10 :: 10]:
                if not raw.writer.transport.is_closing():
                    raw.writer.write(b" ")
            await asyncio.sleep(0.05)
    print(f"\n{CONNECTIONS} slow connections, {len(took)} others served, slowest {max(took) * 1000:.0f} ms")
    assert max(took) < 2 * patience()
    for raw in slow:
        raw.writer.transport.abort()
