"""Stylesheet, scripts and pictures: read once at start, named by their content.

The stylesheet is one file made of the parts below; any other is for the one page, or part of a page, that names it.
`icons.js` is icons.json as a module, since templates use the
icons too. Scripts are ES modules; each `import "./x.js"` gets the imported file's version, so that a page asks for
everything by content and a browser may keep it for ever.
"""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.pages.language import LANGUAGES
from api.pages.texts import TEXTS_OF, load_texts, script_of_texts

FOLDER: Final = Path(__file__).parent / "static"
STYLESHEET: Final = "yima.css"
STYLESHEET_PARTS: Final = (
    "tokens.css",
    "base.css",
    "controls.css",
    "screens.css",
    "verdicts.css",
    "scanner.css",
)
CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_IMPORT: Final = re.compile(r'((?:from|import)\s*")\./([a-z0-9-]+\.js)(")')


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served, also packed by gzip. `version`: the first 16 hex digits of the body's SHA-256."""

    name: str
    body: bytes
    packed: bytes
    content_type: str
    version: str
    imports: tuple[str, ...] = ()

    def etag(self, *, packed: bool) -> str:
        """A strong entity tag (RFC 9110 §8.8.3); the packed form has one of its own, being other bytes."""
        return f'"{self.version}-gzip"' if packed else f'"{self.version}"'

    @property
    def address(self) -> str:
        """Where a page asks for it."""
        return f"/static/{self.name}?v={self.version}"


def load_assets() -> dict[str, Asset]:
    """Every asset by name. ValueError if two scripts import each other."""
    assets: dict[str, Asset] = {}
    _add(assets, STYLESHEET, "\n".join((FOLDER / part).read_text("utf-8") for part in STYLESHEET_PARTS).encode())
    for page, files in TEXTS_OF.items():
        for language in LANGUAGES:
            _add(assets, f"{page}.{language}.js", script_of_texts(load_texts(files), language))
    _add(assets, "icons.js", f"export const icons = {json.dumps(load_icons())};\n".encode())
    for path in sorted(FOLDER.iterdir()):
        if path.suffix == ".svg" or (path.suffix == ".css" and path.name not in STYLESHEET_PARTS):
            _add(assets, path.name, path.read_bytes())
        elif path.suffix == ".js":
            _add_module(assets, path.name, ())
    return assets


def modules_of(assets: dict[str, Asset], name: str) -> list[Asset]:
    """The module and all that it imports, each once, what is needed first in front."""
    found: dict[str, Asset] = {}

    def visit(module: str) -> None:
        for imported in assets[module].imports:
            if imported not in found:
                visit(imported)
        found[module] = assets[module]

    visit(name)
    return list(found.values())


def load_icons() -> dict[str, str]:
    """The icons by name, each one SVG path in a 24 x 24 box, drawn with a round stroke."""
    icons: dict[str, str] = json.loads((FOLDER / "icons.json").read_text("utf-8"))
    return icons


def _add(assets: dict[str, Asset], name: str, body: bytes, imports: tuple[str, ...] = ()) -> None:
    version = hashlib.sha256(body).hexdigest()[:16]
    packed = gzip.compress(body, mtime=0)
    assets[name] = Asset(name, body, packed, CONTENT_TYPES[Path(name).suffix], version, imports)


def _add_module(assets: dict[str, Asset], name: str, importers: tuple[str, ...]) -> None:
    if name in assets:
        return
    if name in importers:
        raise ValueError(f"scripts import each other: {' -> '.join((*importers, name))}")
    source = (FOLDER / name).read_text("utf-8")
    imports = tuple(dict.fromkeys(match[2] for match in _IMPORT.finditer(source)))
    for imported in imports:
        _add_module(assets, imported, (*importers, name))
    versioned = _IMPORT.sub(lambda m: f"{m[1]}./{m[2]}?v={assets[m[2]].version}{m[3]}", source)
    _add(assets, name, versioned.encode(), imports)
