"""Mutual TLS: a laboratory is known by its certificate, and by nothing else."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.records.mllp.server import tls_context
from tests.records.mllp.messages import oru
from tests.records.mllp.place import Place, listening, register
from tests.support.service import Client, Service


class Pair(NamedTuple):
    """A certificate's and its key's files."""

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).hexdigest()

    def client(self, server: "Pair") -> ssl.SSLContext:
        """A laboratory that has this pair and trusts the server's."""
        context = ssl.create_default_context(cafile=str(server.certificate))
        context.check_hostname = False
        context.load_cert_chain(self.certificate, self.key)
        return context


def self_signed(folder: Path, name: str) -> Pair:
    """A new pair that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair


class Certificates(NamedTuple):
    """The server's, two laboratories' that it knows of, and one that it does not."""

    server: Pair
    lab: Pair
    other: Pair
    stranger: Pair


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Made for the test."""
    return Certificates(*(self_signed(tmp_path, name) for name in Certificates._fields))


@pytest.fixture
async def secure(
    service: Service, hospital: Client, certificates: Certificates, tmp_path: Path
) -> AsyncIterator[Place]:
    """A server over TLS; the hospital's laboratory has `lab`'s certificate."""
    await register(service, hospital, certificates=(certificates.lab.fingerprint,))
    authorities = tmp_path / "ca.pem"
    authorities.write_text(certificates.lab.certificate.read_text() + certificates.other.certificate.read_text())
    context = tls_context(certificates.server.certificate, certificates.server.key, authorities)
    async with listening(service, tls=context) as running:
        yield running


async def test_a_registered_certificate_sends(secure: Place, certificates: Certificates) -> None:
    async with secure.lab(tls=certificates.lab.client(certificates.server)) as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AA"


async def test_another_certificate_is_rejected_although_its_address_is_registered(
    secure: Place, certificates: Certificates
) -> None:
    async with secure.lab(tls=certificates.other.client(certificates.server)) as lab:
        assert (await lab.send(oru()))["MSA-1"] == "AR"
        assert await lab.closed()
    assert await secure.records() == []


async def test_without_a_certificate_that_is_vouched_for_nothing_is_read(
    secure: Place, certificates: Certificates
) -> None:
    nobody = ssl.create_default_context(cafile=str(certificates.server.certificate))
    nobody.check_hostname = False
    for context in (nobody, certificates.stranger.client(certificates.server)):
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            async with secure.lab(tls=context) as lab:
                await lab.send(oru())
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        async with secure.lab() as plain:
            await plain.send(oru())
    assert await secure.records() == []
