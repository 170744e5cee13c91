"""Sealed blobs, blind indexes, row hashes and key custody: what a thief of the database gets nothing from."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import blobs
from codes.blobs import DataKey, blind_index, blob_kid
from codes.custody import derive, new_root_key, row_mac, row_mac_holds, unwrap, wrap
from codes.errors import SealBroken
from codes.health_card import health_card_id
from codes.identity import parse_document
from codes.macs import Field, mac

from .support import seeded

KEY = DataKey(b"kid1", bytes(range(32)))
OTHER = DataKey(b"kid2", bytes(32))
NONCE = bytes(12)
PLACE = b"people.identity.17"


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_a_blob_opens_at_its_place(plaintext: bytes, place: bytes) -> None:
    blob = blobs.seal(KEY, plaintext, place, NONCE)
    assert blob[:1] == b"\x01"
    assert blob_kid(blob) == b"kid1"
    assert len(blob) == 33 + len(plaintext)
    assert blobs.open(KEY, blob, place) == plaintext


def test_a_blob_moved_to_another_row_does_not_open() -> None:
    blob = blobs.seal(KEY, b"secret", PLACE, NONCE)
    with pytest.raises(SealBroken):
        blobs.open(KEY, blob, b"people.identity.18")


def test_a_blob_opens_under_its_own_key_alone() -> None:
    blob = blobs.seal(KEY, b"secret", PLACE, NONCE)
    with pytest.raises(SealBroken):
        blobs.open(OTHER, blob, PLACE)
    with pytest.raises(SealBroken):
        blobs.open(DataKey(b"kid1", bytes(32)), blob, PLACE)


def test_no_bit_of_a_blob_can_change() -> None:
    blob = blobs.seal(KEY, b"secret", PLACE, NONCE)
    for bit in range(8 * len(blob)):
        altered = (int.from_bytes(blob, "big") ^ 1 << bit).to_bytes(len(blob), "big")
        with pytest.raises(SealBroken):
            blobs.open(KEY, altered, PLACE)


@given(st.binary(max_size=80))
def test_any_bytes_are_refused(data: bytes) -> None:
    for candidate in (data, b"\x01kid1" + data):
        with pytest.raises(SealBroken):
            blobs.open(KEY, candidate, PLACE)


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_nonce_is_12_bytes(size: int) -> None:
    with pytest.raises(ValueError):
        blobs.seal(KEY, b"", PLACE, bytes(size))


@pytest.mark.parametrize(("kid", "key"), [(b"kid", bytes(32)), (b"kid1", bytes(16))])
def test_a_data_key_is_32_bytes_under_a_kid_of_4(kid: bytes, key: bytes) -> None:
    with pytest.raises(ValueError):
        DataKey(kid, key)


# Keyed hashes


def test_a_blind_index_tells_kinds_keys_and_values_apart() -> None:
    seen = {
        blind_index(key, kind, value)
        for key in (bytes(32), bytes(31) + b"1")
        for kind in ("phone", "number")
        for value in "12"
    }
    assert len(seen) == 8
    assert all(len(index) == 32 for index in seen)
    assert blind_index(bytes(32), "ab", "c") != blind_index(bytes(32), "a", "bc")


fields = st.lists(st.none() | st.booleans() | st.integers() | st.binary(max_size=9) | st.text(max_size=9), max_size=4)


def kinds(values: list[Field]) -> list[tuple[type, Field]]:
    return [(type(value), value) for value in values]


@given(fields, fields)
def test_a_row_hash_tells_every_two_rows_apart(one: list[Field], other: list[Field]) -> None:
    assert row_mac_holds(bytes(32), row_mac(bytes(32), *one), *other) == (kinds(one) == kinds(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), ((1,), ("1",)), ((1,), (True,)), (("a",), (b"a",)), ((None,), ("",)), ((), (None,))],
)
def test_fields_cannot_run_together(one: tuple[Field, ...], other: tuple[Field, ...]) -> None:
    assert row_mac(bytes(32), *one) != row_mac(bytes(32), *other)


def test_a_row_hash_is_about_the_instant_not_its_zone() -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert row_mac(bytes(32), noon) == row_mac(bytes(32), noon.astimezone(timezone(timedelta(hours=8))))
    assert row_mac(bytes(32), noon) != row_mac(bytes(32), noon + timedelta(microseconds=1))
    with pytest.raises(ValueError):
        row_mac(bytes(32), noon.replace(tzinfo=None))


def test_labels_keep_uses_of_a_key_apart() -> None:
    assert mac(bytes(32), "index", "a") != mac(bytes(32), "row", "a")


def test_a_health_card_id_is_one_for_each_document_and_key() -> None:
    document = parse_document("03", "E12345678")
    card = health_card_id(bytes(32), document)
    assert card == health_card_id(bytes(32), parse_document("03", " e12345678 "))
    assert len(card) == 64
    assert card == card.lower()
    assert card != health_card_id(bytes(31) + b"1", document)
    assert health_card_id(bytes(32), parse_document("07", "12345678")) != health_card_id(
        bytes(32), parse_document("03", "12345678")
    )


# Custody


@pytest.mark.parametrize(
    ("kek", "material", "wrapped"),
    [  # RFC 3394 §4.1 and §4.6
        (
            "000102030405060708090A0B0C0D0E0F",
            "00112233445566778899AABBCCDDEEFF",
            "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
            "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
        ),
    ],
)
def test_rfc_3394_wraps_and_unwraps(kek: str, material: str, wrapped: str) -> None:
    assert wrap(bytes.fromhex(kek), bytes.fromhex(material)) == bytes.fromhex(wrapped)
    assert unwrap(bytes.fromhex(kek), bytes.fromhex(wrapped)) == bytes.fromhex(material)


@pytest.mark.parametrize("size", [32, 64])
def test_wrapped_material_opens_under_its_key_unaltered_alone(size: int) -> None:
    kek = derive(new_root_key(seeded(1)), "wrap")
    wrapped = wrap(kek, seeded(2)(size))
    assert unwrap(kek, wrapped) == seeded(2)(size)
    for damaged in (wrapped[:-8], wrapped[:-1], wrapped + bytes(8), b"", bytes([wrapped[0] ^ 1]) + wrapped[1:]):
        with pytest.raises(SealBroken):
            unwrap(kek, damaged)
    with pytest.raises(SealBroken):
        unwrap(derive(new_root_key(seeded(1)), "other"), wrapped)


@pytest.mark.parametrize("size", [0, 8, 17, 33])
def test_only_whole_blocks_are_wrapped(size: int) -> None:
    with pytest.raises(ValueError):
        wrap(bytes(32), bytes(size))


def test_each_purpose_has_its_own_derived_key() -> None:
    root = new_root_key(seeded(1))
    assert len(root) == 32
    assert derive(root, "row") == derive(root, "row")
    assert len({derive(root, purpose) for purpose in ("row", "wrap", "")} | {derive(bytes(32), "row")}) == 4
    with pytest.raises(ValueError):
        derive(root[:16], "row")
