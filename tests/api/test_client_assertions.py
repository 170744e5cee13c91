"""private_key_jwt (RFC 7523): each claim wrong in turn, once per jti; weak keys refused (threats 11 and 28)."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.service import Service, bearer, refused

PATH = "/v1/oauth/token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
P = 2**255 - 19
ORDER_8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
# y of the points of order 1, 2, 4 and 8, p and p + 1 for 0 and 1 once more; each with either sign of x
LOW_ORDER = [
    (y | sign << 255).to_bytes(32, "little") for y in (0, 1, P - 1, ORDER_8, P - ORDER_8, P, P + 1) for sign in (0, 1)
]
ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256")


def new_key(alg: str) -> Any:
    if alg == "EdDSA":
        return Ed25519PrivateKey.generate()
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def public_jwk(key: Any, alg: str, kid: str = "k1") -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name(alg)
    return {**json.loads(algorithm.to_jwk(key.public_key())), "alg": alg, "kid": kid}


class Registered:
    """A client that authenticates by a key of its own."""

    def __init__(self, service: Service, client_id: str, key: Any, alg: str) -> None:
        self.service, self.client_id, self.key, self.alg = service, client_id, key, alg

    def claims(self, **change: Any) -> dict[str, Any]:
        now = int(self.service.now())
        made = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": str(self.service.http.base_url).rstrip("/") + PATH,
            "exp": now + 60,
            "iat": now,
            "jti": secrets.token_hex(16),
            **change,
        }
        return {name: value for name, value in made.items() if value is not None}

    def assertion(self, headers: dict[str, Any] | None = None, **change: Any) -> str:
        payload = json.dumps(self.claims(**change)).encode()  # PyJWT itself refuses to make some of the wrong ones
        return jwt.PyJWS().encode(payload, self.key, self.alg, headers={"kid": "k1", **(headers or {})})

    async def ask(self, assertion: str, **form: str) -> Any:
        data = {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion,
            **form,
        }
        return await self.service.http.post(PATH, data=data)


async def hospital(service: Service) -> str:
    return (await service.client()).hospital_id


async def register(service: Service, jwks: dict[str, Any]) -> Any:
    path = f"/v1/admin/hospitals/{await hospital(service)}/clients"
    body = {"name": "HIS", "scopes": ["booking"], "jwks": jwks}
    return await service.http.post(path, headers=await service.admin("registrar"), json=body)


async def registered(service: Service, alg: str = "EdDSA") -> Registered:
    key = new_key(alg)
    answer = await register(service, {"keys": [public_jwk(key, alg)]})
    assert answer.status_code == 201, answer.text
    assert answer.json().keys() == {"client_id"}, "a client with a key has no secret"
    return Registered(service, answer.json()["client_id"], key, alg)


def denied(answer: Any) -> None:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_signed_assertion_gives_a_token(service: Service, alg: str) -> None:
    client = await registered(service, alg)
    answer = await client.ask(client.assertion())
    assert answer.status_code == 200, answer.text
    refused(await service.scan(bearer(answer.json()["access_token"]), "0"), 400, "code-malformed")


async def test_the_services_address_is_an_audience_too_alone_or_among_others(service: Service) -> None:
    client = await registered(service)
    base = str(service.http.base_url).rstrip("/")
    for audience in (base, [base], ["https://elsewhere", base + PATH]):
        assert (await client.ask(client.assertion(aud=audience))).status_code == 200


WRONG: list[dict[str, Any]] = [
    {"iss": None},
    {"iss": "somebody"},
    {"iss": 7},
    {"sub": None},
    {"sub": "00000000-0000-4000-8000-000000000000"},
    {"aud": None},
    {"aud": "https://elsewhere.example/v1/oauth/token"},
    {"aud": []},
    {"exp": None},
    {"exp": "soon"},
    {"exp": True},
    {"exp": 10**400},
    {"jti": None},
    {"jti": 7},
    {"iat": "now"},
    {"nbf": "now"},
]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: str(change)[:30])
async def test_each_claim_wrong_in_turn_is_invalid_client(service: Service, change: dict[str, Any]) -> None:
    client = await registered(service)
    denied(await client.ask(client.assertion(**change)))
    assert (await client.ask(client.assertion())).status_code == 200


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({"exp": 300}, True),
        ({"exp": 331}, False),
        ({"exp": 3600}, False),
        ({"exp": -29}, True),
        ({"exp": -31}, False),
        ({"iat": 29}, True),
        ({"iat": 32}, False),
        ({"nbf": 29}, True),
        ({"nbf": 32}, False),
    ],
    ids=str,
)
async def test_five_minutes_at_most_and_30_s_for_clocks(service: Service, change: dict[str, Any], good: bool) -> None:
    client = await registered(service)
    now = int(service.now())
    answer = await client.ask(client.assertion(**{name: now + seconds for name, seconds in change.items()}))
    assert (answer.status_code == 200) == good, answer.text


async def test_an_assertion_is_taken_once_and_by_one_client(service: Service) -> None:
    client, other = await registered(service), await registered(service)
    assertion = client.assertion(jti="shared")
    answers = await asyncio.gather(*(client.ask(assertion) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    assert (await other.ask(other.assertion(jti="shared"))).status_code == 200
    denied(await client.ask(client.assertion(jti="shared")))


async def test_a_jti_is_remembered_while_its_assertion_could_be_replayed(service: Service) -> None:
    client = await registered(service)
    assertion = client.assertion(exp=int(service.now()) + 300)
    assert (await client.ask(assertion)).status_code == 200
    for moved in (100, 299, 329):
        await service.move_time(moved)
        denied(await client.ask(assertion))


async def test_a_stranger_cannot_use_up_anothers_jti(service: Service) -> None:
    client, stranger = await registered(service), await registered(service)
    forged = jwt.encode(client.claims(jti="wanted"), stranger.key, "EdDSA", headers={"kid": "k1"})
    denied(await client.ask(forged))
    assert (await client.ask(client.assertion(jti="wanted"))).status_code == 200


async def test_the_algorithm_is_the_keys_never_the_headers(service: Service) -> None:
    client = await registered(service, "RS256")
    public = client.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "k1"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(client.claims()).encode()).rstrip(b"=")
    mac = base64.urlsafe_b64encode(hmac.new(pem, header + b"." + body, hashlib.sha256).digest()).rstrip(b"=")
    denied(await client.ask(b".".join((header, body, mac)).decode()))
    denied(await client.ask(jwt.encode(client.claims(), "", "none", headers={"kid": "k1"})))
    denied(await client.ask(jwt.encode(client.claims(), client.key, "PS256", headers={"kid": "k1"})))
    denied(await client.ask(jwt.encode(client.claims(), client.key, "RS512", headers={"kid": "k1"})))


@pytest.mark.parametrize("kid", ["k2", "", None, "../k1"])
async def test_a_key_that_is_not_registered_is_none(service: Service, kid: str | None) -> None:
    client = await registered(service)
    headers = {"kid": kid} if kid is not None else {}
    text = jwt.encode(client.claims(), client.key, "EdDSA", headers=headers)
    denied(await client.ask(text))


@pytest.mark.parametrize(
    "text", ["", "x", "a.b.c", "e30.e30.e30", "." * 3, "e30." + "A" * 20_000 + ".e30", "\u00e9.b.c"]
)
async def test_what_is_no_jwt_is_invalid_client(service: Service, text: str) -> None:
    client = await registered(service)
    denied(await client.ask(text))


async def test_a_jwt_with_its_signature_cut_or_changed_is_invalid_client(service: Service) -> None:
    client = await registered(service)
    head, body, signature = client.assertion().split(".")
    for changed in ("", signature[:-4], ("A" if signature[0] != "A" else "B") + signature[1:]):
        denied(await client.ask(f"{head}.{body}.{changed}"))


async def test_one_way_of_authentication_at_a_time(service: Service) -> None:
    client = await registered(service)
    answer = await client.ask(client.assertion(), client_secret="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = await client.ask(client.assertion(), client_assertion_type="another")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_client_with_a_key_has_no_secret_and_none_is_accepted(service: Service) -> None:
    client = await registered(service)
    for secret in ("", "x"):
        form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
        denied(await service.http.post(PATH, data=form))


def okp(x: bytes, **more: Any) -> dict[str, Any]:
    coded = base64.urlsafe_b64encode(x).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k1", "x": coded, **more}


@pytest.mark.parametrize("point", LOW_ORDER, ids=bytes.hex)
async def test_low_order_points_are_refused(service: Service, point: bytes) -> None:
    answer = await register(service, {"keys": [okp(point)]})
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == "/jwks/keys/0"


GOOD = public_jwk(Ed25519PrivateKey.generate(), "EdDSA")
ES = public_jwk(ec.generate_private_key(ec.SECP256R1()), "ES256")
RSA = public_jwk(rsa.generate_private_key(65537, 2048), "RS256")
WEAK: list[tuple[str, Any]] = [
    ("no keys", {}),
    ("an empty set", {"keys": []}),
    ("eleven keys", {"keys": [{**GOOD, "kid": str(n)} for n in range(11)]}),
    ("two of one kid", {"keys": [GOOD, GOOD]}),
    ("a key that is none", {"keys": [7]}),
    ("RSA of 1024 bits", {"keys": [public_jwk(rsa.generate_private_key(65537, 1024), "RS256")]}),
    ("RSA of 2047 bits", {"keys": [public_jwk(rsa.generate_private_key(65537, 2047), "PS256")]}),
    ("a private part", {"keys": [{**GOOD, "d": "AAAA"}]}),
    ("a symmetric key", {"keys": [{"kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "k"}]}),
    ("no kid", {"keys": [{k: v for k, v in GOOD.items() if k != "kid"}]}),
    ("no alg", {"keys": [{k: v for k, v in GOOD.items() if k != "alg"}]}),
    ("another alg", {"keys": [{**GOOD, "alg": "ES256"}]}),
    ("alg none", {"keys": [{**GOOD, "alg": "none"}]}),
    ("for encryption", {"keys": [{**GOOD, "use": "enc"}]}),
    ("for other operations", {"keys": [{**GOOD, "key_ops": ["encrypt"]}]}),
    ("another curve", {"keys": [{**ES, "crv": "P-384"}]}),
    ("a point off the curve", {"keys": [{**ES, "y": ES["x"]}]}),
    ("padded base64", {"keys": [{**GOOD, "x": GOOD["x"] + "="}]}),
    ("a coordinate cut", {"keys": [{**GOOD, "x": GOOD["x"][:-2]}]}),
    ("base64 with loose bits", {"keys": [{**GOOD, "x": GOOD["x"][:-1] + "B"}]}),
    ("a non-canonical point", {"keys": [okp(b"\xf0" + b"\xff" * 30 + b"\x7f")]}),
    ("RSA with exponent 1", {"keys": [{**RSA, "e": "AQ"}]}),
    ("RSA with an even exponent", {"keys": [{**RSA, "e": "Ag"}]}),
]


@pytest.mark.parametrize("jwks", [jwks for _, jwks in WEAK], ids=[why for why, _ in WEAK])
async def test_weak_private_or_ambiguous_keys_are_refused(service: Service, jwks: Any) -> None:
    refused(await register(service, jwks), 422, "validation-failed")
