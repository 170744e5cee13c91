"""The one wrapper around every handler: request id, caller, body, limits, idempotency, problems, log, metrics.

One wrapper, since each Sanic middleware costs more than all of this (measured: 0.42 against 0.49 of the yardstick).
The handler is shielded: Sanic cancels it when the client goes, and a commit must not be left half-awaited. A route
that says that it commits nothing goes without.
"""

import asyncio
import os
import re
import time
from typing import TYPE_CHECKING, Any, Final

from sanic.exceptions import PayloadTooLarge, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, ResponseStream

from api.callers import read_caller
from api.idempotency import answer_once
from api.pages.language import choose_language
from api.problems import (
    BODY_TOO_LARGE,
    INTERNAL,
    KINDS,
    MEDIA_TYPE_UNSUPPORTED,
    TRY_AGAIN,
    VALIDATION_FAILED,
    FieldError,
    Problem,
    Text,
)
from api.web.answers import Answer, problem_response, to_response
from api.web.bodies import EMPTY, parse
from api.web.calls import Call
from api.web.queries import read_query
from api.web.routes import Route
from codes.errors import CodeError, InvalidValue, SealBroken
from models.database import Unavailable
from models.integrity import IntegrityBroken

if TYPE_CHECKING:
    from api.services import Services

_REQUEST_ID: Final = re.compile(r"[!-~]{1,64}")


def request_id_of(request: Request) -> str:
    """The caller's X-Request-Id where it is fit for a log line, else a new one."""
    given: str | None = request.headers.get("x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(16).hex("-", 4)  # in groups, or the log would take some for long numbers and redact them


def language_of(request: Request) -> str:
    """zh, or en where the caller prefers it."""
    accepted = request.headers.get("accept-language")
    return choose_language(None, accepted) if accepted else "zh"


def wrap(route: Route, services: "Services") -> Any:
    """The Sanic handler of a route."""

    async def handler(request: Request, **_: str) -> HTTPResponse | ResponseStream | None:
        work = _run(route, services, request)
        answer = await (asyncio.shield(work) if route.commits else work)
        return None if request.responded else answer  # a handler that streamed it has sent it

    handler.__name__ = route.name
    return handler


async def _run(route: Route, services: "Services", request: Request) -> HTTPResponse | ResponseStream:
    began = time.perf_counter()
    request_id = request_id_of(request)
    request.ctx.request_id = request_id
    response: HTTPResponse | ResponseStream
    try:
        response = await _answer(route, services, request, request_id)
    except Exception as error:
        problem = as_problem(error, services, request_id, route.name)
        response = problem_response(problem, language_of(request), request_id)
        services.metrics.problem(route.name, problem.kind.code)
    seconds = time.perf_counter() - began
    services.metrics.request(route.name, response.status, seconds)
    services.log.request(request_id, route, response.status, seconds)
    return response


async def _answer(
    route: Route, services: "Services", request: Request, request_id: str
) -> HTTPResponse | ResponseStream:
    caller = await read_caller(route, request, services)
    if route.limit:
        await services.limits.take(route.limit, request, caller)
    call: Call[Any] = Call(
        request,
        route,
        services,
        request_id,
        caller,
        _body(route, request),
        read_query(route, request),
        language_of(request),
    )
    if route.idempotent and "idempotency-key" in request.headers:
        result = await answer_once(call)
    else:
        result = await route.handler(call)
    if isinstance(result, HTTPResponse | ResponseStream):
        result.headers.setdefault("X-Request-Id", request_id)
        return result
    return to_response(result or Answer(204), request_id)


def _body(route: Route, request: Request) -> Any:
    raw = request.body
    if len(raw) > route.body_max:
        raise Problem(BODY_TOO_LARGE)
    if route.body is None:
        return None
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if route.body_raw is not None and kind == route.body_raw.content_type:
        return raw
    if raw and kind != "application/json":
        raise Problem(MEDIA_TYPE_UNSUPPORTED)
    try:
        return parse(raw or EMPTY, route.body, route.body_kept)
    except Problem as problem:
        if route.body_invalid is None or problem.kind is not VALIDATION_FAILED:
            raise
        raise Problem(route.body_invalid, errors=problem.errors) from None


def as_problem(error: Exception, services: "Services", request_id: str, where: str) -> Problem:
    """The problem that an exception means. What nobody foresaw is logged by its type and place, never its text."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, CodeError):
        return Problem(KINDS[error.code])
    if isinstance(error, InvalidValue):
        return Problem(VALIDATION_FAILED, errors=(FieldError("/" + error.field, Text(error.zh, error.en)),))
    if isinstance(error, Unavailable):
        services.log.failed(request_id, where, error)
        return Problem(TRY_AGAIN, retry_after=1)
    if isinstance(error, IntegrityBroken):
        services.metrics.integrity(error.table)
        services.log.failed(request_id, where, error)
        return Problem(KINDS["integrity"])
    if isinstance(error, SealBroken):  # a blob that was changed, or moved to another row
        services.metrics.integrity("sealed")
        services.log.failed(request_id, where, error)
        return Problem(KINDS["integrity"])
    if isinstance(error, PayloadTooLarge):
        return Problem(BODY_TOO_LARGE)
    if isinstance(error, SanicException) and error.status_code < 500:
        return Problem(KINDS.get(_SANIC.get(error.status_code, "body-malformed"), INTERNAL))
    services.log.failed(request_id, where, error)
    return Problem(INTERNAL)


_SANIC: Final = {404: "not-found", 405: "method-not-allowed", 408: "request-timeout", 413: "body-too-large"}
