"""Every state of /admin. The key of the codes is cut off for good; what a young demo cannot show is answered here."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.shots import admin_money, admin_records
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Demo, Json

PATIENT = 3
KEYS = "**/v1/admin/keys"
APPROVALS = "**/v1/admin/approvals"
ALARMS = "**/v1/admin/alarms"
ACT = "dialog .button-primary"


def take(window: Window, demo: Demo) -> None:
    """A custodian's, a registrar's and an auditor's hour."""
    signing_in(window, demo)
    as_custodian(window, demo)
    rotating(window)
    trouble(window)
    cutting_off(window, demo)
    no_connection(window)
    as_registrar(window, demo)
    as_auditor(window, demo)


def signing_in(window: Window, demo: Demo) -> None:
    """The form, empty and refused."""
    page = window.page
    page.goto("/admin")
    window.shot("01-sign-in", ready="form .input")
    page.locator("form .button-primary").click()
    window.shot("02-sign-in-empty", ready=".field-wrong")
    page.locator("[name=token]").fill("yadm_not-a-token-of-anybody")
    page.keyboard.press("Enter")
    window.shot("03-sign-in-refused", ready=".notice-again")


def sign_in(window: Window, token: str) -> None:
    """From the form to the desk."""
    window.page.locator("[name=token]").fill(token)
    window.page.keyboard.press("Enter")
    window.page.wait_for_selector(".desk")


def again(window: Window) -> None:
    """The desk anew: what is answered from now on is on it."""
    window.page.reload()
    window.page.wait_for_selector(".desk")


def as_custodian(window: Window, demo: Demo) -> None:
    """The desk of a young demo, and of a service that has rotated for a year."""
    page = window.page
    sign_in(window, demo.admin("custodian"))
    window.shot("10-custodian")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("11-custodian-below")
    window.change(KEYS, lambda ring: ring | {"keys": old_keys(ring["keys"])})
    again(window)
    window.shot("12-custodian-after-a-year")
    page.locator("[data-key^=acts-]").nth(1).locator("summary").click()
    page.locator("[data-key=keys], #keys").first.scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#keys').scrollIntoView()")
    window.shot("13-custodian-acts")
    window.through(KEYS)


def old_keys(keys: list[Json]) -> list[Json]:
    """The demo's keys, and a year of code keys before them in every state."""
    ends = [("destroyed", 300), ("compromised", 200), ("destroy-scheduled", 150), ("retired", 90), ("retired", 60)]
    older = [old_key(place, state, days) for place, (state, days) in enumerate([*ends, ("retiring", 30)])]
    young = [dict(key) for key in keys]
    for key in young:
        key["created_at"] = key["activated_at"] = ago(3)
    return [*older, *young, old_key(9, "pending", 0)]


def old_key(place: int, state: str, days: float) -> Json:
    """A code key that began so many days ago and is in this state now."""
    began, ended = ago(days + 30), ago(days)
    at: Json = dict.fromkeys(
        f"{name}_at" for name in ("activated", "retiring", "retired", "destroy", "destroyed", "compromised")
    )
    step: Json | None = None
    match state:
        case "pending":
            step = {"to": "active", "at": ago(-0.006), "waits_for": "published-long-enough"}
            began = ago(0.01)
        case "retiring":
            at |= {"activated_at": began, "retiring_at": ago(3)}
            step = {"to": "retired", "at": ago(-0.2), "waits_for": "still-in-use"}
        case "compromised":
            at |= {"activated_at": began, "compromised_at": ended}
        case _:
            at |= {"activated_at": began, "retiring_at": ended, "retired_at": ended}
    if state == "destroyed":
        at["destroyed_at"] = ago(days - 7)
    if state == "destroy-scheduled":
        at["destroy_at"] = ago(-4)
        step = {"to": "destroyed", "at": ago(-4), "waits_for": "not-due"}
    made = {"kid": f"{place:02d}c0ffee", "purpose": "code", "suite": "ed25519", "state": state, "version": 3}
    return made | at | {"created_at": began, "published_at": began, "retain": False, "next": step}


