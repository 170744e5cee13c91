"""Money in fen, whole and never a float; the insurer's and the statements' decimal strings of yuan.

The platform's amounts are `medfee_sumamt` and the like: strings or numbers of yuan with at most two decimals.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from codes.errors import InvalidValue

FEN_MOST: Final = 10**11  # a milliard yuan: no bill, and no sum of a day, is larger
_YUAN: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2}0*)?")
_QUANTITY: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,4})?")


class AmountInvalid(InvalidValue):
    """This is no amount: not a decimal of yuan, too many places, or beyond all bounds."""

    def __init__(self, field: str = "amount") -> None:
        super().__init__(field, "金额或数量不正确", "not an amount or quantity")


class PartsMismatch(InvalidValue):
    """The parts of a bill do not make its total, or one of them is below nothing."""

    def __init__(self, field: str = "parts") -> None:
        super().__init__(field, "各部分金额与总额不符", "the parts do not make the total")


class Parts(NamedTuple):
    """Who pays what of a bill, in fen: the insurer's fund, the personal account, the hospital, and cash."""

    fund: int
    account: int
    hospital: int
    cash: int

    @property
    def total(self) -> int:
        """Their sum."""
        return sum(self)


def parts_of(total: int, fund: int, account: int, hospital: int, cash: int) -> Parts:
    """The four parts of a total (fen). Raises PartsMismatch unless they make it and none is negative."""
    parts = Parts(fund, account, hospital, cash)
    if min(parts) < 0 or parts.total != total:
        raise PartsMismatch
    return parts


def fen_of(yuan: str) -> int:
    """Fen of a decimal string of yuan ("12", "12.3", "12.30", "-0.01"). Raises AmountInvalid."""
    if not _YUAN.fullmatch(yuan):
        raise AmountInvalid
    fen = int(Decimal(yuan) * 100)
    if abs(fen) > FEN_MOST:
        raise AmountInvalid
    return fen


def yuan_of(fen: int) -> str:
    """Yuan with two decimals ("12.30", "-0.01")."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def quantity_of(text: str) -> Decimal:
    """A quantity: above nothing, at most 8 digits and 4 decimals. Raises AmountInvalid."""
    if not _QUANTITY.fullmatch(text) or Decimal(text) == 0:
        raise AmountInvalid
    return Decimal(text)


def line_fen(quantity: Decimal, price: int) -> int:
    """quantity × price (fen), half up to whole fen."""
    return int((quantity * price).quantize(Decimal(1), ROUND_HALF_UP))
