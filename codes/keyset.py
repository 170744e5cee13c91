"""The published key set: COSE_KeySet (RFC 9052 §7) and JWKS (RFC 7517, RFC 8037), and reading either strictly.

    COSE_Key = { 1: kty, 2: kid, 3: alg, -1: crv, -2: x, ? -65537: 1 on a key of purpose print }

Reading is for verifiers that got a file or an answer from somewhere: whatever is not exactly a public key of
ours is refused, a private part first of all.
"""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from codes import cbor
from codes.errors import CodeMalformed, KeySetError
from codes.keys import EDDSA, SUITES, VerifyingKey

MAX_BYTES: Final = 64 * 1024
MAX_KEYS: Final = 256

# COSE key parameters: RFC 9052 §7.1, RFC 9053 §7.2, and ours.
_KTY, _KID, _ALG, _CRV, _X, _PRIVATE, _USE = 1, 2, 3, -1, -2, -4, -65537
_REQUIRED: Final = frozenset({_KTY, _KID, _ALG, _CRV, _X})
_JWK_REQUIRED: Final = frozenset({"kty", "crv", "x", "kid"})
_JWK_FIXED: Final = {"alg": SUITES[EDDSA].jose_alg, "use": "sig"}
_JWK_KNOWN: Final = _JWK_REQUIRED | _JWK_FIXED.keys() | {"yima_use", "key_ops"}


class KeySet:
    """Some verifying keys by their kids. Raises KeySetError for none, too many, or one kid twice."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[VerifyingKey]) -> None:
        listed = list(keys)
        self._keys = {key.kid: key for key in listed}
        if not 0 < len(listed) <= MAX_KEYS:
            raise KeySetError(f"a key set holds 1 to {MAX_KEYS} keys")
        if len(self._keys) != len(listed):
            raise KeySetError("one kid stands twice in the key set")

    @property
    def keys(self) -> list[VerifyingKey]:
        """The keys, in the order given."""
        return list(self._keys.values())

    def verifying(self, kid: bytes) -> VerifyingKey | None:
        """The key that `kid` names."""
        return self._keys.get(kid)

    def to_cose_keys(self) -> list[dict[int, int | bytes]]:
        """The keys as COSE_Key maps, to be written as CBOR."""
        return [_to_cose(key) for key in self.keys]

    def to_cbor(self) -> bytes:
        """The set as COSE_KeySet."""
        return cbor.encode(self.to_cose_keys())

    def to_jwks(self) -> dict[str, list[dict[str, str | int]]]:
        """The set as a JWK set, to be written as JSON."""
        return {"keys": [_to_jwk(key) for key in self.keys]}

    @classmethod
    def from_cbor(cls, data: bytes) -> "KeySet":
        """The set in a COSE_KeySet, in its deterministic encoding. Raises KeySetError."""
        if len(data) > MAX_BYTES:
            raise KeySetError("the key set is too large")
        try:
            listed = cbor.decode(data)
        except CodeMalformed:
            raise KeySetError("the key set is not the CBOR of a key set") from None
        keys = cls.from_cose_keys(listed)
        if keys.to_cbor() != data:
            raise KeySetError("the key set is not in its deterministic encoding")
        return keys

    @classmethod
    def from_cose_keys(cls, listed: Any) -> "KeySet":
        """The set of COSE_Key maps as CBOR was read; how they were encoded is the caller's to check. KeySetError."""
        if type(listed) is not list:
            raise KeySetError("a key set is an array of keys")
        return cls(_from_cose(key) for key in listed[: MAX_KEYS + 1])

    @classmethod
    def from_jwks(cls, data: bytes) -> "KeySet":
        """The set in the JSON of a JWK set. Raises KeySetError."""
        if len(data) > MAX_BYTES:
            raise KeySetError("the key set is too large")
        try:
            read = json.loads(data.decode("utf-8"), object_pairs_hook=_no_name_twice)
        except (ValueError, RecursionError):  # not UTF-8, not JSON, a name twice, or nested without end
            raise KeySetError("the key set is not JSON") from None
        listed = read.get("keys") if type(read) is dict else None
        if type(listed) is not list:
            raise KeySetError('a JWK set is an object with the array "keys"')
        return cls(_from_jwk(key) for key in listed[: MAX_KEYS + 1])


def _to_cose(key: VerifyingKey) -> dict[int, int | bytes]:
    suite = SUITES[key.alg]
    parameters: dict[int, int | bytes] = {
        _KTY: suite.kty,
        _KID: key.kid,
        _ALG: key.alg,
        _CRV: suite.crv,
        _X: key.public,
    }
    return parameters if key.use is None else parameters | {_USE: key.use}


def _from_cose(key: Any) -> VerifyingKey:
    if type(key) is not dict:
        raise KeySetError("a key is a map")
    if _PRIVATE in key:
        raise KeySetError("a private key stands in the key set; whoever published it must replace it")
    if not _REQUIRED <= key.keys() <= _REQUIRED | {_USE}:
        raise KeySetError("a key has a parameter too many or too few")
    kid, alg, public, use = key[_KID], key[_ALG], key[_X], key.get(_USE)
    if type(kid) is not bytes or type(alg) is not int or type(public) is not bytes:
        raise KeySetError("a key's parameter is of another type")
    suite = SUITES.get(alg)
    if suite is None or (key[_KTY], key[_CRV]) != (suite.kty, suite.crv) or (_USE in key and type(use) is not int):
        raise KeySetError("a key's algorithm, curve or use is not known here")
    return VerifyingKey(kid, alg, use, public)


def _to_jwk(key: VerifyingKey) -> dict[str, str | int]:
    suite = SUITES[key.alg]
    x = base64.urlsafe_b64encode(key.public).rstrip(b"=").decode()
    jwk: dict[str, str | int] = {
        "kty": "OKP",
        "crv": suite.jose_crv,
        "x": x,
        "kid": key.kid.hex(),
        "alg": suite.jose_alg,
        "use": "sig",
    }
    return jwk if key.use is None else jwk | {"yima_use": key.use}


def _from_jwk(key: Any) -> VerifyingKey:
    if type(key) is not dict:
        raise KeySetError("a key is an object")
    if "d" in key:
        raise KeySetError("a private key stands in the key set; whoever published it must replace it")
    if not _JWK_REQUIRED <= key.keys() <= _JWK_KNOWN:
        raise KeySetError("a key has a member too many or too few")
    x, kid, use = key["x"], key["kid"], key.get("yima_use")
    if (key["kty"], key["crv"]) != ("OKP", SUITES[EDDSA].jose_crv):
        raise KeySetError("a key's type or curve is not known here")
    if any(key.get(member, value) != value for member, value in _JWK_FIXED.items()):
        raise KeySetError("a key's algorithm or use is not known here")
    if key.get("key_ops", ["verify"]) != ["verify"] or ("yima_use" in key and type(use) is not int):
        raise KeySetError("a key's use is not known here")
    if type(kid) is not str or not re.fullmatch(r"[0-9a-f]{8}", kid):
        raise KeySetError("a kid is eight digits of lower-case hex")
    if type(x) is not str or not re.fullmatch(r"[A-Za-z0-9_-]{43}", x):
        raise KeySetError("a public key is 32 bytes in base64url without padding")
    public = base64.urlsafe_b64decode(x + "=")
    if base64.urlsafe_b64encode(public).rstrip(b"=").decode() != x:
        raise KeySetError("a public key is not in its canonical base64url")
    return VerifyingKey(bytes.fromhex(kid), EDDSA, use, public)


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members
