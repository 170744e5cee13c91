"""What each errcode that WeChat documents means here.

Source: developers.weixin.qq.com, error tables of code2Session, getPhoneNumber and getStableAccessToken, and the
platform's global return codes. Three kinds: the person can do something (a problem of its own), WeChat is busy
(502 or 429 that says when to try again), or a setting of ours is wrong (502, and an error in the log that names
the errcode and the cause, never a value).
"""

from dataclasses import dataclass
from typing import Final

from api.problems import (
    PROOF_FAILED,
    UPSTREAM_FAILED,
    WECHAT_BUSY,
    WECHAT_CODE_INVALID,
    WECHAT_CODE_USED,
    WECHAT_USER_BLOCKED,
    Kind,
    Problem,
    Text,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One errcode's meaning. `ours`: what the operator has to set right; empty if nothing."""

    kind: Kind
    detail: Text | None = None
    retry_after: int | None = None
    ours: str = ""

    def problem(self) -> Problem:
        """The problem to raise."""
        return Problem(self.kind, self.detail, retry_after=self.retry_after)


_UNUSABLE: Final = Text(
    "微信服务暂时无法使用，请稍后再试；若持续出现，请联系客服。",
    "WeChat cannot be used right now; try again later, and contact support if it goes on.",
)


def _ours(cause: str) -> Meaning:
    return Meaning(UPSTREAM_FAILED, _UNUSABLE, ours=cause)


_SYSTEM_BUSY: Final = Meaning(
    UPSTREAM_FAILED, Text("微信系统繁忙，请稍候再试。", "WeChat is busy; try again in a moment."), retry_after=5
)
_TOO_OFTEN: Final = Meaning(WECHAT_BUSY, retry_after=60)
_PHONE_CODE_WRONG: Final = Meaning(
    PROOF_FAILED,
    Text(
        "微信手机号凭证无效、已过期或不属于当前账号，请重新点击授权。",
        "The WeChat phone code is wrong, too old or another account's; authorise again.",
    ),
)

UNKNOWN: Final = Meaning(UPSTREAM_FAILED, _UNUSABLE)

# The platform's codes that any call may answer: our settings, our account, our quota
_ANY: Final[dict[int, Meaning]] = {
    -1: _SYSTEM_BUSY,
    40002: _ours("grant_type is not accepted"),
    40013: _ours("the appid is not accepted"),
    40125: _ours("the app secret is wrong"),
    40164: _ours("this server's address is not on the IP allow-list"),
    40243: _ours("the app secret is frozen"),
    41001: _ours("the access token is missing"),
    41002: _ours("the appid is missing"),
    41004: _ours("the app secret is missing"),
    43001: _ours("GET is required"),
    43002: _ours("POST is required"),
    43003: _ours("HTTPS is required"),
    44002: _ours("the body is empty"),
    45009: _ours("the day's quota of calls is used up"),
    45011: _TOO_OFTEN,
    47001: _ours("the body is not JSON"),
    48001: _ours("the mini-program may not use this call"),
    48004: _ours("the call was taken from the mini-program"),
    50002: _ours("the account is limited"),
    50004: _ours("the account may not use this call"),
    50007: _ours("the account is frozen"),
    61024: _ours("this call needs a third-party platform's token"),
    89501: _ours("this server's address waits for an administrator's consent"),
    89503: _ours("this server's address needs an administrator's consent"),
    89506: _ours("this server's address was refused twice in a day by an administrator"),
    89507: _ours("this server's address was refused by an administrator"),
}

SESSION: Final[dict[int, Meaning]] = _ANY | {
    40029: Meaning(WECHAT_CODE_INVALID),
    40163: Meaning(WECHAT_CODE_USED),
    40226: Meaning(WECHAT_USER_BLOCKED),
    41008: Meaning(WECHAT_CODE_INVALID),
}

TOKEN: Final[dict[int, Meaning]] = _ANY | {40001: _ours("the app secret is wrong")}

# The access token was accepted for our appid before the code was looked at, so 40013 here means that the
# code was made in another mini-program.
PHONE: Final[dict[int, Meaning]] = _ANY | {
    40003: _PHONE_CODE_WRONG,
    40013: _PHONE_CODE_WRONG,
    40029: _PHONE_CODE_WRONG,
    40163: _PHONE_CODE_WRONG,
    41008: _PHONE_CODE_WRONG,
    40226: Meaning(WECHAT_USER_BLOCKED),
    40097: _ours("the arguments are not accepted"),
}

# The access token is no longer good: get another, once
TOKEN_DEAD: Final = frozenset({40001, 40014, 42001})
