"""Requests signed with a shared secret, as the ID registry and the SMS gateway take them.

Header `Authorization: YIMA-HMAC-SHA256 app="…", timestamp="…", nonce="…", signature="…"`, where `signature` is
the lower-case hex HMAC-SHA-256, under the app's secret, of five lines joined by LF: method, path, timestamp
(Unix seconds), nonce (32 hex digits, once), lower-case hex SHA-256 of the body.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from api.upstream.http import Signer

SCHEME = "YIMA-HMAC-SHA256"


def signature(secret: str, method: str, path: str, timestamp: str, nonce: str, body: bytes) -> str:
    """The signature of one request, lower-case hex."""
    lines = "\n".join((method, path, timestamp, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), lines.encode(), hashlib.sha256).hexdigest()


def signer(app_id: str, secret: str, now: Callable[[], float]) -> Signer:
    """Signs each attempt anew, with a fresh nonce. now: Unix seconds."""

    def sign(method: str, path: str, body: bytes) -> dict[str, str]:
        timestamp, nonce = str(int(now())), secrets.token_hex(16)
        made = signature(secret, method, path, timestamp, nonce, body)
        fields = f'app="{app_id}", timestamp="{timestamp}", nonce="{nonce}", signature="{made}"'
        return {"Authorization": f"{SCHEME} {fields}"}

    return sign
