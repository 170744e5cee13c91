"""Identity documents: the rule, the edges and the abuse of each type."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.errors import InvalidValue
from codes.identity import IdDocument, IdType, age_on, check_character, parse_document

TODAY = date(2026, 11, 1)


def resident(region: str = "430102", birth: str = "19900307", sequence: str = "123") -> str:
    body = region + birth + sequence
    return body + check_character(body)


def refused(id_type: str, number: str, field: str = "id_number") -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_document(id_type, number, today=TODAY)
    assert caught.value.field == field
    assert caught.value.zh
    assert not number.strip() or number not in str(caught.value)


# 01


@pytest.mark.parametrize(
    "number",
    ["11010519491231002X", "440524188001010014"],  # GB 11643-1999, the examples of §4.2
)
def test_the_standards_own_examples_have_their_check_characters(number: str) -> None:
    assert check_character(number[:17]) == number[17]


def test_a_resident_id_tells_birthday_and_sex() -> None:
    document = parse_document("01", "11010519491231002X")
    assert document == IdDocument(IdType.RESIDENT_ID, "11010519491231002X")
    assert (document.birthday, document.gender) == (date(1949, 12, 31), "female")
    assert parse_document("01", resident(sequence="001")).gender == "male"
    assert parse_document("01", resident(sequence="990")).gender == "female"


def test_its_mask_is_that_of_the_api() -> None:
    assert parse_document("01", "11010519491231002X").masked == "110105********002X"


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        "  11010519491231002X ",
        "\u300011010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002ｘ",
    ],
)
def test_it_may_be_typed_in_many_ways(typed: str) -> None:
    assert parse_document("01", typed).number == "11010519491231002X"


@pytest.mark.parametrize(
    "region", ["110101", "659001", "710000", "810000", "820000", "830000", "910840", "999999", "900000"]
)
def test_residents_permit_holders_and_permanent_residents_are_taken(region: str) -> None:
    assert parse_document("01", resident(region)).birthday == date(1990, 3, 7)


@pytest.mark.parametrize(
    "prefix", ["00", "01", "10", "16", "20", "24", "30", "38", "47", "55", "60", "66", "70", "72", "80", "84", "89"]
)
def test_regions_that_do_not_exist_are_refused(prefix: str) -> None:
    refused("01", resident(prefix + "0101"))


@pytest.mark.parametrize("birth", ["19000101", "20000229", "20240229", "20261101"])
def test_birthdays_at_the_edges(birth: str) -> None:
    assert parse_document("01", resident(birth=birth), today=TODAY).birthday == date.fromisoformat(birth)


@pytest.mark.parametrize(
    "birth",
    [
        "18991231",
        "19000229",
        "20230229",
        "20210431",
        "19901301",
        "19900001",
        "19900100",
        "19900132",
        "00000000",
        "20261102",
        "99991231",
    ],
)
def test_birthdays_that_cannot_be(birth: str) -> None:
    refused("01", resident(birth=birth))


def test_without_today_the_future_is_not_judged() -> None:
    assert parse_document("01", resident(birth="20991231")).birthday == date(2099, 12, 31)


@pytest.mark.parametrize("place", range(17))
@pytest.mark.parametrize("step", range(1, 10))
def test_one_wrong_digit_is_always_found(place: int, step: int) -> None:
    number = resident()
    wrong = str((int(number[place]) + step) % 10)
    refused("01", number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("place", range(6, 17))
def test_two_digits_swapped_are_always_found(place: int) -> None:
    number = resident(birth="19870605", sequence="432")
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        refused("01", swapped)


@pytest.mark.parametrize("check", [c for c in "0123456789X" if c != resident()[17]])
def test_only_one_check_character_fits(check: str) -> None:
    refused("01", resident()[:17] + check)


@pytest.mark.parametrize(
    "number",
    [
        "",
        " ",
        "110105491231002",  # 15 digits, of before 1999
        resident()[:17],
        resident() + "1",
        "X" + resident()[1:],
        resident()[:6] + " " + resident()[6:],
        resident()[:-1] + "\n",
        resident() + "\n",
        "-" + resident()[1:],
        "٤" + resident()[1:],  # Arabic-Indic
        "²" + resident()[1:],
        resident() + "\0",
        "1" * 100_000,
    ],
)
def test_other_texts_are_no_resident_id(number: str) -> None:
    refused("01", number)


# 03, 06, 07


@pytest.mark.parametrize(
    ("id_type", "typed", "number", "masked"),
    [
        ("03", "E12345678", "E12345678", "E******78"),
        ("03", " ea1234567 ", "EA1234567", "E******67"),
        ("03", "Ｇ１２３４５６７８", "G12345678", "G******78"),
        ("03", "123456", "123456", "1****6"),
        ("03", "A1234", "A1234", "A****"),
        ("06", "H1234567801", "H1234567801", "H********01"),
        ("06", "m12345678", "M12345678", "M******78"),
        ("07", "12345678", "12345678", "1******8"),
        ("07", "0561682001(D)", "0561682001D", "0********1D"),
        ("07", "0561682001（d）", "0561682001D", "0********1D"),
        ("07", "0561682001", "0561682001", "0*******01"),
    ],
)
def test_other_documents_have_rules_and_masks_of_their_own(id_type: str, typed: str, number: str, masked: str) -> None:
    document = parse_document(id_type, typed, today=TODAY)
    assert (document.number, document.masked) == (number, masked)
    assert (document.birthday, document.gender) == (None, None)


@pytest.mark.parametrize(
    ("id_type", "number"),
    [
        ("03", "A123"),
        ("03", "A123456789"),
        ("03", "ABCDEFGH"),
        ("03", "E1234-678"),
        ("03", "E1234 678"),
        ("03", "护照12345"),
        ("03", "E1234567\n"),
        ("06", "H1234567"),
        ("06", "H123456789"),
        ("06", "H12345678012"),
        ("06", "K12345678"),
        ("06", "12345678"),
        ("06", "HM2345678"),
        ("07", "1234567"),
        ("07", "123456789"),
        ("07", "12345678A"),
        ("07", "12345678901"),
        ("07", "0561682001(D"),
        ("07", "0561682001()"),
        ("07", "T12345678"),
    ],
)
def test_numbers_of_another_shape_are_refused(id_type: str, number: str) -> None:
    refused(id_type, number)


@pytest.mark.parametrize("id_type", ["", "1", "02", "04", "05", "99", "01 ", "０１", "resident"])
def test_other_types_are_refused(id_type: str) -> None:
    refused(id_type, resident(), "id_type")


@given(st.sampled_from(IdType), st.text() | st.text(alphabet="0123456789XHMxhm()（）Ｘ ", max_size=20))
def test_any_text_is_a_document_or_an_invalid_value(id_type: IdType, text: str) -> None:
    try:
        document = parse_document(id_type, text)
    except InvalidValue:
        return
    assert parse_document(id_type, document.number) == document
    assert len(document.masked) == len(document.number)
    assert document.masked.count("*") >= len(document.number) * 4 / 9


def test_a_document_prints_without_its_number() -> None:
    document = parse_document("01", resident())
    assert resident()[6:] not in f"{document}{document!r}{[document]}"


# Age


@pytest.mark.parametrize(
    ("birthday", "day", "age"),
    [
        (date(2012, 11, 1), date(2026, 10, 31), 13),
        (date(2012, 11, 1), date(2026, 11, 1), 14),
        (date(2026, 11, 1), date(2026, 11, 1), 0),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
        (date(2012, 2, 29), date(2024, 2, 29), 12),
        (date(1900, 1, 1), date(2026, 11, 1), 126),
    ],
)
def test_age_in_full_years(birthday: date, day: date, age: int) -> None:
    assert age_on(birthday, day) == age


def test_nobody_has_an_age_before_birth() -> None:
    with pytest.raises(ValueError):
        age_on(date(2026, 11, 2), TODAY)
