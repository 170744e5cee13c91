"""Which language and which type size a page is shown in.

A reader's own choice (a cookie, set by the switch in the page's head) goes before `Accept-Language`
(RFC 9110 §12.5.4); zh-CN is what remains.
"""

from typing import Final, Literal

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
HTML_LANG: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}

LANGUAGE_COOKIE: Final = "yima_lang"
TYPE_COOKIE: Final = "yima_type"
COOKIE_SECONDS: Final = 365 * 86_400


def choose_language(chosen: str | None, accept_language: str | None) -> Language:
    """The page's language, from the cookie's value and the header's, both as they came."""
    for language in LANGUAGES:
        if chosen == language:
            return language
    best: Language = "zh"
    best_quality = 0.0
    for part in (accept_language or "")[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary not in LANGUAGES:
            continue
        quality = _quality(parameters)
        if quality > best_quality:
            best, best_quality = ("en" if primary == "en" else "zh"), quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
