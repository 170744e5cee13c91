"""Every state of booking at the window. What is booked and free is answered here, at 16:00 of one and the same day."""

from typing import Any

from tests.pages.fake_desk import DEPARTMENTS, DOCTOR, HOSPITAL, TODAY, appointment, slot
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Demo, Json

RESOLUTIONS = "**/v1/hospital/resolutions"
MINE = "**/resolutions/*/appointments*"
CANCEL = "**/appointments/*/cancel"
FOUND = "**/v1/slots?*"
PLACES = "**/v1/departments"
OF_THAT_DAY = {"resolved_at": f"{TODAY}T08:00:00Z", "expires_at": f"{TODAY}T20:00:00Z"}
REGISTRATION, RECORDS, TRIAGE = 1, 2, 3  # steps, by their place on the page
TOMORROW, NEXT_WEEK = "2026-11-25", "2026-12-01"
SOON, LATER = slot(1), slot(2, hour=12)


class Visit:
    """The patient at the window, scanned again and again, with other appointments each time."""

    def __init__(self, window: Window, demo: Demo, patient: int) -> None:
        self.window = window
        self._demo = demo
        self._me = demo.patient(patient)
        self._card = demo.own_card(patient, self._me)

    def scan(self, appointments: list[Json] | None, *, services: list[str] | None = None, **resolution: Any) -> None:
        """Scans a new code. `appointments`: None if they cannot be had; `resolution`: members of its answer."""
        answered = OF_THAT_DAY | resolution
        self.window.change(RESOLUTIONS, lambda found: found | answered)
        if appointments is None:
            self.window.cut(MINE)
        else:
            self.window.answer(MINE, 200, {"appointments": appointments, "next_cursor": None})
        self.window.page.keyboard.type(self._demo.code(self._me, self._card, services))
        self.window.page.keyboard.press("Enter")

    def step(self, place: int) -> None:
        """Chooses a step."""
        self.window.page.locator(".pick").nth(place).click()


def take(window: Window, demo: Demo, patient: int) -> None:
    """From the arrival to what may be said against a booking."""
    visit = Visit(window, demo, patient)
    window.answer(FOUND, 200, {"slots": [], "next_cursor": None})
    window.answer(PLACES, 200, {"departments": [{"hospital": HOSPITAL, "doctors": [], **each} for each in DEPARTMENTS]})
    visit.step(REGISTRATION)
    arriving(visit)
    not_arrived(visit)
    finding(visit)
    booking(visit)
    cancelling(visit)
    ended(visit)
    for pattern in (RESOLUTIONS, MINE, CANCEL, FOUND, PLACES):
        window.through(pattern)


def arriving(visit: Visit) -> None:
    """Number, queue and room of who arrives with the scan; in time, and late with more to come today."""
    arrived = appointment("a1", SOON, status="arrived")
    past = appointment("a3", slot(3, date="2026-11-03"), number=5, status="fulfilled")
    visit.scan([arrived, past], arrival=arrived)
    visit.window.shot("70-arrived", ready=".desk-row")
    late = arrived | {"late": True, "ahead": 0}
    general = {"department": DEPARTMENTS[1], "doctor": None}
    visit.scan([late, appointment("a2", LATER | general, number=26), past], arrival=late)
    visit.window.shot("71-arrived-late", ready=".arrival-late")


def not_arrived(visit: Visit) -> None:
    """Booked for today: too early, at another step, and not scanned for it yet."""
    visit.scan([appointment("a1", LATER)])
    visit.window.shot("72-too-early", ready=".arrival")
    visit.step(RECORDS)
    visit.scan([appointment("a1", SOON)])
    visit.window.shot("73-another-step", ready=".arrival")
    visit.step(REGISTRATION)
    visit.scan([appointment("a1", SOON)])
    visit.window.shot("74-not-arrived", ready=".arrival")


def finding(visit: Visit) -> None:
    """What is free: being looked up, nothing, three days of it, by department."""
    window = visit.window
    window.hang(FOUND)
    visit.scan([])
    window.shot("75-looking-up", ready=".desk-slots .spinner")
    window.answer(FOUND, 200, {"slots": [], "next_cursor": None})
    visit.scan([])
    window.shot("76-nothing-free", ready=".desk-slots .desk-empty")
    window.answer(FOUND, 200, {"slots": free(), "next_cursor": "more"})
    visit.scan([])
    window.shot("77-free", ready=".desk-slot")
    window.page.keyboard.press("ArrowDown")
    window.page.locator(".desk-filter .button").first.click()
    window.shot("78-departments", ready=".desk-departments")
    window.page.locator(".desk-filter .button").first.click()


