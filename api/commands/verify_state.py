"""What `yima verify` keeps between runs: the last good signed key set of each root and place.

The bytes are kept as they were signed, so the file can be no newer than what the root signed, whoever writes it.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from codes.errors import SetRefused
from codes.rootkey import RootKey
from codes.signedset import MAX_BYTES, SignedSet, read_set

_OWNER_ONLY: Final = 0o600


class NotKept(Exception):
    """The state folder cannot be used; the message says why."""


def default_folder() -> Path:
    """`yima` in the folder of the XDG base directory specification for state."""
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (given if given.is_absolute() else Path("~/.local/state").expanduser()) / "yima"


class KeptSet:
    """The last good key set of one root and place, in a file of its own."""

    def __init__(self, folder: Path, root: RootKey, place: str) -> None:
        name = hashlib.sha256(root.public + place.encode("utf-8", "replace")).hexdigest()[:32]
        self._file = folder / f"{name}.cose"
        self._root = root

    def read(self) -> SignedSet | None:
        """The set, whether or not it is still good; None where there is none that the root has signed."""
        try:
            with open(self._file, "rb") as file:
                return read_set(file.read(MAX_BYTES + 1), self._root)
        except (OSError, SetRefused):
            return None

    def keep(self, data: bytes, found: SignedSet) -> None:
        """Keep a set that was checked, unless a newer one was kept meanwhile. Raises NotKept."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                before = self.read()
                if before is None or (found.version, found.issued_at) > (before.version, before.issued_at):
                    self._write(data)
        except OSError as reason:
            raise NotKept(reason.strerror or "it cannot be written") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, so that an older set never replaces a newer one."""
        lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, data: bytes) -> None:
        """By rename: whole or not at all, on the disk before it counts."""
        building = self._file.with_suffix(".new")
        building.unlink(missing_ok=True)
        with open(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        building.rename(self._file)
