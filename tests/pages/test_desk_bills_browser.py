"""/scanner with bills in a browser: a bill typed by keyboard, cash taken once, cancelled, refunded; what may go wrong."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.pages.fake_payment import FakeDeskBills, bill, item, paid, payment, refund
from tests.pages.fake_service import problem
from tests.pages.test_scanner_browser import CODE, OTHER, begin_shift, scan

BODY = ".bills .desk-body"
SAID = ".bills .desk-said"
FIELD = "input scan-input"
LOOK = 3000  # ms between two looks at a bill that may change
OUTPATIENT_FEES = 4  # a step, by its place on the page


@pytest.fixture
def fake() -> FakeDeskBills:
    return FakeDeskBills(resolution={"granted": ["booking", "records", "payment"]})


async def opened(page: Page, code: str = CODE) -> None:
    """A shift in which a code was scanned, and the bills opened by the step's own."""
    await begin_shift(page)
    await page.locator(".pick").nth(OUTPATIENT_FEES).click()
    await scan(page, code)
    await page.wait_for_selector(f"{BODY} .dbill-row, {BODY} .desk-empty")


async def typed(page: Page, *values: str) -> None:
    """Fills fields by keyboard alone, from the one that has the focus on."""
    for value in values:
        if value:
            await page.keyboard.type(value)
        await page.keyboard.press("Tab")


async def test_a_bill_is_typed_made_paid_in_cash_and_refunded_by_keyboard(page: Page, fake: FakeDeskBills) -> None:
    await opened(page)
    await expect(page.locator(BODY)).to_contain_text("没有账单")
    await page.keyboard.press("F9")
    await typed(page, "MZ001", "", "血常规", "250101015", "化验费")
    await page.keyboard.press("Control+A")
    await typed(page, "1.5", "25.5")
    await page.keyboard.press("F9")
    await typed(page, "挂号费", "110200001", "", "", "0.29")  # the category is the row's before it
    await expect(page.locator(".dbill-sum")).to_have_text("¥38.54")
    await page.locator("[name=price]").last.press("Enter")
    await expect(page.locator(SAID)).to_contain_text("患者手机已收到")
    act, body, _ = fake.sent[0]
    lines = [(one["name"], one["category"], one["quantity"], one["price_fen"]) for one in body["items"]]
    assert lines == [("血常规", "化验费", "1.5", 2550), ("挂号费", "化验费", "1", 29)]
    assert (act, body["visit_number"], body["self_paid"]) == ("make", "MZ001", False)
    for words in ("总金额¥66.00", "医保基金支付¥49.50", "应收现金¥6.60"):
        await expect(page.locator(BODY)).to_contain_text(words)

    await page.keyboard.press("F9")
    await expect(page.locator(".desk-question")).to_contain_text("已经收到现金 ¥6.60？")
    await page.keyboard.press("Enter")
    await expect(page.locator(SAID)).to_contain_text("已收 ¥6.60，结算完成")
    assert fake.sent[1][:2] == ("payments", {"received_fen": 660})
    await expect(page.locator(BODY)).to_contain_text("窗口现金 · 医保结算号 S2026112400017")

    await page.keyboard.press("F9")
    await page.keyboard.type("2")
    await page.locator(".drefund [type=submit]").click()
    await expect(page.locator(".drefund .field-wrong").first).to_contain_text("最多退 1.5")
    await page.locator("[name=quantity]").first.fill("0.5")
    await page.get_by_role("button", name="没有做").click()
    await page.get_by_role("button", name="确认退费").click()
    await expect(page.locator(SAID)).to_contain_text("请把现金部分退给患者")
    assert fake.sent[2][:2] == (
        "refunds",
        {"items": [{"item_id": "item-血常规", "quantity": "0.5"}], "reason": "没有做"},
    )
    await expect(page.locator(".dbill-refund")).to_contain_text("退款中")


async def test_nothing_is_sent_that_is_no_amount_or_quantity(page: Page, fake: FakeDeskBills) -> None:
    await opened(page)
    await page.keyboard.press("F9")
    for name, value in (("visit_number", "1"), ("name", "床位费"), ("code", "1"), ("category", "其他")):
        await page.locator(f"[name={name}]").fill(value)
    for price in ("", "0", "0.00", "-1", "1.234", "1e3", "2,5", "12345678901"):
        await page.locator("[name=price]").fill(price)
        await page.keyboard.press("Enter")
        await expect(page.locator(".dbill-line .field-wrong")).to_have_text("写成 25.00 这样")
    await page.locator("[name=price]").fill("２５．０")  # an input method's digits
    for quantity in ("", "0", "0.00001", "-2", "一"):
        await page.locator("[name=quantity]").fill(quantity)
        await page.keyboard.press("Enter")
        await expect(page.locator(".dbill-line .field-wrong")).to_contain_text("最多 4 位小数")
    assert fake.sent == []
    await page.locator("[name=quantity]").fill("0.3333")
    await expect(page.locator(".dbill-sum")).to_have_text("¥8.33")
    await page.locator("[name=self_paid]").check()
    await page.locator("[name=price]").press("Enter")
    await expect(page.locator(SAID)).to_contain_text("账单已开")
    assert fake.sent[0][1]["items"][0]["price_fen"] == 2500
    assert fake.sent[0][1]["self_paid"] is True


