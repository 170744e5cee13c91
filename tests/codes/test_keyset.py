"""The published key set: written as others read it, read as strictly as codes are."""

import base64
import json
from typing import Any

import cbor2
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycose.keys.cosekey import CoseKey
from pycose.keys.okp import OKPKey

from codes.errors import KeySetError
from codes.keys import VerifyingKey, kid_of
from codes.keyset import KeySet

from .support import KEY, KEYS, OTHER_KEY, PRINT_KEY

COSE_KEY = {1: 1, 2: KEY.kid, 3: -8, -1: 6, -2: KEY.verifying.public}
COSE_PRINT_KEY = {1: 1, 2: PRINT_KEY.kid, 3: -8, -1: 6, -2: PRINT_KEY.verifying.public, -65537: 1}
JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": base64.urlsafe_b64encode(KEY.verifying.public).rstrip(b"=").decode(),
    "kid": KEY.kid.hex(),
    "alg": "EdDSA",
    "use": "sig",
}
LOW_ORDER = (1).to_bytes(32, "little")


def cose_set(*keys: object) -> bytes:
    return cbor2.dumps(list(keys), canonical=True)


def jwk_set(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_cose_comes_back() -> None:
    assert KeySet.from_cbor(KEYS.to_cbor()).keys == KEYS.keys
    assert cbor2.loads(KEYS.to_cbor())[0] == COSE_KEY
    assert cbor2.loads(KEYS.to_cbor())[2] == COSE_PRINT_KEY


def test_jwks_come_back() -> None:
    assert KeySet.from_jwks(json.dumps(KEYS.to_jwks()).encode()).keys == KEYS.keys
    assert KEYS.to_jwks()["keys"][0] == JWK
    assert KEYS.to_jwks()["keys"][2]["yima_use"] == 1


def test_pycose_reads_our_set() -> None:
    parsed: Any
    for key, parsed in zip(KEYS.keys, map(CoseKey.from_dict, cbor2.loads(KEYS.to_cbor())), strict=True):
        assert isinstance(parsed, OKPKey)
        assert (parsed.kid, parsed.x) == (key.kid, key.public)


def test_pyjwt_reads_our_set() -> None:
    assert [key.key_id for key in jwt.PyJWKSet.from_dict(KEYS.to_jwks()).keys] == [key.kid.hex() for key in KEYS.keys]


@pytest.mark.parametrize(
    ("why", "key"),
    [
        ("a private part", COSE_KEY | {-4: bytes(32)}),
        ("another alg", COSE_KEY | {3: -19}),
        ("an alg that is text", COSE_KEY | {3: "EdDSA"}),
        ("another key type", COSE_KEY | {1: 2}),
        ("another curve", COSE_KEY | {-1: 4}),
        ("a key type that is true", COSE_KEY | {1: True}),
        ("another's kid", COSE_KEY | {2: OTHER_KEY.kid}),
        ("a longer kid", COSE_KEY | {2: KEY.kid + b"\0"}),
        ("a kid that is text", COSE_KEY | {2: "abcd"}),
        ("a low-order point", COSE_KEY | {2: kid_of(LOW_ORDER), -2: LOW_ORDER}),
        ("a short point", COSE_KEY | {-2: KEY.verifying.public[:31]}),
        ("a point that is text", COSE_KEY | {-2: "x" * 32}),
        ("use 0", COSE_KEY | {-65537: 0}),
        ("use 2", COSE_KEY | {-65537: 2}),
        ("use true", COSE_KEY | {-65537: True}),
        ("use null", COSE_KEY | {-65537: None}),
        ("key_ops", COSE_KEY | {4: [2]}),
        ("an unknown parameter", COSE_KEY | {"x": 1}),
        ("no alg", {label: value for label, value in COSE_KEY.items() if label != 3}),
        ("not a map", [1, 2]),
        ("bytes", b"key"),
    ],
)
def test_a_cose_key_that_is_not_ours_is_refused(why: str, key: object) -> None:
    with pytest.raises(KeySetError):
        KeySet.from_cbor(cose_set(COSE_PRINT_KEY, key))


def test_a_private_key_is_named_as_what_it_is() -> None:
    for read, data in (
        (KeySet.from_cbor, cose_set(COSE_KEY | {-4: bytes(32)})),
        (KeySet.from_jwks, jwk_set(JWK | {"d": "A"})),
    ):
        with pytest.raises(KeySetError, match="private"):
            read(data)


GOOD = cose_set(COSE_KEY, COSE_PRINT_KEY)


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("nothing", b""),
        ("an empty set", b"\x80"),
        ("one kid twice", cose_set(COSE_KEY, COSE_KEY)),
        ("one key for two purposes", cose_set(COSE_KEY, COSE_KEY | {-65537: 1})),
        ("a key alone", cbor2.dumps(COSE_KEY)),
        ("a signed set", b"\xd2\x84" + GOOD),
        ("a tag around", b"\xd9\xd9\xf7" + GOOD),
        ("a byte after", GOOD + b"\0"),
        ("a set after", GOOD + GOOD),
        ("a byte short", GOOD[:-1]),
        ("an indefinite array", b"\x9f" + GOOD[1:] + b"\xff"),
        ("parameters out of order", cbor2.dumps([dict(reversed(COSE_KEY.items()))])),
        ("a duplicate parameter", b"\x81\xa6\x01\x01" + cbor2.dumps(COSE_KEY, canonical=True)[1:]),
        ("an array said to hold four thousand million", bytes.fromhex("9aee6b2800")),
        ("too many", cose_set(*[COSE_KEY] * 257)),
        ("too large", b"\x80" + bytes(64 * 1024)),
        ("JSON", jwk_set(JWK)),
    ],
)
def test_a_set_that_is_not_ours_is_refused(why: str, data: bytes) -> None:
    with pytest.raises(KeySetError):
        KeySet.from_cbor(data)


