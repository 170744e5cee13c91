"""The OpenAPI 3.1 document, made from the routes and the very types that read and write the bodies."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from api.problems import (
    BODY_MALFORMED,
    BODY_TOO_LARGE,
    IDEMPOTENCY_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    INTERNAL,
    KINDS,
    MEDIA_TYPE_UNSUPPORTED,
    NOT_ALLOWED,
    RATE_LIMITED,
    TRY_AGAIN,
    UNAUTHENTICATED,
    VALIDATION_FAILED,
    Kind,
)
from api.web.answers import PROBLEM_TYPE
from api.web.routes import Caller, Media, Route

REF: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"<(\w+):str>")
_SECURITY: Final = {
    Caller.PATIENT: ["patient"],
    Caller.HOSPITAL: ["hospital", "clerk"],
    Caller.BOOKER: ["patient", "hospital", "clerk"],
    Caller.ADMIN: ["admin"],
}


class FieldFault(msgspec.Struct):
    """One wrong field: a JSON pointer and what is wrong with it."""

    field: str
    message: str


class ProblemDetails(msgspec.Struct, rename={"kind": "type"}):
    """A problem (RFC 9457)."""

    kind: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FieldFault] = msgspec.field(default_factory=list)


def make_document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The document of all routes."""
    routes = list(routes)
    _, components = msgspec.json.schema_components(_types(routes), ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Yima 一码",
            "version": version,
            "description": "One signed dynamic QR code for a patient. Errors are RFC 9457 problems; each `type` is a page.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _schemes()},
    }


def _types(routes: list[Route]) -> list[type]:
    found: list[type] = [ProblemDetails]
    for route in routes:
        found += [each for each in (route.body, route.query) if each]
        found += [each for each in route.answers.values() if isinstance(each, type)]
    return list(dict.fromkeys(found))


def _schemes() -> dict[str, Any]:
    bearer = {"type": "http", "scheme": "bearer"}
    return {
        "patient": {**bearer, "description": "from POST /v1/patient/session"},
        "hospital": {**bearer, "description": "from POST /v1/oauth/token"},
        "clerk": {
            "type": "apiKey",
            "in": "cookie",
            "name": "yima_clerk",
            "description": "from POST /v1/hospital/session",
        },
        "admin": {**bearer, "description": "from `yima admin add`"},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": (route.handler.__doc__ or "").strip(),
        "tags": [route.tag],
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.body is not None:
        schema = {"$ref": REF.format(name=route.body.__name__)}
        content: dict[str, Any] = {"application/json": {"schema": schema}}
        if route.body_raw is not None:
            content[route.body_raw.content_type] = {"schema": {"type": "object", "description": route.body_raw.about}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.body_media is not None:
        content = {route.body_media.content_type: {"schema": {"type": "string"}}}
        operation["requestBody"] = {"required": True, "description": route.body_media.about, "content": content}
    if route.caller in _SECURITY:
        operation["security"] = [{name: []} for name in _SECURITY[route.caller]]
    if route.roles:
        operation["description"] += f" Roles: {', '.join(route.roles)}."
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}
        for name in _PARAMETER.findall(route.path)
    ]
    if route.query is not None:
        schema = msgspec.json.schema_components([route.query], ref_template=REF)[1][route.query.__name__]
        found += [
            {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": part}
            for name, part in schema["properties"].items()
        ]
    names = list(route.headers)
    if route.idempotent:
        names.append("Idempotency-Key")
    found += [{"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in names]
    return found


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in sorted(route.answers.items()):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, **_content(answer)}
    for media in route.also.values():
        first = responses[str(min(route.answers))]
        first.setdefault("content", {})[media.content_type] = {"schema": {"type": "string"}}
    by_status: dict[int, list[Kind]] = {}
    for kind in dict.fromkeys(_problems(route)):
        by_status.setdefault(kind.status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        content = {PROBLEM_TYPE: {"schema": {"$ref": REF.format(name="ProblemDetails")}}}
        codes = ", ".join(kind.code for kind in kinds)
        entry = responses.setdefault(str(status), {"description": codes, "content": {}})
        entry["content"] = {**entry.get("content", {}), **content}
        entry["description"] = codes
    return responses


def _content(answer: type | Media | None) -> dict[str, Any]:
    if answer is None:
        return {}
    if isinstance(answer, Media):
        kind = "object" if answer.content_type.endswith("json") else "string"
        return {"content": {answer.content_type: {"schema": {"type": kind}}}}
    return {"content": {"application/json": {"schema": {"$ref": REF.format(name=answer.__name__)}}}}


def _problems(route: Route) -> list[Kind]:
    """What the route declares, and what the wrapper can answer for any such route."""
    found = [
        *route.problems,
        TRY_AGAIN,
        INTERNAL,
        BODY_MALFORMED,
        BODY_TOO_LARGE,
        KINDS["request-timeout"],
        VALIDATION_FAILED,
    ]
    if route.body is not None:
        found.append(MEDIA_TYPE_UNSUPPORTED)
    if route.caller is not Caller.ANYONE:
        found += [UNAUTHENTICATED, NOT_ALLOWED]
    if route.limit:
        found.append(RATE_LIMITED)
    if route.idempotent:
        found += [IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS]
    return found
