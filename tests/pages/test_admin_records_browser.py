"""/admin and records, in a browser and on real parts: break-glass reviewed, recognition counted, systems connected."""

import re

from playwright.async_api import Browser, Page, expect

from tests.pages.admin_desk import ACT, desk_of, focused
from tests.support.records import BLOOD_COUNT, Patient, lab, mark, patient
from tests.support.service import Service

DAY = 86_400
ROW = ".glass-row"
PRINT = "ab" * 32


async def nothing_waits(service: Service) -> None:
    """What other tests left without a verdict has one."""
    auditor = await service.admin("auditor")
    waiting = await service.http.get("/v1/admin/break-glass?reviewed=false&limit=100", headers=auditor)
    for glass in waiting.json()["break_glasses"]:
        path = f"/v1/admin/break-glass/{glass['break_glass_id']}/review"
        await service.http.post(path, headers=auditor, json={"verdict": "justified", "note": "抢救记录相符"})


async def broken(me: Patient, name: str, statement: str) -> None:
    """A hospital that broke the glass, and read once what another one wrote."""
    await (await me.at(f"{name}分院")).posted(lab())
    window = await me.at(name)
    assert (await window.break_glass(statement=statement)).status_code == 201
    assert (await window.get()).status_code == 200


async def test_an_auditor_gives_a_verdict_and_it_moves_to_the_done(chromium: Browser, service: Service) -> None:
    me = await patient(service)
    await broken(me, "长沙市第一医院", "患者昏迷，需了解用药情况")
    async with desk_of(chromium, service, "auditor") as page:
        row = page.locator(ROW, has_text="患者昏迷，需了解用药情况")
        for words in ("危及生命", "急诊一（工号 n1）", "长沙市第一医院", "查阅 1 次"):
            await expect(row).to_contain_text(words)
        await row.get_by_role("button", name="没有正当理由").click()
        await expect(page.locator("dialog")).to_contain_text("结论只能给一次")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .field-wrong")).to_have_count(1)
        await page.locator("[name=note]").fill("电话核实：患者清醒，可以当场授权")
        await page.locator(ACT).click()
        await expect(row).to_have_count(0)
        await page.locator("summary", has_text="已审核的").click()
        done = page.locator("details[open] .glass-row", has_text="患者昏迷，需了解用药情况")
        await expect(done).to_contain_text("没有正当理由")
        await expect(done).to_contain_text("电话核实")
        await expect(done.locator("button")).to_have_count(0)
    verdict = await service.value("SELECT count(*) FROM audit_entries WHERE action = 'break-glass.review'")
    assert verdict == 1


async def test_what_is_overdue_stands_first_in_red_with_how_many(chromium: Browser, service: Service) -> None:
    await nothing_waits(service)
    me = await patient(service)
    await broken(me, "甲医院", "第一次：患者昏迷送入抢救室")
    await broken(me, "乙医院", "第二次：患者昏迷送入抢救室")
    await service.move_time(8 * DAY)
    later = await patient(service)
    await broken(later, "丙医院", "刚才：患者无法表示同意，需了解过敏史")
    async with desk_of(chromium, service, "auditor") as page:
        late = page.locator("[aria-labelledby=glasses] .notice-refused")
        await expect(late).to_contain_text("2 次破窗查阅超过 7 天没有审核")
        rows = page.locator(ROW)
        await expect(rows).to_have_text([re.compile("第一次"), re.compile("第二次"), re.compile("刚才")])
        await expect(page.locator(".glass-late")).to_have_count(2)
        for _ in range(2):
            await rows.first.get_by_role("button", name="有正当理由", exact=True).click()
            await page.locator("[name=note]").fill("抢救记录相符")
            before = await rows.count()
            await page.locator(ACT).click()
            await expect(rows).to_have_count(before - 1)
        await expect(late).to_have_count(0)


async def test_a_verdict_somebody_else_gave_meanwhile_is_said(chromium: Browser, service: Service) -> None:
    await nothing_waits(service)
    await broken(await patient(service), "甲医院", "患者昏迷，需了解用药情况")
    async with desk_of(chromium, service, "auditor") as page:
        await page.locator(ROW).get_by_role("button", name="有正当理由", exact=True).click()
        other = await service.admin("auditor")
        glass = (await service.http.get("/v1/admin/break-glass?reviewed=false", headers=other)).json()["break_glasses"][
            0
        ]
        path = f"/v1/admin/break-glass/{glass['break_glass_id']}/review"
        body = {"verdict": "unjustified", "note": "没有抢救记录"}
        assert (await service.http.post(path, headers=other, json=body)).status_code == 200
        await page.locator("[name=note]").fill("抢救记录相符")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .notice-again")).to_contain_text("已复核")
        await page.keyboard.press("Escape")
        await expect(page.locator("[aria-labelledby=glasses]")).to_contain_text("没有等待审核的破窗查阅")


