"""How long a request may take to arrive, whatever its pace (security.md, threat 10)."""

from typing import Final

from sanic.exceptions import RequestTimeout
from sanic.http.constants import Stage
from sanic.http.http1 import Http
from sanic.server.protocols.http_protocol import HttpProtocol

_CLOSE_SECONDS: Final = 1.0


class TimedProtocol(HttpProtocol):
    """Sanic's protocol, whose own clock starts again at every byte and does not count a body.

    Here a request, head and body, has REQUEST_TIMEOUT from its first byte, else 408; after any answer, what is
    still coming of the body has no longer than that, either.
    """

    __slots__ = ("_began",)

    _began: float

    def data_received(self, data: bytes) -> None:
        """Note when a request begins."""
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
