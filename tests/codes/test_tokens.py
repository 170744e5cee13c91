"""Bearer tokens: one text each, and not a character of it can change."""

import base64
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.errors import TokenInvalid
from codes.ring import KeyState, Purpose, RingKey
from codes.tokens import PREFIXES, Token, make_token, read_token

from .support import ring_key

KEY = ring_key(Purpose.TOKEN, KeyState.ACTIVE)
OTHER = ring_key(Purpose.TOKEN, KeyState.ACTIVE, 2)
KEYS = {KEY.kid: KEY.material}
TOKEN = Token("patient", b"s" * 16, b"e" * 16, 3, 5, 1_790_000_000)
TEXT = make_token(KEY, TOKEN)

ids = st.binary(min_size=16, max_size=16)
numbers = st.integers(0, 2**32 - 1)


@given(st.builds(Token, st.sampled_from(sorted(PREFIXES)), ids, ids, numbers, numbers, numbers))
def test_a_token_comes_back(token: Token) -> None:
    text = make_token(KEY, token)
    assert re.fullmatch(r"y[a-z]_[A-Za-z0-9_-]{108}", text)
    assert text.startswith(PREFIXES[token.kind])
    assert read_token(text, KEYS) == token


def test_kinds_have_prefixes_of_their_own() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert PREFIXES["patient"] == "yp_"
    assert PREFIXES["hospital"] == "yh_"


@pytest.mark.parametrize("place", range(len(TEXT)))
def test_no_character_can_change(place: int) -> None:
    for character in "Aah_-p9+/= \n\u4e00\ud800":
        if character != TEXT[place]:
            with pytest.raises(TokenInvalid):
                read_token(TEXT[:place] + character + TEXT[place + 1 :], KEYS)


def test_no_bit_can_change() -> None:
    data = base64.urlsafe_b64decode(TEXT[3:])
    for bit in range(8 * len(data)):
        altered = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
        with pytest.raises(TokenInvalid):
            read_token("yp_" + base64.urlsafe_b64encode(altered).decode(), KEYS)


@pytest.mark.parametrize(
    "text", ["", "yp_", TEXT + "=", TEXT + "\n", " " + TEXT, TEXT[:-1], TEXT + "A", TEXT.upper(), TEXT + TEXT]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(TokenInvalid):
        read_token(text, KEYS)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused_even_under_a_good_hash(version: int) -> None:
    body = bytes([version]) + base64.urlsafe_b64decode(TEXT[3:])[1:49]
    data = body + hmac.digest(KEY.material, b"yp_" + body, "sha256")
    with pytest.raises(TokenInvalid):
        read_token("yp_" + base64.urlsafe_b64encode(data).decode(), KEYS)


def test_another_kinds_prefix_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        read_token("ya_" + TEXT[3:], KEYS)


def test_the_key_that_made_it_must_be_there() -> None:
    for keys in ({}, {OTHER.kid: OTHER.material}, {KEY.kid: OTHER.material}):
        with pytest.raises(TokenInvalid):
            read_token(TEXT, keys)
    assert read_token(TEXT, KEYS | {OTHER.kid: OTHER.material}) == TOKEN


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "nobody"},
        {"subject": b""},
        {"session": b"x" * 17},
        {"epoch": -1},
        {"scopes": 2**32},
        {"expires": 2**32},
    ],
)
def test_no_token_outside_the_rules(changes: dict[str, int | bytes | str]) -> None:
    with pytest.raises(ValueError):
        make_token(KEY, TOKEN._replace(**changes))  # type: ignore[arg-type]  # one of each kind is wrong on purpose


def test_only_the_active_token_key_makes_tokens() -> None:
    for key in (
        ring_key(Purpose.INDEX, KeyState.ACTIVE),
        RingKey(KEY.kid, KEY.purpose, KeyState.RETIRING, KEY.material),
    ):
        with pytest.raises(ValueError):
            make_token(key, TOKEN)


@given(st.text() | st.text(alphabet="yp_hAZ09-", min_size=105, max_size=115).map("yp_".__add__))
def test_any_text_is_refused_as_an_invalid_token(text: str) -> None:
    with pytest.raises(TokenInvalid):
        read_token(text, KEYS)
