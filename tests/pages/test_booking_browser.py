"""Booking on /patient: finding, booking, the number and the place in the queue, cancelling, waiting, being refused."""

import json
import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, Route, expect

from tests.pages.fake_booking import (
    DEPARTMENTS,
    MEDICINE,
    WU,
    FakeBooking,
    appointment,
    at,
    no_place,
    paused,
    slot,
    today,
    utc,
    waiting,
)
from tests.pages.fake_service import ACCESS, CARD, Json, problem

LIVE = ".stage[data-kind=live] .qr"
PARENT = CARD | {"card_id": "card-2", "name": "欧阳**", "relation": "parent"}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LATE = 22  # an hour of today that tests rarely run in

REFUSALS = {
    "slot-full": ("刚约满", "可以候补"),
    "slot-past": ("已经过了", "请选晚一些的时间"),
    "slot-not-open": ("还没到开放预约的时间", "开放预约"),
    "session-stopped": ("停诊了", "请选别的时间或医生"),
    "already-booked": ("已经约过", "我的预约"),
    "time-conflict": ("已有别的预约", "先取消那一个"),
    "daily-limit": ("已经约了 3 个号", "请换一天"),
    "card-frozen": ("已冻结", "请先解冻"),
    "slot-not-eligible": ("不收该年龄或性别", "换一位家人的卡"),
    "not-found": ("找不到了", "重新选择"),
}


@pytest.fixture
def fake() -> FakeBooking:
    return FakeBooking(slots=[slot("1"), slot("2", hour=10)])


async def open_booking(page: Page) -> None:
    """From WeChat to where booking begins."""
    await page.goto("/patient#js_code=wx-1&phone_code=ph-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".card-book .button").click()
    await expect(page.locator("h1")).to_have_text("预约挂号")


async def find(page: Page) -> None:
    """From there to the times of a department."""
    await page.get_by_role("button", name="预约一个新号").click()
    await page.get_by_role("button", name="长沙市第一医院").click()
    await page.get_by_role("button", name="心血管内科").click()
    await page.wait_for_selector(".slot, .notice")


async def to_the_confirmation(page: Page) -> None:
    await open_booking(page)
    await find(page)
    await page.locator("button.slot").first.click()
    await expect(page.locator("h1")).to_have_text("确认预约")


async def test_times_are_looked_for_by_hospital_department_doctor_and_local_date(page: Page, fake: FakeBooking) -> None:
    far = await page.context.new_cdp_session(page)
    await far.send("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Honolulu"})
    await open_booking(page)
    await find(page)
    dates = [(today() + timedelta(days=days)).isoformat() for days in range(14)]
    shown = await page.locator(".date").evaluate_all("all => all.map(each => each.dataset.date)")
    assert shown == ["", *dates]
    assert fake.asked[-1] == {
        "hospital_id": "hospital-1",
        "department": MEDICINE["code"],
        "from": dates[0],
        "to": dates[-1],
        "limit": "20",
    }
    await page.locator(".date").nth(2).click()
    await page.locator("[name=doctor]").select_option(WU["code"])
    await expect(page.locator(".notice")).to_contain_text("没有可约的时间")
    assert fake.asked[-1]["from"] == fake.asked[-1]["to"] == dates[1]
    assert fake.asked[-1]["doctor"] == WU["code"]


async def test_every_time_says_what_it_is_and_what_can_be_done(page: Page, fake: FakeBooking) -> None:
    fake.slots = [
        slot("0", status="past"),
        slot("1"),
        slot("2", hour=10, doctor=None, clinic="ordinary", fee_fen=0, status="full", free=0),
        slot("3", hour=11, opens_at=utc(at(30, 8)), min_age=60, sex="female"),
        slot("4", hour=14, doctor=WU, clinic="special", status="stopped", max_age=14),
    ]
    await open_booking(page)
    await find(page)
    rows = page.locator(".slot")
    await expect(rows).to_have_count(4)  # what is over is not shown
    for row, words in enumerate(
        (
            ("09:00", "–09:30", "李玉兰 主任医师", "专家门诊", "门诊三楼 305 诊室", "25.50 元", "余 3", "预约"),
            ("10:00", "心血管内科", "普通门诊", "免费", "约满", "候补"),
            ("11:00", "限 60 岁及以上", "限女性", "08:00 开放预约"),
            ("14:00", "吴敏 副主任医师", "特需门诊", "停诊", "限 14 岁及以下"),
        )
    ):
        for word in words:
            await expect(rows.nth(row)).to_contain_text(word)
    assert await page.locator("button.slot").count() == 2
    await expect(page.locator("main")).to_contain_text("余号只是参考，预约成功才算您的。")


