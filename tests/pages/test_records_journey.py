"""Records in browsers and on real parts: the laboratory's HL7 and the CT's DICOM come to A, the person decides, B reads
what it may and recognises it; then nothing, then the glass is broken, told, and reviewed.
"""

from datetime import datetime

from playwright.async_api import Browser, Page, expect

from tests.pages.admin_desk import ACT, desk_of
from tests.pages.test_booking_journey import PATIENCE, phone_of
from tests.pages.test_desk_records_browser import BODY, FILES, ROWS
from tests.pages.test_journey_browser import DESK, begin_shift
from tests.records.mllp.messages import msh, obr, obx, oru, pid
from tests.records.mllp.place import listening, register
from tests.support.booking import SHANGHAI
from tests.support.pacs import Orthanc, running_orthanc
from tests.support.records import Patient, Window, mark
from tests.support.service import Client, Service

NUMBER = "P20260417"
STATEMENT = "昏迷送医，疑服抗凝药，需知既往检查"


async def connected(service: Service, window: Window, orthanc: Orthanc) -> None:
    """Hospital A: its number of the person, its laboratory from this machine, its PACS."""
    path = f"/v1/hospital/resolutions/{window.resolution_id}/patient-number"
    await service.http.put(path, headers=window.headers, json={"patient_number": NUMBER})
    await register(service, window.client, recognition=mark(code="58410-2", name="血常规"))
    registrar = await service.admin("registrar")
    path = f"/v1/admin/hospitals/{window.hospital_id}/dicomweb"
    assert (await service.http.put(path, headers=registrar, json=orthanc.registration)).status_code == 200


async def delivered(service: Service, orthanc: Orthanc) -> None:
    """The laboratory sends a blood count, the scanner a slice, and the PACS is asked."""
    sampled, issued = (datetime.fromtimestamp(service.now() - hours * 3600, SHANGHAI) for hours in (26, 24))
    times = {"f7": f"{sampled:%Y%m%d%H%M%S}", "f22": f"{issued:%Y%m%d%H%M%S}"}
    header = msh(f7=f"{issued:%Y%m%d%H%M%S}+0800")
    async with listening(service) as place, place.lab() as lab:
        said = await lab.send(oru(pid(NUMBER), obr(**times), obx(f5="11.30", f8="H"), header=header))
        assert said["MSA-1"] == "AA", said
    await orthanc.send_ct(NUMBER)
    await service.services.imaging.turn(service.services)


async def at_the_scanner(page: Page, service: Service, me: Patient, client: Client) -> None:
    """B's clerk scans the person's code and opens their records."""
    await page.goto("/scanner")
    if await page.locator("[name=client_id]").count():
        await begin_shift(page, client, "W03")
    await page.keyboard.type(await service.code(me.headers, me.card))
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdict-accepted")).to_be_visible(timeout=PATIENCE)
    await page.keyboard.press("F6")


async def to_mine(phone: Page) -> None:
    """The person's own part; the first screen may show a code or where it was just scanned."""
    await phone.goto("/patient")
    await phone.locator(".tab").last.click()


async def to_consents(phone: Page) -> None:
    await to_mine(phone)
    await phone.get_by_role("button", name="谁可以看我的病历").click()


async def permit(phone: Page, hospital: str) -> None:
    """The person lets one hospital read everything for 30 days."""
    await to_consents(phone)
    await phone.get_by_role("button", name="让一家医院看").click()
    await phone.locator("[name=hospital]").fill(hospital)
    await phone.get_by_role("radio", name=hospital).click()
    await phone.get_by_role("button", name="我同意").click()
    await expect(phone.locator(".notice-calm").first).to_contain_text(hospital)


async def withdraw(phone: Page) -> None:
    await to_consents(phone)
    await phone.get_by_role("button", name="撤回").click()
    await phone.get_by_role("button", name="确认撤回").click()
    await expect(phone.locator(".notice-calm").first).to_contain_text("已撤回")


