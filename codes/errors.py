"""What can be wrong with a code, a key set, a token, a sealed blob, or a value somebody typed.

No message ever quotes what was read: codes, numbers and names must not reach a log through an error.
"""

from typing import ClassVar


class CodeError(Exception):
    """A code that must not be acted upon. `code` names the problem as the API does, `meaning` in one sentence."""

    code: ClassVar[str]
    meaning: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.meaning)


class CodeMalformed(CodeError):
    """Steps 1 and 2: not the text, or not the bytes, of a code."""

    code = "code-malformed"
    meaning = "this is not a Yima code, or it was not read whole; scan it again"


class CodeNotAuthentic(CodeError):
    """Step 3 or 5: no key that may verify has signed this."""

    code = "code-not-authentic"
    meaning = "no key that may verify has signed this code; ask for another proof of identity"


class UnknownKey(CodeNotAuthentic):
    """Step 3: `kid` names no key that may verify here; the only refusal that newer keys could change."""

    def __init__(self, kid: bytes) -> None:
        super().__init__()
        self.kid = kid


class CodeNotYetValid(CodeError):
    """Step 4: issued later than now, beyond the allowance."""

    code = "code-not-yet-valid"
    meaning = "this code was issued in the future; check this machine's clock"


class CodeExpired(CodeError):
    """Step 4: expired before now, beyond the allowance."""

    code = "code-expired"
    meaning = "this code has expired; ask the patient to refresh it"


class OlderCode(CodeError):
    """An `ID:…` text of the health cards before this one."""

    code = "older-code"
    meaning = "this is a code of an older health card; ask the patient to open the new one"


class KeySetError(ValueError):
    """A key or key set that is not what it must be; the message says what, never which bytes."""


class SetRefused(KeySetError):
    """A signed key set that must not be used. `code` is stable; `meaning` says what it means, in one sentence."""

    code: ClassVar[str]
    meaning: ClassVar[str]

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.meaning)


class SetMalformed(SetRefused):
    """Not the bytes of a signed key set."""

    code = "set-malformed"
    meaning = "this is not a signed key set"


class SetForged(SetRefused):
    """The pinned root did not sign this."""

    code = "set-forged"
    meaning = "the pinned root key has not signed this key set"


class SetFromFuture(SetRefused):
    """Issued later than now, beyond the allowance."""

    code = "set-from-future"
    meaning = "the key set was issued in the future; check this machine's clock"


class SetRolledBack(SetRefused):
    """Of an older version than one that was seen."""

    code = "set-rolled-back"
    meaning = "the key set is an older version than one already seen"


class SetExpired(SetRefused):
    """Its time is over; whoever serves it holds newer ones back."""

    code = "set-expired"
    meaning = "the key set has expired"


class NoActiveKey(LookupError):
    """The ring holds no active key of the purpose asked for."""


class SealBroken(Exception):
    """A sealed blob or wrapped key does not open: wrong key, wrong place, or altered."""


class TokenInvalid(Exception):
    """Not a token that a key of ours made."""


class InvalidValue(ValueError):
    """A value that breaks a rule which a person can correct.

    `field` is the JSON pointer inside the request without its first slash; `zh` and `en` say what is wrong.
    """

    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(f"{field}: {en}")
        self.field = field
        self.zh = zh
        self.en = en
