"""The one form of almost every code: dynamic, for all services. It is filled in to issue and read back to verify.

    d2 84 49 a2 01 27 04 44 kid a0 58 1f a3 04 1a exp 06 1a iat 07 50 cti 58 40 signature

Whatever is of another form goes through `cose` and `claims`. That this is exactly what they read and write, for
codes of this form, is shown by the tests.
"""

import struct
from typing import Final

from codes.claims import MAX_DYNAMIC_LIFE, Claims
from codes.cose import Sign1

HEAD: Final = b"\xd2\x84\x49"  # tag 18, array of 4, the protected header's 9 bytes follow
UNPROTECTED: Final = b"\xa0"  # {}
PLAIN: Final = b"\x58\x1f\xa3"  # the payload's length and map head, then its entries in the order of their encoded keys
EXP: Final = b"\x04\x1a"
IAT: Final = b"\x06\x1a"
CTI: Final = b"\x07\x50"
SIGNATURE: Final = b"\x58\x40"  # 64 bytes follow
# Times from 65,536 on take four bytes in their shortest form: the template would be wrong before 1970-01-01T18:12:16Z.
MIN_TIME: Final = 2**16

_EDDSA: Final = -8
_PROTECTED: Final = b"\xa2\x01\x27\x04\x44"  # {1: -8, 4: kid}, whose 4 bytes follow
_FORM: Final = struct.Struct(">3s5s4s6sI2sI2s16s2s64s")
_PAYLOAD: Final = slice(15, 46)
_FIXED: Final = (HEAD, _PROTECTED, UNPROTECTED + PLAIN + EXP, IAT, CTI, SIGNATURE)


def read(data: bytes) -> tuple[Sign1, Claims] | None:
    """The message and its claims, or None where the bytes are not a lawful code of this form."""
    if len(data) != _FORM.size:
        return None
    head, protected, kid, before_exp, exp, before_iat, iat, before_cti, cti, before, signature = _FORM.unpack(data)
    if (head, protected, before_exp, before_iat, before_cti, before) != _FIXED:
        return None
    if not MIN_TIME <= iat < exp <= iat + MAX_DYNAMIC_LIFE:
        return None
    return Sign1(_EDDSA, kid, data[_PAYLOAD], signature), Claims(exp, iat, cti)