async def recognise(desk: Page) -> None:
    """Is there one that need not be repeated? There is, and it is accepted."""
    await desk.get_by_role("tab", name="可互认结果").click()
    await desk.get_by_role("button", name="血常规 58410-2").click()
    await desk.get_by_role("radio", name="30 天内采样").click()
    await desk.locator(ROWS).first.click()
    await desk.locator(f"{FILES} .rec-item").get_by_role("button", name="采用此结果").first.click()
    await expect(desk.locator(FILES)).to_contain_text("采用", timeout=PATIENCE)


async def break_the_glass(desk: Page) -> None:
    await desk.get_by_role("button", name="破窗查阅").click()
    form = desk.locator("form.glass")
    await form.get_by_role("radio", name="危及生命").click()
    await form.locator("textarea").fill(STATEMENT)
    await form.locator("[name=read]").check()
    await expect(form.locator("[type=submit]")).to_be_enabled(timeout=PATIENCE)
    await form.locator("[type=submit]").click()
    await expect(desk.locator(ROWS)).to_have_count(2, timeout=PATIENCE)


async def test_sent_permitted_read_recognised_withdrawn_broken_and_reviewed(
    chromium: Browser, service: Service
) -> None:
    person = service.person("欧阳明远")
    context, phone = await phone_of(chromium, service, person)
    cards = await service.http.get("/v1/patient/cards", headers=await service.patient(person))
    me = Patient(service, await service.patient(person), cards.json()["cards"][0])
    a = await me.at("长沙市第一医院")
    other = await service.client(name="武汉市第二医院")
    async with running_orthanc() as orthanc:
        await connected(service, a, orthanc)
        await delivered(service, orthanc)
        await to_mine(phone)
        await phone.get_by_role("button", name="病历报告").click()
        await expect(phone.locator(".record")).to_have_count(2)

        desk = await chromium.new_page(base_url=str(service.http.base_url), viewport=DESK, locale="zh-CN")
        desk.set_default_timeout(PATIENCE)
        await at_the_scanner(desk, service, me, other)
        await expect(desk.locator(BODY)).to_contain_text("没有可查看的记录")

        await permit(phone, "武汉市第二医院")
        await at_the_scanner(desk, service, me, other)
        await expect(desk.locator(ROWS)).to_have_count(2)
        await desk.locator(ROWS).filter(has_text="血常规").click()
        await expect(desk.locator(f"{FILES} .rec-record")).to_contain_text("11.30")
        await at_the_scanner(desk, service, me, other)
        await desk.locator(ROWS).filter(has_text="CT").click()
        await expect(desk.locator(f"{FILES} .rec-frame img").first).to_be_visible(timeout=PATIENCE)
        await at_the_scanner(desk, service, me, other)
        await recognise(desk)

        await withdraw(phone)
        await at_the_scanner(desk, service, me, other)
        await expect(desk.locator(BODY)).to_contain_text("没有可查看的记录")
        await break_the_glass(desk)

    await to_mine(phone)
    await phone.get_by_role("button", name="通知").click()
    told = phone.locator(".moment").first
    await expect(told).to_contain_text("武汉市第二医院")
    await told.get_by_role("button", name="谁看过我的信息").click()
    await expect(phone.locator("main")).to_contain_text("破窗期间")
    assert "武汉市第二医院" in await service.last_text(person.phone)
    async with desk_of(chromium, service, "auditor") as auditor:
        row = auditor.locator(".glass-row", has_text=STATEMENT)
        await row.get_by_role("button", name="有正当理由", exact=True).click()
        await auditor.locator("[name=note]").fill("抢救属实")
        await auditor.locator(ACT).click()
        await expect(row).to_have_count(0)
    (decided,) = (await me.get("records", kind="laboratory")).json()["records"][0]["recognitions"]
    assert (decided["hospital"], decided["decision"]) == ("武汉市第二医院", "accepted")
    await context.close()
    await desk.close()
