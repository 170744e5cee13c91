"""Booking in browsers and on real parts: find, book, arrive by the code, see the queue move; wait, and be given a place."""

from datetime import datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, expect

from api.sandbox.people import Person
from tests.pages.test_journey_browser import LIVE, PHONE, as_camera, begin_shift, filming, with_a_card
from tests.support.booking import SHANGHAI, Clinic
from tests.support.service import Client, Service, bearer

PATIENCE = 10_000  # milliseconds; most of it is never waited
LAST_HOUR = 21  # a session of today that begins later might not end today


async def open_clinic(service: Service, name: str) -> tuple[Clinic, Client]:
    """A hospital with a session of today that begins in half an hour, and one of tomorrow with a single place."""
    if datetime.fromtimestamp(service.now(), SHANGHAI).hour >= LAST_HOUR:
        await service.move_time(5 * 3600)
    client = await service.client(name=name)
    clinic = Clinic(service, bearer((await service.token(client)).json()["access_token"]))
    soon = (clinic.now() + timedelta(minutes=30)).replace(second=0)
    await clinic.session(soon, [1, 1], minutes=5, department={"code": "1", "name": "今日内科"})
    await clinic.session(clinic.day(1), [1], department={"code": "2", "name": "明日骨科"})
    return clinic, client


async def phone_of(chromium: Browser, service: Service, person: Person) -> tuple[BrowserContext, Page]:
    """A phone with the person's card on it, its clock the service's."""
    context = await chromium.new_context(base_url=str(service.http.base_url), viewport=PHONE, locale="zh-CN")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await page.clock.set_system_time(service.now())
    await with_a_card(page, person)
    return context, page


async def to_the_times(page: Page, department: str) -> None:
    """From the card to the times of a department."""
    await page.locator(".card-book .button").click()
    await page.get_by_role("button", name="预约一个新号").click()
    await page.get_by_role("button", name=department).click()
    await page.wait_for_selector("button.slot")


async def book_first(page: Page, department: str) -> None:
    """Book the first time of a department, and see its number."""
    await to_the_times(page, department)
    await page.locator("button.slot").first.click()
    await page.get_by_role("button", name="确认，约这个号").click()
    await expect(page.locator(".booked-number")).to_be_visible()


async def home(page: Page) -> None:
    """Back to the card with its code."""
    await page.goto("/patient")
    await page.wait_for_selector(LIVE)


async def test_booked_arrived_by_the_code_and_the_queue_moves(
    chromium: Browser, service: Service, tmp_path: Path
) -> None:
    clinic, client = await open_clinic(service, "长沙市第一医院")
    ming, xia = service.person("欧阳明远"), service.person("林知夏")
    (first, phone), (second, other) = [await phone_of(chromium, service, one) for one in (ming, xia)]
    for page, number in ((phone, "1 号"), (other, "2 号")):
        await book_first(page, "今日内科")
        await expect(page.locator(".booked-number")).to_have_text(number)

    await home(phone)
    await phone.locator(LIVE).screenshot(path=tmp_path / "phone.png")
    as_camera(tmp_path / "phone.png", tmp_path / "camera.y4m")
    async with filming(tmp_path / "camera.y4m", str(service.http.base_url)) as scanner:
        await begin_shift(scanner, client, "W07")
        await scanner.keyboard.press("F8")
        arrived = scanner.locator(".verdict-accepted .verdict-next")
        await expect(arrived.locator(".arrival-number strong")).to_have_text("1", timeout=PATIENCE)
        await expect(arrived).to_contain_text("201")
        panel = phone.locator(".scanned.verdict-accepted")
        await expect(panel).to_contain_text("您的号 1 号", timeout=PATIENCE)
        await expect(panel).to_contain_text("201")

        # The second one sees who is before them, and then that nobody is.
        await home(other)
        await other.locator(".card-book .button").click()
        await expect(other.locator(".appointment .queue")).to_contain_text("1 人")
        await scanner.get_by_role("tab", name="本人预约").click()
        await scanner.get_by_role("button", name="就诊完成").click()
        await expect(scanner.locator(".desk-row-fulfilled")).to_be_visible(timeout=PATIENCE)
        await expect(other.locator(".appointment .queue")).not_to_contain_text("1 人", timeout=PATIENCE)
    assert [kind for kind, _ in await clinic.changes()] == ["booked", "booked", "arrived"]
    await first.close()
    await second.close()


async def test_who_waits_is_given_the_place_that_another_cancels(chromium: Browser, service: Service) -> None:
    await open_clinic(service, "武汉市第二医院")
    (first, phone), (second, other) = [
        await phone_of(chromium, service, service.person(name)) for name in ("欧阳明远", "林知夏")
    ]
    for page in (phone, other):
        await page.locator(".card-book .button").click()
        await page.get_by_role("button", name="预约一个新号").click()
        await page.get_by_role("button", name="武汉市第二医院").click()
        await page.get_by_role("button", name="明日骨科").click()
        await page.locator("button.slot").first.click()
        if page is phone:
            await page.get_by_role("button", name="确认，约这个号").click()
            await expect(page.locator(".booked-number")).to_be_visible()
        else:
            await page.get_by_role("button", name="加入候补").click()
            await expect(page.locator(".waiting")).to_contain_text("您排第 1 位")

    await home(phone)
    await phone.locator(".card-book .button").click()
    await phone.locator(".appointment").click()
    await phone.get_by_role("button", name="取消预约").click()
    await phone.get_by_role("button", name="确认取消").click()
    await expect(phone.locator(".appointment-now")).to_contain_text("已取消")

    await home(other)
    await other.locator(".tab").last.click()
    await other.get_by_role("button", name="通知").click()
    told = other.locator(".moment").first
    await expect(told).to_contain_text("候补成功")
    await told.locator(".button").click()
    await expect(other.locator(".appointment-now")).to_contain_text("1 号")
    await first.close()
    await second.close()
