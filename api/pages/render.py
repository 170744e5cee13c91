"""Pages from templates: every page in both languages and both type sizes, made once at start.

A template is HTML with marks in double braces: `{{t key}}` a sentence, `{{icon name}}` an inline SVG,
`{{asset name}}` an address under /static
(`page.texts`: that page's sentences in its language), `{{modules name}}` a script with all it imports, `{{later name}}`
the addresses of a script that the page fetches later with all that it imports, `{{value name}}` what the caller gives
(already HTML), `{{include name}}` another template.
"""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from api.pages.assets import Asset, modules_of
from api.pages.language import HTML_LANG, Language
from api.pages.texts import Texts

FOLDER: Final = Path(__file__).parent / "templates"

_MARK: Final = re.compile(r"\{\{(\w+) ([\w.-]+)\}\}")


@dataclass(frozen=True, slots=True)
class Renderer:
    """What templates draw on. One for the whole service."""

    assets: dict[str, Asset]
    icons: dict[str, str]

    def page(self, template: str, texts: Texts, language: Language, *, large: bool, values: dict[str, str]) -> bytes:
        """One page. KeyError if the template names a text, icon, asset or value that is not there."""
        given = {
            "lang": HTML_LANG[language],
            "type": "large" if large else "normal",
            "other-type": "normal" if large else "large",
            "large-pressed": "true" if large else "false",
            "language": language,
            "other-language": "zh" if language == "en" else "en",
            "other-lang-tag": HTML_LANG["zh" if language == "en" else "en"],
            **values,
        }

        def replace(mark: re.Match[str]) -> str:
            kind, name = mark[1], mark[2]
            match kind:
                case "t":
                    return escape(texts[name][language])
                case "icon":
                    return self.icon(name)
                case "asset":
                    return self.assets[name.replace(".texts", f".{language}.js")].address
                case "modules":
                    return self.modules(name)
                case "later":
                    return self.later(name, f"{template}.js")
                case "value":
                    return given[name]
                case "include":
                    return _MARK.sub(replace, _template(name))
            raise KeyError(f"{{{{{kind} {name}}}}}")

        return _MARK.sub(replace, _template(template)).encode()

    def icon(self, name: str) -> str:
        """An icon as inline SVG, hidden from screen readers: the words beside it say the same."""
        return (
            '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
            f'<path d="{self.icons[name]}"/></svg>'
        )

    def modules(self, name: str) -> str:
        """The script's tag, and preloads for what it imports, so that nothing waits for a chain of imports."""
        *imported, entry = modules_of(self.assets, name)
        preloads = [f'<link rel="modulepreload" href="{module.address}">' for module in imported]
        return "\n".join((*preloads, f'<script type="module" src="{entry.address}"></script>'))

    def later(self, name: str, page: str) -> str:
        """Addresses of the script `name`, the last, and of what it imports beyond what the page's own script does."""
        there = {module.name for module in modules_of(self.assets, page)}
        return " ".join(module.address for module in modules_of(self.assets, name) if module.name not in there)


def _template(name: str) -> str:
    return (FOLDER / f"{name}.html").read_text("utf-8")
