"""Every state of bills at the window. They are answered here, at 16:00 of one and the same day."""

from tests.pages.fake_payment import bill, item, paid, payment, refund
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Demo, Json
from tests.shots.desk_booking import FOUND, MINE, RESOLUTIONS, Visit

LISTS = "**/resolutions/*/bills"
ONE = "**/v1/hospital/bills/*"
DO = "**/v1/hospital/bills/*/*"
OUTPATIENT_FEES = 4  # a step, by its place on the page
ROW = ".dbill-row"


def take(window: Window, demo: Demo, patient: int) -> None:
    """From the list to a refund."""
    visit = Visit(window, demo, patient)
    visit.step(OUTPATIENT_FEES)
    window.answer(FOUND, 200, {"slots": [], "next_cursor": None})
    lists(visit)
    making(window)
    cashing(visit)
    refunding(visit)
    for pattern in (RESOLUTIONS, MINE, FOUND, LISTS, ONE, DO):
        window.through(pattern)
    visit.step(1)


def listed(visit: Visit, *found: Json) -> None:
    """The patient scanned; their bills are these."""
    window = visit.window
    window.answer(LISTS, 200, {"bills": found, "next_cursor": None})
    if found:
        window.answer(ONE, 200, found[0])
    visit.scan([])
    window.page.wait_for_selector(f".bills {ROW}, .bills .desk-empty:not([aria-busy])")


def lists(visit: Visit) -> None:
    """Nothing, not to be had, one of every state."""
    window = visit.window
    listed(visit)
    window.shot("p01-none")
    window.cut(LISTS)
    visit.scan([])
    window.shot("p02-network-gone", ready=".bills .notice-again")
    states = [bill(), bill("b2", "settling"), bill("b3", "checking"), paid("b4"), paid("b5", "partly-refunded")]
    listed(visit, *states, paid("b6", "refunded"), bill("b7", "cancelled"))
    window.shot("p03-list")
    window.page.keyboard.press("F7")
    window.shot("p04-tab", ready=".desk-panel .desk-tab >> nth=3")
    window.page.keyboard.press("F7")


def making(window: Window) -> None:
    """The form: empty, wrong, filled in, refused."""
    page = window.page
    page.keyboard.press("F9")
    window.shot("p10-form", ready=".dbill-form")
    page.keyboard.press("Enter")
    window.shot("p11-form-wrong", ready=".field-wrong")
    for name, value in (
        ("visit_number", "MZ20261124001"),
        ("name", "血常规（五分类）"),
        ("code", "250101015"),
        ("category", "化验费"),
        ("price", "25.00"),
    ):
        page.locator(f"[name={name}]").fill(value)
    page.keyboard.press("F9")
    for name, value in (("name", "阿莫西林胶囊"), ("code", "XJ01CAA040E001"), ("quantity", "1.5"), ("price", "12.80")):
        page.locator(f"[name={name}]").last.fill(value)
    window.answer(LISTS, 503, problem("insurer-unavailable", 503, "医保暂时无法结算"))
    page.keyboard.press("Enter")
    window.shot("p12-form-refused", ready=".dbill-form .notice-again")
    window.answer(LISTS, 201, bill())
    window.answer(ONE, 200, bill())
    page.locator("[name=price]").last.press("Enter")
    window.shot("p13-made", ready=".amount-cash")


def cashing(visit: Visit) -> None:
    """Taking the cash: asked, refused, taken; while the phone pays, and while nobody knows."""
    window = visit.window
    window.page.keyboard.press("F9")
    window.shot("p20-question", ready=".desk-question")
    window.answer(DO, 409, problem("bill-changed", 409, "账单金额有变化"))
    window.answer(ONE, 200, bill(parts=(4290, 660, 330, 1320)))
    window.page.keyboard.press("Enter")
    window.shot("p21-changed", ready=".dbill .notice-again")
    window.answer(DO, 201, payment(method="window") | {"bill_id": "bill-1", "jsapi": None})
    window.answer(ONE, 200, paid(method="window"))
    window.page.keyboard.press("F9")
    window.page.keyboard.press("Enter")
    window.shot("p22-taken", ready=".desk-said .notice-calm")
    for number, found in enumerate(
        (bill(status="settling", payments=[payment("pending")]), bill(status="checking")), 23
    ):
        listed(visit, found)
        window.page.locator(ROW).first.click()
        window.shot(f"p{number}-{found['status']}", ready=".dbill .notice-again")


def refunding(visit: Visit) -> None:
    """By item, all, an amount; what was refunded."""
    window, page = visit.window, visit.window.page
    listed(visit, paid(items=[item(), item("阿莫西林胶囊", quantity="1.5", price=1280)]))
    page.locator(ROW).first.click()
    page.keyboard.press("F9")
    page.locator("[name=quantity]").first.fill("2")
    page.locator(".drefund .pick").nth(1).click()
    page.locator("[name=reason]").press("Enter")
    window.shot("p30-refund-items", ready=".drefund .field-wrong")
    page.locator(".chip-choice").nth(1).click()
    window.shot("p31-refund-all")
    refunds = [refund("pending"), refund("succeeded", "all") | {"refund_id": "r2"}]
    listed(
        visit, paid(status="partly-refunded", refunds=refunds, items=[item(back="1"), item("胸部正位片", price=4100)])
    )
    page.locator(ROW).first.click()
    window.shot("p32-refunded", ready=".dbill-refund")
    listed(visit, paid(parts=(0, 0, 0, 6600), self_paid=True, setl_id=None))
    page.locator(ROW).first.click()
    page.keyboard.press("F9")
    page.locator(".chip-choice").nth(2).click()
    window.shot("p33-refund-amount", ready="[name=amount]")
