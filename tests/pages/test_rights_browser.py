"""What patients decide on /patient: who may read their records, taking everything along, leaving."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Download, Page, Route, expect

from tests.pages.fake_booking import at, today, utc
from tests.pages.fake_records import FakeRecords, rule
from tests.pages.fake_service import problem
from tests.pages.records_visit import LIVE, SMALL, WIDER

FIRST, SECOND = "hospital-1", "hospital-2"


@pytest.fixture
def fake() -> FakeRecords:
    return FakeRecords()


async def open_consents(page: Page) -> None:
    """From WeChat to who may read."""
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".tab").last.click()
    await page.get_by_role("button", name="谁可以看我的病历").click()
    await page.wait_for_selector(".group, .notice-again")


async def open_data(page: Page) -> None:
    """From WeChat to taking along and leaving."""
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".tab").last.click()
    await page.get_by_role("button", name="我的数据与注销").click()
    await page.get_by_role("button", name="下载全部病历").wait_for()


def end_of(days: int) -> str:
    """Midnight after that day, at the hospitals."""
    return utc(at(days + 1, 0))


async def test_the_rule_is_said_first_and_what_the_law_wants_said_after(page: Page, fake: FakeRecords) -> None:
    await open_consents(page)
    for words in (
        "没有您的同意，别的医院看不到。",
        "开具病历的医院总能看它自己开的。",
        "现在没有别的医院能看。",
        "不同意照样能看病",
        "撤回和同意一样方便",
        "医生才能破窗查阅",
        "敏感个人信息",
    ):
        await expect(page.locator("main")).to_contain_text(words)


async def test_rules_are_sentences_with_their_end(page: Page, fake: FakeRecords) -> None:
    fake.rules = [
        rule(FIRST),
        rule("*", "laboratory", valid_until=end_of(30)),
        rule(SECOND, "imaging", "deny"),
        rule(SECOND, valid_until=end_of(-2)),
    ]
    await open_consents(page)
    rows = page.locator(".row-open")
    end = (today() + timedelta(days=30)).strftime("%Y年%-m月%-d日")
    for row, words in enumerate(
        (
            ("长沙市第一医院可以看全部病历", "一直有效，直到您撤回", "同意"),
            ("所有医院可以看检验报告", f"到{end}为止"),
            ("长沙市中心医院不能看影像", "不同意"),
            ("长沙市中心医院可以看全部病历", "已到期"),
        )
    ):
        for word in words:
            await expect(rows.nth(row)).to_contain_text(word)


async def test_a_consent_names_everything_before_the_one_tap_that_gives_it(page: Page, fake: FakeRecords) -> None:
    await open_consents(page)
    await page.get_by_role("button", name="让一家医院看").click()
    await expect(page.locator("main")).to_contain_text("请先选好医院和有效期。")
    await page.get_by_role("button", name="我同意").click()
    assert fake.put == []
    await page.locator("[name=hospital]").fill("中心")
    await expect(page.locator(".row-pick")).to_have_count(1)
    await page.get_by_role("radio", name="长沙市中心医院").click()
    await page.locator("[name=kind]").select_option("imaging")
    full = page.locator(".consent-full")
    end = (today() + timedelta(days=30)).strftime("%Y年%-m月%-d日")
    for words in ("长沙市中心医院", "给您看病", "影像", "出示一码", f"到{end}为止", "联系方式", "不影响看病"):
        await expect(full).to_contain_text(words)
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".notice-calm").first).to_contain_text("长沙市中心医院可以看影像")
    [(body, tag)] = fake.put
    assert body == {"rules": [rule(SECOND, "imaging", valid_until=end_of(30))]}
    assert tag == '"1"'
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("谁可以看我的病历")  # the form is over


async def test_how_long_is_counted_in_days_of_the_hospitals(page: Page, fake: FakeRecords) -> None:
    far = await page.context.new_cdp_session(page)
    await far.send("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Honolulu"})
    await open_consents(page)
    for term, until in (("今天这次", end_of(0)), ("30 天", end_of(30)), ("一直", None)):
        await page.get_by_role("button", name="让所有医院看一类").click()
        await page.get_by_role("radio", name=term).click()
        await page.get_by_role("button", name="我同意").click()
        await expect(page.locator(".notice-calm").first).to_contain_text("已同意")
        assert fake.rules == [rule("*", "laboratory", **({"valid_until": until} if until else {}))]


async def test_an_end_is_a_date_that_is_not_over(page: Page, fake: FakeRecords) -> None:
    await open_consents(page)
    await page.get_by_role("button", name="让所有医院看全部").click()
    await page.get_by_role("radio", name="到某一天").click()
    await page.get_by_role("button", name="我同意").click()
    await page.locator("[name=until]").fill((today() - timedelta(days=1)).isoformat())
    await page.get_by_role("button", name="我同意").click()
    assert fake.put == []
    await page.locator("[name=until]").fill((today() + timedelta(days=7)).isoformat())
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".row-open")).to_be_visible()
    assert fake.put[0][0]["rules"][0]["valid_until"] == end_of(7)


async def test_a_new_decision_takes_the_place_of_the_one_for_the_same(page: Page, fake: FakeRecords) -> None:
    fake.rules = [rule(FIRST, effect="deny"), rule(SECOND)]
    await open_consents(page)
    await page.get_by_role("button", name="让一家医院看").click()
    await page.get_by_role("radio", name="长沙市第一医院").click()
    await page.get_by_role("radio", name="一直").click()
    await expect(page.locator(".notice-calm")).to_contain_text("长沙市第一医院不能看任何病历")
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".row-open")).to_have_count(2)
    assert fake.put[0][0]["rules"] == [rule(SECOND), rule(FIRST)]


async def to_deny(page: Page) -> None:
    """The form that keeps somebody out."""
    await open_consents(page)
    await page.get_by_role("button", name="不让某家医院看").click()


async def test_keeping_a_hospital_out_ends_what_lets_it_in(page: Page, fake: FakeRecords) -> None:
    """The more specific rule decides: a permit for one kind would win over the denial of all."""
    stays = [
        rule(SECOND, "imaging"),
        rule("*", "laboratory"),
        rule(FIRST, "note", "deny"),
        rule(FIRST, valid_until=end_of(-2)),
    ]
    fake.rules = [rule(FIRST, "laboratory"), *stays, rule(FIRST, "imaging", valid_until=end_of(7))]
    await to_deny(page)
    await page.get_by_role("radio", name="长沙市第一医院").click()
    said = page.locator(".notice-calm")
    for words in ("会代替原来的决定", "长沙市第一医院可以看检验报告", "长沙市第一医院可以看影像"):
        await expect(said).to_contain_text(words)
    await expect(said).not_to_contain_text("长沙市中心医院")
    await expect(said).not_to_contain_text("所有医院")
    await page.get_by_role("button", name="就这样决定").click()
    await expect(page.locator(".notice-calm").first).to_contain_text("长沙市第一医院不能看任何病历")
    assert fake.put[0][0]["rules"] == [*stays[:3], rule(FIRST, effect="deny")]


async def test_closing_everything_to_all_ends_every_permit(page: Page, fake: FakeRecords) -> None:
    fake.rules = [rule(FIRST), rule("*", "note"), rule(SECOND, "imaging"), rule(SECOND, "note", "deny")]
    await to_deny(page)
    await page.get_by_role("radio", name="所有医院").click()
    said = page.locator(".notice-calm")
    for words in ("长沙市第一医院可以看全部病历", "所有医院可以看其他文书", "长沙市中心医院可以看影像"):
        await expect(said).to_contain_text(words)
    await page.get_by_role("button", name="就这样决定").click()
    await expect(page.locator(".row-open")).to_have_count(2)
    assert fake.rules == [rule(SECOND, "note", "deny"), rule("*", effect="deny")]


async def test_closing_a_kind_to_all_leaves_the_other_kinds_of_a_consent(page: Page, fake: FakeRecords) -> None:
    fake.rules = [rule(FIRST), rule(SECOND, "imaging"), rule(SECOND, "note")]
    await to_deny(page)
    await page.get_by_role("radio", name="所有医院").click()
    await page.locator("[name=kind]").select_option("imaging")
    said = page.locator(".notice-calm")
    await expect(said.nth(0)).to_contain_text("长沙市中心医院可以看影像")
    await expect(said.nth(1)).to_contain_text("这些同意不再包括影像")
    await expect(said.nth(1)).to_contain_text("长沙市第一医院可以看全部病历")
    await page.get_by_role("button", name="就这样决定").click()
    await expect(page.locator(".row-open")).to_have_count(4)
    closed = [rule("*", "imaging", "deny"), rule(FIRST, "imaging", "deny")]
    assert fake.rules == [rule(FIRST), rule(SECOND, "note"), *closed]


async def test_what_a_denial_ends_is_said_before_the_tap_even_if_it_was_not_known(
    page: Page, fake: FakeRecords
) -> None:
    fake.rules = [rule(FIRST, "laboratory")]
    await open_consents(page)
    fake.refusals["GET consents"] = problem("try-again", 503)
    await page.get_by_role("button", name="不让某家医院看").click()
    await page.get_by_role("radio", name="长沙市第一医院").click()
    fake.refusals.clear()
    await page.get_by_role("button", name="就这样决定").click()
    await expect(page.locator(".notice-calm")).to_contain_text("长沙市第一医院可以看检验报告")
    assert fake.put == []
    await page.get_by_role("button", name="就这样决定").click()
    await expect(page.locator(".row-open")).to_have_count(1)
    assert fake.rules == [rule(FIRST, effect="deny")]


async def test_a_denial_asks_who_may_not_and_is_not_for_today(page: Page, fake: FakeRecords) -> None:
    await to_deny(page)
    await expect(page.locator(".part h2")).to_have_text(["不让谁看", "不让看什么，多久", "您的决定"])
    await expect(page.get_by_role("radio", name="一直")).to_be_visible()
    await expect(page.get_by_role("radio", name="今天这次")).to_have_count(0)


async def test_withdrawing_takes_one_tap_and_a_yes(page: Page, fake: FakeRecords) -> None:
    fake.rules = [rule(FIRST), rule(SECOND, "note")]
    await open_consents(page)
    row = page.locator(".row-open").first
    await row.get_by_role("button", name="撤回").click()
    await expect(row).to_contain_text("撤回后马上看不到了。")
    assert fake.put == []
    await row.get_by_role("button", name="确认撤回").click()
    await expect(page.locator(".notice-calm").first).to_contain_text("已撤回")
    await expect(page.locator(".row-open")).to_have_count(1)
    assert fake.rules == [rule(SECOND, "note")]


async def test_what_could_still_be_read_is_said_before_withdrawing(page: Page, fake: FakeRecords) -> None:
    fake.rules = [
        rule(FIRST),
        rule("*", "laboratory"),
        rule("*", "imaging", valid_until=end_of(-1)),
        rule("*", "note"),
        rule(FIRST, "note", "deny"),
        rule(SECOND, effect="deny"),
    ]
    await open_consents(page)
    rows = page.locator(".row-open")
    await rows.nth(0).get_by_role("button", name="撤回").click()
    await expect(rows.nth(0)).to_contain_text("长沙市第一医院仍能看：检验报告。")
    await rows.nth(4).get_by_role("button", name="取消这个决定").click()
    await expect(rows.nth(4)).to_contain_text("取消后，长沙市中心医院就能看：检验报告、其他文书。")


async def test_what_was_changed_elsewhere_is_shown_and_asked_again(page: Page, fake: FakeRecords) -> None:
    fake.rules = [rule(FIRST)]
    await open_consents(page)
    fake.rules, fake.version = [rule(FIRST), rule(SECOND)], 2
    await page.locator(".row-open").get_by_role("button", name="撤回").click()
    await page.get_by_role("button", name="确认撤回").click()
    await expect(page.locator(".notice-again")).to_contain_text("别处刚刚改过")
    await expect(page.locator(".row-open")).to_have_count(2)
    await page.locator(".row-open").first.get_by_role("button", name="撤回").click()
    await page.get_by_role("button", name="确认撤回").click()
    await expect(page.locator(".row-open")).to_have_count(1)
    assert fake.rules == [rule(SECOND)]


async def test_a_form_survives_a_change_elsewhere(page: Page, fake: FakeRecords) -> None:
    await open_consents(page)
    await page.get_by_role("button", name="让所有医院看全部").click()
    await page.get_by_role("radio", name="一直").click()
    fake.rules, fake.version = [rule(SECOND, effect="deny")], 2
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".notice-again")).to_contain_text("您填的还在")
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".row-open")).to_have_count(2)
    assert fake.rules == [rule(SECOND, effect="deny"), rule()]


async def test_a_lost_answer_does_no_harm(page: Page, fake: FakeRecords) -> None:
    await open_consents(page)
    await page.get_by_role("button", name="让所有医院看全部").click()
    await page.get_by_role("radio", name="一直").click()

    async def lost(route: Route) -> None:
        if route.request.method != "PUT":
            return await route.continue_()
        await route.fetch()
        return await route.abort("internetdisconnected")

    await page.route("**/consents", lost)
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".notice-again")).to_contain_text("网络不通")
    await page.unroute("**/consents")
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".notice-again")).to_contain_text("别处刚刚改过")
    await page.get_by_role("button", name="我同意").click()
    await expect(page.locator(".row-open")).to_have_count(1)


async def test_who_may_not_decide_is_told_so(page: Page, fake: FakeRecords) -> None:
    fake.refusals["GET consents"] = problem("not-allowed", 403)
    await open_consents(page)
    await expect(page.locator(".notice-again")).to_contain_text("not-allowed")
    await expect(page.get_by_role("button", name="重试")).to_have_count(0)


async def test_a_refused_decision_says_why(page: Page, fake: FakeRecords) -> None:
    fake.rules = [rule(FIRST)]
    await open_consents(page)
    fake.refusals["PUT consents"] = problem("not-allowed", 403)
    await page.locator(".row-open").get_by_role("button", name="撤回").click()
    await page.get_by_role("button", name="确认撤回").click()
    await expect(page.locator(".notice-again")).to_contain_text("not-allowed")
    assert fake.rules == [rule(FIRST)]


async def test_a_child_is_decided_for_by_the_guardian(page: Page, fake: FakeRecords) -> None:
    fake.cards[0]["relation"] = "child"
    await open_consents(page)
    await expect(page.locator("main")).to_contain_text("由您作为监护人决定")


async def test_everything_is_taken_along_as_files(page: Page, fake: FakeRecords) -> None:
    await open_data(page)
    day = today().isoformat()
    for label, name in (("下载全部病历", "records"), ("下载全部数据", "account")):
        async with page.expect_download() as saving:
            await page.get_by_role("button", name=label).click()
        saved = await saving.value
        assert saved.suggested_filename.startswith(f"yima-{name}-{day}")
        assert (await saved.path()).read_bytes().startswith(b"{")
    await expect(page.locator(".notice-calm")).to_have_count(2)


async def test_a_download_cut_short_is_no_file(page: Page, fake: FakeRecords) -> None:
    await open_data(page)
    saved: list[Download] = []
    page.on("download", lambda each: saved.append(each))
    fake.refusals["GET bundle"] = problem("try-again", 503)
    await page.get_by_role("button", name="下载全部病历").click()
    await expect(page.locator(".notice-again")).to_contain_text("try-again")
    fake.refusals.clear()
    fake.broken = True
    await page.get_by_role("button", name="下载全部病历").click()
    await expect(page.locator(".notice-again")).to_contain_text("网络不通")
    assert saved == []


async def test_leaving_says_first_what_goes_and_what_must_stay(page: Page, fake: FakeRecords) -> None:
    until = today() + timedelta(days=1095)
    fake.kept = [
        {"what": "accesses", "text": "谁看过的记录", "until": until.isoformat()},
        {"what": "audit", "text": "审计记录", "until": None},
    ]
    await open_data(page)
    await page.get_by_role("button", name="看看注销会怎样").click()
    end = until.strftime("%Y年%-m月%-d日")
    for words in ("1张卡", "病历授权", "谁看过的记录", f"{end}删除", "审计记录", "注销后不能恢复"):
        await expect(page.locator("main")).to_contain_text(words)
    await page.get_by_role("button", name="注销我的账户").click()
    await expect(page.locator(".field-wrong")).to_contain_text("注销")
    assert fake.left == []
    await page.locator("[name=confirm]").fill("注销")
    act = page.get_by_role("button", name="注销我的账户")
    await expect(act).to_have_css("background-color", "rgb(156, 18, 25)")  # --refused
    await act.click()
    await expect(page.locator("h1")).to_have_text("欢迎使用一码")
    await expect(page.locator(".notice-calm")).to_have_text(
        re.compile(r"^\s*账户已注销\s*依法保留的内容到期后自动删除。\s*$")
    )
    assert fake.left == [{"confirm": "注销"}]
    await page.reload()
    await expect(page.locator("h1")).to_have_text("欢迎使用一码")


async def test_leaving_that_failed_leaves_everything(page: Page, fake: FakeRecords) -> None:
    await open_data(page)
    await page.get_by_role("button", name="看看注销会怎样").click()
    fake.refusals["DELETE account"] = problem("try-again", 503)
    await page.locator("[name=confirm]").fill("注销")
    await page.get_by_role("button", name="注销我的账户").click()
    await expect(page.locator(".notice-again").last).to_contain_text("try-again")
    await page.get_by_role("button", name="不注销").click()
    await expect(page.locator("h1")).to_have_text("我的数据与注销")


async def test_in_english_and_large_type_one_step_at_a_time(page: Page, fake: FakeRecords) -> None:
    fake.rules = [
        rule(FIRST),
        rule("*", "laboratory", valid_until=end_of(30)),
        rule(SECOND, effect="deny"),
        rule("*", "note", "deny"),
    ]
    await page.goto("/?lang=en")
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator("[data-type-switch]").click()
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("button", name="Who may read my records").click()
    await page.get_by_role("button", name="Let one hospital read").wait_for()
    await expect(page.locator(".row-open").nth(2)).to_contain_text("长沙市中心医院 may read no records")
    await expect(page.locator(".row-open").nth(3)).to_contain_text("All hospitals may read no other documents")
    assert await page.evaluate(WIDER) <= 0
    await page.get_by_role("button", name="Let one hospital read").click()
    await page.locator(".row-pick").first.click()
    assert await page.evaluate(WIDER) <= 0
    for _ in range(2):
        await page.get_by_role("button", name="Next").click()
        assert await page.evaluate(WIDER) <= 0
    assert await page.evaluate(SMALL) == 0
    await page.get_by_role("button", name="I consent").click()
    await expect(page.locator(".notice-calm")).to_contain_text("Consent given")
