"""The signed claims: CWT (RFC 8392) with two private ones (code-format.md, the table under "Bytes").

payload = { 4: exp, 6: iat, 7: cti, ? -65537: services, ? -65538: use }
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from codes import cbor
from codes.errors import CodeMalformed

EXP: Final = 4  # RFC 8392 §3.1
IAT: Final = 6
CTI: Final = 7
SERVICES: Final = -65537
USE: Final = -65538

CTI_BYTES: Final = 16
MAX_TIME: Final = 2**32 - 1
MAX_DYNAMIC_LIFE: Final = 300  # seconds
MAX_PRINTED_LIFE: Final = 157_680_000  # seconds, five years of 365 days

USE_PRINTED: Final = 1

BOOKING: Final = 1
RECORDS: Final = 2
PAYMENT: Final = 4
SERVICE_NAMES: Final = {BOOKING: "booking", RECORDS: "records", PAYMENT: "payment"}
ALL_SERVICES: Final = BOOKING | RECORDS | PAYMENT

_REQUIRED: Final = frozenset({EXP, IAT, CTI})
_KNOWN: Final = _REQUIRED | {SERVICES, USE}


class Claims(NamedTuple):
    """What a code says. Times in seconds since 1970; services None means all; use None means dynamic."""

    exp: int
    iat: int
    cti: bytes
    services: int | None = None
    use: int | None = None


def encode(claims: Claims) -> bytes:
    """The payload's bytes."""
    payload: dict[int, int | bytes] = {EXP: claims.exp, IAT: claims.iat, CTI: claims.cti}
    if claims.services is not None:
        payload[SERVICES] = claims.services
    if claims.use is not None:
        payload[USE] = claims.use
    return cbor.encode_in_order(payload)


def decode(payload: bytes) -> Claims:
    """The claims in a payload. Raises CodeMalformed unless all rules hold and the bytes are their one form."""
    claims = _read(cbor.decode(payload))
    if not _lawful(claims) or encode(claims) != payload:
        raise CodeMalformed
    return claims


def _read(payload: Any) -> Claims:
    if type(payload) is not dict or not _REQUIRED <= payload.keys() <= _KNOWN:
        raise CodeMalformed
    cti, numbers = payload[CTI], [value for label, value in payload.items() if label != CTI]
    # type(), since a boolean is an instance of int
    if type(cti) is not bytes or not all(type(number) is int for number in numbers):
        raise CodeMalformed
    return Claims(payload[EXP], payload[IAT], cti, payload.get(SERVICES), payload.get(USE))


def _lawful(claims: Claims) -> bool:
    exp, iat, cti, services, use = claims
    if len(cti) != CTI_BYTES or not 0 <= iat < exp <= MAX_TIME:
        return False
    if use == USE_PRINTED:
        return services is None and exp - iat <= MAX_PRINTED_LIFE
    return use is None and exp - iat <= MAX_DYNAMIC_LIFE and (services is None or 0 < services <= ALL_SERVICES)


def services_to_names(services: int | None) -> list[str]:
    """The names of the services that a claim lets open: all of them where it is absent."""
    bits = ALL_SERVICES if services is None else services
    return [name for bit, name in SERVICE_NAMES.items() if bits & bit]


def names_to_services(names: Iterable[str]) -> int:
    """The bit set of the named services. Raises ValueError for an unknown name, or for none at all."""
    bits = {name: bit for bit, name in SERVICE_NAMES.items()}
    services = 0
    for name in names:
        if name not in bits:
            raise ValueError("an unknown service")
        services |= bits[name]
    if not services:
        raise ValueError("no service")
    return services
