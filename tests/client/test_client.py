"""Submitting, reading, watching and steering through the client."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.models import User
from sweeps.client import (
    AuthenticationError,
    ConflictError,
    JobException,
    JobPaused,
    MLClient,
    ResourceNotFoundError,
    StreamEnded,
    StreamInterrupted,
    Trial,
    Uniform,
    ValidationException,
    command,
    progress,
)
from sweeps.domain.states import PausedBy
from sweeps.models import CodeSnapshot, Sweep
from tests.api.acts import play
from tests.client.conftest import URL
from tests.stores.test_git import run


def built(**changes: Any) -> Any:
    cmd = command(command="python main.py ${{inputs.lr}}", code="./src", inputs={"lr": 0.1})
    sweep = cmd(lr=Uniform(0, 1)).sweep(primary_metric="loss", goal="minimize", max_total_trials=3)
    for name, value in changes.items():
        setattr(sweep, name, value)
    return sweep


class AzureNode:
    """What `azure.ai.ml`'s sweep node looks like from outside."""

    base_path = None

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def _to_job(self) -> "AzureNode":
        return self

    def _to_dict(self) -> dict[str, Any]:
        return self._document


def test_a_submitted_sweep_says_where_it_is(client: MLClient, src: Path) -> None:
    job = client.create_or_update(built(name="tuned", display_name="Tuned"), tags={"a": "b"})
    sweep = Sweep.objects.get(name="tuned")
    assert (job.name, job.status, job.display_name) == ("tuned", "Queued", "Tuned")
    assert job.services["Studio"].endpoint == job.studio_url
    assert job.studio_url.endswith("/w/default/sweeps/tuned/")
    assert (str(sweep.created_by), sweep.tags) == ("bob", {"a": "b"})
    assert (job.tags, job.compute, job.experiment_name) == ({"a": "b"}, "local", "Default")
    assert sweep.code is not None


def test_code_goes_once_per_content_and_without_what_is_ignored(
    client: MLClient, src: Path
) -> None:
    (src / ".gitignore").write_text("*.log\n")
    (src / "old.log").write_text("x")
    client.create_or_update(built())
    (src / "old.log").write_text("y")
    client.create_or_update(built())
    assert client.asked.count("POST /api/v1/workspaces/default/code") == 1
    code = CodeSnapshot.objects.get()
    assert code.file_count == 2
    (src / "main.py").write_text("print(2)\n")
    client.create_or_update(built())
    assert CodeSnapshot.objects.count() == 2


def test_uploaded_code_tells_the_commit_that_it_comes_from(client: MLClient, src: Path) -> None:
    run(src.parent, "init", "-q", "-b", "main")
    run(src.parent, "add", "-A")
    run(src.parent, "commit", "-qm", "first")
    (src / "main.py").write_text("print(2)\n")
    client.create_or_update(built(properties={"own": "x"}))
    sweep = Sweep.objects.get()
    assert sweep.properties == {
        "own": "x",
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.commit": run(src, "rev-parse", "HEAD").strip(),
        "azureml.git.dirty": "True",
    }
    client.create_or_update(built(properties={"mlflow.source.git.commit": "abc"}))
    assert Sweep.objects.latest("pk").properties == {"mlflow.source.git.commit": "abc"}


