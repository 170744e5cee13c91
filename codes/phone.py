"""Mobile numbers of the mainland, where the texts go."""

import re
from typing import Final

from codes.errors import InvalidValue
from codes.masks import fold_width, mask

_SHAPE: Final = re.compile(r"(?:\+86)?(1[3-9][0-9]{9})")


def parse_phone(text: str) -> str:
    """The 11 digits of a mainland mobile number, typed with spaces, hyphens or +86 or without. Raises InvalidValue."""
    shape = _SHAPE.fullmatch(fold_width(text).replace(" ", "").replace("-", ""))
    if shape is None:
        raise InvalidValue("phone", "手机号应为 11 位大陆手机号", "a mainland mobile number has 11 digits")
    return shape[1]


def mask_phone(phone: str) -> str:
    """The number as it may be shown: "138****8000"."""
    return mask(phone, 3, 4)
