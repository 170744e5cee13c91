"""COSE_Sign1 and CBOR: one signed message has one byte form, and no bytes cost more than they are worth."""

import gc
import time
import tracemalloc
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import cbor
from codes.cose import Sign1, decode_sign1, encode_sign1, sig_structure
from codes.errors import CodeError, CodeMalformed

from .support import KEY, KEYS, NOW, Parts, digits, problem_of

GOOD = Parts().signed()
PROTECTED = cbor2.dumps({1: -8, 4: KEY.kid})
SIGNATURE = GOOD[-64:]


def test_a_message_is_read_and_written_back() -> None:
    message = decode_sign1(GOOD)
    assert (message.alg, message.kid, message.signature) == (-8, KEY.kid, SIGNATURE)
    assert encode_sign1(message) == GOOD


def test_the_signed_structure_is_that_of_rfc_9052() -> None:
    assert cbor2.loads(sig_structure(b"p", b"q")) == ["Signature1", b"p", b"", b"q"]


@pytest.mark.parametrize(
    ("why", "parts"),
    [
        ("alg twice, once in the unprotected header", Parts(unprotected={1: -8})),
        ("a second kid", Parts(unprotected={4: KEY.kid})),
        ("an unprotected header that is a list", Parts(unprotected=[])),
        ("an unprotected header that is null", Parts(unprotected=None)),
        ("a critical header", Parts(protected={1: -8, 2: [4], 4: KEY.kid})),
        ("an empty protected header", Parts(protected=b"")),
        ("a protected header that is a list", Parts(protected=[1, -8, 4, KEY.kid])),
        ("an alg that is true", Parts(protected={1: True, 4: KEY.kid})),
        ("an alg that is text", Parts(protected={1: "EdDSA", 4: KEY.kid})),
        ("an alg that is a float", Parts(protected=bytes.fromhex("a201fbc02000000000000004") + cbor2.dumps(KEY.kid))),
        ("an alg in a longer form", Parts(protected=bytes.fromhex("a201380704") + cbor2.dumps(KEY.kid))),
        ("labels out of order", Parts(protected=b"\xa2\x04" + cbor2.dumps(KEY.kid) + b"\x01\x27")),
        ("a label that is true", Parts(protected=b"\xa2\xf5\x27\x04" + cbor2.dumps(KEY.kid))),
        ("a label that is 1.0", Parts(protected=b"\xa2\xf9\x3c\x00\x27\x04" + cbor2.dumps(KEY.kid))),
        ("a label twice", Parts(protected=b"\xa3\x01\x27\x01\x27\x04" + cbor2.dumps(KEY.kid))),
        ("a kid of 3 bytes", Parts(protected={1: -8, 4: KEY.kid[:3]})),
        ("a kid of a long path", Parts(protected={1: -8, 4: b"../../../etc/passwd"})),
        ("a kid that is text", Parts(protected={1: -8, 4: "'--;"})),
        ("bytes after the protected header", Parts(protected=PROTECTED + b"\0")),
        ("an indefinite protected header", Parts(protected=b"\xbf" + PROTECTED[1:] + b"\xff")),
    ],
)
def test_a_signed_message_of_another_form_is_malformed(why: str, parts: Parts) -> None:
    with pytest.raises(CodeMalformed):
        decode_sign1(parts.signed())


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("nothing", b""),
        ("no tag", GOOD[1:]),
        ("COSE_Sign, 98", b"\xd8\x62" + GOOD[1:]),
        ("tag 18 in two bytes", b"\xd8\x12" + GOOD[1:]),
        ("tag 18 twice", b"\xd2" + GOOD),
        ("self-described CBOR", b"\xd9\xd9\xf7" + GOOD),
        ("shared reference around the array", b"\xd2\xd8\x1c" + GOOD[1:]),
        ("a longer array head", b"\xd2\x98\x04" + GOOD[2:]),
        ("a byte too many", GOOD + b"\0"),
        ("a byte too few", GOOD[:-1]),
        ("a message after the message", GOOD + GOOD),
        ("null", b"\xd2\xf6"),
        ("a map", b"\xd2\xa0"),
        ("three elements", b"\xd2" + cbor2.dumps([PROTECTED, {}, b""])),
        ("five elements", b"\xd2" + cbor2.dumps([PROTECTED, {}, b"", SIGNATURE, 0])),
        ("a protected header that is a map", b"\xd2" + cbor2.dumps([{1: -8, 4: KEY.kid}, {}, b"", SIGNATURE])),
        ("a payload that is text", b"\xd2" + cbor2.dumps([PROTECTED, {}, "", SIGNATURE])),
        ("a detached payload", b"\xd2" + cbor2.dumps([PROTECTED, {}, None, SIGNATURE])),
        ("a signature of 63 bytes", b"\xd2" + cbor2.dumps([PROTECTED, {}, b"", SIGNATURE[1:]])),
        ("a signature that is text", b"\xd2" + cbor2.dumps([PROTECTED, {}, b"", "s" * 64])),
    ],
)
def test_any_other_bytes_are_malformed(why: str, data: bytes) -> None:
    with pytest.raises(CodeMalformed):
        decode_sign1(data)