@pytest.mark.parametrize("kind", ["dict", "path", "azure"])
def test_all_that_describes_a_job_is_taken(
    client: MLClient, src: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sweep = built(name="tuned")
    job: Any = sweep.document()
    if kind == "path":
        job = src.parent / "job.yml"
        sweep.dump(job)
        monkeypatch.chdir("/")
    elif kind == "azure":
        job = AzureNode(sweep.document())
    assert client.jobs.create_or_update(job).name == "tuned"
    assert Sweep.objects.get().code is not None


@pytest.mark.parametrize("upload", [True, False])
def test_local_inputs_reach_the_studio(
    make_client: Callable[..., MLClient], src: Path, upload: bool
) -> None:
    (src.parent / "iris.csv").write_text("1,2\n")
    inputs = {
        "data": {"type": "uri_file", "path": "azureml:./iris.csv"},
        "folder": {"type": "uri_folder", "path": "src"},
        "n": 3,
    }
    job = built().document() | {"inputs": inputs}
    line = "python main.py ${{search_space.lr}} ${{inputs.data}} ${{inputs.folder}} ${{inputs.n}}"
    job["trial"]["command"] = line
    client = make_client(upload_inputs=upload)
    for _ in range(2):
        client.create_or_update(job)
    kept = Sweep.objects.order_by("pk")[0].inputs
    assert (Path(kept["data"]["path"]).read_text(), kept["n"]) == ("1,2\n", 3)
    assert (Path(kept["folder"]["path"]) / "main.py").exists()
    assert (kept["data"]["path"] == str(src.parent / "iris.csv")) is not upload
    uploads = client.asked.count("POST /api/v1/workspaces/default/data")
    assert uploads == (2 if upload else 0)


def test_every_problem_is_told_with_its_field(client: MLClient, src: Path) -> None:
    job = built().document() | {"limits": {"max_total_trials": 0}}
    job["objective"] = {"goal": "upwards", "primary_metric": "loss"}
    with pytest.raises(ValidationException) as error:
        client.jobs.validate(job)
    assert error.value.status == 422
    assert {e["field"] for e in error.value.errors} == {"limits.max_total_trials", "objective.goal"}
    assert "objective.goal: Must be" in str(error.value)
    assert not Sweep.objects.exists()


def test_a_dry_run_gives_the_notes(client: MLClient, src: Path) -> None:
    notes = client.jobs.validate(built(compute="cpu-cluster"))
    assert any("cpu-cluster" in note for note in notes)
    assert not Sweep.objects.exists()


def test_code_that_is_not_there_is_told_at_its_key(client: MLClient, tmp_path: Path) -> None:
    job = built().document()
    job["trial"]["code"] = "./nowhere"
    with pytest.raises(ValidationException, match="There is no folder") as error:
        client.create_or_update(job)
    assert error.value.field == "trial.code"


def test_sweeps_and_trials_are_read(client: MLClient, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.2])
    job = client.jobs.get(sweep.name)
    best = sweep.trials.get(number=1)
    assert job.best_trial["number"] == 1
    assert job.properties["best_child_run_id"] == best.run_id
    trials = list(client.jobs.list(parent_job_name=sweep.name, status="Completed"))
    assert [(t.number, t.objective) for t in trials] == [(0, 0.4), (1, 0.2)]
    one = client.jobs.get(f"{sweep.name}_1")
    assert isinstance(one, Trial)
    assert (one.params, one.parent_job_name) == (best.params, sweep.name)
    assert [job.name for job in client.jobs.list()] == [sweep.name]
    assert "search_space" in client.jobs.spec(sweep.name)
    with pytest.raises(ResourceNotFoundError, match="There is no sweep"):
        client.jobs.get("nothing")


def test_long_lists_come_whole(client: MLClient, make_sweep: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sweeps.client.transport._PAGE", 2)
    for n in range(5):
        make_sweep(name=f"s{n}")
    assert [job.name for job in client.jobs.list()] == ["s4", "s3", "s2", "s1", "s0"]


def test_sweeps_are_steered(client: MLClient, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4])
    assert client.jobs.pause(sweep.name).status == "Paused"
    assert client.jobs.resume(sweep.name).status == "Running"
    assert client.jobs.stop(sweep.name).status in ("Stopping", "Completed")
    assert client.jobs.begin_cancel(sweep.name).result().name == sweep.name


def test_what_its_state_rules_out_is_a_conflict(client: MLClient, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    with pytest.raises(ConflictError, match="nothing to resume"):
        client.jobs.resume(sweep.name)


def watched(
    client: MLClient, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]
) -> tuple[str, Any]:
    """What `stream` shows, and how it ends, when these steps happen between its looks."""
    left, out = list(steps), io.StringIO()
    monkeypatch.setattr(progress, "POLL_S", 0)
    real = progress.follow
    monkeypatch.setattr(
        "sweeps.client.progress.follow",
        lambda look, screen: real(look, screen, lambda _: left.pop(0)()),
    )
    try:
        end: Any = client.jobs.stream(sweep.name, out=out)
    except StreamEnded as error:
        end = error
    assert left == []
    return out.getvalue(), end


