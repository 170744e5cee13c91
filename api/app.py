"""The Sanic app: routes by subject, pages, documents, and the worker's tasks from start to stop."""

import asyncio
import contextlib
from importlib.metadata import version
from typing import Any, Final

from sanic import Sanic
from sanic.exceptions import MethodNotAllowed
from sanic.handlers import ErrorHandler
from sanic.request import Request
from sanic.response import HTTPResponse

from api import policies
from api.admin import approvals, reports
from api.admin import cards as admin_cards
from api.admin import hospitals as admin_hospitals
from api.admin import keys as admin_keys
from api.admin import session as admin_session
from api.booking import changes, patients, schedules, slots, waitings, windows
from api.hospital import clerks, resolutions, token
from api.leaving import account, export
from api.open import health, keys
from api.open.demo import demo_blueprint
from api.open.docs import docs_blueprint
from api.pages import pages_blueprint
from api.patient import accesses, cards, codes, events, freezing, session, verifications
from api.patient import hospitals as patient_hospitals
from api.payment import notify, reconciliations, unresolved
from api.payment import patients as paying_patients
from api.payment import windows as billing_windows
from api.records import consents, fhir, glass, posting, reading, recognising, reviewing
from api.records import patients as record_patients
from api.records.imaging import admin as imaging_admin
from api.records.imaging import images
from api.records.mllp import admin as mllp_admin
from api.services import Services
from api.web.answers import problem_response
from api.web.handlers import as_problem, language_of, request_id_of, wrap
from api.web.openapi import make_document
from api.web.routes import Route, Subject
from models import database
from models.appointments import go_on_counting

SUBJECTS: Final[tuple[Subject, ...]] = (
    session.subject,
    verifications.subject,
    cards.subject,
    freezing.subject,
    codes.subject,
    accesses.subject,
    events.subject,
    token.subject,
    clerks.subject,
    resolutions.subject,
    schedules.subject,
    slots.subject,
    patients.subject,
    waitings.subject,
    windows.subject,
    changes.subject,
    billing_windows.subject,
    paying_patients.subject,
    notify.subject,
    unresolved.subject,
    reconciliations.subject,
    posting.subject,
    reading.subject,
    recognising.subject,
    glass.subject,
    consents.subject,
    record_patients.subject,
    images.subject,
    patient_hospitals.subject,
    account.subject,
    export.subject,
    admin_hospitals.subject,
    imaging_admin.subject,
    mllp_admin.subject,
    admin_cards.subject,
    admin_session.subject,
    admin_keys.subject,
    reports.subject,
    reviewing.subject,
    approvals.subject,
    policies.subject,
    keys.subject,
    health.subject,
)
BODY_MOST: Final = 2 * 1024 * 1024  # what Sanic reads at all; each route has its own limit
IDLE_SECONDS: Final = 10  # to send a whole request; slower ones are answered 408


def all_routes() -> list[Route]:
    """Every operation of the API."""
    return [route for subject in SUBJECTS for route in subject.routes]


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of this build."""
    return make_document(all_routes(), version("yima"))


class Problems(ErrorHandler):
    """What goes wrong outside a handler (no route, a bad request line, a slow body) as a problem, too."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        """The answer."""
        request_id = request_id_of(request) if request else ""
        problem = as_problem(exception, self._services, request_id, "outside")
        self._services.metrics.problem("outside", problem.kind.code)
        response = problem_response(problem, language_of(request) if request else "zh", request_id)
        if isinstance(exception, MethodNotAllowed):
            response.headers["Allow"] = exception.headers["Allow"]  # RFC 9110 section 15.5.6
        return response


def create_app(services: Services) -> Sanic[Any, Any]:
    """The app of one worker."""
    app: Sanic[Any, Any] = Sanic(
        "yima", configure_logging=False, error_handler=Problems(services), env_prefix="YIMA_SANIC_"
    )
    app.config.update(
        REQUEST_MAX_SIZE=BODY_MOST,
        REQUEST_TIMEOUT=IDLE_SECONDS,
        RESPONSE_TIMEOUT=60,
        KEEP_ALIVE_TIMEOUT=75,
        GRACEFUL_SHUTDOWN_TIMEOUT=5,
        ACCESS_LOG=False,
        PROXIES_COUNT=services.settings.proxies or None,  # whose X-Forwarded-For and -Proto are believed
        FALLBACK_ERROR_FORMAT="json",
        EVENT_AUTOREGISTER=False,
    )
    app.ctx.services = services
    app.ctx.tasks = []
    for route in all_routes():
        methods = {route.method, "HEAD"} if route.method == "GET" else {route.method}
        app.add_route(wrap(route, services), route.path, methods=methods, name=route.name)
    app.blueprint(docs_blueprint(openapi_document()))
    demo = services.settings.demo
    app.blueprint(pages_blueprint(demo=demo, sandbox=services.settings.wechat_pay_url if demo else ""))
    if demo:
        app.blueprint(demo_blueprint())
    app.before_server_start(_start)
    app.before_server_stop(_stop)
    return app


async def _start(app: Sanic[Any, Any]) -> None:
    services: Services = app.ctx.services
    await database.connect(services.settings.database_url)
    await services.keeper.refresh()
    await go_on_counting()
    app.ctx.tasks += [
        asyncio.create_task(services.keeper.keep()),
        asyncio.create_task(services.keeper.listen()),
        asyncio.create_task(services.schedule.run(services)),
        asyncio.create_task(services.outbox.run(services)),
        asyncio.create_task(services.closing.run(services)),
        asyncio.create_task(services.glass_alarm.run(services)),
        asyncio.create_task(services.imaging.run(services)),
        asyncio.create_task(services.purge.run(services)),
        asyncio.create_task(services.money.run(services)),
        asyncio.create_task(services.reconciler.run(services)),
        asyncio.create_task(services.events.run(services)),
        asyncio.create_task(fhir.prepare_soon()),
    ]


async def _stop(app: Sanic[Any, Any]) -> None:
    services: Services = app.ctx.services
    services.events.close()
    services.metrics.catch_up()
    for task in app.ctx.tasks:
        task.cancel()
    await asyncio.gather(*app.ctx.tasks, return_exceptions=True)
    with contextlib.suppress(Exception):
        await services.outbox.stop(services)
        await services.schedule.stop(services)
        await services.closing.stop(services)
        await services.glass_alarm.stop(services)
        await services.imaging.stop(services)
        await services.purge.stop(services)
        await services.money.stop(services)
        await services.reconciler.stop(services)
        await services.keeper.say_goodbye()
    await services.upstreams.http.aclose()
    await services.pacs.aclose()
    await database.disconnect()
