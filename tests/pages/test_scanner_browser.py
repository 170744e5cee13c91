"""/scanner in a browser: the field that always has the focus, verdicts, and scans without an answer."""

import pytest
from playwright.async_api import Page, expect

from tests.pages.fake_service import CSRF, FakeService, problem

CODE = "8601" + "5" * 285
OTHER = "8601" + "6" * 285


async def begin_shift(page: Page) -> None:
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto("/scanner")
    fields = {"client_id": "h1", "client_secret": "s", "terminal": "W01", "operator_id": "7", "operator_name": "王敏"}
    for name, value in fields.items():
        await page.locator(f"[name={name}]").fill(value)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".verdict-ready")


async def scan(page: Page, text: str, end: str = "Enter") -> None:
    await page.keyboard.insert_text(text)
    if end:
        await page.keyboard.press(end)


async def test_a_scan_needs_no_key_and_no_mouse(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    await scan(page, CODE)
    verdict = page.locator(".verdict-accepted")
    await expect(verdict).to_contain_text("张建国")
    await expect(verdict).to_contain_text("男")
    await expect(verdict).to_contain_text("岁")
    await expect(page.locator(".verdict [role=alert]")).to_contain_text("通过")
    assert fake.scans == [{"code": CODE, "step": "0101011", "channel": "0100", "terminal": "W01"}]
    assert fake.csrf_seen == [CSRF]


async def test_the_field_has_the_focus_whatever_is_clicked(page: Page) -> None:
    await begin_shift(page)
    for clicked in (".verdict", ".pick >> nth=3", ".shift-bar", ".work-left .panel", "h2 >> nth=0", "body"):
        await page.locator(clicked).first.click(position={"x": 5, "y": 5})
        assert await page.evaluate("document.activeElement.className") == "input scan-input", clicked


async def test_a_scan_after_tab_still_lands_in_the_field(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    for _ in range(4):
        await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") != "input scan-input"
    await page.keyboard.type(CODE)
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    assert fake.scans[0]["code"] == CODE


async def test_a_scanner_without_enter_is_understood(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    await scan(page, CODE, end="")
    await expect(page.locator(".verdict-accepted")).to_be_visible()


async def test_part_of_a_code_waits_for_the_rest(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    await scan(page, CODE[:100], end="")
    await page.wait_for_timeout(600)
    assert not fake.scans
    await scan(page, CODE[100:], end="")
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    assert [sent["code"] for sent in fake.scans] == [CODE]


@pytest.mark.parametrize("end", ["Enter", "Tab"])
async def test_full_width_digits_are_made_plain(page: Page, fake: FakeService, end: str) -> None:
    await begin_shift(page)
    await scan(page, "".join(chr(ord(digit) + 0xFEE0) for digit in CODE), end)
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    assert fake.scans[0]["code"] == CODE


async def test_the_same_scan_again_is_marked(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    await scan(page, CODE)
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    await scan(page, CODE)
    await expect(page.locator(".verdict-replay")).to_contain_text("同一次扫码")


async def test_without_an_answer_the_same_code_is_sent_again(page: Page, fake: FakeService) -> None:
    fake.scan_problems = [problem("try-again", 503), problem("upstream-timeout", 504)]
    await begin_shift(page)
    await scan(page, CODE)
    waiting = page.locator(".verdict-waiting")
    await expect(waiting).to_contain_text("还没有结果")
    await expect(waiting).to_contain_text("不要换终端")
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    assert {(sent["code"], sent["terminal"]) for sent in fake.scans} == {(CODE, "W01")}
    assert len(fake.scans) == 3


async def test_the_network_comes_back_by_itself(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    await page.route("**/resolutions", lambda route: route.abort("internetdisconnected"))
    await scan(page, CODE)
    await expect(page.locator(".verdict-waiting")).to_contain_text("网络断开")
    await page.unroute("**/resolutions")
    await expect(page.locator(".verdict-accepted")).to_be_visible()


async def test_the_next_scan_replaces_the_verdict(page: Page, fake: FakeService) -> None:
    fake.scan_problems = [problem("try-again", 503, **{"Retry-After": "60"})]
    await begin_shift(page)
    await scan(page, CODE)
    await expect(page.locator(".verdict-waiting .verdict-say")).to_be_visible()
    await scan(page, OTHER)
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    await expect(page.locator(".scan")).to_have_count(2)


async def test_why_it_was_refused_and_what_to_say(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    for code, status, kind in (
        ("code-already-used", 409, "refused"),
        ("code-not-authentic", 422, "refused"),
        ("card-revoked", 403, "refused"),
        ("code-expired", 410, "again"),
        ("code-malformed", 400, "again"),
        ("older-code", 422, "again"),
    ):
        fake.scan_problems = [problem(code, status)]
        await scan(page, CODE)
        verdict = page.locator(f".verdict-{kind}")
        await expect(verdict.locator(".verdict-say .verdict-words"), code).not_to_be_empty()
        await expect(verdict.locator(".verdict-next .verdict-words"), code).not_to_be_empty()
        await expect(verdict.locator(".verdict-why"), code).not_to_be_empty()
        await page.reload()
        await page.wait_for_selector(".verdict-ready")


async def test_a_service_that_is_not_open_asks_to_look_again(page: Page) -> None:
    await begin_shift(page)
    await page.locator(".pick").nth(4).click()
    await scan(page, CODE)
    await expect(page.locator(".verdict-again")).to_contain_text("身份已核，缴费未开放")
    await expect(page.locator(".verdict-again")).to_contain_text("张建国")


async def test_the_list_is_masked_and_goes_with_the_shift(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    for number in range(22):
        await scan(page, f"{CODE[:-2]}{number:02}")
        await page.wait_for_timeout(40)
    await expect(page.locator(".scan")).to_have_count(20)
    await expect(page.locator(".scan").first).to_contain_text("张*")
    kept = await page.evaluate("JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
    assert "建国" not in kept
    assert "430102" not in kept
    assert CODE[:20] not in kept
    await page.locator(".shift-bar .button").last.click()
    await page.wait_for_selector("[name=client_secret]")
    assert await page.evaluate("sessionStorage.getItem('yima.scans')") is None
    assert fake.csrf_seen[-1] == CSRF


async def test_the_secret_is_not_kept(page: Page) -> None:
    await begin_shift(page)
    kept = await page.evaluate(
        "JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage}) + document.cookie"
    )
    assert '"s"' not in kept
    assert "client_secret" not in kept


async def test_a_reload_keeps_the_shift(page: Page) -> None:
    await begin_shift(page)
    await page.reload()
    await expect(page.locator(".shift-who")).to_contain_text("终端 W01")


async def test_a_session_that_ended_asks_to_sign_in(page: Page, fake: FakeService) -> None:
    await begin_shift(page)
    fake.session = None
    fake.scan_problems = [problem("unauthenticated", 401)]
    await scan(page, CODE)
    await expect(page.locator(".notice-again")).to_contain_text("登录已到期")


async def test_a_blocked_camera_says_why(page: Page) -> None:
    await begin_shift(page)
    await page.keyboard.press("F8")
    await expect(page.locator(".camera-wrong")).to_contain_text("摄像头被禁止")