def test_watching_tells_each_change_once(
    client: MLClient, sweep: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, end = watched(
        client,
        sweep,
        monkeypatch,
        lambda: None,
        lambda: play(sweep, now, [0.4]),
        lambda: play(sweep, now, [None, 0.2, 0.3]),
    )
    lines = text.splitlines()
    assert lines[0] == "0 of 4 trials done, 0 running"
    assert lines[1].startswith("1 of 4 trials done")
    assert lines[-1] == "4 of 4 trials done, 0 running, 1 not completed, best 0.2 (#2)"
    assert len(lines) == 3
    assert end.status == "Completed"


def test_watching_a_sweep_that_fails_raises(
    client: MLClient, sweep: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, end = watched(client, sweep, monkeypatch, lambda: play(sweep, now, [None] * 4))
    assert type(end) is JobException
    assert f"{sweep.name} has failed: " in str(end)
    assert end.job.status == "Failed"


def test_watching_ends_when_a_sweep_pauses_itself_and_nothing_runs(
    client: MLClient, sweep: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pause() -> None:
        play(sweep, now, [None, None])
        Sweep.objects.update(status="Paused", paused_by=PausedBy.BREAKER, reason="Too many.")

    text, end = watched(client, sweep, monkeypatch, pause)
    assert type(end) is JobPaused
    assert not isinstance(end, JobException), "it has not failed"
    assert end.job.status == "Paused"
    assert text.splitlines()[-1].endswith(". Too many.")


def test_ctrl_c_leaves_the_sweep_running(
    client: MLClient, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    _, end = watched(client, sweep, monkeypatch, press)
    assert type(end) is StreamInterrupted
    assert not isinstance(end, JobException), "it has not failed"
    sweep.refresh_from_db()
    assert (sweep.status, sweep.desired) == ("Queued", "run")


def test_the_bar_draws_over_itself(client: MLClient, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.2])
    out = io.StringIO()
    progress.Bar(out).show(client.jobs.get(sweep.name))
    assert out.getvalue().startswith("\r\x1b[K" + "█" * 15 + "░" * 15 + " Running: 2 of 4 trials")


def test_places_are_read(client: MLClient) -> None:
    assert [w.name for w in client.workspaces.list()] == ["default"]
    assert client.workspaces.get().name == client.workspace_name == "default"
    compute = client.compute.get("local")
    assert (compute.slots, compute.is_default, compute.type) == (2, True, "local")
    assert [c.name for c in client.compute.list()] == ["local"]
    with pytest.raises(ResourceNotFoundError):
        client.compute.get("cpu-cluster")


def test_a_wrong_token_or_workspace_is_told(make_client: Callable[..., MLClient]) -> None:
    with pytest.raises(AuthenticationError, match="Bearer"):
        list(make_client(token="sst_wrong").jobs.list())
    with pytest.raises(ResourceNotFoundError, match="no such workspace"):
        list(make_client(workspace="elsewhere").jobs.list())


def test_called_as_azures_client_it_takes_all_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STUDIO_URL", URL)
    monkeypatch.setenv("STUDIO_TOKEN", "sst_x")
    with MLClient(object(), "subscription", "group", "azures-workspace") as azures:
        assert azures.url == URL
    with MLClient.from_config(credential=object()) as azures:
        assert azures.url == URL
    monkeypatch.delenv("STUDIO_TOKEN")
    with pytest.raises(AuthenticationError, match="STUDIO_TOKEN"):
        MLClient()


def test_an_answer_that_got_lost_makes_no_second_sweep(
    client: MLClient, src: Path, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    http, lost = client._transport._http, []
    real = http.request

    def request(method: str, url: str, **more: Any) -> httpx.Response:
        answer = real(method, url, **more)
        if url.endswith("/sweeps") and not lost:
            lost.append(answer)
            raise httpx.ReadError("gone")
        return answer

    monkeypatch.setattr(http, "request", request)
    monkeypatch.setattr(client._transport, "_sleep", lambda _: None)
    job = client.create_or_update(built())
    assert len(lost) == 1
    assert Sweep.objects.get().name == job.name
