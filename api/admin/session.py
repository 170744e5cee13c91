"""An administrator's session for the pages: a cookie of an hour, under the token that began it."""

from typing import Final
from uuid import uuid4

from sanic.response import HTTPResponse

from api.admin.types import AdminSession, AdminSessionRequest
from api.callers import ADMIN_COOKIE, ADMIN_CSRF_COOKIE
from api.page_sessions import begin_page_session, end_page_session
from api.problems import UNAUTHENTICATED, Problem
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.tokens import Token
from models.accounts import end_session
from models.admins import admin_by_token

subject = Subject("Admins")
SESSION_SECONDS: Final = 3600
COOKIES: Final = (ADMIN_COOKIE, ADMIN_CSRF_COOKIE)
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
    admin = await admin_by_token(call.body.token)
    if admin is None:
        raise Problem(UNAUTHENTICATED)
    session_id = uuid4()
    expires = int(call.services.clock.now()) + SESSION_SECONDS
    token = Token("admin", admin["id"].bytes, session_id.bytes, 0, 0, expires)
    return begin_page_session(call, token, COOKIES, SESSION_SECONDS)


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
    return end_page_session(COOKIES)
