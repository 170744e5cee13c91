"""Row HMACs (security.md, rule 13): who can only write the database cannot make one person's code show another.

The key derives from the root key, outside the database. A row whose hash does not hold is never used.
"""

from typing import Any

from codes.custody import row_mac, row_mac_holds
from codes.macs import MacKey


class IntegrityBroken(Exception):
    """A row's hash does not hold: it was changed by somebody without the row key."""

    def __init__(self, table: str) -> None:
        super().__init__(f"a row of {table} failed its integrity check")
        self.table = table


class RowSeals:
    """Makes and checks the hashes of card and key rows."""

    def __init__(self, key: bytes) -> None:
        self._key = MacKey(key)

    def card(
        self,
        card_id: Any,
        account_id: Any,
        person_id: Any,
        relation: str,
        handle: int,
        status: str,
        frozen_by: str,
        live_since: Any,
        version: int,
    ) -> bytes:
        """The hash of a card's row."""
        links = (card_id.bytes, account_id.bytes, person_id.bytes)
        return row_mac(self._key, "cards", *links, relation, handle, status, frozen_by, live_since, version)

    def check_card(self, mac: bytes, *fields: Any) -> None:
        """Raise IntegrityBroken unless the card's row says what was sealed (fields in the order of `card`)."""
        card_id, account_id, person_id, *rest = fields
        links = (card_id.bytes, account_id.bytes, person_id.bytes)
        if not row_mac_holds(self._key, mac, "cards", *links, *rest):
            raise IntegrityBroken("cards")

    def key(self, kid: bytes, purpose: str, suite: str, state: str, version: int) -> bytes:
        """The hash of a key's row."""
        return row_mac(self._key, "keys", kid, purpose, suite, state, version)

    def check_key(self, mac: bytes, kid: bytes, purpose: str, suite: str, state: str, version: int) -> None:
        """Raise IntegrityBroken unless the key's row says what was sealed."""
        if not row_mac_holds(self._key, mac, "keys", kid, purpose, suite, state, version):
            raise IntegrityBroken("keys")
