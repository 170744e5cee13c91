"""How results changed, on /patient: the chart, its words, and what must not be joined."""

import pytest
from playwright.async_api import Page, expect

from tests.pages.fake_booking import at, utc
from tests.pages.fake_records import GLUCOSE, FakeRecords, laboratory, point, record
from tests.pages.records_visit import open_records, to_the_trend


@pytest.fixture
def fake() -> FakeRecords:
    return FakeRecords(records=[record("r1")], bodies={"r1": laboratory()})


async def test_a_trend_is_drawn_with_its_band_and_told_in_words(page: Page, fake: FakeRecords) -> None:
    fake.codes = [{"code": GLUCOSE, "name": "葡萄糖", "count": 3, "last_at": utc(at(-1, 7))}]
    fake.points = [point(-300, "5.10"), point(-90, "6.30", flag="H"), point(-1, "5.80")]
    await open_records(page)
    await page.get_by_role("button", name="指标变化").click()
    await page.get_by_role("button", name="葡萄糖").click()
    chart = page.get_by_role("img", name="葡萄糖的变化图，单位：mmol/L")
    await expect(chart).to_be_visible()
    assert await chart.locator("desc").text_content() == (
        "共 3 次。最早 5.10，最近 5.80，最低 5.10，最高 6.30 mmol/L。下面有逐次的结果。"
    )
    assert await chart.locator(".chart-dot").count() == 2
    assert await chart.locator(".chart-off").count() == 1  # another shape, not only another colour
    assert await chart.locator(".chart-band").count() == 1
    await expect(chart.locator(".chart-now")).to_have_text("5.80")
    rows = page.locator(".results li")
    await expect(rows.nth(1)).to_contain_text("6.30 mmol/L")
    await expect(rows.nth(1)).to_contain_text("偏高")
    await rows.nth(1).locator("button").click()
    await expect(page.locator(".results")).to_contain_text("尿沉渣")


async def test_points_lie_where_their_time_and_value_say(page: Page, fake: FakeRecords) -> None:
    fake.codes = [{"code": GLUCOSE, "name": "葡萄糖", "count": 3, "last_at": utc(at(-1, 7))}]
    fake.points = [point(-100, "4"), point(-75, "6"), point(0, "5", low=None, high=None)]
    await to_the_trend(page)
    places = await page.locator(".chart-picture").evaluate(
        """(chart) => { const box = [...chart.querySelectorAll("circle")];
        return box.map((dot) => [Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))]); }"""
    )
    (x1, y1), (x2, y2), (x3, y3) = places
    assert (x2 - x1) / (x3 - x1) == pytest.approx(0.25, abs=0.01)
    assert (y1 - y3) / (y1 - y2) == pytest.approx(0.5, abs=0.01)
    assert y2 < y3 < y1


async def test_different_units_are_never_joined(page: Page, fake: FakeRecords) -> None:
    fake.codes = [{"code": GLUCOSE, "name": "葡萄糖", "count": 5, "last_at": utc(at(-1, 7))}]
    fake.points = [
        point(-50, "5.1"),
        point(-40, "95", "mg/dL", low="70", high="110"),
        point(-30, "5.6"),
        point(-20, "阴性", None, low=None, high=None),
        point(-10, "3", None, low=None, high=None),
    ]
    await to_the_trend(page)
    await expect(page.locator(".chart-picture")).to_have_count(3)
    assert await page.locator(".chart-line").count() == 1
    await expect(page.locator(".notice-calm")).to_contain_text("分开画")
    await expect(page.locator("h2").nth(2)).to_have_text("单位：未写单位")
    await expect(page.locator("main")).to_contain_text("有的结果不是数字，只列在下面。")
    await expect(page.locator(".results li").nth(1)).to_contain_text("阴性")


async def test_an_axis_has_as_many_digits_as_its_steps_need_and_no_more(page: Page, fake: FakeRecords) -> None:
    fake.codes = [{"code": GLUCOSE, "name": "葡萄糖", "count": 1, "last_at": utc(at(-1, 7))}]
    for values, axis in (
        (["40", "64"], ["30", "40", "50", "60", "70"]),
        (["0.001", "0.003"], ["0.0000", "0.0010", "0.0020", "0.0030", "0.0040"]),
        (["0", "3.2e8"], ["0", "100000000", "200000000", "300000000", "400000000"]),
        (["1e-12", "3e-12"], ["0", "1e-12", "2e-12", "3e-12", "4e-12"]),
        (["0", "3e15"], ["0", "1e+15", "2e+15", "3e+15", "4e+15"]),
    ):
        fake.points = [point(-n, value, low=None, high=None) for n, value in enumerate(values, 1)]
        await to_the_trend(page)
        assert await page.locator(".chart-picture g .chart-words").all_text_contents() == axis


async def test_what_no_chart_can_hold_is_in_the_list(page: Page, fake: FakeRecords) -> None:
    fake.codes = [{"code": GLUCOSE, "name": "葡萄糖", "count": 1, "last_at": utc(at(-1, 7))}]
    bare = {"low": None, "high": None}
    fake.points = [point(-3, "1e300", **bare), point(-2, "-1e300", **bare), point(-1, "5", low="-1e300", high="1e300")]
    await to_the_trend(page)
    assert await page.locator(".chart-picture circle").count() == 1
    assert await page.locator(".results li").count() == 3


async def test_one_point_or_many_or_strange_ones_stay_inside_the_chart(page: Page, fake: FakeRecords) -> None:
    fake.codes = [{"code": GLUCOSE, "name": "葡萄糖", "count": 1, "last_at": utc(at(-1, 7))}]
    inside = """(chart) => { const frame = chart.getBoundingClientRect();
      return [...chart.querySelectorAll("circle, text")].filter((each) => { const box = each.getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
          || box.bottom > frame.bottom + 1; }).map((each) => each.outerHTML); }"""
    tiny = ["1e-120"], ["1e-9", "3e-9"], ["2e-12", "0"], ["5e-324"], ["0." + "0" * 40 + "1"]
    large = ["3.2E8", "20"], ["1e15", "1.5e15"], ["1e100", "-1e100"]
    for values in (["5.10"], ["0"], ["-2", "-2"], ["100000", "0.001"], ["5"] * 300, *tiny, *large):
        fake.points = [point(-n, value, low=None, high=None) for n, value in enumerate(values)][::-1]
        await to_the_trend(page)
        assert await page.locator(".chart-picture").evaluate(inside) == [], values
        assert await page.locator(".chart-picture circle").count() == len(values)
        assert await page.locator(".results li").count() == min(20, len(values))
