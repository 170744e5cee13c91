"""One result of a report on /patient: what it says by its status, and the trend that it leads to."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page

from tests.pages.fake_records import GLUCOSE, FakeRecords, laboratory, observation, point, record, reference
from tests.pages.records_visit import open_record


@pytest.fixture
def fake() -> FakeRecords:
    return FakeRecords(records=[record("r1")], bodies={"r1": laboratory()})


def of_status(name: str, text: str, status: str, **more: Any) -> str:
    """A result of this status."""
    return observation(name, text, "6.30", **more).replace('"final"', f'"{status}"', 1)


async def test_a_result_that_is_wrong_cancelled_or_not_final_never_passes_for_a_good_one(
    page: Page, fake: FakeRecords
) -> None:
    component = [{"code": {"text": "舒张压"}, "valueQuantity": {"value": 80, "unit": "mmHg"}}]
    parts = [
        of_status("a", "葡萄糖", "entered-in-error", component=component),
        of_status("b", "钾", "cancelled", component=component, referenceRange=reference("3.5", "5.3")),
        of_status("c", "钠", "cancelled").replace(', "valueQuantity": {"value": 6.30, "unit": "mmol/L"}', ""),
        of_status("d", "氯", "preliminary"),
        of_status("e", "钙", "registered"),
        of_status("f", "磷", "unknown", component=component),
        of_status("g", "镁", "corrected"),
    ]
    results = ", ".join(f'{{"reference": "#{each}"}}' for each in "abcdefg")
    contained = ", ".join(parts)
    fake.bodies["r1"] = f'{{"resourceType": "DiagnosticReport", "result": [{results}], "contained": [{contained}]}}'
    await open_record(page)
    said = await page.locator(".results li .row-words").all_inner_texts()
    assert [" ".join(each.split()) for each in said] == [
        "钾 已取消",
        "钠 已取消",
        "氯 6.30 mmol/L 初步",
        "钙 6.30 mmol/L 初步",
        "磷 6.30 mmol/L 初步",
        "舒张压 80 mmHg 初步",
        "镁 6.30 mmol/L",
    ]
    assert await page.locator(".results li").filter(has_text="已取消").locator("button").count() == 0, "no trend"


@pytest.mark.parametrize(
    ("coding", "code"),
    [
        ([{"system": "urn:a", "code": "001"}, {"system": "http://loinc.org", "code": GLUCOSE}], GLUCOSE),
        ([{"system": "urn:a", "code": "001"}, {"system": "urn:b", "code": "2"}], "urn:a|001"),
        ([{"system": "urn:a"}, {"code": "001"}], "|001"),
        ([{"system": "https://loinc.org", "code": GLUCOSE}], f"https://loinc.org|{GLUCOSE}"),
        ([{"system": "urn:a", "code": "x|1"}], None),
        ([{"system": "urn:a", "code": "x" * 244}], "urn:a|" + "x" * 244),
        ([{"system": "urn:a", "code": "x" * 245}], None),
        ([{"system": "urn:a"}], None),
    ],
)
async def test_a_result_leads_to_the_trend_of_its_own_test(
    page: Page, fake: FakeRecords, coding: list[dict[str, str]], code: str | None
) -> None:
    """ "001" of one hospital is another test than "001" of the next: the service tells them apart by the same words."""
    one = {"resourceType": "Observation", "id": "g", "status": "final", "code": {"coding": coding, "text": "葡萄糖"}}
    one["valueQuantity"] = {"value": 6, "unit": "mmol/L"}
    top = {"resourceType": "DiagnosticReport", "result": [{"reference": "#g"}], "contained": [one]}
    fake.bodies["r1"] = json.dumps(top)
    fake.points = [point(-1, "6")]
    await open_record(page)
    ways = page.locator(".results li button")
    assert await ways.count() == (1 if code else 0)
    if code:
        async with page.expect_request("**/observations?*") as asked:
            await ways.click()
        assert parse_qs(urlsplit((await asked.value).url).query) == {"code": [code]}
