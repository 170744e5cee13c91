"""/scanner with records in a browser: reading under one scan, need-not-repeat, break-glass, and nothing left behind."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.pages.fake_desk import appointment, refusal, slot
from tests.pages.fake_desk_records import BLOOD, FakeDeskRecords, marked, observation, record, report
from tests.pages.fake_service import problem
from tests.pages.test_desk_booking_browser import FIELD
from tests.pages.test_scanner_browser import CODE, OTHER, begin_shift, scan

FILES = ".desk-files"
ROWS = f"{FILES} .rec-row"
BODY = f"{FILES} .desk-body"
WHITE = observation("白细胞", "6.30", "10^9/L", "3.50", "9.50")
POTASSIUM = observation("血清钾", "2.90", "mmol/L", "3.50", "5.30", "LL")
STATEMENT = "昏迷送入，怀疑服用抗凝药物，需要既往用药情况"
# How many lines the text of an element takes: the different heights at which its boxes stand, as sizes differ.
LINES = """cell => {
  const words = document.createRange();
  words.selectNodeContents(cell);
  const middles = [...words.getClientRects()].map(({ top, bottom }) => (top + bottom) / 2).sort((one, other) => one - other);
  return middles.filter((each, at) => at === 0 || each - middles[at - 1] > 8).length;
}"""
EVIL = "<div><p>第一行</p><script>window.ran = 1</script><p>第二行<img src=x onerror='window.ran = 2'></p></div>"


@pytest.fixture
def fake() -> FakeDeskRecords:
    return FakeDeskRecords(
        slots=[slot(1)],
        resolution={"granted": ["booking", "records"]},
        records=[record("r1"), record("r2", kind="imaging", title="胸部 CT 平扫")],
        posted={"r1": report(WHITE, POTASSIUM, conclusion="血钾偏低")},
    )


async def opened(page: Page, code: str = CODE) -> None:
    """A shift in which one code was scanned and the person's records were opened."""
    await begin_shift(page)
    await scan(page, code)
    await page.wait_for_selector(".verdict-person")
    await page.keyboard.press("F6")
    await page.wait_for_selector(f"{FILES} .rec")


async def in_front(page: Page, row: int = 0) -> Locator:
    """The record of that row, opened."""
    await page.locator(ROWS).nth(row).click()
    shown = page.locator(f"{FILES} .rec-record")
    await shown.locator("h4").wait_for()
    return shown


async def focused(page: Page) -> str:
    found: str = await page.evaluate("document.activeElement.className")
    return found


async def test_records_are_fetched_only_when_they_are_opened(page: Page, fake: FakeDeskRecords) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    await begin_shift(page)
    await scan(page, CODE)
    await expect(page.locator(".desk-slot")).to_have_count(1)
    assert not fake.asked
    assert not [each for each in loaded if "desk-record" in each]
    await page.get_by_role("tab", name="病历报告 F6").click()
    await expect(page.locator(ROWS)).to_have_count(2)
    assert fake.asked == [{}]
    await expect(page.locator(".desk-slot")).to_be_hidden()
    await expect(page.locator(".verdict")).to_contain_text("张建国")
    assert await focused(page) == FIELD
    await page.keyboard.press("F6")
    await expect(page.locator(".desk-slot")).to_be_visible()
    await page.keyboard.press("F6")
    await expect(page.locator(ROWS)).to_have_count(2)
    assert len(fake.asked) == 1


async def test_without_booking_they_have_a_row_of_their_own(page: Page, fake: FakeDeskRecords) -> None:
    fake.resolution = {"granted": ["records"]}
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(2)
    await page.get_by_role("button", name="收起 F6").click()
    await expect(page.locator(ROWS)).to_have_count(0)
    await expect(page.get_by_role("button", name="病历报告 F6")).to_be_visible()


async def test_where_records_are_not_granted_there_is_no_way_to_them(page: Page, fake: FakeDeskRecords) -> None:
    fake.resolution = {"granted": ["booking"]}
    await begin_shift(page)
    await scan(page, CODE)
    await expect(page.locator(".desk-slot")).to_have_count(1)
    await page.keyboard.press("F6")
    await expect(page.locator(FILES)).to_be_hidden()
    assert not fake.asked


