"""What handlers give back, and how problems become `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sanic.response import HTTPResponse

from api.problems import Problem

_encode: Final = msgspec.json.Encoder().encode
PROBLEM_TYPE: Final = "application/problem+json"
# An answer of the API holds somebody's data: no cache keeps it, no browser guesses its type.
API_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(slots=True)
class Answer:
    """A status and a body to be written as JSON (None: no body)."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def encode(value: object) -> bytes:
    """JSON as this service writes it: times in UTC end in Z, ids are text."""
    return _encode(value)


def to_response(answer: Answer, request_id: str) -> HTTPResponse:
    """The HTTP answer with its JSON body."""
    headers = {**API_HEADERS, **answer.headers, "X-Request-Id": request_id}
    if answer.body is None:
        return HTTPResponse(None, status=answer.status, headers=headers)
    body = answer.body if isinstance(answer.body, bytes) else _encode(answer.body)
    return HTTPResponse(body, status=answer.status, headers=headers, content_type="application/json")


def problem_body(problem: Problem, language: str, request_id: str) -> dict[str, Any]:
    """The members of RFC 9457 and ours, in the reader's language."""
    kind = problem.kind
    body: dict[str, Any] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title.get(language),
        "status": kind.status,
        "code": kind.code,
        "detail": problem.detail.get(language),
        "request_id": request_id,
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = [{"field": e.field, "message": e.message.get(language)} for e in problem.errors]
    return body


def problem_response(problem: Problem, language: str, request_id: str) -> HTTPResponse:
    """The one place where a problem becomes an answer."""
    headers = {**API_HEADERS, "X-Request-Id": request_id, "Content-Language": "en" if language == "en" else "zh-CN"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = _encode(problem_body(problem, language, request_id))
    return HTTPResponse(body, status=problem.kind.status, headers=headers, content_type=PROBLEM_TYPE)
