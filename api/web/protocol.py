"""How long a request may take to arrive, whatever its pace (security.md, threat 10); and how a connection closes."""

from typing import Final

from sanic.exceptions import RequestTimeout
from sanic.http.constants import Stage
from sanic.http.http1 import Http
from sanic.server.protocols.http_protocol import HttpProtocol

_CLOSE_SECONDS: Final = 1.0
_CLOSE_BYTES: Final = 1024 * 1024


class TimedProtocol(HttpProtocol):
    """Sanic's protocol, whose own clock starts again at every byte and does not count a body.

    Here a request, head and body, has REQUEST_TIMEOUT from its first byte, else 408; after any answer, what is
    still coming of the body has no longer than that, either. And a connection that we close says so first, then
    takes in what is still under way: a socket closed over unread bytes is reset, and the client loses the answer
    (RFC 9112 section 9.6).
    """

    __slots__ = ("_began", "_lingering")

    _began: float
    _lingering: int  # bytes taken in since we closed our side

    def close(self, timeout: float | None = None) -> None:
        """After the last answer: half-close, and close when the other side has, or after a second or a megabyte."""
        over = self._task is None
        lingering = getattr(self, "_lingering", None) is not None
        if not over or lingering or self.transport is None or self.transport.is_closing():
            super().close(timeout)
            return
        self._lingering = 0
        try:
            self.transport.write_eof()
            self.transport.resume_reading()
        except (OSError, RuntimeError):
            super().close(timeout)
            return
        self.loop.call_later(_CLOSE_SECONDS, super().close, timeout)

    def data_received(self, data: bytes) -> None:
        """Note when a request begins."""
        if getattr(self, "_lingering", None) is not None:
            self._lingering += len(data)
            if self._lingering > _CLOSE_BYTES:
                super().close()
            return
        http = getattr(self, "_http", None)  # not there before the connection's task runs
        if http is None or (http.stage is Stage.IDLE and not _body_to_come(http)):
            self._began = self.loop.time()
        super().data_received(data)

    def check_timeouts(self) -> None:
        """Called every few seconds."""
        http = getattr(self, "_http", None)
        if http is None or not self._task or not _arriving(http) or not self._late:
            super().check_timeouts()  # type: ignore[no-untyped-call]  # Sanic's
            return
        if http.stage is not Stage.IDLE:
            http.exception = RequestTimeout("Request Timeout")
        self._task.cancel()
        self._callback_check_timeouts = self.loop.call_later(_CLOSE_SECONDS, self.check_timeouts)

    @property
    def _late(self) -> bool:
        return bool(self.loop.time() - self._began > self.request_timeout)


def _arriving(http: Http) -> bool:
    """Whether a part of the request has still to come, or of one that is answered already."""
    if http.stage is Stage.REQUEST:
        return True
    return http.stage in (Stage.HANDLER, Stage.IDLE) and _body_to_come(http)


def _body_to_come(http: Http) -> bool:
    return bool(getattr(http, "request_body", None))  # not there before the first request
