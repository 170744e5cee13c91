"""/scanner with booking in a browser: arrival as the next step, slots in one click, what is said when it does not go."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.fake_desk import TODAY, FakeDesk, appointment, refusal, slot
from tests.pages.fake_service import problem
from tests.pages.test_scanner_browser import CODE, OTHER, begin_shift, scan

TOMORROW = "2026-11-25"
PANEL = ".desk-panel"
FIELD = "input scan-input"


@pytest.fixture
def fake() -> FakeDesk:
    second = {"code": "02", "name": "外科"}
    return FakeDesk(
        slots=[
            slot(1),
            slot(2, hour=10),
            slot(3, date=TOMORROW, hour=1, session="s2", department=second, doctor=None, room="2 楼"),
        ]
    )


async def scanned(page: Page, code: str = CODE) -> None:
    """A shift in which one code was scanned."""
    await begin_shift(page)
    await scan(page, code)
    await expect(page.locator(".verdict-accepted")).to_be_visible()


async def test_who_arrives_sees_number_queue_and_room_as_the_next_step(page: Page, fake: FakeDesk) -> None:
    arrived = appointment("a1", slot(1), status="arrived", number=12, ahead=3)
    fake.resolution, fake.appointments = {"arrival": arrived}, [arrived]
    await scanned(page)
    step = page.locator(".verdict-next")
    await expect(step.locator(".arrival-number strong")).to_have_text("12")
    for words in ("前面还有 3 人", "305 诊室", "李玉兰", "内科", "17:00–17:30"):
        await expect(step).to_contain_text(words)
    await expect(step.locator(".arrival-late")).to_have_count(0)
    await expect(page.locator(".verdict [role=alert]")).to_contain_text("12 号")
    await expect(page.locator(f"{PANEL} .desk-row")).to_have_count(1)


async def test_who_comes_late_is_told_so(page: Page, fake: FakeDesk) -> None:
    fake.resolution = {"arrival": appointment("a1", slot(1), status="arrived", late=True, ahead=0)}
    fake.appointments = [fake.resolution["arrival"]]
    await scanned(page)
    await expect(page.locator(".arrival-late")).to_contain_text("排在最后")
    await expect(page.locator(".arrival-ahead")).to_have_text("前面没有人")


async def test_ahead_is_looked_up_again_every_ten_seconds(page: Page, fake: FakeDesk) -> None:
    await page.clock.install()
    fake.appointments = [appointment("a1", slot(1), status="arrived", ahead=3)]
    await scanned(page)
    ahead = page.locator(".arrival-ahead")
    await expect(ahead).to_have_text("前面还有 3 人")
    fake.appointments[0]["ahead"] = 1
    await page.clock.fast_forward(10_000)
    await expect(ahead).to_have_text("前面还有 1 人")
    await page.locator(".shift-bar .button").last.click()
    await page.wait_for_selector("[name=client_secret]")
    looks = fake.looks
    await page.clock.fast_forward(30_000)
    assert fake.looks == looks


@pytest.mark.parametrize(
    ("hour", "step", "words"),
    [(12, 0, "18:00 起才能报到"), (9, 0, "新码再扫一次"), (9, 2, "按 F2 换到“当日挂号”")],
    ids=["too early", "not yet", "another step"],
)
async def test_who_has_not_arrived_is_told_how(page: Page, fake: FakeDesk, hour: int, step: int, words: str) -> None:
    fake.appointments = [appointment("a1", slot(1, hour=hour)), appointment("a2", slot(3, date=TOMORROW))]
    await begin_shift(page)
    await page.locator(".pick").nth(step).click()
    await scan(page, CODE)
    await expect(page.locator(".verdict-next")).to_contain_text(words)
    await expect(page.locator(".arrival-number strong")).to_have_text("12")
    await expect(page.locator(".arrival-other")).to_have_count(0)


async def test_a_step_says_whether_it_checks_in_and_is_remembered(page: Page) -> None:
    await begin_shift(page)
    words = page.locator(".pick-words")
    await expect(words).to_contain_text("即报到")
    await page.locator(".pick").nth(4).click()
    await expect(words).to_contain_text("不报到")
    await page.reload()
    await expect(page.locator(".pick-words")).to_contain_text("不报到")


async def test_one_click_books_and_the_field_keeps_the_focus(page: Page, fake: FakeDesk) -> None:
    await scanned(page)
    times = page.locator(".desk-slot")
    await expect(times).to_have_count(3)
    assert fake.slots_asked[0] == {"free": "true", "limit": "50", "from": TODAY}
    await expect(page.locator(".desk-day")).to_have_text([re.compile("今天"), re.compile("明天")])
    await times.nth(1).click()
    await expect(page.locator(".desk-booked")).to_contain_text("7 号")
    assert [taken for taken, _ in fake.booked] == ["slot-2"]
    assert len(fake.booked[0][1]) == 32
    await expect(times.nth(1)).to_contain_text("余 1")
    await expect(page.locator(".arrival-number strong")).to_have_text("7")
    assert await page.evaluate("document.activeElement.className") == FIELD


async def test_arrows_choose_and_f9_books(page: Page, fake: FakeDesk) -> None:
    await scanned(page)
    await expect(page.locator(".desk-slot")).to_have_count(3)
    await page.keyboard.press("F9")  # chooses the first: nothing is booked unseen
    await expect(page.locator("[data-chosen]")).to_contain_text("17:00")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-chosen]")).to_contain_text("09:00")
    assert not fake.booked
    await page.keyboard.press("F9")
    await expect(page.locator(".desk-booked")).to_be_visible()
    assert [taken for taken, _ in fake.booked] == ["slot-3"]


async def test_the_same_slot_after_no_answer_is_the_same_attempt(page: Page, fake: FakeDesk) -> None:
    fake.act_problems = [problem("try-again", 503), problem("slot-not-open", 409)]
    await scanned(page)
    said = page.locator(".desk-said [role=alert]")
    for words in ("系统没有回应", "还没有开始放", None):
        await page.locator(".desk-slot").first.click()
        await expect(said if words else page.locator(".desk-booked")).to_contain_text(words or "约好了")
    keys = [key for _, key in fake.booked]
    assert keys[0] == keys[1] != keys[2]


async def test_a_refusal_is_one_sentence_to_read_aloud(page: Page, fake: FakeDesk) -> None:
    await scanned(page)
    said = page.locator(".desk-said [role=alert]")
    refusals: list[tuple[str, int, dict[str, Any], str]] = [
        ("slot-full", 409, {}, "刚刚约满"),
        ("session-stopped", 409, {}, "停诊"),
        ("booking-paused", 403, {"until": "2027-02-03T02:00:00Z"}, "2月3日"),
        ("slot-not-eligible", 422, {}, "限年龄或性别"),
        ("surprise", 409, {}, "surprise"),
    ]
    for code, status, members, words in refusals:
        fake.act_problems = [refusal(code, status, **members)]
        await page.locator(".desk-slot").first.click()
        await expect(said).to_contain_text(words)
        await expect(said).to_contain_text("对患者说")
    await expect(page.locator(".verdict-accepted")).to_contain_text("张建国")
    assert len(fake.slots_asked) == 3  # what is free was looked up again after the two that change it


async def test_the_department_is_kept_for_the_next_patient_and_more_comes_by_page(page: Page, fake: FakeDesk) -> None:
    fake.page_size = 2
    await scanned(page)
    times = page.locator(".desk-slot")
    await expect(times).to_have_count(2)
    await page.get_by_role("button", name="显示更多").click()
    await expect(times).to_have_count(3)
    await page.get_by_role("button", name="科室：全部").click()
    await page.get_by_role("radio", name="外科").click()
    await expect(times).to_have_count(1)
    await scan(page, OTHER)
    await expect(page.get_by_role("button", name="科室：外科")).to_be_visible()
    await expect(times).to_have_count(1)
    assert fake.slots_asked[-1]["department"] == "02"


async def test_cancelling_asks_once_more_and_takes_a_reason(page: Page, fake: FakeDesk) -> None:
    fake.appointments = [appointment("a1", slot(1))]
    await scanned(page)
    await page.get_by_role("button", name="取消预约").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".desk-question")).to_contain_text("确定取消 12 号吗")
    assert await page.evaluate("document.activeElement.className") == FIELD
    await page.get_by_role("button", name="患者要求").click()
    assert not fake.acts
    await page.get_by_role("button", name="确认取消").click()
    await expect(page.locator(".desk-row-cancelled")).to_contain_text("医院取消 · 患者要求")
    assert fake.acts == [("cancel", "a1", {"reason": "患者要求"})]
    await expect(page.locator(".verdict-next")).not_to_contain_text("12")
    assert await page.evaluate("document.activeElement.className") == FIELD


async def test_only_who_arrived_can_be_done(page: Page, fake: FakeDesk) -> None:
    fake.appointments = [appointment("a1", slot(1), status="arrived"), appointment("a2", slot(2))]
    await scanned(page)
    done = page.get_by_role("button", name="就诊完成")
    await expect(done).to_have_count(1)
    await done.click()
    await expect(page.locator(".desk-row-fulfilled")).to_be_visible()
    assert fake.acts == [("fulfil", "a1", {})]


async def test_where_booking_is_not_open_one_sentence_says_so(page: Page, fake: FakeDesk) -> None:
    fake.resolution = {"granted": []}
    await begin_shift(page)
    await page.locator(".pick").nth(3).click()
    await scan(page, CODE)
    await expect(page.locator(PANEL)).to_contain_text("请在手机上打开“挂号”")
    assert (fake.looks, fake.slots_asked) == (0, [])


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [("resolution-expired", 410, "again", "已到期"), ("card-revoked", 403, "refused", "冻结")],
)
async def test_what_ended_meanwhile_becomes_the_verdict(
    page: Page, fake: FakeDesk, code: str, status: int, kind: str, words: str
) -> None:
    fake.act_problems = [problem(code, status)]
    await scanned(page)
    await page.locator(".desk-slot").first.click()
    verdict = page.locator(f".verdict-{kind}")
    await expect(verdict).to_contain_text(words)
    await expect(verdict).not_to_contain_text("张建国")
    await expect(page.locator(PANEL)).to_be_hidden()
    await scan(page, OTHER)
    await expect(page.locator(".verdict-accepted")).to_contain_text("张建国")


async def test_a_resolution_ends_by_itself_at_its_time(page: Page, fake: FakeDesk) -> None:
    fake.resolution = {"expires_at": "2026-11-24T08:00:01Z"}  # a second after it was made
    await scanned(page)
    await expect(page.locator(".verdict-again")).to_contain_text("已到期")


async def test_a_session_that_ended_meanwhile_asks_to_sign_in(page: Page, fake: FakeDesk) -> None:
    fake.act_problems = [problem("unauthenticated", 401)]
    await scanned(page)
    await page.locator(".desk-slot").first.click()
    await expect(page.locator(".notice-again")).to_contain_text("登录已到期")


async def test_what_cannot_be_looked_up_says_so_and_comes_back_by_itself(page: Page, fake: FakeDesk) -> None:
    await page.clock.install()
    fake.looks_problem = problem("try-again", 503)
    await scanned(page)
    await expect(page.locator(PANEL)).to_contain_text("现在查不到预约信息")
    fake.looks_problem = None
    await page.clock.fast_forward(10_000)
    await expect(page.locator(PANEL)).to_contain_text("在本院没有预约")


async def test_the_next_scan_replaces_verdict_and_panel_and_nothing_is_kept(page: Page, fake: FakeDesk) -> None:
    fake.appointments = [appointment("a1", slot(1), status="arrived")]
    await scanned(page)
    await expect(page.locator(".desk-row")).to_have_count(1)
    fake.appointments = []
    await scan(page, OTHER)
    await expect(page.locator(".desk-slot")).to_have_count(3)
    await expect(page.locator(".arrival")).to_have_count(0)
    await page.locator(".shift-bar .button").last.click()
    await page.wait_for_selector("[name=client_secret]")
    kept = await page.evaluate("JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
    assert not re.search("建国|内科|李玉兰|a1|slot", kept)
    assert "张" not in await page.locator("body").inner_text()


async def parts_in_sight(page: Page) -> tuple[float, float, float]:
    """Where the verdict begins, its last words end and the panel begins, in pixels from the top of the window."""
    found = await page.evaluate(
        """() => {
            const [verdict, words, panel] = [".verdict", ".verdict-next", ".desk-panel"].map((each) =>
                document.querySelector(each).getBoundingClientRect());
            return [verdict.top, words.bottom, panel.top];
        }"""
    )
    return found[0], found[1], found[2]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_the_panel_never_hides_the_verdict(page: Page, fake: FakeDesk, width: int, height: int) -> None:
    fake.slots = [slot(number, hour=9 + number % 4, session=f"s{number // 4}") for number in range(40)]
    arrived = appointment("a1", slot(1), status="arrived", late=True)
    fake.appointments = [arrived, appointment("a2", slot(2)), appointment("a3", slot(3))]
    fake.resolution = {"arrival": arrived}
    await begin_shift(page)
    await page.set_viewport_size({"width": width, "height": height})
    await scan(page, CODE)
    await expect(page.locator(".desk-row")).to_have_count(3)
    top, bottom, panel = await parts_in_sight(page)
    assert 56 <= top < bottom <= panel
    assert bottom <= height
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await page.get_by_role("tab", name="可约号源").click()
    await page.locator(".desk-slot").nth(1).click()
    await expect(page.locator(".desk-booked")).to_be_in_viewport()
    assert await page.evaluate("document.activeElement.className") == FIELD
    await scan(page, OTHER)
    await expect(page.locator(".arrival-other")).to_have_count(3)
    await expect(page.locator(".desk-booked")).to_have_count(0)
    top, bottom, panel = await parts_in_sight(page)
    assert 56 <= top < bottom <= panel
