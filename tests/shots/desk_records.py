"""Every state of records at the window. What may be read is answered here, at 16:00 of one and the same day."""

from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from tests.pages.fake_desk import TODAY
from tests.pages.fake_desk_records import marked, observation, record, report
from tests.shots.camera_window import Window, problem
from tests.shots.demo import Demo, Json
from tests.shots.desk_booking import FOUND, MINE, RESOLUTIONS, Visit

LISTS = "**/records?*"
LIST = "**/records"
ONE = "**/records/r*"
IMAGES = "**/records/*/images"
IMAGE = "**/records/*/images/*"
DECIDE = "**/recognitions"
GLASS = "**/break-glass"
CT = {"code": "210300001", "name": "胸部CT平扫"}
LIVER = {"code": "250305007", "name": "肝功能"}
LONG = {"hospital_id": "h3", "name": "湘西土家族苗族自治州演示人民医院（新院区）"}
STATEMENT = ("昏迷送入，怀疑服用抗凝药物，需要既往用药情况", "Unconscious after a fall; anticoagulants suspected")
NARRATIVE = "<div><p>入院：胸闷三天。</p><p>诊断：冠心病，稳定型心绞痛。</p><ul><li>阿司匹林 100 mg 每日一次</li><li>阿托伐他汀 20 mg 每晚一次</li></ul></div>"


def take(window: Window, demo: Demo, patient: int) -> None:
    """From the list to the hour of a broken glass."""
    visit = Visit(window, demo, patient)
    visit.step(7)
    window.answer(FOUND, 200, {"slots": [], "next_cursor": None})
    answering(window, records())
    lists(visit)
    reading(window)
    recognising(window)
    pictures(window)
    breaking(visit)
    ended(visit)
    for pattern in (RESOLUTIONS, MINE, FOUND, LISTS, LIST, ONE, IMAGES, IMAGE, DECIDE, GLASS):
        window.through(pattern)


def records() -> list[Json]:
    """One of every kind and mark."""
    return [
        record("r1", recognition=marked({"code": "250101015", "name": "血常规"}, LIVER)),
        record("r2", kind="imaging", title="胸部CT平扫", recognition=marked(CT, mark="湘HR", level="province")),
        record("r3", kind="discharge", title="心内科出院小结", hospital=LONG),
        record("r4", title="凝血四项", status="preliminary"),
        record("r5", title="生化全套", status="corrected", replaces="r6"),
        record("r6", title="生化全套", superseded_by="r5"),
        record("r7", kind="examination", title="心电图", status="entered-in-error"),
    ]


def answering(window: Window, found: list[Json], cursor: str | None = None) -> None:
    """Lists are answered so."""
    for pattern in (LIST, LISTS):
        window.answer(pattern, 200, {"records": found, "next_cursor": cursor})


def posted(window: Window, text: str) -> None:
    """The next record that is opened says this."""
    window.page.unroute(ONE)
    window.page.route(ONE, lambda route: route.fulfill(body=text, content_type="application/fhir+json"))


def opened(visit: Visit, **resolution: Any) -> None:
    """The patient scanned, and their records opened."""
    visit.scan([], **resolution)
    visit.window.page.wait_for_selector(".verdict-person")
    visit.window.page.keyboard.press("F6")


def lists(visit: Visit) -> None:
    """Where they are opened; being looked up, nothing, a page, by time; not to be had."""
    window, page = visit.window, visit.window.page
    visit.scan([])
    window.shot("r01-tab", ready=".desk-tab >> nth=2")
    visit.scan([], granted=["records"])
    window.shot("r02-row", ready=".desk-files .button")
    for pattern in (LIST, LISTS):
        window.hang(pattern)
    opened(visit)
    window.shot("r03-looking-up", ready=".rec .spinner")
    answering(window, [])
    opened(visit)
    window.shot("r04-nothing", ready=".rec .desk-empty")
    for pattern in (LIST, LISTS):
        window.cut(pattern)
    opened(visit)
    window.shot("r05-network-gone", ready=".rec .notice-again")
    answering(window, records(), "more")
    opened(visit)
    page.wait_for_selector(".rec-row")
    page.keyboard.press("ArrowDown")
    window.shot("r06-list")
    page.locator(".rec .desk-filter .button").first.click()
    page.locator("[name=from]").fill("20-1")
    page.keyboard.press("Enter")
    window.shot("r07-filter", ready=".rec .field-wrong")


