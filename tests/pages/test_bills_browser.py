"""Bills on /patient: parts in words, the pay sheet, what is only true when the service says so, the receipt, refunds."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, expect
from sanic import Blueprint

from api.pages import pages_blueprint
from tests.pages.conftest import serving
from tests.pages.fake_payment import JSAPI, FakeBills, bill, item, paid, payment, refund
from tests.pages.fake_service import ACCESS, problem

LIVE = ".stage[data-kind=live] .qr"
PAY = ".pay-go"
SHEET = "dialog.sheet"
BRIDGE = """window.asked = [];
window.WeixinJSBridge = { invoke: (name, given, said) => (window.asked.push([name, given]), said({ err_msg: `${name}:ok` })) };"""
BEAT = 5000  # ms between two looks at a bill that may change
SAID = ".screen > [aria-live]"


@pytest.fixture
def fake() -> FakeBills:
    return FakeBills()


@pytest.fixture
async def pages(fake: FakeBills) -> AsyncIterator[Blueprint]:
    """The demo's pages, beside a sandbox."""
    async with serving(fake.sandbox()) as sandbox:
        yield pages_blueprint(demo=True, sandbox=sandbox)


async def open_bills(page: Page) -> None:
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.get_by_role("button", name="账单缴费").click()
    await page.wait_for_selector(".bill, .empty")


async def open_bill(page: Page) -> None:
    await open_bills(page)
    await page.locator(".bill").first.click()
    await page.wait_for_selector(".bill-top")


async def test_a_due_bill_is_read_paid_and_becomes_a_receipt(page: Page, fake: FakeBills) -> None:
    fake.bills.append(paid("bill-0", items=[item("挂号费", price=2550)], parts=(1000, 0, 0, 1550)))
    await open_bills(page)
    rows = page.locator(".bill")
    await expect(rows.nth(0)).to_have_class("row bill bill-due")
    for words in ("长沙市第一医院", "待支付", "血常规等 2 项", "需付现金", "¥6.60", "去支付"):
        await expect(rows.nth(0)).to_contain_text(words)
    await expect(rows.nth(1)).to_contain_text("¥25.50")
    await rows.nth(0).click()
    for words in ("医保基金支付¥49.50", "个人账户支付¥6.60", "医院减免¥3.30", "您需支付现金¥6.60", "总金额¥66.00"):
        await expect(page.locator(".amounts")).to_contain_text(words)
    await expect(page.locator(".bill-item").nth(1)).to_contain_text("胸部正位片1 × ¥41.00¥41.00")

    await page.get_by_role("button", name="微信支付 ¥6.60").click()
    sheet = page.locator(SHEET)
    await expect(sheet).to_contain_text("不会真的扣款")
    await sheet.get_by_role("button", name="取消").click()
    await expect(page.locator(SAID)).to_contain_text("还没有支付")
    await expect(page.locator(".pay-left")).to_contain_text("还剩")
    await page.get_by_role("button", name="继续支付 ¥6.60").click()
    await sheet.get_by_role("button", name="支付失败").click()
    await expect(page.locator(SAID)).to_contain_text("微信没有付成")
    await page.get_by_role("button", name="继续支付 ¥6.60").click()
    await sheet.get_by_role("button", name="支付成功").click()
    await expect(page.locator(SAID)).to_contain_text("支付成功")
    prepay = JSAPI["package"].removeprefix("prepay_id=")
    assert fake.thumbs == [{"prepay_id": prepay, "result": result} for result in ("cancel", "fail", "success")]
    receipt = page.locator(".panel", has_text="收据")
    for words in ("微信支付", "S1", "MZ20261124001", "16:05", "bill-1"):
        await expect(receipt).to_contain_text(words)
    await expect(page.locator(PAY)).to_have_count(0)
    await expect(page.locator(".amounts")).to_contain_text("您支付的现金¥6.60")