async def test_more_times_come_page_by_page(page: Page, fake: FakeBooking) -> None:
    fake.slots = [slot("0", status="past"), slot("1"), slot("2", hour=10), slot("3", days=3)]
    fake.page = 1
    await open_booking(page)
    await find(page)
    for count in (1, 2, 3):
        await expect(page.locator(".slot")).to_have_count(count)
        if count < 3:
            await page.get_by_role("button", name="更多时间").click()
    await expect(page.get_by_role("button", name="更多时间")).to_have_count(0)
    assert await page.locator(".timeline-day").count() == 2


async def test_one_tap_books_and_the_number_is_large(page: Page, fake: FakeBooking) -> None:
    await to_the_confirmation(page)
    for words in ("张*", "09:00–09:30", "长沙市第一医院", "25.50 元", "23:30 前可以取消"):
        await expect(page.locator("main")).to_contain_text(words)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/appointments", hold)
    act = page.get_by_role("button", name="确认，约这个号")
    await act.click()
    await expect(act).to_be_disabled()
    await held[0].continue_()
    number = page.locator(".booked-number")
    await expect(number).to_have_text("6 号")
    assert await number.evaluate("each => parseFloat(getComputedStyle(each).fontSize)") >= 40
    for words in ("09:00–09:30", "门诊三楼 305 诊室", "到医院出示一码，扫码就是报到。"):
        await expect(page.locator("main")).to_contain_text(words)
    [(body, key)] = fake.sent
    assert body == {"slot_id": "slot-1"}
    assert re.fullmatch("[0-9a-f]{32}", key)
    await page.go_back()  # the confirmation is not shown again: nobody books twice by going back
    await expect(page.locator("h1")).to_have_text("选时间")


async def test_after_a_lost_answer_the_same_attempt_is_sent_again(page: Page, fake: FakeBooking) -> None:
    await to_the_confirmation(page)

    async def lost(route: Route) -> None:
        await route.fetch()
        await route.abort("internetdisconnected")

    await page.route("**/appointments", lost)
    await page.get_by_role("button", name="确认，约这个号").click()
    await expect(page.locator(".notice-again")).to_contain_text("不会重复预约")
    await page.unroute("**/appointments")
    await page.get_by_role("button", name="确认，约这个号").click()
    await expect(page.locator(".booked-number")).to_be_visible()
    (first, first_key), (second, second_key) = fake.sent
    assert (first, first_key) == (second, second_key)


async def test_every_refusal_is_a_sentence_with_what_to_do_next(page: Page, fake: FakeBooking) -> None:
    await to_the_confirmation(page)
    for code, sentences in REFUSALS.items():
        fake.refusals["POST appointments"] = problem(code, 403 if code == "card-frozen" else 409)
        await page.get_by_role("button", name="确认，约这个号").click()
        notice = page.locator(".notice-again")
        for words in sentences:
            await expect(notice).to_contain_text(words)
        await expect(notice).not_to_contain_text(code)
        assert await notice.locator(".button").count() >= 1
        await page.go_back()
        await page.locator("button.slot").first.click()
    fake.refusals["POST appointments"] = paused()
    await page.get_by_role("button", name="确认，约这个号").click()
    await expect(page.locator(".notice-again")).to_contain_text("预约暂停到 2031年5月6日 周二 12:00")
    assert len({key for _, key in fake.sent}) == len(fake.sent)  # what was refused is over


