"""WeChat's server side, simulated: the three calls that the service makes, and their documented errors.

A demo person's codes may be used again and again; every other code is unknown (40029).
"""

import base64
import secrets
from typing import Any, Final

from sanic import Request, Sanic
from sanic.response import HTTPResponse

from api.sandbox.people import Person
from api.sandbox.world import Reply, System, World, parse

_JSON: Final = "application/json; encoding=utf-8"
_TEXT: Final = "text/plain"  # what jscode2session calls its JSON
_EARLY: Final = 300  # seconds before its end that stable_token gives a new token, the old one staying good


def _no(errcode: int, errmsg: str, content_type: str = _JSON) -> Reply:
    return Reply({"errcode": errcode, "errmsg": f"{errmsg}, rid: {secrets.token_hex(4)}"}, content_type=content_type)


def _error(code: str, text: str) -> Reply:
    number = int(code) if code.lstrip("-").isdecimal() else -1
    return Reply({"errcode": number, "errmsg": text or "system error"}, content_type=_JSON)


SYSTEM: Final = System(
    "wechat",
    _error,
    {"openid": "not an openid", "phone_info.watermark.appid": "wx0000000000000000", "access_token": ""},
)


class Tokens:
    """Access tokens as stable_token gives them: the same one again until five minutes before its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ends: dict[str, float] = {}
        self._latest = ""

    def give(self, force: bool) -> tuple[str, int]:
        """A token and the seconds it still lives. force: end all others and make a new one."""
        now = self._world.now()
        early = min(_EARLY, self._world.token_life / 2)
        if force:
            self._ends.clear()
        if self._ends.get(self._latest, 0) - now <= early:
            self._latest = secrets.token_urlsafe(96)
            self._ends[self._latest] = now + self._world.token_life
        return self._latest, int(self._ends[self._latest] - now)

    def refusal(self, token: str) -> Reply | None:
        """Why this token is not accepted, or None."""
        if not token:
            return _no(41001, "access_token missing")
        if token not in self._ends:
            return _no(40001, "invalid credential, access_token is invalid or not latest")
        if self._ends[token] <= self._world.now():
            return _no(42001, "access_token expired")
        return None

    def expire(self) -> None:
        """End the lives of all tokens now."""
        self._ends = dict.fromkeys(self._ends, 0.0)


def add_wechat(app: Sanic[Any, Any], world: World) -> Tokens:
    """Serve WeChat's paths on `app`; its tokens are returned."""
    tokens = Tokens(world)

    async def jscode2session(request: Request) -> HTTPResponse:
        return await world.answer(request, SYSTEM, "jscode2session", lambda: _session(world, request))

    async def stable_token(request: Request) -> HTTPResponse:
        return await world.answer(request, SYSTEM, "stable_token", lambda: _token(world, tokens, request))

    async def getuserphonenumber(request: Request) -> HTTPResponse:
        return await world.answer(request, SYSTEM, "getuserphonenumber", lambda: _phone(world, tokens, request))

    both = ["GET", "POST"]
    app.add_route(jscode2session, "/sns/jscode2session", methods=both)
    app.add_route(stable_token, "/cgi-bin/stable_token", methods=both)
    app.add_route(getuserphonenumber, "/wxa/business/getuserphonenumber", methods=both)
    return tokens


def _account_refusal(world: World, given: dict[str, Any], grant_type: str, content_type: str) -> Reply | None:
    accounts = world.secrets
    if not given.get("appid"):
        return _no(41002, "appid missing", content_type)
    if not given.get("secret"):
        return _no(41004, "appsecret missing", content_type)
    if given.get("grant_type") != grant_type:
        return _no(40002, "invalid grant_type", content_type)
    if given["appid"] != accounts.wechat_appid:
        return _no(40013, "invalid appid", content_type)
    if given["secret"] != accounts.wechat_secret:
        return _no(40125, "invalid appsecret", content_type)
    return None


def _session(world: World, request: Request) -> Reply:
    if request.method != "GET":
        return _no(43001, "require GET method", _TEXT)
    given = {name: request.args.get(name, "") for name in ("appid", "secret", "grant_type", "js_code")}
    if refusal := _account_refusal(world, given, "authorization_code", _TEXT):
        return refusal
    if not given["js_code"]:
        return _no(41008, "missing code", _TEXT)
    person = _first(world, "js_code", given["js_code"])
    if person is None:
        return _no(40029, "invalid code", _TEXT)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    return Reply({"session_key": key, "openid": person.openid, "unionid": person.unionid}, content_type=_TEXT)


def _token(world: World, tokens: Tokens, request: Request) -> Reply:
    if request.method != "POST":
        return _no(43002, "require POST method")
    given = parse(request)
    if given is None:
        return _no(47001, "data format error")
    if refusal := _account_refusal(world, given, "client_credential", _JSON):
        return refusal
    token, seconds = tokens.give(given.get("force_refresh") is True)
    return Reply({"access_token": token, "expires_in": seconds}, content_type=_JSON)


def _phone(world: World, tokens: Tokens, request: Request) -> Reply:
    if request.method != "POST":
        return _no(43002, "require POST method")
    if refusal := tokens.refusal(request.args.get("access_token", "")):
        return refusal
    given = parse(request)
    if given is None:
        return _no(47001, "data format error")
    person = _first(world, "phone_code", given.get("code"))
    if person is None or given.get("openid", person.openid) != person.openid:
        return _no(40029, "invalid code")
    info = {
        "phoneNumber": person.phone,
        "purePhoneNumber": person.phone,
        "countryCode": "86",
        "watermark": {"timestamp": int(world.now()), "appid": world.secrets.wechat_appid},
    }
    return Reply({"errcode": 0, "errmsg": "ok", "phone_info": info}, content_type=_JSON)


def _first(world: World, name: str, value: object) -> Person | None:
    return next((one for one in world.people if getattr(one, name) == value), None)
