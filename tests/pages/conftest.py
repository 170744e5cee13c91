"""A server of the pages with a stand-in service behind them, and a browser in front."""

import os
import shutil
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from sanic import Blueprint, Sanic

from api.pages import pages_blueprint
from tests.pages.fake_service import FakeService
from tests.shots.camera_window import ARGUMENTS, CHROMIUM


@asynccontextmanager
async def serving(*blueprints: Blueprint) -> AsyncIterator[str]:
    """Serves these blueprints on a free port of this machine; gives the address."""
    app = Sanic(f"pages-{uuid.uuid4().hex[:8]}", configure_logging=False)
    app.config.TOUCHUP = False  # it rewrites Sanic's own methods, which a second app in one process does not survive
    for blueprint in blueprints:
        app.blueprint(blueprint)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server: Any = await app.create_server(sock=listening, return_asyncio_server=True)
        await server.startup()
        await server.start_serving()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.close()
        await server.wait_closed()
        Sanic.unregister_app(app)


def chromium_path() -> str | None:
    """Where the browser is, if there is one."""
    return os.environ.get("YIMA_CHROMIUM") or shutil.which(CHROMIUM) or shutil.which("chromium")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests; without one they are skipped, and say so."""
    if not (path := chromium_path()):
        pytest.skip("no Chromium: set YIMA_CHROMIUM to try the pages in a browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
def fake() -> FakeService:
    return FakeService()


@pytest.fixture(scope="session")
def pages() -> Blueprint:
    """The pages, rendered once for all tests."""
    return pages_blueprint(demo=False)


@pytest.fixture
async def visitor(chromium: Browser, pages: Blueprint, fake: FakeService) -> AsyncIterator[BrowserContext]:
    """A visitor with a phone of 390 × 844 who must not meet an error of the page's own."""
    async with serving(pages, fake.blueprint()) as address:
        size: Any = {"width": 390, "height": 844}
        context = await chromium.new_context(base_url=address, viewport=size, locale="zh-CN")
        wrong: list[str] = []
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        yield context
        fake.streaming = False
        await context.close()
        assert not wrong


@pytest.fixture
async def page(visitor: BrowserContext) -> Page:
    page = await visitor.new_page()
    page.set_default_timeout(8000)
    return page
