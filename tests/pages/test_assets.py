"""What pages load: named by content, ours alone, small, and free of ways for text to become script."""

import re
from pathlib import Path

import pytest

from api.pages import assets as assets_module
from api.pages import render
from api.pages.assets import FOLDER, load_assets, load_icons, modules_of

KIB = 1024
MOST_OF_A_PAGE = 150 * KIB
MOST_OF_A_PART = 64 * KIB  # what is fetched when a part is first opened
PARTS = {  # of which page
    "booking": "patient",
    "records": "patient",
    "rights": "patient",
    "bills": "patient",
    "desk-records": "scanner",
    "desk-bills": "scanner",
    "admin-payments": "admin",
}
LONGEST_FILE = 400  # lines

SOURCES = sorted([*FOLDER.iterdir(), *render.FOLDER.iterdir()])
SCRIPTS = [path for path in SOURCES if path.suffix == ".js"]


@pytest.mark.parametrize("page", ["patient", "scanner", "admin"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_and_all_it_loads_weighs_less_than_150_kib(page: str, language: str) -> None:
    assets = load_assets()
    sheets = re.findall(
        r'"stylesheet" href="\{\{asset ([\w-]+\.css)\}\}', (render.FOLDER / f"{page}.html").read_text("utf-8")
    )
    loaded = [
        assets["yima.css"],
        *[assets[sheet] for sheet in sheets],
        assets["icon.svg"],
        assets[f"{page}.{language}.js"],
        *modules_of(assets, f"{page}.js"),
    ]
    template = sum(len((render.FOLDER / f"{name}.html").read_bytes()) for name in (page, "head", "top"))
    preloads = 100 * len(loaded)
    assert sum(len(asset.body) for asset in loaded) + template + preloads < MOST_OF_A_PAGE


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_part_adds_later_is_small_and_nothing_of_the_page_twice(part: str, language: str) -> None:
    assets = load_assets()
    page = f"{PARTS[part]}.js"
    there = {module.address for module in modules_of(assets, page)}
    addresses = render.Renderer(assets, load_icons()).later(f"{part}.js", page).split()
    assert addresses[-1] == assets[f"{part}.js"].address
    assert not there & set(addresses)
    by_address = {asset.address: asset for asset in assets.values()}
    loaded = [*(by_address[address] for address in addresses), assets[f"{part}.css"], assets[f"{part}.{language}.js"]]
    assert sum(len(asset.body) for asset in loaded) < MOST_OF_A_PART


def test_imports_carry_the_version_of_what_they_import() -> None:
    assets = load_assets()
    for asset in assets.values():
        for name in asset.imports:
            assert f'"./{name}?v={assets[name].version}"'.encode() in asset.body


def test_a_changed_file_changes_every_name_that_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "icons.json").write_text("{}")
    for name in assets_module.STYLESHEET_PARTS:
        (tmp_path / name).write_text("")
    (tmp_path / "a.js").write_text('import { b } from "./b.js";')
    (tmp_path / "b.js").write_text("export const b = 1;")
    monkeypatch.setattr(assets_module, "FOLDER", tmp_path)
    before = load_assets()["a.js"].version
    (tmp_path / "b.js").write_text("export const b = 2;")
    assert load_assets()["a.js"].version != before


def test_scripts_that_import_each_other_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "icons.json").write_text("{}")
    for name in assets_module.STYLESHEET_PARTS:
        (tmp_path / name).write_text("")
    (tmp_path / "a.js").write_text('import "./b.js";')
    (tmp_path / "b.js").write_text('import "./a.js";')
    monkeypatch.setattr(assets_module, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="import each other"):
        load_assets()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_text_never_becomes_markup_or_script(path: Path) -> None:
    found = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(\s*[\"'`]|createContextualFragment|srcdoc",
        path.read_text("utf-8"),
    )
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.name))
def test_nothing_comes_from_another_origin(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "").replace('"http://loinc.org"', "")  # names
    assert not re.findall(r"https?://|[\"'(]//", text)


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix == ".html"], ids=lambda path: str(path.name))
def test_templates_have_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son\w+=|javascript:", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.name))
def test_no_file_is_too_long_to_read(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_FILE


def test_every_icon_named_is_there() -> None:
    icons = load_icons()
    scripts = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    named = set(re.findall(r'\bicon\("([a-z]+)"', scripts)) | set(re.findall(r'\bicon: "([a-z]+)"', scripts))
    templates = "\n".join(path.read_text("utf-8") for path in render.FOLDER.glob("*.html"))
    named |= set(re.findall(r"\{\{icon ([\w-]+)\}\}", templates))
    assert named <= set(icons)
    assert all(re.fullmatch(r"[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+", path) for path in icons.values())
