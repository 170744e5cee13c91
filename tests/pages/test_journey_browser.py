"""The main job in two browsers and on real parts: the phone's screen becomes the window's camera picture."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from api.sandbox.people import Person
from tests.pages.conftest import chromium_path
from tests.shots.camera_window import ARGUMENTS
from tests.support.service import Client, Service

LIVE = ".stage[data-kind=live] .qr"
WIDTH, HEIGHT = 640, 480
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 800}


def as_camera(screenshot: Path, film: Path) -> None:
    """Writes a screenshot as a film of one picture that Chromium shows as its camera (YUV4MPEG2, 4:2:0)."""
    picture = Image.open(screenshot).convert("L")
    picture.thumbnail((WIDTH, HEIGHT))
    frame = Image.new("L", (WIDTH, HEIGHT), 255)
    frame.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
    gray = bytes([128]) * (WIDTH * HEIGHT // 2)
    film.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420mpeg2\n" + (b"FRAME\n" + frame.tobytes() + gray) * 2)


async def with_a_card(page: Page, person: Person) -> None:
    """As the mini-program hands over: add a card, fill it in, agree, prove with WeChat's number."""
    await page.goto(f"/patient#js_code={person.js_code}&phone_code={person.phone_code}")
    await page.locator(".welcome .button-primary").click()
    for name, value in (("name", person.name), ("id_number", person.id_number), ("phone", person.phone)):
        await page.locator(f"[name={name}]").fill(value)
    await page.locator(".consent input:enabled").check()
    await page.locator(".part .button-primary").last.click()
    await page.wait_for_selector(LIVE)


async def begin_shift(page: Page, client: Client, terminal: str) -> None:
    await page.goto("/scanner")
    for name, value in (
        ("client_id", client.client_id),
        ("client_secret", client.secret),
        ("terminal", terminal),
        ("operator_id", "1024"),
        ("operator_name", "王敏"),
    ):
        await page.locator(f"[name={name}]").fill(value)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".verdict-ready")


@asynccontextmanager
async def filming(film: Path, base: str) -> AsyncIterator[Page]:
    """A scanner's screen whose camera sees this film."""
    seeing = ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    async with async_playwright() as playwright:
        window = await playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, *seeing])
        yield await window.new_page(base_url=base, viewport=DESK, locale="zh-CN")
        await window.close()


async def test_from_the_phones_screen_to_the_window_and_back(
    chromium: Browser, service: Service, tmp_path: Path
) -> None:
    person, base = service.person("欧阳明远"), str(service.http.base_url)
    client = await service.client(name="长沙市第一医院")
    context = await chromium.new_context(base_url=base, viewport=PHONE, locale="zh-CN")
    phone = await context.new_page()
    await with_a_card(phone, person)
    await phone.locator(LIVE).screenshot(path=tmp_path / "phone.png")
    as_camera(tmp_path / "phone.png", tmp_path / "camera.y4m")
    async with filming(tmp_path / "camera.y4m", base) as scanner:
        await begin_shift(scanner, client, "W07")
        await scanner.keyboard.press("F8")
        await expect(scanner.locator(".verdict-accepted .verdict-name")).to_have_text(person.name, timeout=10_000)
        panel = phone.locator(".scanned.verdict-accepted")
        await expect(panel).to_contain_text("W07", timeout=2_000)
        await expect(panel).to_contain_text("长沙市第一医院")

        # The same window sees the same picture again: it is told that this counted once.
        await scanner.keyboard.press("F8")
        await scanner.keyboard.press("F8")
        await expect(scanner.locator(".verdict-replay")).to_be_visible(timeout=10_000)

    async with filming(tmp_path / "camera.y4m", base) as other:
        await begin_shift(other, client, "W08")
        await other.keyboard.press("F8")
        refused = other.locator(".verdict-refused")
        await expect(refused).to_contain_text("已被使用", timeout=10_000)
        await expect(refused).not_to_contain_text(person.name)
        await expect(phone.locator(".scanned.verdict-refused")).to_contain_text("W08", timeout=2_000)

    await phone.locator(".tab").nth(2).click()
    await expect(phone.locator(".moment")).to_have_count(2)
    await expect(phone.locator(".moment").last).to_contain_text("王敏")
    await context.close()
