"""The published key set: what scanners verify with offline (code-format.md)."""

import hashlib
from email.utils import formatdate
from typing import Final

from sanic.response import HTTPResponse

from api.problems import RING_ROLLED_BACK, TRY_AGAIN
from api.web.answers import encode
from api.web.calls import Call
from api.web.etags import matches
from api.web.routes import Caller, Media, Subject
from codes.keyset import KeySet
from codes.ring import KeyRing

subject = Subject("Open")
CBOR: Final = "application/cose-key-set"
SIGNED: Final = 'application/cose; cose-type="cose-sign1"'
JWKS: Final = "application/jwk-set+json"
_NOT_NOW: Final = (TRY_AGAIN, RING_ROLLED_BACK)


@subject.route(
    "GET",
    "/.well-known/yima/keys.cbor",
    Caller.ANYONE,
    "The public keys as a COSE_KeySet (RFC 9052 section 7)",
    answers={200: Media(CBOR, "every key that may verify, and every key that will soon sign"), 304: None},
    problems=_NOT_NOW,
    limit="open",
)
async def show_cose_keys(call: Call[None]) -> HTTPResponse:
    """Never a private or sealing key."""
    body = KeySet(_current_ring(call).published()).to_cbor()
    return _published(call, body, CBOR, call.services.settings.key_set_max_age)


@subject.route(
    "GET",
    "/.well-known/yima/keyset.cose",
    Caller.ANYONE,
    "The same keys, with a version, an end and the revoked kids, signed by the root (COSE_Sign1, RFC 9052)",
    answers={200: Media(SIGNED, "what a verifier that has pinned the root's public key takes"), 304: None},
    problems=_NOT_NOW,
    limit="open",
)
async def show_signed_keys(call: Call[None]) -> HTTPResponse:
    """Its form and the steps of who reads it: codes/signedset.py."""
    services, settings = call.services, call.services.settings
    ring, now = _current_ring(call), services.clock.now()
    signed = services.signed_sets.current(ring, now, life=settings.key_set_life, max_age=settings.key_set_max_age)
    return _published(call, signed.data, SIGNED, signed.max_age)


@subject.route(
    "GET",
    "/.well-known/jwks.json",
    Caller.ANYONE,
    "The same as a JWK Set (RFC 7517)",
    answers={200: Media(JWKS, "the same keys"), 304: None},
    problems=_NOT_NOW,
    limit="open",
)
async def show_jwks(call: Call[None]) -> HTTPResponse:
    """Never a private or sealing key."""
    body = encode(KeySet(_current_ring(call).published()).to_jwks())
    return _published(call, body, JWKS, call.services.settings.key_set_max_age)


def _current_ring(call: Call[None]) -> KeyRing:
    """The ring, if it may be published: a worker that was cut off must not tell of keys that are gone.

    Raises Problem ring-rolled-back or try-again.
    """
    keeper = call.services.keeper
    keeper.require_current()
    keeper.require_fresh()
    return call.services.vault.ring


def _published(call: Call[None], body: bytes, content_type: str, max_age: int) -> HTTPResponse:
    """The answer with its tag, how long it may be kept, and the database's time: verifiers set their clocks by it."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": f"public, max-age={call.services.keeper.published_for(max_age)}",
        "Date": formatdate(call.services.clock.now(), usegmt=True),
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if matches(call.request.headers.get("if-none-match"), etag):
        return HTTPResponse(None, status=304, headers=headers)
    return HTTPResponse(body, headers=headers, content_type=content_type)