def ago(days: float) -> str:
    """So many days before now, as the service writes times."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def rotating(window: Window) -> None:
    """Rotation asked for and made, a gate that holds, a page that is stale, approvals of one's own and others'."""
    page = window.page
    again(window)
    page.locator("[data-key=rotate-token]").click()
    window.shot("20-rotate", ready=ACT)
    page.locator("dialog .button-quiet").first.click()
    window.shot("21-rotated", ready="dialog .notice-calm")
    page.keyboard.press("Escape")
    page.locator(".key-pending .key-acts summary").first.click()
    page.locator("[data-key^='act.activate']").first.click()
    page.locator("[name=reason]").fill("计划内轮换" if window.language == "zh" else "A planned rotation")
    page.locator(ACT).click()
    window.shot("22-gate-holds", ready="dialog .notice-again")
    window.answer("**/transitions", 412, problem("version-conflict", 412))
    page.locator(ACT).click()
    page.wait_for_timeout(300)
    window.shot("23-stale", ready="dialog .notice-again")
    window.through("**/transitions")
    page.keyboard.press("Escape")
    window.answer(APPROVALS, 200, {"approvals": approvals(window.language == "en"), "next_cursor": None})
    again(window)
    window.shot("24-approvals", ready=".approval")
    window.through(APPROVALS)


def approvals(english: bool) -> list[Json]:
    """One of one's own, one of another's with a long reason, and a compromise that nobody confirmed in time."""
    long = "供应商通知：备份介质遗失，介质上可能有该密钥的封装副本。" * 4
    if english:
        long = "The supplier says that a backup medium was lost; a wrapped copy of this key may be on it. " * 3
    kinds = (
        ("transition", "retired", "destroy-scheduled", long, False, False),
        ("transition", "retiring", "active", "x" * 120, True, False),
        ("compromise", "active", "compromised", long[:60], False, True),
    )
    return [
        {
            "approval_id": f"{place}",
            "kind": kind,
            "kid": f"{place}3c0ffee",
            "purpose": "code",
            "source": source,
            "to": to,
            "reason": reason,
            "requester": "custodian-one" if mine else "custodian-two",
            "at": ago(0.1),
            "expires_at": ago(0.2 if late else -0.9),
            "mine": mine,
            "late": late,
        }
        for place, (kind, source, to, reason, mine, late) in enumerate(kinds)
    ]


def trouble(window: Window) -> None:
    """A forged signature, a database put back, workers that lag or died, nothing that signs."""
    scan = {"at": ago(0.01), "hospital": "长沙市第一演示医院", "terminal": "W07"}
    window.page.wait_for_selector(".key-active code")
    kid = window.page.locator(".key-active code").first.inner_text()
    forged = [{"kid": kid, **scan}, {"kid": kid, **scan, "terminal": "W08"}, {"kid": "00c0ffee", **scan}]
    window.answer(ALARMS, 200, {"forged_signatures": 3, "alarms": forged})
    again(window)
    window.shot("30-forged-signatures", ready=".now .notice-refused")
    window.through(ALARMS)
    window.change(KEYS, lambda ring: ring | {"rolled_back": True})
    again(window)
    window.shot("31-ring-rolled-back", ready=".now .notice-refused")
    window.page.locator("[data-key=ring]").click()
    window.shot("32-ring-confirm", ready=ACT)
    window.change(KEYS, lambda ring: ring | {"workers": lagging(ring)})
    again(window)
    window.page.locator("#workers").scroll_into_view_if_needed()
    window.shot("33-workers-lag", ready=".worker-dead")
    window.change(KEYS, lambda ring: ring | {"workers": [], "keys": []})
    again(window)
    window.shot("34-nothing-signs", ready=".now .notice-refused")
    window.through(KEYS)


def lagging(ring: Json) -> list[Json]:
    """The workers there are, one that is behind, one that died."""
    base: Any = ring["workers"][0]
    behind = base | {"worker": "b", "slot": "process 4711", "ring_version": ring["ring_version"] - 1}
    dead = base | {"worker": "d", "slot": "process 4712", "live": False, "reported_at": ago(0.02)}
    return [*ring["workers"], behind, dead]


def cutting_off(window: Window, demo: Demo) -> None:
    """A stolen key: what it ends in numbers, the word that must be typed, and its progress."""
    page = window.page
    me = demo.patient(PATIENT)
    card = demo.own_card(PATIENT, me)
    for terminal in ("W01", "W02", "W03"):
        demo.scan(demo.code(me, card), terminal=terminal)
    again(window)
    page.locator(".key-active .key-acts summary").first.click()
    page.locator(".key-active .button-danger").first.click()
    page.wait_for_timeout(500)
    window.shot("40-cut-off", ready="dialog .act-count")
    page.locator("[name=reason]").fill("签名密钥泄露" if window.language == "zh" else "The signing key was stolen")
    page.locator("[name=word]").fill("yes")
    page.locator(ACT).click()
    window.shot("41-cut-off-word-wrong", ready="dialog .field-wrong")
    kid = page.locator(".key-active code").first.inner_text()
    page.locator("[name=word]").fill(kid)
    window.cut("**/compromise")
    page.locator(ACT).click()
    window.shot("42-cut-off-no-answer", ready="dialog .notice-again")
    window.through("**/compromise")
    window.change(KEYS, lambda ring: ring | {"workers": lagging(ring)})
    page.locator(ACT).click()
    window.shot("43-progress", ready=".step-runs")
    window.through(KEYS)
    window.shot("44-progress-done", ready=".step:nth-child(3).step-done")
    page.keyboard.press("Escape")
    again(window)
    window.shot("45-cut-off-waits-for-the-second", ready=".approval")
    page.locator("[data-key^=acts-]").last.scroll_into_view_if_needed()
    page.locator("[data-key=rotate-token]").scroll_into_view_if_needed()
    token = page.locator(".purpose").nth(1).locator(".key-active")
    token.locator("summary").click()
    token.locator(".button-danger").click()
    window.shot("46-cut-off-token", ready="dialog .act-count")
    page.keyboard.press("Escape")


def no_connection(window: Window) -> None:
    """Lost at work, lost at the start, a session that ended."""
    page = window.page
    again(window)
    window.cut(KEYS)
    window.shot("50-connection-lost", ready=".desk-lost span")
    page.reload()
    window.shot("51-no-connection-at-start", ready=".welcome h1")
    window.through(KEYS)
    page.locator(".welcome .button").click()
    page.wait_for_selector(".desk")
    window.answer(APPROVALS, 401, problem("unauthenticated", 401))
    window.shot("52-session-over", ready=".notice-again")
    window.through(APPROVALS)
    page.reload()
    page.wait_for_selector(".desk")
    page.locator(".desk-bar .button").click()
    window.shot("53-signed-out", ready="form .input")


def as_registrar(window: Window, demo: Demo) -> None:
    """Hospitals and clients: seen, added, wrong, the secret shown once, disabled."""
    page = window.page
    sign_in(window, demo.admin("registrar"))
    window.shot("60-registrar", ready=".hospital")
    admin_records.as_registrar(window)
    page.locator("#hospitals + .button").click()
    for name, value in (("name", "株洲市演示医院"), ("code", "H43020000003"), ("area", "43")):
        page.locator(f"dialog [name={name}]").fill(value)
    page.locator(ACT).click()
    window.shot("61-hospital-wrong", ready="dialog .field-wrong")
    page.keyboard.press("Escape")
    page.locator(".hospital summary").first.click()
    window.shot("62-clients", ready=".client")
    page.locator("[data-key^=add-hospital]").first.click()
    page.locator("dialog [name=name]").fill("HIS 2")
    window.shot("63-client", ready=ACT)
    page.locator(ACT).click()
    window.shot("64-client-secret", ready=".secrets")
    page.keyboard.press("Escape")
    page.locator(".client .button-danger").last.click()
    window.shot("65-client-disable", ready=ACT)
    page.locator(ACT).click()
    page.wait_for_selector(".chip-off")
    window.shot("66-client-disabled")
    window.answer("**/v1/admin/hospitals?*", 200, {"hospitals": [], "next_cursor": None})
    again(window)
    window.shot("67-no-hospitals")
    window.through("**/v1/admin/hospitals?*")
    page.locator(".desk-bar .button").click()


def as_auditor(window: Window, demo: Demo) -> None:
    """The audit, full and empty; nothing to press."""
    sign_in(window, demo.admin("auditor"))
    window.shot("70-auditor", ready=".entry")
    admin_records.as_auditor(window)
    admin_money.as_auditor(window)
    window.answer("**/v1/admin/audit?*", 200, {"entries": [], "next_cursor": None})
    again(window)
    window.shot("71-nothing-in-the-audit")
    window.through("**/v1/admin/audit?*")