async def test_nothing_to_read_says_no_more_than_that(page: Page, fake: FakeDeskRecords) -> None:
    fake.records = []
    await opened(page)
    await expect(page.locator(BODY)).to_contain_text("没有可查看的记录（患者未授权的记录不会显示）")
    await expect(page.locator(BODY)).to_contain_text("破窗查阅")


async def test_the_list_is_by_kind_and_time_and_more_comes_by_page(page: Page, fake: FakeDeskRecords) -> None:
    fake.page_of_records = 1
    await opened(page)
    await page.get_by_role("button", name="显示更多").click()
    await expect(page.locator(ROWS)).to_have_count(2)
    await page.get_by_role("radio", name="影像").click()
    await expect(page.locator(ROWS)).to_have_text([re.compile("胸部 CT 平扫")])
    await page.get_by_role("button", name="时间：不限").click()
    await page.get_by_role("radio", name="近 30 天").click()
    await expect(page.get_by_role("button", name="时间：近 30 天")).to_be_visible()
    assert fake.asked[1:] == [
        {"cursor": "1"},
        {"kind": "imaging"},
        {"kind": "imaging", "from": "2026-10-24T16:00:00.000Z"},
    ]


async def test_dates_are_typed_and_the_last_day_is_among_them(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    await page.get_by_role("button", name="时间：不限").click()
    await page.locator("[name=from]").click()
    await page.keyboard.type("2026-13-01")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"{FILES} .field-wrong")).to_have_text("请写成 2026-01-31 这样")
    await page.locator("[name=from]").fill("2026-11-01")
    await page.locator("[name=to]").fill("2026-11-20")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="2026-11-01 – 2026-11-20")).to_be_visible()
    assert fake.asked[1:] == [{"from": "2026-10-31T16:00:00.000Z", "to": "2026-11-20T16:00:00.000Z"}]


async def test_a_laboratory_result_keeps_its_digits_and_says_what_is_off(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    shown = await in_front(page)
    rows = shown.locator("tbody tr")
    await expect(rows.nth(0)).to_have_text(re.compile(r"白细胞\s*6\.30 10\^9/L\s*3\.50–9\.50\s*"))
    await expect(rows.nth(1)).to_contain_text("明显偏低")
    await expect(shown).to_contain_text("血钾偏低")
    assert fake.read == ["r1"]


async def test_a_single_result_that_is_wrong_cancelled_or_not_final_is_never_shown_as_good(
    page: Page, fake: FakeDeskRecords
) -> None:
    wrong = WHITE.replace('"final"', '"entered-in-error"')
    cancelled = observation("血清钠", "101", "mmol/L", "137", "147", "LL").replace('"final"', '"cancelled"')
    fake.posted["r1"] = report(wrong, cancelled, POTASSIUM.replace('"final"', '"preliminary"'))
    await opened(page)
    rows = (await in_front(page)).locator("tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_have_text(re.compile(r"^血清钠\s*已取消\s*$"))
    await expect(rows.nth(1)).to_contain_text("2.90")
    await expect(rows.nth(1)).to_contain_text("初步")


async def test_a_value_and_its_range_are_read_in_one_line_and_a_long_one_in_several(
    page: Page, fake: FakeDeskRecords
) -> None:
    wide = observation(
        "人绒毛膜促性腺激素（第五代国际标准品标定，化学发光法）", "123456.78", "mIU/mL", "0.00", "12345.60"
    )
    long = {"valueString": "大肠埃希菌，产超广谱β-内酰胺酶，对头孢他啶、头孢曲松耐药，对美罗培南敏感"}
    words = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "细菌培养"}, **long}
    fake.posted["r1"] = report(wide, WHITE, json.dumps(words))
    await page.set_viewport_size({"width": 940, "height": 800})
    await opened(page)
    shown = await in_front(page)
    for row in (0, 1):
        for cell in (0, 1):
            assert await shown.locator("tbody tr").nth(row).locator("td").nth(cell).evaluate(LINES) == 1
    assert await shown.locator("tbody tr").nth(2).locator("td").first.evaluate(LINES) > 1


