"""Every state of bills on /patient. One is made and paid for real, by the demo's sandbox; the others are answered here."""

from tests.pages.fake_payment import bill, item, paid, payment, refund
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Demo, Json

LIVE = ".stage[data-kind=live] .qr"
LISTS = "**/cards/*/bills?*"
ONE = "**/v1/patient/bills/*"
PAY = "**/bills/*/payments"
PAYMENT = "**/v1/patient/payments/*"
GO = ".pay-go"
LONG = {"hospital_id": "h3", "name": "湘西土家族苗族自治州演示人民医院（新院区）"}


def take(window: Window, demo: Demo, me: dict[str, str], card: Json) -> None:
    """From the list to a receipt with refunds, and what may come between."""
    page = window.page
    page.reload()
    page.wait_for_selector(LIVE)
    for_real(window, demo, me, card)
    lists(window)
    paying(window)
    afterwards(window)
    for pattern in (LISTS, ONE, PAY, PAYMENT):
        window.through(pattern)
    page.reload()
    page.wait_for_selector(LIVE)


def made(demo: Demo, me: dict[str, str], card: Json) -> None:
    """The first hospital scans a code and makes a bill."""
    resolution = demo.scan(demo.code(me, card), step="0101051").raise_for_status().json()["resolution_id"]
    line = {"category": "化验费", "quantity": "1", "code": "250101015", "name": "血常规", "price_fen": 2500}
    lines = [line, line | {"code": "250305007", "name": "肝功能（七项）", "price_fen": 4100}]
    path = f"/v1/hospital/resolutions/{resolution}/bills"
    body = {"items": lines, "visit_number": "MZ20261124001"}
    demo.http.post(path, headers=demo.hospital(), json=body).raise_for_status()


def for_real(window: Window, demo: Demo, me: dict[str, str], card: Json) -> None:
    """Scanned, billed, paid by the stand-in's sheet."""
    page = window.page
    made(demo, me, card)
    window.shot("b00-scanned", ready=".scanned .button-primary")
    page.locator(".scanned .button-primary").click()
    window.shot("b01-list", ready=".bill-due")
    page.locator(".bill-due").first.click()
    window.shot("b02-due", ready=GO)
    page.locator(GO).click()
    window.shot("b03-sheet", ready="dialog.sheet")
    page.locator(".sheet .button-quiet").last.click()
    window.shot("b04-given-up", ready=".notice-again")
    page.locator(".pay .button-primary").click()
    page.locator(".sheet-pay").click()
    window.shot("b05-paid", ready=".notice-calm")


def opened(window: Window, found: Json) -> None:
    """A bill like this, opened from the list."""
    window.answer(LISTS, 200, {"bills": [found], "next_cursor": None})
    window.answer(ONE, 200, found)
    begin(window)
    window.page.locator(".bill").first.click()
    window.page.wait_for_selector(".bill-top")


def begin(window: Window) -> None:
    """To the list of bills."""
    window.page.locator(".tab").nth(4).click()
    window.page.locator(".group").first.locator(".row").nth(1).click()


def lists(window: Window) -> None:
    """Nothing, not to be had, one of every state."""
    window.answer(LISTS, 200, {"bills": [], "next_cursor": None})
    begin(window)
    window.shot("b10-none", ready=".empty")
    window.answer(LISTS, 503, problem("try-again", 503))
    begin(window)
    window.shot("b11-down", ready=".notice-again")
    many = [
        bill(hospital=LONG),
        bill("b2", "settling"),
        bill("b3", "checking"),
        paid("b4", items=[item("挂号费", price=2550)], parts=(1000, 0, 0, 1550)),
        paid("b5", "partly-refunded"),
        paid("b6", "refunded"),
        bill("b7", "cancelled"),
    ]
    window.answer(LISTS, 200, {"bills": many, "next_cursor": "more"})
    begin(window)
    window.shot("b12-all", ready=".bill >> nth=6")


def paying(window: Window) -> None:
    """What paying may come to."""
    page = window.page
    opened(window, bill(hospital=LONG, parts=(123_456_789, 0, 0, 98_765_432)))
    window.shot("b20-large", ready=GO)
    opened(window, bill(parts=(6600, 0, 0, 0)))
    window.shot("b21-no-cash", ready=GO)
    opened(window, bill())
    window.answer(PAY, 409, problem("bill-changed", 409))
    window.answer(ONE, 200, bill(parts=(4290, 660, 330, 1320)))
    page.locator(GO).click()
    window.shot("b22-changed", ready=".bill-changes")
    window.answer(PAY, 503, problem("payment-unavailable", 503, "微信支付暂时无法使用"))
    page.locator(GO).click()
    window.shot("b23-unavailable", ready=".notice-again:not(:has(.bill-changes))")
    window.cut(PAY)
    page.locator(GO).click()
    window.shot("b24-lost", ready=".notice-again")
    shown = payment("checking") | {"bill_id": "bill-1", "jsapi": None}
    window.answer(PAYMENT, 200, shown)
    opened(window, bill(status="settling", payments=[payment("pending")]))
    window.shot("b25-checking", ready=".pay-check")
    window.answer(PAYMENT, 404, problem("not-found", 404))
    opened(window, bill(status="settling", payments=[payment("pending")]))
    window.shot("b26-another-phone", ready=".pay-check")


def afterwards(window: Window) -> None:
    """Refunds on their way and back; cancelled."""
    refunds = [refund("pending", "items"), refund("succeeded", "items") | {"refund_id": "r2"}]
    lines = [item(back="1"), item("胸部正位片", price=4100)]
    opened(window, paid(status="partly-refunded", refunds=refunds, items=lines))
    window.shot("b30-partly-refunded", ready=".refund")
    window.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("b31-partly-refunded-below")
    opened(
        window, paid(status="refunded", method="window", refunds=[refund("succeeded", "all", (4950, 660, 330, 660))])
    )
    window.shot("b32-refunded", ready=".refund")
    opened(window, bill(status="cancelled", self_paid=True))
    window.shot("b33-cancelled")
