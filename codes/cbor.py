"""CBOR as codes use it: deterministic (RFC 8949 §4.2.1), without tags, a few items deep (security.md, rule 6).

cbor2 by itself accepts more than one form of a value, runs tags (a regular expression, shared references)
and leaves trailing bytes unread. Here tags are refused while reading; that the bytes are the one legal form
is for the caller to show: encode again what was understood, and compare.
"""

from collections.abc import Callable
from typing import Any, Final, Never

import cbor2

from codes.errors import CodeMalformed

_CODE_DEPTH: Final = 2  # an array with a map in it is the deepest that anything in a code goes


def _refuse_tag(*_: object) -> Never:
    raise ValueError("a tag")


class _EveryTagRefused(dict[int, Callable[..., Never]]):
    """Has a decoder for any tag, so that none of cbor2's own is ever run."""

    def __missing__(self, tag: int) -> Callable[..., Never]:
        return _refuse_tag


_REFUSED: Final = _EveryTagRefused()


def decode(data: bytes, depth: int = _CODE_DEPTH) -> Any:
    """The one item at the start of `data`, whose size the caller has bounded, `depth` containers deep at most.

    Raises CodeMalformed.
    """
    try:
        return cbor2.loads(
            data,
            allow_duplicate_keys=False,
            allow_indefinite=False,
            max_depth=depth,
            semantic_decoders=_REFUSED,
        )
    except Exception:  # whatever a parser says about a stranger's bytes, they are malformed
        raise CodeMalformed from None


def encode(value: object) -> bytes:
    """The deterministic encoding of `value`."""
    return cbor2.dumps(value, canonical=True)


def encode_in_order(value: object) -> bytes:
    """The same for a value whose maps already stand in the order of their encoded keys: nothing is sorted."""
    return cbor2.dumps(value)
