"""A crowd: people with cards and sessions, written straight into a service's database under its own keys.

Signing in and binding a card by HTTP takes a dozen calls a person; what is measured begins after them.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from api.run.root_key import read_root_key
from codes.ring import Purpose
from codes.tokens import Token, make_token
from models import database
from models.cards import HANDLE_BYTES, PersonData
from models.clients import SCOPES
from models.keyring import load_ring
from models.vault import Vault
from tests.support.people import new_person

_TABLES: Final = {
    "accounts": ("id", "openid_index", "sealed", "epoch", "created_at"),
    "people": ("id", "document_index", "health_card_id", "sealed", "created_at", "updated_at"),
    "cards": (
        *("id", "account_id", "person_id", "relation", "handle", "status", "frozen_by", "live_since", "version"),
        *("mac", "created_at", "changed_at"),
    ),
}
_TOKEN_LIFE: Final = timedelta(hours=1)


class Member(NamedTuple):
    """One of the crowd, with a card of their own. `headers` carry their token."""

    card_id: UUID
    person_id: UUID
    headers: dict[str, str]


class Keys:
    """A service's keys, read as its workers read them."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    @classmethod
    async def load(cls, data: Path) -> "Keys":
        """Those of a demo's data directory; the database is connected."""
        vault = Vault(read_root_key(data / "root.key"), os.urandom)
        vault.ring = (await load_ring(vault)).ring
        return cls(vault)

    def patient(self, account_id: UUID) -> dict[str, str]:
        """The headers of a session of an account."""
        return self._headers("patient", account_id, uuid4().bytes, 0)

    def hospital(self, client_id: UUID, scope: str = "booking") -> dict[str, str]:
        """The headers of a hospital's client."""
        return self._headers("hospital", client_id, bytes(16), SCOPES[scope])

    def _headers(self, kind: str, subject: UUID, session: bytes, scopes: int) -> dict[str, str]:
        expires = int((datetime.now(UTC) + _TOKEN_LIFE).timestamp())
        token = Token(kind, subject.bytes, session, 1, scopes, expires)
        text = make_token(self.vault.ring.symmetric(Purpose.TOKEN), token)
        return {"Authorization": f"Bearer {text}", "Accept": "application/json"}


async def make_crowd(keys: Keys, count: int) -> list[Member]:
    """So many new people, each with an account and an active `self` card."""
    made = list(_members(keys, count))
    async with database.connection().acquire_connection() as raw:
        for table, columns in _TABLES.items():
            records = [tuple(one[table][name] for name in columns) for _, one in made]
            await raw.copy_records_to_table(table, records=records, columns=columns)
    return [member for member, _ in made]


def _members(keys: Keys, count: int) -> Iterator[tuple[Member, dict[str, dict[str, Any]]]]:
    """Each member, and their row of each table."""
    now, vault = datetime.now(UTC), keys.vault
    for _ in range(count):
        account_id, person_id, card_id = uuid4(), uuid4(), uuid4()
        some = new_person()
        birthday = some.birthday.isoformat() if some.birthday else None
        person = PersonData(some.name, some.id_type, some.id_number, some.phone, some.gender, birthday)
        document = person.document
        handle = int.from_bytes(os.urandom(HANDLE_BYTES), "big") >> 1
        sealed_part = (card_id, account_id, person_id, "self", handle, "active", "", now, 1)
        yield (
            Member(card_id, person_id, keys.patient(account_id)),
            {
                "accounts": {
                    "id": account_id,
                    "openid_index": vault.index("openid", some.openid),
                    "sealed": vault.seal({"openid": some.openid}, "accounts", "sealed", account_id),
                    "epoch": 1,
                    "created_at": now,
                },
                "people": {
                    "id": person_id,
                    "document_index": vault.index("document", f"{document.type}:{document.number}"),
                    "health_card_id": vault.health_card_id(document),
                    "sealed": vault.seal(person, "people", "sealed", person_id),
                    "created_at": now,
                    "updated_at": now,
                },
                "cards": {
                    **dict(zip(_TABLES["cards"], sealed_part, strict=False)),
                    "mac": vault.rows.card(*sealed_part),
                    "created_at": now,
                    "changed_at": now,
                },
            },
        )
