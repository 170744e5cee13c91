"""Everything that is done with money, with what must stand nowhere noted on the way."""

from tests.support.payment import Till, item, ok, open_till
from tests.support.people import insurance_of
from tests.support.service import Service


async def payment_journey(service: Service, seen: dict[str, str]) -> None:
    """Bills made, paid by phone and at the window, cancelled and refunded, answers lost on the way."""
    person = service.person()
    till = await open_till(service, person)
    seen["insurance of a payer"] = insurance_of(person)["number"]
    seen["psn_no"], seen["payer's openid"] = person.psn_no, person.openid
    items = [
        item(name="乙肝表面抗原独一份", code="XQ-7731-HBSAG"),
        item(5000, "2", name="心电图独一份", category="检查甲乙丙"),
    ]
    seen |= {"item": "乙肝表面抗原独一份", "item code": "XQ-7731-HBSAG", "category": "检查甲乙丙"}
    bill = await till.bill(items, visit_number="V-UNIQUE-90417")
    seen["visit"] = "V-UNIQUE-90417"
    await _prepaid(till, bill, seen)
    await till.until(bill, "paid")
    seen["refund's why"] = "患者临时取消独一份"
    first = [{"item_id": bill["items"][0]["item_id"], "quantity": "1"}]
    ok(await till.ask_refund(bill, items=first, reason="患者临时取消独一份"), 201)
    await till.until(bill, "partly-refunded")
    await _with_faults(service, till)


async def _prepaid(till: Till, bill: dict[str, str], seen: dict[str, str]) -> None:
    payment = await till.begin(bill)
    seen["prepay_id"] = payment["jsapi"]["package"].removeprefix("prepay_id=")
    await till.thumb(payment)


async def _with_faults(service: Service, till: Till) -> None:
    """What goes wrong is logged, and says nothing of whom."""
    for fault in ("error", "http-500", "drop-answer"):
        await service.fault("insurer", fault, match={"infno": "2207"}, set={"text": "参保人信息"})
        await till.ask_payment(await till.bill())
        await service.fault("wechat-pay", fault, match={"path": "/jsapi"}, times=2)
        await till.ask_payment(await till.bill())
    await till.cancel(await till.begin(await till.bill()))
    await till.at_window(await till.bill())
    await till.cancel_bill(await till.bill(self_paid=True))
    await service.http.post("/v1/notify/wechat-pay", json={"id": "forged"})
    await till.hurry()
