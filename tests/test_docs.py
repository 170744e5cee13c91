"""What the documents say is so: settings, tests, files, tasks, problems."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from api.problems import KINDS
from api.settings import Settings

HOUSE = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md")


def text(name: str) -> str:
    return (HOUSE / name).read_text("utf-8")


def test_readme_lists_every_setting_with_its_default() -> None:
    table = re.search(r"### Settings\n(.*?)\n## ", text("README.md"), re.S)
    assert table
    rows = [row.split("|")[1:3] for row in table[1].splitlines() if row.startswith("| `")]
    listed = {name: default for names, default in rows[1:] for name in re.findall(r"`([A-Z0-9_]+)`", names)}
    known = {one.name.upper(): one.default for one in fields(Settings)}
    assert listed.keys() == known.keys()
    numbers = {name: str(default) for name, default in known.items() if type(default) is int and default > 1}
    assert {name for name, default in numbers.items() if f"`{default}`" not in listed[name]} == set()


def test_security_names_tests_that_exist() -> None:
    named: list[tuple[str, str]] = []
    for file, one in re.findall(r"`([\w/]+/test_\w+\.py)?::(\w+)`", text("SECURITY.md")):
        named.append((file or named[-1][0], one))
    assert len(named) > 40
    missing = [
        f"{file}::{one}"
        for file, one in named
        if not re.search(rf"def test_{one}\(", (HOUSE / "tests" / file).read_text("utf-8"))
    ]
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_paths_lead_somewhere(name: str) -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text(name))
    paths = re.findall(r"`((?:api|codes|models|tests)/[\w./]+)`", text(name))
    assert [path for path in linked + paths if not (HOUSE / path).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tasks_are_in_the_makefile(name: str) -> None:
    tasks = set(re.findall(r"^([a-z]+):", text("Makefile"), re.M))
    assert set(re.findall(r"`make ([a-z]+)", text(name))) <= tasks


def test_readme_names_problems_by_their_status() -> None:
    named = re.findall(r"(\d{3}) `([a-z-]+)`", text("README.md"))
    assert named
    assert [(int(status), code) for status, code in named] == [(KINDS[code].status, code) for _, code in named]
