"""A trial's replay is really run: what comes out must be what the studio would have passed on."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sweeps.domain.param_names import format_value
from sweeps.domain.replay import Replayed, replay_script

TELL = """\
import json, os, sys
params = json.load(open(os.environ["SWEEP_PARAMS_FILE"]))
told = {"argv": sys.argv[1:], "env": dict(os.environ), "params": params}
open("outputs/told.json", "w").write(json.dumps(told))
"""
NASTY = 'it\'s `id` $HOME "x" \\ ; rm -rf *\n#!'
PARAMS: dict[str, Any] = {"lr": 1e-05, "b-x": NASTY, "n": 3, "model": {"name": "ü", "c": True}}
COMMAND = (
    "python t.py --lr ${{search_space.lr}} --b ${{search_space.b-x}} --m ${{search_space.model}} "
    "--in ${{inputs.data}} --own ${{inputs.own}} --k ${{inputs.k}} --out ${{outputs.res}}"
)


@pytest.fixture
def code(tmp_path: Path) -> str:
    """The address of a zip of t.py and own.csv."""
    with zipfile.ZipFile(tmp_path / "kept.zip", "w") as archive:
        archive.writestr("t.py", TELL)
        archive.writestr("own.csv", "1")
    return f"file://{tmp_path}/kept.zip"


def run(script: str, where: Path, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    where.mkdir(exist_ok=True)
    env = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "STUDIO_TOKEN": "sst_x"}
    return subprocess.run(
        [shell], input=script, cwd=where, env=env, capture_output=True, text=True, timeout=60
    )


def trial(tmp_path: Path, code: str, **changes: Any) -> Replayed:
    data = tmp_path / "it's data"
    data.write_text("1")
    given: dict[str, Any] = {
        "sweep": "s_1", "number": 7, "attempt": 2, "title": "A\nb $(id)", "command": COMMAND,
        "params": PARAMS, "code_url": code, "outputs": ["res"], "variables": {"A": "x' y"},
        "inputs": {"data": {"path": str(data)}, "own": {"path": "own.csv"}, "k": 3},
        "packages": ["numpy==2.0"],
    }  # fmt: skip
    return Replayed(**(given | changes))


def test_the_script_runs_what_the_studio_ran(tmp_path: Path, code: str) -> None:
    where = tmp_path / "a folder's"
    done = run(replay_script(trial(tmp_path, code)), where)
    assert (done.returncode, done.stderr) == (0, "")
    here = where / "s_1_7"
    told = json.loads((here / "work" / "outputs" / "told.json").read_text())
    assert told["argv"] == [
        "--lr", "1e-05", "--b", NASTY, "--m", format_value(PARAMS["model"]),
        "--in", str(tmp_path / "it's data"), "--own", f"{here}/work/own.csv", "--k", "3",
        "--out", f"{here}/outputs/res",
    ]  # fmt: skip
    assert told["params"] == PARAMS
    env = told["env"]
    assert env["AZUREML_SWEEP_b-x"] == NASTY
    assert (env["A"], env["SWEEP_TRIAL"], env["SWEEP_PARAM_MODEL_NAME"]) == ("x' y", "7", "ü")
    assert env["SWEEP_OUTPUT_DIR"] == f"{here}/outputs"
    assert (here / "outputs" / "res").is_dir()
    assert (here / "packages.txt").read_text() == "numpy==2.0\n"
    assert sorted(path.name for path in where.iterdir()) == ["s_1_7"]


def test_a_command_for_a_shell_keeps_its_values_apart(tmp_path: Path) -> None:
    command = "echo ${{search_space.b-x}} > out.txt && cat out.txt | wc -l"
    done = run(replay_script(trial(tmp_path, "", command=command, inputs={})), tmp_path / "x")
    assert done.returncode == 0
    assert (tmp_path / "x/s_1_7/work/out.txt").exists()
    assert not list((tmp_path / "x").glob("*.txt"))


def test_a_replay_ends_where_something_is_missing(tmp_path: Path, code: str) -> None:
    gone = trial(tmp_path, code, inputs={"data": {"path": "/no/such's"}}, command="python t.py")
    done = run(replay_script(gone), tmp_path / "x")
    assert done.returncode != 0
    assert "There is no /no/such's here." in done.stderr
    again = run(replay_script(gone), tmp_path / "x")
    assert again.returncode != 0, "a folder that is there is left alone"
    nothing = run(replay_script(trial(tmp_path, "file:///no/where.zip")), tmp_path / "y")
    assert nothing.returncode != 0
    assert not (tmp_path / "y/s_1_7/work").exists()


def test_a_file_from_the_web_is_fetched_first(tmp_path: Path) -> None:
    inputs = {"w": {"path": "https://example.com/a%20b.csv?s=1&t='", "type": "uri_folder"}}
    script = replay_script(trial(tmp_path, "", inputs=inputs, command="cat ${{inputs.w}}/x"))
    assert (
        """curl -fsSL -o "$here"'/inputs/w/a b.csv' 'https://example.com/a%20b.csv?s=1&t='"""
        in script
    )
    assert 'cat "$here"/inputs/w/x' in script
