"""The health-card id: one name for a person in all hospitals, which tells nothing about the person."""

from codes.identity import IdDocument
from codes.macs import MacKey, mac


def health_card_id(key: bytes | MacKey, document: IdDocument) -> str:
    """64 lower-case hex digits over the document's type and number, by the `card-id` key (32 bytes)."""
    return mac(key, "health-card", document.type.value, document.number).hex()
