"""Verifying a code: the steps of code-format.md that need nothing but the published keys and the time.

    1. The text rules hold                                                else code-malformed
    2. The COSE, CBOR and claim rules hold                                else code-malformed
    3. `kid` names a key that may verify; algorithm and purpose fit it;
       the signature is good                                              else code-not-authentic
    4. now is not before iat, nor after exp, with 30 s allowed            else code-not-yet-valid, code-expired

Step 5, whether the code was used and its card stands, is the database's.
"""

from typing import Final, NamedTuple

from codes import claims as cwt
from codes import template
from codes.claims import Claims
from codes.cose import Sign1, decode_sign1, sig_structure
from codes.digits import strip_scanned, text_to_bytes
from codes.errors import CodeExpired, CodeNotAuthentic, CodeNotYetValid, UnknownKey
from codes.keys import KeySource

SKEW: Final = 30  # seconds that two clocks may differ


class VerifiedCode(NamedTuple):
    """What a key that may verify has signed. Times in seconds since 1970."""

    kid: bytes
    cti: bytes
    iat: int
    exp: int
    services: int | None
    use: int | None


def authenticate(text: str, keys: KeySource) -> VerifiedCode:
    """Steps 1 to 3, for text as a scanner sent it.

    Raises OlderCode, CodeMalformed, or CodeNotAuthentic (as UnknownKey, where a newer key set could tell more).
    """
    # 1. Text rules.
    data = text_to_bytes(strip_scanned(text))

    # 2. COSE, CBOR and claim rules.
    message, claims = template.read(data) or _parse(data)

    # 3. The key, and all that it alone decides.
    key = keys.verifying(message.kid)
    if key is None:
        raise UnknownKey(message.kid)
    if message.alg != key.alg or claims.use != key.use:
        raise CodeNotAuthentic
    if not key.verify(message.signature, sig_structure(key.protected, message.payload)):
        raise CodeNotAuthentic

    return VerifiedCode(message.kid, claims.cti, claims.iat, claims.exp, claims.services, claims.use)


def _parse(data: bytes) -> tuple[Sign1, Claims]:
    message = decode_sign1(data)
    return message, cwt.decode(message.payload)


def check_times(code: VerifiedCode, now: int, skew: int = SKEW) -> None:
    """Step 4, at `now` in seconds since 1970. Raises CodeNotYetValid or CodeExpired."""
    if now < code.iat - skew:
        raise CodeNotYetValid
    if now > code.exp + skew:
        raise CodeExpired


def verify(text: str, keys: KeySource, now: int) -> VerifiedCode:
    """Steps 1 to 4: the offline check. Raises a CodeError."""
    code = authenticate(text, keys)
    check_times(code, now)
    return code
