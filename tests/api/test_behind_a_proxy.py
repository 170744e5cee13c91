"""Behind a reverse proxy: whose address counts, and that cookies know of TLS (YIMA_PROXIES)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.servers import Cluster
from tests.support.service import Service, refused, running_service

SIGN_INS_A_MINUTE = 60


@pytest.fixture
async def proxied(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that one reverse proxy stands before."""
    async with running_service(cluster, tmp_path, rate_limits=True, proxies=1) as running:
        yield running


@pytest.fixture
async def direct(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that clients reach themselves."""
    async with running_service(cluster, tmp_path, rate_limits=True) as running:
        yield running


async def sign_in(service: Service, forwarded_for: str) -> httpx.Response:
    """A sign-in that fails, from an address that the caller or its proxy names."""
    headers = {"X-Forwarded-For": forwarded_for}
    return await service.http.post("/v1/admin/session", json={"token": "yadm_unknown"}, headers=headers)


async def test_each_visitor_behind_the_proxy_has_a_share_of_their_own(proxied: Service) -> None:
    for _ in range(SIGN_INS_A_MINUTE):
        refused(await sign_in(proxied, "203.0.113.1"), 401, "unauthenticated")
    refused(await sign_in(proxied, "203.0.113.1"), 429, "rate-limited")
    refused(await sign_in(proxied, "203.0.113.2"), 401, "unauthenticated")


async def test_what_a_visitor_writes_before_the_proxys_word_counts_for_nothing(proxied: Service) -> None:
    for number in range(SIGN_INS_A_MINUTE):
        await sign_in(proxied, f"198.51.100.{number}, 203.0.113.1")
    refused(await sign_in(proxied, "198.51.100.99, 203.0.113.1"), 429, "rate-limited")


async def test_without_a_proxy_nobody_chooses_their_address(direct: Service) -> None:
    for number in range(SIGN_INS_A_MINUTE):
        await sign_in(direct, f"203.0.113.{number}")
    refused(await sign_in(direct, "203.0.113.99"), 429, "rate-limited")


@pytest.mark.parametrize(("scheme", "secure"), [("https", True), ("http", False)])
async def test_a_cookie_is_secure_where_the_visitor_came_by_tls(proxied: Service, scheme: str, secure: bool) -> None:
    client = await proxied.client()
    shift = {"client_id": client.client_id, "client_secret": client.secret, "terminal": "W01"}
    headers = {"X-Forwarded-For": "203.0.113.1", "X-Forwarded-Proto": scheme}
    body = {**shift, "operator": {"id": "1", "name": "收费员"}}
    answer = await proxied.http.post("/v1/hospital/session", json=body, headers=headers)
    assert answer.status_code == 204
    cookies = answer.headers.get_list("set-cookie")
    assert cookies
    assert all(("Secure" in cookie) is secure for cookie in cookies)
