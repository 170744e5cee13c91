"""Which addresses an administrator may register, and where connections to them go (SSRF)."""

import asyncio
import socket
from typing import Any

import httpcore
import httpx
import pytest

from api.upstream import reach
from api.upstream.reach import ReachableTransport, check_address


@pytest.mark.parametrize(
    "address",
    [
        "https://pacs.hospital.example/dicom-web",
        "https://pacs.hospital.example:8443/a/b/",
        "https://10.1.2.3/dicom-web",
        "http://10.1.2.3:8042/dicom-web",
        "http://192.168.1.20/",
        "http://172.31.0.9",
        "http://[fd12:3456::1]:8042/x",
        "http://127.0.0.1:8042/dicom-web/",
        "http://[::1]:8042",
        "http://localhost:8042/dicom-web",
    ],
)
def test_these_may_be_registered(address: str) -> None:
    assert check_address(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://pacs.hospital.example/dicom-web",  # plain, over who knows what network
        "http://8.8.8.8/dicom-web",
        "http://100.100.100.200/",  # Aliyun's metadata
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.0.23/",  # Tencent's metadata
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://user:password@pacs.example/",
        "https://pacs.example/?a=1",
        "https://pacs.example/#a",
        "https://pacs.example/a/../b",
        "https://pacs.example/%2e%2e/",
        "https://pacs.example\\@evil.example/",
        "https://pacs.example/ a",
        "https://pacs.example/\r\nX: y",
        "https:///dicom-web",
        "ftp://10.0.0.1/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "pacs.example",
        "",
        "https://医院.example/",
        "https://pacs.example/" + "a" * 300,
        "http://[::1/",
    ],
)
def test_these_may_not(address: str) -> None:
    with pytest.raises(ValueError):
        check_address(address)


def resolving(*addresses: str) -> Any:
    async def getaddrinfo(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return getaddrinfo


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("169.254.169.254",),
        ("93.184.216.34", "127.0.0.1"),  # one good, one not: a name that leads astray at times
        ("0.0.0.0",),
        ("::ffff:127.0.0.1",),
    ],
)
async def test_a_name_that_leads_to_a_forbidden_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    connected: list[str] = []

    async def connect(_self: Any, host: str, *_: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("not in a test")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolving(*addresses))
    async with httpx.AsyncClient(transport=ReachableTransport(2)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("https://pacs.example/studies")
    assert connected == []


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second resolution between the check and the connection, which a rebinding name would use."""
    connected: list[str] = []

    async def connect(_self: Any, host: str, *_: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("not in a test")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolving("10.20.30.40", "10.20.30.41"))
    async with httpx.AsyncClient(transport=ReachableTransport(2)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("https://pacs.example/studies")
    assert connected == ["10.20.30.40", "10.20.30.41"]


async def test_a_slow_resolver_costs_the_time_to_connect_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    transport = ReachableTransport(2)
    async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(5, connect=0.1)) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await asyncio.wait_for(client.get("https://pacs.example/studies"), 2)


def test_the_private_networks_are_those_of_rfc_1918_and_4193() -> None:
    assert [str(one) for one in reach._PRIVATE] == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
