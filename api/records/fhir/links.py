"""Where a text inside a record may point. Nothing in a record is ever fetched; this is for whoever shows it."""

import re
from typing import Final

# No scheme and no authority: what comes before the first "/", "?" or "#" has no colon, and "//" does not begin it.
_RELATIVE: Final = r"(?!//)[^\s\\:/?#]*(?:[/?#][^\s\\]*)?"
_REFERENCE: Final = re.compile(rf"urn:[^\s\\]+|https://[^\s\\/][^\s\\]*|{_RELATIVE}", re.IGNORECASE)
_ADDRESS: Final = re.compile(rf"urn:[^\s\\]+|https?://[^\s\\/][^\s\\]*|{_RELATIVE}", re.IGNORECASE)
_RUNS: Final = re.compile(r"[\x00-\x20\x7f]*(?:javascript|vbscript|data|file|blob|filesystem)\s*:", re.IGNORECASE)


def reference_allowed(text: str) -> bool:
    """References and links in narrative: relative, `#`, `urn:`, https."""
    return _REFERENCE.fullmatch(text) is not None


def address_allowed(text: str) -> bool:
    """An address (FHIR `url`), such as where an attachment is kept: as references, and http."""
    return _ADDRESS.fullmatch(text) is not None


def name_allowed(text: str) -> bool:
    """A URI that names something (a system, a profile): anything but what a browser would run or open locally."""
    return _RUNS.match(text) is None
