"""Records on /patient: the list, a report, its pictures, trends, who looked, and the message of an emergency."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.pages.fake_booking import SECOND, at, utc
from tests.pages.fake_records import (
    GLUCOSE,
    FakeRecords,
    discharge,
    laboratory,
    observation,
    point,
    record,
    study,
)
from tests.pages.fake_service import ACCESS, CARD, problem
from tests.pages.records_visit import LIVE, SMALL, WIDER, open_record, open_records

PARENT = CARD | {"card_id": "card-2", "name": "欧阳**", "relation": "parent"}
LINES = [
    f"{when}长沙市第一医院{times}"
    for when, times in (("09:50", "×3"), ("09:39", "×2"), ("09:25", ""), ("09:20", ""), ("09:19", ""))
]
LONG_AGO = -400  # days
MARK = {"level": "province", "area": "430000", "mark": "湘HR", "items": [{"code": "G", "name": "葡萄糖"}]}


@pytest.fixture
def fake() -> FakeRecords:
    return FakeRecords(records=[record("r1")], bodies={"r1": laboratory()})


async def test_the_list_says_what_where_when_and_what_must_not_be_overlooked(page: Page, fake: FakeRecords) -> None:
    fake.records = [
        record("r1", status="preliminary"),
        record("r2", status="corrected", replaces="r0", recognition=MARK),
        record("r3", LONG_AGO, "discharge", title="出院小结", hospital=SECOND),
    ]
    await open_records(page)
    rows = page.locator(".record")
    await expect(rows.nth(0)).to_contain_text("初步")
    for words in ("生化检查", "长沙市第一医院", "昨天 09:30", "检验报告", "已更正", "湘HR"):
        await expect(rows.nth(1)).to_contain_text(words)
    await expect(rows.nth(2)).to_contain_text("长沙市中心医院")
    assert await page.locator(".timeline-day").count() == 2  # by month


async def test_a_kind_is_asked_of_the_service_and_stays_chosen(page: Page, fake: FakeRecords) -> None:
    fake.records.append(record("r2", kind="imaging", title="胸部 CT"))
    fake.bodies["r2"] = study(2)
    await open_records(page)
    await page.get_by_role("radio", name="影像").click()
    await expect(page.locator(".record")).to_have_count(1)
    assert fake.asked[-1]["kind"] == "imaging"
    await page.locator(".record").click()
    await page.go_back()
    await expect(page.get_by_role("radio", name="影像")).to_have_attribute("aria-checked", "true")
    await expect(page.locator(".record")).to_have_count(1)
    await page.get_by_role("radio", name="出院").click()
    await expect(page.locator(".empty")).to_have_text("没有这一类病历。")


async def test_older_records_come_page_by_page(page: Page, fake: FakeRecords) -> None:
    fake.records = [record(f"r{n}", -n) for n in range(1, 6)]
    fake.page = 2
    await open_records(page)
    for count in (2, 4, 5):
        await expect(page.locator(".record")).to_have_count(count)
        if count < 5:
            await page.get_by_role("button", name="更早的").click()
    await expect(page.get_by_role("button", name="更早的")).to_have_count(0)


async def test_without_network_or_service_the_list_says_so_and_comes_by_itself(page: Page, fake: FakeRecords) -> None:
    await page.clock.install()
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.route("**/static/records*", lambda route: route.abort("internetdisconnected"))
    await page.locator(".tab").last.click()
    await page.get_by_role("button", name="病历报告").click()
    await expect(page.locator(".notice-again")).to_contain_text("网络不通")
    await page.unroute("**/static/records*")
    fake.refusals["GET records"] = problem("try-again", 503)
    await page.get_by_role("button", name="重试").click()
    await expect(page.locator("main")).to_contain_text("try-again")
    fake.refusals.clear()
    await page.clock.run_for(5100)
    await expect(page.locator(".record")).to_be_visible()


async def test_nothing_there_is_said(page: Page, fake: FakeRecords) -> None:
    fake.records = []
    await open_records(page)
    await expect(page.locator(".empty")).to_contain_text("还没有病历")


async def test_a_result_is_said_in_words_digit_by_digit(page: Page, fake: FakeRecords) -> None:
    await open_record(page)
    rows = page.locator(".results li")
    for row, words in enumerate(
        (
            ("葡萄糖", "6.30 mmol/L", "偏高", "参考 3.9–6.1"),  # by the hospital's word
            ("钾", "3.20 mmol/L", "偏低", "参考 3.5–5.3"),  # by its own range
            ("肌酐", "72 μmol/L", "参考 57"),
            ("尿沉渣", "未见异常"),
        )
    ):
        for word in words:
            await expect(rows.nth(row)).to_contain_text(word)
    await expect(rows.nth(2).locator(".chip")).to_have_count(0)
    await expect(page.locator(".facts")).to_contain_text("2026年11月20日 07:05")
    await expect(page.locator("main")).to_contain_text("空腹血糖偏高，\n建议复查。", use_inner_text=True)
    assert await rows.nth(3).locator("button").count() == 0  # words have no trend


async def test_every_way_of_writing_a_value_is_read(page: Page, fake: FakeRecords) -> None:
    parts = [
        observation("a", "隐血", "0", "", valueBoolean=True).replace('"valueQuantity": {"value": 0, "unit": ""}, ', ""),
        '{"resourceType": "Observation", "id": "b", "code": {"text": "血压"}, "component": ['
        '{"code": {"text": "收缩压"}, "valueQuantity": {"value": 148, "unit": "mmHg"}},'
        '{"code": {"text": "舒张压"}, "valueQuantity": {"value": 1.0E2, "unit": "mmHg"}}]}',
        '{"resourceType": "Observation", "id": "c", "code": {"coding": [{"code": "X"}]},'
        ' "valueQuantity": {"value": 0.010, "comparator": "<", "code": "ng/mL"}}',
        '{"resourceType": "Observation", "id": "d", "code": {"text": "血型"}, "valueCodeableConcept": {"text": "O"}}',
        '{"resourceType": "Observation", "id": "e", "code": {"text": "铁"}, "dataAbsentReason": {"text": "标本溶血"}}',
        '{"resourceType": "Observation", "id": "f", "code": {"text": "滴度"},'
        ' "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 80}}, "referenceRange": [{"text": "<1:40"}]}',
    ]
    results = ", ".join(f'{{"reference": "#{each}"}}' for each in "abcdef")
    report = f'"resourceType": "DiagnosticReport", "result": [{results}], "contained": [{", ".join(parts)}]'
    fake.bodies["r1"] = f"{{{report}}}"
    await open_record(page)
    said = await page.locator(".results li .row-words").all_inner_texts()
    lines = [" ".join(each.split()) for each in said]
    assert lines == [
        "隐血 是",
        "收缩压 148 mmHg",
        "舒张压 1.0E2 mmHg",
        "X <0.010 ng/mL",
        "血型 O",
        "铁 标本溶血",
        "滴度 1:80 参考 <1:40",
    ]


async def test_what_a_hospital_wrote_never_becomes_markup(page: Page, fake: FakeRecords) -> None:
    fake.records = [record("r1", title="<img src=x onerror='window.pwned=1'>"), record("r2", kind="discharge")]
    fake.bodies["r2"] = discharge()
    await open_record(page)
    await page.locator("summary").click()
    told = await page.locator("details .as-written").inner_text()
    assert told == "葡萄糖\n6.30 mmol/L\n复查"
    await page.go_back()
    await page.locator(".record").nth(1).click()
    await expect(page.locator(".as-written").last).to_have_text("出院诊断\n2 型糖尿病\n按时服药", use_inner_text=True)
    assert await page.locator("main img, main script, main iframe").count() == 0
    assert await page.evaluate("window.pwned") is None


async def test_attachments_are_saved_as_plain_bytes_under_a_harmless_name(page: Page, fake: FakeRecords) -> None:
    await open_record(page)
    await page.evaluate(
        """() => { const made = URL.createObjectURL;
        URL.createObjectURL = (blob) => { (window.types ??= []).push(blob.type); return made.call(URL, blob); }; }"""
    )
    names = []
    for label in ("保存“报告单”", "保存“../网页”"):
        async with page.expect_download() as saving:
            await page.get_by_role("button", name=label).click()
        saved = await saving.value
        names.append(saved.suggested_filename)
    assert names == ["报告单.pdf", "_网页.html"]
    assert await page.evaluate("window.types") == ["application/octet-stream"] * 2
    await expect(page.locator("main")).to_contain_text("“原始图谱”存在医院")
    assert len(page.context.pages) == 1


async def test_an_old_version_says_so_and_leads_to_the_new_one(page: Page, fake: FakeRecords) -> None:
    fake.records = [
        record("r2", status="corrected", replaces="r1"),
        record("r1", superseded_by="r2"),
    ]
    fake.bodies["r2"] = laboratory().replace("6.30", "5.30")
    await open_record(page)
    await expect(page.locator(".notice-calm")).to_contain_text("医院更正过这份病历")
    await page.get_by_role("button", name="看更正前的").click()
    await expect(page.locator(".notice-again")).to_contain_text("请以新版本为准")
    await expect(page.locator(".results")).to_contain_text("6.30")
    await page.get_by_role("button", name="看新版本").click()
    await expect(page.locator(".results")).to_contain_text("5.30")


async def test_preliminary_and_void_ones_are_not_to_be_relied_on(page: Page, fake: FakeRecords) -> None:
    fake.records = [record("r1", status="preliminary"), record("r2", status="entered-in-error")]
    fake.bodies["r2"] = laboratory()
    await open_record(page)
    await expect(page.locator(".notice-again")).to_contain_text("请以正式报告为准")
    await page.go_back()
    await page.locator(".record").nth(1).click()
    await expect(page.locator(".notice-again")).to_contain_text("录入有误")


async def test_doctors_decisions_are_told_with_the_reason(page: Page, fake: FakeRecords) -> None:
    of = {"at": utc(at(-1, 10)), "hospital": "长沙市中心医院", "item": "G", "item_name": "葡萄糖"}
    decided = [
        of | {"decision": "accepted", "reason": None},
        of | {"decision": "repeated", "reason": "condition-changed"},
        of | {"decision": "repeated", "reason": "not-known-yet"},
    ]
    fake.records = [record("r1", recognition=MARK, recognitions=decided)]
    await open_record(page)
    lines = page.locator(".points li")
    await expect(lines.nth(0)).to_contain_text("长沙市中心医院认可了“葡萄糖”，不用重做")
    await expect(lines.nth(1)).to_contain_text("原因：病情有变化")
    await expect(lines.nth(2)).to_contain_text("其他确有需要")
    await expect(page.locator(".facts")).to_contain_text("湘HR：本省可以互认")


async def test_a_record_that_is_not_there_or_cannot_be_had(page: Page, fake: FakeRecords) -> None:
    fake.bodies.clear()
    await open_record(page)
    await expect(page.locator(".notice-again")).to_contain_text("找不到这份病历")
    await page.go_back()
    fake.refusals["GET r1"] = problem("try-again", 503)
    await page.locator(".record").click()
    await expect(page.locator(".notice-again")).to_be_visible()
    fake.refusals.clear()
    fake.bodies["r1"] = laboratory()
    await page.get_by_role("button", name="重试").click()
    await expect(page.locator(".results")).to_be_visible()


async def test_pictures_come_as_one_scrolls_with_the_sign_in_and_go_with_the_screen(
    page: Page, fake: FakeRecords
) -> None:
    fake.records = [record("r1", kind="imaging", title="胸部 CT")]
    fake.bodies["r1"] = study(40)
    fake.pictures = 40
    await page.add_init_script(
        """const gone = URL.revokeObjectURL; window.freed = 0;
        URL.revokeObjectURL = (address) => { window.freed += 1; gone.call(URL, address); };"""
    )
    await open_record(page)
    first = page.locator(".picture img").first
    await expect(first).to_have_attribute("alt", "第 1 张，共 40 张")
    assert (await first.get_attribute("src") or "").startswith("blob:")
    assert await page.locator(".figure").count() == 12
    assert 1 <= len(fake.fetched) < 12
    more = page.get_by_role("button", name="再看 12 张")
    await more.scroll_into_view_if_needed()
    await expect(page.locator(".figure").nth(11).locator("img")).to_be_visible()
    await more.click()
    await expect(page.locator(".figure")).to_have_count(24)
    await expect(page.locator(".figure").nth(12).locator("img")).to_be_visible()
    assert len(fake.fetched) == len(set(fake.fetched))  # none twice
    await page.go_back()
    await expect(page.locator(".record")).to_be_visible()
    assert await page.evaluate("window.freed") == len(fake.fetched)


async def test_a_picture_that_failed_is_fetched_again_by_a_tap(page: Page, fake: FakeRecords) -> None:
    fake.records = [record("r1", kind="imaging")]
    fake.bodies["r1"] = study(2)
    fake.pictures = 1
    fake.refusals["GET 1"] = problem("upstream-failed", 502)
    await open_record(page)
    await expect(page.get_by_role("button", name="再取第 1 张")).to_be_visible()
    fake.refusals.clear()
    await page.get_by_role("button", name="再取第 1 张").click()
    await expect(page.locator(".picture img")).to_be_visible()


async def test_where_the_pictures_are_out_of_reach_the_report_is_still_there(page: Page, fake: FakeRecords) -> None:
    fake.records = [record("r1", kind="imaging", title="胸部 CT")]
    fake.bodies["r1"] = study(3)
    fake.refusals["GET images"] = problem("upstream-timeout", 504)
    await open_record(page)
    await expect(page.locator(".notice-again")).to_contain_text("医院的影像系统没有回应")
    await expect(page.locator("main")).to_contain_text("胸部平扫 · CT 2 张")
    fake.refusals["GET images"] = problem("not-found", 404)
    await page.get_by_role("button", name="重试").click()
    await expect(page.locator("main")).to_contain_text("没有提供可看的影像")


async def test_who_looked_names_the_records_and_leads_to_them(page: Page, fake: FakeRecords) -> None:
    fake.records = [record("r1"), record("r2", title="胸部 CT", hospital=SECOND)]
    seen = {"access_id": "s1", "records": ["r1", "r2", "gone"], "break_glass": True, "at": utc(at(0, 0, 1))}
    fake.accesses = [ACCESS | seen]
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".tab").nth(2).click()
    line = page.locator(".moment")
    for words in (
        "破窗期间的查阅，审计员会复核",
        "查看 3 份病历",
        "生化检查 · 长沙市第一医院",
        "胸部 CT · 长沙市中心医院",
    ):
        await expect(line).to_contain_text(words)
    await line.get_by_role("button", name="生化检查").click()
    await expect(page.locator(".results")).to_contain_text("葡萄糖")


async def test_the_same_look_within_ten_minutes_is_one_line(page: Page, fake: FakeRecords) -> None:
    look = ACCESS | {"records": ["r1"], "act": "read"}
    minutes = (50, 45, 41, 39, 30)  # the last two are more than ten minutes before the first
    same = [look | {"access_id": f"s{minute}", "at": utc(at(-1, 9, minute))} for minute in minutes]
    other = look | {"access_id": "o", "records": ["r2"], "at": utc(at(-1, 9, 25))}
    scans = [ACCESS | {"access_id": f"i{minute}", "at": utc(at(-1, 9, minute))} for minute in (20, 19)]
    fake.accesses = [*same, other, *scans][::-1]  # newest last
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".tab").nth(2).click()
    lines = page.locator(".moment-head")
    await expect(lines).to_have_text([re.compile(rf"^{words}$") for words in LINES])


async def test_without_the_part_who_looked_still_says_how_many(page: Page, fake: FakeRecords) -> None:
    fake.accesses = [ACCESS | {"access_id": "s1", "records": ["r1"], "act": "posted"}]
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.route("**/static/records*", lambda route: route.abort("internetdisconnected"))
    await page.locator(".tab").nth(2).click()
    await expect(page.locator(".moment")).to_contain_text("写入 1 份病历")


async def test_a_broken_glass_is_told_with_what_to_do(page: Page, fake: FakeRecords) -> None:
    fake.cards.append(dict(PARENT))
    text = "长沙市中心医院急诊科王医生因抢救生命，于 11 月 24 日 08:00 查阅了您的病历。"
    told = {"message_id": "m", "at": utc(at(0, 0, 1)), "kind": "break-glass", "card_id": "card-2", "text": text}
    fake.messages = [told | {"ref": "g1"}]
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.wait_for_timeout(300)
    fake.tell("message", fake.messages[0])
    await page.locator(".toast .button-plain").click()
    line = page.locator(".moment")
    for words in ("破窗查阅了您的病历", text, "若您当时没有就医", "冻结此卡"):
        await expect(line).to_contain_text(words)
    await line.get_by_role("button", name="谁看过我的信息").click()
    await expect(page.locator(".lead")).to_contain_text("欧阳**")


async def test_nobodys_record_is_shown_under_another_name(page: Page, fake: FakeRecords) -> None:
    fake.cards.append(dict(PARENT))
    await open_record(page)
    await page.go_back()
    await page.get_by_role("radio", name="欧阳** 父母").click()
    await page.go_forward()
    await expect(page.locator("h1")).to_have_text("病历报告")
    await expect(page.locator(".whose")).to_contain_text("欧阳**")


async def test_a_late_answer_of_one_card_does_not_fill_the_list_of_another(page: Page, fake: FakeRecords) -> None:
    fake.cards.append(dict(PARENT))
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await open_records(page)
    await page.route("**/cards/card-2/records?*", hold)
    await page.get_by_role("radio", name="欧阳** 父母").click()
    await page.get_by_role("radio", name="张* 本人").click()
    await expect(page.locator(".record")).to_have_count(1)
    fake.records = [record("r9", title="别人的")]
    await held[0].continue_()
    await page.wait_for_timeout(200)
    await expect(page.locator(".record")).to_contain_text("生化检查")


async def test_an_ended_sign_in_leads_back_to_it(page: Page, fake: FakeRecords) -> None:
    await open_records(page)
    fake.refusals["GET r1"] = problem("unauthenticated", 401)
    await page.locator(".record").click()
    await expect(page.locator("h1")).to_have_text("欢迎使用一码")


async def test_in_english_and_large_type_nothing_scrolls_sideways(page: Page, fake: FakeRecords) -> None:
    fake.records = [record("r1", status="preliminary", recognition=MARK, title="Comprehensive metabolic panel, serum")]
    fake.codes = [{"code": GLUCOSE, "name": "Glucose", "count": 2, "last_at": utc(at(-1, 7))}]
    fake.points = [point(-300, "5.10"), point(-1, "11.80", flag="HH")]
    await page.goto("/?lang=en")
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator("[data-type-switch]").click()
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("button", name="Health records").click()
    await page.wait_for_selector(".record")
    assert await page.evaluate(WIDER) <= 0
    await page.locator(".record").click()
    await page.wait_for_selector(".results")
    assert await page.evaluate(WIDER) <= 0
    await page.locator("button.result").first.click()
    await page.wait_for_selector(".chart-picture")
    assert await page.evaluate(WIDER) <= 0
    assert await page.evaluate(SMALL) == 0
    targets = """() => [...document.querySelectorAll("main button, main select")]
      .filter((each) => each.checkVisibility()).filter((each) => each.getBoundingClientRect().height < 43.5).length"""
    assert await page.evaluate(targets) == 0
