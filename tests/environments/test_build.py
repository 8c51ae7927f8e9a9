"""The program that builds an environment, run for real on wheels of our own."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.domain.environments import Recipe, recipe_from
from sweeps.environments import build as program
from sweeps.environments import places
from tests.environments.wheels import make_killer, make_wheel, offline


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "sweep-demo", "1.0")
    make_wheel(folder, "sweep-demo", "2.0")
    return folder


def build(root: Path, recipe: Recipe, number: int = 1) -> tuple[int, Path]:
    """Exit code of the build, and its spool with the log."""
    spool = places.prepare(root, recipe.digest, recipe, number)
    environment = places.build_environment({"PATH": os.environ["PATH"], "HOME": str(root)})
    with (spool / "stdout.log").open("wb") as log:
        done = subprocess.run(
            places.build_command(root, recipe.digest),
            env=environment, stdout=log, stderr=subprocess.STDOUT, timeout=60, check=False,
        )  # fmt: skip
    return done.returncode, spool


def test_what_is_asked_for_is_there_and_nothing_of_the_studio(tmp_path: Path, wheels: Path) -> None:
    recipe = Recipe(sys.executable, (*offline(wheels), "sweep-demo<2"))
    assert places.built(tmp_path, recipe.digest) is None
    code, spool = build(tmp_path, recipe)
    log = (spool / "stdout.log").read_text()
    assert code == 0, log
    assert places.last_line(spool) == "The environment is built."
    found = places.built(tmp_path, recipe.digest)
    assert found is not None
    assert found.packages == ("sweep-demo==1.0",)
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    look = (
        "import sweep_demo; print(sweep_demo.VERSION)\n"
        "try: import django\nexcept ImportError: print('alone')"
    )
    python = places.python_of(tmp_path, recipe.digest)
    said = subprocess.run([python, "-c", look], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1.0", "alone"]

    # Half of another build in the same place does no harm, and until it is whole nothing is.
    (places.venv_of(tmp_path, recipe.digest) / "junk").write_text("")
    (tmp_path / recipe.digest / "built.json").unlink()
    assert places.built(tmp_path, recipe.digest) is None
    assert build(tmp_path, recipe, 2)[0] == 0
    assert not (places.venv_of(tmp_path, recipe.digest) / "junk").exists()
    assert places.built(tmp_path, recipe.digest) == found

    python.unlink()  # as when the Python that it stands on was removed
    assert places.built(tmp_path, recipe.digest) is None
    places.remove(tmp_path, recipe.digest)
    assert not (tmp_path / recipe.digest).exists()


SOUND = {"python": "3.11.7", "packages": ["six==1"], "notes": []}


@pytest.mark.parametrize(
    "found",
    [
        None, [], {}, {**SOUND, "python": 3}, {**SOUND, "python": "3" * 33},
        {**SOUND, "packages": "six"}, {**SOUND, "packages": ["a\0"]}, {**SOUND, "notes": [None]},
        {**SOUND, "packages": ["a" * 200] * 700}, {**SOUND, "notes": ["a" * 17_000]},
    ],
)  # fmt: skip
def test_a_record_that_the_program_did_not_write_counts_as_none(
    tmp_path: Path, found: object
) -> None:
    record = tmp_path / "d" / "built.json"
    python = places.python_of(tmp_path, "d")
    python.parent.mkdir(parents=True)
    python.touch()
    record.write_text(json.dumps(SOUND))
    assert places.built(tmp_path, "d") == places.Built("3.11.7", ("six==1",))
    record.write_text(json.dumps(found))
    assert places.built(tmp_path, "d") is None


def test_neither_a_pipe_nor_a_link_in_a_records_place_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("built.json", "stdout.log"):
        os.mkfifo(folder / name)
    assert places.built(tmp_path, "d") is None
    assert places.failure(folder) == ""
    (folder / "stdout.log").unlink()
    (tmp_path / "other").write_text("secret\n")
    (folder / "stdout.log").symlink_to(tmp_path / "other")
    assert places.last_line(folder) == ""


def test_an_environment_is_not_given_up_for_what_the_reader_lacks(tmp_path: Path) -> None:
    record = tmp_path / "d" / "built.json"
    record.parent.mkdir()
    record.write_text(json.dumps(SOUND))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places.os, "open", _no_more_files)
        with pytest.raises(OSError, match="Too many open files"):
            places.built(tmp_path, "d")


def _no_more_files(*_: object) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_why_it_failed_is_told_in_the_installers_words(tmp_path: Path, wheels: Path) -> None:
    recipe = Recipe(sys.executable, (*offline(wheels), "sweep-demo>=3"))
    code, spool = build(tmp_path, recipe)
    assert code != 0
    assert places.built(tmp_path, recipe.digest) is None
    assert "sweep-demo" in places.failure(spool)
    assert "unsatisfiable" in places.failure(spool)
    assert not places.failure(spool).startswith(("error", "×"))


def test_it_ends_as_an_installer_that_was_killed(tmp_path: Path, wheels: Path) -> None:
    recipe = Recipe(sys.executable, (*offline(wheels), "sweep-fatal"))
    make_killer(wheels, "sweep-fatal")
    code, spool = build(tmp_path, recipe)
    assert code == -signal.SIGKILL
    assert places.failure(spool) == "The installer was killed by signal 9"


def test_a_python_that_cannot_be_had_is_replaced_and_noted(tmp_path: Path, wheels: Path) -> None:
    recipe = Recipe(sys.executable, (*offline(wheels), "sweep-demo"), "==3.4.*")
    assert build(tmp_path, recipe)[0] == 0
    found = places.built(tmp_path, recipe.digest)
    assert found is not None
    assert found.notes[0].startswith("Python 3.4 is not on this machine and could not be fetched")


def test_equal_recipes_share_a_digest_and_others_do_not() -> None:
    one = Recipe("/usr/bin/python3", ("six",))
    assert recipe_from(one.document()) == one
    assert one.digest == Recipe("/usr/bin/python3", ("six",)).digest
    others = [
        Recipe("/usr/bin/python3", ("six==1",)),
        Recipe("/opt/python3", ("six",)),
        Recipe("/usr/bin/python3", ("six",), "==3.9.*"),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 4


def test_the_build_gets_no_secret_of_the_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_SECRET_KEY", "s")
    monkeypatch.setenv("UV_INDEX", "u")
    monkeypatch.setenv("https_proxy", "p")
    found = places.build_environment({"A": "1"})
    assert {"A": "1", "UV_INDEX": "u", "https_proxy": "p"}.items() <= found.items()
    assert "STUDIO_SECRET_KEY" not in found


def test_more_packages_than_can_be_listed_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [f"package-{number}==1.0" for number in range(10_000)]
    assert program._finish(tmp_path, None, many, []) == 1
    assert "error: It has 10,000 packages" in capsys.readouterr().out
    assert not (tmp_path / "built.json").exists()
