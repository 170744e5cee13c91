"""Every state of /patient. Person 1 of the demo is the visitor; what a demo cannot be made to do is answered here."""

import time

from tests.shots import bills, booking, records
from tests.shots.camera_window import Findings, Window, problem
from tests.shots.demo import Demo, Json

ME = 1
ME_TAB = 4
CARDS = "**/v1/patient/cards"
CODES = "**/codes?*"
EVENTS = "**/v1/patient/events"
LIVE = ".stage[data-kind=live] .qr"
MOST_SECONDS = 2.0  # from a scan to the patient's screen


def take(window: Window, demo: Demo, findings: Findings) -> None:
    """The whole visit, from sign-in to sign-out."""
    me = demo.patient(ME)
    demo.without_cards(me)
    coming_in(window, demo)
    adding(window)
    card = demo.own_card(ME, me)
    the_code(window)
    scans(window, demo, me, card, findings)
    trouble(window)
    lists(window, card)
    booking.take(window, card)
    records.take(window, card)
    bills.take(window, demo, me, card)
    acts(window)


def coming_in(window: Window, demo: Demo) -> None:
    """Loading, sign-in, a service that cannot be reached, no card yet."""
    page = window.page
    window.hang("**/demo/people.json")
    page.goto("/patient")
    window.shot("01-loading")
    window.through("**/demo/people.json")
    page.goto("/patient")
    window.shot("02-sign-in", ready=".people .row")
    window.answer(CARDS, 503, problem("try-again", 503))
    page.locator(".people .row").nth(ME).click()
    window.shot("03-service-down-at-start", ready=".welcome .button-primary")
    window.cut(CARDS)
    page.locator(".welcome .button-primary").click()
    page.wait_for_timeout(300)
    window.shot("04-network-gone-at-start", ready=".welcome .button-primary")
    window.through(CARDS)
    page.locator(".welcome .button-primary").click()
    window.shot("05-no-card", ready="h1")


def adding(window: Window) -> None:
    """The form: filled by the demo, refused in every way, each proof, and done."""
    page = window.page
    page.locator(".welcome .button-primary").click()
    page.wait_for_selector(".consent input:enabled")
    window.shot("06-add")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    prove = page.locator(".part .button-primary").last
    prove.click()
    window.shot("07-add-consent-missing", ready=".notice-again")
    page.locator(".consent input").check()
    message = "证件号码的校验位不对" if window.language == "zh" else "The number's check digit is wrong"
    window.answer(CARDS, 422, problem("validation-failed", 422, errors=[{"field": "/id_number", "message": message}]))
    prove.click()
    window.shot("08-add-number-wrong", ready=".field-wrong")
    window.answer(CARDS, 403, problem("proof-failed", 403))
    prove.click()
    window.shot("09-add-proof-failed", ready=".notice-again")
    window.answer(CARDS, 429, problem("too-many-tries", 429))
    prove.click()
    page.wait_for_timeout(300)
    window.shot("10-add-too-many-tries", ready=".notice-again")
    window.through(CARDS)
    started = {"verification_id": "v", "expires_at": "2030-01-01T00:00:00Z", "expires_in": 300}
    window.answer("**/v1/patient/verifications", 201, started)
    page.locator(".part .button-quiet").last.click()
    window.shot("11-add-face", ready=".notice-calm")
    chip = page.locator(".chip-choice")
    chip.nth(2).click()
    page.locator(".part .button-primary").last.click()
    page.locator(".digits").fill("12345")
    window.shot("12-add-text-message", ready=".digits")
    chip.nth(1).click()
    page.locator("select[name=demo]").select_option(index=len(page.locator("select[name=demo] option").all()) - 1)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("13-add-guardian-first")
    window.through("**/v1/patient/verifications")
    chip.nth(0).click()
    page.locator("select[name=demo]").select_option(index=ME + 1)
    page.locator(".part .button-primary").last.click()
    page.wait_for_selector(LIVE)


def the_code(window: Window) -> None:
    """The card with its code, and with a service switched off."""
    page = window.page
    window.shot("20-code-just-added", ready=LIVE)
    page.reload()
    window.shot("21-code", ready=LIVE)
    page.locator(".face .switch").nth(2).click()
    page.wait_for_selector(LIVE)
    window.shot("22-code-service-off")
    page.locator(".face .switch").nth(2).click()
    window.hang(CODES)
    page.reload()
    window.shot("23-code-loading", ready=".stage[data-kind=loading]")
    window.through(CODES)


