"""The stand-in service with bills behind it: as a patient pays them, and as a window makes, cashes and refunds them."""

from dataclasses import dataclass, field
from typing import Any

from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from tests.pages.fake_desk import FakeDesk
from tests.pages.fake_service import CSRF, FakeService, Json, problem

HOSPITAL = {"hospital_id": "hospital-1", "name": "长沙市第一医院"}
PARTS = ("fund", "account", "hospital", "cash")
JSAPI: Json = {
    "appId": "wx0123456789abcdef",
    "timeStamp": "1795500000",
    "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
    "package": "prepay_id=wx201410272009395522657a690389285100",
    "signType": "RSA",
    "paySign": "oR9d8PuhnIc+YZ8cBHFCwfgpaK9gd7vaRvkYD7rthRAZ",
}


def item(name: str = "血常规", quantity: str = "1", price: int = 2500, back: str = "0", **more: Any) -> Json:
    """A line of a bill; its amount is what a whole quantity costs unless `more` says otherwise."""
    return {
        "item_id": f"item-{name}",
        "code": "250101015",
        "name": name,
        "category": "化验费",
        "quantity": quantity,
        "price_fen": price,
        "amount_fen": round(float(quantity) * price),
        "refunded_quantity": back,
    } | more


def bill(
    name: str = "bill-1", status: str = "due", parts: tuple[int, ...] = (4950, 660, 330, 660), **more: Any
) -> Json:
    """A bill of 66 yuan; `parts`: fund, account, hospital, cash."""
    return {
        "bill_id": name,
        "hospital": HOSPITAL,
        "visit_number": "MZ20261124001",
        "status": status,
        "self_paid": False,
        "items": [item(), item("胸部正位片", price=4100)],
        "total_fen": sum(parts),
        **{f"{part}_fen": fen for part, fen in zip(PARTS, parts, strict=True)},
        "setl_id": None,
        "payments": [],
        "refunds": [],
        "at": "2026-11-24T08:00:00Z",
        "paid_at": None,
    } | more


def payment(status: str = "succeeded", *, method: str = "wechat", fen: int = 660) -> Json:
    """A payment, in its bill."""
    expires = "2031-11-24T08:15:00Z" if method == "wechat" else None
    return {"payment_id": "payment-1", "method": method, "status": status, "amount_fen": fen} | {
        "at": "2026-11-24T08:05:00Z",
        "expires_at": expires,
    }


def paid(name: str = "bill-1", status: str = "paid", *, method: str = "wechat", **more: Any) -> Json:
    """A bill that was paid."""
    done = {"payments": [payment(method=method)], "paid_at": "2026-11-24T08:05:00Z", "setl_id": "S2026112400017"}
    return bill(name, status, **(done | more))


def refund(status: str = "succeeded", kind: str = "items", parts: tuple[int, ...] = (1800, 250, 200, 250)) -> Json:
    """A refund of one item."""
    return {
        "refund_id": f"refund-{status}-{kind}",
        "bill_id": "bill-1",
        "kind": kind,
        "status": status,
        "total_fen": sum(parts),
        **{f"{part}_fen": fen for part, fen in zip(PARTS, parts, strict=True)},
        "items": [{"item_id": "item-血常规", "quantity": "1"}] if kind == "items" else [],
        "reason": "没有做",
        "at": "2026-11-24T09:00:00Z",
    }