async def test_recognition_is_counted_per_item_with_the_reasons(chromium: Browser, service: Service) -> None:
    me = await patient(service)
    source = await me.at("甲医院")
    made = await source.posted(lab(), recognition=mark())
    reader = await me.at("乙医院")
    await me.permit(reader)
    item = {"item": BLOOD_COUNT["code"]}
    for decision in ({"decision": "accepted"}, {"decision": "repeated", "reason": "changes-fast"}):
        reader = await me.scanned(reader.client)
        path = f"{reader.path}/{made['record_id']}/recognitions"
        answer = await service.http.post(path, headers=reader.headers, json=item | decision)
        assert answer.status_code == 201, answer.text
    async with desk_of(chromium, service, "auditor") as page:
        row = page.locator(".counts tbody tr", has_text=BLOOD_COUNT["code"])
        await expect(row).to_contain_text("血常规")
        await expect(row.locator("td").nth(0)).to_have_text(re.compile("^1 (100|50)%$"))
        await page.get_by_role("radio", name="近 365 天").click()
        await expect(row).to_be_visible()


async def connect(page: Page, kind: str, hospital: str) -> None:
    """Opens the dialog that connects a system of that hospital."""
    key = page.locator(f"[data-key^={kind}-]")
    row = page.locator(".hospital", has_text=hospital)
    await row.locator("summary", has_text="连接的系统").click()
    await row.locator(key).click()
    await expect(page.locator("dialog[open]")).to_be_visible()


async def test_a_laboratory_is_connected_changed_and_disconnected(chromium: Browser, service: Service) -> None:
    await service.hospital(name="湘潭市第一医院")
    async with desk_of(chromium, service, "registrar") as page:
        await connect(page, "mllp", "湘潭市第一医院")
        await page.locator("[name=charset]").select_option("GB18030")
        await page.locator("[name=facility]").fill("LIS")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .field-wrong")).to_contain_text("至少填一个地址或证书")
        await page.locator("[name=addresses]").fill("10.8.0.0/16\nsomewhere")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .field-wrong")).to_contain_text("somewhere")
        await page.locator("[name=addresses]").fill("10.8.0.0/99")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .field-wrong")).to_contain_text("网段")
        await page.locator("[name=addresses]").fill("10.8.0.0/16\n192.168.7.9/32")
        await page.locator("[name=certificates]").fill(":".join(["AB"] * 32))
        await page.locator(ACT).click()
        system = page.locator(".system", has_text="检验系统")
        for words in ("已登记", "GB18030", "LIS", "10.8.0.0/16, 192.168.7.9/32", PRINT):
            await expect(system).to_contain_text(words)
        await expect(page.locator("dialog")).to_have_count(0)
        assert (await focused(page)).startswith("mllp-")
        await system.get_by_role("button", name="修改").click()
        await expect(page.locator("[name=certificates]")).to_have_value(PRINT)
        await page.locator("[name=certificates]").fill("")
        await page.locator(ACT).click()
        await expect(system).not_to_contain_text(PRINT)
        await expect(system.locator(".fact", has_text="客户端证书指纹").locator("dd")).to_have_text("—")
        await system.get_by_role("button", name="断开").click()
        await expect(page.locator("dialog")).to_contain_text("都会被拒收")
        await page.locator(ACT).click()
        await expect(system).to_contain_text("未登记")


async def test_a_picture_archives_password_goes_in_and_never_comes_out(chromium: Browser, service: Service) -> None:
    await service.hospital(name="湘潭市第二医院")
    async with desk_of(chromium, service, "registrar") as page:
        heard: list[str] = []

        async def listen(response: object) -> None:
            if "dicomweb" in response.url and response.ok and response.request.method != "DELETE":  # type: ignore[attr-defined]
                heard.append(await response.text())  # type: ignore[attr-defined]

        page.on("response", listen)
        await connect(page, "dicomweb", "湘潭市第二医院")
        await page.locator("[name=address]").fill("http://pacs.example/dicom-web")
        await page.locator("[name=username]").fill("yima")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .field-wrong")).to_contain_text("一起填写")
        await page.locator("[name=password]").fill("pacs-secret-1")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .field-wrong")).to_contain_text("https")
        await page.locator("[name=address]").fill("https://pacs.example/dicom-web")
        await page.locator(ACT).click()
        system = page.locator(".system", has_text="影像系统")
        for words in ("已登记", "https://pacs.example/dicom-web", "yima", "已保存"):
            await expect(system).to_contain_text(words)
        await system.get_by_role("button", name="修改").click()
        await expect(page.locator("[name=password]")).to_have_value("")
        await page.keyboard.press("Escape")
        assert heard
        assert "pacs-secret-1" not in "".join(heard)
        await system.get_by_role("button", name="断开").click()
        await page.locator(ACT).click()
        await expect(system).to_contain_text("未登记")


async def test_only_those_whose_part_it_is_see_it(chromium: Browser, service: Service) -> None:
    await service.hospital(name="湘潭市第三医院")
    async with desk_of(chromium, service, "custodian") as page:
        await expect(page.locator(".hospital", has_text="湘潭市第三医院")).to_be_visible()
        await expect(page.locator("#glasses, #recognised, [data-key^=systems-]")).to_have_count(0)
