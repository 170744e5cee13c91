"""Registrars' calls: which laboratory system may send a hospital's results, and how it writes."""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.types import Strict
from api.problems import CONFLICT, NOT_FOUND, Problem
from api.records.mllp.senders import KIND
from api.records.types import RecognitionGiven
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models import clients
from models.admins import note
from models.database import transaction
from models.systems import drop_system, put_system, system_of, systems

subject = Subject("Admins")
REGISTRAR: Final = ("registrar",)
READERS: Final = ("registrar", "auditor", "custodian")
_WIDEST: Final = {4: 8, 6: 32}  # prefixes; wider lists would let in whole continents
Facility = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f-\x9f\ud800-\udfff|^~\\&]+$")]
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


class MllpRequest(Strict):
    """`facility`: MSH-4 that messages must have; null: any. Over TLS `certificates` count, else `addresses`.

    `recognition`: the mark of mutual recognition of its results, its items by the codes that OBR-4 names services by.
    """

    charset: Literal["UTF-8", "GB18030"]
    facility: Facility | None = None
    addresses: Annotated[
        list[Annotated[str, Meta(max_length=50, description="An address or a network: 10.1.2.0/24")]],
        Meta(max_length=50),
    ] = msgspec.field(default_factory=list)
    certificates: Annotated[
        list[Annotated[str, Meta(max_length=64, description="SHA-256 of the client's certificate, in hex")]],
        Meta(max_length=50),
    ] = msgspec.field(default_factory=list)
    recognition: RecognitionGiven | None = None


class Mllp(msgspec.Struct):
    """A hospital's laboratory system."""

    hospital_id: UUID
    charset: Literal["UTF-8", "GB18030"]
    facility: str | None
    addresses: list[str]
    certificates: list[str]
    version: int
    recognition: RecognitionGiven | None = None


@subject.route(
    "GET",
    "/v1/admin/hospitals/<hospital_id:str>/mllp",
    Caller.ADMIN,
    "A hospital's laboratory system (HL7 v2 over MLLP)",
    answers={200: Mllp},
    problems=(NOT_FOUND,),
    roles=READERS,
    limit="admin",
)
async def show_mllp(call: Call[None]) -> Answer:
    """404 where none is registered."""
    return await _shown(call, call.id_in_path("hospital_id"))


@subject.route(
    "PUT",
    "/v1/admin/hospitals/<hospital_id:str>/mllp",
    Caller.ADMIN,
    "Register a hospital's laboratory system; in force within seconds",
    body=MllpRequest,
    answers={200: Mllp},
    problems=(NOT_FOUND, CONFLICT),
    roles=REGISTRAR,
    limit="admin",
)
async def put_mllp(call: Call[MllpRequest]) -> Answer:
    """409 where another hospital is registered for the same sender and facility."""
    admin, hospital_id, config = call.admin, call.id_in_path("hospital_id"), _checked(call.body)
    async with transaction() as tx:
        if await clients.hospital(hospital_id, using=tx) is None:
            raise Problem(NOT_FOUND)
        for other in await systems(call.services.vault, KIND):
            if other.hospital_id != hospital_id and _same_sender(other.config, config):
                raise Problem(CONFLICT)
        await put_system(call.services.vault, hospital_id, KIND, config, using=tx)
        await note(admin.admin_id, admin.name, "mllp.put", str(hospital_id), details=config, using=tx)
    return await _shown(call, hospital_id)


@subject.route(
    "DELETE",
    "/v1/admin/hospitals/<hospital_id:str>/mllp",
    Caller.ADMIN,
    "Take a hospital's laboratory system out",
    answers={204: None},
    problems=(NOT_FOUND,),
    roles=REGISTRAR,
    limit="admin",
)
async def drop_mllp(call: Call[None]) -> Answer:
    """Repeating changes nothing."""
    admin, hospital_id = call.admin, call.id_in_path("hospital_id")
    async with transaction() as tx:
        if await drop_system(hospital_id, KIND, using=tx):
            await note(admin.admin_id, admin.name, "mllp.drop", str(hospital_id), using=tx)
    return Answer(204)


async def _shown(call: Call[Any], hospital_id: UUID) -> Answer:
    found = await system_of(call.services.vault, hospital_id, KIND)
    if found is None:
        raise Problem(NOT_FOUND)
    return Answer(200, msgspec.convert({**found.config, "hospital_id": hospital_id, "version": found.version}, Mllp))


def _checked(asked: MllpRequest) -> dict[str, Any]:
    """The configuration that is kept. Raises Problem invalid with the field."""
    addresses = [_network(text, n) for n, text in enumerate(asked.addresses)]
    for n, text in enumerate(asked.certificates):
        if not _FINGERPRINT.fullmatch(text):
            raise invalid(f"/certificates/{n}", "须为 64 位小写十六进制", "64 lower-case hexadecimal digits")
    if not addresses and not asked.certificates:
        raise invalid("/addresses", "地址和证书至少填一项", "an address or a certificate is needed")
    return {
        "charset": asked.charset,
        "facility": asked.facility,
        "addresses": list(dict.fromkeys(addresses)),
        "certificates": list(dict.fromkeys(asked.certificates)),
        "recognition": msgspec.to_builtins(asked.recognition),
    }


def _network(text: str, n: int) -> str:
    try:
        network = ip_network(text)
    except ValueError:
        raise invalid(
            f"/addresses/{n}", "须为地址或网段（如 10.1.2.0/24）", "an address or a network, as 10.1.2.0/24"
        ) from None
    if network.prefixlen < _WIDEST[network.version]:
        raise invalid(f"/addresses/{n}", "网段过大", "this network is too wide")
    return str(network)


def _same_sender(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether a sender of both with the same MSH-4 could not be told apart."""
    return one.get("facility") == other["facility"] and any(
        set(one.get(name, ())) & set(other[name]) for name in ("addresses", "certificates")
    )