async def test_whatever_the_sheet_says_only_the_service_says_paid(page: Page, fake: FakeBills) -> None:
    await page.add_init_script(BRIDGE)
    await page.clock.install()
    fake.states = ["pending", "checking", "checking", "closed"]
    await open_bill(page)
    await page.locator(PAY).click()
    await expect(page.locator(".pay-left")).to_be_visible()
    await page.clock.fast_forward(1000)
    checking = page.locator(".pay-check")
    await expect(checking).to_contain_text("正在向微信核实，请勿重复支付")
    await expect(page.locator(PAY)).to_have_count(0)
    assert await page.evaluate("window.asked") == [["getBrandWCPayRequest", JSAPI]]
    for seconds in (2, 3, 4):  # it is asked less and less often
        before = fake.looks
        async with page.expect_response("**/v1/patient/payments/*"):
            await page.clock.fast_forward(seconds * 1000)
        assert fake.looks == before + 1
        if fake.states == ["closed"] and fake.bills[0]["status"] == "due":
            break
    await expect(page.locator(SAID)).to_contain_text("这次支付已关闭")
    await expect(page.locator(PAY)).to_be_visible()
    assert fake.looks == 4
    fake.states = ["succeeded"]
    await page.locator(PAY).click()
    await expect(page.locator(SAID)).to_contain_text("支付成功")
    assert len(set(fake.keys)) == 2


async def test_a_payment_is_cancelled_and_the_bill_is_due_again(page: Page, fake: FakeBills) -> None:
    fake.bills[0] |= {"status": "settling", "payments": [payment("pending")]}
    await open_bill(page)
    await page.get_by_role("button", name="取消这次支付").click()
    await expect(page.locator(SAID)).to_contain_text("若已扣款，会自动原路退回")
    await expect(page.locator(PAY)).to_be_visible()


async def test_other_parts_than_shown_are_shown_and_asked_again(page: Page, fake: FakeBills) -> None:
    await open_bill(page)
    fake.refusal = problem("bill-changed", 409)
    fake.bills[0] = bill(parts=(4290, 660, 330, 1320))
    await page.locator(PAY).click()
    for words in ("还没有扣款", "医保基金支付：¥49.50 改为 ¥42.90", "您需支付现金：¥6.60 改为 ¥13.20"):
        await expect(page.locator(SAID)).to_contain_text(words)
    fake.refusal = None
    await page.get_by_role("button", name="微信支付 ¥13.20").click()
    await expect(page.locator(f"{SHEET} .sheet-amount")).to_have_text("¥13.20")


