"""A session's limits of age and sex. A person's age is the one they have on the session's date."""

from datetime import date
from typing import NamedTuple


class Limits(NamedTuple):
    """Ages in whole years, both inclusive; None: no limit. sex: "male" or "female"."""

    min_age: int | None
    max_age: int | None
    sex: str | None


def age_on(birthday: date, day: date) -> int:
    """Whole years on a day; a birthday of 29 February is kept on 1 March of other years."""
    return day.year - birthday.year - ((day.month, day.day) < (birthday.month, birthday.day))


def allows(limits: Limits, day: date, gender: str | None, birthday: str | None) -> bool | None:
    """Whether the limits allow a person of this gender and birthday (ISO 8601) on a day; None where it is not known."""
    if limits.sex is not None and gender is not None and gender != limits.sex:
        return False
    age = age_on(date.fromisoformat(birthday), day) if birthday is not None else None
    if age is not None and not (limits.min_age or 0) <= age <= (limits.max_age if limits.max_age is not None else 999):
        return False
    if (limits.sex is not None and gender is None) or (
        (limits.min_age is not None or limits.max_age is not None) and age is None
    ):
        return None
    return True
