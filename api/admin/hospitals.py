"""Hospitals and their clients (registrars)."""

import json
import secrets
from typing import Any, Final

from api.admin.jwks import check_jwks
from api.admin.types import (
    Client,
    ClientList,
    ClientRequest,
    Hospital,
    HospitalList,
    HospitalRequest,
    NewClient,
)
from api.idempotency import keep
from api.patient.types import Empty
from api.problems import CONFLICT, NOT_FOUND, Problem
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models import clients
from models.admins import note
from models.clients import scope_bits, scope_names, secret_hash
from models.database import transaction

subject = Subject("Admins")
REGISTRAR: Final = ("registrar",)
READERS: Final = ("registrar", "auditor", "custodian")


@subject.route(
    "POST",
    "/v1/admin/hospitals",
    Caller.ADMIN,
    "Add a hospital",
    body=HospitalRequest,
    answers={201: Hospital},
    problems=(CONFLICT,),
    roles=REGISTRAR,
    idempotent=True,
    limit="admin",
)
async def add_hospital(call: Call[HospitalRequest]) -> Answer:
    """Its national code is taken once."""
    asked, admin = call.body, call.admin
    async with transaction() as tx:
        hospital_id = await clients.add_hospital(asked.name, asked.code, asked.area, using=tx)
        if hospital_id is None:
            raise Problem(CONFLICT)
        await note(admin.admin_id, admin.name, "hospital.add", str(hospital_id), using=tx)
        made = await clients.hospital(hospital_id, using=tx)
        return await keep(call, Answer(201, _shown(made)), using=tx)


@subject.route(
    "GET",
    "/v1/admin/hospitals",
    Caller.ADMIN,
    "The hospitals, newest first",
    query=Page,
    answers={200: HospitalList},
    roles=READERS,
    limit="admin",
)
async def list_hospitals(call: Call[None]) -> Answer:
    """Keyset by time of creation."""
    page = call.query
    found = await clients.hospitals(page.after(), page.limit + 1)
    shown, following = page.cut(found, lambda record: (record["created_at"], record["id"]))
    return Answer(200, HospitalList([_shown(record) for record in shown], following))


@subject.route(
    "POST",
    "/v1/admin/hospitals/<hospital_id:str>/clients",
    Caller.ADMIN,
    "Add a client of a hospital",
    body=ClientRequest,
    answers={201: NewClient},
    problems=(NOT_FOUND,),
    roles=REGISTRAR,
    idempotent=True,
    limit="admin",
)
async def add_client(call: Call[ClientRequest]) -> Answer:
    """With jwks no secret is made."""
    asked, admin, hospital_id = call.body, call.admin, call.id_in_path("hospital_id")
    jwks = json.dumps(check_jwks(asked.jwks)) if asked.jwks is not None else None
    secret = None if jwks else secrets.token_urlsafe(32)
    async with transaction() as tx:
        if await clients.hospital(hospital_id, using=tx) is None:
            raise Problem(NOT_FOUND)
        client_id = await clients.add_client(
            hospital_id,
            asked.name,
            scope_bits(list(asked.scopes)),
            hashed_secret=secret_hash(secret) if secret else None,
            jwks=jwks,
            using=tx,
        )
        details = {"hospital_id": str(hospital_id), "scopes": list(asked.scopes)}
        await note(admin.admin_id, admin.name, "client.add", str(client_id), details=details, using=tx)
        return await keep(call, Answer(201, NewClient(client_id, secret)), using=tx)


@subject.route(
    "GET",
    "/v1/admin/hospitals/<hospital_id:str>/clients",
    Caller.ADMIN,
    "A hospital's clients",
    answers={200: ClientList},
    problems=(NOT_FOUND,),
    roles=READERS,
    limit="admin",
)
async def list_clients(call: Call[None]) -> Answer:
    """Never their secrets."""
    hospital_id = call.id_in_path("hospital_id")
    if await clients.hospital(hospital_id) is None:
        raise Problem(NOT_FOUND)
    return Answer(200, ClientList([_shown_client(record) for record in await clients.clients(hospital_id)]))


@subject.route(
    "POST",
    "/v1/admin/hospitals/<hospital_id:str>/clients/<client_id:str>/disable",
    Caller.ADMIN,
    "Disable a client: its tokens and resolutions die at once",
    body=Empty,
    answers={200: Client},
    problems=(NOT_FOUND,),
    roles=REGISTRAR,
    limit="admin",
)
async def disable_client(call: Call[Empty]) -> Answer:
    """For good; repeating changes nothing."""
    admin, hospital_id, client_id = call.admin, call.id_in_path("hospital_id"), call.id_in_path("client_id")
    async with transaction() as tx:
        if not await clients.disable(hospital_id, client_id, using=tx):
            raise Problem(NOT_FOUND)
        await note(admin.admin_id, admin.name, "client.disable", str(client_id), using=tx)
    found = [record for record in await clients.clients(hospital_id) if record["id"] == client_id]
    return Answer(200, _shown_client(found[0]))


def _shown(record: Any) -> Hospital:
    return Hospital(record["id"], record["name"], record["code"], record["area"], record["created_at"])


def _shown_client(record: Any) -> Client:
    return Client(
        record["id"],
        record["name"],
        scope_names(record["scopes"]),
        record["enabled"],
        "private_key_jwt" if record["jwks"] else "secret",
        record["created_at"],
        record["disabled_at"],
    )
