"""Phones and medical-insurance numbers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.errors import InvalidValue
from codes.insurance import InsuranceNumber, InsuranceType, parse_insurance
from codes.phone import mask_phone, parse_phone


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        " 13800138000 ",
        "138 0013 8000",
        "138-0013-8000",
        "+8613800138000",
        "+86 138-0013-8000",
        "１３８００１３８０００",
    ],
)
def test_a_phone_may_be_typed_in_many_ways(typed: str) -> None:
    assert parse_phone(typed) == "13800138000"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1380013800",
        "138001380000",
        "12800138000",
        "23800138000",
        "010-12345678",
        "+85291234567",
        "8613800138000",
        "13800138000\n",
        "13800138000\0",
        "1380013800x",
        "١٣٨٠٠١٣٨٠٠٠",
    ],
)
def test_what_is_no_mainland_mobile_is_refused(typed: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_phone(typed)
    assert caught.value.field == "phone"


def test_the_phones_mask_is_that_of_the_api() -> None:
    assert mask_phone("13800138000") == "138****8000"


def test_an_insurance_number_is_kept_by_kind() -> None:
    voucher = parse_insurance("01", " ecToken0123456789 ", "430100")
    assert voucher == InsuranceNumber(InsuranceType.E_VOUCHER, "ecToken0123456789", "430100")
    card = parse_insurance("03", "a12345678", "４３０１００")
    assert card == InsuranceNumber(InsuranceType.SOCIAL_SECURITY_CARD, "A12345678", "430100")
    assert card.masked == "A******78"
    assert "12345678" not in repr(card)


@pytest.mark.parametrize(
    ("type", "number", "area", "field"),
    [
        ("02", "A12345678", "430100", "insurance/type"),
        ("", "A12345678", "430100", "insurance/type"),
        ("01", "", "430100", "insurance/number"),
        ("01", "12345", "430100", "insurance/number"),
        ("01", "1" * 51, "430100", "insurance/number"),
        ("01", "A1234 5678", "430100", "insurance/number"),
        ("03", "A1234567\n", "430100", "insurance/number"),
        ("03", "A12345678", "", "insurance/area"),
        ("03", "A12345678", "43010", "insurance/area"),
        ("03", "A12345678", "4301000", "insurance/area"),
        ("03", "A12345678", "000000", "insurance/area"),
        ("03", "A12345678", "830000", "insurance/area"),
        ("03", "A12345678", "43010x", "insurance/area"),
    ],
)
def test_what_is_no_insurance_number_is_refused(type: str, number: str, area: str, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_insurance(type, number, area)
    assert caught.value.field == field


@pytest.mark.parametrize("area", ["110000", "439900", "660100", "659001"])
def test_insured_places(area: str) -> None:
    assert parse_insurance("03", "A12345678", area).area == area


@given(st.text(), st.text(), st.sampled_from(["01", "03"]))
def test_any_text_is_a_value_or_an_invalid_value(number: str, area: str, type: str) -> None:
    with contextlib.suppress(InvalidValue):
        assert len(parse_phone(number)) == 11
    with contextlib.suppress(InvalidValue):
        assert 6 <= len(parse_insurance(type, number, area).number) <= 50
