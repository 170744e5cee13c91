"""Every state of money on /admin: books compared, differences explained, what has no outcome."""

from tests.pages.test_admin_payments_browser import BOOKS, EXPLAIN, STUCK, books, difference, stuck
from tests.shots.camera_window import Window, problem

ACT = "dialog .button-primary"
MONEY = "section[aria-labelledby=money]"


def as_auditor(window: Window) -> None:
    """Nothing yet; a day that differs, one that failed; an explanation; not to be had."""
    page = window.page
    window.answer(BOOKS, 200, {"reconciliations": [], "next_cursor": None})
    window.answer(STUCK, 200, {"unresolved": [], "next_cursor": None})
    seen(window)
    window.shot("90-no-books", ready=".money-run")
    two = [
        difference("20261124000000000000000000d1", "missing-ours", None, 6600),
        difference("20261124000000000000000000d2", "missing-theirs", 6600, None),
        difference("20261124000000000000000000d3", "amount", 6600, 6500, "手工补录，财务已核对"),
    ]
    failed = books("r3", "failed", "insurer", code="insurer-unavailable", theirs=None)
    days = [books("r2", "differs", differences=two), failed, books("r1", "matched", date="2026-11-23")]
    window.answer(BOOKS, 200, {"reconciliations": days, "next_cursor": "more"})
    window.answer(
        STUCK, 200, {"unresolved": [stuck(), stuck() | {"work_id": "w2", "kind": "pay"}], "next_cursor": None}
    )
    seen(window)
    window.shot("91-books", ready=".money-day")
    page.locator(".money-day").first.scroll_into_view_if_needed()
    window.shot("92-books-below")
    page.locator(".money-differences .button").first.click()
    page.locator(ACT).click()
    window.shot("93-explain", ready="dialog .field-wrong")
    page.keyboard.press("Escape")
    for pattern in (BOOKS, STUCK):
        window.answer(pattern, 503, problem("try-again", 503))
    seen(window)
    window.shot("94-books-down", ready=f"{MONEY} .button-plain")
    for pattern in (BOOKS, STUCK, EXPLAIN):
        window.through(pattern)


def seen(window: Window) -> None:
    """The desk anew, the money in sight."""
    window.page.reload()
    window.page.wait_for_selector(".money-run")
    window.page.evaluate("document.querySelector('#money').scrollIntoView(); scrollBy(0, -90)")