def scans(window: Window, demo: Demo, me: dict[str, str], card: Json, findings: Findings) -> None:
    """Scanned, refused, scanned without the service it needed, a replaced key."""
    page = window.page
    page.reload()
    page.wait_for_selector(LIVE)
    page.wait_for_timeout(1200)
    code = demo.code(me, card)
    demo.scan(code)
    began = time.monotonic()
    page.wait_for_selector(".scanned.verdict-accepted")
    if (took := time.monotonic() - began) > MOST_SECONDS:
        findings.add("patient scanned", f"the phone heard after {took:.1f} s")
    window.shot("30-scanned")
    demo.scan(code, terminal="W09", department="药房")
    window.shot("31-refused", ready=".scanned.verdict-refused")
    page.locator(".scanned .button-primary").click()
    page.wait_for_selector(LIVE)
    page.locator(".face .switch").nth(2).click()
    page.wait_for_selector(LIVE)
    demo.scan(demo.code(me, card, ["booking", "records"]), step="0101051", department="收费处")
    window.shot("32-service-refused-by-choice", ready=".scanned.verdict-again")
    page.locator(".scanned .button-primary").click()
    page.wait_for_selector(LIVE)
    stream = "event: key-replaced\ndata: {}\n\n"
    page.route(EVENTS, lambda route: route.fulfill(body=stream, headers={"Content-Type": "text/event-stream"}))
    page.reload()
    window.shot("33-key-replaced", ready=".toast")
    window.through(EVENTS)


def trouble(window: Window) -> None:
    """What stands on the screen while no new code can be had."""
    page = window.page

    def short_code(life: int = 14) -> None:
        window.change(CODES, lambda answer: answer | {"refresh_after": 2, "expires_in": life})
        page.reload()
        page.wait_for_selector(LIVE)

    short_code()
    window.cut(CODES)
    window.shot("40-network-gone-code-kept", ready=".line-trouble")
    window.shot("41-network-gone-expired", ready=".stage[data-kind=expired]")
    short_code(life=6)
    window.hang(CODES)
    window.shot("42-expired", ready=".stage[data-kind=expired]")
    short_code()
    window.answer(CODES, 503, problem("try-again", 503), {"Retry-After": "4"})
    window.shot("43-down-code-kept", ready=".line-trouble")
    page.reload()
    window.shot("44-down-no-code", ready=".stage[data-kind=down]")
    window.answer(CODES, 429, problem("rate-limited", 429), {"Retry-After": "95"})
    page.reload()
    window.shot("45-too-many-tries", ready=".stage[data-kind=busy]")
    window.through(CODES)


def lists(window: Window, card: Json) -> None:
    """Family cards, the time line, holders, messages."""
    page = window.page
    family = [
        card,
        card
        | {
            "card_id": "child",
            "name": "张*",
            "relation": "child",
            "id_number": "430102********1235",
            "insurance": None,
        },
        card | {"card_id": "parent", "name": "欧阳**", "relation": "parent", "status": "frozen"},
    ]
    window.answer(CARDS, 200, {"cards": family})
    page.reload()
    window.shot("50-family-code", ready=".pager")
    tab(window, 1)
    window.shot("51-family-list", ready=".rows .row")
    tab(window, 0)
    window.through(CARDS)
    page.reload()
    page.wait_for_selector(LIVE)
    tab(window, 2)
    window.shot("52-who-looked", ready=".moment")
    window.answer("**/accesses?*", 200, {"accesses": [], "next_cursor": None})
    tab(window, 2)
    window.shot("53-nobody-looked", ready=".empty")
    window.through("**/accesses?*")
    holder = {"holder_id": "h", "name": "李*", "relation": "parent", "since": "2026-03-04T02:00:00Z"}
    window.answer("**/holders", 200, {"holders": [holder]})
    me_row(window, 6)
    page.locator(".row-acts .button").click()
    window.shot("54-holders", ready=".row-acts .button-primary")
    window.answer("**/holders", 200, {"holders": []})
    me_row(window, 6)
    window.shot("55-no-holders", ready=".empty")
    text = "李* 的账户添加了您的卡。" if window.language == "zh" else "The account of 李* added your card."
    told = {
        "message_id": "m",
        "at": "2026-03-04T02:00:00Z",
        "kind": "bound",
        "card_id": card["card_id"],
        "text": text,
        "ref": None,
    }
    window.answer("**/messages?*", 200, {"messages": [told], "next_cursor": None})
    tab(window, ME_TAB)
    page.locator(".group").nth(1).locator(".row").nth(1).click()
    window.shot("56-messages", ready=".moment")


def acts(window: Window) -> None:
    """What needs a second tap: freezing, closing, signing out; and the session that ended elsewhere."""
    page = window.page
    tab(window, ME_TAB)
    window.shot("60-me", ready=".group")
    tab(window, 0)
    page.wait_for_selector(LIVE)
    page.locator(".card-freeze").click()
    window.shot("61-freeze", ready=".points")
    page.locator(".screen > .button-primary").click()
    window.shot("62-frozen", ready=".stage[data-kind=frozen]")
    page.locator(".stage .button-primary").click()
    page.wait_for_selector(LIVE)
    me_row(window, 8)
    window.shot("63-close", ready=".points")
    tab(window, ME_TAB)
    page.locator(".group").nth(1).locator(".row").nth(3).click()
    window.shot("64-sign-out", ready=".panel")
    window.answer(CODES, 401, problem("unauthenticated", 401))
    tab(window, 0)
    window.shot("65-session-ended", ready=".people .row")


def tab(window: Window, n: int) -> None:
    """Goes to one of the tabs."""
    window.page.locator(".tab").nth(n).click()


def me_row(window: Window, n: int) -> None:
    """Opens one of the entries about the card."""
    tab(window, ME_TAB)
    window.page.locator(".group").first.locator(".row").nth(n).click()
