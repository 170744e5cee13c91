"""Every state of records on /patient. What hospitals sent, and what a patient decided, is answered here."""

import json

from tests.pages.fake_booking import FIRST, SECOND, at, utc
from tests.pages.fake_records import GLUCOSE, HOSPITALS, JPEG, discharge, laboratory, point, record, rule, study
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Json

LIVE = ".stage[data-kind=live] .qr"
LIST = "**/cards/*/records?*"
BYTES = "**/v1/patient/records/*"
IMAGES = "**/v1/patient/records/*/images"
IMAGE = "**/v1/patient/records/*/images/*"
CODES = "**/cards/*/observation-codes"
POINTS = "**/cards/*/observations?*"
CONSENTS = "**/cards/*/consents"
FOUND = "**/v1/hospitals?*"
ACCESSES = "**/cards/*/accesses?*"
MESSAGES = "**/v1/patient/messages?*"
ACCOUNT = "**/v1/patient/account"
BUNDLE = "**/records/bundle"
PARTS = "**/static/records*"
MARK = {"level": "province", "area": "430000", "mark": "湘HR", "items": [{"code": "G", "name": "葡萄糖"}]}
ME_TAB, ACCESSES_TAB = 4, 2
RECORDS_ROW, CONSENTS_ROW = 2, 3


def take(window: Window, card: Json) -> None:
    """From the list to leaving."""
    listing(window)
    reports(window)
    pictures(window)
    trends(window)
    consents(window)
    seen(window, card)
    leaving(window)
    for pattern in (LIST, BYTES, IMAGES, IMAGE, CODES, POINTS, CONSENTS, FOUND, ACCESSES, MESSAGES, ACCOUNT, BUNDLE):
        window.through(pattern)
    window.page.reload()
    window.page.wait_for_selector(LIVE)


def listing(window: Window) -> None:
    """The list: cut off, loading, down, nothing yet, a page of it."""
    page = window.page
    page.reload()
    page.wait_for_selector(LIVE)
    window.cut(PARTS)
    me_row(window, RECORDS_ROW)
    window.shot("100-records-no-network", ready=".notice-again")
    window.through(PARTS)
    window.hang(LIST)
    page.locator(".notice-again .button").click()
    window.shot("101-records-loading", ready=".chip-choice")
    window.answer(LIST, 503, problem("try-again", 503))
    me_row(window, RECORDS_ROW)
    window.shot("102-records-down", ready=".notice-again")
    listed(window, [])
    me_row(window, RECORDS_ROW)
    window.shot("103-no-records", ready=".empty")
    listed(window, everything(), "more")
    me_row(window, RECORDS_ROW)
    window.shot("104-records", ready=".record")


def reports(window: Window) -> None:
    """A laboratory result, its versions and decisions; a discharge summary; one that is not there."""
    page = window.page
    posted(window, laboratory())
    page.locator(".record").nth(1).click()
    window.shot("105-result", ready=".results")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("106-result-below")
    page.go_back()
    page.wait_for_selector(".record")
    page.locator(".record").first.click()
    window.shot("107-preliminary", ready=".results")
    page.go_back()
    page.wait_for_selector(".record")
    page.locator(".record").nth(4).click()
    window.shot("108-old-version", ready=".results")
    page.go_back()
    posted(window, discharge())
    page.wait_for_selector(".record")
    page.locator(".record").nth(3).click()
    window.shot("109-discharge", ready=".as-written")
    page.go_back()
    window.answer(BYTES, 404, problem("not-found", 404))
    page.wait_for_selector(".record")
    page.locator(".record").first.click()
    window.shot("110-record-absent", ready=".notice-again")
    page.go_back()
    page.wait_for_selector(".record")


def pictures(window: Window) -> None:
    """A study with its pictures, and without."""
    page = window.page
    posted(window, study(3))
    window.answer(IMAGES, 504, problem("upstream-timeout", 504))
    page.locator(".record").nth(2).click()
    window.shot("111-images-down", ready=".notice-again")
    found = [{"n": n, "series": "1", "instance": str(n)} for n in (1, 2, 3)]
    window.answer(IMAGES, 200, {"images": found})
    page.unroute(IMAGE)
    page.route(IMAGE, lambda route: route.fulfill(body=JPEG, headers={"Content-Type": "image/jpeg"}))
    page.locator(".notice-again .button").click()
    page.wait_for_selector(".picture img")
    window.shot("112-images")
    page.go_back()
    page.wait_for_selector(".record")


