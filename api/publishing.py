"""The signed key set as this worker publishes it: signed again only when it says something new, or grows old."""

from typing import NamedTuple

from codes.ring import KeyRing, Purpose
from codes.signedset import sign_set


class Published(NamedTuple):
    """A signed set, and for how many seconds it may be kept before one asks again."""

    data: bytes
    max_age: int


class _Signed(NamedTuple):
    kid: bytes
    version: int
    issued_at: int
    data: bytes


class SignedSets:
    """Signs a ring's published keys by its root key, and keeps the last one.

    `issued_at` is the beginning of a step that all workers share, so that all give the same bytes and ETag.
    """

    def __init__(self) -> None:
        self._last: _Signed | None = None

    def current(self, ring: KeyRing, now: float, *, life: int, max_age: int) -> Published:
        """The set of `ring` at `now` in seconds since 1970. `life`: until it expires; `max_age`: until it is renewed.

        Kept for `max_age`, a set is still good for half its life. Raises NoActiveKey or KeySetError.
        """
        step = min(max_age, life // 4)
        issued_at = int(now) - int(now) % step
        root = ring.signing(Purpose.ROOT)
        last = self._last
        if last is None or (last.kid, last.version, last.issued_at) != (root.kid, ring.version, issued_at):
            data = sign_set(root, ring.published(), ring.revoked(), ring.version, issued_at, issued_at + life)
            self._last = last = _Signed(root.kid, ring.version, issued_at, data)
        return Published(last.data, step)
