"""Every sentence of the pages, in both languages, read once at start.

A file holds `{key: {"zh": …, "en": …}}`, so that the two stand side by side and neither can be forgotten.
A server-rendered page and the scripts of that page read the same files.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from api.pages.language import LANGUAGES, Language

FOLDER: Final = Path(__file__).parent / "texts"

# Which files each page's sentences come from; `frame` is the head and foot that all pages share.
TEXTS_OF: Final[dict[str, tuple[str, ...]]] = {
    "index": ("frame", "index"),
    "patient": ("frame", "visit", "patient", "patient-card"),
    "booking": ("booking",),  # added to the patient's page when booking is first opened
    "records": ("record_words", "records"),  # the same, for what patients see of their records
    "rights": ("rights",),  # and for what they may decide, take along and end
    "bills": ("bill_words", "bills"),  # and of bills, and how they are paid
    "scanner": ("frame", "visit", "scanner", "scanner-booking"),
    "desk-records": ("record_words", "recognition", "desk_records"),  # added when records are first opened
    "desk-bills": ("bill_words", "desk_bills"),  # the same, of bills
    "admin": ("frame", "admin", "recognition", "admin_records"),
    "admin-payments": ("admin_payments",),  # added when an auditor signs in
    "problems": ("frame", "problems"),
}

Texts = dict[str, dict[Language, str]]


def load_texts(names: Iterable[str]) -> Texts:
    """The sentences of these files together. ValueError if a key is there twice or lacks a language."""
    texts: Texts = {}
    for name in names:
        content = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        for key, sentence in content.items():
            if key in texts:
                raise ValueError(f"text {key} is there twice")
            if set(sentence) != set(LANGUAGES) or not all(sentence.values()):
                raise ValueError(f"text {key} must be in {' and '.join(LANGUAGES)}")
            texts[key] = sentence
    return texts


def script_of_texts(texts: Texts, language: Language) -> bytes:
    """A classic script that puts one language's sentences where `language.js` finds them."""
    sentences = {key: sentence[language] for key, sentence in texts.items()}
    return f"globalThis.yimaTexts={json.dumps(sentences, ensure_ascii=False, separators=(',', ':'))};\n".encode()
