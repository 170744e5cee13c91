"""Which addresses a system that an administrator registered may have, and connections to those alone.

A registered address must not become a way into what only this machine or its network may ask (SSRF). So:
- `https` to any name or address; plain `http` only to a literal private or loopback address (or `localhost`), as to a
  machine on the hospital's own line or the end of a tunnel; no user, query or fragment.
- A name is resolved when a connection is made, and the connection goes to an address that was checked (no rebinding):
  a public one or one of the private networks; loopback only where it was registered as such; never link-local,
  where clouds keep their credentials, nor an address that hides another (NAT64, 6to4).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, Final

import httpcore
import httpx

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE: Final = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
_HIDING: Final = tuple(ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
_CLOUD: Final = ipaddress.ip_network("fd00:ec2::/32")  # Amazon's instance metadata, within fc00::/7
ADDRESS_MOST: Final = 300  # characters


def check_address(address: str) -> str:
    """`address` without its last slash. Raises ValueError for one that may not be registered (see above)."""
    if len(address) > ADDRESS_MOST or not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError("an address is printable ASCII without spaces")
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        raise ValueError("this is no address") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("an address begins with https:// or http:// and a host")
    if url.userinfo or any(mark in address for mark in ("?", "#", "@", "\\", "%", "/..")):
        raise ValueError("an address has no user, query or fragment")
    ip = _literal(url.host)
    if ip is not None and not _may_reach(ip, loopback=True):
        raise ValueError("this address may not be reached")
    if url.scheme == "http" and url.host != "localhost" and (ip is None or not _is_near(ip)):
        raise ValueError("plain http is for literal private or loopback addresses alone")
    return address.rstrip("/")


def _literal(host: str) -> Ip | None:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _is_near(ip: Ip) -> bool:
    return ip.is_loopback or any(ip in network for network in _PRIVATE)


def _may_reach(ip: Ip, *, loopback: bool) -> bool:
    if ip.is_loopback:
        return loopback
    if ip in _CLOUD or any(ip in network for network in _HIDING):
        return False
    return any(ip in network for network in _PRIVATE) or (ip.is_global and not ip.is_multicast)


class _Reachable(httpcore.AsyncNetworkBackend):
    """Connects to addresses that may be reached; TLS goes on checking the name."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses that answers. Raises httpcore.ConnectError or -Timeout."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await _resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout("not resolved in time") from None
        failed: Exception = httpcore.ConnectError("no address that may be reached")
        for address in addresses[:2]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int) -> list[str]:
    """The host's addresses that may be reached; none if one of them may not (a name must not lead astray at times)."""
    loopback = host == "localhost" or bool((ip := _literal(host)) and ip.is_loopback)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise httpcore.ConnectError("not resolved") from None
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    allowed = [ip for one in addresses if (ip := _literal(one)) and _may_reach(ip, loopback=loopback)]
    return [str(ip) for ip in allowed] if len(allowed) == len(addresses) else []


class ReachableTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over `_Reachable`; no proxy, and certificates always checked."""

    def __init__(self, connections: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Reachable(),
        )