def reading(window: Window) -> None:
    """A laboratory result, a discharge summary, one that was replaced, one that is void, one that is not there."""
    page = window.page
    attached = [
        {"contentType": "application/pdf", "title": "血常规报告单", "data": "JVBERi0xLjQK" * 900},
        {"contentType": "text/html", "url": "https://his.example/report"},
    ]
    rows = [
        observation("白细胞计数", "11.30", "10^9/L", "3.50", "9.50", "H"),
        observation("血红蛋白", "128", "g/L", "115", "150", "N"),
        observation("血清钾（急诊生化法）", "2.90", "mmol/L", "3.50", "5.30", "LL"),
        observation("血小板", "236", "10^9/L", "125", "350"),
    ]
    posted(window, report(*rows, conclusion="白细胞升高，血钾明显偏低，请结合临床并及时复查。", presentedForm=attached))
    page.locator(".rec-row").first.click()
    window.shot("r10-laboratory", ready=".rec-results")
    page.locator(".rec .desk-body").evaluate("body => body.scrollTo(0, body.scrollHeight)")
    window.shot("r11-laboratory-below")
    page.keyboard.press("F9")
    posted(
        window, f'{{"resourceType":"DocumentReference","status":"current","text":{{"div":"{NARRATIVE}"}},"content":[]}}'
    )
    page.locator(".rec-row").nth(2).click()
    window.shot("r12-discharge", ready=".rec-text")
    for number, (row, name) in enumerate(((4, "corrected"), (5, "superseded"), (6, "void")), 13):
        page.keyboard.press("F9")
        posted(window, report(rows[0]))
        page.locator(".rec-row").nth(row).click()
        window.shot(f"r{number}-{name}", ready=".rec-record .notice")
    page.keyboard.press("F9")
    window.answer(ONE, 404, problem("not-found", 404))
    page.locator(".rec-row").nth(3).click()
    window.shot("r16-not-there", ready=".rec-record .notice-again")
    page.keyboard.press("F9")
    posted(window, report(*rows))


def recognising(window: Window) -> None:
    """Is there one I need not repeat? Asked, found, not found; the decision, its reasons, and said to be kept."""
    page = window.page
    page.locator(".rec .desk-tab").nth(1).click()
    window.shot("r20-need-not-repeat", ready=".rec-repeat")
    answering(window, [])
    page.locator("[name=item]").fill("250999999")
    page.keyboard.press("Enter")
    window.shot("r21-none", ready=".rec .desk-empty")
    answering(window, records()[:1])
    page.locator(".rec-repeat .pick").first.click()
    window.shot("r22-found", ready=".rec .rec-row")
    page.locator(".rec-list .rec-row").first.click()
    page.locator(".rec-acts .button").nth(1).click()
    window.shot("r23-reasons", ready=".rec-acts .pick")
    window.answer(
        DECIDE,
        422,
        problem("validation-failed", 422, "互认标识已失效" if window.language == "zh" else "The mark does not hold"),
    )
    page.locator(".rec-acts .pick").first.click()
    window.shot("r24-refused", ready=".rec-item .notice-again")
    window.answer(DECIDE, 201, {})
    page.locator(".rec-acts .pick").first.click()
    window.shot("r25-decided", ready=".rec-item .notice-calm")


def slice_of_a_chest() -> bytes:
    """A picture that looks like one of a study, of nobody."""
    picture = Image.new("L", (512, 512))
    drawn = ImageDraw.Draw(picture)
    for box, shade in (
        ((40, 90, 472, 430), 150),
        ((85, 130, 240, 390), 30),
        ((272, 130, 427, 390), 30),
        ((225, 330, 287, 420), 235),
    ):
        drawn.ellipse(box, fill=shade)
    kept = BytesIO()
    picture.save(kept, "JPEG")
    return kept.getvalue()


