"""COSE_Sign1 (RFC 9052 §4.2) in the one form that codes allow (code-format.md, "Bytes").

18([ protected, {}, payload, signature ])        protected = { 1: alg, 4: kid }
"""

from typing import Final, NamedTuple

from codes import cbor
from codes.errors import CodeMalformed

ALG: Final = 1  # header labels, RFC 9052 §3.1
KID: Final = 4
KID_BYTES: Final = 4
SIGNATURE_BYTES: Final = 64

_TAG_SIGN1: Final = b"\xd2"  # tag 18 in its shortest form


class Sign1(NamedTuple):
    """One signed message. `alg` is what the header claims; the key decides what verifies it."""

    alg: int
    kid: bytes
    payload: bytes
    signature: bytes


def encode_protected(alg: int, kid: bytes) -> bytes:
    """The protected header's bytes."""
    return cbor.encode_in_order({ALG: alg, KID: kid})


def sig_structure(protected: bytes, payload: bytes) -> bytes:
    """What is signed (RFC 9052 §4.4), with empty external data."""
    return cbor.encode_in_order(["Signature1", protected, b"", payload])


def encode_sign1(message: Sign1) -> bytes:
    """The one byte form of a signed message."""
    protected = encode_protected(message.alg, message.kid)
    return _TAG_SIGN1 + cbor.encode_in_order([protected, {}, message.payload, message.signature])


def decode_sign1(data: bytes) -> Sign1:
    """The signed message in `data`, at most a few hundred bytes. Raises CodeMalformed for any other form."""
    if data[:1] != _TAG_SIGN1:
        raise CodeMalformed
    match cbor.decode(data[1:]):
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)] if not unprotected:
            message = Sign1(*_decode_protected(protected), payload, signature)
        case _:
            raise CodeMalformed
    if len(message.signature) != SIGNATURE_BYTES or encode_sign1(message) != data:
        raise CodeMalformed
    return message


def _decode_protected(data: bytes) -> tuple[int, bytes]:
    header = cbor.decode(data)
    if type(header) is not dict or header.keys() != {ALG, KID}:
        raise CodeMalformed
    alg, kid = header[ALG], header[KID]
    if type(alg) is not int or type(kid) is not bytes or len(kid) != KID_BYTES:
        raise CodeMalformed
    return alg, kid
