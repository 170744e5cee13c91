"""The root key's file: 32 bytes in hex, mode 0600, outside the database."""

import os
import stat
from pathlib import Path

from codes.custody import ROOT_KEY_BYTES, new_root_key


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
