"""The template reads exactly what the CBOR and COSE rules read, for codes of its form, and nothing else."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import claims, template
from codes.claims import Claims
from codes.cose import Sign1, decode_sign1, encode_sign1
from codes.digits import text_to_bytes
from codes.errors import CodeMalformed
from codes.issue import issue
from codes.keys import SigningKey

KEY = SigningKey.generate(os.urandom)
NOW = 1_780_000_000


def code(services: int | None = None, now: int = NOW, life: int = 60) -> bytes:
    made = issue(KEY, handle=7, now=now, life=life, services=services, nonce=b"once")
    return text_to_bytes(made.text)


def strictly(data: bytes) -> tuple[Sign1, Claims] | None:
    try:
        message = decode_sign1(data)
        return message, claims.decode(message.payload)
    except CodeMalformed:
        return None


def signed(payload: bytes) -> bytes:
    return encode_sign1(Sign1(-8, KEY.kid, payload, b"s" * 64))


@given(st.integers(2**16, 2**32 - 301), st.integers(1, 300))
def test_a_plain_code_is_read_as_the_rules_read_it(now: int, life: int) -> None:
    data = code(now=now, life=life)
    assert template.read(data) == strictly(data) is not None


@given(st.lists(st.tuples(st.integers(0, 111), st.integers(0, 255)), min_size=1, max_size=3))
def test_bytes_that_were_changed_are_read_as_the_rules_read_them_or_left_to_them(
    changes: list[tuple[int, int]],
) -> None:
    data = bytearray(code())
    for place, byte in changes:
        data[place] = byte
    assert template.read(bytes(data)) in (None, strictly(bytes(data)))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(min_size=16, max_size=16))
def test_any_times_are_read_as_the_rules_read_them_or_left_to_them(exp: int, iat: int, cti: bytes) -> None:
    plain = b"\xa3\x04\x1a" + exp.to_bytes(4, "big") + b"\x06\x1a" + iat.to_bytes(4, "big") + b"\x07\x50" + cti
    data = signed(plain)
    assert template.read(data) in (None, strictly(data))


@pytest.mark.parametrize(("exp", "iat"), [(NOW, NOW), (NOW - 1, NOW), (NOW + 301, NOW), (2**16, 2**16 - 1), (5, 4)])
def test_times_that_are_not_lawful_or_not_in_their_shortest_form_are_left_to_the_rules(exp: int, iat: int) -> None:
    plain = b"\xa3\x04\x1a" + exp.to_bytes(4, "big") + b"\x06\x1a" + iat.to_bytes(4, "big") + b"\x07\x50" + b"c" * 16
    assert template.read(signed(plain)) is None
    assert strictly(signed(plain)) is None


@pytest.mark.parametrize("data", [b"", code(5), code()[:-1], code() + b"\0"])
def test_other_forms_are_left_to_the_rules(data: bytes) -> None:
    assert template.read(data) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_no_error(data: bytes) -> None:
    assert template.read(data) in (None, strictly(data))
