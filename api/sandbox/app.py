"""The sandbox as one Sanic app: the simulated systems, the levers and a page."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from sanic import Request, Sanic
from sanic.config import Config
from sanic.response import HTTPResponse, empty, html, raw

from api.sandbox.config import SandboxSecrets
from api.sandbox.insurer import add_insurer
from api.sandbox.kept import keep_books
from api.sandbox.levers import Order
from api.sandbox.page import HEADERS, outbox_page
from api.sandbox.pay_keys import PayKeys
from api.sandbox.pay_levers import add_pay_levers
from api.sandbox.people import PEOPLE, Person
from api.sandbox.registry import add_registry
from api.sandbox.sms import add_sms
from api.sandbox.wechat import add_wechat
from api.sandbox.wechat_pay import add_wechat_pay
from api.sandbox.world import World

App: TypeAlias = Sanic[Any, Any]


def create_sandbox(
    name: str = "yima-sandbox",
    people: tuple[Person, ...] = PEOPLE,
    secrets: SandboxSecrets | None = None,
    *,
    now: Callable[[], float] = time.time,
    token_life: int = 7200,
    pay_keys: PayKeys | None = None,
    state: Path | None = None,
    notify_host: str | None = None,
) -> App:
    """A sandbox of its own state. name: unique in the process. now: Unix seconds. token_life: of access tokens.

    pay_keys: WeChat Pay's; without them it refuses every call. state: a file that keeps the books of money.
    notify_host: a host that may be notified of payments besides this machine's own names.
    `app.ctx.world`, `app.ctx.tokens` and `app.ctx.pay` are its state, for tests in the same process.
    """
    config: Config = Config({"RESPONSE_TIMEOUT": 120, "KEEP_ALIVE_TIMEOUT": 75, "GRACEFUL_SHUTDOWN_TIMEOUT": 1.0})
    config.update({"REQUEST_MAX_SIZE": 16 * 1024 * 1024, "FALLBACK_ERROR_FORMAT": "json", "ACCESS_LOG": False})
    config.update({"TOUCHUP": False, "MOTD": False})  # TouchUp rewrites Sanic itself, once a process
    app: App = Sanic(name, config=config, configure_logging=False)
    world = World(people, secrets or SandboxSecrets(), now, token_life)
    app.ctx.world = world
    app.ctx.tokens = add_wechat(app, world)
    add_registry(app, world)
    add_sms(app, world)
    add_insurer(app, world)
    app.ctx.pay = pay = add_wechat_pay(app, world, pay_keys, notify_host)
    _add_levers(app, world)
    add_pay_levers(app, pay)
    if state:
        keep_books(app, world, state)

    async def start(_app: App) -> None:
        pay.resume()

    async def stop(_app: App) -> None:
        world.stopping.set()
        await pay.stop()

    app.register_listener(start, "after_server_start")
    app.register_listener(stop, "before_server_stop")
    return app


def _add_levers(app: App, world: World) -> None:
    async def order(request: Request) -> HTTPResponse:
        try:
            wanted = msgspec.json.decode(request.body, type=Order)
        except (msgspec.MsgspecError, ValueError) as wrong:
            return _json({"error": str(wrong)}, 422)
        return _json(world.faults.add(wanted).shown(), 201)

    async def ordered(_request: Request) -> HTTPResponse:
        return _json({"faults": world.faults.shown()})

    async def clear(_request: Request) -> HTTPResponse:
        world.faults.clear()
        return empty()

    async def calls(_request: Request) -> HTTPResponse:
        return _json({"calls": world.calls.shown()})

    async def outbox(request: Request) -> HTTPResponse:
        phone = request.args.get("phone")
        messages = [one for one in world.outbox if phone in (None, one.phone)]
        return _json({"messages": [{"at": one.at, "phone": one.phone, "text": one.text} for one in messages]})

    async def page(_request: Request) -> HTTPResponse:
        return html(outbox_page(world), headers=HEADERS)

    app.add_route(order, "/sandbox/faults", methods=["POST"], name="order")
    app.add_route(ordered, "/sandbox/faults", methods=["GET"], name="ordered")
    app.add_route(clear, "/sandbox/faults", methods=["DELETE"], name="clear")
    app.add_route(calls, "/sandbox/calls", methods=["GET"], name="calls")
    app.add_route(outbox, "/sandbox/outbox", methods=["GET"], name="outbox")
    app.add_route(page, "/", methods=["GET"], name="page")


def _json(body: dict[str, Any], status: int = 200) -> HTTPResponse:
    return raw(msgspec.json.encode(body), status=status, content_type="application/json")