@pytest.mark.parametrize("absent", [{}, {"alg"}, {"use"}, {"alg", "use"}])
def test_jwks_say_more_or_less(absent: set[str]) -> None:
    jwk = {member: value for member, value in JWK.items() if member not in absent}
    assert KeySet.from_jwks(jwk_set(jwk)).verifying(KEY.kid) == KEY.verifying
    assert KeySet.from_jwks(jwk_set(jwk | {"key_ops": ["verify"]})).verifying(KEY.kid) == KEY.verifying


@pytest.mark.parametrize(
    "changes",
    [
        {"d": "AAAA"},
        {"kty": "EC"},
        {"crv": "X25519"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": None},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": None},
        {"kid": KEY.kid.hex().upper() + "x"},
        {"kid": OTHER_KEY.kid.hex()},
        {"kid": 5},
        {"x": JWK["x"] + "="},
        {"x": JWK["x"][:-1]},
        {"x": JWK["x"][:-1] + chr(ord(JWK["x"][-1]) + 1)},
        {"x": None},
        {"x": ["a"]},
        {"yima_use": 2},
        {"yima_use": True},
        {"yima_use": "1"},
        {"yima_use": None},
        {"x5u": "https://example.com"},
        {"kty": {}},
    ],
)
def test_a_jwk_that_is_not_ours_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(KeySetError):
        KeySet.from_jwks(jwk_set(JWK | changes))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [1]}',
        b'{"keys": [], "keys": []}',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"keys": ' + b"1" * 20_000 + b"}",
        jwk_set(JWK, JWK),
        jwk_set(*[JWK] * 250),
        jwk_set(JWK)[:-1],
    ],
    ids=lambda data: repr(data[:20]),
)
def test_a_jwk_set_that_is_not_ours_is_refused(data: bytes) -> None:
    with pytest.raises(KeySetError):
        KeySet.from_jwks(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_key_set_error(data: bytes) -> None:
    for read in (KeySet.from_cbor, KeySet.from_jwks):
        with pytest.raises(KeySetError):
            read(data)


def test_an_unknown_kid_has_no_key() -> None:
    assert KEYS.verifying(b"\0\0\0\0") is None
    assert KEYS.verifying(KEY.kid) == VerifyingKey.from_public(KEY.verifying.public)