def pictures(window: Window) -> None:
    """A study's images: one on the screen, one that does not come, an archive that is away."""
    page = window.page
    posted(window, '{"resourceType":"ImagingStudy","status":"available","description":"胸部CT平扫"}')
    listed = [{"n": n, "series": f"1.2.{n // 4}", "instance": f"1.2.{n}"} for n in range(1, 9)]
    window.answer(IMAGES, 200, {"images": listed})
    drawn = slice_of_a_chest()
    page.route(IMAGE, lambda route: route.fulfill(body=drawn, content_type="image/jpeg"))
    answering(window, records())
    page.locator(".rec .desk-tab").first.click()
    page.locator(".rec-row").nth(1).click()
    page.wait_for_selector(".rec-frame img")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".rec-frame img")
    page.locator(".rec-ways").scroll_into_view_if_needed()
    window.shot("r30-images")
    window.answer(IMAGE, 504, problem("upstream-timeout", 504))
    page.keyboard.press("ArrowRight")
    window.shot("r31-image-does-not-come", ready=".rec-frame .notice-again")
    page.keyboard.press("F9")
    window.answer(IMAGES, 502, problem("upstream-failed", 502))
    page.locator(".rec-row").nth(1).click()
    window.shot("r32-archive-away", ready=".rec-images .notice-again")
    page.keyboard.press("F9")


def breaking(visit: Visit) -> None:
    """What is said before, what is missing, refused; the hour, and its end."""
    window, page = visit.window, visit.window.page
    page.locator(".rec-glass-way .button").click()
    window.shot("r40-glass", ready="form.glass")
    page.locator("[name=read]").check()
    page.wait_for_selector("form.glass [type=submit]:enabled")
    page.locator("form.glass [type=submit]").click()
    window.shot("r41-glass-incomplete", ready="form.glass .field-wrong")
    page.locator("form.glass .pick").first.click()
    page.locator("textarea").fill(STATEMENT[window.language == "en"])
    page.locator("form.glass [type=submit]").scroll_into_view_if_needed()
    window.shot("r42-glass-filled-in")
    window.answer(
        GLASS,
        403,
        problem(
            "not-allowed",
            403,
            "这个接入方不能破窗查阅" if window.language == "zh" else "This client may not break the glass",
        ),
    )
    page.locator("form.glass [type=submit]").click()
    window.shot("r43-glass-refused", ready="form.glass .notice-again")
    window.answer(GLASS, 201, {"break_glass_id": "g1", "expires_at": f"{TODAY}T08:59:30Z"})
    page.locator("form.glass [type=submit]").click()
    window.shot("r44-glass-broken", ready=".glass-banner:not([hidden])")
    posted(window, report(observation("国际标准化比值", "3.8", "", "0.8", "1.2", "HH")))
    page.locator(".rec-row").nth(3).click()
    window.shot("r45-read-under-it", ready=".rec-results")
    opened(visit)
    page.locator(".rec-glass-way .button").click()
    page.locator("[name=read]").check()
    page.locator("form.glass .pick").first.click()
    page.locator("textarea").fill(STATEMENT[window.language == "en"])
    window.answer(GLASS, 201, {"break_glass_id": "g2", "expires_at": f"{TODAY}T08:00:00Z"})
    page.wait_for_selector("form.glass [type=submit]:enabled")
    page.locator("form.glass [type=submit]").click()
    window.shot("r46-glass-over", ready=".desk-said .notice-again")


def ended(visit: Visit) -> None:
    """A scan that ran out while records were read."""
    opened(visit)
    visit.window.page.wait_for_selector(".rec-row")
    visit.window.answer(ONE, 410, problem("resolution-expired", 410))
    visit.window.page.locator(".rec-row").first.click()
    visit.window.shot("r50-expired", ready=".verdict-again")
