"""Issuing: the fast template says exactly what the general encoder would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import claims, cose
from codes.claims import Claims
from codes.digits import bytes_to_text
from codes.issue import IssuedCode, issue, issue_printed
from codes.keys import SigningKey

from .support import CTI, KEY, NOW, PRINT_KEY

times = st.integers(2**16, 2**32 - 301)


def general(key: SigningKey, value: Claims) -> str:
    """The code by `cose` and `claims`, step by step as the specification has it."""
    payload = claims.encode(value)
    signature = key.sign(cose.sig_structure(cose.encode_protected(key.alg, key.kid), payload))
    return bytes_to_text(cose.encode_sign1(cose.Sign1(key.alg, key.kid, payload, signature)))


@given(
    times,
    st.integers(1, 300),
    st.none() | st.integers(1, 7),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=4, max_size=4),
)
def test_a_dynamic_code_is_what_the_general_encoder_makes(
    now: int, life: int, services: int | None, handle: int, nonce: bytes
) -> None:
    cti = KEY.sealer.seal(handle, now, nonce)
    text = general(KEY, Claims(now + life, now, cti, services))
    code = issue(KEY, handle=handle, now=now, life=life, services=services, nonce=nonce)
    assert code == IssuedCode(text, cti, now, now + life, services, KEY.kid)
    assert KEY.sealer.open(code.cti) == (handle, now)
    assert len(text) == (274 if services is None else 289)


@given(times, st.integers(1, 157_680_000), st.binary(min_size=16, max_size=16))
def test_a_printed_code_is_what_the_general_encoder_makes(now: int, life: int, cti: bytes) -> None:
    now = min(now, 2**32 - 1 - life)
    code = issue_printed(PRINT_KEY, now=now, life=life, cti=cti)
    assert code.text == general(PRINT_KEY, Claims(now + life, now, cti, None, 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"life": 0},
        {"life": 301},
        {"life": -1},
        {"services": 0},
        {"services": 8},
        {"services": -1},
        {"handle": -1},
        {"handle": 2**63},
        {"nonce": b"123"},
        {"nonce": b"12345"},
        {"now": 2**16 - 1},
        {"now": 2**32 - 60},
    ],
)
def test_nothing_outside_the_rules_is_ever_issued(changes: dict[str, int | bytes]) -> None:
    arguments = {"handle": 1, "now": NOW, "life": 60, "services": None, "nonce": b"1234"} | changes
    with pytest.raises(ValueError):
        issue(KEY, **arguments)  # type: ignore[arg-type]  # one of each kind is wrong on purpose


def test_print_and_code_keys_do_not_do_each_others_work() -> None:
    with pytest.raises(ValueError):
        issue(PRINT_KEY, handle=1, now=NOW, life=60, services=None, nonce=b"1234")
    with pytest.raises(ValueError):
        issue_printed(KEY, now=NOW, life=60, cti=CTI)


@pytest.mark.parametrize(("life", "cti"), [(157_680_001, CTI), (0, CTI), (60, CTI[1:])])
def test_no_printed_code_outside_the_rules(life: int, cti: bytes) -> None:
    with pytest.raises(ValueError):
        issue_printed(PRINT_KEY, now=NOW, life=life, cti=cti)


def test_two_codes_of_one_card_share_nothing_to_link_them_by() -> None:
    one, other = (issue(KEY, handle=7, now=NOW, life=60, services=None, nonce=nonce) for nonce in (b"0001", b"0002"))
    assert sum(a == b for a, b in zip(one.cti, other.cti, strict=True)) < 8
