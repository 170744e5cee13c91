"""What WeChat Pay tells of its own accord. Answered 2xx only when it is committed; forged, stale or foreign: 401."""

import logging

from api.payment.news import payment_succeeded, refund_succeeded
from api.problems import NOTIFICATION_MISMATCH, NOTIFICATION_NOT_AUTHENTIC, Problem
from api.upstream.wechat_pay_types import Forged, Notice
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models.money_work import hurry

subject = Subject("Payment")
_FITS = frozenset({"paid", "late", "again", "refunded"})
_log = logging.getLogger("yima.payment")


@subject.route(
    "POST",
    "/v1/notify/wechat-pay",
    Caller.ANYONE,
    "WeChat Pay's notifications",
    answers={204: None},
    problems=(NOTIFICATION_NOT_AUTHENTIC, NOTIFICATION_MISMATCH),
    limit="notify",
)
async def take_notification(call: Call[None]) -> Answer:
    """The signature is over the raw bytes; a repetition changes nothing and is answered 204, too."""
    services, request = call.services, call.request
    try:
        notice = services.upstreams.pay.notified(request.headers, request.body, services.clock.now())
    except Forged as forged:
        services.metrics.money_news("forged", "probe" if forged.probe else "refused")
        if not forged.probe:  # WeChat's own probes are no attack
            _log.warning("a notification that is not WeChat's", extra={"outcome": forged.reason})
        raise Problem(NOTIFICATION_NOT_AUTHENTIC) from None
    if await _take(call, notice) not in _FITS:
        raise Problem(NOTIFICATION_MISMATCH)
    return Answer(204)


async def _take(call: Call[None], notice: Notice) -> str:
    if notice.kind == "paid":
        if notice.state != "SUCCESS":
            return "again"
        return await payment_succeeded(call.services, notice.out_trade_no, notice.amount_fen, notice.success_time)
    number = notice.out_refund_no or ""
    if notice.state == "SUCCESS":
        return await refund_succeeded(call.services, number, notice.amount_fen, notice.success_time)
    await hurry(number)  # closed or abnormal: whoever holds it asks WeChat
    return "again"
