"""The levers over money: the payer's thumb, notifications again, statements before their time, and the books."""

from datetime import date
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from sanic import Request, Sanic
from sanic.response import HTTPResponse, empty, raw

from api.sandbox.wechat_pay import Pay, is_here

Wanted = TypeVar("Wanted")


class Thumb(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /sandbox/pay."""

    prepay_id: str
    result: Literal["success", "fail", "cancel"] = "success"


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /sandbox/notify: one of the two."""

    out_trade_no: str | None = None
    out_refund_no: str | None = None


class Day(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /sandbox/statements."""

    date: date


def add_pay_levers(app: Sanic[Any, Any], pay: Pay) -> None:
    """Serve the levers on `app`."""
    world = pay.world

    async def thumb(request: Request) -> HTTPResponse:
        return _with_origin(request, _pressed(pay, request))

    async def preflight(request: Request) -> HTTPResponse:
        return _with_origin(request, empty())

    async def again(request: Request) -> HTTPResponse:
        wanted = _read(request, Again)
        return _no("body", 422) if wanted is None else _notified_again(pay, wanted)

    async def ready(request: Request) -> HTTPResponse:
        wanted = _read(request, Day)
        if wanted is None:
            return _no("date", 422)
        if wanted.date.isoformat() not in world.pay_books.ready:
            world.pay_books.ready.append(wanted.date.isoformat())
        return empty()

    async def books(_request: Request) -> HTTPResponse:
        return _json({"insurer": world.insurer_books.shown(), "wechat": world.pay_books.shown()})

    app.add_route(thumb, "/sandbox/pay", methods=["POST"], name="thumb")
    app.add_route(preflight, "/sandbox/pay", methods=["OPTIONS"], name="thumb-preflight")
    app.add_route(again, "/sandbox/notify", methods=["POST"], name="notify-again")
    app.add_route(ready, "/sandbox/statements", methods=["POST"], name="statement-ready")
    app.add_route(books, "/sandbox/books", methods=["GET"], name="books")


def _pressed(pay: Pay, request: Request) -> HTTPResponse:
    wanted = _read(request, Thumb)
    if wanted is None:
        return _no("body", 422)
    books = pay.world.pay_books
    if wanted.prepay_id not in books.prepaid:
        return _no("no such prepay_id", 404)
    order = books.orders[books.prepaid[wanted.prepay_id]]
    if order.state != "NOTPAY":
        return _no(f"the order is {order.state}", 409)
    if wanted.result == "success":  # a payment that failed or was given up leaves the order as it was
        pay.tell(books.pay(wanted.prepay_id, pay.world.now()))
    return empty()


def _notified_again(pay: Pay, wanted: Again) -> HTTPResponse:
    books = pay.world.pay_books
    owed = books.refunds.get(wanted.out_refund_no or "") or books.orders.get(wanted.out_trade_no or "")
    if owed is None:
        return _no("unknown", 404)
    if owed.success_at is None:
        return _no("nothing to tell yet", 409)
    pay.tell(owed)
    return empty()


def _read(request: Request, kind: type[Wanted]) -> Wanted | None:
    try:
        return msgspec.json.decode(request.body, type=kind)
    except (msgspec.MsgspecError, ValueError):
        return None


def _with_origin(request: Request, answer: HTTPResponse) -> HTTPResponse:
    """The demo's page, from another port of this machine, may press the thumb."""
    origin = request.headers.get("origin", "")
    if is_here(urlsplit(origin).hostname):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Methods"] = "POST"
        answer.headers["Access-Control-Allow-Headers"] = "content-type"
        answer.headers["Vary"] = "Origin"
    return answer


def _no(why: str, status: int) -> HTTPResponse:
    return _json({"error": why}, status)


def _json(body: dict[str, Any], status: int = 200) -> HTTPResponse:
    return raw(msgspec.json.encode(body), status=status, content_type="application/json")
