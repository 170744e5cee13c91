"""The pages over HTTP: language, type size, headers, caching, and pages that are not there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.pages import pages_blueprint
from api.pages.language import choose_language
from api.problems import KINDS
from tests.pages.conftest import serving

PAGES = ("/", "/patient", "/scanner", "/admin", "/problems", "/problems/code-expired")


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with serving(pages_blueprint(demo=True)) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_chinese_first_and_english_when_asked(browser: httpx.AsyncClient, path: str) -> None:
    chinese = await browser.get(path)
    english = await browser.get(path, headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert (chinese.status_code, english.status_code) == (200, 200)
    assert '<html lang="zh-CN"' in chinese.text
    assert '<html lang="en"' in english.text
    assert english.headers["content-language"] == "en"
    assert "Accept-Language" in english.headers["vary"]
    assert "{{" not in chinese.text + english.text


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        (None, None, "zh"),
        (None, "", "zh"),
        (None, "en", "en"),
        (None, "EN-us", "en"),
        (None, "fr, en;q=0.8", "en"),
        (None, "fr, de", "zh"),
        (None, "zh;q=0.4, en;q=0.9", "en"),
        (None, "zh-CN, en;q=0.9", "zh"),
        (None, "en;q=0", "zh"),
        (None, "en;q=nonsense", "zh"),
        (None, "en;q=nan", "zh"),
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        ("fr", "en", "en"),
    ],
)
def test_which_language(cookie: str | None, header: str | None, language: str) -> None:
    assert choose_language(cookie, header) == language


@pytest.mark.parametrize(
    ("query", "cookie", "mark"),
    [("lang=en", "yima_lang=en", '<html lang="en"'), ("type=large", "yima_type=large", 'data-type="large"')],
)
async def test_a_choice_is_remembered(browser: httpx.AsyncClient, query: str, cookie: str, mark: str) -> None:
    chosen = await browser.get(f"/patient?{query}")
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/patient"
    assert chosen.headers["set-cookie"].startswith(cookie)
    browser.cookies.clear()
    assert mark in (await browser.get("/patient", headers={"Cookie": cookie})).text


async def test_a_choice_that_is_none_changes_nothing(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/patient?lang=fr&type=huge")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", [*PAGES, "/problems/none", "/static/none"])
async def test_security_headers(browser: httpx.AsyncClient, path: str) -> None:
    headers = (await browser.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    camera = "camera=(self)" if path == "/scanner" else "camera=()"
    assert camera in headers["permissions-policy"]


async def test_an_asset_is_kept_for_ever_under_the_name_of_its_content(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/patient")
    address = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    asset = await browser.get(address)
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"] == "text/css; charset=utf-8"
    assert asset.headers["x-content-type-options"] == "nosniff"
    assert not asset.headers["etag"].startswith("W/")
    again = await browser.get(address, headers={"If-None-Match": asset.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_asset_comes_packed_only_to_who_can_unpack_it(browser: httpx.AsyncClient) -> None:
    plain = await browser.get("/static/yima.css", headers={"Accept-Encoding": "identity"})
    packed = await browser.get("/static/yima.css", headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"


async def test_an_asset_under_another_version_is_asked_for_again(browser: httpx.AsyncClient) -> None:
    for address in ("/static/yima.css", "/static/yima.css?v=0123456789abcdef"):
        assert (await browser.get(address)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("patient.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("patient.en.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_content_types(browser: httpx.AsyncClient, name: str, content_type: str) -> None:
    assert (await browser.get(f"/static/{name}")).headers["content-type"] == content_type


@pytest.mark.parametrize(
    "path", ["/static/none.js", "/static/tokens.css", "/static/..%2f__init__.py", "/problems/none", "/problems/%3Cb%3E"]
)
async def test_what_is_not_there_is_a_page_that_says_so(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("code", sorted(KINDS))
async def test_every_problem_has_its_page_in_both_languages(browser: httpx.AsyncClient, code: str) -> None:
    kind = KINDS[code]
    for language, other in (("zh", "en"), ("en", "zh")):
        text = (await browser.get(f"/problems/{code}", headers={"Accept-Language": language})).text
        assert f"<h1>{kind.title.get(language)}</h1>" in text.replace("&#x27;", "'")
        assert kind.title.get(other) in text.replace("&#x27;", "'")
        assert f"<dd>{kind.status}</dd>" in text


async def test_the_list_of_problems_names_them_all(browser: httpx.AsyncClient) -> None:
    text = (await browser.get("/problems")).text
    assert all(f'href="/problems/{code}"' in text for code in KINDS)


@pytest.mark.parametrize("door", ["/patient", "/scanner", "/admin", "/docs"])
async def test_the_first_page_leads_to_everybodys(browser: httpx.AsyncClient, door: str) -> None:
    assert f'<a class="door" href="{door}">' in (await browser.get("/")).text


async def test_head_is_answered(browser: httpx.AsyncClient) -> None:
    answer = await browser.head("/patient")
    assert answer.status_code == 200


@pytest.mark.parametrize(("demo", "mark"), [(True, 'data-demo="true"'), (False, 'data-demo="false"')])
def test_only_the_demo_offers_people(demo: bool, mark: str) -> None:
    from api.pages import _Pages
    from api.pages.assets import load_assets, load_icons
    from api.pages.render import Renderer

    pages = _Pages(Renderer(load_assets(), load_icons()), demo=demo)
    assert mark in pages.patient["zh", False].decode()
