"""The hand-written minimum that the service is measured against: no limits, no problems, no log, no metrics, no cards.

POST /codes: Sanic, msgspec, one sealed block, a code by cbor2, one signature.
POST /resolutions: Sanic, msgspec, one signature checked, one statement on a pool that resets nothing.
POST /empty: Sanic alone.
Run as `python -m tests.bench.minimum --fd N --ready M --public HEX`, the database's address in BENCH_DATABASE.
"""

import argparse
import os
import socket
import struct
import time
from typing import Any, Final
from uuid import uuid4

import asyncpg
import cbor2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

DATABASE: Final = "BENCH_DATABASE"
CREATE: Final = (
    "CREATE TABLE used (cti bytea PRIMARY KEY, id uuid NOT NULL, terminal text NOT NULL, at timestamptz NOT NULL)"
)
_USE: Final = (
    "INSERT INTO used (cti, id, terminal, at) VALUES ($1, $2, $3, clock_timestamp())"
    " ON CONFLICT (cti) DO NOTHING RETURNING at"
)
_POOL: Final = 10
_LIFE: Final = 300
_HANDLE: Final = 2**62
_BLOCK: Final = struct.Struct(">QI4s")
# Where the parts of a dynamic code lie in its bytes (code-format.md): no parsing at all.
_PROTECTED, _PAYLOAD, _CTI, _SIGNATURE = slice(3, 12), slice(13, 46), slice(30, 46), slice(48, 112)
_SIGNED: Final = b"\x84\x6aSignature1\x49"


class CodeAsked(msgspec.Struct):
    """What the patient asks for."""

    services: list[str] | None = None


class CodeGiven(msgspec.Struct):
    """A code."""

    code: str
    issued_at: int
    expires_at: int


class ScanAsked(msgspec.Struct):
    """What the hospital scanned."""

    code: str
    step: str
    channel: str
    terminal: str


_encode: Final = msgspec.json.Encoder().encode
_code_asked: Final = msgspec.json.Decoder(CodeAsked).decode
_scan_asked: Final = msgspec.json.Decoder(ScanAsked).decode


def _answer(status: int, value: object) -> HTTPResponse:
    return HTTPResponse(_encode(value), status=status, content_type="application/json")


def create_minimum(public: Ed25519PublicKey, database: str) -> Sanic[Any, Any]:
    """The app. `public` is the key whose codes it resolves."""
    app: Sanic[Any, Any] = Sanic("minimum", configure_logging=False)
    app.config.ACCESS_LOG = False
    private = Ed25519PrivateKey.generate()
    seal = Cipher(algorithms.AES(os.urandom(32)), modes.ECB()).encryptor().update
    protected = cbor2.dumps({1: -8, 4: os.urandom(4)})

    @app.before_server_start
    async def connect(app: Sanic[Any, Any]) -> None:
        async def keep(_: object) -> None:
            """Reset nothing: as fast as a pool gets."""

        app.ctx.pool = await asyncpg.create_pool(database, min_size=_POOL, max_size=_POOL, reset=keep)

    @app.post("/codes")
    async def issue(request: Request) -> HTTPResponse:
        _code_asked(request.body)
        now = int(time.time())
        cti = seal(_BLOCK.pack(_HANDLE, now, os.urandom(4)))
        payload = cbor2.dumps({4: now + _LIFE, 6: now, 7: cti})
        signature = private.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
        data = b"\xd2" + cbor2.dumps([protected, {}, payload, signature])
        return _answer(201, CodeGiven(f"8601{int.from_bytes(data, 'big')}", now, now + _LIFE))

    @app.post("/resolutions")
    async def resolve(request: Request) -> HTTPResponse:
        scan = _scan_asked(request.body)
        data = int(scan.code[4:]).to_bytes(112, "big")
        public.verify(data[_SIGNATURE], _SIGNED + data[_PROTECTED] + b"\x40" + data[_PAYLOAD])
        made = uuid4()
        at = await app.ctx.pool.fetchval(_USE, data[_CTI], made, scan.terminal)
        if at is None:
            return _answer(409, {"code": "code-already-used"})
        return _answer(201, {"resolution_id": made, "resolved_at": at})

    @app.post("/empty")
    async def empty(_: Request) -> HTTPResponse:
        return _answer(200, {})

    return app


def main() -> None:
    """Serve on an inherited socket, as a worker of the service does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--ready", type=int, required=True)
    parser.add_argument("--public", required=True)
    options = parser.parse_args()
    app = create_minimum(Ed25519PublicKey.from_public_bytes(bytes.fromhex(options.public)), os.environ[DATABASE])

    async def say_ready(_: Sanic[Any, Any]) -> None:
        os.write(options.ready, b"1")

    app.after_server_start(say_ready)
    app.prepare(sock=socket.socket(fileno=options.fd), single_process=True, access_log=False, motd=False)
    Sanic.serve_single(app)


if __name__ == "__main__":
    main()
