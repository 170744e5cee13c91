"""The lines of answers are written together, a moment later, and lose nothing of what a line must be."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from api import afterwards
from api.logs import JsonHandler, RequestLog, configure
from api.web.routes import Caller, Route


async def answer(_: Any) -> None:
    """A handler, whose name the line tells."""


ROUTE = Route("GET", "/", answer, Caller.ANYONE, "", "")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What goes to standard error, as `configure` has it in production."""
    stream, root = StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    configure("INFO", "json")
    try:
        yield stream
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])


def log_alone() -> RequestLog:
    """The log without pytest's own handlers, which come back for each test."""
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if isinstance(handler, JsonHandler)]
    return RequestLog()


def lines(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def test_answers_are_written_a_moment_later(written: StringIO) -> None:
    log = log_alone()
    for number in range(3):
        log.request(f"id-{number}", ROUTE, 200, 0.0123)
    assert lines(written) == []
    await asyncio.sleep(afterwards.MOMENT * 4)
    assert [line["request_id"] for line in lines(written)] == ["id-0", "id-1", "id-2"]
    line = lines(written)[0]
    assert (line.pop("at")[-1], line.pop("request_id")) == ("Z", "id-0")
    expected = {"level": "info", "logger": "yima.http", "message": "answered", "route": "answer", "status": 200}
    assert line == {**expected, "ms": 12.3}


async def test_a_worse_line_is_written_at_once_behind_the_answers_before_it(written: StringIO) -> None:
    log = log_alone()
    log.request("first", ROUTE, 201, 0.001)
    log.request("second", ROUTE, 500, 0.001)
    assert [(line["request_id"], line["level"]) for line in lines(written)] == [
        ("first", "info"),
        ("second", "warning"),
    ]


async def test_a_long_number_as_a_request_id_is_redacted(written: StringIO) -> None:
    log_alone().request("430102198806180021", ROUTE, 200, 0.001)
    logging.shutdown()
    assert [line["request_id"] for line in lines(written)] == ["[redacted]"]


async def test_what_waits_is_written_when_the_process_ends(written: StringIO) -> None:
    log_alone().request("last", ROUTE, 200, 0.001)
    logging.shutdown()
    assert [line["request_id"] for line in lines(written)] == ["last"]


def test_without_an_event_loop_a_line_is_written_at_once(written: StringIO) -> None:
    log_alone().request("alone", ROUTE, 200, 0.001)
    assert [line["request_id"] for line in lines(written)] == ["alone"]


async def test_a_stream_that_is_gone_stops_nothing(written: StringIO) -> None:
    written.close()
    log_alone().request("nowhere", ROUTE, 200, 0.001)
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, JsonHandler)
    handler.answers.catch_up()
