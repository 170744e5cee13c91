"""Reading the key ring from its rows, and making the first keys."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from codes.custody import unwrap, wrap
from codes.errors import SealBroken
from codes.keys import SigningKey
from codes.ring import MAY, SIGNING_PURPOSES, SYMMETRIC_BYTES, KeyRing, KeyState, Purpose, RingKey
from models.database import Connection, row, rows, transaction
from models.integrity import IntegrityBroken
from models.key_rows import lock_ring, turn_ring
from models.vault import Vault

FIRST_PURPOSES: Final = (
    Purpose.CODE,
    Purpose.PRINT,
    Purpose.TOKEN,
    Purpose.DATA,
    Purpose.INDEX,
    Purpose.CARD_ID,
    Purpose.ROOT,
)
KID_BYTES: Final = 4
SUITE_SIGNING: Final = "ed25519"
SUITE_SYMMETRIC: Final = "aes-256"


class RootKeyMismatch(RuntimeError):
    """The database's keys do not open with this root key; the message says what to do."""


class StoredRing(NamedTuple):
    """A loaded ring, each key row's (state, version, hash) by kid, and the database's time at loading."""

    ring: KeyRing
    rows: dict[bytes, tuple[str, int, bytes]]
    now: datetime


class NewKey(NamedTuple):
    """Fresh material: kid, public part (signing keys only), and the secret bytes."""

    kid: bytes
    public: bytes | None
    material: bytes


async def load_ring(vault: Vault) -> StoredRing:
    """Read all keys in one snapshot, check each row's hash and unwrap what its state may use.

    Raises IntegrityBroken for a row that was tampered with, SealBroken where the root key is another one.
    """
    found = await rows(
        "SELECT k.*, r.version AS ring_version, yima_now() AS now FROM ring r LEFT JOIN keys k ON true ORDER BY k.id"
    )
    keys = []
    by_kid = {}
    for record in found:
        if record["kid"] is None:
            continue
        state = KeyState(record["state"])
        vault.rows.check_key(
            record["mac"], record["kid"], record["purpose"], record["suite"], record["state"], record["version"]
        )
        by_kid[record["kid"]] = (record["state"], record["version"], record["mac"])
        needed = record["wrapped"] is not None and (MAY[state].check or MAY[state].rescue)
        material = unwrap(vault.wrapping_key, record["wrapped"]) if needed else b""
        keys.append(RingKey(record["kid"], Purpose(record["purpose"]), state, material))
    return StoredRing(KeyRing(found[0]["ring_version"], keys), by_kid, found[0]["now"])


async def check_root_key(vault: Vault) -> bool:
    """Whether the database has keys; raise RootKeyMismatch where they are not under this root key."""
    try:
        stored = await load_ring(vault)
    except (IntegrityBroken, SealBroken):
        raise RootKeyMismatch(
            "the database's keys do not open with this root key: put the right one (or its copy) in its place;"
            " if it is the right one, somebody has changed the key rows"
        ) from None
    return bool(stored.rows)


def new_key(purpose: Purpose, random: Callable[[int], bytes]) -> NewKey:
    """Fresh material for a purpose."""
    if purpose in SIGNING_PURPOSES:
        key = SigningKey.generate(random)
        return NewKey(key.kid, key.verifying.public, key.private_bytes())
    return NewKey(random(KID_BYTES), None, random(SYMMETRIC_BYTES))


async def make_first_keys(vault: Vault) -> bool:
    """Make an active key for every purpose that has none yet; whether any was made. Two callers at once are harmless.

    Raises RootKeyMismatch where the keys that are there are under another root key.
    """
    await check_root_key(vault)
    made = False
    async with transaction() as tx:
        await lock_ring(using=tx)
        for purpose in FIRST_PURPOSES:
            if await row("SELECT 1 FROM keys WHERE purpose = $1 LIMIT 1", purpose.value, using=tx) is None:
                await insert_key(vault, purpose, KeyState.ACTIVE, using=tx)
                made = True
        if made:
            await turn_ring(using=tx)
    return made


async def insert_key(vault: Vault, purpose: Purpose, state: KeyState, *, using: Connection) -> bytes:
    """Make a key of a purpose in a state, in the caller's transaction; its kid."""
    for _ in range(8):  # a kid is 4 bytes: draw again in the rare case that it is taken
        key = new_key(purpose, vault.random)
        if await row("SELECT 1 FROM keys WHERE kid = $1", key.kid, using=using) is None:
            break
    suite = SUITE_SIGNING if purpose in SIGNING_PURPOSES else SUITE_SYMMETRIC
    mac = vault.rows.key(key.kid, purpose.value, suite, state.value, 1)
    await using.execute_query(
        "INSERT INTO keys (kid, purpose, suite, state, version, public, wrapped, created_at, published_at, activated_at,"
        " longest_life, retain, ring_version, mac) VALUES ($1, $2, $3, $4::text, 1, $5, $6, yima_now(), yima_now(),"
        " CASE WHEN $4::text = 'active' THEN yima_now() END, 0, false, (SELECT version + 1 FROM ring), $7)",
        [key.kid, purpose.value, suite, state.value, key.public, wrap(vault.wrapping_key, key.material), mac],
    )
    return key.kid
