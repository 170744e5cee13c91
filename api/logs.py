"""Logs: JSON lines in production, readable ones on a terminal; only allow-listed fields, and redaction behind it.

Nothing that a caller sent is ever a field, but for X-Request-Id, whose characters are checked.
"""

import contextlib
import logging
import re
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TextIO

import msgspec

from api.afterwards import Afterwards

if TYPE_CHECKING:
    from api.web.routes import Route

FIELDS: Final = (
    "request_id",
    "route",
    "status",
    "ms",
    "error",
    "where",
    "upstream",
    "call",
    "outcome",
    "errcode",
    "age",
    "worker",
    "kid",
    "job",
    "attempts",
    "version",
    "port",
    "count",
)
_HTTP: Final = "yima.http"
_ANSWERED: Final = "answered"
_encode: Final = msgspec.json.Encoder().encode
# Behind the allow-list: runs of digits as long as a phone's, an ID's or a code's, e-mail-like and token-like words.
_SECRET: Final = re.compile(r"\d{11,}[\dXx]?|y(?:p|h|c|a|i|adm)_[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_.-]{20,}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNFIT: Final = re.compile(f"{_SECRET.pattern}|{_CONTROL.pattern}")
_NOISY: Final = ("httpx", "httpcore", "sanic.access", "sanic.server", "sanic.root", "tortoise", "asyncio", "asyncpg")


def clean(text: str) -> str:
    """One line without control characters, long numbers or tokens."""
    if not _UNFIT.search(text):
        return text
    return _SECRET.sub("[redacted]", _CONTROL.sub(" ", text))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    given = record.__dict__
    found = {name: given[name] for name in FIELDS if name in given}
    return {name: clean(value) if isinstance(value, str) else value for name, value in found.items()}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": clean(_message(record))}
        return _encode(line | _fields(record)).decode()


class ReadableLines(logging.Formatter):
    """A line for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        return f"{at} {record.levelname:<7} {clean(_message(record))}  {fields}".rstrip()


def _message(record: logging.LogRecord) -> str:
    """The message of our own loggers; of others only their constant text, since arguments may be anybody's data."""
    return record.getMessage() if record.name.startswith("yima") else str(record.msg)


def configure(level: str, form: str) -> None:
    """Send everything to standard error. `form`: json, text, or auto (text on a terminal)."""
    readable = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler: logging.Handler
    if readable:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(ReadableLines())
    else:
        handler = JsonHandler(sys.stderr)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)


class Answered(NamedTuple):
    """An answer as its line tells it: `at` in seconds since 1970, `seconds` that it took."""

    at: float
    request_id: str
    route: str
    status: int
    seconds: float


class _Line(msgspec.Struct):
    """The line of an answer, with the fields that JsonLines writes of such a record."""

    at: datetime
    level: str
    logger: str
    message: str
    request_id: str
    route: str
    status: int
    ms: float


class JsonHandler(logging.StreamHandler[TextIO]):
    """Writes JSON lines.

    The lines of answers, one for each request, come by a shorter way and are written together a moment later.
    Any other record is written at once, behind the answers before it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(JsonLines())
        self.answers = Afterwards(self._write)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.answers.catch_up()
        super().emit(record)

    def flush(self) -> None:
        """Write what waits."""
        self.answers.catch_up()
        super().flush()

    def _write(self, answers: list[Answered]) -> None:
        lines = b"\n".join([*map(_line, answers), b""])
        with contextlib.suppress(OSError, ValueError):  # nowhere to write to: no reason to stop answering
            self.stream.write(lines.decode())


def _line(answer: Answered) -> bytes:
    at, request_id, route, status, seconds = answer
    when = datetime.fromtimestamp(at, UTC)
    return _encode(_Line(when, "info", _HTTP, _ANSWERED, clean(request_id), route, status, _ms(seconds)))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


class RequestLog:
    """A line for each answer, and for each failure nobody foresaw."""

    def __init__(self) -> None:
        self._log = logging.getLogger(_HTTP)

    def request(self, request_id: str, route: "Route", status: int, seconds: float) -> None:
        """One answer: errors at WARNING, others at INFO."""
        level = logging.WARNING if status >= 500 else logging.INFO
        if not self._log.isEnabledFor(level):
            return
        handlers = logging.root.handlers
        if level == logging.INFO and len(handlers) == 1 and isinstance(handlers[0], JsonHandler):
            handlers[0].answers.add(Answered(time.time(), request_id, route.name, status, seconds))
        else:
            extra = {"request_id": request_id, "route": route.name, "status": status, "ms": _ms(seconds)}
            self._log.log(level, _ANSWERED, extra=extra)

    def failed(self, request_id: str, where: str, error: BaseException) -> None:
        """An exception by its type and the places it went through; never its text, which may quote data."""
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
        extra = {"request_id": request_id, "route": where, "error": type(error).__name__, "where": places}
        self._log.error("failed", extra=extra)
