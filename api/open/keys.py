"""The published key set: what scanners verify with offline (code-format.md)."""

import hashlib
from typing import Final

from sanic.response import HTTPResponse

from api.web.answers import encode
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from codes.keyset import KeySet

subject = Subject("Open")
CBOR: Final = "application/cose-key-set"
JWKS: Final = "application/jwk-set+json"


@subject.route(
    "GET",
    "/.well-known/yima/keys.cbor",
    Caller.ANYONE,
    "The public keys as a COSE_KeySet (RFC 9052 section 7)",
    answers={200: Media(CBOR, "every key that may verify, and every key that will soon sign"), 304: None},
    limit="open",
)
async def show_cose_keys(call: Call[None]) -> HTTPResponse:
    """Never a private or sealing key."""
    return _published(call, KeySet(call.services.vault.ring.published()).to_cbor(), CBOR)


@subject.route(
    "GET",
    "/.well-known/jwks.json",
    Caller.ANYONE,
    "The same as a JWK Set (RFC 7517)",
    answers={200: Media(JWKS, "the same keys"), 304: None},
    limit="open",
)
async def show_jwks(call: Call[None]) -> HTTPResponse:
    """Never a private or sealing key."""
    return _published(call, encode(KeySet(call.services.vault.ring.published()).to_jwks()), JWKS)


def _published(call: Call[None], body: bytes, content_type: str) -> HTTPResponse:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": f"public, max-age={call.services.settings.key_set_max_age}",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    seen = [tag.strip().removeprefix("W/") for tag in call.request.headers.get("if-none-match", "").split(",")]
    if etag in seen or "*" in seen:
        return HTTPResponse(None, status=304, headers=headers)
    return HTTPResponse(body, headers=headers, content_type=content_type)
