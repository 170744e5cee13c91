"""Payment in browsers and on real parts: billed by a code, paid by the sheet, given back in part and whole; by window."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.pages.test_booking_journey import PATIENCE
from tests.pages.test_journey_browser import DESK, LIVE, PHONE, begin_shift
from tests.support.servers import Cluster
from tests.support.service import Service, running_service

OUTPATIENT_FEES = 4  # a step, by its place on the page
SAID = ".screen > [aria-live]"
TOLD = ".bills .desk-said"
MINUTE = 65  # seconds; WeChat takes the refunds of one order a minute apart
ITEMS = (("诊查费", "110200001", "诊查费", "1", "25.00"), ("血常规", "250101015", "化验费", "2", "20.50"))


@pytest.fixture(scope="module")
async def shared_service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A demo: its pay sheet stands for WeChat's, before the sandbox."""
    async with running_service(cluster, tmp_path_factory.mktemp("service"), demo=True) as running:
        yield running


async def scan(desk: Page, code: str) -> None:
    """A code comes to the window where fees are due: the bills open by themselves."""
    await desk.locator(".pick").nth(OUTPATIENT_FEES).click()
    await desk.keyboard.type(code)
    await desk.keyboard.press("Enter")
    await desk.wait_for_selector(".bills .dbill-new")


async def make_bill(desk: Page) -> None:
    """The clerk types a bill."""
    await desk.keyboard.press("F9")
    await desk.locator("[name=visit_number]").fill("MZ001")
    for number, line in enumerate(ITEMS):
        if number:
            await desk.keyboard.press("F9")
        for name, value in zip(("name", "code", "category", "quantity", "price"), line, strict=True):
            await desk.locator(f"[name={name}]").last.fill(value)
    await desk.locator("[name=price]").last.press("Enter")
    await expect(desk.locator(TOLD)).to_contain_text("账单已开", timeout=PATIENCE)
    await expect(desk.locator(".amount-total")).to_contain_text("¥66.00")


async def pay(phone: Page) -> None:
    """The person sees the message, opens the bill, gives up once, and pays."""
    await phone.locator(".toast").get_by_role("button", name="查看").click()
    await expect(phone.locator(".amounts")).to_contain_text("医保基金支付")
    await phone.locator(".pay-go").click()
    await phone.locator(".sheet").get_by_role("button", name="取消").click()
    await expect(phone.locator(SAID)).to_contain_text("还没有支付")
    await phone.get_by_role("button", name="继续支付").click()
    await phone.locator(".sheet").get_by_role("button", name="支付成功").click()
    await expect(phone.locator(SAID)).to_contain_text("支付成功", timeout=PATIENCE)
    await expect(phone.locator(".panel", has_text="收据")).to_contain_text("微信支付")


async def refund(desk: Page, *, whole: bool) -> None:
    """The clerk gives one blood count back, or all that is left."""
    await desk.keyboard.press("F9")
    if whole:
        await desk.get_by_role("radio", name="全部退").click()
    else:
        await desk.locator("[name=quantity]").nth(1).fill("1")
    await desk.get_by_role("button", name="没有做").click()
    await desk.get_by_role("button", name="确认退费").click()
    await expect(desk.locator(TOLD)).to_contain_text("退费已办理", timeout=PATIENCE)


async def test_billed_paid_refunded_in_part_and_whole_then_by_window(chromium: Browser, service: Service) -> None:
    client = await service.client(name="长沙市第一医院")
    person = service.person("欧阳明远")
    me, card = await service.holder(person)
    phone = await chromium.new_page(base_url=str(service.http.base_url), viewport=PHONE, locale="zh-CN")
    desk = await chromium.new_page(base_url=str(service.http.base_url), viewport=DESK, locale="zh-CN")
    for page in (phone, desk):
        page.set_default_timeout(PATIENCE)
    await phone.goto(f"/patient#js_code={person.js_code}")
    await phone.wait_for_selector(LIVE)
    await begin_shift(desk, client, "W07")

    await scan(desk, await service.code(me, card))
    await make_bill(desk)
    await pay(phone)
    await expect(desk.locator(".dbill-head")).to_contain_text("已支付", timeout=PATIENCE)
    await refund(desk, whole=False)
    back = phone.locator(".refund")
    await expect(back).to_contain_text("已原路退回您的微信", timeout=PATIENCE)
    await expect(back).to_contain_text("血常规 × 1")
    await expect(phone.locator(".bill-top")).to_contain_text("部分已退")
    await service.move_time(MINUTE)
    await refund(desk, whole=True)
    await expect(phone.locator(".bill-top")).to_contain_text("已全部退费", timeout=PATIENCE)
    await expect(back).to_have_count(2)

    # The same person once more, without the phone: the bill is paid in cash and another one cancelled.
    await scan(desk, await service.code(me, card))
    await make_bill(desk)
    await desk.keyboard.press("F9")
    await desk.keyboard.press("Enter")
    await expect(desk.locator(TOLD)).to_contain_text("结算完成", timeout=PATIENCE)
    await expect(desk.locator(".dbill")).to_contain_text("窗口现金 · 医保结算号")
    await desk.get_by_role("button", name="全部账单").click()
    await make_bill(desk)
    await desk.get_by_role("button", name="取消账单").click()
    await desk.get_by_role("button", name="确认取消").click()
    await expect(desk.locator(TOLD)).to_contain_text("账单已取消", timeout=PATIENCE)

    await phone.goto("/patient")
    await phone.locator(".tab").last.click()
    await phone.get_by_role("button", name="账单缴费").click()
    await expect(phone.locator(".bill .chip")).to_have_text(["已取消", "已支付", "已全部退费"])
    await phone.locator(".tab").nth(2).click()
    seen = phone.locator(".moment")
    for act, times in (("开了账单", 3), ("在窗口收款", 1), ("办理退费", 2), ("取消账单", 1)):
        await expect(seen.filter(has_text=act)).to_have_count(times)
    await expect(seen.first).to_contain_text("王敏")
    books = (await service.sandbox.get("/sandbox/books")).json()
    assert [order["state"] for order in books["wechat"]] == ["REFUND"]
    assert books["wechat"][0]["refunded_fen"] == books["wechat"][0]["amount_fen"]
    assert sum(not settled["reversed"] for settled in books["insurer"]) == 1
    await phone.close()
    await desk.close()


async def test_every_call_is_described_where_the_pages_say_so(service: Service, chromium: Browser) -> None:
    """/docs reads the document as it is, and needs nothing from elsewhere."""
    page = await chromium.new_page(base_url=str(service.http.base_url))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/docs")
    await expect(page.locator(".opblock").first).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_text("/v1/hospital/bills/{bill_id}/refunds")).to_be_visible()
    assert [url for url in asked if not url.startswith((str(service.http.base_url), "data:", "blob:"))] == []
    await page.close()
