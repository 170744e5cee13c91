"""The national insurance platform (医保信息平台), as fixed-point hospitals speak to it.

Every transaction is one POST of the same envelope: `infno` names it, `input` carries it, and the answer's
`infcode` says 0 for done or -1 for refused. `Insurer.transact` is the envelope; a transaction is a function
that fills `data` and types `output`, so that the next ones are modules of their own.
"""

import hashlib
import itertools
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple, TypeVar

import msgspec

from api.problems import INSURANCE_REFUSED, Problem, Text
from api.upstream.http import LOOSE_JSON_TYPES, Call, CallFailed, Http, Signer
from api.upstream.outcomes import Refused, Unknown, Unsent
from codes.errors import InvalidValue
from codes.identity import IdDocument, parse_name
from codes.insurance import InsuranceNumber

BEIJING: Final = timezone(timedelta(hours=8))
_PSN_NO: Final = re.compile(r"[0-9A-Za-z]{1,30}")
_AREA: Final = re.compile(r"[0-9]{6}")
# psn_cert_type of the platform's code table for our id_type (WS 364); a number that begins 9 is a
# permanent-residence card, which has a type of its own there
_CERT_TYPES: Final = {"01": "01", "03": "08", "06": "04", "07": "06"}
_RESIDENCE_CARD: Final = "07"
_GENDERS: Final = {"1": "male", "2": "female"}
_KINDS: Final = {"310": "employee", "390": "resident"}  # 职工基本医疗保险, 城乡居民基本医疗保险

# What 9102 answers with, when it does not say no
_FILE_TYPES: Final = frozenset({"application/octet-stream", "application/zip", "application/x-zip-compressed"})

_Output = TypeVar("_Output")


class Institution(NamedTuple):
    """A fixed-point institution: `code` of 12 characters, `area` of 6 digits (mdtrtarea_admvs)."""

    code: str
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class InsurerConfig:
    """The platform's address and the fixed-point institution that asks.

    `fixmedins_code`: 12 characters. `mdtrtarea_admvs`: its 6-digit area. `app_id`, `secret`: the gateway's
    (x-tif headers), where the province has one; empty otherwise.
    """

    base_url: str
    fixmedins_code: str
    fixmedins_name: str
    mdtrtarea_admvs: str
    path: str = "/fsi/api/rsfComIfsService/callService"
    app_id: str = ""
    secret: str = field(default="", repr=False)
    recer_sys_code: str = "YIMA"
    infver: str = "V1.0"
    opter_type: str = "3"
    opter: str = "yima"
    opter_name: str = "一码"
    sign_no: str = ""
    file_bytes: int = 16 * 1024 * 1024  # of a file that 9102 answers with


@dataclass(frozen=True, slots=True)
class Insured:
    """One insurance of a person: insutype as the platform's, area of 6 digits, kind employee, resident or other."""

    insutype: str
    area: str
    kind: str


@dataclass(frozen=True, slots=True)
class InsuredPerson:
    """Whom the platform knows by an insurance number. `insurances`: never empty, the asked area's first."""

    psn_no: str
    name: str = field(repr=False)
    gender: str
    birthday: date
    insurances: tuple[Insured, ...]


class _BaseInfo(msgspec.Struct, frozen=True):
    psn_no: str
    certno: str
    psn_name: str
    gend: str
    brdy: str


class _InsuInfo(msgspec.Struct, frozen=True):
    insutype: str
    insuplc_admdvs: str


class _PersonOutput(msgspec.Struct, frozen=True):
    baseinfo: _BaseInfo
    insuinfo: list[_InsuInfo]


class _Head(msgspec.Struct, frozen=True):
    infcode: int | str
    inf_refmsgid: str | None = None
    msgid: str | None = None
    output: msgspec.Raw = msgspec.Raw(b"null")


