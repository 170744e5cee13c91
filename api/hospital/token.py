"""OAuth 2.0 client credentials (RFC 6749 section 4.4), by secret or by private_key_jwt (RFC 7523)."""

import base64
import binascii
import hmac
import json
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

import jwt
from sanic.request import Request
from sanic.response import HTTPResponse

from api.hospital.types import Token as TokenAnswer
from api.hospital.types import TokenError
from api.web.answers import API_HEADERS, Answer, encode
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from codes.errors import KeySetError
from codes.ring import Purpose
from codes.tokens import Token, make_token
from models.clients import SCOPES, client, scope_names, secret_hash, use_assertion

subject = Subject("Hospitals")
TOKEN_SECONDS: Final = 3600
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_MOST_SECONDS: Final = 300
CLOCK_ALLOWANCE: Final = 30
ALGORITHMS: Final = ("EdDSA", "ES256", "RS256", "PS256")
FORM: Final = "application/x-www-form-urlencoded"


class OAuthError(Exception):
    """An error of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@subject.route(
    "POST",
    "/v1/oauth/token",
    Caller.ANYONE,
    "An access token by client credentials",
    body_media=Media(FORM, "grant_type=client_credentials, with HTTP Basic, client_secret or client_assertion"),
    answers={200: TokenAnswer, 400: TokenError, 401: TokenError},
    limit="token",
)
async def give_token(call: Call[None]) -> Answer | HTTPResponse:
    """Errors are OAuth's own, not problems."""
    try:
        return await _give(call)
    except OAuthError as error:
        status = 401 if error.error == "invalid_client" else 400
        headers = {**API_HEADERS, "Pragma": "no-cache"}
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="yima"'
        body = encode(TokenError(error.error, error.description))
        return HTTPResponse(body, status=status, headers=headers, content_type="application/json")


async def _give(call: Call[None]) -> Answer:
    form = _form(call.request)
    if form.get("grant_type") != "client_credentials":
        given = "grant_type" in form
        raise OAuthError(
            "unsupported_grant_type" if given else "invalid_request", "grant_type must be client_credentials"
        )
    found = await _authenticate(call, form)
    scopes = _scopes(form.get("scope"), found["scopes"])
    services = call.services
    token = Token(
        "hospital",
        found["id"].bytes,
        bytes(16),
        found["epoch"],
        scopes,
        int(services.clock.now()) + TOKEN_SECONDS,
    )
    text = make_token(services.vault.ring.symmetric(Purpose.TOKEN), token)
    answer = TokenAnswer(text, "Bearer", TOKEN_SECONDS, " ".join(scope_names(scopes)))
    return Answer(200, answer, {"Pragma": "no-cache"})


def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise OAuthError("invalid_request", f"the body must be {FORM}")
    try:
        pairs = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise OAuthError("invalid_request", "the form cannot be parsed") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "a parameter stands twice")
    return form


def _scopes(asked: str | None, held: int) -> int:
    if asked is None:
        return held
    bits = 0
    for name in asked.split(" "):
        if name not in SCOPES or not SCOPES[name] & held:
            raise OAuthError("invalid_scope", "the client does not hold a scope that was asked for")
        bits |= SCOPES[name]
    return bits


async def _authenticate(call: Call[None], form: dict[str, str]) -> Any:
    header = call.request.headers.get("authorization")
    if "client_assertion" in form or "client_assertion_type" in form:
        if header is not None or "client_secret" in form:
            raise OAuthError("invalid_request", "use one way of client authentication")
        return await _by_assertion(call, form)
    if header is not None:
        if "client_secret" in form:
            raise OAuthError("invalid_request", "use one way of client authentication")
        return await client_by_secret(*_basic(header))
    return await client_by_secret(form.get("client_id", ""), form.get("client_secret", ""))


def _basic(header: str) -> tuple[str, str]:
    """RFC 6749 section 2.3.1: both parts are form-encoded before they are joined."""
    scheme, _, text = header.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _unknown_client() from None
    if scheme.lower() != "basic" or not colon:
        raise _unknown_client()
    return unquote_plus(client_id), unquote_plus(secret)


def _unknown_client() -> OAuthError:
    return OAuthError("invalid_client", "client authentication failed")


async def _enabled(client_id: str) -> Any:
    try:
        found = await client(UUID(client_id))
    except ValueError:
        found = None
    if found is None:
        raise _unknown_client()
    return found


async def client_by_secret(client_id: str, secret: str) -> Any:
    """The enabled client of an id and a secret. Raises OAuthError invalid_client."""
    found = await _enabled(client_id)
    if found["secret_hash"] is None or not hmac.compare_digest(found["secret_hash"], secret_hash(secret)):
        raise _unknown_client()
    return found


async def _by_assertion(call: Call[None], form: dict[str, str]) -> Any:
    """RFC 7523 section 3: issuer and subject are the client, we are the audience, five minutes, jti once."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError("invalid_request", "client_assertion_type is not jwt-bearer")
    text = form.get("client_assertion", "")
    try:
        header = jwt.get_unverified_header(text)
        claimed = jwt.decode(text, options={"verify_signature": False, "verify_exp": False, "verify_aud": False})
        found = await _enabled(str(claimed.get("iss")))
        key = _registered_key(found["jwks"], header)
        claims = jwt.decode(
            text,
            key.key,
            algorithms=[key.algorithm_name],
            audience=[call.services.settings.base_url, f"{call.services.settings.base_url}/v1/oauth/token"],
            options={
                "require": ["iss", "sub", "aud", "exp", "jti"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, KeySetError, ValueError, TypeError, AttributeError, RecursionError):
        raise _unknown_client() from None
    now = call.services.clock.now()
    if not _timely(claims, now) or claims["iss"] != claims["sub"] or claims["sub"] != str(found["id"]):
        raise _unknown_client()
    if not isinstance(claims["jti"], str) or not await use_assertion(
        found["id"], claims["jti"], claims["exp"] - now + 2 * CLOCK_ALLOWANCE
    ):
        raise _unknown_client()
    return found


def _timely(claims: dict[str, Any], now: float) -> bool:
    exp, iat, nbf = claims["exp"], claims.get("iat", now), claims.get("nbf", now)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (exp, iat, nbf)):
        return False
    return bool(
        now - CLOCK_ALLOWANCE < exp <= now + ASSERTION_MOST_SECONDS + CLOCK_ALLOWANCE
        and iat <= now + CLOCK_ALLOWANCE
        and nbf <= now + CLOCK_ALLOWANCE
    )


def _registered_key(jwks: str | None, header: dict[str, Any]) -> jwt.PyJWK:
    """The client's key that the header names; its algorithm is the key's, never the header's alone."""
    keys = json.loads(jwks)["keys"] if jwks else []
    fitting = [key for key in keys if key.get("kid") == header.get("kid")]
    if len(fitting) != 1:
        raise KeySetError("no such key")
    algorithm = fitting[0].get("alg")
    if algorithm not in ALGORITHMS or header.get("alg") != algorithm:
        raise KeySetError("another algorithm")
    return jwt.PyJWK(fitting[0], algorithm)
