"""The ways to the screens of records on /patient."""

from playwright.async_api import Page, expect

LIVE = ".stage[data-kind=live] .qr"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = (
    "[...document.querySelectorAll('main *')].filter((each) => parseFloat(getComputedStyle(each).fontSize) < 24).length"
)


async def open_records(page: Page) -> None:
    """From WeChat to the list of records."""
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".tab").last.click()
    await page.get_by_role("button", name="病历报告").click()
    await expect(page.locator("h1")).to_have_text("病历报告")
    await page.wait_for_selector(".record, .empty, .notice")


async def open_record(page: Page) -> None:
    """From there to the first one."""
    await open_records(page)
    await page.locator(".record").first.click()
    await expect(page.locator("h1")).to_have_text("一份病历")
    await page.wait_for_selector(".results, .as-written, .figure, .notice")


async def to_the_trend(page: Page) -> None:
    """To the chart of the first test."""
    await open_records(page)
    await page.get_by_role("button", name="指标变化").click()
    await page.locator(".row-name").first.click()
    await page.wait_for_selector(".chart-picture")
