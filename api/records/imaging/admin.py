"""Where a hospital's PACS is (registrars). Its credentials go in and never come out."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.types import Strict
from api.problems import NOT_FOUND, Problem
from api.texts import Line200, Secret
from api.upstream.reach import ADDRESS_MOST, check_address
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models import clients
from models.admins import note
from models.database import transaction
from models.systems import drop_system, put_system, system_of

subject = Subject("Admins")
REGISTRAR: Final = ("registrar",)
PATH: Final = "/v1/admin/hospitals/<hospital_id:str>/dicomweb"
KIND: Final = "dicomweb"


class DicomwebRequest(Strict):
    """A PACS: its DICOMweb address, and `username` with `password`, or `token` (bearer), or neither.

    The address is https, or http at a literal private or loopback address; without user, query or fragment.
    """

    address: Annotated[str, Meta(min_length=1, max_length=ADDRESS_MOST)]
    username: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f:]*$")] | None = None
    password: Line200 | None = None
    token: Secret | None = None


class Dicomweb(msgspec.Struct):
    """A registered PACS. `secret`: whether a password or a token is kept."""

    hospital_id: UUID
    address: str
    username: str | None
    authentication: str
    secret: bool


def _shown(hospital_id: UUID, config: dict[str, Any]) -> Dicomweb:
    basic, bearer = config["username"] is not None, config["token"] is not None
    way = "basic" if basic else "bearer" if bearer else "none"
    return Dicomweb(hospital_id, config["address"], config["username"], way, basic or bearer)


def _config(asked: DicomwebRequest) -> dict[str, Any]:
    """What is kept. Raises Problem validation-failed with the field."""
    try:
        address = check_address(asked.address)
    except ValueError:
        raise invalid(
            "/address",
            "须为 https 地址，或内网、本机 IP 的 http 地址；不含用户、查询与片段",
            "https, or http at a literal private or loopback address; without user, query or fragment",
        ) from None
    if (asked.username is None) != (asked.password is None):
        raise invalid("/password", "用户名与密码须同时填写", "a username and its password go together")
    if asked.token is not None and asked.username is not None:
        raise invalid("/token", "令牌与用户名只能选一种", "a token or a username, not both")
    return {"address": address, "username": asked.username, "password": asked.password, "token": asked.token}


@subject.route(
    "GET",
    PATH,
    Caller.ADMIN,
    "A hospital's PACS",
    answers={200: Dicomweb},
    problems=(NOT_FOUND,),
    roles=REGISTRAR,
    limit="admin",
)
async def show_dicomweb(call: Call[None]) -> Answer:
    """Never its password or token."""
    hospital_id = call.id_in_path("hospital_id")
    found = await system_of(call.services.vault, hospital_id, KIND)
    if found is None:
        raise Problem(NOT_FOUND)
    return Answer(200, _shown(hospital_id, found.config))


@subject.route(
    "PUT",
    PATH,
    Caller.ADMIN,
    "Register a hospital's PACS, in place of the one before",
    body=DicomwebRequest,
    answers={200: Dicomweb},
    problems=(NOT_FOUND,),
    roles=REGISTRAR,
    limit="admin",
)
async def put_dicomweb(call: Call[DicomwebRequest]) -> Answer:
    """It is asked for new studies from now on. The credentials are sealed and go to this address alone."""
    admin, hospital_id, config = call.admin, call.id_in_path("hospital_id"), _config(call.body)
    shown = _shown(hospital_id, config)
    async with transaction() as tx:
        if await clients.hospital(hospital_id, using=tx) is None:
            raise Problem(NOT_FOUND)
        await put_system(call.services.vault, hospital_id, KIND, config, using=tx)
        details = {"address": shown.address, "authentication": shown.authentication}
        await note(admin.admin_id, admin.name, "dicomweb.put", str(hospital_id), details=details, using=tx)
    return Answer(200, shown)


@subject.route(
    "DELETE",
    PATH,
    Caller.ADMIN,
    "Take a hospital's PACS away",
    answers={204: None},
    problems=(NOT_FOUND,),
    roles=REGISTRAR,
    limit="admin",
)
async def delete_dicomweb(call: Call[None]) -> Answer:
    """Records that came of it stay; their pictures are not shown any more."""
    admin, hospital_id = call.admin, call.id_in_path("hospital_id")
    async with transaction() as tx:
        if not await drop_system(hospital_id, KIND, using=tx):
            raise Problem(NOT_FOUND)
        await note(admin.admin_id, admin.name, "dicomweb.delete", str(hospital_id), using=tx)
    return Answer(204)
