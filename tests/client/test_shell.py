"""`python -m sweeps.client`: what each verb prints and exits with."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeps.client import MLClient, shell
from sweeps.models import Sweep
from tests.api.acts import play
from tests.client.test_client import built


def test_verbs_tell_in_words(client: MLClient, sweep: Sweep, now: Any, capsys: Any) -> None:
    play(sweep, now, [0.4, None, 0.2])
    assert shell.main(["list"], client) == 0
    assert capsys.readouterr().out.startswith(f"{sweep.name:<32}  Running    3 of 4 trials done")
    assert shell.main(["best", sweep.name], client) == 0
    assert capsys.readouterr().out.startswith("#2: loss 0.2 with lr=")
    assert shell.main(["trials", sweep.name, "--status", "Failed"], client) == 0
    failed = sweep.trials.get(number=1)
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("    1  Failed")
    assert line.endswith(failed.reason)
    assert shell.main(["pause", sweep.name], client) == 0
    text = capsys.readouterr().out
    assert "status   Paused\n" in text
    assert "best     #2: loss 0.2" in text
    assert shell.main(["show", f"{sweep.name}_2"], client) == 0
    assert capsys.readouterr().out.startswith("    2  Completed")
    assert shell.main(["export", sweep.name], client) == 0
    assert yaml.safe_load(capsys.readouterr().out)["type"] == "sweep"


def test_verbs_tell_in_json(client: MLClient, sweep: Sweep, now: Any, capsys: Any) -> None:
    play(sweep, now, [0.4])
    for words, look in [
        (["list"], lambda found: found[0]["name"]),
        (["show", sweep.name], lambda found: found["name"]),
        (["trials", sweep.name], lambda found: found[0]["objective"]),
        (["best", sweep.name], lambda found: found["value"]),
    ]:
        assert shell.main([*words, "--json"], client) == 0
        assert look(json.loads(capsys.readouterr().out)) in (sweep.name, 0.4)


@pytest.mark.parametrize(
    ("scores", "paused", "code"),
    [([0.1] * 3, False, 0), ([None] * 3, False, 1), ([None], True, 3), (None, False, 130)],
)
def test_watching_exits_with_how_it_ended(
    client: MLClient,
    src: Path,
    now: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    scores: Any,
    paused: bool,
    code: int,
) -> None:
    from sweeps.client import progress

    def sleep(_: float) -> None:
        if scores is None:
            raise KeyboardInterrupt
        play(Sweep.objects.get(), now, scores)
        if paused:
            Sweep.objects.update(status="Paused", paused_by="breaker", reason="Too many.")

    real = progress.follow
    monkeypatch.setattr("sweeps.client.jobs.follow", lambda a, b: real(a, b, sleep))
    file = src.parent / "job.yml"
    built(name="tuned").dump(file)
    assert shell.main(["submit", str(file), "--watch"], client) == code
    told = capsys.readouterr()
    assert told.out.startswith("tuned\n")
    assert "See it at http" in told.err


def test_what_is_wrong_is_told_in_a_line_each(
    client: MLClient, src: Path, sweep: Sweep, capsys: Any
) -> None:
    assert shell.main(["show", "nothing"], client) == 1
    assert capsys.readouterr().err == "There is no sweep “nothing”.\n"
    file = src.parent / "job.yml"
    file.write_text("type: sweep\nlimits: {max_total_trials: 0}\n")
    assert shell.main(["submit", str(file)], client) == 1
    assert "limits.max_total_trials: Must be from 1" in capsys.readouterr().err
    assert shell.main(["best", sweep.name], client) == 1
    assert capsys.readouterr().err == f"{sweep.name} has no best trial yet.\n"
    with pytest.raises(SystemExit) as end:
        shell.main(["shwo"])
    assert end.value.code == 2