class Insurer:
    """The platform's transactions.

    now: Unix seconds. serial: counts messages; give one shared by all workers where a message id must be unique
    beyond this process (settlements), as an id has room for 10,000 a second.
    """

    def __init__(
        self,
        config: InsurerConfig,
        http: Http,
        now: Callable[[], float] = time.time,
        serial: Callable[[], int] | None = None,
    ) -> None:
        if len(config.fixmedins_code) != 12 or not _AREA.fullmatch(config.mdtrtarea_admvs):
            raise ValueError("fixmedins_code has 12 characters, mdtrtarea_admvs 6 digits")
        self._own = Institution(config.fixmedins_code, config.fixmedins_name, config.mdtrtarea_admvs)
        self._config = config
        self._now = now
        self._serial = serial or itertools.count(secrets.randbelow(10_000)).__next__
        self._insurer = http.upstream("insurer", Text("医保平台", "The insurer"), config.base_url, LOOSE_JSON_TYPES)

    async def person(self, insurance: InsuranceNumber, name: str, document: IdDocument) -> InsuredPerson:
        """Transaction 1101: who is insured under `insurance`; only ever the person asked for.

        Raises Problem insurance-refused (the platform says no, knows another person by the number, or knows no
        insurance there), upstream-failed, upstream-timeout.
        """
        data = {
            "mdtrt_cert_type": insurance.type,
            "mdtrt_cert_no": insurance.number,
            "psn_cert_type": cert_type(document),
            "certno": document.number,
            "psn_name": name,
        }
        async with self.calling("1101") as call:
            output = await self.transact(call, "1101", {"data": data}, insurance.area, _PersonOutput, safe=True)
            base = output.baseinfo
            if not _same_name(base.psn_name, name) or base.certno.upper() != document.number:
                raise _refused(call)
            birthday = _birthday(base.brdy)
            if birthday is None or not _PSN_NO.fullmatch(base.psn_no) or not _agrees(base, birthday, document):
                raise call.unusable("lying")
            insurances = _insurances(output.insuinfo, insurance.area)
            if not insurances:
                raise _refused(call)
            return InsuredPerson(base.psn_no, name, _GENDERS[base.gend], birthday, insurances)

    def calling(self, infno: str) -> AbstractAsyncContextManager[Call]:
        """The frame of one transaction: one log line, one report to the metrics."""
        return self._insurer.calling(infno)

    @asynccontextmanager
    async def moving(self, infno: str) -> AsyncIterator[Call]:
        """As `calling`, for transactions that move money: they end as api.upstream.outcomes says."""
        try:
            async with self.calling(infno) as call:
                yield call
        except CallFailed as failed:
            raise (Unknown if failed.failure.sent else Unsent)(failed.failure.outcome) from None
        except Problem:
            raise Refused("insurer") from None

    async def transact(
        self,
        call: Call,
        infno: str,
        input_: Mapping[str, object],
        area: str,
        output: type[_Output],
        *,
        institution: Institution | None = None,
        msgid: str | None = None,
        safe: bool = False,
    ) -> _Output:
        """One transaction within `call`: its output, decoded. area: where the person is insured, 6 digits.

        institution, msgid: given for a hospital's own transactions, whose id was written down before.
        Raises Problem insurance-refused for infcode -1; CallFailed (upstream-failed, upstream-timeout).
        """
        message = msgid or self.message_id()
        body = self._envelope(infno, message, area, input_, institution or self._own)
        head = await call.send(
            "POST", self._config.path, answer=_Head, body=body, sign=self._gateway(), safe=safe, alone=True
        )
        return self._output(call, head, message, output)

    async def file(self, call: Call, input_: Mapping[str, object], institution: Institution, msgid: str) -> bytes:
        """Transaction 9102 within `call`: the file itself, which comes bare; only a no comes in the envelope.

        Raises as `transact`.
        """
        body = self._envelope("9102", msgid, institution.area, input_, institution)
        found = await call.fetch(
            "POST",
            self._config.path,
            body=body,
            sign=self._gateway(),
            alone=True,
            kinds=_FILE_TYPES,
            most=self._config.file_bytes,
        )
        if found.startswith(b"PK"):
            return found
        self._output(call, call.decoded(found, _Head), msgid, object)
        raise call.unusable("malformed")

    def _output(self, call: Call, head: _Head, message: str, output: type[_Output]) -> _Output:
        if not _is_for(head, message):
            raise call.unusable("lying")
        if str(head.infcode) == "-1":
            raise _refused(call)
        if str(head.infcode) != "0":
            raise call.unusable("infcode")
        try:
            return msgspec.json.decode(head.output, type=output, strict=True)
        except (msgspec.MsgspecError, ValueError):
            pass
        raise call.unusable("malformed")

    def message_id(self, institution: Institution | None = None) -> str:
        """A new msgid: institution (12), Beijing time (14), serial (4); 30 characters.

        Within one process none comes twice, below 10,000 a second. Two processes could make the same one in the
        same second: whoever writes it down keeps it unique there, and asks for another if it was taken.
        """
        code = (institution or self._own).code
        return f"{code}{self.time():%Y%m%d%H%M%S}{self._serial() % 10_000:04d}"

    def time(self) -> datetime:
        """Now, in Beijing."""
        return datetime.fromtimestamp(self._now(), BEIJING)

    def _envelope(
        self, infno: str, msgid: str, area: str, input_: Mapping[str, object], institution: Institution
    ) -> dict[str, object]:
        config = self._config
        return {
            "infno": infno,
            "msgid": msgid,
            "mdtrtarea_admvs": institution.area,
            "insuplc_admdvs": area,
            "recer_sys_code": config.recer_sys_code,
            "infver": config.infver,
            "opter_type": config.opter_type,
            "opter": config.opter,
            "opter_name": config.opter_name,
            "inf_time": f"{self.time():%Y-%m-%d %H:%M:%S}",
            "fixmedins_code": institution.code,
            "fixmedins_name": institution.name,
            "sign_no": config.sign_no,
            "input": input_,
        }

    def _gateway(self) -> Signer | None:
        """The provincial gateway's headers: SHA-256 of timestamp, secret, nonce, timestamp."""
        config = self._config
        if not config.app_id:
            return None

        def sign(_method: str, _path: str, _body: bytes) -> dict[str, str]:
            timestamp, nonce = str(int(self._now())), secrets.token_hex(16)
            made = hashlib.sha256((timestamp + config.secret + nonce + timestamp).encode()).hexdigest()
            return {
                "x-tif-paasid": config.app_id,
                "x-tif-timestamp": timestamp,
                "x-tif-nonce": nonce,
                "x-tif-signature": made,
            }

        return sign


