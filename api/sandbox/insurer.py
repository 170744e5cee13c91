"""The national insurance platform, simulated: its envelope and its transactions.

It answers the way the platform does: HTTP 200 always, infcode 0 or -1, and its own message id. A transaction is a
function in TRANSACTIONS, from envelope and input to the output; it raises Refusal to say no. All but 1101 are of any
institution, and use each msgid once.
"""

import hashlib
import hmac
import itertools
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from sanic import Request, Sanic
from sanic.response import HTTPResponse

from api.sandbox import insurer_chain as chain
from api.sandbox import insurer_days as days
from api.sandbox.insurer_input import Node, Refusal, cert_type, insured, needed, node
from api.sandbox.world import Reply, System, World, parse

PATH: Final = "/fsi/api/rsfComIfsService/callService"
_BEIJING: Final = timezone(timedelta(hours=8))
_MAY_BE_EMPTY: Final = frozenset({"sign_no"})
_ENVELOPE: Final = [
    "infno",
    "msgid",
    "mdtrtarea_admvs",
    "insuplc_admdvs",
    "recer_sys_code",
    "infver",
    "opter_type",
    "opter",
    "opter_name",
    "inf_time",
    "fixmedins_code",
    "fixmedins_name",
    "sign_no",
]
_PERSON: Final = "1101"
_INSTITUTION: Final = re.compile(r"[HP][0-9]{11}")


def _error(code: str, text: str) -> Reply:
    return Reply(
        {"infcode": int(code) if code.lstrip("-").isdecimal() else -1, "err_msg": text or "系统繁忙", "output": None}
    )


SYSTEM: Final = System("insurer", _error, {"psn_name": "他人"})


def add_insurer(app: Sanic[Any, Any], world: World) -> None:
    """Serve the platform's one path on `app`."""
    numbers = itertools.count(1)

    async def call_service(request: Request) -> HTTPResponse:
        envelope = parse(request)
        infno = str(envelope.get("infno", "")) if envelope else ""
        return await world.answer(
            request, SYSTEM, infno or "malformed", lambda: _transact(world, request, envelope, next(numbers)), infno
        )

    app.add_route(call_service, PATH, methods=["POST"], name="insurer")


def _transact(world: World, request: Request, envelope: Node | None, number: int) -> Reply:
    came = datetime.fromtimestamp(world.now(), _BEIJING)
    area = world.secrets.insurer_mdtrtarea
    head = {
        "infcode": 0,
        "inf_refmsgid": f"{area}{came:%Y%m%d%H%M%S}{number:010d}",
        "refmsg_time": f"{came:%Y%m%d%H%M%S}000",
        "respond_time": f"{came:%Y%m%d%H%M%S}001",
        "err_msg": "",
    }
    try:
        output = _output(world, request, envelope)
        if isinstance(output, bytes):
            return Reply({}, content_type="application/octet-stream", content=output)
        return Reply({**head, "output": output})
    except Refusal as refusal:
        return Reply({**head, "infcode": -1, "err_msg": str(refusal), "output": None})


def _output(world: World, request: Request, envelope: Node | None) -> Node | bytes | None:
    if envelope is None:
        raise Refusal("报文格式错误")
    _check_gateway(world, request)
    _check_envelope(world, envelope)
    transaction = TRANSACTIONS.get(envelope["infno"])
    if transaction is None:
        raise Refusal(f"交易[{envelope['infno']}]不存在")
    input_ = node(envelope, "input")
    if envelope["infno"] != _PERSON:
        chain.receive(world, envelope)
        world.touched()
    return transaction(world, envelope, input_)


def _check_gateway(world: World, request: Request) -> None:
    """The provincial gateway's x-tif headers."""
    app_id, secret = world.secrets.insurer_app_id, world.secrets.insurer_secret
    if not app_id:
        return
    given = {name: request.headers.get(f"x-tif-{name}", "") for name in ("paasid", "timestamp", "nonce", "signature")}
    made = hashlib.sha256((given["timestamp"] + secret + given["nonce"] + given["timestamp"]).encode()).hexdigest()
    if given["paasid"] != app_id or not hmac.compare_digest(made.encode(), given["signature"].encode()):
        raise Refusal("网关签名校验失败")
    if not given["timestamp"].isdecimal() or abs(world.now() - int(given["timestamp"])) > 300:
        raise Refusal("网关时间戳超出允许范围")


def _check_envelope(world: World, envelope: Node) -> None:
    for name in _ENVELOPE:
        value = envelope.get(name)
        if not isinstance(value, str) or not (value or name in _MAY_BE_EMPTY):
            raise Refusal(f"参数[{name}]不能为空")
    code = envelope["fixmedins_code"]
    ours = code == world.secrets.insurer_fixmedins_code
    if not (ours or (envelope["infno"] != _PERSON and _INSTITUTION.fullmatch(code))):
        raise Refusal("定点医药机构编号不存在")
    if len(envelope["msgid"]) != 30 or not envelope["msgid"].startswith(envelope["fixmedins_code"]):
        raise Refusal("参数[msgid]格式错误")
    try:
        datetime.strptime(envelope["inf_time"], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise Refusal("参数[inf_time]格式错误") from None


def _person_1101(world: World, envelope: Node, input_: Node) -> Node:
    """Transaction 1101: person information."""
    data = node(input_, "data")
    needed(data, "mdtrt_cert_type", "mdtrt_cert_no", "psn_cert_type", "certno", "psn_name")
    person = insured(world, data["mdtrt_cert_type"], data["mdtrt_cert_no"])
    if person is None:
        raise Refusal("未查询到参保人员信息")
    if (data["psn_cert_type"], data["certno"], data["psn_name"]) != (cert_type(person), person.id_number, person.name):
        raise Refusal("人员信息与凭证不一致")
    if envelope["insuplc_admdvs"] != person.insurance.area:
        raise Refusal("参保地医保区划与参保信息不一致")
    base = {
        "psn_no": person.psn_no,
        "psn_cert_type": data["psn_cert_type"],
        "certno": person.id_number,
        "psn_name": person.name,
        "gend": "1" if person.gender == "male" else "2",
        "naty": "01",
        "brdy": person.birthday.isoformat(),
    }
    insurance = {
        "balc": "1000.00",
        "insutype": person.insutype,
        "psn_type": "11",
        "psn_insu_stas": "1",
        "insuplc_admdvs": person.insurance.area,
    }
    return {"baseinfo": base, "insuinfo": [insurance], "idetinfo": []}


Transaction = Callable[[World, Node, Node], Node | bytes | None]
TRANSACTIONS: Final[dict[str, Transaction]] = {
    _PERSON: _person_1101,
    "2201": chain.register_2201,
    "2202": chain.undo_registration_2202,
    "2203": chain.visit_2203,
    "2204": chain.details_2204,
    "2205": chain.undo_details_2205,
    "2206": chain.preview_2206,
    "2207": chain.settle_2207,
    "2208": chain.reverse_2208,
    "2601": chain.undo_message_2601,
    "3201": days.totals_3201,
    "3202": days.compare_3202,
    "9101": days.upload_9101,
    "9102": days.download_9102,
}
