"""The pages people see: `/`, `/patient`, `/scanner`, `/admin`, `/problems` and what they load from `/static`.

Everything is read and rendered once, when the blueprint is made; a request only picks among ready bytes.
"""

from html import escape
from typing import Final

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, empty, raw, redirect

from api.pages.assets import Asset, load_assets, load_icons
from api.pages.headers import asset_headers, page_headers
from api.pages.language import (
    COOKIE_SECONDS,
    LANGUAGE_COOKIE,
    LANGUAGES,
    TYPE_COOKIE,
    Language,
    choose_language,
)
from api.pages.render import Renderer
from api.pages.texts import TEXTS_OF, Texts, load_texts
from api.problems import KINDS, Kind
from api.web.etags import matches

METHODS: Final = ("GET", "HEAD")
IMMUTABLE: Final = "public, max-age=31536000, immutable"

# A page in every language and type size.
Variants = dict[tuple[Language, bool], bytes]


def pages_blueprint(*, demo: bool, sandbox: str = "") -> Blueprint:
    """The pages as one blueprint. `demo`: the patient's page offers the demo's people to sign in as.

    sandbox: the origin whose stand-in for WeChat Pay that page may call; without one it pays inside WeChat alone.
    """
    assets = load_assets()
    pages = _Pages(Renderer(assets, load_icons()), demo=demo, sandbox=sandbox)
    blueprint = Blueprint("pages")

    async def index(request: Request) -> HTTPResponse:
        return _answer(request, pages.index)

    async def patient(request: Request) -> HTTPResponse:
        return _answer(request, pages.patient, connect=sandbox)

    async def scanner(request: Request) -> HTTPResponse:
        return _answer(request, pages.scanner, camera=True)

    async def admin(request: Request) -> HTTPResponse:
        return _answer(request, pages.admin)

    async def problems(request: Request) -> HTTPResponse:
        return _answer(request, pages.problems)

    async def problem(request: Request, code: str) -> HTTPResponse:
        variants = pages.problem.get(code)
        return _answer(request, variants) if variants else _answer(request, pages.absent, status=404)

    async def static(request: Request, name: str) -> HTTPResponse:
        asset = assets.get(name)
        return _asset_answer(request, asset) if asset else _answer(request, pages.absent, status=404)

    blueprint.add_route(index, "/", methods=METHODS)
    blueprint.add_route(patient, "/patient", methods=METHODS)
    blueprint.add_route(scanner, "/scanner", methods=METHODS)
    blueprint.add_route(admin, "/admin", methods=METHODS)
    blueprint.add_route(problems, "/problems", methods=METHODS)
    blueprint.add_route(problem, "/problems/<code:str>", methods=METHODS)
    blueprint.add_route(static, "/static/<name:str>", methods=METHODS)
    return blueprint


class _Pages:
    """Every page in every variant, by the name of its route."""

    def __init__(self, renderer: Renderer, *, demo: bool, sandbox: str = "") -> None:
        self._renderer = renderer
        flag = {"demo": "true" if demo else "false"}
        self.index = self._variants("index", "index", {"hidden": "" if demo else "hidden"})
        self.patient = self._variants("patient", "patient", flag | {"sandbox": escape(sandbox)})
        self.scanner = self._variants("scanner", "scanner", flag)
        self.admin = self._variants("admin", "admin", {})
        self.absent = self._variants("absent", "problems", {})
        self.problems = self._problems("problems", None)
        self.problem = {code: self._problems("problem", kind) for code, kind in KINDS.items()}

    def _variants(self, template: str, page: str, values: dict[str, str]) -> Variants:
        texts = load_texts(TEXTS_OF[page])
        return {
            (language, large): self._renderer.page(template, texts, language, large=large, values=values)
            for language in LANGUAGES
            for large in (False, True)
        }

    def _problems(self, template: str, kind: Kind | None) -> Variants:
        texts = load_texts(TEXTS_OF["problems"])
        return {
            (language, large): self._renderer.page(
                template,
                texts,
                language,
                large=large,
                values=_values_of(kind, language, texts) if kind else {"rows": _rows(language)},
            )
            for language in LANGUAGES
            for large in (False, True)
        }


def _values_of(kind: Kind, language: Language, texts: Texts) -> dict[str, str]:
    return {
        "code": escape(kind.code),
        "status": str(kind.status),
        "title": escape(kind.title.get(language)),
        "todo": escape(kind.todo.get(language)),
        "other-title": escape(kind.title.get("zh" if language == "en" else "en")),
        "other-todo": escape(kind.todo.get("zh" if language == "en" else "en")),
        "whose": escape(texts[f"problem.class.{kind.status // 100}"][language]),
    }


def _rows(language: Language) -> str:
    """The table of problems, one row a kind, in the order in which they were declared."""
    return "\n".join(
        f'<li><a class="problem-row" href="/problems/{escape(kind.code)}">'
        f'<span class="problem-status">{kind.status}</span>'
        f'<span class="problem-words"><strong>{escape(kind.title.get(language))}</strong>'
        f"<code>{escape(kind.code)}</code></span></a></li>"
        for kind in KINDS.values()
    )


def _answer(
    request: Request, variants: Variants, *, status: int = 200, camera: bool = False, connect: str = ""
) -> HTTPResponse:
    """The variant for this reader; or, after a tap on a switch, the choice kept and the page asked for anew."""
    if (choice := _choice(request)) is not None:
        return choice
    language = choose_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    large = request.cookies.get(TYPE_COOKIE) == "large"
    headers = page_headers(camera=camera, connect=connect) | {
        "Cache-Control": "no-cache",
        "Content-Language": "en" if language == "en" else "zh-CN",
        "Vary": "Accept-Language, Cookie",
    }
    return raw(variants[language, large], status=status, headers=headers, content_type="text/html; charset=utf-8")


def _choice(request: Request) -> HTTPResponse | None:
    for parameter, cookie, values in (("lang", LANGUAGE_COOKIE, LANGUAGES), ("type", TYPE_COOKIE, ("normal", "large"))):
        value = request.args.get(parameter)
        if value in values:
            # The path alone: nothing that came in the query is sent back in an address.
            response = redirect(request.path, status=303, headers=page_headers() | {"Cache-Control": "no-store"})
            response.add_cookie(
                cookie,
                value,
                path="/",
                max_age=COOKIE_SECONDS,
                samesite="Lax",
                secure=request.scheme == "https",
                httponly=False,
            )
            return response
    return None


def _asset_answer(request: Request, asset: Asset) -> HTTPResponse:
    named = request.args.get("v") == asset.version
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = asset_headers() | {
        "ETag": asset.etag(packed=packed),
        "Cache-Control": IMMUTABLE if named else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return empty(status=304, headers=headers)
    if packed:
        return raw(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, content_type=asset.content_type)
    return raw(asset.body, headers=headers, content_type=asset.content_type)
