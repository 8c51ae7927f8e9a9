"""The user guide's examples run."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import sweeps.client
from sweeps.client import MLClient, shell, verbs
from sweeps.models import Sweep
from tests.api.acts import play

GUIDE = (Path(__file__).parents[2] / "docs" / "user-guide.md").read_text()


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_examples_of_sweeps_from_python(
    client: MLClient, src: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (src.parent / "iris.csv").write_text("1,2\n")
    monkeypatch.setattr(sweeps.client, "MLClient", lambda url, token: client)
    submit, look = re.findall(r"```python\n(.*?)```", section("Sweeps from Python"), re.DOTALL)
    names: dict[str, Any] = {}
    # What `play` logs.
    exec(submit.replace("test-multi_logloss", "loss"), names)
    sweep = Sweep.objects.get()
    assert capsys.readouterr().out.endswith(f"/w/default/sweeps/{sweep.name}/\n")
    assert (sweep.max_total_trials, sweep.goal) == (20, "minimize")
    play(sweep, timezone.now(), [0.3] * 20)
    exec(look, names)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("Completed {'learning_rate': ")
    assert lines[2].startswith(f"{sweep.name}_0 Completed 0.3 ")
    assert len(lines) == 22


def test_every_verb_is_documented() -> None:
    text = section("From the command line")
    assert [verb for verb in verbs.VERBS if f"`{verb}`" not in text] == []
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert codes == {0, 2, verbs.FAILED, verbs.PAUSED, verbs.INTERRUPTED}


@pytest.mark.parametrize("words", ["submit job.yml --watch", "list --status Running"])
def test_the_examples_of_the_command_line_are_understood(words: str) -> None:
    assert f"python -m sweeps.client {words}" in section("From the command line")
    assert shell.parser().parse_args(words.split()).verb == words.split()[0]
