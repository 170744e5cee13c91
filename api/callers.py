"""Who calls: bearer tokens and cookies, read without I/O but for administrators (api.md, Conventions)."""

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sanic.request import Request

from api.bearers import Bearer
from api.problems import NOT_ALLOWED, UNAUTHENTICATED, Problem, Text
from api.web.calls import AdminCaller, HospitalCaller, Patient
from api.web.routes import Caller, Route
from codes.errors import TokenInvalid
from codes.macs import mac
from models.admins import admin_by_session, admin_by_token, is_admin_token

if TYPE_CHECKING:
    from api.services import Services

CLERK_COOKIE: Final = "yima_clerk"
CSRF_HEADER: Final = "x-csrf-token"
CSRF_COOKIE: Final = "yima_csrf"
ADMIN_COOKIE: Final = "yima_admin"
ADMIN_CSRF_COOKIE: Final = "yima_admin_csrf"
_SAFE: Final = frozenset({"GET", "HEAD"})
_TOKEN_MOST: Final = 200
_PATIENTS: Final = (Caller.PATIENT, Caller.BOOKER)
_HOSPITALS: Final = (Caller.HOSPITAL, Caller.BOOKER)

_CSRF_REFUSED: Final = Text("页面已过期，请刷新后重试。", "The page is out of date: reload it and try again.")


async def read_caller(
    route: Route, request: Request, services: "Services"
) -> Patient | HospitalCaller | AdminCaller | None:
    """The caller that the route asks for. Raises Problem unauthenticated or not-allowed."""
    if route.caller is Caller.ANYONE:
        return None
    bearer = _bearer(request)
    if route.caller is Caller.ADMIN:
        return await _admin(route, bearer, request, services)
    if bearer is None and route.caller in _HOSPITALS and (cookie := request.cookies.get(CLERK_COOKIE)):
        return _clerk(cookie, request, services)
    if bearer is None:
        raise Problem(UNAUTHENTICATED)
    token = _token(bearer, services)
    if token.kind == "patient" and route.caller in _PATIENTS:
        return Patient(token.subject, token.session, token.epoch, token.expires)
    if token.kind == "hospital" and route.caller in _HOSPITALS:
        return HospitalCaller(token.subject, token.epoch, token.scopes)
    raise Problem(NOT_ALLOWED)


def _bearer(request: Request) -> str | None:
    header: str | None = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text or len(text) > _TOKEN_MOST:
        raise Problem(UNAUTHENTICATED)
    return text


def _token(text: str, services: "Services") -> Bearer:
    try:
        token = services.bearers.read(text)
    except TokenInvalid:
        if is_admin_token(text):
            raise Problem(NOT_ALLOWED) from None
        raise Problem(UNAUTHENTICATED) from None
    if token.expires <= services.clock.now():
        raise Problem(UNAUTHENTICATED)
    return token


def _clerk(cookie: str, request: Request, services: "Services") -> HospitalCaller:
    token = _token(cookie[:_TOKEN_MOST], services)
    if token.kind != "clerk":
        raise Problem(UNAUTHENTICATED)
    _check_csrf(cookie, request, services)
    return HospitalCaller(token.subject, token.epoch, token.scopes, token.session)


def csrf_of(cookie: str, services: "Services") -> str:
    """The token that a page with this cookie must send in X-CSRF-Token."""
    return mac(services.vault.csrf_key, "csrf", cookie).hex()


async def _admin(route: Route, bearer: str | None, request: Request, services: "Services") -> AdminCaller:
    if bearer is None and (cookie := request.cookies.get(ADMIN_COOKIE)):
        caller = await _admin_of_cookie(cookie, request, services)
    elif bearer is None:
        raise Problem(UNAUTHENTICATED)
    elif not is_admin_token(bearer):
        raise Problem(NOT_ALLOWED if bearer[:3] in ("yp_", "yh_") else UNAUTHENTICATED)
    else:
        found = await admin_by_token(bearer)
        if found is None:
            raise Problem(UNAUTHENTICATED)
        caller = AdminCaller(found["id"], found["name"], found["role"], found["expires_at"])
    if route.roles and caller.role not in route.roles:
        raise Problem(NOT_ALLOWED)
    return caller


async def _admin_of_cookie(cookie: str, request: Request, services: "Services") -> AdminCaller:
    token = _token(cookie[:_TOKEN_MOST], services)
    if token.kind != "admin":
        raise Problem(UNAUTHENTICATED)
    _check_csrf(cookie, request, services)
    session_id = token.session
    found = await admin_by_session(token.subject, session_id)
    if found is None:
        raise Problem(UNAUTHENTICATED)
    expires = datetime.fromtimestamp(token.expires, UTC)
    return AdminCaller(found["id"], found["name"], found["role"], expires, session_id)


def _check_csrf(cookie: str, request: Request, services: "Services") -> None:
    given = request.headers.get(CSRF_HEADER, "").encode(errors="replace")  # a header may hold any byte
    if request.method not in _SAFE and not hmac.compare_digest(given, csrf_of(cookie, services).encode()):
        raise Problem(NOT_ALLOWED, _CSRF_REFUSED)
