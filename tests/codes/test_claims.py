"""The claims' table: each value, its limits, and everything beside them."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import claims
from codes.claims import Claims
from codes.errors import CodeError, CodeMalformed

from .support import CTI, NOW

TOP = 2**32 - 1


def payload(**changes: Any) -> bytes:
    values = {"exp": NOW + 60, "iat": NOW, "cti": CTI} | changes
    labels = {"exp": 4, "iat": 6, "cti": 7, "services": -65537, "use": -65538, "extra": 8}
    return cbor2.dumps({labels[name]: value for name, value in values.items() if value is not ...}, canonical=True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"services": 1},
        {"services": 7},
        {"exp": NOW + 300},
        {"exp": NOW + 1},
        {"iat": 0, "exp": 1},
        {"iat": TOP - 1, "exp": TOP},
        {"use": 1, "exp": NOW + 157_680_000},
    ],
)
def test_within_the_limits(changes: dict[str, Any]) -> None:
    data = payload(**changes)
    assert claims.encode(claims.decode(data)) == data


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": NOW + 301},
        {"exp": TOP + 1, "iat": TOP - 9},
        {"exp": float(NOW + 60)},
        {"exp": str(NOW)},
        {"exp": None},
        {"exp": ...},
        {"iat": -1, "exp": 60},
        {"iat": False, "exp": 60},
        {"iat": True, "exp": 60},
        {"iat": ...},
        {"cti": CTI[:15]},
        {"cti": CTI + b"\0"},
        {"cti": "0123456789abcdef"},
        {"cti": 7},
        {"cti": ...},
        {"services": 0},
        {"services": 8},
        {"services": -1},
        {"services": 2**64 - 1},
        {"services": True},
        {"services": None},
        {"services": [1]},
        {"services": 1.0},
        {"use": 0},
        {"use": 2},
        {"use": True},
        {"use": None},
        {"use": 1, "services": 1},
        {"use": 1, "exp": NOW + 157_680_001},
        {"extra": 0},
    ],
)
def test_outside_the_limits(changes: dict[str, Any]) -> None:
    with pytest.raises(CodeMalformed):
        claims.decode(payload(**changes))


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("a list", cbor2.dumps([4, 6, 7])),
        ("nothing", b""),
        ("a byte too many", payload() + b"\0"),
        ("a key twice", b"\xa4" + payload()[1:] + b"\x07\x50" + CTI),
        ("keys out of order", b"\xa3\x07\x50" + CTI + payload()[1:-18]),
        ("a longer time", b"\xa3\x04\x1b\0\0\0\0" + payload()[3:]),
        ("an indefinite map", b"\xbf" + payload()[1:] + b"\xff"),
        ("a longer map head", b"\xb8\x03" + payload()[1:]),
        ("indefinite bytes", payload()[:-17] + b"\x5f\x50" + CTI + b"\xff"),
        ("a tagged time", b"\xa3\x04\xc1" + payload()[2:]),
        ("a bignum", b"\xa3\x04\xc2\x44" + payload()[3:]),
        ("a key in a longer form", b"\xa3\x18\x04" + payload()[2:]),
        ("a key that is 4.0", b"\xa3\xf9\x44\x00" + payload()[2:]),
    ],
)
def test_one_form_only(why: str, data: bytes) -> None:
    with pytest.raises(CodeMalformed):
        claims.decode(data)


lawful = st.builds(
    lambda iat, life, cti, services: Claims(iat + life, iat, cti, services),
    st.integers(0, TOP - 300),
    st.integers(1, 300),
    st.binary(min_size=16, max_size=16),
    st.none() | st.integers(1, 7),
) | st.builds(
    lambda iat, life, cti: Claims(iat + life, iat, cti, None, 1),
    st.integers(0, TOP - 157_680_000),
    st.integers(1, 157_680_000),
    st.binary(min_size=16, max_size=16),
)


@given(lawful)
def test_lawful_claims_come_back(value: Claims) -> None:
    assert claims.decode(claims.encode(value)) == value


@given(st.binary(max_size=400))
def test_any_bytes_are_claims_or_a_code_error(data: bytes) -> None:
    try:
        value = claims.decode(data)
    except CodeError:
        return
    assert claims.encode(value) == data


def test_services_have_names() -> None:
    assert claims.services_to_names(None) == ["booking", "records", "payment"]
    assert claims.services_to_names(5) == ["booking", "payment"]
    assert claims.names_to_services(["payment", "booking", "booking"]) == 5
    for bits in range(1, 8):
        assert claims.names_to_services(claims.services_to_names(bits)) == bits


@pytest.mark.parametrize("names", [[], ["identity"], ["booking", "Records"]])
def test_unknown_services_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError):
        claims.names_to_services(names)
