"""The root key's file: 32 bytes in hex, mode 0600, outside the database.

Under it is sealed the Ed25519 key of purpose `root`, which signs key sets; its public part is for everybody.
"""

import os
import stat
from pathlib import Path
from typing import Final

from codes.custody import ROOT_KEY_BYTES, new_root_key
from codes.ring import KeyRing, Purpose
from codes.rootkey import RootKey

PUBLIC_NAME: Final = "root.pub"  # in the data directory, for verifiers to pin


class RootKeyUnusable(RuntimeError):
    """The root key's file cannot be used; the message says why and what to do."""


def read_root_key(path: Path) -> bytes:
    """The root key of a file that only its owner may read. Raises RootKeyUnusable."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise RootKeyUnusable(f"the root key {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RootKeyUnusable(f"{path} is not a root key") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RootKeyUnusable(f"the root key {path} is open to others: chmod 600 {path}")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != ROOT_KEY_BYTES:
        raise RootKeyUnusable(f"{path} is not a root key: it must hold 64 hexadecimal digits")
    return key


def make_root_key(path: Path) -> None:
    """Write a new root key, whole or not at all. Raises FileExistsError where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(path.name + f".{os.getpid()}")
    with open(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(new_root_key(os.urandom).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(building, path)
    finally:
        building.unlink()


def public_of(ring: KeyRing) -> RootKey:
    """The public part of the key that signs key sets. Raises codes.errors.NoActiveKey."""
    return RootKey(ring.signing(Purpose.ROOT).verifying.public)


def write_public(folder: Path, root: RootKey) -> None:
    """Write the root's public key in hex into the data directory, by rename."""
    path = folder / PUBLIC_NAME
    building = path.with_name(path.name + ".new")
    building.write_text(root.to_hex() + "\n", encoding="ascii")
    building.rename(path)
