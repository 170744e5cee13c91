"""Checks the signed requests of the registry and the SMS gateway (`api.upstream.signing` describes them).

Written for itself, from that description, so that a mistake on either side shows.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

from sanic import Request

WINDOW: Final = 300  # seconds a timestamp may be off, and a nonce is remembered
_HEADER: Final = re.compile(
    r'YIMA-HMAC-SHA256 app="([^"]*)", timestamp="([0-9]{1,12})", nonce="([0-9a-f]{32})", signature="([0-9a-f]{64})"'
)


class SignatureCheck:
    """One system's memory of its client and of the nonces it used."""

    def __init__(self, app_id: str, secret: str, now: Callable[[], float]) -> None:
        self._app_id = app_id
        self._secret = secret.encode()
        self._now = now
        self._nonces: dict[str, float] = {}

    def refusal(self, request: Request) -> str | None:
        """The error code if the request is not properly signed, else None (and its nonce is used up)."""
        header = _HEADER.fullmatch(request.headers.get("authorization", ""))
        if header is None:
            return "signature-wrong"
        app_id, timestamp, nonce, made = header.groups()
        if app_id != self._app_id:
            return "app-unknown"
        now = self._now()
        if abs(now - int(timestamp)) > WINDOW:
            return "timestamp-off"
        digest = hashlib.sha256(request.body).hexdigest()
        said = f"{request.method}\n{request.path}\n{timestamp}\n{nonce}\n{digest}".encode()
        if not hmac.compare_digest(hmac.digest(self._secret, said, "sha256").hex(), made):
            return "signature-wrong"
        self._nonces = {old: at for old, at in self._nonces.items() if now - at <= 2 * WINDOW}
        if nonce in self._nonces:
            return "nonce-used"
        self._nonces[nonce] = now
        return None
