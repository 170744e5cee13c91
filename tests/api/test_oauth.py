"""Access tokens for hospitals: OAuth 2.0 client credentials, errors as RFC 6749 (api.md, Hospitals; threat 11)."""

import base64
import json
from typing import Any

import pytest

from tests.support.service import Client, Service, bearer, refused

PATH = "/v1/oauth/token"
GRANT = {"grant_type": "client_credentials"}


def denied(answer: Any, status: int, error: str) -> None:
    """An error of RFC 6749 section 5.2."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) <= {"error", "error_description"}
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client()


async def test_a_secret_in_the_basic_header_gives_an_hours_token(service: Service, client: Client) -> None:
    answer = await service.token(client)
    assert answer.status_code == 200
    token = answer.json()
    assert token.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert sorted(token["scope"].split()) == ["booking", "identity:full", "payment", "records"]
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


async def test_a_secret_in_the_form_does_too(service: Service, client: Client) -> None:
    form = {**GRANT, "client_id": client.client_id, "client_secret": client.secret}
    assert (await service.http.post(PATH, data=form)).status_code == 200


async def test_the_basic_header_is_form_encoded_first(service: Service, client: Client) -> None:
    encoded = basic(client.client_id, client.secret.replace("-", "%2D").replace("_", "%5F"))
    assert (await service.http.post(PATH, data=GRANT, headers=encoded)).status_code == 200


@pytest.mark.parametrize("secret", ["", "wrong", "x" * 3000, "\u00e9"])
async def test_a_wrong_secret_is_invalid_client(service: Service, client: Client, secret: str) -> None:
    denied(await service.http.post(PATH, data=GRANT, headers=basic(client.client_id, secret)), 401, "invalid_client")
    form = {**GRANT, "client_id": client.client_id, "client_secret": secret}
    denied(await service.http.post(PATH, data=form), 401, "invalid_client")


async def test_unknown_clients_and_wrong_secrets_get_the_same_bytes(service: Service, client: Client) -> None:
    known = await service.http.post(PATH, data=GRANT, headers=basic(client.client_id, "wrong"))
    for name in ("00000000-0000-4000-8000-000000000000", "x", "' OR 1=1 --", client.hospital_id):
        unknown = await service.http.post(PATH, data=GRANT, headers=basic(name, "wrong"))
        denied(unknown, 401, "invalid_client")
        assert unknown.content == known.content


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + "A" * 5, "Bearer x", "Basic bm9jb2xvbg=="])
async def test_a_header_that_is_no_basic_is_invalid_client(service: Service, header: str) -> None:
    denied(await service.http.post(PATH, data=GRANT, headers={"Authorization": header}), 401, "invalid_client")


FORMS: list[tuple[str, str]] = [
    ("", "invalid_request"),
    ("grant_type", "invalid_request"),
    ("scope=booking", "invalid_request"),
    ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
    ("grant_type=password", "unsupported_grant_type"),
    ("grant_type=refresh_token&refresh_token=x", "unsupported_grant_type"),
    ("grant_type=", "unsupported_grant_type"),
    ("grant_type=client_credentials&client_secret=x", "invalid_request"),
    ("&".join(f"a{n}=1" for n in range(30)), "invalid_request"),
    ("grant_type=client_credentials&client_assertion=x", "invalid_request"),
]


@pytest.mark.parametrize(("form", "error"), FORMS)
async def test_a_form_that_is_wrong_is_told_by_rfc_6749s_words(
    service: Service, client: Client, form: str, error: str
) -> None:
    headers = {**basic(client.client_id, client.secret), "Content-Type": "application/x-www-form-urlencoded"}
    denied(await service.http.post(PATH, content=form, headers=headers), 400, error)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_a_body_that_is_no_form_is_invalid_request(service: Service, client: Client, kind: str) -> None:
    headers = {**basic(client.client_id, client.secret), "Content-Type": kind}
    denied(await service.http.post(PATH, content=json.dumps(GRANT), headers=headers), 400, "invalid_request")


async def test_bytes_that_are_no_utf_8_are_invalid_request(service: Service, client: Client) -> None:
    headers = {**basic(client.client_id, client.secret), "Content-Type": "application/x-www-form-urlencoded"}
    answer = await service.http.post(PATH, content=b"grant_type=client_credentials&scope=\xff", headers=headers)
    denied(answer, 400, "invalid_request")


@pytest.mark.parametrize("scope", ["booking", "records booking", "identity:full"])
async def test_a_subset_of_the_scopes_is_given(service: Service, client: Client, scope: str) -> None:
    given = (await service.token(client, scope=scope)).json()["scope"]
    assert sorted(given.split()) == sorted(scope.split())


@pytest.mark.parametrize("scope", ["payment", "admin", "booking payment", "booking  records", " booking", "BOOKING"])
async def test_a_scope_the_client_does_not_hold_is_invalid_scope(service: Service, scope: str) -> None:
    client = await service.client(("booking", "records"))
    denied(await service.token(client, scope=scope), 400, "invalid_scope")


async def test_a_token_ends_after_an_hour(service: Service, client: Client) -> None:
    headers = bearer((await service.token(client)).json()["access_token"])
    await service.move_time(3600 - 5)
    refused(await service.scan(headers, "0"), 400, "code-malformed")
    await service.move_time(3601)
    refused(await service.scan(headers, "0"), 401, "unauthenticated")


async def disable(service: Service, client: Client) -> Any:
    path = f"/v1/admin/hospitals/{client.hospital_id}/clients/{client.client_id}/disable"
    return await service.http.post(path, headers=await service.admin("registrar"), json={})


async def test_a_disabled_clients_live_token_is_refused_at_its_next_call(service: Service, client: Client) -> None:
    me, card = await service.holder()
    headers = bearer((await service.token(client)).json()["access_token"])
    won = await service.resolved(headers, await service.code(me, card))
    code = await service.code(me, card)
    answer = await disable(service, client)
    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
    refused(await service.scan(headers, code), 401, "unauthenticated")
    path = f"/v1/hospital/resolutions/{won['resolution_id']}"
    refused(await service.http.get(path, headers=headers), 401, "unauthenticated")
    put = await service.http.put(f"{path}/patient-number", headers=headers, json={"patient_number": "1"})
    refused(put, 401, "unauthenticated")
    denied(await service.token(client), 401, "invalid_client")
    assert (await service.scan(await service.hospital(), code)).status_code == 201, "the code was not used"


async def test_a_disabled_clients_replay_is_refused_and_disabling_twice_says_the_same(
    service: Service, client: Client
) -> None:
    me, card = await service.holder()
    headers, code = bearer((await service.token(client)).json()["access_token"]), await service.code(me, card)
    await service.resolved(headers, code)
    first, second = await disable(service, client), await disable(service, client)
    assert (first.json(), second.status_code) == (second.json(), 200)
    refused(await service.scan(headers, code), 401, "unauthenticated")


async def test_the_secret_is_kept_as_a_hash_alone(service: Service, client: Client) -> None:
    row = (await service.sql("SELECT * FROM clients WHERE id = $1", client.client_id))[0]
    assert client.secret not in str(dict(row))
    assert client.secret.encode() not in row["secret_hash"]


async def test_a_patients_or_admins_token_is_no_clients(service: Service) -> None:
    me = await service.patient(service.person())
    refused(await service.scan(me, "0"), 403, "not-allowed")
    refused(await service.scan(await service.admin("custodian"), "0"), 403, "not-allowed")
