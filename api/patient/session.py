"""The patient's session: WeChat's js_code for a bearer token, and signing out."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from api.patient.types import AllQuery, Session, SessionRequest
from api.problems import (
    RATE_LIMITED,
    UPSTREAM_FAILED,
    UPSTREAM_TIMEOUT,
    WECHAT_BUSY,
    WECHAT_CODE_INVALID,
    WECHAT_CODE_USED,
    WECHAT_USER_BLOCKED,
)
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.ring import Purpose
from codes.tokens import Token, make_token
from models.accounts import WeChatIdentity, end_all_sessions, end_session, sign_in

TOKEN_SECONDS: Final = 86_400
subject = Subject("Patients")


@subject.route(
    "POST",
    "/v1/patient/session",
    Caller.ANYONE,
    "Sign in with wx.login's code",
    body=SessionRequest,
    answers={200: Session},
    problems=(
        WECHAT_CODE_INVALID,
        WECHAT_CODE_USED,
        WECHAT_USER_BLOCKED,
        WECHAT_BUSY,
        UPSTREAM_FAILED,
        UPSTREAM_TIMEOUT,
        RATE_LIMITED,
    ),
    limit="session",
)
async def sign_in_patient(call: Call[SessionRequest]) -> Answer:
    """Exchange the code at WeChat and give a session of our own."""
    services = call.services
    found = await services.upstreams.wechat.session(call.body.js_code)
    account = await sign_in(services.vault, WeChatIdentity(found.openid, found.unionid, found.session_key))
    token = Token(
        "patient",
        account.account_id.bytes,
        uuid4().bytes,
        account.epoch,
        0,
        int(services.clock.now()) + TOKEN_SECONDS,
    )
    text = make_token(services.vault.ring.symmetric(Purpose.TOKEN), token)
    return Answer(200, Session(text, TOKEN_SECONDS, account.account_id))


@subject.route(
    "DELETE",
    "/v1/patient/session",
    Caller.PATIENT,
    "Sign out, here or everywhere",
    query=AllQuery,
    answers={204: None},
    limit="patient",
)
async def sign_out_patient(call: Call[None]) -> Answer:
    """End this session, or all of the account."""
    patient = call.patient
    if call.query.all:
        await end_all_sessions(patient.account_id, patient.epoch)
    else:
        await end_session(patient.account_id, patient.session_id, datetime.fromtimestamp(patient.expires, UTC))
    return Answer(204)