async def test_a_refusal_is_said_and_no_answer_may_be_pressed_again(page: Page, fake: FakeBills) -> None:
    await open_bill(page)
    for code, status in (("payment-unavailable", 503), ("insurer-unavailable", 503), ("card-frozen", 403)):
        fake.refusal = problem(code, status)
        await page.locator(PAY).click()
        await expect(page.locator(SAID)).to_contain_text(code)
    fake.refusal = None
    keys = len(fake.keys)

    async def lost(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/bills/bill-1/payments", lost)
    await page.locator(PAY).click()
    await expect(page.locator(SAID)).to_contain_text("不会重复扣款")
    await page.unroute("**/bills/bill-1/payments")
    fake.bills[0] |= {"status": "due", "payments": []}
    await page.locator(PAY).click()
    await expect(page.locator(SHEET)).to_be_visible()
    assert len(set(fake.keys[keys:])) == 1


async def test_what_another_phone_or_the_window_pays_is_said_and_kept_up_to_date(page: Page, fake: FakeBills) -> None:
    await page.clock.install()
    fake.mine = False
    fake.bills[0] |= {"status": "settling", "payments": [payment("pending")]}
    await open_bill(page)
    await expect(page.locator(".pay-check")).to_contain_text("另一部手机正在支付")
    fake.bills[0] |= {"payments": [payment("pending", method="window")]}
    await page.clock.fast_forward(BEAT)
    await expect(page.locator(".pay-check")).to_contain_text("窗口正在办理")
    fake.bills[0] = paid(method="window")
    await page.clock.fast_forward(BEAT)
    await expect(page.locator(".panel", has_text="收据")).to_contain_text("窗口现金")


async def test_what_the_insurer_pays_whole_takes_no_sheet(page: Page, fake: FakeBills) -> None:
    fake.bills[0] = bill(parts=(6600, 0, 0, 0))
    await open_bill(page)
    await page.get_by_role("button", name="确认医保结算").click()
    await expect(page.locator(SAID)).to_contain_text("支付成功")
    await expect(page.locator(SHEET)).to_have_count(0)


async def test_refunds_say_how_much_of_what_and_whether_it_is_back(page: Page, fake: FakeBills) -> None:
    back = refund("pending") | {"refund_id": "r2"}
    fake.bills[0] = paid("bill-1", "partly-refunded", refunds=[refund("failed", "all"), refund("succeeded"), back])
    fake.bills[0]["items"][0]["refunded_quantity"] = "1"
    await page.clock.install()
    await open_bill(page)
    shown = page.locator(".refund")
    await expect(shown).to_have_count(2)  # one that failed changed nothing
    for words in ("已退回", "已原路退回您的微信", "血常规 × 1", "没有做", "退费合计¥25.00", "退回现金¥2.50"):
        await expect(shown.nth(0)).to_contain_text(words)
    await expect(shown.nth(1)).to_contain_text("可能要几分钟到账")
    await expect(page.locator(".bill-item").first).to_contain_text("已退 1")
    fake.bills[0] = paid("bill-1", "refunded", refunds=[refund("succeeded", "late"), refund("succeeded", "all")])
    await page.clock.fast_forward(BEAT)
    await expect(shown.nth(0)).to_contain_text("支付关闭后才到账，已自动退回")
    await expect(page.locator(".bill-top")).to_contain_text("已全部退费")


async def test_a_message_and_a_scan_lead_to_the_bill_and_who_looked_says_what_was_done(
    page: Page, fake: FakeBills
) -> None:
    told = {
        "message_id": "m1",
        "at": ACCESS["at"],
        "kind": "bill",
        "text": "长沙市第一医院为张*开了账单",
        "card_id": "card-1",
    }
    fake.messages = [told | {"ref": "bill-1"}]
    acts = ("billed", "paid", "refunded", "cancelled")
    fake.accesses = [ACCESS | {"act": act, "granted": ["payment"], "what": ["payment"]} for act in acts]
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    fake.tell("scanned", ACCESS | {"step": "0101051"})
    await page.locator(".scanned").get_by_role("button", name="账单缴费").click()
    await expect(page.locator(".bill")).to_have_count(1)
    fake.tell("message", fake.messages[0])
    await page.locator(".toast").get_by_role("button", name="查看").click()
    await expect(page.locator(".bill-top")).to_contain_text("您需支付现金")
    await page.locator(".tab").last.click()
    await page.get_by_role("button", name="通知").click()
    await page.get_by_role("button", name="查看账单").click()
    await expect(page.locator(".bill-top")).to_contain_text("¥6.60")
    await page.locator(".tab").nth(2).click()
    await expect(page.locator(".moment")).to_have_count(4)
    for words in ("开了账单", "在窗口收款", "办理退费", "取消账单"):
        await expect(page.locator("main")).to_contain_text(words)


async def test_the_patients_page_of_a_demo_alone_may_call_its_sandbox(page: Page) -> None:
    for path, origins in (("/patient", 1), ("/scanner", 0), ("/admin", 0), ("/", 0)):
        policy = (await page.context.request.get(path)).headers["content-security-policy"]
        assert policy.count("connect-src 'self' http://127.0.0.1:") == origins, path
    async with serving(pages_blueprint(demo=False)) as address:
        policy = (await page.context.request.get(f"{address}/patient")).headers["content-security-policy"]
    assert "connect-src 'self';" in policy
