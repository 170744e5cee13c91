"""Medical-insurance numbers, of the two kinds that a card may be bound to.

The kinds are `mdtrt_cert_type` of the national platform's transaction 1101; the area is the insured place,
`insuplc_admdvs`, a division of GB/T 2260 (or 66…, the Production and Construction Corps).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from codes.errors import InvalidValue
from codes.identity import PROVINCES
from codes.masks import fold_width, mask_most


class InsuranceType(StrEnum):
    """What is shown to the insurer as the person's voucher."""

    E_VOUCHER = "01"
    SOCIAL_SECURITY_CARD = "03"


_NUMBER: Final = re.compile(r"[0-9A-Za-z]{6,50}")  # `mdtrt_cert_no` holds 50 characters
_AREA: Final = re.compile(r"[0-9]{6}")
_CORPS: Final = "66"


@dataclass(frozen=True, slots=True, repr=False)
class InsuranceNumber:
    """One insurance number with its kind and insured place."""

    type: InsuranceType
    number: str
    area: str

    @property
    def masked(self) -> str:
        """The number as it may be shown."""
        return mask_most(self.number)

    def __repr__(self) -> str:
        return f"<InsuranceNumber {self.type.value} {self.area}>"


def parse_insurance(type: str, number: str, area: str) -> InsuranceNumber:
    """The insurance number of these parts. Raises InvalidValue for `insurance/type`, `…/number` or `…/area`."""
    try:
        kind = InsuranceType(type)
    except ValueError:
        raise InvalidValue("insurance/type", "医保凭证类型应为 01 或 03", "must be 01 or 03") from None
    number, area = fold_width(number).strip(" "), fold_width(area).strip(" ")
    if not _NUMBER.fullmatch(number):
        raise InvalidValue("insurance/number", "医保凭证号码应为 6 至 50 位字母或数字", "6 to 50 letters and digits")
    if not _AREA.fullmatch(area) or area[:2] not in PROVINCES | {_CORPS}:
        raise InvalidValue("insurance/area", "参保地应为 6 位行政区划代码", "a 6-digit administrative division")
    # A voucher's token tells capitals apart; a card's printed number does not.
    return InsuranceNumber(kind, number.upper() if kind is InsuranceType.SOCIAL_SECURITY_CARD else number, area)
