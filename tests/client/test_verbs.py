"""What each verb prints and exits with, over REST and on the studio's machine: the same."""

import json
import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from django.core.management import call_command

from studio.secret_services import set_secret
from sweeps.client import MLClient, progress, shell
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import PausedBy
from sweeps.management.commands.sweep import Command
from sweeps.models import Attempt, CodeSnapshot, Sweep
from sweeps.queries.places import spool_of
from sweeps.services import control
from sweeps.stores.digests import combine, file_digest
from tests.api.acts import play, start
from tests.client.test_client import built
from tests.spec.test_katib import RANDOM as KATIB
from tests.spec.test_wandb import SWEEP as WANDB


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def on_this_machine(*words: str) -> Ran:
    """`manage.py sweep …`."""
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("sweep", *words, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(str(end.code))
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture
def over_rest(client: MLClient, capsys: pytest.CaptureFixture[str]) -> Run:
    """`python -m sweeps.client …`."""

    def run(*words: str) -> Ran:
        capsys.readouterr()
        return Ran(shell.main(list(words), client), *capsys.readouterr())

    return run


@pytest.fixture(params=["over REST", "on this machine"])
def run(request: pytest.FixtureRequest, over_rest: Run) -> Run:
    """Both ways to type a command."""
    return over_rest if request.param == "over REST" else on_this_machine


@pytest.fixture
def between_looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets what happens each time that whoever watches sleeps."""
    left: list[Callable[[], object]] = []
    follow = progress.follow
    monkeypatch.setattr(
        progress, "follow", lambda look, screen: follow(look, screen, lambda _: left.pop(0)())
    )
    yield lambda *steps: left.extend(steps)
    assert left == []


@pytest.fixture
def job_file(src: Path) -> Path:
    """A job file whose code lies beside it."""
    file = src.parent / "job.yml"
    job = built(name="tuned", compute="local")
    job.set_limits(max_concurrent_trials=1)
    job.dump(file)
    return file


def test_lists_have_a_line_per_sweep_and_trial(run: Run, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, None, 0.2])
    line = f"{sweep.name:<32}  Running    3 of 4 trials done, 0 running, 1 not completed, best 0.2"
    assert run("list").out.startswith(line)
    assert run("list", "--status", "Failed") == (0, "", "")
    failed = sweep.trials.get(number=1)
    [line] = run("trials", sweep.name, "--status", "Failed").out.splitlines()
    assert line.startswith("    1  Failed")
    assert line.endswith(failed.reason)
    assert run("show", f"{sweep.name}_2").out.startswith("    2  Completed")


def test_runs_of_mlflow_name_what_they_belong_to(run: Run, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.2])
    parent, best, other = "a" * 32, "b" * 32, "c" * 32
    Sweep.objects.update(run_id=parent)
    Attempt.objects.filter(trial__number=1).update(run_id=best)
    assert run("show", parent).out.startswith(f"sweep    {sweep.name}")
    assert run("show", best).out.startswith("    1  Completed")
    lost = run("show", other)
    assert (lost.code, lost.out) == (1, "")
    Sweep.objects.update(deleted_at=now)
    assert run("show", best).code == 1


def test_long_lists_come_whole_and_without_dry_runs(
    run: Run, make_sweep: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.management.local._AT_ONCE", 2)
    monkeypatch.setattr("sweeps.client.transport._PAGE", 2)
    play(make_sweep(name="s0"), now, [0.4, 0.3, 0.2])
    for number in range(1, 6):
        make_sweep(name=f"s{number}")
    Sweep.objects.filter(name="s2").update(is_dry_run=True)
    assert [job["name"] for job in run("list", "--json").json] == ["s5", "s4", "s3", "s1", "s0"]
    assert [t["number"] for t in run("trials", "s0", "--json").json] == [0, 1, 2, 3]


def test_show_tells_how_it_stands_what_failed_and_the_best(
    run: Run, make_sweep: Any, now: Any
) -> None:
    nested = {"type": "choice", "values": [{"depth": 3}]}
    space = {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}, "model": nested}
    sweep = make_sweep(search_space=parse_space(space), display_name="Tuned")
    play(sweep, now, [0.4, None, 0.2, None])
    reason = sweep.trials.get(number=1).reason
    best = sweep.trials.get(number=2)
    assert run("show", sweep.name).out.splitlines() == [
        f"sweep    {sweep.name} (Tuned)",
        "status   Completed",
        "trials   4 of 4 trials done, 0 running, 2 not completed, best 0.2 (#2)",
        f"best     #2: loss 0.2 with lr={best.params['lr']}, model.depth=3",
        f"failed   2 × {reason}",
        f"page     http://127.0.0.1:8000{sweep.get_absolute_url()}",
    ]
    assert run("best", sweep.name).out.startswith("#2: loss 0.2 with lr=")


def test_show_tells_why_it_waits(run: Run, sweep: Sweep) -> None:
    assert "waiting  The engine process is not running" in run("show", sweep.name).out


@pytest.mark.parametrize("verb", ["list", "show", "trials", "best", "export", "show trial"])
def test_json_is_the_rest_answer(
    client: MLClient, over_rest: Run, sweep: Sweep, now: Any, verb: str
) -> None:
    play(sweep, now, [0.4, float("nan"), None])
    words = {"list": ["list"], "show trial": ["show", f"{sweep.name}_1"]}
    typed = [*words.get(verb, [verb, sweep.name]), "--json"]
    here, there = on_this_machine(*typed), over_rest(*typed)
    assert here == there
    job: Any = client.jobs.get(sweep.name)
    expected = {
        "list": lambda: [job.raw],
        "show": lambda: job.raw,
        "best": lambda: job.best_trial,
        "export": lambda: yaml.safe_load(client.jobs.spec(sweep.name)),
        "show trial": lambda: client.jobs.get(f"{sweep.name}_1").raw,
        "trials": lambda: [t.raw for t in client.jobs.list(parent_job_name=sweep.name)],
    }
    assert here.json == expected[verb]()


@pytest.mark.parametrize(
    ("verb", "status"), [("pause", "Paused"), ("stop", "Stopping"), ("cancel", "Stopping")]
)
def test_steering_happens_once(run: Run, sweep: Sweep, now: Any, verb: str, status: str) -> None:
    play(sweep, now, [0.4])
    start(sweep.trials.get(number=1).pk, now)
    first = run(verb, sweep.name)
    assert f"status   {status}\n" in first.out
    assert (first.code, first.err) == (0, "")
    again = run(verb, sweep.name)
    assert again == (0, first.out, "That was so already.\n")
    assert run(verb, sweep.name, "--json").json["status"] == status


def test_a_paused_sweep_is_resumed(run: Run, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4])
    run("pause", sweep.name)
    assert "status   Running\n" in run("resume", sweep.name).out


def test_failed_trials_run_again(run: Run, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [None, 0.2, None, 0.3])
    assert run("rerun-failed", sweep.name, "--json").json["rerun"] == [0, 2]
    sweep.refresh_from_db()
    assert sweep.status == "Running"
    assert run("rerun-failed", sweep.name).out.startswith("trials that run again: 0\n")


def test_trials_run_again_in_a_paused_sweep_wait_for_resume(
    run: Run, sweep: Sweep, now: Any
) -> None:
    play(sweep, now, [None, 0.2])
    run("pause", sweep.name)
    told = "trials that run again: 1, once it is resumed\n"
    assert run("rerun-failed", sweep.name).out.startswith(told)


def test_logs_are_printed_as_they_were_written(
    run: Run, sweep: Sweep, now: Any, settings: Any, tmp_path: Path
) -> None:
    settings.STUDIO_HOME = tmp_path
    play(sweep, now, [0.4])
    spool = spool_of(sweep.trials.get(number=0).attempts.get())
    spool.mkdir(parents=True)
    (spool / "stdout.log").write_text("no line feed at the end: ä")
    (spool / "stderr.log").write_text("warned\n" * 50_000)
    assert run("logs", sweep.name) == (0, "no line feed at the end: ä", "")
    assert run("logs", f"{sweep.name}_0").out == "no line feed at the end: ä"
    assert run("logs", sweep.name, "--trial", "0", "--stderr").out == "warned\n" * 50_000
    found = run("logs", sweep.name, "--json").json
    assert found == {"trial": 0, "stream": "stdout", "text": "no line feed at the end: ä"}


def test_files_of_this_machines_trials_are_copied(
    sweep: Sweep, now: Any, settings: Any, tmp_path: Path
) -> None:
    settings.STUDIO_HOME = settings.TRACKING_ARTIFACTS = tmp_path
    play(sweep, now, [0.4])
    attempt = sweep.trials.get(number=0).attempts.get()
    Sweep.objects.update(experiment_id="7")
    model = tmp_path / "7" / attempt.run_id / "artifacts" / "outputs" / "model"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text("m")
    spool_of(attempt).mkdir(parents=True)
    (spool_of(attempt) / "stdout.log").write_text("line\n")
    target = tmp_path / "brought"
    words = ("download", sweep.name, "--download-path", str(target))
    found = on_this_machine(*words, "--all", "--json")
    assert [str(Path(path).relative_to(target)) for path in found.json] == [
        *("artifacts/outputs/model/MLmodel", "logs/stdout.log", "logs/stderr.log")
    ]
    assert (target / "logs" / "stdout.log").read_text() == "line\n"
    named = on_this_machine(*words, "--output-name", "model").out
    assert named == f"{target}/named-outputs/model/MLmodel\n"
    assert Path(named.strip()).read_text() == "m"
    assert on_this_machine(*words, "--output-name", "x").err.endswith("nothing named “x”.\n")


def test_a_job_file_is_submitted_with_the_code_beside_it(run: Run, job_file: Path) -> None:
    assert run("submit", str(job_file)) == (0, "tuned\n", "")
    sweep = Sweep.objects.get()
    assert sweep.code is not None
    assert sweep.code.file_count == 1
    job_file.write_text(job_file.read_text().replace("tuned", "second"))
    assert run("submit", str(job_file), "--json").json["name"] == "second"


@pytest.mark.parametrize("tool", ["W&B", "Katib", "none, and it names other code"])
def test_code_is_handed_in_beside_a_file(run: Run, job_file: Path, tool: str) -> None:
    script = job_file.parent / "other" / "lib" / "t.py"  # one folder in it, which stays
    script.parent.mkdir(parents=True)
    script.write_text("print(2)\n")
    texts = {"W&B": WANDB, "Katib": KATIB}
    file = job_file.parent / "files" / "job.yml"
    file.parent.mkdir()
    file.write_text(texts.get(tool) or job_file.read_text().replace("./src", "./gone"))
    assert run("submit", str(file), "--code", "other").code == 0
    [code] = CodeSnapshot.objects.all()
    assert Sweep.objects.get().code == code
    assert code.digest == combine([("lib/t.py", file_digest(script))])


def test_a_folder_of_code_that_is_not_there_is_told(run: Run, job_file: Path) -> None:
    ran = run("submit", str(job_file), "--code", "lib")
    assert ran == (1, "", f"There is no folder {job_file.parent}/lib.\n")
    assert not Sweep.objects.exists()


def test_problems_of_a_file_with_code_beside_it_are_told_where_they_stand(
    run: Run, job_file: Path
) -> None:
    job_file.write_text(WANDB.replace("run_cap: 50", "run_cap: 0"))
    ran = run("submit", str(job_file), "--code", "src")
    line = WANDB.splitlines().index("run_cap: 50") + 1
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"{job_file}:{line}:1: run_cap: Must be from 1 to ")


def test_a_conda_file_and_inputs_beside_the_job_file_go_with_it(run: Run, job_file: Path) -> None:
    job = yaml.safe_load(job_file.read_text())
    job["trial"]["environment"] = {"image": "x", "conda_file": "env/conda.yml"}
    job["trial"]["command"] += " ${{inputs.data}}"
    job["inputs"] = {"data": {"type": "uri_file", "path": "data.csv"}}
    job_file.write_text(yaml.safe_dump(job))
    (job_file.parent / "data.csv").write_text("1\n")
    missing = run("submit", str(job_file))
    line = job_file.read_text().splitlines().index("    conda_file: env/conda.yml") + 1
    assert missing.err == (
        f"{job_file}:{line}:5: trial.environment.conda_file: "
        f"There is no file {job_file.parent}/env/conda.yml.\n"
    )
    (job_file.parent / "env").mkdir()
    (job_file.parent / "env" / "conda.yml").write_text("dependencies: [numpy]\n")
    assert run("submit", str(job_file)).code == 0
    sweep = Sweep.objects.get()
    assert sweep.environment["conda_file"] == {"dependencies": ["numpy"]}
    assert sweep.inputs["data"]["path"].endswith("/data.csv")


@pytest.mark.parametrize(
    ("scores", "code", "told"),
    [
        ([0.1] * 3, 0, "3 of 3 trials done, 0 running, best 0.1 (#0)\n"),
        ([None] * 3, 1, "tuned has failed: "),
    ],
)
def test_watching_tells_the_progress_and_exits_with_how_it_ended(
    run: Run, job_file: Path, now: Any, between_looks: Any, scores: Any, code: int, told: str
) -> None:
    between_looks(lambda: play(Sweep.objects.get(), now, scores))
    ran = run("submit", str(job_file), "--watch")
    assert ran.code == code
    assert ran.out.startswith("tuned\nsweep    tuned\n")
    assert re.match(r"See it at http://\S+\n0 of 3 trials done, 0 running\n", ran.err)
    assert told in ran.err
    assert run("watch", "tuned", "--json").json["status"] == ("Failed" if code else "Completed")


def test_watching_a_canceled_sweep_is_no_success(
    run: Run, sweep: Sweep, now: Any, between_looks: Any
) -> None:
    between_looks(lambda: control.cancel_sweep(sweep, actor="ann", now=now),
                  lambda: Sweep.objects.update(status="Canceled"))  # fmt: skip
    assert run("watch", sweep.name).code == 1


def test_watching_ends_with_a_code_of_its_own_when_the_sweep_pauses_itself(
    run: Run, job_file: Path, now: Any, between_looks: Any
) -> None:
    job = yaml.safe_load(job_file.read_text())
    job["studio"] = {"failure_policy": {"max_consecutive_failures": 2}}
    job_file.write_text(yaml.safe_dump(job))
    between_looks(*[lambda: play(Sweep.objects.get(), now, [None])] * 2)
    ran = run("submit", str(job_file), "--watch")
    assert ran.code == 3
    assert "tuned has paused itself: Paused after 2 failures in a row" in ran.err
    assert "status   Paused\n" in ran.out
    assert ran.out.count("Paused after 2 failures in a row") == 1


def test_watching_waits_for_what_still_runs_and_through_other_pauses(
    run: Run, make_sweep: Any, now: Any, between_looks: Any
) -> None:
    sweep = make_sweep(name="tuned")
    play(sweep, now, [0.4])
    start(sweep.trials.get(number=1).pk, now)

    def by_breaker() -> None:
        Sweep.objects.update(paused_by=PausedBy.BREAKER, reason="Paused after 2 failures.")

    between_looks(
        lambda: control.pause_sweep(sweep, actor="ann", now=now),
        by_breaker,  # trial 1 still runs
        lambda: sweep.trials.filter(number=1).update(status="Failed"),
    )
    ran = run("watch", "tuned")
    lines = ran.err.splitlines()
    assert "1 running, best 0.4 (#0). Paused by ann" in lines[1]
    assert lines[2].endswith("1 running, best 0.4 (#0). Paused after 2 failures.")
    assert ran.code == 3


def test_ctrl_c_leaves_the_sweep_running(run: Run, sweep: Sweep, between_looks: Any) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    between_looks(press)
    ran = run("watch", sweep.name)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        130,
        f"Watching was interrupted; {sweep.name} goes on.",
    )
    sweep.refresh_from_db()
    assert (sweep.status, sweep.desired) == ("Queued", "run")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "nothing"), "There is no sweep “nothing”."),
        (("trials", "nothing"), "There is no sweep “nothing”."),
        (("logs", "over", "--trial", "99"), "The sweep has no trial 99."),
        (("show", "over_99"), "The sweep has no trial 99."),
        (("pause", "over_1"), "over_1 is a trial; name its sweep."),
        (("resume", "over"), "The sweep has ended as Completed; nothing to resume."),
        (("best", "new"), "new has no best trial yet."),
        (("logs", "new"), "new has no best trial yet."),
        (("download", "new"), "new has no best trial yet."),
        (("logs", "lost"), "None of lost's trials has a value; name one, such as lost_0."),
        (("submit", "/no/such.yml"), "/no/such.yml cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_be_is_one_sentence(
    run: Run, make_sweep: Any, now: Any, words: tuple[str, ...], told: str
) -> None:
    play(make_sweep(name="over"), now, [0.4, 0.3, 0.2, 0.1])
    play(make_sweep(name="lost"), now, [None, None, None, None])
    make_sweep(name="new_1")
    Sweep.objects.filter(name="new_1").update(name="new")
    assert run(*words) == (1, "", f"{told}\n")


def test_every_problem_of_a_job_file_is_told_where_it_stands(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "job.yml"
    file.write_text(
        "type: sweep\nlimits: {max_total_trials: 0}\nobjective:\n  goal: up\ncolour: red\n"
    )
    ran = run("submit", str(file))
    assert (ran.code, ran.out) == (1, "")
    told = [line.removeprefix(f"{file}:") for line in ran.err.splitlines()]
    assert "2:10: limits.max_total_trials: Must be from 1 to 100,000, but got 0." in told
    places = [tuple(map(int, line.split(":")[:2])) for line in told]
    assert places == sorted(places)
    assert {(1, 1), (2, 10), (4, 3), (5, 1)} <= set(places)


def test_code_that_is_not_there_is_told_at_its_key(run: Run, job_file: Path) -> None:
    job_file.write_text(job_file.read_text().replace("code: ./src", "code: lib"))
    ran = run("submit", str(job_file))
    assert ran.code == 1
    assert ran.err.endswith(f": trial.code: There is no folder {job_file.parent}/lib.\n")
    assert not Sweep.objects.exists()


@pytest.mark.parametrize("code", ["git+https://a.org/b", "azureml:mine:1"])
def test_code_that_is_elsewhere_is_not_taken_for_a_folder(
    run: Run, job_file: Path, code: str
) -> None:
    job_file.write_text(job_file.read_text().replace("code: ./src", f"code: '{code}'"))
    ran = run("submit", str(job_file))
    assert ran.code == 1
    assert f"trial.code: “{code}” is not fetched from here: " in ran.err
    assert not Sweep.objects.exists()


def test_problems_of_another_tools_file_are_told_where_they_stand_in_it(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "katib.yml"
    file.write_text(KATIB.replace("maxTrialCount: 12", "maxTrialCount: 0"))
    ran = run("submit", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"{file}:14:3: spec.maxTrialCount: Must be from 1 to ")


@pytest.mark.parametrize("words", [["shwo"], ["list", "--status", "Fine"]])
def test_a_misspelt_command_exits_with_2(words: list[str]) -> None:
    for typed in (
        shell.main,
        lambda words: Command().run_from_argv(["manage.py", "sweep", *words]),
    ):
        with pytest.raises(SystemExit) as end:
            typed(words)
        assert end.value.code == 2


def test_a_sweep_goes_out_as_one_file_and_comes_back(
    run: Run, sweep: Sweep, now: Any, tmp_path: Path
) -> None:
    play(sweep, now, [0.5, 0.25, 0.75, 0.5])
    set_secret(sweep.workspace, "HF", "value-of-it", None, now)
    Sweep.objects.update(environment_variables={"A": "${{secrets.HF}}"})
    file = str(tmp_path / "b.zip")
    assert run("bundle", sweep.name, "-o", file, "--points").out == f"{file}\n"
    back = run("import", file)
    assert (back.code, Sweep.objects.get(name=back.out.strip()).status) == (0, "Completed")
    assert "Imported from http" in back.err
    refused = run("import", file, "--replay")
    assert refused.code == 1
    assert "would get these secrets of the workspace: HF." in refused.err
    again = run("import", file, "--replay", "--secret", "HF")
    assert Sweep.objects.get(name=again.out.strip()).max_total_trials == 4
    (tmp_path / "x.zip").write_text("x")
    bad = run("import", str(tmp_path / "x.zip"))
    assert bad.code == 1
    assert "cannot be read as an archive" in bad.err
    assert run("import", str(tmp_path / "none.zip")).code == 1
