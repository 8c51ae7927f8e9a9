"""What the browser gets: icons that exist, files that are there, nothing the policy blocks."""

import re
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

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


@pytest.mark.parametrize("part", ["cartesian", "gl3d"])
def test_the_parts_of_plotly_are_of_the_version_of_the_package(part: str) -> None:
    """Figures are checked against the package's schema and drawn by the parts."""
    head = (STATIC / f"vendor/plotly/plotly-{part}.min.js").read_text()[:300]
    found = re.search(r"plotly\.js (?:\(\w+ - minified\) )?v(\d+\.\d+\.\d+)", head)
    assert found is not None
    assert found[1] == get_plotlyjs_version()