async def test_arrows_and_f9_go_through_list_and_record(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("F9")
    await expect(page.locator(f"{FILES} .rec-title")).to_contain_text("血常规")
    await expect(page.locator(f"{FILES} [role=status].visually-hidden")).to_have_text("已打开：血常规")
    await page.keyboard.press("F9")
    await expect(page.locator(ROWS)).to_have_count(2)
    assert await focused(page) == FIELD
    assert fake.read == ["r1"]


async def test_narrative_is_text_and_an_attachment_is_only_saved(page: Page, fake: FakeDeskRecords) -> None:
    form = [
        {"contentType": "text/html", "title": "报告", "data": "PHNjcmlwdD4xPC9zY3JpcHQ+"},
        {"contentType": "application/pdf", "url": "https://his.example/x.pdf"},
    ]
    fake.posted["r1"] = report(text={"status": "generated", "div": EVIL}, presentedForm=form)
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url) if "his.example" in request.url else None)
    await opened(page)
    shown = await in_front(page)
    await expect(shown.locator(".rec-text")).to_have_text("第一行\n第二行")
    assert await page.evaluate("window.ran") is None
    async with page.expect_download() as saving:
        await shown.get_by_role("button", name="保存 报告").click()
    saved = await saving.value
    assert saved.suggested_filename == "报告.html"
    assert (await saved.path()).read_bytes() == b"<script>1</script>"
    await expect(shown).to_contain_text("内容在原医院")
    await expect(shown.locator("iframe, object, embed, a[href^=http]")).to_have_count(0)
    assert not foreign


async def test_a_superseded_report_says_so_first_and_leads_to_the_newer_one(page: Page, fake: FakeDeskRecords) -> None:
    fake.records = [record("r2", status="corrected", replaces="r1"), record("r1", superseded_by="r2")]
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(1)
    await page.get_by_role("button", name="时间：不限").click()
    await page.get_by_role("button", name="含已被取代和作废的").click()
    await expect(page.locator(ROWS)).to_have_count(2)
    shown = await in_front(page, 1)
    await expect(shown.locator(".notice-again")).to_contain_text("已被新报告取代")
    await shown.get_by_role("button", name="看新报告").click()
    await expect(page.locator(f"{FILES} .notice-calm")).to_contain_text("更正了先前的报告")
    assert fake.read == ["r1", "r2"]


async def test_the_way_back_to_an_earlier_report_says_that_it_is_one(page: Page, fake: FakeDeskRecords) -> None:
    fake.records = [record("r2", status="corrected", replaces="r1"), record("r1", superseded_by="r2")]
    await opened(page)
    shown = await in_front(page)
    await shown.get_by_role("button", name="看先前的报告").click()
    await expect(shown.locator(".notice-again")).to_contain_text("已被新报告取代")
    await expect(shown.locator("tbody tr")).to_have_count(2)


async def test_what_cannot_be_read_as_a_record_says_so(page: Page, fake: FakeDeskRecords) -> None:
    fake.posted["r1"] = "<html>"
    await opened(page)
    shown = await in_front(page)
    await expect(shown).to_contain_text("内容无法在此显示")


