"""/openapi.json, and /docs by the Swagger UI that swagger-ui-py carries, served by us: no third-party origin."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, raw

from api.web.answers import encode

_FILES: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
# Swagger UI sets style attributes from its script; nothing else is looser than on our own pages.
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Yima API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head><body><div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
_START: Final = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null});\n'


def _folder() -> Path:
    """Where the package keeps its files; it is not imported, as its own server is not wanted."""
    spec = find_spec("swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("swagger-ui-py is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"


def docs_blueprint(document: dict[str, Any]) -> Blueprint:
    """`/openapi.json` and `/docs`."""
    blueprint = Blueprint("docs")
    body = encode(document)
    folder = _folder()
    assets = {name: ((folder / name).read_bytes(), kind) for name, kind in _FILES.items()}
    assets["start.js"] = (_START.encode(), "text/javascript; charset=utf-8")

    async def openapi(_: Request) -> HTTPResponse:
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
        return raw(body, content_type="application/json", headers=headers)

    async def page(_: Request) -> HTTPResponse:
        return raw(_PAGE.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)

    async def asset(_: Request, name: str) -> HTTPResponse:
        if name not in assets:
            return raw(b"", status=404)
        content, kind = assets[name]
        return raw(content, content_type=kind, headers={**_HEADERS, "Cache-Control": "public, max-age=86400"})

    blueprint.add_route(openapi, "/openapi.json", methods=("GET", "HEAD"))
    blueprint.add_route(page, "/docs", methods=("GET", "HEAD"))
    blueprint.add_route(asset, "/docs/<name:str>", methods=("GET", "HEAD"))
    return blueprint
