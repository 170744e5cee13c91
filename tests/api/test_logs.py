"""A log reader learns nobody's data, and a caller forges no line (security.md, threat 22)."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest

from api.logs import JsonLines, ReadableLines, RequestLog, configure
from tests.payment.journey import payment_journey
from tests.records.journey import records_journey
from tests.support.encodings import found
from tests.support.journey import journey
from tests.support.servers import Cluster
from tests.support.service import Service, running_service

FORMS = ("json", "text")


class Captured:
    """What is written while a service runs: as it configures its logs, and all loggers of all libraries at DEBUG."""

    def __init__(self) -> None:
        self.own, self.all = StringIO(), StringIO()
        self.seeded: dict[str, str] = {}

    def text(self) -> bytes:
        return (self.own.getvalue() + self.all.getvalue()).encode()

    def lines(self) -> list[str]:
        return self.own.getvalue().splitlines()


@pytest.fixture(params=FORMS)
async def captured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Captured]:
    made, root = Captured(), logging.getLogger()
    before = root.handlers[:], root.level, {n: logging.getLogger(n).level for n in logging.root.manager.loggerDict}
    monkeypatch.setattr(sys, "stderr", made.own)
    configure("DEBUG", request.param)
    plain = logging.StreamHandler(made.all)
    plain.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s %(args)r"))
    root.addHandler(plain)
    for name in list(logging.root.manager.loggerDict):
        if name not in ("httpx", "httpcore") and not name.startswith("httpcore."):
            logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield made
    finally:
        root.handlers[:], level, levels = before
        root.setLevel(level)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)


@pytest.fixture
async def told(captured: Captured, cluster: Cluster, tmp_path: Path) -> Captured:
    """All that was logged over a whole journey."""
    async with running_service(cluster, tmp_path) as service:
        captured.seeded["database password"] = service.services.settings.database_url.split(":")[2].split("@")[0]
        captured.seeded["root key"] = cluster.root.hex()
        captured.seeded["wechat secret"] = service.services.settings.wechat_secret
        await records_journey(service, captured.seeded)
        await payment_journey(service, captured.seeded)
        await journey(service, captured.seeded)
        await _forge(service)
    return captured


async def _forge(service: Service) -> None:
    """Request ids that would begin a line of their own."""
    host, port = str(service.http.base_url).removeprefix("http://").rstrip("/").split(":")
    for value in (
        b"FORGED\r\n",
        b"FORGED\nFORGED",
        b"\x1b[2JFORGED",
        b"FORGED\xe2\x80\xa8FORGED",
        b"FORGED\x00",
        b'"FORGED',
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        line = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: " + value
        writer.write(line + b"\r\n\r\n")
        await asyncio.wait_for(reader.read(), 5)
        writer.close()


async def test_no_name_number_phone_code_token_secret_or_record_is_in_any_line_in_any_encoding(told: Captured) -> None:
    assert len(told.seeded) > 80
    assert len(told.lines()) > 90, "the journey was logged"
    assert found(told.seeded, told.text()) == []


async def test_every_line_is_one_event_with_no_control_character(told: Captured) -> None:
    for line in told.lines():
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u2028\u2029" for letter in line), (
            line
        )
        assert not line.startswith("FORGED")
        if line.startswith("{"):
            assert json.loads(line)["level"]


def test_fields_that_are_not_on_the_list_are_not_written() -> None:
    record = logging.LogRecord("yima.test", logging.INFO, "f", 1, "answered", (), None)
    record.patient_name = "陈知夏"
    record.request_id = "r-1"
    for formatter in (JsonLines(), ReadableLines()):
        line = formatter.format(record)
        assert "陈知夏" not in line
        assert "r-1" in line


@pytest.mark.parametrize(
    "secret",
    [
        "13800000101",
        "430102198806182347",
        "43010219880618234X",
        "8601" + "7" * 280,
        "yp_" + "A" * 108,
        "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln",
    ],
)
def test_what_slips_into_a_message_all_the_same_is_redacted(secret: str) -> None:
    record = logging.LogRecord("yima.test", logging.INFO, "f", 1, f"failed with {secret} inside", (), None)
    record.error = f"about {secret}"
    for formatter in (JsonLines(), ReadableLines()):
        assert secret not in formatter.format(record)


def test_an_exceptions_text_is_not_written() -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("yima.http")
    logger.addHandler(handler)
    try:
        raise ValueError("the value 陈知夏 was wrong")
    except ValueError as error:
        RequestLog().failed("r-1", "create_card", error)
    finally:
        logger.removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert "陈知夏" not in str(line)
    assert (line["error"], line["route"]) == ("ValueError", "create_card")
