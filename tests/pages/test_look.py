"""The look keeps its promises: contrast of every pair of colours in both schemes, type, targets, names."""

import re

import pytest

from api.pages.assets import FOLDER

AA = 4.5  # WCAG 2.2, 1.4.3
AAA = 7.0  # 1.4.6
PART = 3.0  # 1.4.11: edges of controls, the ring

# (what is on top, what is below, at least)
PAIRS = [
    ("ink", "surface", AAA),
    ("ink", "ground", AAA),
    ("ink", "sunken", AAA),
    ("ink-soft", "surface", AAA),
    ("ink-soft", "ground", AA),
    ("ink-soft", "sunken", AA),
    ("refused-ink", "sunken", AA),
    ("refused", "sunken", PART),
    ("again", "sunken", PART),
    ("accent", "sunken", PART),
    ("accent-ink", "surface", AAA),
    ("accent-ink", "ground", AA),
    ("accent-ink", "sunken", AA),
    ("on-accent", "accent", AA),
    ("on-accent", "accent-deep", AA),
    ("on-accent-soft", "accent-soft", AAA),
    *[(f"on-{verdict}", verdict, AAA) for verdict in ("accepted", "refused", "again")],
    *[(f"{verdict}-ink", f"{verdict}-soft", AAA) for verdict in ("accepted", "refused", "again")],
    ("refused-ink", "surface", AAA),
    ("again-ink", "surface", AAA),
    ("accent-ink", "accepted-soft", AA),
    ("print", "paper", 21.0),
    ("line-strong", "surface", PART),
    ("line-strong", "ground", PART),
    ("line-strong", "sunken", PART),
    ("accent", "surface", PART),
    ("focus", "ground", PART),
    ("focus", "surface", PART),
]


def tokens() -> dict[str, dict[str, str]]:
    """Colours by name, of the light and of the dark scheme."""
    sheet = (FOLDER / "tokens.css").read_text("utf-8")
    light, dark = sheet.split("@media (prefers-color-scheme: dark)")
    read = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
    first = dict(read.findall(light))
    return {"light": first, "dark": first | dict(read.findall(dark))}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("top", "below", "least"), PAIRS)
def test_contrast(scheme: str, top: str, below: str, least: float) -> None:
    colours = tokens()[scheme]
    assert contrast(colours[top], colours[below]) >= least


def test_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_code_is_black_on_white_in_both_schemes() -> None:
    for scheme in tokens().values():
        assert (scheme["print"], scheme["paper"]) == ("#000000", "#ffffff")


def rest_of_the_sheet() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(FOLDER.glob("*.css")) if path.name != "tokens.css")


def test_only_the_tokens_name_colours() -> None:
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", rest_of_the_sheet())


def test_every_token_used_is_named() -> None:
    named = set(re.findall(r"(--[\w-]+):", (FOLDER / "tokens.css").read_text("utf-8")))
    used = set(re.findall(r"var\((--[\w-]+)\)", rest_of_the_sheet()))
    assert used <= named
    assert named - used - {"--focus", "--shadow"} == set()


def test_no_type_is_below_16_px() -> None:
    sizes = re.findall(r"font-size: ([\d.]+)(px|rem|em|%)", rest_of_the_sheet())
    assert all((unit == "px" and float(size) >= 16) or (unit == "%" and float(size) >= 100) for size, unit in sizes)
    scale = re.findall(r"--type-[\w-]+: ([\d.]+)rem", (FOLDER / "tokens.css").read_text("utf-8"))
    assert scale
    assert all(float(size) >= 1 for size in scale)
    # 关怀模式: 1 rem is 24 px
    assert 'html[data-type="large"] {\n  font-size: 150%;' in rest_of_the_sheet()


def test_motion_can_be_turned_off() -> None:
    assert rest_of_the_sheet().count("prefers-reduced-motion: reduce") == 1
