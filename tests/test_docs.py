"""The documentation names everything that there is, and links lead somewhere."""

import configparser
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from studio.parts import parts
from sweeps.domain.space import KINDS
from sweeps.domain.states import SweepStatus, TrialStatus

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
GUIDE = (ROOT / "docs/user-guide.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]


def settings() -> set[str]:
    """Environment variables that settings.py reads."""
    text = (ROOT / "studio/settings.py").read_text()
    return set(re.findall(r'env_(?:str|int|bool|list|networks|span)\(\s*"([A-Z_]+)"', text))


def commands() -> set[str]:
    found = ROOT.glob("*/management/commands/*.py")
    return {path.stem for path in found if path.stem != "__init__"}


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^(demo|run|test|lint|bench):", text, re.MULTILINE))


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


def block(language: str, having: str) -> str:
    """The one example of docs/operations.md in this language that has these words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", OPERATIONS, re.DOTALL)
    [found] = [text for text in blocks if having in text]
    return found


def test_the_unit_leaves_the_supervisor_the_time_that_its_parts_may_take():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(block("ini", "ExecStart"))
    service = unit["Service"]
    assert unit.sections() == ["Unit", "Service", "Install"]
    assert (service["KillMode"], service["OOMPolicy"]) == ("mixed", "continue")
    # Each part may have to be killed after its grace, which takes five seconds at most.
    assert int(service["TimeoutStopSec"]) >= sum(part.grace_s + 5 for part in parts(1, []))
    program, script, command = service["ExecStart"].split()
    assert program == f"{service['WorkingDirectory']}/.venv/bin/python"
    assert (ROOT / script).exists()
    assert command in commands()


def test_the_backup_as_documented_is_whole(tmp_path):
    home, backup = tmp_path / "home", tmp_path / "backup"
    (home / "trials" / "a").mkdir(parents=True)
    (home / "trials" / "a" / "result.json").write_text("{}")
    (home / "secret_key").write_text("s")
    opened = []
    for name in ("studio", "mlflow"):
        database = sqlite3.connect(home / f"{name}.db")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (1)")
        database.commit()
        # Somebody is in the middle of a write.
        database.execute("INSERT INTO t VALUES (2)")
        opened.append(database)
    environment = {**os.environ, "STUDIO_HOME": str(home), "BACKUP": str(backup)}
    script = block("sh", "VACUUM INTO").replace(".venv/bin/python", sys.executable)
    subprocess.run(["sh", "-eu", "-c", script], env=environment, check=True)
    for database in opened:
        database.close()
    for name in ("studio", "mlflow"):
        with sqlite3.connect(backup / f"{name}.db") as copy:
            assert copy.execute("SELECT x FROM t").fetchall() == [(1,)]
        copy.close()
    assert sorted(path.name for path in backup.iterdir()) == [
        *("mlflow.db", "secret_key", "studio.db", "trials")
    ]
    assert (backup / "trials" / "a" / "result.json").exists()
    assert backup.stat().st_mode & 0o077 == 0
