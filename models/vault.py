"""The vault: what seals, finds and binds stored data, under the keys of one ring.

Sealed columns name their place (table, column, row id) as associated data; blind indexes find them.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from codes import blobs
from codes.blobs import NONCE_BYTES, blind_index
from codes.custody import derive
from codes.guarded import Guarded
from codes.health_card import health_card_id
from codes.identity import IdDocument
from codes.ring import KeyRing, Purpose
from models.integrity import RowSeals

Shape = TypeVar("Shape")


def place(table: str, column: str, row_id: UUID) -> bytes:
    """The associated data of a sealed column."""
    return f"{table}\0{column}\0".encode() + row_id.bytes


class Vault(Guarded):
    """Seals and opens under the current ring; whoever polls replaces `ring` whole."""

    def __init__(self, root: bytes, random: Callable[[int], bytes]) -> None:
        self.wrapping_key = derive(root, "wrap")
        self.rows = RowSeals(derive(root, "row"))
        self.csrf_key = derive(root, "csrf")
        self.random = random
        self._ring: KeyRing | None = None

    @property
    def ring(self) -> KeyRing:
        """The ring that was last loaded."""
        if self._ring is None:
            raise LookupError("the key ring is not loaded yet")
        return self._ring

    @ring.setter
    def ring(self, ring: KeyRing) -> None:
        self._ring = ring

    def seal(self, value: Any, table: str, column: str, row_id: UUID) -> bytes:
        """The blob of a value (bytes as they are, else as JSON) for its place."""
        plain = value if isinstance(value, bytes) else msgspec.json.encode(value)
        return blobs.seal(self.ring.sealing_data(), plain, place(table, column, row_id), self.random(NONCE_BYTES))

    def open(self, blob: bytes, table: str, column: str, row_id: UUID) -> bytes:
        """The bytes inside. Raises codes.errors.SealBroken."""
        return blobs.open(self.ring, blob, place(table, column, row_id))

    def open_as(self, shape: type[Shape], blob: bytes, table: str, column: str, row_id: UUID) -> Shape:
        """The value inside, as `shape`. Raises codes.errors.SealBroken."""
        return msgspec.json.decode(self.open(blob, table, column, row_id), type=shape)

    def index(self, kind: str, value: str) -> bytes:
        """The blind index of a value, under the active index key."""
        return blind_index(self.ring.mac_key(Purpose.INDEX), kind, value)

    def health_card_id(self, document: IdDocument) -> str:
        """The person's health-card id: 64 hexadecimal characters."""
        return health_card_id(self.ring.mac_key(Purpose.CARD_ID), document)