async def test_images_are_looked_at_one_by_one_and_let_go(page: Page, fake: FakeDeskRecords) -> None:
    fake.images = [{"n": n, "series": f"1.{n // 3}", "instance": f"1.{n}"} for n in (1, 2, 3)]
    await page.add_init_script(
        "window.urls = []; const [make, free] = [URL.createObjectURL, URL.revokeObjectURL];"
        "URL.createObjectURL = (of) => { const url = make(of); urls.push(url); return url; };"
        "URL.revokeObjectURL = (url) => { urls.splice(urls.indexOf(url), 1); free(url); };"
    )
    await opened(page)
    fake.posted["r2"] = '{"resourceType":"ImagingStudy","status":"available"}'
    shown = await in_front(page, 1)
    picture = shown.locator(".rec-frame img")
    await expect(picture).to_have_attribute("alt", "第 1 幅，共 2 幅")
    assert await page.evaluate("urls.length") == 1
    await page.keyboard.press("ArrowRight")
    await expect(picture).to_have_attribute("alt", "第 2 幅，共 2 幅")
    await shown.get_by_role("radio", name="序列 2").click()
    await expect(picture).to_have_attribute("alt", "第 1 幅，共 1 幅")
    assert await page.evaluate("urls.length") == 1
    await scan(page, OTHER)
    await expect(page.locator(f"{FILES} .rec")).to_have_count(0)
    assert await page.evaluate("urls.length") == 0
    assert fake.read == ["r2", "r2/1", "r2/2", "r2/3"]