def trends(window: Window) -> None:
    """Which tests there are, one that rises, one point alone, two units."""
    page = window.page
    codes = [
        {"code": GLUCOSE, "name": "葡萄糖", "count": 7, "last_at": utc(at(-1, 7))},
        {"code": "2823-3", "name": "钾", "count": 1, "last_at": utc(at(-1, 7))},
        {"code": "718-7", "name": "血红蛋白（全血，自动化仪器法）", "count": 4, "last_at": utc(at(-30, 7))},
    ]
    window.answer(CODES, 200, {"codes": []})
    page.locator(".rows .row").first.click()
    window.shot("113-no-trends", ready=".empty")
    page.go_back()
    window.answer(CODES, 200, {"codes": codes})
    page.wait_for_selector(".record")
    page.locator(".rows .row").first.click()
    window.shot("114-trends", ready=".row-name")
    values = [
        (-900, "5.10"),
        (-700, "5.32"),
        (-520, "5.90"),
        (-400, "6.30"),
        (-200, "7.10"),
        (-60, "6.80"),
        (-1, "6.05"),
    ]
    flags = [None, None, None, "H", "HH", "H", None]
    points = [point(days, value, flag=flag) for (days, value), flag in zip(values, flags, strict=True)]
    trend(window, 0, points, "115-trend")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("116-trend-below")
    page.go_back()
    trend(window, 1, [point(-1, "4.20", low="3.5", high="5.3")], "117-trend-one-point")
    page.go_back()
    mixed = [
        point(-90, "132", "g/L", low="115", high="150"),
        point(-60, "13.5", "g/dL", low="11.5", high="15.0"),
        point(-31, "128", "g/L", low="115", high="150"),
        point(-30, "溶血", None, low=None, high=None),
    ]
    trend(window, 2, mixed, "118-trend-units")
    many = [point(-3 * n, f"{5 + (n * 37 % 23) / 10:.1f}") for n in range(200)][::-1]
    page.go_back()
    trend(window, 0, many, "119-trend-many")


def trend(window: Window, row: int, points: list[Json], name: str) -> None:
    """Opens one test's chart."""
    window.answer(POINTS, 200, {"points": points})
    window.page.wait_for_selector(".row-name")
    window.page.locator(".row-name").nth(row).click()
    window.shot(name, ready=".chart-picture")


def consents(window: Window) -> None:
    """Nobody yet, a form, what stands, withdrawing, changed elsewhere, not allowed."""
    page = window.page
    stands(window, [])
    window.answer(FOUND, 200, {"hospitals": HOSPITALS, "next_cursor": None})
    me_row(window, CONSENTS_ROW)
    window.shot("120-consents-none", ready=".group")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("121-consents-below")
    page.locator(".group .row").first.click()
    window.shot("122-consent-form", ready=".row-pick")
    page.locator(".row-pick").nth(1).click()
    page.locator(".part").last.scroll_into_view_if_needed()
    page.locator(".part").evaluate_all("all => all.forEach((each, at) => each.classList.toggle('part-now', at === 2))")
    page.locator(".consent-full").scroll_into_view_if_needed()
    window.shot("123-consent-full", ready=".consent-full")
    window.answer(CONSENTS, 412, problem("version-conflict", 412))
    page.locator(".part .button-primary").click()
    window.shot("124-consent-changed-elsewhere", ready=".notice-again")
    stands(
        window,
        [
            rule("hospital-1"),
            rule("*", "laboratory", valid_until=utc(at(31, 0))),
            rule("hospital-2", "imaging", "deny"),
        ],
    )
    page.locator(".part .button-primary").click()
    window.shot("125-consents", ready=".row-open")
    page.locator(".row-open .button").first.click()
    window.shot("126-withdraw", ready=".row-acts .button-primary")
    window.answer(CONSENTS, 403, problem("not-allowed", 403, not_yours(window), detail=""))
    me_row(window, CONSENTS_ROW)
    window.shot("127-not-allowed", ready=".notice-again")


def not_yours(window: Window) -> str:
    """As the service says it."""
    own = "This person has a card of their own and decides alone who may read their records."
    return "本人已有自己的一码，由本人决定谁可以看病历。" if window.language == "zh" else own


