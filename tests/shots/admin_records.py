"""Every state of records on /admin: break-glass to review, recognition by item, systems that hospitals connected."""

from tests.shots.camera_window import Window, problem
from tests.shots.demo import Json

WAITING = "**/v1/admin/break-glass?reviewed=false*"
DONE = "**/v1/admin/break-glass?reviewed=true*"
REVIEW = "**/review"
COUNTS = "**/v1/admin/recognitions?*"
MLLP = "**/mllp"
DICOMWEB = "**/dicomweb"
ACT = "dialog .button-primary"


def glass(name: str, day: int, *, overdue: bool = False, review: Json | None = None) -> Json:
    """A breaking of the glass on that day of November."""
    return {
        "break_glass_id": name,
        "at": f"2026-11-{day:02}T08:12:00Z",
        "expires_at": f"2026-11-{day:02}T09:12:00Z",
        "hospital": "长沙市第一演示医院",
        "client_id": "c1",
        "terminal": "ER-02",
        "department": "急诊科",
        "operator": {"id": "1024", "name": "王敏"},
        "reason": "life-threatening" if day % 2 else "cannot-consent",
        "statement": "患者昏迷送入，家属不在场，怀疑服用抗凝药物，手术前必须了解既往用药和凝血情况。",
        "reads": day,
        "due_at": f"2026-12-{day % 9 + 1:02}T08:12:00Z",
        "overdue": overdue,
        "review": review,
    }


def answering(window: Window, waiting: list[Json]) -> None:
    """What waits, and what is done."""
    verdict = {
        "verdict": "unjustified",
        "note": "电话核实：患者清醒，可以当场授权。",
        "by": "auditor",
        "at": "2026-11-21T02:00:00Z",
    }
    done = [
        glass("g8", 12, review=verdict),
        glass("g9", 11, review=verdict | {"verdict": "justified", "note": "与抢救记录相符。"}),
    ]
    window.answer(WAITING, 200, {"break_glasses": waiting, "next_cursor": None})
    window.answer(DONE, 200, {"break_glasses": done, "next_cursor": None})


def as_auditor(window: Window) -> None:
    """The queue with its overdue ones, a verdict, what is done, what was recognised."""
    page = window.page
    answering(window, [glass("g1", 3, overdue=True), glass("g2", 20), glass("g3", 21)])
    reasons = {"condition-changed": 12, "changes-fast": 31, "emergency": 4}
    items = [
        {"item": "250101015", "name": "血常规", "accepted": 412, "repeated": 47, "reasons": reasons},
        {"item": "210300001", "name": "胸部CT平扫", "accepted": 96, "repeated": 2, "reasons": {"major-treatment": 2}},
    ]
    window.answer(COUNTS, 200, {"items": items})
    page.reload()
    window.shot("80-glass-queue", ready=".glass-late")
    page.locator(".glass-row .button-danger").first.click()
    page.locator(ACT).click()
    window.shot("81-glass-verdict", ready="dialog .field-wrong")
    page.locator("[name=note]").fill("电话核实" if window.language == "zh" else "Asked by telephone")
    window.answer(
        REVIEW, 409, problem("conflict", 409, "已复核" if window.language == "zh" else "It has its verdict already")
    )
    page.locator(ACT).click()
    window.shot("82-glass-reviewed-already", ready="dialog .notice-again")
    page.keyboard.press("Escape")
    page.locator("[data-key=glasses-done] summary").click()
    page.locator("[data-key=glasses-done]").scroll_into_view_if_needed()
    window.shot("83-glass-done", ready="[data-key=glasses-done] .glass-row")
    answering(window, [])
    window.answer(COUNTS, 200, {"items": []})
    page.reload()
    window.shot("84-no-glass", ready="#recognised")
    for pattern in (WAITING, DONE, REVIEW, COUNTS):
        window.through(pattern)


def as_registrar(window: Window) -> None:
    """A hospital's systems: none, both, what is wrong with an entry, one disconnected."""
    page = window.page
    for pattern in (MLLP, DICOMWEB):
        window.answer(pattern, 404, problem("not-found", 404))
    summary = page.locator("[data-key^=systems-] summary").first
    summary.click()
    summary.scroll_into_view_if_needed()
    window.shot("85-no-systems", ready=".system")
    page.locator("[data-key^=mllp-]").first.click()
    page.locator("[name=addresses]").fill("10.8.0.0/16\nlaboratory")
    page.locator(ACT).click()
    window.shot("86-mllp-wrong", ready="dialog .field-wrong")
    page.keyboard.press("Escape")
    page.locator("[data-key^=dicomweb-]").first.click()
    page.locator("[name=address]").fill("https://pacs.example/dicom-web")
    page.locator("[name=username]").fill("yima")
    page.locator(ACT).click()
    window.shot("87-dicomweb-wrong", ready="dialog .field-wrong")
    page.keyboard.press("Escape")
    summary.click()
    mllp = {
        "charset": "GB18030",
        "facility": "LIS",
        "addresses": ["10.8.0.0/16", "fd00:8::/64"],
        "certificates": ["ab" * 32],
    }
    window.answer(MLLP, 200, mllp)
    pacs = {"address": "https://pacs.example/dicom-web", "username": "yima", "authentication": "basic", "secret": True}
    window.answer(DICOMWEB, 200, pacs)
    summary.click()
    window.shot("88-systems", ready=".system .facts")
    page.locator(".system .button-danger").first.click()
    window.shot("89-disconnect", ready=ACT)
    page.keyboard.press("Escape")
    summary.click()
    for pattern in (MLLP, DICOMWEB):
        window.through(pattern)
