"""The keys that a hospital registers for private_key_jwt: weak and private ones are refused (security.md, threat 28)."""

import base64
import binascii
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.web.bodies import invalid
from codes.errors import KeySetError
from codes.keys import check_public_point

ALGORITHM_OF: Final = {
    ("OKP", "EdDSA"): "Ed25519",
    ("EC", "ES256"): "P-256",
    ("RSA", "RS256"): None,
    ("RSA", "PS256"): None,
}
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
RSA_LEAST_BITS: Final = 2048
KEYS_MOST: Final = 10


def check_jwks(jwks: dict[str, Any]) -> dict[str, Any]:
    """The JWK Set with the members that matter. Raises Problem validation-failed, naming the key by its place."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS_MOST:
        raise invalid("/jwks/keys", "应有 1 至 10 个公钥", "give 1 to 10 public keys")
    checked = []
    for place, key in enumerate(keys):
        try:
            checked.append(_check(key))
        except (KeySetError, jwt.PyJWTError, ValueError, TypeError) as error:
            said = str(error) if isinstance(error, KeySetError) else "not a usable key"
            raise invalid(f"/jwks/keys/{place}", "公钥不可用", said) from None
    if len({key["kid"] for key in checked}) != len(checked):
        raise invalid("/jwks/keys", "kid 不可重复", "each key needs a kid of its own")
    return {"keys": checked}


def _check(key: Any) -> dict[str, Any]:
    if not isinstance(key, dict) or PRIVATE & key.keys():
        raise KeySetError("a public key without private parts is needed")
    if not isinstance(key.get("kid"), str) or not 1 <= len(key["kid"]) <= 64:
        raise KeySetError("each key needs a kid of 1 to 64 characters")
    if (key.get("kty"), key.get("alg")) not in ALGORITHM_OF or key.get("use", "sig") != "sig":
        raise KeySetError("kty and alg must be OKP EdDSA, EC ES256, RSA RS256 or RSA PS256, for signing")
    if key.get("key_ops", ["verify"]) != ["verify"]:
        raise KeySetError("key_ops, where it is there, must be verify alone")
    curve = ALGORITHM_OF[key["kty"], key["alg"]]
    if key.get("crv") != curve:
        raise KeySetError("the curve does not fit the algorithm")
    members = {name: key[name] for name in ("kty", "alg", "kid", "crv", "x", "y", "n", "e") if name in key}
    for name in members.keys() & {"x", "y", "n", "e"}:
        _canonical(members[name])
    if curve == "Ed25519":
        check_public_point(_canonical(members.get("x")))
    public = jwt.PyJWK(members, key["alg"]).key
    if isinstance(public, RSAPublicKey) and public.key_size < RSA_LEAST_BITS:
        raise KeySetError("RSA keys need 2048 bits or more")
    return members


def _canonical(text: Any) -> bytes:
    """Base64url without padding, in its one form (PyJWT accepts others)."""
    if not isinstance(text, str):
        raise KeySetError("a member is missing")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise KeySetError("a member is not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise KeySetError("a member is not base64url without padding")
    return data
