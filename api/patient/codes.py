"""Issuing a code: the card is read, nothing is written (code-format.md)."""

import os
from datetime import UTC, datetime
from typing import Final

from sanic.response import HTTPResponse

from api.patient.types import Code, CodeMatrix, CodeRequest, MatrixQuery
from api.problems import CARD_FROZEN, NOT_FOUND, RING_ROLLED_BACK, UNAUTHENTICATED, Problem
from api.web.answers import API_HEADERS, Answer
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from codes import picture
from codes.claims import ALL_SERVICES, names_to_services, services_to_names
from codes.issue import IssuedCode, issue

NONCE_BYTES: Final = 4
PNG_SCALE: Final = 8
subject = Subject("Patients")


@subject.route(
    "POST",
    "/v1/patient/cards/<card_id:str>/codes",
    Caller.PATIENT,
    "A new dynamic code, as JSON or as a picture",
    body=CodeRequest,
    query=MatrixQuery,
    answers={201: Code},
    also={
        "image/svg+xml": Media("image/svg+xml", "the code's picture"),
        "image/png": Media("image/png", "the code's picture"),
    },
    problems=(NOT_FOUND, CARD_FROZEN, RING_ROLLED_BACK),
    limit="codes",
    commits=False,
)
async def issue_code(call: Call[CodeRequest]) -> Answer | HTTPResponse:
    """Read the card and the ring's version in one statement, then seal and sign."""
    services, patient = call.services, call.patient
    card = await services.cards.read(call.id_in_path("card_id"), patient.account_id, patient.session_id, patient.epoch)
    if not card["stands"]:
        raise Problem(UNAUTHENTICATED)
    if card["id"] is None:
        raise Problem(NOT_FOUND)
    if card["status"] != "active":
        raise Problem(CARD_FROZEN)
    await services.keeper.require_issuing(card["ring_version"])
    asked = names_to_services(call.body.services) if call.body.services else ALL_SERVICES
    now = services.clock.now()
    code = issue(
        services.vault.ring.issuing(),
        handle=card["handle"],
        now=int(now),
        life=services.settings.code_life,
        services=None if asked == ALL_SERVICES else asked,
        nonce=os.urandom(NONCE_BYTES),
    )
    return _shown(call, code, now)


def _shown(call: Call[CodeRequest], code: IssuedCode, now: float) -> Answer | HTTPResponse:
    accept = call.request.headers.get("accept", "")
    if "image/" in accept:
        drawn = picture.matrix(code.text)
        if "image/svg+xml" in accept:
            return _picture(picture.svg(drawn).encode(), "image/svg+xml")
        if "image/png" in accept:
            return _picture(picture.png(drawn, PNG_SCALE), "image/png")
    matrix = None
    if call.query.matrix:
        found = picture.matrix(code.text)
        matrix = CodeMatrix(found.size, found.base64)
    life = code.exp - now
    return Answer(
        201,
        Code(
            code.text,
            datetime.fromtimestamp(code.iat, UTC),
            datetime.fromtimestamp(code.exp, UTC),
            int(life),
            max(1, int(life / 2)),
            services_to_names(code.services),
            matrix,
        ),
    )


def _picture(body: bytes, content_type: str) -> HTTPResponse:
    headers = {**API_HEADERS, "Content-Security-Policy": "default-src 'none'"}
    return HTTPResponse(body, status=201, headers=headers, content_type=content_type)
