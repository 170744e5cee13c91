"""Steps 3 and 4: which key, which time; and a COSE library that nobody here wrote agrees."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycose.keys.curves import Ed25519
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

from codes.digits import text_to_bytes
from codes.errors import CodeError, CodeExpired, CodeNotAuthentic, CodeNotYetValid, UnknownKey
from codes.issue import issue, issue_printed
from codes.keyset import KeySet
from codes.verify import authenticate, check_times, verify

from .support import CTI, KEY, KEYS, NOW, OTHER_KEY, PRINT_KEY, Parts, problem_of

CODE = issue(KEY, handle=5, now=NOW, life=60, services=None, nonce=b"1234")
PRINTED = {4: NOW + 60, 6: NOW, 7: CTI, -65538: 1}


def test_a_code_of_ours_holds() -> None:
    code = verify(CODE.text, KEYS, NOW)
    assert (code.kid, code.cti, code.iat, code.exp, code.services, code.use) == (
        KEY.kid,
        CODE.cti,
        NOW,
        NOW + 60,
        None,
        None,
    )


def test_pycose_verifies_a_code_of_ours() -> None:
    message = Sign1Message.from_cose_obj(cbor2.loads(text_to_bytes(CODE.text)[1:]), True)
    message.key = OKPKey(crv=Ed25519, x=KEY.verifying.public)
    assert message.verify_signature()
    message.key = OKPKey(crv=Ed25519, x=OTHER_KEY.verifying.public)
    assert not message.verify_signature()


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("signed by another key", Parts().text(OTHER_KEY)),
        ("an alg the key has not: ES256", Parts(protected={1: -7, 4: KEY.kid}).text()),
        ("an alg the key has not: Ed25519 of RFC 9864", Parts(protected={1: -19, 4: KEY.kid}).text()),
        ("an alg the key has not: none", Parts(protected={1: 0, 4: KEY.kid}).text()),
        ("an alg the key has not: HMAC under the public key", Parts(protected={1: 5, 4: KEY.kid}).text()),
        ("a printed claim under a code key", Parts(payload=PRINTED).text()),
        ("a dynamic claim under a print key", Parts(protected={1: -8, 4: PRINT_KEY.kid}).text(PRINT_KEY)),
    ],
)
def test_not_authentic(why: str, text: str) -> None:
    assert problem_of(text) == "code-not-authentic"


@pytest.mark.parametrize("kid", [b"\0\0\0\0", b"../a", b"';--", b"\xff" * 4])
def test_an_unknown_kid_is_not_authentic_and_says_so_to_the_caller_alone(kid: bytes) -> None:
    with pytest.raises(UnknownKey) as caught:
        authenticate(Parts(protected={1: -8, 4: kid}).text(), KEYS)
    assert caught.value.kid == kid
    assert caught.value.code == CodeNotAuthentic.code
    assert str(caught.value) == str(CodeNotAuthentic())


def test_a_known_kid_with_a_bad_signature_is_no_unknown_key() -> None:
    with pytest.raises(CodeNotAuthentic) as caught:
        authenticate(Parts().text(OTHER_KEY), KEYS)
    assert not isinstance(caught.value, UnknownKey)


def test_a_printed_code_holds_under_its_key() -> None:
    code = verify(issue_printed(PRINT_KEY, now=NOW, life=157_680_000, cti=CTI).text, KEYS, NOW)
    assert (code.use, code.cti, code.services) == (1, CTI, None)


def test_malformed_goes_before_not_authentic_goes_before_time() -> None:
    malformed = Parts(payload={4: NOW, 6: NOW, 7: CTI}).text(OTHER_KEY)
    assert problem_of(malformed, KEYS, NOW + 999) == "code-malformed"
    assert problem_of(Parts().text(OTHER_KEY), KEYS, NOW + 999) == "code-not-authentic"
    assert problem_of(Parts().text(), KEYS, NOW + 999) == "code-expired"


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (NOW - 31, "code-not-yet-valid"),
        (NOW - 30, None),
        (NOW, None),
        (NOW + 90, None),
        (NOW + 91, "code-expired"),
    ],
)
def test_thirty_seconds_are_allowed_either_way(now: int, problem: str | None) -> None:
    assert problem_of(CODE.text, KEYS, now) == problem


@given(st.integers(1, 300), st.integers(-500, 500), st.integers(0, 60))
def test_times_hold_exactly_from_iat_less_skew_to_exp_plus_skew(life: int, offset: int, skew: int) -> None:
    code = authenticate(issue(KEY, handle=1, now=NOW, life=life, services=None, nonce=b"1234").text, KEYS)
    expected = CodeNotYetValid if offset < -skew else CodeExpired if offset > life + skew else None
    if expected is None:
        check_times(code, NOW + offset, skew)
    else:
        with pytest.raises(expected):
            check_times(code, NOW + offset, skew)


def test_only_the_keys_at_hand_count() -> None:
    assert problem_of(CODE.text, KeySet([OTHER_KEY.verifying])) == "code-not-authentic"


def test_no_error_quotes_the_code() -> None:
    for text in (CODE.text[:-1], Parts().text(OTHER_KEY), "ID:4401021980"):
        with pytest.raises(CodeError) as caught:
            authenticate(text, KEYS)
        assert caught.value.__cause__ is None
        assert text[4:] not in str(caught.value)


@given(st.text(alphabet="0123456789", min_size=1, max_size=1300))
def test_any_digits_are_refused_as_a_code_error(text: str) -> None:
    assert problem_of("8601" + text) in ("code-malformed", "code-not-authentic")


@given(st.text())
def test_any_text_is_refused_as_a_code_error(text: str) -> None:
    assert problem_of(text) in ("code-malformed", "older-code")
