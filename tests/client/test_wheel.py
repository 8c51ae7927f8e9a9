"""What `pip install <checkout>` gives: the client and all that it imports, no server."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# As they are called when they are imported.
IMPORTED_AS = {"pyyaml": "yaml"}
LISTED = """
from setuptools.dist import Distribution
found = Distribution({"script_name": "setup.py"})
found.parse_config_files(["pyproject.toml"])
build = found.get_command_obj("build_py")
build.ensure_finalized()
print(*{file for _, _, file in build.find_all_modules()}, sep="\\n")
"""


def python(*words: str, cwd: Path) -> str:
    ran = subprocess.run(
        [sys.executable, *words], cwd=cwd, capture_output=True, text=True, check=True
    )
    return ran.stdout


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    """The wheel's files by the names of their modules, as setuptools finds them."""
    names = python("-c", LISTED, cwd=ROOT).split()
    return {name.removesuffix(".py").replace("/", "."): ROOT / name for name in names}


def imported(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, wherever in it, or may."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_it_holds_what_its_modules_import_and_no_more(files: dict[str, Path]) -> None:
    wanted = {name for path in files.values() for name in imported(path)}
    ours = {name for name in wanted if (ROOT / f"{name.replace('.', '/')}.py").exists()}
    assert ours <= set(files)
    besides = {name for name in files if not name.startswith("sweeps.client.")}
    assert {name for name in besides - ours if not name.endswith("__init__")} == set()


def test_it_asks_for_what_its_modules_import_and_no_more(files: dict[str, Path]) -> None:
    tops = {name.partition(".")[0] for path in files.values() for name in imported(path)}
    asked = [re.match(r"[\w-]+", line)[0].lower() for line in PROJECT["project"]["dependencies"]]  # type: ignore[index]
    others = tops - set(sys.stdlib_module_names) - {"sweeps"}
    assert others == {IMPORTED_AS.get(name, name) for name in asked}


def test_its_modules_can_be_imported_by_themselves(files: dict[str, Path], tmp_path: Path) -> None:
    for path in files.values():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    names = sorted(name.removesuffix(".__init__") for name in files if "__main__" not in name)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        f"import importlib\nfor name in {names}: importlib.import_module(name)\n"
        "print(sys.modules['sweeps'].__file__, 'django' in sys.modules)"
    )
    told = python("-I", "-c", code, cwd=tmp_path)
    assert told == f"{tmp_path}/sweeps/__init__.py False\n"
