"""The SMS gateway.

The protocol: `POST /v1/messages` {message_id, phone, text}, JSON over HTTPS, signed as `api.upstream.signing` says
→ 200 {message_id, state: "accepted"}. The same message_id with the same content again is accepted without a second
text; with other content: 409. Errors: {message_id?, error: {code, text}} with 400 malformed, 401 (as the
registry's), 422 phone-unreachable, 503 unavailable.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from api.problems import Text
from api.upstream.http import Http
from api.upstream.signing import signer


@dataclass(frozen=True, slots=True)
class SmsConfig:
    """The gateway's address and our account there."""

    base_url: str
    app_id: str
    secret: str = field(repr=False)


class _Accepted(msgspec.Struct, frozen=True):
    message_id: str
    state: Literal["accepted"]


class TextMessages:
    """Texts to phones. now: Unix seconds, for the signature."""

    def __init__(self, config: SmsConfig, http: Http, now: Callable[[], float] = time.time) -> None:
        self._sign = signer(config.app_id, config.secret, now)
        self._gateway = http.upstream("sms", Text("短信服务", "The SMS gateway"), config.base_url)

    async def send(self, message_id: str, phone: str, text: str) -> None:
        """Hand over one text (phone: 11 digits). The same message_id again never sends a second one.

        Raises Problem upstream-failed or upstream-timeout; the text may then still have been sent, and asking
        again with the same message_id is safe.
        """
        body = {"message_id": message_id, "phone": phone, "text": text}
        async with self._gateway.calling("send") as call:
            answer = await call.send("POST", "/v1/messages", answer=_Accepted, body=body, sign=self._sign, safe=True)
            if answer.message_id != message_id:
                raise call.unusable("lying")