async def test_a_full_time_leads_to_the_waiting_list_and_out_of_it(page: Page, fake: FakeBooking) -> None:
    await to_the_confirmation(page)
    fake.refusals["POST appointments"] = no_place()
    await page.get_by_role("button", name="确认，约这个号").click()
    await page.locator(".notice-again .button-primary").click()
    await expect(page.locator("h1")).to_have_text("候补")
    await page.get_by_role("radio", name="这半天都可以").click()
    await page.get_by_role("button", name="加入候补").click()
    entry = page.locator(".waiting")
    await expect(entry).to_contain_text("您排第 3 位")
    assert fake.sent[-1][0] == {"schedule_id": "session-1"}
    await entry.get_by_role("button", name="退出候补").click()
    await expect(entry).to_contain_text("位次不保留")
    assert fake.waitings[0]["status"] == "waiting"
    await entry.get_by_role("button", name="确认退出").click()
    await expect(entry).to_contain_text("已退出")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("slot-free", "请直接预约"),
        ("already-waiting", "已经在候补"),
        ("waiting-limit", "最多候补 5 个"),
        ("slot-past", "离就诊不到 2 小时"),
    ],
)
async def test_waiting_may_be_refused_too(page: Page, fake: FakeBooking, code: str, words: str) -> None:
    fake.slots = [slot("1", status="full", free=0)]
    fake.refusals["POST waitings"] = problem(code, 409)
    await open_booking(page)
    await find(page)
    await page.locator("button.slot").click()
    await page.get_by_role("button", name="加入候补").click()
    await expect(page.locator(".notice-again")).to_contain_text(words)
    assert await page.locator(".notice-again .button").count() == 1


async def test_what_came_of_waiting_is_said(page: Page, fake: FakeBooking) -> None:
    fake.appointments = [appointment("a1", slot("1"), booked_by="waiting")]
    fake.waitings = [
        waiting("w1", slot("1"), "booked", appointment_id="a1"),
        waiting("w2", slot("2", days=-1), "expired", start=None, end=None),
    ]
    await open_booking(page)
    await page.get_by_role("button", name="我的候补").click()
    await expect(page.locator(".waiting").nth(1)).to_contain_text("没等到")
    await expect(page.locator(".waiting").nth(1)).to_contain_text("半天内任一时间")
    await page.locator(".waiting").first.get_by_role("button", name="查看预约").click()
    await expect(page.locator(".appointment-now")).to_contain_text("6 号")


async def test_who_is_before_is_asked_every_five_seconds_and_when_something_is_told(
    page: Page, fake: FakeBooking
) -> None:
    mine = appointment("a1", slot("1", days=0, hour=LATE), 12, "arrived", ahead=3, arrived_at=utc(at(0, 0, 1)))
    fake.appointments = [mine]
    await page.clock.install()
    await open_booking(page)
    line = page.locator(".appointment .queue")
    await expect(line).to_contain_text("12 号")
    await expect(line).to_contain_text("前面还有 3 人")
    mine["ahead"] = 2
    await page.clock.run_for(5100)
    await expect(line).to_contain_text("前面还有 2 人")
    mine["ahead"] = 0
    fake.tell("message", {"message_id": "m1", "kind": "other", "card_id": "card-1", "text": "轮到您了"})
    await expect(line).to_contain_text("下一位就是您")


async def test_without_network_the_place_in_the_queue_says_how_old_it_is(page: Page, fake: FakeBooking) -> None:
    fake.appointments = [appointment("a1", slot("1", days=0, hour=LATE), ahead=4)]
    await page.clock.install()
    await open_booking(page)
    await page.locator(".appointment").click()
    await expect(page.locator(".queue")).to_contain_text("现在去报到，前面有 4 人")
    await page.route("**/v1/patient/appointments/*", lambda route: route.abort("internetdisconnected"))
    await page.clock.run_for(5100)
    await expect(page.locator(".queue")).to_contain_text("网络不通，这是")
    await expect(page.locator(".queue")).to_contain_text("前面有 4 人")


async def test_cancelling_takes_two_taps_and_says_what_it_does(page: Page, fake: FakeBooking) -> None:
    fake.appointments = [appointment("a1", slot("1", days=3))]
    await open_booking(page)
    await page.locator(".appointment").click()
    await page.get_by_role("button", name="取消预约").click()
    await expect(page.locator(".notice-again")).to_contain_text("马上给别人")
    await expect(page.locator(".notice-again")).to_contain_text("23:30 前可以取消")
    assert fake.find("a1")["status"] == "booked"
    await page.get_by_role("button", name="确认取消").click()
    await expect(page.locator(".notice-calm")).to_contain_text("已取消")
    await expect(page.locator(".appointment-now")).to_contain_text("已取消")
    await expect(page.get_by_role("button", name="取消预约")).to_have_count(0)


