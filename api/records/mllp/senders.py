"""Who may send: the hospitals' registered systems, read again every few seconds, matched by peer and MSH-4."""

import asyncio
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

from api.records.mllp.charset import CODECS
from api.records.mllp.header import Header, read_header
from api.records.mllp.refused import UNKNOWN_KEY, Place, reject
from models.systems import System, systems
from models.vault import Vault

KIND: Final = "mllp"
READ_AGAIN: Final = 3.0  # seconds; so long a change of who may send takes at most
Address = IPv4Address | IPv6Address


class Peer(NamedTuple):
    """The other end of a connection: its address, and over TLS the SHA-256 of its certificate in hex."""

    address: Address
    certificate: str | None

    @classmethod
    def of(cls, host: str, certificate: str | None) -> "Peer":
        """From what the socket says; an IPv4 address in IPv6's clothes is one."""
        address = ip_address(host.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return cls(mapped or address, certificate)


class Senders:
    """The registered systems, as they were at most READ_AGAIN seconds ago (older while the database is away)."""

    def __init__(self, vault: Vault, now: Callable[[], float] = time.monotonic) -> None:
        self._vault = vault
        self._now = now
        self._systems: list[System] | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def of(self, peer: Peer) -> list[System]:
        """The systems that this peer may send for. Raises models.database.Unavailable if they were never read."""
        async with self._reading:
            if self._now() - self._read_at > READ_AGAIN:
                try:
                    self._systems = await systems(self._vault, KIND)
                except Exception:
                    if self._systems is None:
                        raise
                self._read_at = self._now()
        return [one for one in self._systems or [] if _precision(one, peer) is not None]


def choose(candidates: list[System], peer: Peer, block: bytes) -> tuple[System, Header | None]:
    """The system that sent a block, and the block's header in its charset.

    One whose facility is MSH-4 goes before one that takes any, then the smaller network. Raises Refused (AR).
    """
    if not candidates:
        raise reject(UNKNOWN_KEY, "this sender is not registered", ends=True)
    found = []
    for system in candidates:
        header = read_header(block, str(system.config["charset"]))
        facility = system.config.get("facility")
        if facility is None or (header is not None and header.part(4) == facility):
            found.append((facility is not None, _precision(system, peer) or 0, system, header))
    if not found:
        raise reject(UNKNOWN_KEY, "this facility is not registered for this sender", Place("MSH", 1, 4), ends=True)
    best = max(one[:2] for one in found)
    chosen = [one for one in found if one[:2] == best]
    if len(chosen) > 1:
        raise reject(UNKNOWN_KEY, "more than one hospital is registered for this sender", Place("MSH", 1, 4))
    return chosen[0][2], chosen[0][3]


def charset_of(candidates: list[System]) -> str:
    """The charset to answer in where no system could be chosen."""
    found = {str(one.config["charset"]) for one in candidates}
    return found.pop() if len(found) == 1 else next(iter(CODECS))


def _precision(system: System, peer: Peer) -> int | None:
    """How narrowly a system names this peer; None: not at all. Over TLS its certificate alone counts."""
    if peer.certificate is not None:
        return 128 if peer.certificate in system.config.get("certificates", ()) else None
    networks = [ip_network(one) for one in system.config.get("addresses", ())]
    return max((one.prefixlen for one in networks if peer.address in one), default=None)
