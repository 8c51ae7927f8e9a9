"""What the browser gets: icons that exist, colours that can be read, nothing the policy blocks."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = set(re.findall(r'id="i-([^"]+)"', (STATIC / "icons.svg").read_text()))


def test_every_icon_in_templates_and_statuses_is_in_the_sprite() -> None:
    from studio.formatting import STATUS_LOOKS

    used = {look.icon for look in STATUS_LOOKS.values() if look.icon}
    for file in TEMPLATES:
        used |= set(re.findall(r'{% icon "([^"]+)"', file.read_text()))
        used |= set(re.findall(r'icon_name="([^"]+)"', file.read_text()))
    assert len(used) > 20
    assert used - SPRITE == set()


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_has_a_script_or_handler_that_the_policy_blocks(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)


def test_files_that_style_sheets_name_are_there() -> None:
    named = [
        sheet.parent / target
        for sheet in (STATIC / "css").glob("*.css")
        for target in re.findall(r'url\("((?!data:)[^"#]+)"\)', sheet.read_text())
    ]
    assert len(named) > 5
    assert [str(file) for file in named if not file.exists()] == []


def test_vendored_files_name_no_source_maps() -> None:
    files = list((STATIC / "vendor").rglob("*.min.*"))
    assert files
    assert [file.name for file in files if "sourceMappingURL" in file.read_text()] == []


def test_plotly_comes_out_of_the_installed_package_once() -> None:
    found = finders.find("vendor/plotly.min.js")
    assert found is not None
    assert Path(found).parts[-3:] == ("plotly", "package_data", "plotly.min.js")
    assert finders.find("vendor/other.min.js") is None


def tokens(theme: str) -> dict[str, str]:
    text = (STATIC / "css" / "tokens.css").read_text()
    light, dark = re.findall(r"{([^}]*--canvas:[^}]*)}", text)
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", light if theme == "light" else dark))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two sRGB colours after WCAG 2.2."""
    values = []
    for colour in (one, other):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        values.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(values) / min(values)


FAMILIES = ("neutral", "blue", "green", "violet", "red", "amber", "best", "primary")


@pytest.mark.parametrize(("theme", "family"), list(product(("light", "dark"), FAMILIES)))
def test_words_of_a_family_can_be_read_on_the_surface_and_on_its_tint(
    theme: str, family: str
) -> None:
    colours = tokens(theme)
    assert contrast(colours[family], colours["surface"]) >= 5.3
    assert contrast(colours[family], colours[f"{family}-tint"]) >= 5.1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_trial_colours_and_quiet_text_stand_out_from_the_surface(theme: str) -> None:
    colours = tokens(theme)
    assert min(contrast(colours[f"trial-{n}"], colours["surface"]) for n in range(10)) >= 2.99
    grounds = (colours["surface"], colours["canvas"], colours["raised"])
    assert min(contrast(colours["faint"], ground) for ground in grounds) >= 4.5
    assert contrast(colours["on-primary"], colours["primary"]) >= 4.5