async def test_too_late_to_cancel_is_said_before_and_after_the_tap(page: Page, fake: FakeBooking) -> None:
    over = appointment("a1", slot("1", days=0, hour=LATE, cancel_until=utc(at(-1, 9))))
    fake.appointments = [over, appointment("a2", slot("2", days=3), 8)]
    fake.refusals["DELETE a2"] = problem("cancel-too-late", 409)
    await open_booking(page)
    await page.locator(".appointment").first.click()
    await expect(page.locator("main")).to_contain_text("已过可以取消的时间")
    await expect(page.get_by_role("button", name="取消预约")).to_have_count(0)
    await page.go_back()
    await page.locator(".appointment").nth(1).click()
    await page.get_by_role("button", name="取消预约").click()
    await page.get_by_role("button", name="确认取消").click()
    await expect(page.locator(".notice-again").first).to_contain_text("去不了请联系医院")


async def test_what_the_hospital_cancelled_stands_out_with_its_reason(page: Page, fake: FakeBooking) -> None:
    stopped: Json = {"status": "cancelled", "cancelled_by": "hospital", "reason": "李医生外出会诊"}
    fake.appointments = [
        appointment("a1", slot("1", days=2), **stopped),
        appointment("a2", slot("2", days=-2), status="noshow"),
        appointment("a3", slot("3", days=-3), status="fulfilled"),
    ]
    await open_booking(page)
    await page.get_by_role("button", name="我的预约").click()
    rows = page.locator(".appointment")
    for row, words in enumerate(("已取消", "未到", "已就诊")):
        await expect(rows.nth(row)).to_contain_text(words)
    await expect(rows.first.locator(".appointment-reason")).to_contain_text("原因：李医生外出会诊")
    await rows.first.click()
    await expect(page.locator(".notice-again")).to_contain_text("医院取消了这个预约")
    await expect(page.locator(".notice-again")).to_contain_text("李医生外出会诊")


async def test_a_scan_that_made_one_arrive_says_number_queue_and_room(page: Page, fake: FakeBooking) -> None:
    there = slot("1", days=0, hour=LATE)
    elsewhere = there | {"hospital": {"hospital_id": "other", "name": "长沙市中心医院"}}
    mine = appointment("a1", there, 12, "arrived", ahead=2, arrived_at=utc(at(0, 0, 1)))
    fake.appointments = [appointment("a2", elsewhere, 99, "arrived", ahead=7, arrived_at=utc(at(0, 0, 2))), mine]
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.wait_for_timeout(300)
    fake.tell("scanned", ACCESS | {"access_id": "s1"})
    panel = page.locator(".scanned.verdict-accepted")
    for words in ("您的号 12 号", "前面还有 2 人", "门诊三楼 305 诊室"):
        await expect(panel).to_contain_text(words)
    await expect(panel).not_to_contain_text("领取号序")


async def test_a_scan_without_an_appointment_says_what_it_always_said(page: Page, fake: FakeBooking) -> None:
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.wait_for_timeout(300)
    fake.tell("scanned", ACCESS | {"access_id": "s1"})
    await page.wait_for_timeout(400)
    await expect(page.locator(".scanned-next")).to_contain_text("请在窗口领取号序")


async def test_messages_lead_to_the_appointment_of_that_card(page: Page, fake: FakeBooking) -> None:
    fake.cards.append(dict(PARENT))
    fake.appointments = [appointment("a1", slot("1"))]
    told = {"message_id": "m", "at": utc(at(-1, 9)), "card_id": "card-2", "text": "候补成功。", "ref": "a1"}
    fake.messages = [
        told | {"kind": "waiting-booked"},
        told | {"kind": "session-stopped", "ref": None},
        told | {"kind": "booking-paused", "ref": None},
        told | {"kind": "frozen"},
    ]
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator(".tab").last.click()
    await page.get_by_role("button", name="通知").click()
    for row, words in enumerate(("候补约上了", "医院停诊", "预约暂停", "卡已冻结")):
        await expect(page.locator(".moment").nth(row)).to_contain_text(words)
    await expect(page.locator(".moment .button")).to_have_count(1)
    await page.locator(".moment .button").click()
    await expect(page.locator(".whose")).to_contain_text("欧阳**")
    await expect(page.locator(".appointment-now")).to_contain_text("6 号")


async def test_a_family_member_is_booked_for_and_named(page: Page, fake: FakeBooking) -> None:
    fake.cards.append(dict(PARENT))
    await open_booking(page)
    await page.get_by_role("radio", name="欧阳** 父母").click()
    await expect(page.locator(".whose")).to_contain_text("欧阳**")
    await find(page)
    await page.locator("button.slot").first.click()
    await expect(page.locator(".whose")).to_contain_text("欧阳**")
    async with page.expect_request("**/cards/card-2/appointments") as posted:
        await page.get_by_role("button", name="确认，约这个号").click()
    assert json.loads((await posted.value).post_data or "") == {"slot_id": "slot-1"}