def free() -> list[Json]:
    """Free slots of three days: full sessions, one for children, one that is not open yet."""
    children = {"department": {"code": "07", "name": "儿科"}, "doctor": None, "clinic": "ordinary", "max_age": 14}
    surgeon = {"department": DEPARTMENTS[1], "doctor": DOCTOR | {"name": "贺东来"}, "clinic": "special"}
    today = [
        slot(n, hour=9 + n // 2, start=f"{TODAY}T{9 + n // 2:02}:{n % 2 * 30:02}:00Z", free=1 + n) for n in range(5)
    ]
    child = [slot(10 + n, date=TOMORROW, hour=1 + n, session="s2", **children, fee_fen=1200) for n in range(3)]
    shut = {"opens_at": f"{TOMORROW}T00:00:00Z", "fee_fen": 20_000}
    later = [slot(20 + n, date=NEXT_WEEK, hour=2 + n, session="s3", **surgeon, **shut) for n in range(2)]
    return [*today, *child, *later]


def booking(visit: Visit) -> None:
    """Booked with one click; or why not, as it is said to the patient; or no answer."""
    window, times = visit.window, visit.window.page.locator(".desk-slot")
    window.answer(MINE, 201, appointment("a9", slot(0), number=7, booked_by="hospital"))
    times.first.click()
    window.shot("80-booked", ready=".desk-booked")
    for number, (name, status) in enumerate(
        (("slot-full", 409), ("time-conflict", 409), ("booking-paused", 403), ("slot-not-eligible", 422)), 81
    ):
        window.answer(MINE, status, problem(name, status, until="2027-02-22T00:00:00Z"))
        times.nth(1).click()
        window.page.wait_for_timeout(300)
        window.shot(f"{number}-{name}", ready=".desk-said .notice-again")
    window.cut(MINE)
    times.nth(1).click()
    window.page.wait_for_timeout(300)
    window.shot("85-no-answer", ready=".desk-said .notice-again")


def cancelling(visit: Visit) -> None:
    """The person's appointments: the question before one goes, and afterwards."""
    window, acts = visit.window, visit.window.page.locator(".desk-acts")
    arrived = appointment("a1", SOON, status="arrived", ahead=1)
    booked = appointment("a2", slot(4, date=NEXT_WEEK), number=3, ahead=0)
    over: Json = {"cancelled_by": "hospital", "reason": "医生外出会诊", "ahead": None}
    missed = appointment("a4", slot(6, date="2026-11-02"), number=9, status="noshow", ahead=None)
    visit.scan([arrived, booked, appointment("a3", slot(5, date=TOMORROW), status="cancelled", **over), missed])
    window.page.wait_for_selector(".desk-row")
    acts.nth(1).locator(".button").click()
    window.page.locator(".desk-question .pick").first.click()
    window.shot("86-cancel-question", ready=".desk-question")
    gone = booked | {"status": "cancelled", "ahead": None, "cancelled_by": "hospital", "reason": "患者要求"}
    window.answer(CANCEL, 200, gone)
    window.page.locator(".desk-question .button-primary").click()
    window.shot("87-cancelled", ready=".desk-said .notice-calm")


def ended(visit: Visit) -> None:
    """Booking that cannot be looked up or is not open, and a scan that ran out or whose card was frozen since."""
    window = visit.window
    visit.scan(None)
    window.shot("88-network-gone", ready=".desk-mine .notice-again")
    visit.step(TRIAGE)
    visit.scan([], services=["records"])
    window.shot("89-booking-not-granted", ready=".desk-closed")
    visit.step(REGISTRATION)
    for number, (name, status, ends) in enumerate(
        (("resolution-expired", 410, "again"), ("card-revoked", 403, "refused")), 90
    ):
        visit.scan([])
        window.page.wait_for_selector(".desk-slot:enabled")
        window.answer(MINE, status, problem(name, status))
        window.page.locator(".desk-slot").first.click()
        window.shot(f"{number}-{name}", ready=f".verdict-{ends}")
