"""WeChat's server side: sign-in (jscode2session), phone number (getuserphonenumber), access token (stable_token).

WeChat wants appid, secret and access token in the query; `api.upstream.http` keeps queries out of every log.
"""

import base64
import binascii
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from api.problems import PROOF_FAILED, WECHAT_CODE_INVALID, Problem, Text
from api.upstream.http import LOOSE_JSON_TYPES, Call, Http
from api.upstream.wechat_errors import PHONE, SESSION, TOKEN, TOKEN_DEAD, UNKNOWN, Meaning

WATERMARK_SECONDS: Final = 300  # a phone code lives five minutes, and so does what it proves
_CODE: Final = re.compile(r"[\x21-\x7e]{1,512}")
_OPENID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,2048}")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")

_log = logging.getLogger("yima.upstream")


@dataclass(frozen=True, slots=True)
class WeChatConfig:
    """The mini-program's account."""

    appid: str
    secret: str = field(repr=False)
    base_url: str = "https://api.weixin.qq.com"


@dataclass(frozen=True, slots=True)
class WeChatSession:
    """Who signed in. `session_key` (Base64 of 16 bytes) must never leave the service, nor be kept unsealed."""

    openid: str
    unionid: str | None
    session_key: str = field(repr=False)


class AccessTokens(Protocol):
    """Where the one access token of all workers is kept, so that only one of them renews it."""

    async def current(self) -> str | None:
        """The token if one is held that has not expired."""

    async def refresh(self, fetch: Callable[[], Awaitable[tuple[str, int]]], stale: str | None) -> str:
        """A token other than `stale`: the held one if it is another already, else what `fetch` gives.

        fetch: gives (token, seconds to live); called by one worker at a time, and its Problem is passed on.
        """


class _SessionAnswer(msgspec.Struct, frozen=True):
    errcode: int = 0
    openid: str | None = None
    session_key: str | None = None
    unionid: str | None = None


class _TokenAnswer(msgspec.Struct, frozen=True):
    errcode: int = 0
    access_token: str | None = None
    expires_in: int = 0


class _Watermark(msgspec.Struct, frozen=True):
    timestamp: int
    appid: str


class _PhoneInfo(msgspec.Struct, frozen=True, rename="camel"):
    phone_number: str
    pure_phone_number: str
    country_code: str | int
    watermark: _Watermark


class _PhoneAnswer(msgspec.Struct, frozen=True):
    errcode: int = 0
    phone_info: _PhoneInfo | None = None


class WeChat:
    """WeChat's calls. now: Unix seconds by the clock that decides."""

    def __init__(
        self, config: WeChatConfig, http: Http, tokens: AccessTokens, now: Callable[[], float] = time.time
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._now = now
        self._wechat = http.upstream("wechat", Text("微信", "WeChat"), config.base_url, LOOSE_JSON_TYPES)

    async def session(self, js_code: str) -> WeChatSession:
        """Whose `js_code` (from wx.login) this is. The code is spent by asking, so this is never repeated.

        Raises Problem wechat-code-invalid, wechat-code-used, wechat-user-blocked, wechat-busy, upstream-failed,
        upstream-timeout.
        """
        if not _CODE.fullmatch(js_code):
            raise Problem(WECHAT_CODE_INVALID)
        query = {
            "appid": self._config.appid,
            "secret": self._config.secret,
            "js_code": js_code,
            "grant_type": "authorization_code",
        }
        async with self._wechat.calling("jscode2session") as call:
            answer = await call.send("GET", "/sns/jscode2session", answer=_SessionAnswer, query=query, alone=True)
            _raise_for(call, answer.errcode, SESSION)
            if not _is_session(answer):
                raise call.unusable("malformed")
            return WeChatSession(answer.openid or "", answer.unionid or None, answer.session_key or "")

    async def phone_number(self, code: str, openid: str) -> str:
        """The mainland mobile number (11 digits) that the person behind `openid` released by `code`.

        Raises Problem proof-failed (the code is wrong, old, another's, or the number is not a mainland one),
        wechat-user-blocked, wechat-busy, upstream-failed, upstream-timeout.
        """
        if not _CODE.fullmatch(code):
            raise Problem(PROOF_FAILED)
        token = await self._tokens.current() or await self._tokens.refresh(self._fetch_token, None)
        number = await self._phone_number(token, code, openid, last=False)
        if number is None:
            token = await self._tokens.refresh(self._fetch_token, token)
            number = await self._phone_number(token, code, openid, last=True)
        return number or ""

    async def _phone_number(self, token: str, code: str, openid: str, *, last: bool) -> str | None:
        """The number, or None if the access token is dead and this was not the last try."""
        async with self._wechat.calling("getuserphonenumber") as call:
            answer = await call.send(
                "POST",
                "/wxa/business/getuserphonenumber",
                answer=_PhoneAnswer,
                query={"access_token": token},
                body={"code": code, "openid": openid},
                alone=True,
            )
            if answer.errcode in TOKEN_DEAD:
                if last:
                    raise call.unusable("token-refused", answer.errcode)
                call.refused(answer.errcode)
                return None
            _raise_for(call, answer.errcode, PHONE)
            return self._checked(call, answer.phone_info)

    def _checked(self, call: Call, info: _PhoneInfo | None) -> str:
        if info is None:
            raise call.unusable("malformed")
        number, age = info.pure_phone_number, self._now() - info.watermark.timestamp
        if info.watermark.appid != self._config.appid or age < -WATERMARK_SECONDS:
            raise call.unusable("lying")
        if age > WATERMARK_SECONDS:
            raise Problem(
                PROOF_FAILED, Text("手机号授权已过期，请重新授权。", "The phone code is too old; authorise again.")
            )
        if str(info.country_code) != "86":
            raise Problem(
                PROOF_FAILED, Text("仅支持中国内地手机号。", "Only mobile numbers of the Chinese mainland are taken.")
            )
        if not _MOBILE.fullmatch(number) or info.phone_number not in (number, "86" + number, "+86" + number):
            raise call.unusable("lying")
        return number

    async def _fetch_token(self) -> tuple[str, int]:
        body = {"grant_type": "client_credential", "appid": self._config.appid, "secret": self._config.secret}
        async with self._wechat.calling("stable_token") as call:
            answer = await call.send("POST", "/cgi-bin/stable_token", answer=_TokenAnswer, body=body, safe=True)
            _raise_for(call, answer.errcode, TOKEN)
            token = answer.access_token or ""
            if not _TOKEN.fullmatch(token) or not 0 < answer.expires_in <= 86_400:
                raise call.unusable("malformed")
            return token, answer.expires_in


def _raise_for(call: Call, errcode: int, meanings: Mapping[int, Meaning]) -> None:
    if errcode == 0:
        return
    meaning = meanings.get(errcode, UNKNOWN)
    call.refused(errcode)
    if meaning.ours:
        call.outcome = "misconfigured"
        _log.error("wechat does not accept our settings: %s", meaning.ours, extra=call.fields())
    raise meaning.problem()


def _is_session(answer: _SessionAnswer) -> bool:
    names = [answer.openid or ""] + ([answer.unionid] if answer.unionid else [])
    try:
        key = base64.b64decode(answer.session_key or "", validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) == 16 and all(_OPENID.fullmatch(name) for name in names)
