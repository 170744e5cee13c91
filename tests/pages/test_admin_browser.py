"""/admin in a browser and on real parts: a key cut off, from the click to the new code on the patient's page."""

import asyncio

from playwright.async_api import Browser, Page, Response, Route, expect

from codes.verify import authenticate
from tests.pages.admin_desk import ACT, begin_compromise, desk_of, focused, kid_of, sign_in, token_of
from tests.pages.test_journey_browser import LIVE, PHONE, with_a_card
from tests.support.service import Client, Service, refused

SOON = 6_000  # ms: a second to hear of the event, and a busy machine
FOR_NOBODY = 2**62  # a handle that no card has


class Phone:
    """A patient's page, and the codes that it was given."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page = page
        self.codes: list[str] = []
        self._came = asyncio.Condition()
        self._service = service
        page.on("response", self._heard)

    async def _heard(self, response: Response) -> None:
        if response.url.partition("?")[0].endswith("/codes") and response.ok:
            code = (await response.json())["code"]
            async with self._came:
                self.codes.append(code)
                self._came.notify_all()

    async def renewed(self, known: int) -> None:
        """Waits until a code came that was not among the first `known`, and is shown."""
        async with asyncio.timeout(SOON / 1000), self._came:
            await self._came.wait_for(lambda: len(self.codes) > known)
        await expect(self.page.locator(LIVE)).to_be_visible()

    def kid(self) -> str:
        """The kid of the newest code."""
        return authenticate(self.codes[-1], self._service.services.vault.ring).kid.hex()


async def test_from_the_click_to_the_new_code_on_the_patients_page(chromium: Browser, service: Service) -> None:
    context = await chromium.new_context(base_url=str(service.http.base_url), viewport=PHONE, locale="zh-CN")
    phone = Phone(await context.new_page(), service)
    await with_a_card(phone.page, service.person("林知夏"))
    hospital = await service.hospital(name="长沙市第一医院")
    await service.resolved(hospital, phone.codes[0])
    known = len(phone.codes)
    await phone.page.get_by_role("button", name="出示新码").click()
    await phone.renewed(known)
    old = phone.codes[-1]
    async with desk_of(chromium, service, "custodian") as first, desk_of(chromium, service, "custodian") as second:
        key = first.locator(".purpose").first.locator(".key-active")
        kid = await kid_of(key)
        assert phone.kid() == kid
        await expect(first.locator(".now-key")).to_contain_text(kid)
        await begin_compromise(first, key)
        await expect(first.locator(".act-count")).to_contain_text("1 次扫码将立即结束")

        # Nothing happens without a reason, nor by another word than the kid.
        await first.locator(ACT).click()
        await expect(first.locator("dialog .field-wrong")).to_have_count(1)
        await first.locator("[name=reason]").fill("签名密钥泄露")
        await first.locator("[name=word]").fill("yes")
        await first.locator(ACT).click()
        await expect(first.locator("dialog .field-wrong")).to_contain_text(kid)
        assert await service.value("SELECT state FROM keys WHERE kid = $1", bytes.fromhex(kid)) == "active"

        await first.locator("[name=word]").fill(kid)
        known = len(phone.codes)
        await first.locator(ACT).click()
        await phone.renewed(known)
        await expect(first.locator(".step-done")).to_have_count(3, timeout=SOON)
        await expect(first.locator("dialog h3")).to_have_text("已完成")
        await expect(first.locator(".step-done").first).to_contain_text("1 次扫码已结束")

        assert phone.kid() != kid
        refused(await service.scan(hospital, old), 422, "code-not-authentic")
        assert (await service.scan(hospital, phone.codes[-1], terminal="W02")).status_code == 201

        await first.keyboard.press("Escape")
        await expect(first.locator(".now-key")).to_contain_text(phone.kid())
        mine = first.locator(".approval", has_text=kid)
        await expect(mine).to_contain_text("由您提出")
        await expect(mine.locator("button")).to_have_count(0)
        theirs = second.locator(".approval", has_text=kid)
        await expect(theirs).to_contain_text("签名密钥泄露")
        await theirs.locator("button").click()
        await expect(theirs).to_have_count(0)
        await expect(mine).to_have_count(0, timeout=SOON)
    await context.close()


async def test_a_rotation_and_a_page_that_is_stale(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "custodian") as page:
        await page.locator("[data-key=rotate-token]").click()
        await page.locator(ACT).click()
        await expect(page.locator("dialog .notice-calm")).to_contain_text("已公布")
        await page.keyboard.press("Escape")
        key = page.locator(".purpose").nth(1).locator(".key-pending")
        await expect(key).to_contain_text("公布时间满足要求")
        await key.locator("summary").click()
        await key.locator(".button-plain").first.click()
        await page.locator("[name=reason]").fill("计划内轮换")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .notice-again")).to_contain_text("须等待公布时间满足要求，最早")

        # Meanwhile somebody else changes the ring: what this dialog saw is not so any more.
        await rotate_beside(service, "print")
        await page.locator(ACT).click()
        await expect(page.locator("dialog .notice-again")).to_contain_text("密钥已被他人更改")
        await expect(page.locator(ACT)).to_have_count(0)


async def rotate_beside(service: Service, purpose: str) -> str:
    """The kid of a new pending key of a purpose, by another custodian; one that is pending is cut off first."""
    me = await service.admin("custodian")
    for row in await service.sql("SELECT kid FROM keys WHERE purpose = $1 AND state = 'pending'", purpose):
        path = f"/v1/admin/keys/{row['kid'].hex()}/compromise"
        assert (await service.http.post(path, headers=me, json={"reason": "left over"})).status_code == 200
    asked = {"purpose": purpose, "when": "scheduled"}
    made = await service.http.post("/v1/admin/keys/rotations", headers=me, json=asked)
    assert made.status_code == 201
    return str(made.json()["kid"])


async def test_a_page_drawn_anew_moves_nobody(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "custodian") as page:
        pending = page.locator(".purpose").nth(2).locator(".key-pending code")
        code = page.locator(".purpose").first.locator(".key-active")
        await code.locator("summary").click()
        kid = await kid_of(code)
        await code.locator(".button-danger").focus()
        made = await rotate_beside(service, "print")
        await expect(pending).to_have_text(made, timeout=SOON)
        await expect(code.locator("details")).to_have_attribute("open", "")
        assert await focused(page) == f"compromise-plain-{kid}"

        # What is typed in a dialog stays; Escape closes it and goes back to the button, drawn anew or not.
        await page.keyboard.press("Enter")
        await page.locator("[name=reason]").fill("一个还没写完的原因")
        made = await rotate_beside(service, "print")
        await expect(pending).to_have_text(made, timeout=SOON)
        await expect(page.locator("[name=reason]")).to_have_value("一个还没写完的原因")
        await expect(page.locator("[name=reason]")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)
        assert await focused(page) == f"compromise-plain-{kid}"


async def test_an_auditor_sees_the_audit_and_nothing_to_press(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "auditor") as page:
        await expect(page.locator(".key-active")).to_have_count(3)
        await expect(page.locator(".key-acts, .purpose-head button, .approval button")).to_have_count(0)
        await rotate_beside(service, "print")
        newest = page.locator(".entry").first
        await expect(newest).to_contain_text("custodian-", timeout=SOON)
        await expect(newest).to_contain_text("变更密钥状态")


async def test_a_registrar_adds_a_hospital_and_a_client_and_disables_it(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "registrar") as page:
        # The first answer is lost on its way: the same attempt again makes no second hospital.
        await page.route("**/v1/admin/hospitals", lose_the_answer)
        await page.locator("#hospitals + button").click()
        for name, value in (("name", "株洲市医院"), ("code", "H43020000003"), ("area", "4302")):
            await page.locator(f"dialog [name={name}]").fill(value)
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog .field-wrong")).to_have_text("请填写 6 位数字")
        await page.locator("dialog [name=area]").fill("430200")
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog .notice-again")).to_contain_text("没有收到结果")
        await page.unroute("**/v1/admin/hospitals")
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog")).to_have_count(0)
        row = page.locator(".hospital", has_text="株洲市医院")
        await expect(row).to_have_count(1)
        assert await service.value("SELECT count(*) FROM hospitals WHERE name = '株洲市医院'") == 1
        await row.locator("summary").first.click()
        await row.locator("button").click()
        await page.locator("dialog [name=name]").fill("HIS")
        await page.keyboard.press("Enter")
        await expect(page.locator(".secrets code")).to_have_count(2)
        client_id, secret = await page.locator(".secrets code").all_inner_texts()
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)
        assert secret not in await page.content()
        made = Client("", client_id, secret)
        assert (await service.token(made)).status_code == 200
        await row.locator(".button-danger").click()
        await page.locator(ACT).click()
        await expect(row.locator(".chip")).to_have_text("已停用")
        assert (await service.token(made)).status_code == 401


async def lose_the_answer(route: Route) -> None:
    """The call reaches the service; its answer does not come back."""
    await route.fetch()
    await route.abort()


async def test_signing_out_ends_the_session(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "auditor") as page:
        cookies = await page.context.cookies()
        assert [cookie["httpOnly"] for cookie in cookies if cookie["name"] == "yima_admin"] == [True]
        assert {cookie["sameSite"] for cookie in cookies} == {"Strict"}
        await page.locator(".desk-bar button").click()
        await expect(page.locator("[name=token]")).to_be_focused()
        kept = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
        refused(await service.http.get("/v1/admin/keys", headers={"Cookie": kept}), 401, "unauthenticated")


async def test_a_session_that_ended_asks_to_sign_in(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "auditor") as page:
        name = await page.locator(".desk-who strong").inner_text()
        await service.sql("UPDATE admins SET disabled_at = now() WHERE name = $1", name)
        await expect(page.locator(".notice-again")).to_contain_text("登录已到期", timeout=SOON)


async def test_a_wrong_token_is_told_so(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "auditor") as page:
        await page.locator(".desk-bar button").click()
        await page.locator("[name=token]").fill("yadm_nobody")
        await page.keyboard.press("Enter")
        await expect(page.locator(".notice-again")).to_contain_text("令牌不正确或已过期")
        await expect(page.locator("[name=token]")).to_be_focused()
        await sign_in(page, await token_of(service, "auditor"))


async def test_the_cookie_alone_changes_nothing(chromium: Browser, service: Service) -> None:
    acts = {
        "keys/rotations": {"purpose": "code", "when": "now"},
        "keys/00000000/compromise": {"reason": "x"},
        "keys/ring/confirm": {"reason": "x"},
    }
    async with desk_of(chromium, service, "custodian") as page:
        for path, body in acts.items():
            answer = await page.context.request.post(f"/v1/admin/{path}", data=body)
            assert (answer.status, (await answer.json())["code"]) == (403, "not-allowed"), path


async def test_a_database_put_back_is_told_and_confirmed(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "custodian") as page:
        keeper = service.services.keeper
        keeper.seen.note(keeper.vault.ring.version + 1000)
        banner = page.locator(".now .notice-refused", has_text="早于已见过的版本")
        await expect(banner).to_be_visible(timeout=SOON)
        await expect(banner).to_have_attribute("role", "alert")
        await banner.locator("button").click()
        await page.locator("[name=reason]").fill("从备份恢复，已核对")
        await page.locator(ACT).click()
        await expect(banner).to_have_count(0, timeout=SOON)
        assert not keeper.rolled_back


async def test_a_forged_signature_is_an_alarm_until_its_key_is_cut_off(chromium: Browser, service: Service) -> None:
    hospital = await service.hospital(name="武汉市第二医院")
    async with desk_of(chromium, service, "custodian") as page, desk_of(chromium, service, "auditor") as auditor:
        forged = await service.own_code({}, iat=int(service.now()), handle=FOR_NOBODY)
        refused(await service.scan(hospital, forged.text, terminal="W99"), 422, "code-not-authentic")
        alarm = page.locator(".now .notice-refused", has_text="伪造签名报警")
        await expect(alarm).to_contain_text("武汉市第二医院，终端 W99", timeout=SOON)
        told = auditor.locator(".now .notice-refused", has_text="伪造签名报警")
        await expect(told).to_contain_text("通知密钥管理员", timeout=SOON)
        await expect(told.locator("button")).to_have_count(0)
        kid = forged.kid.hex()
        await alarm.locator("button").click()
        await expect(page.locator("dialog h2")).to_contain_text(kid)
        await page.locator("[name=reason]").fill("伪造签名")
        await page.locator("[name=word]").fill(kid)
        await page.keyboard.press("Enter")
        await expect(page.locator(".step-done")).to_have_count(3, timeout=SOON)
        await page.keyboard.press("Escape")
        await expect(alarm).to_have_count(0)
        await expect(page.locator(".now")).to_contain_text("所用密钥已停用")


async def test_a_lost_connection_is_said_once_and_comes_back_by_itself(chromium: Browser, service: Service) -> None:
    async with desk_of(chromium, service, "custodian") as page:
        await page.route("**/v1/admin/keys", lambda route: route.abort("internetdisconnected"))
        lost = page.locator(".desk-lost")
        await expect(lost).to_contain_text("网络不通", timeout=SOON)
        await expect(page.locator(".key-active")).to_have_count(3)
        await page.unroute("**/v1/admin/keys")
        await expect(lost).to_be_empty(timeout=SOON)
