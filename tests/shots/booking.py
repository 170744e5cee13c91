"""Every state of booking on /patient. The sessions of a demo change by the hour: what is booked is answered here."""

from tests.pages.fake_booking import DEPARTMENTS, WU, appointment, at, slot, utc, waiting
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Json

LIVE = ".stage[data-kind=live] .qr"
CARDS = "**/v1/patient/cards"
MINE = "**/cards/*/appointments*"
ONE = "**/v1/patient/appointments/*"
WAITINGS = "**/cards/*/waitings*"
FOUND = "**/v1/slots?*"
PLACES = "**/v1/departments"
PARTS = "**/static/booking*"
LATE = 23  # an hour of today that is still to come
SURE = ".screen > .button-primary"


def take(window: Window, card: Json) -> None:
    """From the card to a number, and what may come between."""
    opening(window)
    finding(window)
    booking(window)
    waiting_list(window)
    appointments(window)
    for_family(window, card)


def opening(window: Window) -> None:
    """Where booking begins: cut off, loading, nothing yet, refused."""
    page = window.page
    page.reload()
    page.wait_for_selector(LIVE)
    window.cut(PARTS)
    page.locator(".card-book .button").click()
    window.shot("70-booking-no-network", ready=".notice-again")
    window.through(PARTS)
    window.hang(MINE)
    page.locator(".notice-again .button").click()
    window.shot("71-booking-loading", ready=".screen > .button-primary")
    window.answer(MINE, 503, problem("try-again", 503))
    begin(window)
    window.shot("72-booking-down", ready=".notice-again")
    listed(window, [])
    begin(window)
    window.shot("73-booking-begin", ready=".empty")


def finding(window: Window) -> None:
    """Hospital, department, times."""
    page = window.page
    window.answer(PLACES, 200, {"departments": []})
    page.locator(SURE).click()
    window.shot("74-no-hospital", ready=".empty")
    window.answer(PLACES, 200, {"departments": DEPARTMENTS})
    begin(window)
    page.locator(SURE).click()
    window.shot("75-hospitals", ready=".row-name")
    page.locator(".row").first.click()
    window.shot("76-departments", ready=".row-name")
    window.answer(FOUND, 200, {"slots": [], "next_cursor": None})
    page.locator(".row").first.click()
    window.shot("77-no-times", ready=".slot, .notice-calm")
    times = [
        slot("1"),
        slot("2", hour=10, status="full", free=0),
        slot("3", hour=11, doctor=None, clinic="ordinary", fee_fen=0, min_age=60, sex="female"),
        slot("4", days=9, hour=14, doctor=WU, opens_at=utc(at(3, 8))),
        slot("5", days=9, hour=15, doctor=WU, clinic="special", status="stopped", max_age=14),
    ]
    window.answer(FOUND, 200, {"slots": times, "next_cursor": "more"})
    page.locator(".date").first.click()
    window.shot("78-times", ready="button.slot")
    page.locator(".part").evaluate_all("all => all.forEach((each) => each.classList.toggle('part-now'))")
    window.shot("79-times-list")


def booking(window: Window) -> None:
    """The confirmation, what may be said against it, and the number."""
    page = window.page
    page.locator("button.slot").first.click()
    window.shot("80-confirm", ready="h1")
    window.cut(MINE)
    page.locator(SURE).click()
    window.shot("81-lost-answer", ready=".notice-again")
    window.answer(MINE, 201, appointment("a1", slot("1")))
    page.locator(SURE).click()
    window.shot("82-booked", ready=".booked-number")
    page.go_back()
    window.answer(MINE, 403, problem("booking-paused", 403, until=utc(at(60, 12))))
    page.locator("button.slot").first.click()
    page.locator(SURE).click()
    window.shot("83-paused", ready=".notice-again .button")
    page.go_back()
    window.answer(MINE, 409, problem("slot-full", 409))
    page.locator("button.slot").first.click()
    page.locator(SURE).click()
    window.shot("84-full", ready=".notice-again .button-primary")


def waiting_list(window: Window) -> None:
    """Waiting for a place, and what came of it."""
    page = window.page
    page.locator(".notice-again .button-primary").click()
    window.shot("85-wait", ready=".chips")
    held = [
        waiting("w1", slot("2")),
        waiting("w2", slot("1"), "booked", appointment_id="a1"),
        waiting("w3", slot("3", days=-1), "expired", start=None, end=None),
        waiting("w4", slot("4", days=-2), "withdrawn"),
    ]
    window.answer(WAITINGS, 200, {"waitings": held, "next_cursor": None})
    page.locator(SURE).click()
    page.wait_for_selector(".waiting")
    page.locator(".toast .button-icon").click()
    page.locator(".waiting .button-quiet").first.click()
    window.shot("86-waitings")


def appointments(window: Window) -> None:
    """The list, and one of each kind."""
    page = window.page
    kinds = {
        "arrived": appointment("a1", slot("1", 0, LATE), 12, "arrived", ahead=2, arrived_at=utc(at(0, 0, 1))),
        "booked": appointment("a2", slot("2", 5), 6, ahead=0),
        "stopped": appointment("a3", slot("3", 6), 8, "cancelled", cancelled_by="hospital", reason="医生外出会诊"),
        "missed": appointment("a4", slot("4", -3), 3, "noshow"),
        "seen": appointment("a5", slot("5", -40), 21, "fulfilled"),
    }
    listed(window, list(kinds.values()))
    begin(window)
    window.shot("87-coming-up", ready=".appointment")
    page.locator(".row").first.click()
    window.shot("88-appointments", ready=".appointment-reason")
    for place, (name, each) in enumerate(list(kinds.items())[:4]):
        window.answer(ONE, 200, each)
        page.locator(".appointment").nth(place).click()
        if name == "booked":
            page.locator(".appointment-now").wait_for()
            page.get_by_role("button", name="取消预约").or_(page.get_by_role("button", name="Cancel the")).click()
        window.shot(f"89-{name}", ready=".appointment-now")
        page.go_back()
        page.wait_for_selector(".appointment-reason")


def for_family(window: Window, card: Json) -> None:
    """Whose appointments they are, where there is a choice."""
    page = window.page
    parent = card | {"card_id": "parent", "name": "欧阳**", "relation": "parent"}
    window.answer(CARDS, 200, {"cards": [card, parent]})
    page.reload()
    page.wait_for_selector(LIVE)
    begin(window)
    page.locator(".chip-choice").nth(1).click()
    window.shot("90-for-family", ready=".appointment")
    for pattern in (CARDS, MINE, ONE, WAITINGS, FOUND, PLACES):
        window.through(pattern)
    page.reload()
    page.wait_for_selector(LIVE)


def listed(window: Window, found: list[Json]) -> None:
    """From now on these are the appointments."""
    window.answer(MINE, 200, {"appointments": found, "next_cursor": None})


def begin(window: Window) -> None:
    """To where booking begins."""
    window.page.locator(".tab").nth(3).click()
