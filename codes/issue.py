"""Issuing a code: seal, sign, write as digits. It stores nothing, anywhere.

The bytes are filled into a fixed template, since a code is issued for every look at the patient's screen;
that they equal what `cose` and `claims` encode is shown by the tests.
"""

from typing import Final, NamedTuple

from codes.claims import ALL_SERVICES, CTI_BYTES, MAX_DYNAMIC_LIFE, MAX_PRINTED_LIFE, MAX_TIME, USE_PRINTED
from codes.digits import bytes_to_text
from codes.keys import SigningKey
from codes.template import CTI, EXP, HEAD, IAT, MIN_TIME, PLAIN, SIGNATURE, UNPROTECTED

_SIGNED_HEAD: Final = b"\x84\x6aSignature1\x49"  # RFC 9052 §4.4: array of 4, context, protected header
_EXTERNAL: Final = b"\x40"  # h''
_WITH_ONE_MORE: Final = b"\x58\x25\xa4"  # as PLAIN, with an entry more at the end
_SERVICES: Final = [b"\x3a\x00\x01\x00\x00" + bytes([services]) for services in range(ALL_SERVICES + 1)]
_USE_PRINTED: Final = b"\x3a\x00\x01\x00\x01" + bytes([USE_PRINTED])


class IssuedCode(NamedTuple):
    """A code as it goes to the patient's screen. Times in seconds since 1970."""

    text: str
    cti: bytes
    iat: int
    exp: int
    services: int | None
    kid: bytes


def issue(key: SigningKey, *, handle: int, now: int, life: int, services: int | None, nonce: bytes) -> IssuedCode:
    """A dynamic code for the card with this handle, of `life` seconds (1 to 300), from 4 random bytes.

    Raises ValueError where an argument is out of its range; the caller decides them all.
    """
    if key.use is not None or not 0 < life <= MAX_DYNAMIC_LIFE:
        raise ValueError("a dynamic code lives 1 to 300 s and is signed by a key of purpose code")
    if services is None:
        head, more = PLAIN, b""
    elif 0 < services <= ALL_SERVICES:
        head, more = _WITH_ONE_MORE, _SERVICES[services]
    else:
        raise ValueError("services are a non-empty set of known bits")
    cti = key.sealer.seal(handle, now, nonce)
    return IssuedCode(_sign(key, head, now, now + life, cti, more), cti, now, now + life, services, key.kid)


def issue_printed(key: SigningKey, *, now: int, life: int, cti: bytes) -> IssuedCode:
    """A printed card's code, of `life` seconds, around 16 random bytes that are kept with the card.

    Raises ValueError where an argument is out of its range.
    """
    if key.use != USE_PRINTED or not 0 < life <= MAX_PRINTED_LIFE or len(cti) != CTI_BYTES:
        raise ValueError("a printed code lives up to 157,680,000 s and is signed by a key of purpose print")
    text = _sign(key, _WITH_ONE_MORE, now, now + life, cti, _USE_PRINTED)
    return IssuedCode(text, cti, now, now + life, None, key.kid)


def _sign(key: SigningKey, head: bytes, iat: int, exp: int, cti: bytes, more: bytes) -> str:
    if iat < MIN_TIME or exp > MAX_TIME:
        raise ValueError("the time of issue is not of this age")
    payload = head + EXP + exp.to_bytes(4, "big") + IAT + iat.to_bytes(4, "big") + CTI + cti + more
    signature = key.sign(_SIGNED_HEAD + key.protected + _EXTERNAL + payload)
    return bytes_to_text(HEAD + key.protected + UNPROTECTED + payload + SIGNATURE + signature)
