"""Every sentence in both languages, every key that is used there, none that is not."""

import json
import re

import pytest

from api.pages import render
from api.pages.assets import FOLDER, load_assets, modules_of
from api.pages.texts import FOLDER as TEXTS
from api.pages.texts import TEXTS_OF, Texts, load_texts, script_of_texts

PARTS_OF_THE_PATIENTS_PAGE = ("booking", "records", "rights", "bills")
PAGE_OF_A_PART = dict.fromkeys(PARTS_OF_THE_PATIENTS_PAGE, "patient") | {
    "desk-records": "scanner",
    "desk-bills": "scanner",
    "admin-payments": "admin",
}
PAGES_WITH_SCRIPTS = ("patient", "scanner", "admin", *PAGE_OF_A_PART)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# The switch to the other language is written in that language.
OF_THE_OTHER_LANGUAGE = {"switch.language", "switch.language.label"}


def texts_of(page: str) -> Texts:
    """What a page's scripts find; those of a part come to those of the page that is open."""
    first = TEXTS_OF[PAGE_OF_A_PART[page]] if page in PAGE_OF_A_PART else ()
    return load_texts((*first, *TEXTS_OF[page]))


def source_of(page: str) -> str:
    return "\n".join(module.body.decode() for module in modules_of(load_assets(), f"{page}.js"))


def template_keys() -> set[str]:
    templates = "\n".join(path.read_text("utf-8") for path in render.FOLDER.glob("*.html"))
    return set(re.findall(r"\{\{t ([\w.-]+)\}\}", templates))


@pytest.mark.parametrize("page", PAGES_WITH_SCRIPTS)
def test_every_key_a_script_uses_exists(page: str) -> None:
    used = set(re.findall(r'\b(?:t|known)\(\s*"([^"]+)"', source_of(page)))
    used |= set(re.findall(r'\bknown\([^)]*?,\s*"([^"]+)"', source_of(page)))
    assert used
    assert not used - set(texts_of(page))


@pytest.mark.parametrize("page", PAGES_WITH_SCRIPTS)
def test_every_beginning_that_a_script_completes_has_keys(page: str) -> None:
    beginnings = set(re.findall(r"\b(?:t|known)\(\s*`([\w.-]+)\$\{", source_of(page)))
    texts = texts_of(page)
    assert not [start for start in beginnings if not any(key.startswith(start) for key in texts)]


def test_no_text_is_left_over() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.js"))
    quoted = set(re.findall(r'"([a-z][\w.-]*)"', sources))
    beginnings = tuple(
        set(re.findall(r"`([a-z][\w.-]*\.)\$\{", sources))
        | {f"{word}." for word in quoted if word.startswith("shift.")}
    )
    used = quoted | template_keys() | {"problem.class.4", "problem.class.5"}
    unused = [
        key
        for names in TEXTS_OF.values()
        for key in load_texts(names)
        if key not in used and not key.startswith(beginnings)
    ]
    assert not unused


@pytest.mark.parametrize("name", sorted(path.name for path in TEXTS.glob("*.json")))
def test_no_sentence_is_half_translated(name: str) -> None:
    for key, sentence in json.loads((TEXTS / name).read_text("utf-8")).items():
        assert set(sentence) == {"zh", "en"}
        slots = [sorted(re.findall(r"\{\w+\}", text)) for text in sentence.values()]
        assert slots[0] == slots[1], key
        if key not in OF_THE_OTHER_LANGUAGE:
            assert not CHINESE.search(sentence["en"]), key


def test_parts_that_are_open_together_say_nothing_twice() -> None:
    files = [name for page in ("patient", *PARTS_OF_THE_PATIENTS_PAGE) for name in TEXTS_OF[page]]
    assert load_texts(files)


def test_a_key_in_two_files_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        load_texts(("frame", "frame"))


def test_the_script_of_texts_is_one_assignment() -> None:
    script = script_of_texts({"a": {"zh": "</script>一", "en": "b"}}, "zh").decode()
    assert script == 'globalThis.yimaTexts={"a":"</script>一"};\n'