def _is_for(head: _Head, msgid: str) -> bool:
    """Whether the answer can be to our message: inf_refmsgid is the platform's own id, but some echo ours."""
    echoed = [head.msgid or ""]
    if (head.inf_refmsgid or "").startswith(msgid[:12]):
        echoed.append(head.inf_refmsgid or "")
    return all(one in ("", msgid) for one in echoed)


def cert_type(document: IdDocument) -> str:
    """The platform's psn_cert_type of a document."""
    if str(document.type) == "01" and document.number.startswith("9"):
        return _RESIDENCE_CARD
    return _CERT_TYPES[str(document.type)]


def _refused(call: Call) -> Problem:
    call.refused()
    return Problem(INSURANCE_REFUSED)


def _same_name(theirs: str, name: str) -> bool:
    """Equal but for the spaces and the look-alikes of `·` that names are folded by when they come in."""
    try:
        return parse_name(theirs) == name
    except InvalidValue:
        return False


def _birthday(text: str) -> date | None:
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").date()
    except ValueError:
        return None


def _agrees(base: _BaseInfo, birthday: date, document: IdDocument) -> bool:
    """What the number itself says of sex and birthday must not be contradicted."""
    gender = _GENDERS.get(base.gend)
    return gender is not None and document.gender in (None, gender) and document.birthday in (None, birthday)


def _insurances(found: list[_InsuInfo], area: str) -> tuple[Insured, ...]:
    """Those in the asked city (first four digits), the asked area's first, then employees' before others."""
    near = [
        Insured(one.insutype, one.insuplc_admdvs, _KINDS.get(one.insutype, "other"))
        for one in found[:20]
        if _AREA.fullmatch(one.insuplc_admdvs) and one.insuplc_admdvs[:4] == area[:4]
    ]
    return tuple(sorted(near, key=lambda one: (one.area != area, one.insutype)))
