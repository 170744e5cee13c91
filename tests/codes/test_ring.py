"""The key ring: the table of security.md, 3, row by row."""

import pytest

from codes.errors import NoActiveKey
from codes.keys import SigningKey
from codes.ring import MAY, KeyRing, KeyState, Purpose, RingKey

from .support import ring, ring_key, seeded

# state: sign or encrypt, verify or decrypt, published, decrypt for the re-encryption
TABLE = {
    "pending": (False, True, True, True),
    "active": (True, True, True, True),
    "retiring": (False, True, True, True),
    "retired": (False, False, False, False),
    "destroy-scheduled": (False, False, False, False),
    "destroyed": (False, False, False, False),
    "compromised": (False, False, False, True),
}


def test_the_table_is_the_specifications() -> None:
    assert {str(state): tuple(may) for state, may in MAY.items()} == TABLE


@pytest.mark.parametrize("state", KeyState)
@pytest.mark.parametrize("purpose", [Purpose.CODE, Purpose.PRINT])
def test_what_a_signing_key_may_do(purpose: Purpose, state: KeyState) -> None:
    row = ring_key(purpose, state)
    if purpose is Purpose.PRINT:
        row = RingKey(SigningKey(row.material).kid, purpose, state, row.material)
    keys, may = ring(row), MAY[state]
    verifying = keys.verifying(row.kid)
    assert (verifying is not None) == may.check
    assert (keys.sealer(row.kid) is not None) == (may.check and purpose is Purpose.CODE)
    assert [key.kid for key in keys.published()] == ([row.kid] if may.published else [])
    if verifying:
        assert verifying.use == (1 if purpose is Purpose.PRINT else None)
    sign = keys.issuing if purpose is Purpose.CODE else keys.printing
    if may.make:
        assert sign().kid == row.kid
    else:
        with pytest.raises(NoActiveKey):
            sign()


@pytest.mark.parametrize("state", KeyState)
def test_what_a_data_key_may_do(state: KeyState) -> None:
    row = ring_key(Purpose.DATA, state)
    keys, may = ring(row), MAY[state]
    assert (keys.data_key(row.kid) is not None) == may.check
    assert (keys.symmetric_by_kid(Purpose.DATA, row.kid) is not None) == may.check
    assert (keys.data_key_for_rescue(row.kid) is not None) == may.rescue
    assert keys.checking(Purpose.DATA) == ([row] if may.check else [])
    assert keys.state(Purpose.DATA, row.kid) is state
    if may.make:
        assert keys.sealing_data().kid == keys.symmetric(Purpose.DATA).kid == row.kid
    else:
        with pytest.raises(NoActiveKey):
            keys.sealing_data()


@pytest.mark.parametrize("state", KeyState)
def test_what_a_token_key_may_do(state: KeyState) -> None:
    row = ring_key(Purpose.TOKEN, state)
    assert dict(ring(row).token_keys) == ({row.kid: row.material} if MAY[state].check else {})


@pytest.mark.parametrize("purpose", [Purpose.ROOT, Purpose.AUDIT])
def test_other_signing_keys_never_verify_a_code(purpose: Purpose) -> None:
    row = ring_key(purpose, KeyState.ACTIVE)
    keys = ring(row)
    assert keys.signing(purpose).kid == row.kid
    assert keys.verifying(row.kid) is None
    assert keys.sealer(row.kid) is None
    assert keys.published() == []


def test_several_verify_and_one_issues() -> None:
    rows = [
        ring_key(Purpose.CODE, state, seed)
        for seed, state in enumerate(
            [KeyState.PENDING, KeyState.ACTIVE, KeyState.RETIRING, KeyState.RETIRING, KeyState.RETIRED]
        )
    ]
    keys = ring(*rows)
    assert keys.issuing().kid == rows[1].kid
    assert [keys.verifying(row.kid) is not None for row in rows] == [True, True, True, True, False]
    assert {key.kid for key in keys.published()} == {row.kid for row in rows[:4]}


def test_the_published_order_does_not_depend_on_the_rows() -> None:
    rows = [ring_key(Purpose.CODE, KeyState.RETIRING, seed) for seed in range(5)]
    assert ring(*rows).published() == ring(*reversed(rows)).published()


def test_purposes_do_not_share_kids_by_chance() -> None:
    index = RingKey(b"same", Purpose.INDEX, KeyState.ACTIVE, bytes(32))
    data = RingKey(b"same", Purpose.DATA, KeyState.ACTIVE, bytes(31) + b"1")
    keys = ring(index, data)
    assert keys.symmetric_by_kid(Purpose.INDEX, b"same") is index
    assert keys.symmetric_by_kid(Purpose.DATA, b"same") is data
    assert keys.symmetric_by_kid(Purpose.TOKEN, b"same") is None
    assert keys.state(Purpose.TOKEN, b"same") is None


def test_rows_that_contradict_each_other_make_no_ring() -> None:
    one, two = ring_key(Purpose.CODE, KeyState.ACTIVE, 1), ring_key(Purpose.CODE, KeyState.ACTIVE, 2)
    shared = RingKey(one.kid, Purpose.ROOT, KeyState.ACTIVE, one.material)
    for rows in ([one, two], [one, one], [one, shared]):
        with pytest.raises(ValueError):
            KeyRing(1, rows)


def test_a_signing_key_stands_under_its_own_kid() -> None:
    key = ring_key(Purpose.CODE, KeyState.ACTIVE)
    with pytest.raises(ValueError):
        ring(RingKey(b"\0\0\0\0", key.purpose, key.state, key.material))


@pytest.mark.parametrize(
    ("kid", "purpose", "state", "size"),
    [
        (b"abc", "data", "active", 32),
        (b"abcd", "data", "active", 64),
        (b"abcd", "code", "active", 32),
        (b"abcd", "data", "active", 0),
        (b"abcd", "data", "compromised", 0),
        (b"abcd", "data", "retired", 31),
        (b"abcd", "unheard-of", "active", 32),
        (b"abcd", "data", "unheard-of", 32),
    ],
)
def test_a_row_that_cannot_be_is_refused(kid: bytes, purpose: str, state: str, size: int) -> None:
    with pytest.raises(ValueError):
        RingKey(kid, purpose, state, seeded(1)(size))  # type: ignore[arg-type]  # as the database has it


@pytest.mark.parametrize("purpose", ["code", "data"])
def test_a_destroyed_row_stays_without_its_material(purpose: str) -> None:
    row = RingKey(b"abcd", Purpose(purpose), KeyState.DESTROYED, b"")
    assert ring(row).state(row.purpose, b"abcd") is KeyState.DESTROYED


def test_an_empty_ring_knows_nothing() -> None:
    keys = ring()
    assert keys.verifying(b"abcd") is None
    assert keys.published() == []
    with pytest.raises(NoActiveKey):
        keys.issuing()