async def test_forward_shows_nobodys_appointment_under_another_name(page: Page, fake: FakeBooking) -> None:
    fake.cards.append(dict(PARENT))
    fake.appointments = [appointment("a1", slot("1"))]
    await open_booking(page)
    await page.get_by_role("radio", name="欧阳** 父母").click()
    await page.locator(".appointment").first.click()
    await expect(page.locator(".appointment-now")).to_be_visible()
    await page.go_back()
    await page.get_by_role("radio", name="本人").click()
    await page.go_forward()
    await expect(page.locator("h1")).to_have_text("我的预约")
    await expect(page.get_by_role("button", name="取消预约")).to_have_count(0)


async def test_without_network_booking_says_so_and_opens_once_it_is_back(page: Page, fake: FakeBooking) -> None:
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.route("**/static/booking*", lambda route: route.abort("internetdisconnected"))
    await page.locator(".card-book .button").click()
    await expect(page.locator(".notice-again")).to_contain_text("网络不通")
    await page.unroute("**/static/booking*")
    await page.get_by_role("button", name="重试").click()
    await expect(page.locator("main")).to_contain_text("现在没有预约")
    fake.refusals["GET departments"] = problem("try-again", 503)
    await page.get_by_role("button", name="预约一个新号").click()
    await expect(page.locator(".notice-again")).to_be_visible()
    fake.refusals.clear()
    fake.departments = []
    await page.get_by_role("button", name="重试").click()
    await expect(page.locator(".empty")).to_contain_text("没有医院开放预约")


async def test_one_hospital_is_not_asked_for_and_many_departments_are_found_by_name(
    page: Page, fake: FakeBooking
) -> None:
    names = ["神经内科", "消化内科", "骨科", "眼科", "皮肤科", "中医科", "口腔科", "耳鼻喉科", "妇科"]
    fake.departments = [{**DEPARTMENTS[0], "code": str(n), "name": name} for n, name in enumerate(names)]
    await open_booking(page)
    await page.get_by_role("button", name="预约一个新号").click()
    await expect(page.locator("h1")).to_have_text("选科室")
    await page.locator("[name=filter]").fill("内科")
    await expect(page.locator(".row-name")).to_have_text(["神经内科", "消化内科"])
    await page.locator("[name=filter]").fill("心电图")
    await expect(page.locator(".empty")).to_contain_text("没有这个名字的科室")
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("预约挂号")


async def test_a_session_that_ended_leads_to_the_sign_in(page: Page, fake: FakeBooking) -> None:
    await to_the_confirmation(page)
    fake.refusals["POST appointments"] = problem("unauthenticated", 401)
    await page.get_by_role("button", name="确认，约这个号").click()
    await expect(page.locator("h1")).to_have_text("欢迎使用一码")


async def test_in_large_type_one_thing_at_a_time_and_nothing_scrolls_sideways(page: Page, fake: FakeBooking) -> None:
    fake.slots = [slot("1", min_age=60, max_age=90, sex="female", fee_fen=0)]
    await page.goto("/?lang=en")
    await page.goto("/patient#js_code=wx-1")
    await page.wait_for_selector(LIVE)
    await page.locator("[data-type-switch]").click()
    await page.locator(".card-book .button").click()
    taps = (
        ".screen > .button-primary",
        ".row-name >> nth=0",
        ".row-name >> nth=0",
        ".part-now .button-primary",
        "button.slot",
        ".screen > .button-primary",
        ".screen > .button-primary",
        ".appointment",
    )
    for tap in taps:
        await page.wait_for_selector(tap)
        assert await page.evaluate(WIDER) <= 0, tap
        if "part-now" in tap:
            await expect(page.locator(".slot")).to_be_hidden()
        await page.locator(tap).first.click()
    await expect(page.locator(".appointment-now")).to_contain_text("No. 6")
    assert await page.evaluate(WIDER) <= 0
    small = (
        "[...document.querySelectorAll('main *')].filter((each) => parseFloat(getComputedStyle(each).fontSize) < 24)"
    )
    assert await page.evaluate(f"{small}.length") == 0
    targets = """() => [...document.querySelectorAll("main button, main select")]
      .filter((each) => each.checkVisibility()).filter((each) => each.getBoundingClientRect().height < 43.5).length"""
    assert await page.evaluate(targets) == 0
