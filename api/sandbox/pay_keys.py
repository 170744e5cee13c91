"""The keys of the simulated WeChat Pay: the merchant's pair and the platform's, made once and kept as PEM files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

MERCHANT: Final = "merchant.pem"
PLATFORM: Final = "platform.pem"
PLATFORM_PUBLIC: Final = "platform-public.pem"


@dataclass(frozen=True, slots=True)
class PayKeys:
    """What the sandbox holds: the merchant's public key and the platform's private one."""

    merchant: RSAPublicKey
    platform: RSAPrivateKey = field(repr=False)

    @classmethod
    def of(cls, folder: Path) -> "PayKeys":
        """The keys that `make_pay_keys` wrote there."""
        return cls(_private(folder / MERCHANT).public_key(), _private(folder / PLATFORM))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "PayKeys | None":
        """The keys in the folder of the service's own key file, or None where there is none."""
        file = environment.get("YIMA_WECHAT_PAY_KEY_FILE", "")
        folder = Path(file).parent
        return cls.of(folder) if file and (folder / PLATFORM).exists() else None


def make_pay_keys(folder: Path) -> dict[str, str]:
    """Write both pairs into `folder` unless they are there; the settings that name the service's part of them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not all((folder / name).exists() for name in (MERCHANT, PLATFORM, PLATFORM_PUBLIC)):
        merchant, platform = (generate_private_key(65537, 2048) for _ in range(2))
        _write(folder / MERCHANT, _pem(merchant))
        _write(folder / PLATFORM, _pem(platform))
        public = platform.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write(folder / PLATFORM_PUBLIC, public)
    return {
        "YIMA_WECHAT_PAY_KEY_FILE": str(folder / MERCHANT),
        "YIMA_WECHAT_PAY_PUBLIC_KEY_FILE": str(folder / PLATFORM_PUBLIC),
    }


def _pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private(file: Path) -> RSAPrivateKey:
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("WeChat Pay's keys are RSA keys")
    return key


def _write(path: Path, content: bytes) -> None:
    building = path.with_name(path.name + ".new")
    building.unlink(missing_ok=True)
    with open(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    building.rename(path)
