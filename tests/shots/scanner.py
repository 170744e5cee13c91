"""Every state of /scanner. Person 2 of the demo is the patient at the window."""

from tests.shots import desk_bills, desk_booking, desk_records
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Demo

PATIENT = 2
SESSION = "**/v1/hospital/session"
RESOLUTIONS = "**/v1/hospital/resolutions"


def take(window: Window, demo: Demo) -> None:
    """A whole shift, from sign-in to sign-out."""
    signing_in(window, demo)
    verdicts(window, demo)
    desk_booking.take(window, demo, PATIENT)
    desk_records.take(window, demo, PATIENT)
    desk_bills.take(window, demo, PATIENT)
    no_answer(window)
    camera(window)
    ending(window)


def signing_in(window: Window, demo: Demo) -> None:
    """The form, empty and refused, and the workplace before the first scan."""
    page = window.page
    page.goto("/scanner")
    window.shot("01-sign-in", ready="form .input")
    page.locator("form .button-primary").click()
    window.shot("02-sign-in-incomplete", ready=".field-wrong")
    client = demo.info["hospital"]
    for name, value in (
        ("client_id", client["client_id"]),
        ("client_secret", "wrong"),
        ("terminal", "W01"),
        ("operator_id", "1024"),
        ("operator_name", "王敏"),
    ):
        page.locator(f"[name={name}]").fill(value)
    page.route(
        SESSION,
        lambda route: route.fulfill(
            status=401, json=problem("unauthenticated", 401), headers={"Content-Type": "application/problem+json"}
        ),
    )
    page.locator("form .button-primary").click()
    window.shot("03-sign-in-refused", ready=".notice-again")
    window.through(SESSION)
    page.locator("[name=client_secret]").fill(client["client_secret"])
    page.locator("form .button-primary").click()
    window.shot("10-ready", ready=".verdict-ready")


def scan(window: Window, text: str) -> None:
    """Types as a keyboard-wedge scanner does: keys, then Enter, without looking where the focus is."""
    window.page.keyboard.type(text)
    window.page.keyboard.press("Enter")


def verdicts(window: Window, demo: Demo) -> None:
    """Accepted, the same scan again, refused and look again, each with its reason."""
    page = window.page
    me = demo.patient(PATIENT)
    card = demo.own_card(PATIENT, me)
    code = demo.code(me, card)
    scan(window, code)
    window.shot("20-accepted", ready=".verdict-accepted")
    scan(window, code)
    window.shot("21-same-scan-again", ready=".verdict-replay")
    used = demo.code(me, card)
    demo.scan(used, terminal="W09")
    scan(window, used)
    window.shot("22-already-used", ready=".verdict-refused")
    page.locator(".pick").nth(4).click()
    scan(window, demo.code(me, card, ["booking"]))
    window.shot("23-service-not-open", ready=".verdict-again .verdict-person")
    scan(window, "ID:0:0011223344")
    window.shot("24-older-code", ready=".verdict-again .verdict-say")
    scan(window, "132456789012345678")
    page.wait_for_timeout(500)
    window.shot("25-malformed", ready=".verdict-again")
    for number, (name, status) in enumerate(
        (
            ("code-expired", 410),
            ("code-not-yet-valid", 422),
            ("code-not-authentic", 422),
            ("card-revoked", 403),
            ("integrity", 503),
        ),
        26,
    ):
        wanted = {"Accept-Language": window.language}
        title = page.request.get(f"/problems/{name}", headers=wanted).text().partition("<title>")[2].partition(" · ")[0]
        window.answer(RESOLUTIONS, status, problem(name, status, title))
        scan(window, "8601" + str(status) * 90)
        page.wait_for_timeout(400)
        window.shot(f"{number}-{name}", ready=".verdict-again, .verdict-refused")
    window.through(RESOLUTIONS)


def no_answer(window: Window) -> None:
    """The network gone, the service down, too slow, too busy: it says so and goes on by itself."""
    page = window.page
    window.cut(RESOLUTIONS)
    scan(window, "8601" + "1" * 285)
    window.shot("40-network-gone", ready=".verdict-waiting .verdict-say")
    for number, (name, code, status) in enumerate(
        (
            ("service-down", "try-again", 503),
            ("service-slow", "upstream-timeout", 504),
            ("too-many-scans", "rate-limited", 429),
        ),
        41,
    ):
        window.answer(RESOLUTIONS, status, problem(code, status), {"Retry-After": "5"})
        scan(window, "8601" + str(number) * 142)
        page.wait_for_timeout(400)
        window.shot(f"{number}-{name}", ready=".verdict-waiting .verdict-say")
    window.hang(RESOLUTIONS)
    scan(window, "8601" + "9" * 285)
    page.wait_for_timeout(300)
    window.shot("44-checking", ready=".verdict-waiting")
    window.through(RESOLUTIONS)


def camera(window: Window) -> None:
    """The camera working, and blocked."""
    page = window.page
    press = page.locator(".scan-box-head .button")
    press.click()
    window.shot("50-camera-blocked", ready=".camera-wrong")
    window.context.grant_permissions(["camera"])
    press.click()
    page.wait_for_selector(".camera-picture")
    page.wait_for_timeout(800)
    window.shot("51-camera-on")
    press.click()
    with window.offline():
        window.shot("52-offline", ready=".link-off")


def ending(window: Window) -> None:
    """A session that ran out, and the end of the shift."""
    page = window.page
    window.answer(RESOLUTIONS, 401, problem("unauthenticated", 401))
    scan(window, "8601" + "2" * 285)
    window.shot("60-session-over", ready=".notice-again")
    window.through(RESOLUTIONS)
    page.reload()
    page.wait_for_selector(".work")
    page.locator(".shift-bar .button").last.click()
    window.shot("61-signed-out", ready="form .input")
