"""Who pays what of a bill, in the simulated insurer: a function of insutype and lines alone.

- Lines of category 特需 (special service) are all cash; those of 公共卫生 (public health) are all fund.
- The rest, T, is ordinary. T below 10 fen is all cash. From 10 fen on there is always a fund and a cash part:
  employees (310): fund 70 %, account 10 %; others: fund 50 %, no account. The hospital bears 1 % from 10.00 yuan on.
  Every part but cash is rounded down (the fund to at least 1 fen), cash is what is left.
- From T = 200.00 yuan on (大额补助) the fund pays 85 % (310) or 80 % (others) of the whole of T. So 200.00 yuan
  cost an employee 8.00 in cash, and 150.00 yuan 28.50: to refund a quarter of that bill would charge the patient.
"""

from collections.abc import Iterable
from typing import Final

from codes.money import Parts

LARGE_FEN: Final = 20_000
_SPECIAL: Final = "特需"
_PUBLIC: Final = "公共卫生"
_EMPLOYEE: Final = "310"


def shares(insutype: str, lines: Iterable[tuple[str, int]]) -> Parts:
    """The parts of lines of (category, fen)."""
    special = public = ordinary = 0
    for category, fen in lines:
        if category == _SPECIAL:
            special += fen
        elif category == _PUBLIC:
            public += fen
        else:
            ordinary += fen
    fund, account, hospital, cash = _ordinary(insutype == _EMPLOYEE, ordinary)
    return Parts(fund + public, account, hospital, cash + special)


def _ordinary(employee: bool, total: int) -> Parts:
    if total < 10:
        return Parts(0, 0, 0, total)
    percent = (85 if employee else 80) if total >= LARGE_FEN else (70 if employee else 50)
    fund = max(1, total * percent // 100)
    account = total * 10 // 100 if employee else 0
    hospital = total // 100 if total >= 1000 else 0
    return Parts(fund, account, hospital, total - fund - account - hospital)
