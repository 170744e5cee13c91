"""Reading bearer tokens: the MAC of a text that was read before under the same keys is not computed again.

Only that: expiry is judged at each call, and whether the account or client still stands where the work is done. The
memory lives no longer than one load of the key ring, so a token key that may no longer check is forgotten with it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple
from uuid import UUID

from codes.tokens import read_token
from models.vault import Vault

_MOST: Final = 4096  # tokens remembered; what is no token is not


class Bearer(NamedTuple):
    """A token whose MAC held, its ids as the database has them. `expires` in seconds since 1970."""

    kind: str
    subject: UUID
    session: UUID
    epoch: int
    scopes: int
    expires: int


class Bearers:
    """Reads tokens under the keys of the vault's ring."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._keys: Mapping[bytes, bytes] | None = None
        self._read: Callable[[str], Bearer]

    def read(self, text: str) -> Bearer:
        """The bearer of a text. Raises TokenInvalid."""
        keys = self._vault.ring.token_keys
        if keys is not self._keys:
            self._keys, self._read = keys, lru_cache(_MOST)(partial(_read, keys=keys))
        return self._read(text)


def _read(text: str, keys: Mapping[bytes, bytes]) -> Bearer:
    kind, subject, session, epoch, scopes, expires = read_token(text, keys)
    return Bearer(kind, UUID(bytes=subject), UUID(bytes=session), epoch, scopes, expires)
