"""An administrator's session for the pages: a cookie of an hour, under the token that began it."""

from typing import Final
from uuid import uuid4

from sanic.response import HTTPResponse

from api.admin.types import AdminSession, AdminSessionRequest
from api.callers import ADMIN_COOKIE, ADMIN_CSRF_COOKIE, csrf_of
from api.problems import UNAUTHENTICATED, Problem
from api.web.answers import API_HEADERS, Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.ring import Purpose
from codes.tokens import Token, make_token
from models.accounts import end_session
from models.admins import admin_by_token

subject = Subject("Admins")
SESSION_SECONDS: Final = 3600
READERS: Final = ("custodian", "registrar", "auditor")


@subject.route(
    "POST",
    "/v1/admin/session",
    Caller.ANYONE,
    "An administrator signs in to the pages",
    body=AdminSessionRequest,
    answers={204: None},
    problems=(UNAUTHENTICATED,),
    limit="session",
)
async def begin_admin_session(call: Call[AdminSessionRequest]) -> HTTPResponse:
    """A HttpOnly cookie, and the CSRF token in X-CSRF-Token and a cookie that the page can read."""
    services = call.services
    admin = await admin_by_token(call.body.token)
    if admin is None:
        raise Problem(UNAUTHENTICATED)
    session_id = uuid4()
    expires = int(services.clock.now()) + SESSION_SECONDS
    token = Token("admin", admin["id"].bytes, session_id.bytes, 0, 0, expires)
    cookie = make_token(services.vault.ring.symmetric(Purpose.TOKEN), token)
    csrf = csrf_of(cookie, services)
    response = HTTPResponse(None, status=204, headers={**API_HEADERS, "X-CSRF-Token": csrf})
    secure = call.request.scheme == "https"
    for name, value, hidden in ((ADMIN_COOKIE, cookie, True), (ADMIN_CSRF_COOKIE, csrf, False)):
        response.add_cookie(
            name, value, path="/", max_age=SESSION_SECONDS, httponly=hidden, samesite="Strict", secure=secure
        )
    return response


@subject.route(
    "GET",
    "/v1/admin/session",
    Caller.ADMIN,
    "Who is signed in",
    answers={200: AdminSession},
    roles=READERS,
    limit="admin",
)
async def show_admin_session(call: Call[None]) -> Answer:
    """401 where nobody is."""
    admin, now = call.admin, call.services.clock.now()
    left = max(0, int(admin.expires_at.timestamp() - now))
    return Answer(200, AdminSession(admin.name, admin.role, admin.expires_at, left))


@subject.route(
    "DELETE",
    "/v1/admin/session",
    Caller.ADMIN,
    "An administrator signs out of the pages",
    answers={204: None},
    roles=READERS,
    limit="admin",
)
async def end_admin_session(call: Call[None]) -> HTTPResponse:
    """The cookie stands for nothing any more."""
    admin = call.admin
    if admin.session_id is not None:
        await end_session(admin.admin_id, admin.session_id, admin.expires_at)
    response = HTTPResponse(None, status=204, headers=dict(API_HEADERS))
    for name in (ADMIN_COOKIE, ADMIN_CSRF_COOKIE):
        response.delete_cookie(name, path="/")
    return response
