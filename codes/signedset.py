"""The signed key set: the published keys under the root's signature, with a version and an end.

A COSE_Sign1 (RFC 9052 §4.2) in deterministic CBOR, so that one set has one byte form:

    18([ protected, {}, payload, signature ])
    protected = { 1: -8, 4: kid of the root's key }
    payload   = { "version": the key ring's version, 0 to 2⁵³ - 1
                  "issued_at": NumericDate, "expires_at": NumericDate
                  "keys": [ COSE_Key as in keys.cbor, 1 to 256 ]
                  "revoked": [ kid of a compromised code or print key, in ascending order, none twice ] }

A verifier that has pinned the root's public key trusts a set by these steps (after TUF's client):

    1. It is a COSE_Sign1 in its one form                                else set-malformed
    2. The pinned root signed it; nothing inside is read before          else set-forged
    3. The payload is exactly as above, no revoked kid and not the
       root among the keys, and it lives at most a year                  else set-malformed
    4. It is not from the future, with 30 s allowed: a set of tomorrow
       must not shut out those of today (fast-forward)                   else set-from-future
    5. Its version is not below the highest seen (rollback)              else set-rolled-back
    6. It has not expired: who holds newer sets back is noticed (freeze) else set-expired

The verifier keeps the bytes of the last set that passed: their version is the highest seen, and until they
expire they serve when nothing better can be had.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from codes import cbor
from codes.claims import MAX_TIME
from codes.cose import KID_BYTES, Sign1, decode_sign1, encode_protected, encode_sign1, sig_structure
from codes.errors import (
    CodeMalformed,
    KeySetError,
    SetExpired,
    SetForged,
    SetFromFuture,
    SetMalformed,
    SetRolledBack,
)
from codes.keys import SigningKey, VerifyingKey
from codes.keyset import KeySet
from codes.rootkey import RootKey
from codes.verify import SKEW

MAX_BYTES: Final = 64 * 1024
MAX_VERSION: Final = 2**53 - 1  # what every JSON and JavaScript reader can count to
MAX_LIFE: Final = 31_536_000  # seconds, a year
MAX_REVOKED: Final = 8192

_PAYLOAD_DEPTH: Final = 3  # the payload's map, its array of keys, a key
_MEMBERS: Final = frozenset({"version", "issued_at", "expires_at", "keys", "revoked"})


class SignedSet(NamedTuple):
    """A key set that the root has signed. Times in seconds since 1970."""

    version: int
    issued_at: int
    expires_at: int
    keyset: KeySet
    revoked: frozenset[bytes]


def sign_set(
    root: SigningKey,
    keys: Iterable[VerifyingKey],
    revoked: Iterable[bytes],
    version: int,
    issued_at: int,
    expires_at: int,
) -> bytes:
    """The bytes of a signed key set: the same for the same arguments (RFC 8032 signatures are deterministic).

    Raises KeySetError for what no verifier would take.
    """
    found = SignedSet(version, issued_at, expires_at, KeySet(keys), frozenset(revoked))
    _check_contents(found, root.kid)
    payload = _encode(found)
    signature = root.sign(sig_structure(root.protected, payload))
    signed = encode_sign1(Sign1(root.alg, root.kid, payload, signature))
    if len(signed) > MAX_BYTES:
        raise SetMalformed("the key set is too large")
    return signed


def open_set(data: bytes, root: RootKey, now: int, highest_seen: int) -> SignedSet:
    """Steps 1 to 6, at `now` in seconds since 1970, for a verifier that has seen version `highest_seen` (0: none).

    Raises SetMalformed, SetForged, SetFromFuture, SetRolledBack or SetExpired.
    """
    found = read_set(data, root)
    check_set(found, now, highest_seen)
    return found


def read_set(data: bytes, root: RootKey) -> SignedSet:
    """Steps 1 to 3: what the root has signed, whenever that was. Raises SetMalformed or SetForged."""
    # 1. The one form of a COSE_Sign1.
    if len(data) > MAX_BYTES:
        raise SetMalformed("the key set is too large")
    try:
        message = decode_sign1(data)
    except CodeMalformed:
        raise SetMalformed from None

    # 2. The pinned root's signature.
    if (message.alg, message.kid) != (root.alg, root.kid):
        raise SetForged
    if not root.verify(message.signature, sig_structure(encode_protected(message.alg, message.kid), message.payload)):
        raise SetForged

    # 3. The payload.
    found = _decode(message.payload)
    try:
        _check_contents(found, root.kid)
        if _encode(found) != message.payload:
            raise SetMalformed("the key set is not in its deterministic encoding")
    except KeySetError as reason:
        raise SetMalformed(str(reason)) from None
    return found


def check_set(found: SignedSet, now: int, highest_seen: int, skew: int = SKEW) -> None:
    """Steps 4 to 6. Raises SetFromFuture, SetRolledBack or SetExpired."""
    if found.issued_at > now + skew:
        raise SetFromFuture
    if found.version < highest_seen:
        raise SetRolledBack
    if now > found.expires_at:
        raise SetExpired


def _check_contents(found: SignedSet, root_kid: bytes) -> None:
    """What a set may say, for who signs one and for who reads one."""
    if not 0 <= found.version <= MAX_VERSION:
        raise SetMalformed("the key set's version is out of range")
    if not 0 <= found.issued_at < found.expires_at <= MAX_TIME or found.expires_at - found.issued_at > MAX_LIFE:
        raise SetMalformed("the key set's times are out of range")
    if len(found.revoked) > MAX_REVOKED or any(len(kid) != KID_BYTES for kid in found.revoked):
        raise SetMalformed("the key set revokes too many kids, or what is none")
    kids = {key.kid for key in found.keyset.keys}
    if root_kid in kids or not kids.isdisjoint(found.revoked):
        raise SetMalformed("the root or a revoked key stands among the keys")


def _encode(found: SignedSet) -> bytes:
    return cbor.encode(
        {
            "version": found.version,
            "issued_at": found.issued_at,
            "expires_at": found.expires_at,
            "keys": found.keyset.to_cose_keys(),
            "revoked": sorted(found.revoked),
        }
    )


def _decode(payload: bytes) -> SignedSet:
    """The payload with its types checked; that it is in its one form is for the caller to compare."""
    try:
        members = cbor.decode(payload, _PAYLOAD_DEPTH)
    except CodeMalformed:
        raise SetMalformed from None
    if type(members) is not dict or members.keys() != _MEMBERS:
        raise SetMalformed
    version, issued_at, expires_at = members["version"], members["issued_at"], members["expires_at"]
    if not type(version) is type(issued_at) is type(expires_at) is int:
        raise SetMalformed
    try:
        keyset = KeySet.from_cose_keys(members["keys"])
        return SignedSet(version, issued_at, expires_at, keyset, _kids(members["revoked"]))
    except KeySetError as reason:
        raise SetMalformed(str(reason)) from None


def _kids(listed: Any) -> frozenset[bytes]:
    if type(listed) is not list or any(type(kid) is not bytes for kid in listed):
        raise SetMalformed
    return frozenset(listed)
