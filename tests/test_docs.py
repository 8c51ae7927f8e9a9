"""The documentation names everything that there is, and links lead somewhere."""

import re
from pathlib import Path

import pytest

from sweeps.domain.space import KINDS
from sweeps.domain.states import SweepStatus, TrialStatus

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
GUIDE = (ROOT / "docs/user-guide.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]


def settings() -> set[str]:
    """Environment variables that settings.py reads."""
    text = (ROOT / "studio/settings.py").read_text()
    return set(re.findall(r'env_(?:str|int|bool|list)\(\s*"([A-Z_]+)"', text))


def commands() -> set[str]:
    found = ROOT.glob("*/management/commands/*.py")
    return {path.stem for path in found if path.stem != "__init__"}


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^(demo|run|test|lint):", text, re.MULTILINE))


def test_every_setting_is_documented():
    names = settings() | {"STUDIO_HOME"}
    assert len(names) > 10
    assert sorted(name for name in names if f"`{name}`" not in CONFIGURATION) == []


def test_no_setting_is_documented_that_there_is_not():
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", CONFIGURATION, re.MULTILINE))
    assert documented - settings() - {"STUDIO_HOME"} == set()


def test_every_command_and_target_is_documented():
    missing = [name for name in commands() if not re.search(rf"`{name}[` \[]", CONFIGURATION)]
    missing += [name for name in targets() if f"`make {name}`" not in CONFIGURATION]
    assert missing == []


@pytest.mark.parametrize("status", [*SweepStatus, *TrialStatus])
def test_every_status_is_explained(status):
    assert f"| {status} |" in GUIDE


@pytest.mark.parametrize("kind", KINDS)
def test_every_distribution_is_explained(kind):
    assert f"`{kind}`" in GUIDE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readmes_first_screen_has_the_two_commands():
    head = (ROOT / "README.md").read_text().splitlines()[:25]
    assert any(line.startswith("make demo") for line in head)
    assert any(line.startswith("make test") for line in head)
