"""The key ring: which key may do what, by purpose and state (security.md, 3).

A ring is one version of all key rows, built whole and never changed. It knows no database and no clock;
who loads it says what the rows are, and the ring says what they allow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from codes.blobs import DataKey
from codes.claims import USE_PRINTED
from codes.cose import KID_BYTES
from codes.errors import NoActiveKey
from codes.guarded import Guarded
from codes.keys import PRIVATE_BYTES, SigningKey, VerifyingKey
from codes.macs import MacKey
from codes.sealing import CardSealer

SYMMETRIC_BYTES: Final = 32


class Purpose(StrEnum):
    """What a key is for; purposes never share a key."""

    CODE = "code"
    PRINT = "print"
    DATA = "data"
    INDEX = "index"
    TOKEN = "token"  # noqa: S105 - a purpose's name
    ROW = "row"
    AUDIT = "audit"
    ROOT = "root"
    CARD_ID = "card-id"


SIGNING_PURPOSES: Final = frozenset({Purpose.CODE, Purpose.PRINT, Purpose.AUDIT, Purpose.ROOT})
CODE_PURPOSES: Final = frozenset({Purpose.CODE, Purpose.PRINT})
MAC_PURPOSES: Final = frozenset({Purpose.INDEX, Purpose.CARD_ID})
_RESCUED_PURPOSES: Final = frozenset({Purpose.DATA, Purpose.INDEX})


class KeyState(StrEnum):
    """Where a key is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    DESTROY_SCHEDULED = "destroy-scheduled"
    DESTROYED = "destroyed"
    COMPROMISED = "compromised"


class May(NamedTuple):
    """What a key in one state may do.

    `make`: sign, encrypt. `check`: verify, decrypt. `published`: stand in the key set. `rescue`: decrypt what a
    data or index key sealed, for the re-encryption alone.
    """

    make: bool
    check: bool
    published: bool
    rescue: bool


MAY: Final[Mapping[KeyState, May]] = MappingProxyType(
    {  #                               make   check  published  rescue
        KeyState.PENDING: May(False, True, True, True),
        KeyState.ACTIVE: May(True, True, True, True),
        KeyState.RETIRING: May(False, True, True, True),
        KeyState.RETIRED: May(False, False, False, False),
        KeyState.DESTROY_SCHEDULED: May(False, False, False, False),
        KeyState.DESTROYED: May(False, False, False, False),
        KeyState.COMPROMISED: May(False, False, False, True),
    }
)


@dataclass(frozen=True, slots=True, repr=False)
class RingKey(Guarded):
    """One key row: its name, purpose, state, and secret.

    `material` is 64 bytes for the purposes that sign (seed and sealing key), 32 for the others, and may be
    empty where the state allows nothing.
    """

    kid: bytes
    purpose: Purpose
    state: KeyState
    material: bytes = field(compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "purpose", Purpose(self.purpose))
        object.__setattr__(self, "state", KeyState(self.state))
        size = PRIVATE_BYTES if self.purpose in SIGNING_PURPOSES else SYMMETRIC_BYTES
        if len(self.kid) != KID_BYTES:
            raise ValueError("a kid is 4 bytes")
        if len(self.material) != size and (self.material or any(self.may)):
            raise ValueError(f"a key of purpose {self.purpose} has {size} bytes")

    @property
    def may(self) -> May:
        """What its state lets it do."""
        return MAY[self.state]

    def __repr__(self) -> str:
        return f"<RingKey {self.kid.hex()} {self.purpose} {self.state}>"


