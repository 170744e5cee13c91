"""/patient in a browser: the code's life, what a scan says, and what happens when things are cut."""

import zxingcpp
from PIL import Image
from playwright.async_api import Page, expect

from tests.pages.fake_service import ACCESS, CARD, FakeService, problem

LIVE = ".stage[data-kind=live] .qr"
FROM_WECHAT = "/patient#js_code=wx-1&phone_code=ph-1"


async def arrive(page: Page) -> None:
    await page.goto(FROM_WECHAT)
    await page.wait_for_selector(LIVE)


async def test_wechats_codes_leave_the_address_at_once(page: Page, fake: FakeService) -> None:
    await arrive(page)
    assert page.url.endswith("/patient")
    assert fake.signed_in
    assert await page.evaluate("sessionStorage.getItem('yima.token')") == '"token-of-wx-1"'
    assert await page.evaluate("localStorage.length") == 0


async def test_the_code_on_the_screen_is_read_by_a_scanner(page: Page, tmp_path: object) -> None:
    await arrive(page)
    shot = f"{tmp_path}/phone.png"
    await page.screenshot(path=shot)
    found = zxingcpp.read_barcodes(Image.open(shot))
    assert [barcode.text for barcode in found] == ["8601001" + "7" * 282]


async def test_the_code_is_black_on_white_in_the_dark_too(page: Page, tmp_path: object) -> None:
    await page.emulate_media(color_scheme="dark")
    await arrive(page)
    shot = f"{tmp_path}/phone.png"
    await page.locator(LIVE).screenshot(path=shot)
    colours = Image.open(shot).convert("L").getextrema()
    assert colours == (0, 255)
    assert zxingcpp.read_barcodes(Image.open(shot))


async def test_it_renews_itself_quietly(page: Page, fake: FakeService) -> None:
    fake.refresh_after = 1
    await arrive(page)
    await page.wait_for_timeout(2500)
    assert len(fake.issued) >= 2
    await expect(page.locator(LIVE)).to_be_visible()


async def test_without_network_the_code_stays_until_it_expires(page: Page, fake: FakeService) -> None:
    fake.refresh_after, fake.life = 1, 4
    await arrive(page)
    await page.route("**/codes?*", lambda route: route.abort("internetdisconnected"))
    await expect(page.locator(".line-trouble")).to_contain_text("网络不通")
    await expect(page.locator(LIVE)).to_be_visible()
    await expect(page.locator(".stage[data-kind=expired]")).to_contain_text("码已过期")
    await expect(page.locator(LIVE)).to_have_count(0)
    await page.unroute("**/codes?*")
    fake.refresh_after = 30
    await page.locator(".stage .button").click()
    await expect(page.locator(LIVE)).to_be_visible()


async def test_a_busy_service_is_waited_for(page: Page, fake: FakeService) -> None:
    fake.code_problems.append(problem("rate-limited", 429, **{"Retry-After": "2"}))
    await page.goto(FROM_WECHAT)
    await expect(page.locator(".stage[data-kind=busy]")).to_contain_text("会自动重试")
    fake.code_problems.clear()
    await page.wait_for_selector(LIVE)


