"""The ID registry, simulated (`api.upstream.registry` describes its protocol): it knows the fictional people."""

import secrets
from collections.abc import Callable
from typing import Any, Final

from sanic import Request, Sanic
from sanic.response import HTTPResponse

from api.sandbox.people import Person
from api.sandbox.signed import SignatureCheck
from api.sandbox.world import Reply, System, World, parse


def _error(code: str, text: str) -> Reply:
    return Reply({"error": {"code": code or "unavailable", "text": text or "the registry is closed"}}, 503)


SYSTEM: Final = System("registry", _error, {"request_id": "0" * 32})


class _Malformed(Exception):
    """The body has not the described shape."""


class _Registry:
    def __init__(self, world: World) -> None:
        self._world = world
        self._check = SignatureCheck(world.secrets.registry_app_id, world.secrets.registry_secret, world.now)
        self._faces: dict[str, tuple[str, bool]] = {}  # reference -> (check_id, passes)

    def work(self, request: Request, ask: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Reply:
        body = parse(request)
        if refusal := self._check.refusal(request):
            return Reply({"error": {"code": refusal, "text": "the request is not properly signed"}}, 401)
        request_id = body.get("request_id") if body else None
        if body is None or not isinstance(request_id, str):
            return Reply({"error": {"code": "malformed", "text": "a JSON object with a request_id is due"}}, 400)
        try:
            found = ask(body)
        except _Malformed:
            return Reply({"request_id": request_id, "error": {"code": "malformed", "text": "a field is wrong"}}, 400)
        if found is None:
            return Reply({"request_id": request_id, "error": {"code": "check-unknown", "text": "no such check"}}, 404)
        return Reply({"request_id": request_id, **found})

    def agreement(self, body: dict[str, Any]) -> dict[str, Any]:
        person = self._person(body.get("person"))
        return {"agrees": person is not None and person.phone == _string(body.get("phone"))}

    def person(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"exists": self._person(body.get("person")) is not None}

    def guardianship(self, body: dict[str, Any]) -> dict[str, Any]:
        guardian, child = self._person(body.get("guardian")), self._person(body.get("child"))
        return {"guardian": guardian is not None and child is not None and child.guardian == guardian.id_number}

    def face_check(self, body: dict[str, Any]) -> dict[str, Any]:
        person = self._person(body.get("person"))
        passes = person is not None and person.phone == _string(body.get("phone")) and person.guardian is None
        check_id, _ = self._faces.setdefault(_string(body.get("reference")), (secrets.token_hex(16), passes))
        return {"check_id": check_id}

    def face_check_state(self, body: dict[str, Any]) -> dict[str, Any] | None:
        asked = _string(body.get("check_id"))
        for check_id, passes in self._faces.values():
            if check_id == asked:
                return {"check_id": check_id, "status": "passed" if passes else "failed"}
        return None

    def _person(self, given: object) -> Person | None:
        if not isinstance(given, dict):
            raise _Malformed
        wanted = tuple(_string(given.get(name)) for name in ("name", "id_type", "id_number"))
        return next((one for one in self._world.people if (one.name, one.id_type, one.id_number) == wanted), None)


def add_registry(app: Sanic[Any, Any], world: World) -> None:
    """Serve the registry's paths on `app`."""
    registry = _Registry(world)
    for call, path, ask in (
        ("agreement", "/v1/agreements", registry.agreement),
        ("person", "/v1/persons", registry.person),
        ("guardianship", "/v1/guardianships", registry.guardianship),
        ("face-check", "/v1/face-checks", registry.face_check),
        ("face-check-state", "/v1/face-checks/query", registry.face_check_state),
    ):
        app.add_route(_handler(world, registry, call, ask), path, methods=["POST"], name=call.replace("-", "_"))


def _handler(
    world: World, registry: _Registry, call: str, ask: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> Any:
    async def handle(request: Request) -> HTTPResponse:
        return await world.answer(request, SYSTEM, call, lambda: registry.work(request, ask))

    return handle


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _Malformed
    return value
