"""What holds a secret: not printed, not pickled, not copied (after tink's keyset handle)."""

from typing import Never, SupportsIndex


class Guarded:
    """A holder of secrets. They leave it only through methods whose names say so."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise TypeError(f"{type(self).__name__} holds a secret and is neither pickled nor copied")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
