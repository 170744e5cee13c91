"""The clerk's session for the scanner page, and the decoder for cameras without a detector of their own."""

import asyncio
from typing import Final
from uuid import UUID, uuid4

from sanic.response import HTTPResponse

from api.callers import CLERK_COOKIE, CSRF_COOKIE
from api.hospital.token import OAuthError, client_by_secret
from api.hospital.types import ClerkSession, ClerkSessionRequest, Decoded, DecodeQuery
from api.page_sessions import begin_page_session, end_page_session
from api.patient.types import Operator
from api.problems import CLIENT_REFUSED, NOT_ALLOWED, UNAUTHENTICATED, VALIDATION_FAILED, Problem
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from codes.picture import read_luma
from codes.tokens import Token
from models.clients import CLERK_HOURS, begin_clerk_session, clerk_session, end_clerk_session, standing_client

subject = Subject("Hospitals")
SESSION_SECONDS: Final = CLERK_HOURS * 3600
COOKIES: Final = (CLERK_COOKIE, CSRF_COOKIE)
FRAME_MOST: Final = 1280 * 1280


@subject.route(
    "POST",
    "/v1/hospital/session",
    Caller.ANYONE,
    "A clerk signs in at a terminal, once a shift",
    body=ClerkSessionRequest,
    answers={204: None},
    problems=(CLIENT_REFUSED,),
    limit="token",
)
async def begin_shift(call: Call[ClerkSessionRequest]) -> HTTPResponse:
    """A HttpOnly cookie, and the CSRF token in X-CSRF-Token and a cookie that the page can read."""
    asked = call.body
    try:
        found = await client_by_secret(asked.client_id, asked.client_secret)
    except OAuthError:
        raise Problem(CLIENT_REFUSED) from None
    session_id = uuid4()
    await begin_clerk_session(session_id, found["id"], asked.terminal, asked.operator.id, asked.operator.name)
    expires = int(call.services.clock.now()) + SESSION_SECONDS
    token = Token("clerk", found["id"].bytes, session_id.bytes, found["epoch"], found["scopes"], expires)
    return begin_page_session(call, token, COOKIES, SESSION_SECONDS)


@subject.route(
    "GET",
    "/v1/hospital/session",
    Caller.HOSPITAL,
    "The shift that goes on",
    answers={200: ClerkSession},
    limit="hospital",
)
async def show_shift(call: Call[None]) -> Answer:
    """401 where there is none."""
    if call.hospital.session_id is None:
        raise Problem(UNAUTHENTICATED)
    shift = await clerk_session(call.hospital.session_id, call.hospital.client_id)
    if shift is None:
        raise Problem(UNAUTHENTICATED)
    left = int(shift["expires_at"].timestamp() - call.services.clock.now())
    operator = Operator(shift["operator_id"], shift["operator_name"])
    return Answer(200, ClerkSession(shift["hospital"], shift["terminal"], operator, shift["expires_at"], left))


@subject.route(
    "DELETE",
    "/v1/hospital/session",
    Caller.HOSPITAL,
    "A clerk signs out",
    answers={204: None},
    limit="hospital",
)
async def end_shift(call: Call[None]) -> HTTPResponse:
    """The cookie stands for nothing any more."""
    if isinstance(call.hospital.session_id, UUID):
        await end_clerk_session(call.hospital.session_id)
    return end_page_session(COOKIES)


@subject.route(
    "POST",
    "/v1/hospital/decode",
    Caller.HOSPITAL,
    "Find a QR code in a camera's frame",
    body_media=Media("application/octet-stream", "width × height bytes of luma, row by row"),
    body_max=FRAME_MOST,
    query=DecodeQuery,
    answers={200: Decoded},
    problems=(NOT_ALLOWED, VALIDATION_FAILED),
    limit="decode",
)
async def decode_frame(call: Call[None]) -> Answer:
    """Nothing of the frame is kept."""
    width, height, frame = call.query.width, call.query.height, call.request.body
    if len(frame) != width * height:
        raise invalid("/", "画面大小与宽高不符", "the body must be width × height bytes")
    client = await standing_client(call.hospital.client_id, call.hospital.epoch)
    if client is None:
        raise Problem(UNAUTHENTICATED)
    text = await asyncio.get_running_loop().run_in_executor(None, read_luma, frame, width, height)
    return Answer(200, Decoded(text))
