"""A session's limits of age and sex, alone: whole years on the session's date, and three answers."""

from datetime import date

import pytest

from api.booking.eligibility import Limits, age_on, allows

DAY = date(2026, 6, 18)
NONE = Limits(None, None, None)


@pytest.mark.parametrize(
    ("birthday", "day", "age"),
    [
        (date(2012, 6, 18), date(2026, 6, 17), 13),
        (date(2012, 6, 18), date(2026, 6, 18), 14),
        (date(2012, 6, 18), date(2026, 6, 19), 14),
        (date(2026, 6, 18), date(2026, 6, 18), 0),
        (date(1900, 1, 1), date(2026, 6, 18), 126),
        (date(2012, 12, 31), date(2026, 1, 1), 13),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
        (date(2012, 2, 29), date(2028, 2, 28), 15),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
    ],
)
def test_a_year_of_age_is_full_on_the_birthday_and_of_29_february_on_1_march(
    birthday: date, day: date, age: int
) -> None:
    assert age_on(birthday, day) == age


@pytest.mark.parametrize(
    ("limits", "gender", "birthday", "allowed"),
    [
        (NONE, "male", "1988-06-18", True),
        (NONE, None, None, True),
        (Limits(14, None, None), None, "2012-06-18", True),
        (Limits(14, None, None), None, "2012-06-19", False),
        (Limits(None, 14, None), None, "2011-06-19", True),
        (Limits(None, 14, None), None, "2011-06-18", False),
        (Limits(0, 0, None), None, "2026-06-18", True),
        (Limits(None, 0, None), None, "2025-06-18", False),
        (Limits(14, 14, None), None, "2012-06-18", True),
        (Limits(None, 150, None), None, "1900-01-01", True),
        (Limits(None, None, "female"), "female", None, True),
        (Limits(None, None, "female"), "male", None, False),
        (Limits(None, None, "male"), "female", "1988-06-18", False),
        # What a document does not tell is neither yes nor no, unless what it tells is no.
        (Limits(None, None, "female"), None, "1988-06-18", None),
        (Limits(0, None, None), "male", None, None),
        (Limits(None, 150, None), "male", None, None),
        (Limits(14, None, "female"), None, None, None),
        (Limits(14, None, "female"), "male", None, False),
        (Limits(14, None, "female"), None, "2020-01-01", False),
        (Limits(14, None, "female"), "female", None, None),
    ],
)
def test_limits_allow_refuse_or_cannot_tell(
    limits: Limits, gender: str | None, birthday: str | None, allowed: bool | None
) -> None:
    assert allows(limits, DAY, gender, birthday) is allowed
