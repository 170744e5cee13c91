"""Sealed columns open at their own place alone; indexes find without telling (security.md, threat 21)."""

import os
import pickle
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from codes.errors import SealBroken
from models import database
from models.integrity import IntegrityBroken, RowSeals
from models.keyring import load_ring, make_first_keys
from models.upstream_tokens import StoredAccessTokens
from models.vault import Vault
from tests.support.servers import Cluster


@pytest.fixture(scope="module")
async def vault(cluster: Cluster) -> AsyncIterator[Vault]:
    """A vault over a database of its own."""
    url = await cluster.new_database()
    await database.connect(url)
    made = Vault(cluster.root, os.urandom)
    made.ring = (await load_ring(made)).ring
    yield made
    await database.disconnect()
    await cluster.drop(url)


async def test_a_blob_opens_at_its_own_place(vault: Vault) -> None:
    row = uuid4()
    blob = vault.seal({"name": "陈知夏"}, "people", "sealed", row)
    assert vault.open_as(dict[str, str], blob, "people", "sealed", row) == {"name": "陈知夏"}
    assert "陈".encode() not in blob


async def test_a_blob_moved_to_another_row_column_or_table_does_not_open(vault: Vault) -> None:
    row = uuid4()
    blob = vault.seal(b"secret", "people", "sealed", row)
    for place in (
        ("people", "sealed", uuid4()),
        ("people", "other", row),
        ("peoples", "ealed", row),
        ("cards", "sealed", row),
    ):
        with pytest.raises(SealBroken):
            vault.open(blob, *place)


async def test_a_blob_with_any_byte_changed_or_cut_does_not_open(vault: Vault) -> None:
    row = uuid4()
    blob = vault.seal(b"secret", "people", "sealed", row)
    damaged = [blob[:n] + bytes([blob[n] ^ 1]) + blob[n + 1 :] for n in range(len(blob))]
    for text in (*damaged, blob[:-1], blob + b"\0", b"", b"\1"):
        with pytest.raises(SealBroken):
            vault.open(text, "people", "sealed", row)


async def test_equal_values_seal_to_different_blobs_and_index_to_equal_ones(vault: Vault) -> None:
    row = uuid4()
    assert vault.seal(b"x", "t", "c", row) != vault.seal(b"x", "t", "c", row)
    assert vault.index("phone", "13800000000") == vault.index("phone", "13800000000")
    assert vault.index("phone", "13800000000") != vault.index("openid", "13800000000")
    assert vault.index("a", "bc") != vault.index("ab", "c")


async def test_another_root_key_opens_nothing(vault: Vault) -> None:
    other = Vault(os.urandom(32), os.urandom)
    with pytest.raises((SealBroken, IntegrityBroken)):
        await load_ring(other)


async def test_a_vault_is_not_pickled_and_shows_no_key(vault: Vault) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(vault)
    shown = repr(vault)
    for key in (vault.wrapping_key, vault.csrf_key):
        assert key.hex() not in shown
        assert repr(key) not in shown


async def test_a_vault_without_its_ring_says_so() -> None:
    with pytest.raises(LookupError):
        _ = Vault(os.urandom(32), os.urandom).ring


async def test_first_keys_are_made_once_whoever_asks(vault: Vault) -> None:
    assert not await make_first_keys(vault)
    active = await database.rows("SELECT purpose, count(*) AS n FROM keys WHERE state = 'active' GROUP BY purpose")
    assert {row["n"] for row in active} == {1}
    assert {row["purpose"] for row in active} >= {"code", "print", "token", "data", "index", "card-id"}


async def test_private_keys_are_wrapped_under_the_root_key(vault: Vault) -> None:
    secrets = [vault.ring.issuing().private_bytes()]
    rows = await database.rows("SELECT * FROM keys")
    kept = b"".join(value for row in rows for value in row.values() if isinstance(value, bytes))
    for secret in secrets:
        assert secret[:32] not in kept
        assert secret[32:] not in kept


async def test_an_upstreams_token_is_sealed_shared_and_renewed_by_one(vault: Vault) -> None:
    name, fetched = f"t-{uuid4().hex[:8]}", 0

    async def fetch() -> tuple[str, int]:
        nonlocal fetched
        fetched += 1
        return f"token-{fetched}", 7200

    one, two = StoredAccessTokens(vault, name), StoredAccessTokens(vault, name)
    assert await one.current() is None
    assert await one.refresh(fetch, None) == "token-1"
    assert await two.current() == "token-1"
    assert await two.refresh(fetch, None) == "token-1", "another worker just did"
    assert await two.refresh(fetch, "token-1") == "token-2", "the held one did not work"
    assert await one.refresh(fetch, "token-1") == "token-2", "who saw the old one fail takes the new one"
    kept = await database.row("SELECT sealed FROM upstream_tokens WHERE name = $1", name)
    assert kept is not None
    assert b"token" not in kept["sealed"]


CARD = (uuid4(), uuid4(), uuid4(), "self", 7, "active", "", datetime(2026, 11, 1, tzinfo=UTC), 1)
OTHERS = (uuid4(), uuid4(), uuid4(), "child", 8, "frozen", "holder", datetime(2026, 11, 2, tzinfo=UTC), 2)


@pytest.mark.parametrize("place", range(len(CARD)))
def test_a_cards_hash_covers_each_of_its_fields(place: int) -> None:
    seals = RowSeals(b"k" * 32)
    mac = seals.card(*CARD)
    seals.check_card(mac, *CARD)
    changed = list(CARD)
    changed[place] = OTHERS[place]
    with pytest.raises(IntegrityBroken):
        seals.check_card(mac, *changed)
    with pytest.raises(IntegrityBroken):
        RowSeals(b"l" * 32).check_card(mac, *CARD)


@pytest.mark.parametrize("place", range(5))
def test_a_keys_hash_covers_each_of_its_fields(place: int) -> None:
    seals = RowSeals(b"k" * 32)
    fields: list[object] = [b"kid1", "code", "ed25519", "active", 1]
    mac = seals.key(*fields)  # type: ignore[arg-type]  # one of each type
    others = [b"kid2", "print", "aes-256", "retired", 2]
    fields[place] = others[place]
    with pytest.raises(IntegrityBroken):
        seals.check_key(mac, *fields)  # type: ignore[arg-type]  # one of each type