def seen(window: Window, card: Json) -> None:
    """Who looked, records by name, in an emergency; and the message about it."""
    access = {
        "access_id": "s1",
        "at": utc(at(0, 0, 5)),
        "hospital": "长沙市中心医院",
        "department": "急诊科",
        "terminal": "E01",
        "operator": "周医生",
        "step": "0101082",
        "what": ["identity", "records"],
        "records": ["r1", "r2", "r3"],
        "break_glass": True,
        "outcome": "allowed",
        "reason": None,
    }
    usual = access | {"access_id": "s2", "break_glass": False, "records": ["r2"], "at": utc(at(-1, 15))}
    window.answer(ACCESSES, 200, {"accesses": [access, usual], "next_cursor": None})
    window.page.locator(".tab").nth(ACCESSES_TAB).click()
    window.shot("128-who-read", ready=".moment .button")
    zh = "长沙市中心医院急诊科周医生为抢救生命，于 00:05 破窗查阅了您的病历，60 分钟内有效。"
    en = "At 00:05 a doctor of the emergency department of 长沙市中心医院 opened your records to save a life, for 60 minutes."
    told = {"message_id": "m", "at": utc(at(0, 0, 5)), "kind": "break-glass", "card_id": card["card_id"], "ref": "g"}
    text = zh if window.language == "zh" else en
    window.answer(MESSAGES, 200, {"messages": [told | {"text": text}], "next_cursor": None})
    account_row(window, 1)
    window.shot("129-break-glass-message", ready=".moment .button")


def leaving(window: Window) -> None:
    """Taking everything along, and the way out."""
    page = window.page
    window.answer(BUNDLE, 503, problem("try-again", 503))
    account_row(window, 2)
    window.shot("130-my-data", ready=".panel .button")
    page.locator(".button-primary").first.click()
    window.shot("131-download-failed", ready=".notice-again")
    window.answer(ACCOUNT, 200, account(window))
    page.locator(".panel .button-quiet").last.click()
    window.shot("132-leaving", ready=".points")
    page.locator(".button-primary").last.click()
    window.shot("133-leaving-word-missing", ready=".field-wrong")


def account(window: Window) -> Json:
    """What leaving removes and keeps, as the service says it."""
    zh = (
        "2张卡：停用，出示过的码不再有效。",
        "病历授权：全部撤回。",
        "谁看过、用过您的数据的记录。",
        "停用的卡的编号，长期保存。",
    )
    en = (
        "Cards: 2. They are closed.",
        "All choices are withdrawn.",
        "Who looked at or used your data.",
        "Numbers of closed cards.",
    )
    cards, consents, accesses, closed = zh if window.language == "zh" else en
    until = at(1095, 0).date().isoformat()
    removed = [{"what": "cards", "text": cards}, {"what": "consents", "text": consents}]
    kept = [
        {"what": "accesses", "text": accesses, "until": until},
        {"what": "closed-cards", "text": closed, "until": None},
    ]
    return {"account_id": "a", "created_at": utc(at(-90, 9)), "cards": 2, "removed": removed, "kept": kept}


def everything() -> list[Json]:
    """A few records of every kind and state."""
    decision = {"at": utc(at(-1, 10)), "hospital": "长沙市中心医院", "item": "G", "item_name": "葡萄糖"}
    decided = [
        decision | {"decision": "accepted", "reason": None},
        decision | {"decision": "repeated", "reason": "condition-changed", "item_name": "钾"},
    ]
    return [
        record("r1", 0, status="preliminary", title="血常规"),
        record("r2", -1, status="corrected", replaces="r5", recognition=MARK, recognitions=decided),
        record("r3", -2, "imaging", title="胸部 CT 平扫", hospital=SECOND, status="available"),
        record("r4", -40, "discharge", title="出院小结", hospital=FIRST, status="current"),
        record("r5", -41, superseded_by="r2"),
    ]


def listed(window: Window, found: list[Json], cursor: str | None = None) -> None:
    """From now on these are the records."""
    window.answer(LIST, 200, {"records": found, "next_cursor": cursor})


def posted(window: Window, text: str) -> None:
    """From now on every record has these bytes."""
    window.page.unroute(BYTES)
    headers = {"Content-Type": "application/fhir+json"}
    window.page.route(BYTES, lambda route: route.fulfill(body=text, headers=headers))


def stands(window: Window, rules: list[Json]) -> None:
    """From now on these are the patient's rules."""
    hospitals = [{"hospital_id": each["hospital_id"], "name": each["name"]} for each in HOSPITALS]
    body = json.loads(json.dumps({"version": 1, "rules": rules, "hospitals": hospitals}))
    window.answer(CONSENTS, 200, body, {"ETag": '"1"'})


def me_row(window: Window, n: int) -> None:
    """Opens one of the entries about the card."""
    window.page.locator(".tab").nth(ME_TAB).click()
    window.page.locator(".group").first.locator(".row").nth(n).click()


def account_row(window: Window, n: int) -> None:
    """Opens one of the entries about the account."""
    window.page.locator(".tab").nth(ME_TAB).click()
    window.page.locator(".group").nth(1).locator(".row").nth(n).click()