async def test_a_scan_takes_over_whatever_is_being_typed(page: Page, fake: FakeDeskBills) -> None:
    await opened(page)
    await page.keyboard.press("F9")
    await page.keyboard.type("MZ")
    fake.bills = [bill(items=[item("换药")])]
    await page.keyboard.insert_text(OTHER)
    await page.keyboard.press("Enter")
    await expect(page.locator(f"{BODY} .dbill-row")).to_contain_text("换药")
    assert await page.evaluate("document.activeElement.className") == FIELD
    assert fake.scans[-1]["code"] == OTHER
    await page.keyboard.press("F7")
    await expect(page.locator(".desk-panel")).to_be_visible()
    await expect(page.locator(".desk-tab")).to_contain_text(["号", "本人预约", "病历报告 F6", "缴费 F7"])


async def test_cash_whose_answer_was_lost_is_taken_once(page: Page, fake: FakeDeskBills) -> None:
    fake.bills = [bill()]
    await opened(page)
    await page.locator(".dbill-row").click()

    async def lost(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/payments", lost)
    await page.keyboard.press("F9")
    await page.keyboard.press("Enter")
    await expect(page.locator(BODY)).to_contain_text("同一件事不会办两遍")
    await page.unroute("**/payments")
    await page.get_by_role("button", name="已收现金").click()
    await expect(page.locator(SAID)).to_contain_text("结算完成")
    assert len(fake.sent) == 2
    assert len({key for _, _, key in fake.sent}) == 1


async def test_a_refusal_says_what_to_do_and_shows_the_bill_as_it_is(page: Page, fake: FakeDeskBills) -> None:
    fake.bills = [bill()]
    await opened(page)
    await page.locator(".dbill-row").click()
    await page.clock.install()
    fake.refusals, fake.changed = [problem("bill-changed", 409)], bill(parts=(4290, 660, 330, 1320))
    await page.keyboard.press("F9")
    await page.keyboard.press("Enter")
    await expect(page.locator(".dbill .notice")).to_contain_text("bill-changed")
    await expect(page.get_by_role("button", name="收现金 ¥13.20")).to_be_visible()
    fake.changed = bill(status="settling", payments=[payment("pending")])
    fake.refusals = [problem("bill-not-payable", 409)]
    await page.keyboard.press("F9")
    await page.keyboard.press("Enter")
    await expect(page.locator(BODY)).to_contain_text("先不要收现金")
    fake.bills[0] |= bill(status="checking")
    await page.clock.fast_forward(LOOK)
    await expect(page.locator(BODY)).to_contain_text("不要再收款")
    fake.bills[0] |= bill()
    await page.clock.fast_forward(LOOK)
    await page.get_by_role("button", name="取消账单").click()
    await page.get_by_role("button", name="确认取消").click()
    await expect(page.locator(SAID)).to_contain_text("账单已取消")
    assert [act for act, _, _ in fake.sent] == ["payments", "payments", "cancel"]


async def test_an_amount_is_given_back_only_where_no_insurer_paid(page: Page, fake: FakeDeskBills) -> None:
    own = paid("bill-2", parts=(0, 0, 0, 6600), self_paid=True, setl_id=None)
    fake.bills = [paid(), own, paid("bill-3", "refunded", refunds=[refund("succeeded", "all")])]
    await opened(page)
    await page.locator(".dbill-row").nth(0).click()
    await page.keyboard.press("F9")
    await expect(page.locator(".drefund .chip-choice")).to_have_text(["按项目退", "全部退"])
    await page.get_by_role("radio", name="全部退").click()
    await page.locator("[name=reason]").fill("开错")
    fake.refusals = [problem("refund-would-charge", 409)]
    await page.locator("[name=reason]").press("Enter")
    await expect(page.locator(".dbill .notice")).to_contain_text("refund-would-charge")
    await page.get_by_role("button", name="全部账单").click()
    await page.locator(".dbill-row").nth(1).click()
    await page.keyboard.press("F9")
    await page.get_by_role("radio", name="退部分金额").click()
    await page.locator("[name=amount]").fill("12.5")
    await page.locator("[name=reason]").fill("开错")
    await page.locator("[name=reason]").press("Enter")
    await expect(page.locator(SAID)).to_contain_text("原路退回患者微信")
    assert [body for _, body, _ in fake.sent] == [
        {"all": True, "reason": "开错"},
        {"amount_fen": 1250, "reason": "开错"},
    ]
    await page.get_by_role("button", name="全部账单").click()
    await page.locator(".dbill-row").nth(2).click()
    await expect(page.locator(".dbill-refund")).to_contain_text("全部退费：共 ¥25.00")
    await expect(page.locator(".dbill-acts")).to_have_count(0)


async def test_a_resolution_that_is_over_ends_its_bills(page: Page, fake: FakeDeskBills) -> None:
    fake.resolution = {"granted": ["payment"]}
    await begin_shift(page)
    await scan(page, CODE)
    way = page.locator(".desk-files .button", has_text="缴费 F7")
    await expect(way).to_be_visible()
    await expect(page.locator(".desk-files .button")).to_have_count(1)
    fake.refusals = [problem("resolution-expired", 410)]
    await page.keyboard.press("F7")
    await page.wait_for_selector(f"{BODY} .desk-empty")
    await page.keyboard.press("F9")
    for name in ("visit_number", "name", "code", "category", "price"):
        await page.locator(f"[name={name}]").fill("1")
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdict-again")).to_be_visible()
    await expect(page.locator(".bills")).to_have_count(0)