async def test_a_picture_archive_that_is_away_leaves_the_rest_readable(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    await page.route("**/images", lambda route: route.fulfill(status=504, json={"code": "upstream-timeout"}))
    shown = await in_front(page, 1)
    await expect(shown.locator(".notice-again")).to_contain_text("影像系统现在连不上")
    await expect(shown.locator("h4")).to_contain_text("胸部 CT 平扫")


async def test_need_not_repeat_finds_by_item_and_age_and_takes_the_decision(page: Page, fake: FakeDeskRecords) -> None:
    fake.records[0]["recognition"] = marked(BLOOD, {"code": "250301001", "name": "肝功能"})
    await opened(page)
    await expect(page.locator(ROWS).first).to_contain_text("全国HR")
    await page.get_by_role("tab", name="可互认结果").click()
    await page.locator("[name=item]").click()
    await page.keyboard.type("999")
    await page.keyboard.press("Enter")
    await expect(page.locator(BODY)).to_contain_text("没有可互认的结果")
    await page.get_by_role("button", name="肝功能 250301001").click()
    await page.get_by_role("radio", name="30 天内采样").click()
    await expect(page.locator(BODY)).to_contain_text("不用重复做")
    assert fake.asked[-1] == {"recognised": "true", "item": "250301001", "within": "30"}
    shown = await in_front(page)
    items = shown.locator(".rec-item")
    await expect(items).to_have_text([re.compile("肝功能"), re.compile("血常规")])
    await items.nth(0).get_by_role("button", name="采用此结果").click()
    await expect(items.nth(0)).to_contain_text("已记录：互认")
    assert fake.decisions == [("r1", {"item": "250301001", "decision": "accepted"})]


async def test_repeating_takes_one_of_the_official_reasons(page: Page, fake: FakeDeskRecords) -> None:
    reasons = {
        "病情变化": "condition-changed",
        "结果变化快": "changes-fast",
        "重大诊疗措施前": "major-treatment",
        "急诊抢救": "emergency",
        "司法、伤残鉴定等": "forensic",
        "其他": "other",
    }
    fake.records = [record(reason, recognition=marked()) for reason in reasons.values()]
    await opened(page)
    for row, (words, reason) in enumerate(reasons.items()):
        shown = await in_front(page, row)
        await shown.get_by_role("button", name="仍需重复做").click()
        assert len(fake.decisions) == row
        await shown.get_by_role("button", name=words, exact=True).click()
        await expect(shown).to_contain_text(f"已记录：重复做，{words}")
        assert fake.decisions[row:] == [(reason, {"item": BLOOD["code"], "decision": "repeated", "reason": reason})]
        await page.keyboard.press("F9")
        await expect(page.locator(ROWS)).to_have_count(len(reasons))


async def test_a_decision_without_an_answer_is_sent_again_as_the_same(page: Page, fake: FakeDeskRecords) -> None:
    fake.records[0]["recognition"] = marked()
    await opened(page)
    shown = await in_front(page)
    fake.record_problems = [problem("try-again", 503)]
    accept = shown.get_by_role("button", name="采用此结果")
    await accept.click()
    await expect(shown.locator(".notice-again")).to_be_visible()
    await accept.click()
    await expect(shown).to_contain_text("已记录：互认")
    assert len(fake.decisions) == 2
    assert len(set(fake.attempts)) == 1


async def test_a_record_whose_permission_just_went_is_not_there(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(2)
    fake.records = []
    await page.locator(ROWS).first.click()
    await expect(page.locator(BODY)).to_contain_text("没有找到这份记录")
    await page.keyboard.press("F9")
    await page.get_by_role("button", name="刷新病历").click()
    await expect(page.locator(BODY)).to_contain_text("没有可查看的记录")


async def asking_to_break(page: Page) -> Locator:
    """The question before the glass breaks, with its time of reading over."""
    await page.get_by_role("button", name="破窗查阅").click()
    form = page.locator("form.glass")
    await expect(form).to_be_visible()
    await page.clock.run_for(6_000)
    return form


async def test_breaking_the_glass_is_slow_and_says_before_what_follows(page: Page, fake: FakeDeskRecords) -> None:
    await page.clock.install()
    await opened(page)
    await page.get_by_role("button", name="破窗查阅").click()
    form = page.locator("form.glass")
    for words in ("立即收到消息和短信", "每一次查阅都会标记", "审计员会逐条审核", "王敏（工号 7），终端 W01"):
        await expect(form).to_contain_text(words)
    go = form.locator("[type=submit]")
    await expect(go).to_be_disabled()
    await expect(go).to_contain_text("请先看清")
    await page.clock.run_for(6_000)
    await expect(go).to_have_text("请先勾选“我已看清”")
    await expect(go).to_be_disabled()
    await form.locator("[name=read]").check()
    await expect(go).to_have_text("确认破窗查阅")
    await go.click()
    await expect(form).to_contain_text("请选择理由")
    await expect(form).to_contain_text("现在是 0 个")
    await form.get_by_role("radio", name="危及生命").click()
    await form.locator("textarea").fill("太短")
    await go.click()
    await expect(form).to_contain_text("现在是 2 个")
    await form.locator("textarea").fill("长" * 501)
    await go.click()
    await expect(form).to_contain_text("现在是 501 个")
    assert not fake.attempts
    await form.get_by_role("button", name="不查了").click()
    await expect(page.locator(ROWS)).to_have_count(2)
    assert not fake.broken


async def test_the_way_in_and_out_is_in_sight_on_a_screen_of_1280_by_800(page: Page, fake: FakeDeskRecords) -> None:
    await page.clock.install()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await opened(page)
    form = await asking_to_break(page)
    for name in ("请先勾选“我已看清”", "不查了"):
        await expect(form.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    await form.locator("[name=read]").check()
    await form.locator("[type=submit]").click()
    await expect(form.get_by_role("radiogroup")).to_be_in_viewport(ratio=1)


async def broken(page: Page, fake: FakeDeskRecords) -> None:
    """Records opened with the glass broken."""
    await page.clock.install()
    fake.under_glass = [record("g1", kind="discharge", title="心内科出院小结")]
    await opened(page)
    form = await asking_to_break(page)
    await form.get_by_role("radio", name="危及生命").click()
    await form.locator("textarea").click()
    await page.keyboard.type(STATEMENT)
    assert await page.evaluate("document.activeElement.name") == "statement"
    await form.locator("[name=read]").check()
    await form.locator("[type=submit]").click()
    await expect(page.locator(ROWS)).to_have_count(3)


async def test_a_broken_glass_is_in_sight_with_its_time_and_ends_by_itself(page: Page, fake: FakeDeskRecords) -> None:
    await broken(page, fake)
    operator = {"id": "7", "name": "王敏"}
    assert fake.broken == [{"reason": "life-threatening", "statement": STATEMENT, "operator": operator}]
    banner = page.locator(".glass-banner")
    await expect(banner).to_contain_text("每次查阅都会标记")
    await expect(banner.locator(".glass-left")).to_have_text(re.compile(r"^(60:00|59:5\d)$"))
    await expect(page.get_by_role("button", name="破窗查阅")).to_have_count(0)
    shown = await in_front(page, 2)
    await expect(shown).to_contain_text("心内科出院小结")
    await expect(banner).to_be_visible()
    fake.broken.clear()
    await page.clock.run_for(3_600_000)
    await expect(banner).to_be_hidden()
    await expect(page.locator(f"{FILES} .desk-said")).to_contain_text("已到期")
    await expect(page.locator(ROWS)).to_have_count(2)
    await expect(page.locator("body")).not_to_contain_text("心内科出院小结")


async def test_the_same_scan_again_finds_the_glass_broken_and_another_does_not(
    page: Page, fake: FakeDeskRecords
) -> None:
    await broken(page, fake)
    await scan(page, CODE)
    await expect(page.locator(".verdict-replay")).to_be_attached()
    await page.keyboard.press("F6")
    await expect(page.locator(".glass-banner")).to_be_visible()
    fake.broken.clear()
    await scan(page, OTHER)
    await expect(page.locator(".desk-slot")).to_be_visible()
    await page.keyboard.press("F6")
    await expect(page.locator(ROWS)).to_have_count(2)
    await expect(page.locator(".glass-banner")).to_be_hidden()


@pytest.mark.parametrize(
    ("field", "place"), [("/reason", ".field-hint >> nth=0"), ("/statement", ".field-hint >> nth=1")]
)
async def test_what_is_refused_of_it_is_said_at_its_field(
    page: Page, fake: FakeDeskRecords, field: str, place: str
) -> None:
    await page.clock.install()
    await opened(page)
    form = await asking_to_break(page)
    await form.get_by_role("radio", name="公共卫生需要").click()
    await form.locator("textarea").fill(STATEMENT)
    await form.locator("[name=read]").check()
    wrong = [{"field": field, "message": "这里不行"}]
    fake.record_problems = [refusal("break-glass-reason-required", 422, errors=wrong)]
    await form.locator("[type=submit]").click()
    await expect(form.locator(place)).to_have_text("这里不行")
    await form.locator("[type=submit]").click()
    await expect(page.locator(".glass-banner")).to_be_visible()
    assert len(set(fake.attempts)) == 2


async def test_a_scan_into_a_field_that_is_typed_into_is_still_a_scan(page: Page, fake: FakeDeskRecords) -> None:
    await page.clock.install()
    await opened(page)
    form = await asking_to_break(page)
    await form.locator("textarea").click()
    await page.keyboard.type("患者")
    await page.keyboard.type(OTHER)
    await page.keyboard.press("Enter")
    await expect(page.locator("form.glass")).to_have_count(0)
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    assert [sent["code"] for sent in fake.scans] == [CODE, OTHER]
    assert await focused(page) == FIELD


@asynccontextmanager
async def held(page: Page, pattern: str) -> AsyncIterator[list[Route]]:
    """Calls that fit are held back, until the end lets them through."""
    routes: list[Route] = []
    await page.route(pattern, lambda route: routes.append(route))
    yield routes
    await page.unroute(pattern)


async def test_what_comes_late_for_the_person_before_never_shows(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(2)
    async with held(page, "**/records/r1") as routes:
        await page.locator(ROWS).first.click()
        await expect(page.locator(f"{BODY} .spinner")).to_be_visible()
        fake.records = []
        await scan(page, OTHER)
        await expect(page.locator(".desk-slot")).to_be_visible()
        await page.keyboard.press("F6")
        await expect(page.locator(BODY)).to_contain_text("没有可查看的记录")
        for route in routes:
            await route.fulfill(body=fake.posted["r1"], content_type="application/fhir+json")
    await page.wait_for_timeout(200)
    await expect(page.locator("body")).not_to_contain_text("血钾")
    await expect(page.locator(f"{FILES} .rec-record")).to_have_count(0)


async def test_what_is_fetched_too_late_opens_for_nobody_else(page: Page, fake: FakeDeskRecords) -> None:
    await begin_shift(page)
    async with held(page, "**/static/desk-records.js*") as routes:
        await scan(page, CODE)
        await expect(page.locator(".desk-slot")).to_have_count(1)
        await page.keyboard.press("F6")
        await expect(page.locator(f"{FILES} .spinner")).to_be_visible()
        await scan(page, OTHER)
        await expect(page.locator(".desk-slot")).to_have_count(1)
        for route in routes:
            await route.continue_()
    await page.wait_for_timeout(300)
    await expect(page.locator(FILES)).to_be_hidden()
    assert not fake.asked


async def test_the_part_is_asked_for_again_once_the_network_is_back(page: Page) -> None:
    await begin_shift(page)
    await page.route("**/static/desk-records.js*", lambda route: route.abort("internetdisconnected"))
    await scan(page, CODE)
    await expect(page.locator(".desk-slot")).to_have_count(1)
    await page.keyboard.press("F6")
    await expect(page.locator(f"{FILES} .notice-again")).to_contain_text("网络")
    await page.unroute("**/static/desk-records.js*")
    await page.locator(f"{FILES} .notice-again .button").click()
    await expect(page.locator(ROWS)).to_have_count(2)


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [("resolution-expired", 410, "again", "已到期"), ("card-revoked", 403, "refused", "冻结")],
)
async def test_what_ended_meanwhile_becomes_the_verdict(
    page: Page, fake: FakeDeskRecords, code: str, status: int, kind: str, words: str
) -> None:
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(2)
    fake.record_problems = [problem(code, status)]
    await page.locator(ROWS).first.click()
    verdict = page.locator(f".verdict-{kind}")
    await expect(verdict).to_contain_text(words)
    await expect(verdict).not_to_contain_text("张建国")
    await expect(page.locator(FILES)).to_be_hidden()


async def test_a_resolution_of_records_alone_ends_at_its_time(page: Page, fake: FakeDeskRecords) -> None:
    fake.resolution = {"granted": ["records"], "expires_at": "2026-11-24T08:00:02Z"}  # two seconds after it was made
    await opened(page)
    await expect(page.locator(".verdict-again")).to_contain_text("已到期")
    await expect(page.locator(FILES)).to_be_hidden()


async def test_a_session_that_ended_meanwhile_asks_to_sign_in(page: Page, fake: FakeDeskRecords) -> None:
    await opened(page)
    await expect(page.locator(ROWS)).to_have_count(2)
    fake.record_problems = [problem("unauthenticated", 401)]
    await page.get_by_role("button", name="刷新病历").click()
    await expect(page.locator(".notice-again")).to_contain_text("登录已到期")
    assert "血常规" not in await page.locator("body").inner_text()


async def test_what_cannot_be_looked_up_says_so_and_can_be_tried_again(page: Page, fake: FakeDeskRecords) -> None:
    fake.record_problems = [problem("try-again", 503)]
    await opened(page)
    await expect(page.locator(f"{BODY} .notice-again")).to_be_visible()
    await page.locator(f"{BODY} .notice-again .button").click()
    await expect(page.locator(ROWS)).to_have_count(2)


async def test_nothing_of_a_person_is_kept(page: Page, fake: FakeDeskRecords) -> None:
    fake.appointments = [appointment("a1", slot(1), status="arrived")]
    await opened(page)
    await in_front(page)
    await page.locator(".shift-bar .button").last.click()
    await page.wait_for_selector("[name=client_secret]")
    kept = await page.evaluate("JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
    assert not re.search("建国|白细胞|血常规|r1", kept)
    assert "白细胞" not in await page.locator("body").inner_text()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_whose_records_these_are_stays_in_sight(
    page: Page, fake: FakeDeskRecords, width: int, height: int
) -> None:
    fake.records = [record(f"r{number}", title=f"很长的检查名称{number}" * 4) for number in range(20)]
    await begin_shift(page)
    await page.set_viewport_size({"width": width, "height": height})
    await scan(page, CODE)
    await expect(page.locator(".verdict-accepted")).to_be_visible()
    await page.keyboard.press("F6")
    await expect(page.locator(ROWS)).to_have_count(20)
    await expect(page.locator(".verdict-name")).to_be_in_viewport()
    await expect(page.locator(ROWS).first).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") == width
