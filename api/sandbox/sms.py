"""The SMS gateway, simulated (`api.upstream.sms` describes its protocol): texts go to an outbox that can be read."""

import re
from typing import Any, Final

from sanic import Request, Sanic
from sanic.response import HTTPResponse

from api.sandbox.levers import moment
from api.sandbox.signed import SignatureCheck
from api.sandbox.world import Message, Reply, System, World, parse

_PHONE: Final = re.compile(r"1[3-9][0-9]{9}")


def _error(code: str, text: str) -> Reply:
    return Reply({"error": {"code": code or "unavailable", "text": text or "the gateway is closed"}}, 503)


SYSTEM: Final = System("sms", _error, {"message_id": "another"})


def add_sms(app: Sanic[Any, Any], world: World) -> None:
    """Serve the gateway's path on `app`."""
    check = SignatureCheck(world.secrets.sms_app_id, world.secrets.sms_secret, world.now)

    async def send(request: Request) -> HTTPResponse:
        return await world.answer(request, SYSTEM, "send", lambda: _send(world, check, request))

    app.add_route(send, "/v1/messages", methods=["POST"], name="sms_send")


def _no(status: int, code: str, text: str) -> Reply:
    return Reply({"error": {"code": code, "text": text}}, status)


def _send(world: World, check: SignatureCheck, request: Request) -> Reply:
    if refusal := check.refusal(request):
        return _no(401, refusal, "the request is not properly signed")
    body = parse(request) or {}
    message_id, phone, text = (body.get(name) for name in ("message_id", "phone", "text"))
    if not (isinstance(message_id, str) and message_id and isinstance(phone, str) and isinstance(text, str) and text):
        return _no(400, "malformed", "message_id, phone and text are due")
    if not _PHONE.fullmatch(phone):
        return _no(422, "phone-unreachable", "no such phone")
    known = next((one for one in world.outbox if one.message_id == message_id), None)
    if known is None:
        world.outbox.append(Message(moment(), message_id, phone, text))
    elif (known.phone, known.text) != (phone, text):
        return _no(409, "id-reused", "this message_id was another text's")
    return Reply({"message_id": message_id, "state": "accepted"})