@dataclass
class FakeBills(FakeService):
    """What a patient sees of bills, and what was sent.

    `states`: what a payment is at the next looks, the last one from then on; `refusal`: how paying is refused next;
    `thumbs`: what the sandbox was told; `jsapi`: what a payment is paid with.
    """

    bills: list[Json] = field(default_factory=lambda: [bill()])
    messages: list[Json] = field(default_factory=list)
    states: list[str] = field(default_factory=lambda: ["pending"])
    refusal: HTTPResponse | None = None
    thumbs: list[Json] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    looks: int = 0
    jsapi: Json | None = field(default_factory=lambda: dict(JSAPI))
    mine: bool = True

    def blueprint(self) -> Blueprint:
        """The calls that the page makes."""
        blueprint = super().blueprint()
        for handler, path, method in (
            (self._list_bills, "/v1/patient/cards/<card:str>/bills", "GET"),
            (self._bill, "/v1/patient/bills/<name:str>", "GET"),
            (self._pay, "/v1/patient/bills/<name:str>/payments", "POST"),
            (self._payment, "/v1/patient/payments/<name:str>", "GET"),
            (self._cancel, "/v1/patient/payments/<name:str>/cancel", "POST"),
            (self._messages, "/v1/patient/messages", "GET"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"bills-{handler.__name__}")
        return blueprint

    def sandbox(self) -> Blueprint:
        """The demo's sandbox, on an origin of its own."""
        blueprint = Blueprint("fake-sandbox")
        blueprint.add_route(self._thumb, "/sandbox/pay", methods=["POST", "OPTIONS"])
        return blueprint

    async def _thumb(self, request: Request) -> HTTPResponse:
        if request.method == "POST":
            self.thumbs.append(request.json)
            if request.json["result"] == "success":
                self.states = ["pending", "succeeded"]
        allowed = {"Access-Control-Allow-Origin": request.headers["origin"]}
        return response.empty(headers=allowed | {"Access-Control-Allow-Headers": "content-type"})

    async def _list_bills(self, request: Request, card: str) -> HTTPResponse:
        return response.json({"bills": self.bills, "next_cursor": None})

    async def _bill(self, request: Request, name: str) -> HTTPResponse:
        return response.json(next(each for each in self.bills if each["bill_id"] == name))

    def _shown(self, state: str) -> Json:
        of = self.bills[0]
        if state == "succeeded":
            of |= {"status": "paid", "paid_at": "2026-11-24T08:05:00Z", "setl_id": "S1", "payments": [payment()]}
        elif state == "closed":
            of |= {"status": "due", "payments": [payment("closed")]}
        live = state == "pending"
        return payment(state, fen=of["cash_fen"]) | {"bill_id": of["bill_id"], "jsapi": self.jsapi if live else None}

    async def _pay(self, request: Request, name: str) -> HTTPResponse:
        self.keys.append(request.headers["idempotency-key"])
        if self.refusal:
            return self.refusal
        self.bills[0] |= {"status": "settling", "payments": [payment("pending")]}
        return response.json(self._shown("pending" if self.bills[0]["cash_fen"] else "succeeded"), 201)

    async def _payment(self, request: Request, name: str) -> HTTPResponse:
        if not self.mine:
            return problem("not-found", 404)
        self.looks += 1
        return response.json(self._shown(self.states.pop(0) if len(self.states) > 1 else self.states[0]))

    async def _cancel(self, request: Request, name: str) -> HTTPResponse:
        self.states = ["closed"]
        return response.json(self._shown("closed"))

    async def _messages(self, request: Request) -> HTTPResponse:
        return response.json({"messages": self.messages, "next_cursor": None})


@dataclass
class FakeDeskBills(FakeDesk):
    """What a window sees of bills, and what it sent: act, body and Idempotency-Key."""

    bills: list[Json] = field(default_factory=list)
    sent: list[tuple[str, Json, str]] = field(default_factory=list)
    refusals: list[HTTPResponse] = field(default_factory=list)
    changed: Json | None = None

    def blueprint(self) -> Blueprint:
        """The calls of the page, those of bills among them."""
        blueprint = super().blueprint()
        person, one = "/v1/hospital/resolutions/<resolution_id:str>/bills", "/v1/hospital/bills/<name:str>"
        for handler, path, method in (
            (self._list_bills, person, "GET"),
            (self._make, person, "POST"),
            (self._bill, one, "GET"),
            (self._do, f"{one}/<what:str>", "POST"),
        ):
            blueprint.add_route(handler, path, methods=[method], name=f"desk-bills-{handler.__name__}")
        return blueprint

    def _take(self, what: str, request: Request) -> HTTPResponse | None:
        assert request.headers["x-csrf-token"] == CSRF
        self.sent.append((what, request.json, request.headers["idempotency-key"]))
        return self.refusals.pop(0) if self.refusals else None

    async def _list_bills(self, request: Request, resolution_id: str) -> HTTPResponse:
        return response.json({"bills": self.bills, "next_cursor": None})

    async def _make(self, request: Request, resolution_id: str) -> HTTPResponse:
        if refused := self._take("make", request):
            return refused
        asked = request.json
        lines = [
            item(**{"name": one["name"], "quantity": one["quantity"], "price": one["price_fen"]})
            for one in asked["items"]
        ]
        more = {"items": lines, "visit_number": asked["visit_number"], "self_paid": asked["self_paid"]}
        self.bills.insert(0, bill(f"bill-{len(self.bills) + 1}", **more))
        return response.json(self.bills[0], 201)

    async def _bill(self, request: Request, name: str) -> HTTPResponse:
        return response.json(next(each for each in self.bills if each["bill_id"] == name))

    async def _do(self, request: Request, name: str, what: str) -> HTTPResponse:
        of = next(each for each in self.bills if each["bill_id"] == name)
        if refused := self._take(what, request):
            of |= self.changed or {}
            return refused
        if what == "cancel":
            of |= {"status": "cancelled"}
            return response.json(of)
        if what == "payments":
            of |= paid(name, method="window") | {"items": of["items"]}
            return response.json(payment(method="window") | {"bill_id": name, "jsapi": None}, 201)
        of |= {"status": "partly-refunded", "refunds": [refund("pending")]}
        return response.json(of["refunds"][0], 201)
