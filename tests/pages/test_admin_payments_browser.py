"""/admin and money, as an auditor sees it: what has no outcome, books compared by call, each difference explained."""

from typing import Any

from playwright.async_api import Browser, Page, Route, expect

from tests.pages.admin_desk import ACT, desk_of
from tests.pages.fake_service import Json
from tests.support.service import Service

BOOKS = "**/v1/admin/reconciliations*"
STUCK = "**/v1/admin/unresolved-payments*"
EXPLAIN = "**/explanation"
MONEY = "section[aria-labelledby=money]"


def difference(name: str, kind: str, ours: int | None, theirs: int | None, why: str | None = None) -> Json:
    """One entry that the other side has otherwise."""
    sides = {"ours_fen": ours, "theirs_fen": theirs}
    told = "2026-11-25T03:00:00Z" if why else None
    return sides | {"difference_id": name, "kind": kind, "ref": f"P{name}", "explanation": why, "explained_at": told}


def books(name: str, status: str, channel: str = "wechat", **more: Any) -> Json:
    """A day's comparison."""
    totals = {"count": 41, "amount_fen": 1_234_505, "refund_fen": 6_600}
    return {
        "reconciliation_id": name,
        "date": "2026-11-24",
        "channel": channel,
        "status": status,
        "code": None,
        "ours": totals,
        "theirs": totals,
        "differences": [],
        "at": "2026-11-25T02:30:00Z",
    } | more


def stuck() -> Json:
    """A refund of which nobody knows what became."""
    return {
        "work_id": "w1",
        "bill_id": "0f1e2d3c",
        "hospital_id": "h1",
        "kind": "refund",
        "step": "reverse",
        "attempts": 14,
        "since": "2026-11-24T08:00:00Z",
        "next_at": "2026-11-25T08:00:00Z",
        "call": "2208",
        "code": None,
    }


async def answering(page: Page, kept: list[Json], unresolved: list[Json]) -> None:
    """These are the books and what is stuck; a comparison by call comes in front."""

    async def compare(route: Route) -> None:
        if route.request.method == "POST":
            asked: Any = route.request.post_data_json
            kept.insert(0, books("r9", "failed", asked["channel"], date=asked["date"], theirs=None))
            kept[0]["code"] = "statement-not-ready"
            await route.fulfill(status=201, json=kept[0])
        else:
            await route.fulfill(json={"reconciliations": kept, "next_cursor": None})

    await page.route(BOOKS, compare)
    await page.route(STUCK, lambda route: route.fulfill(json={"unresolved": unresolved, "next_cursor": None}))


async def test_an_auditor_sees_what_differs_and_writes_down_why(chromium: Browser, service: Service) -> None:
    two = [difference("d1", "missing-ours", None, 6600), difference("d2", "amount", 6600, 6500, "手工补录")]
    kept = [books("r2", "differs", differences=two), books("r1", "matched", "insurer")]
    async with desk_of(chromium, service, "auditor") as page:
        await answering(page, kept, [stuck()])
        await page.reload()
        money = page.locator(MONEY)
        days = money.locator(".money-day")
        for words in (
            "微信支付",
            "有差异",
            "1 条待说明",
            "我方41¥12345.05¥66.00",
            "对方有，我方没有",
            "我方 –，对方 ¥66.00",
        ):
            await expect(days.nth(0)).to_contain_text(words)
        await expect(days.nth(0)).to_contain_text("已说明：手工补录")
        await expect(days.nth(1)).to_contain_text("一致")
        for words in ("1 笔收退款没有查到结果", "退费", "已试 14 次", "2208"):
            await expect(money).to_contain_text(words)

        told: list[Any] = []

        async def explained(route: Route) -> None:
            told.append((route.request.url.split("/")[-2], route.request.post_data_json))
            assert route.request.headers["x-csrf-token"]
            two[0]["explanation"] = "夜间断网，次日补记"
            await route.fulfill(json=two[0])

        await page.route(EXPLAIN, explained)
        await days.nth(0).get_by_role("button", name="说明原因").click()
        await expect(page.locator("dialog")).to_contain_text("账目不会因此改变")
        await page.locator("[name=explanation]").fill(" 夜间断网，次日补记 ")
        await page.locator(ACT).click()
        await expect(days.nth(0)).to_contain_text("夜间断网")
        assert told == [("d1", {"explanation": "夜间断网，次日补记"})]
        await expect(money.get_by_role("button", name="说明原因")).to_have_count(0)


async def test_books_are_compared_by_call_and_a_failure_says_why(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "auditor") as page:
        await answering(page, [], [])
        await page.reload()
        money = page.locator(MONEY)
        await expect(money).to_contain_text("没有悬而未决")
        await expect(money).to_contain_text("还没有对过账")
        await money.locator("[name=date]").fill("2026-11-23")
        await money.get_by_role("radio", name="医保").click()
        await money.get_by_role("button", name="现在对账").click()
        for words in ("2026-11-23 医保", "没有对成", "上午 10 点后可取", "没有取到"):
            await expect(money.locator(".money-day")).to_contain_text(words)
        wrong = {
            "code": "validation-failed",
            "title": "x",
            "errors": [{"field": "/date", "message": "日期要在 90 天以内"}],
        }
        await page.route(BOOKS, lambda route: route.fulfill(status=422, json=wrong))
        await money.get_by_role("button", name="现在对账").click()
        await expect(money.locator(".money-run .field-wrong")).to_have_text("日期要在 90 天以内")


async def test_nobody_else_is_shown_the_money(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "registrar") as page:
        await expect(page.locator(MONEY)).to_have_count(0)
