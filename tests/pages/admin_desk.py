"""An administrator's browser on a real service, for the tests of /admin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from tests.support.service import Service

DESK: ViewportSize = {"width": 1280, "height": 800}
ACT = "dialog .button-primary"


@asynccontextmanager
async def desk_of(browser: Browser, service: Service, role: str, **more: Any) -> AsyncIterator[Page]:
    """A new administrator's desk, signed in. At the end: no error of the page's own, and nothing kept in the browser."""
    base = str(service.http.base_url)
    context = await browser.new_context(base_url=base, viewport=DESK, locale="zh-CN", **more)
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    page = await context.new_page()
    page.set_default_timeout(10_000)
    token = await token_of(service, role)
    await sign_in(page, token)
    yield page
    kept = await page.evaluate("JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
    await context.close()
    assert token not in kept
    assert not wrong


async def token_of(service: Service, role: str) -> str:
    """A new administrator's token."""
    return (await service.admin(role))["Authorization"].removeprefix("Bearer ")


async def sign_in(page: Page, token: str) -> None:
    """From the form to the desk, by keyboard alone."""
    await page.goto("/admin")
    await page.wait_for_selector("[name=token]")
    await page.keyboard.type(token)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".desk")


async def kid_of(key: Locator) -> str:
    """The kid in a key's row."""
    return await key.locator("code").inner_text()


async def begin_compromise(page: Page, key: Locator) -> None:
    """Opens a key's acts and the dialog that cuts it off."""
    await key.locator("summary").click()
    await key.locator(".button-danger").click()
    await expect(page.locator("dialog[open]")).to_be_visible()


async def focused(page: Page) -> str:
    """The `data-key` of what has the focus."""
    found: str = await page.evaluate("document.activeElement.closest('[data-key]')?.dataset.key ?? ''")
    return found
