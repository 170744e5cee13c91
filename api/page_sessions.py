"""Sessions of the pages for clerks and administrators: a HttpOnly cookie, and the CSRF token that goes with it."""

from typing import Any

from sanic.response import HTTPResponse

from api.callers import csrf_of
from api.web.answers import API_HEADERS
from api.web.calls import Call
from codes.ring import Purpose
from codes.tokens import Token, make_token


def begin_page_session(call: Call[Any], token: Token, names: tuple[str, str], seconds: int) -> HTTPResponse:
    """204 with both cookies (`names`: of the session, and of the CSRF token, which the page can read)."""
    services = call.services
    session = make_token(services.vault.ring.symmetric(Purpose.TOKEN), token)
    csrf = csrf_of(session, services)
    response = HTTPResponse(None, status=204, headers={**API_HEADERS, "X-CSRF-Token": csrf})
    secure = call.request.scheme == "https"
    for name, value, hidden in ((names[0], session, True), (names[1], csrf, False)):
        response.add_cookie(name, value, path="/", max_age=seconds, httponly=hidden, samesite="Strict", secure=secure)
    return response


def end_page_session(names: tuple[str, str]) -> HTTPResponse:
    """204 that takes both cookies back."""
    response = HTTPResponse(None, status=204, headers=dict(API_HEADERS))
    for name in names:
        response.delete_cookie(name, path="/")
    return response