async def test_the_phone_says_where_it_was_scanned(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.wait_for_timeout(300)
    fake.tell("scanned", ACCESS | {"access_id": "a1"})
    panel = page.locator(".scanned.verdict-accepted")
    await expect(panel).to_be_visible(timeout=2000)
    for words in ("长沙市第一医院", "内科 · W03", "当日挂号", "请在窗口领取号序"):
        await expect(panel).to_contain_text(words)
    assert await panel.get_attribute("role") == "alert"
    fake.tell("refused", ACCESS | {"access_id": "a2", "outcome": "refused", "reason": "code-already-used"})
    await expect(page.locator(".scanned.verdict-refused")).to_contain_text("用过的码")


async def test_where_the_stream_is_cut_the_phone_asks(page: Page, fake: FakeService) -> None:
    fake.streaming = False
    await arrive(page)
    await page.wait_for_timeout(1000)
    fake.accesses.append(ACCESS | {"access_id": "a1"})
    await expect(page.locator(".scanned.verdict-accepted")).to_be_visible(timeout=4000)


async def test_an_event_told_twice_is_shown_once(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.wait_for_timeout(300)
    fake.tell("scanned", ACCESS | {"access_id": "a1"})
    await page.locator(".scanned .button-primary").click()
    await page.wait_for_selector(LIVE)
    fake.tell("scanned", ACCESS | {"access_id": "a1"})
    await page.wait_for_timeout(500)
    await expect(page.locator(LIVE)).to_be_visible()


async def test_what_a_hospital_calls_itself_is_only_text(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.wait_for_timeout(300)
    fake.tell("scanned", ACCESS | {"access_id": "a1", "hospital": "<img src=x onerror=alert(1)>"})
    await expect(page.locator(".scanned-where")).to_have_text("<img src=x onerror=alert(1)>")
    assert await page.locator(".scanned img").count() == 0


async def test_a_reason_that_is_not_known_is_no_bare_code(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.wait_for_timeout(300)
    odd = {"access_id": "a1", "outcome": "refused", "reason": "some-new-reason", "step": "9999", "what": ["odd"]}
    fake.tell("refused", ACCESS | odd)
    await expect(page.locator(".scanned")).to_contain_text("这次扫码没有通过")
    await expect(page.locator(".scanned")).not_to_contain_text("some-new-reason")


async def test_switches_make_a_new_code_and_one_stays_on(page: Page, fake: FakeService) -> None:
    await arrive(page)
    assert fake.issued[-1] == {}
    switches = page.locator(".face .switch")
    await switches.nth(2).click()
    await expect(switches.nth(2)).to_have_attribute("aria-checked", "false")
    await page.wait_for_selector(LIVE)
    assert fake.issued[-1] == {"services": ["booking", "records"]}
    await switches.nth(1).click()
    await switches.nth(0).click()
    await expect(switches.nth(0)).to_have_attribute("aria-checked", "true")
    await expect(page.locator(".switches-hint")).to_have_text("至少保留一项。")


async def test_a_service_that_the_patient_closed_is_offered_again(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.locator(".face .switch").nth(2).click()
    await page.wait_for_selector(LIVE)
    fake.tell("scanned", ACCESS | {"access_id": "a1", "step": "0101051", "granted": ["booking", "records"]})
    await expect(page.locator(".scanned.verdict-again")).to_contain_text("您关闭了“缴费”")
    await page.locator(".scanned .button-primary").click()
    await page.wait_for_selector(LIVE)
    assert fake.issued[-1] == {}


async def test_freezing_takes_two_taps(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.locator(".card-freeze").click()
    await expect(page.locator(".points")).to_contain_text("立即结束")
    await page.locator(".screen > .button-primary").click()
    await expect(page.locator(".stage[data-kind=frozen]")).to_contain_text("此卡已冻结")
    assert fake.cards[0]["status"] == "frozen"


async def test_a_card_frozen_elsewhere_shows_at_once(page: Page, fake: FakeService) -> None:
    await arrive(page)
    await page.wait_for_timeout(300)
    fake.cards[0] = CARD | {"status": "frozen"}
    fake.tell("card", {"card_id": "card-1", "status": "frozen"})
    await expect(page.locator(".stage[data-kind=frozen]")).to_be_visible()


async def test_a_session_that_ended_leads_to_the_sign_in(page: Page, fake: FakeService) -> None:
    await arrive(page)
    fake.code_problems.append(problem("unauthenticated", 401))
    await page.locator(".face .switch").nth(0).click()
    await expect(page.locator("h1")).to_have_text("欢迎使用一码")
    await expect(page.locator(".notice-again")).to_contain_text("请重新登录")
    assert await page.evaluate("sessionStorage.getItem('yima.token')") is None


async def test_large_type_is_at_once_and_remembered(page: Page) -> None:
    await arrive(page)
    await page.locator("[data-type-switch]").click()
    assert await page.evaluate("getComputedStyle(document.body).fontSize") == "24px"
    await expect(page.locator(".card-more .button")).to_be_visible()
    await page.reload()
    await page.wait_for_selector(LIVE)
    assert await page.evaluate("document.documentElement.dataset.type") == "large"


async def test_every_target_is_large_enough_for_a_finger(page: Page) -> None:
    await arrive(page)
    small = await page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select")]
          .filter((each) => each.checkVisibility() && !each.matches(".skip, .mark-add"))
          .map((each) => [each.textContent.trim(), each.getBoundingClientRect()])
          .filter(([, { width, height }]) => width < 43.5 || height < 43.5)
          .map(([text]) => text)"""
    )
    assert not small