class KeyRing(Guarded):
    """One version of the keys. Raises ValueError where the rows contradict each other."""

    __slots__ = (
        "_active",
        "_data",
        "_macs",
        "_opening",
        "_published",
        "_rows",
        "_signing",
        "_verifying",
        "token_keys",
        "version",
    )

    def __init__(self, version: int, keys: Iterable[RingKey]) -> None:
        rows = sorted(keys, key=lambda row: (row.purpose, row.kid))
        self.version = version
        self._rows = {(row.purpose, row.kid): row for row in rows}
        self._active = {row.purpose: row for row in rows if row.may.make}
        if len(self._rows) != len(rows) or len(self._active) != sum(row.may.make for row in rows):
            raise ValueError("a kid stands twice, or two keys of one purpose are active")
        signing = [row.kid for row in rows if row.purpose in SIGNING_PURPOSES]
        if len(set(signing)) != len(signing):
            raise ValueError("two purposes share a signing key")
        self._signing = {
            row.kid: _signing_key(row) for row in rows if row.may.check and row.purpose in SIGNING_PURPOSES
        }
        codes = [row for row in rows if row.may.check and row.purpose in CODE_PURPOSES]
        self._verifying = {row.kid: self._signing[row.kid].verifying for row in codes}
        self._published = [self._verifying[row.kid] for row in codes if row.may.published]
        self._data = {row.kid: DataKey(row.kid, row.material) for row in rows if _opens(row)}
        self._opening = {row.kid: self._data[row.kid] for row in rows if _opens(row) and row.may.check}
        self._macs = {purpose: MacKey(row.material) for purpose, row in self._active.items() if purpose in MAC_PURPOSES}
        # kid -> 32 bytes: the keys that may check a token, as `tokens.read_token` takes them
        self.token_keys: Mapping[bytes, bytes] = MappingProxyType(
            {row.kid: row.material for row in rows if row.purpose is Purpose.TOKEN and row.may.check}
        )

    # Codes

    def verifying(self, kid: bytes) -> VerifyingKey | None:
        """The code or print key that `kid` names, if it may verify."""
        return self._verifying.get(kid)

    def sealer(self, kid: bytes) -> CardSealer | None:
        """What opens the cards that this code key sealed, if it may verify."""
        key = self._verifying.get(kid)
        return None if key is None or key.use is not None else self._signing[kid].sealer

    def issuing(self) -> SigningKey:
        """The key that signs dynamic codes. Raises NoActiveKey."""
        return self.signing(Purpose.CODE)

    def printing(self) -> SigningKey:
        """The key that signs printed codes. Raises NoActiveKey."""
        return self.signing(Purpose.PRINT)

    def signing(self, purpose: Purpose) -> SigningKey:
        """The active key of a purpose that signs. Raises NoActiveKey."""
        return self._signing[self._active_row(purpose).kid]

    def published(self) -> list[VerifyingKey]:
        """Every code and print key that verifies or soon signs, by purpose and kid."""
        return list(self._published)

    def revoked(self) -> list[bytes]:
        """The kids of compromised code and print keys, in order: a key set says that they are gone for good."""
        rows = (row for row in self._rows.values() if row.purpose in CODE_PURPOSES)
        return sorted(row.kid for row in rows if row.state is KeyState.COMPROMISED)

    # Symmetric purposes

    def symmetric(self, purpose: Purpose) -> RingKey:
        """The active key of a purpose. Raises NoActiveKey."""
        return self._active_row(purpose)

    def mac_key(self, purpose: Purpose) -> MacKey:
        """The active key of one of MAC_PURPOSES, prepared for `macs.mac`. Raises NoActiveKey."""
        self._active_row(purpose)
        return self._macs[purpose]

    def symmetric_by_kid(self, purpose: Purpose, kid: bytes) -> RingKey | None:
        """The key of a purpose that `kid` names, if it may check or decrypt."""
        row = self._rows.get((purpose, kid))
        return row if row is not None and row.may.check else None

    def checking(self, purpose: Purpose) -> list[RingKey]:
        """All keys of a purpose that may check or decrypt: a look-up by blind index asks under each."""
        return [row for row in self._rows.values() if row.purpose == purpose and row.may.check]

    def sealing_data(self) -> DataKey:
        """The data key that seals. Raises NoActiveKey."""
        return self._data[self._active_row(Purpose.DATA).kid]

    def data_key(self, kid: bytes) -> DataKey | None:
        """The data key that `kid` names, if it may decrypt."""
        return self._opening.get(kid)

    def data_key_for_rescue(self, kid: bytes) -> DataKey | None:
        """As `data_key`, a compromised key too: for the re-encryption alone."""
        return self._data.get(kid)

    def state(self, purpose: Purpose, kid: bytes) -> KeyState | None:
        """The state of a key, whatever it may do."""
        row = self._rows.get((purpose, kid))
        return None if row is None else row.state

    def _active_row(self, purpose: Purpose) -> RingKey:
        try:
            return self._active[purpose]
        except KeyError:
            raise NoActiveKey(f"no active key of purpose {purpose}") from None

    def __repr__(self) -> str:
        return f"<KeyRing version {self.version}, {len(self._rows)} keys>"


def _signing_key(row: RingKey) -> SigningKey:
    key = SigningKey(row.material, USE_PRINTED if row.purpose is Purpose.PRINT else None)
    if key.kid != row.kid:
        raise ValueError("a signing key's kid is not the beginning of its thumbprint")
    return key


def _opens(row: RingKey) -> bool:
    return row.purpose is Purpose.DATA and row.may.rescue and bool(row.material)