@pytest.mark.parametrize("tag", [0, 1, 2, 3, 4, 5, 18, 21, 24, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 55799, 2**32])
@pytest.mark.parametrize("inside", [b"\x61\x61", b"\x41\x61", b"\x00", b"\x80", b"\x81\x00"])
def test_no_tag_is_ever_run(tag: int, inside: bytes) -> None:
    head = cbor2.dumps(cbor2.CBORTag(tag, 0))[:-1]
    with pytest.raises(CodeMalformed):
        cbor.decode(head + inside)
    with pytest.raises(CodeMalformed):
        cbor.decode(b"\x81" + head + inside)


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("a key twice", b"\xa2\x01\x00\x01\x00"),
        ("one key as integer and as boolean", b"\xa2\x01\x00\xf5\x00"),
        ("an indefinite array", b"\x9f\xff"),
        ("an indefinite map", b"\xbf\xff"),
        ("indefinite bytes", b"\x5f\x41\x00\xff"),
        ("indefinite text", b"\x7f\x61\x61\xff"),
        ("three deep", b"\x81\x81\x81\x00"),
        ("nothing", b""),
    ],
)
def test_the_decoder_by_itself_refuses_what_it_can(why: str, data: bytes) -> None:
    with pytest.raises(CodeMalformed):
        cbor.decode(data)


def test_two_deep_is_as_deep_as_our_structures_go() -> None:
    assert cbor.decode(b"\x81\xa1\x01\x02") == [{1: 2}]


@pytest.mark.parametrize("first", [byte for byte in range(256) if byte != 0xD2])
def test_without_the_tag_nothing_is_decoded(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cbor, "decode", lambda data: pytest.fail("decoded"))
    with pytest.raises(CodeMalformed):
        decode_sign1(bytes([first]) + GOOD[1:])


BOMBS = {
    "an array said to hold four thousand million": bytes.fromhex("9aee6b2800"),
    "an array said to hold 2**63": bytes.fromhex("9b7fffffffffffffff"),
    "bytes said to be four thousand million": bytes.fromhex("5aee6b2800") + b"x",
    "text said to be 2**64 - 1": bytes.fromhex("7bffffffffffffffff") + b"x",
    "a map said to hold four thousand million": bytes.fromhex("baee6b2800"),
    "such arrays in each other": bytes.fromhex("9aee6b2800") * 90,
    "such maps in each other": bytes.fromhex("baee6b2800") * 90,
    "deep arrays": b"\x81" * 495,
    "deep maps": b"\xa1\x00" * 247,
    "deep tags": b"\xc1" * 495,
    "deep indefinite arrays": b"\x9f" * 495,
    "indefinite bytes": b"\x5f" + b"\x41\x00" * 240 + b"\xff",
    "a regular expression that explodes": cbor2.dumps(cbor2.CBORTag(35, "(a{1,9999}){1,9999}" * 20)),
    "a big number's power": bytes.fromhex("c4821b7fffffffffffffff01"),
    "references to each other": bytes.fromhex("d81c81d81d00"),
    "an array of many nulls": b"\x99\x01\xe0" + b"\xf6" * 480,
    "a wide map": b"\xb8\xf0" + bytes(range(24)) * 20,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("place", ["message", "protected", "payload"])
def test_a_bomb_costs_neither_time_nor_memory(bomb: bytes, place: str) -> None:
    data = {
        "message": b"\xd2" + bomb,
        "protected": Parts(protected=bomb[:380]).signed(),
        "payload": Parts(payload=bomb[:380]).signed(),
    }[place]
    text = digits(data[:497])
    gc.collect()
    tracemalloc.start()
    began = time.process_time()
    assert problem_of(text) == "code-malformed"
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 0.05
    assert peak < 256 * 1024


@pytest.mark.parametrize("bit", range(8 * len(GOOD)))
def test_every_flipped_bit_is_refused(bit: int) -> None:
    flipped = int.from_bytes(GOOD, "big") ^ 1 << bit
    assert problem_of(f"8601{flipped}") in ("code-malformed", "code-not-authentic")


def test_the_code_with_no_bit_flipped_holds() -> None:
    assert problem_of(digits(GOOD)) is None


cbor_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats()
    | st.binary(max_size=70)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers(-9, 9) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=497))
def test_any_bytes_are_a_message_or_a_code_error(data: bytes) -> None:
    for candidate in (data, b"\xd2" + data, b"\xd2\x84" + data, b"\xd2\x84\x49" + PROTECTED + b"\xa0" + data):
        try:
            message = decode_sign1(candidate)
        except CodeError:
            continue
        assert encode_sign1(message) == candidate


@given(st.lists(cbor_values, max_size=6))
def test_any_cbor_is_a_message_or_a_code_error(values: list[Any]) -> None:
    assert problem_of(digits(b"\xd2" + cbor2.dumps(values))) == "code-malformed"


@given(
    cbor_values | st.builds(lambda *pairs: dict(pairs), *[st.tuples(st.sampled_from([1, 4]), cbor_values)] * 2),
    cbor_values,
)
def test_any_signed_cbor_gives_a_value_or_a_code_error(protected: object, payload: object) -> None:
    assert problem_of(Parts(protected=protected, payload=payload).text(), KEYS, NOW) in (
        "code-malformed",
        "code-not-authentic",
    )


@given(
    st.integers(-(2**64), 2**64 - 1),
    st.binary(min_size=4, max_size=4),
    st.binary(max_size=99),
    st.binary(min_size=64, max_size=64),
)
def test_every_message_has_one_form(alg: int, kid: bytes, payload: bytes, signature: bytes) -> None:
    message = Sign1(alg, kid, payload, signature)
    assert decode_sign1(encode_sign1(message)) == message
