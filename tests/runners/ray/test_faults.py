"""What a real Ray does to jobs, and what may happen between it and us."""

import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.runners import spool
from sweeps.runners.base import ComputeAway, Ended, EndedBy, Lost, RunnerError, Running
from tests.ray import Cluster
from tests.runners.contract import ended, launch, stdout
from tests.runners.processes import pids_with, wait_for
from tests.runners.ray.conftest import Relayed

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]


def begun(runner: Relayed, handle: str) -> int:
    """Wait until the command runs; its pid."""

    def look() -> int | None:
        event = runner.poll([handle])[0]
        assert isinstance(event, Running), event
        return event.pid

    return wait_for(look, "the command's start", 30)


def test_an_answer_that_is_lost_starts_nothing_twice(
    runner: Relayed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runner._api.submit

    def submit(request: object) -> None:
        real(request)
        raise ComputeAway("Ray does not answer.")

    monkeypatch.setattr(runner._api, "submit", submit)
    spec = launch(tmp_path / "a", "sh", "-c", "echo ran >> count", cwd=tmp_path)
    handle = runner.start(spec)
    assert runner.start(spec) == handle
    assert ended(runner, handle).exit_code == 0
    assert (tmp_path / "count").read_text() == "ran\n"


def test_a_submission_that_nobody_hears_of_never_runs(
    runner: Relayed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came through, and nobody can be asked: it is told as not started, and does not start."""
    real = runner._api.submit

    def submit(request: object) -> None:
        real(request)
        raise ComputeAway("Ray does not answer.")

    def nobody(number: str) -> None:
        raise ComputeAway("Ray does not answer.")

    monkeypatch.setattr(runner._api, "submit", submit)
    monkeypatch.setattr(runner._api, "job", nobody)
    spec = launch(tmp_path / "a", "sh", "-c", "echo ran >> count", cwd=tmp_path)
    with pytest.raises(ComputeAway):
        runner.start(spec)
    assert isinstance(runner.poll([str(spec.spool)])[0], Lost)
    wait_for(lambda: not _live(runner), "the end of the job", 30)
    assert not (tmp_path / "count").exists()


def _live(runner: Relayed) -> list[str]:
    jobs = runner._jobs.look().jobs.values()
    return [job.number for job in jobs if job.is_live]


def test_what_waits_says_so_in_rays_words(runner: Relayed, tmp_path: Path) -> None:
    handle = runner.start(launch(tmp_path / "a", "true", options={"resources": "no_such=1"}))

    def waits() -> bool:
        event = runner.poll([handle])[0]
        return isinstance(event, Running) and "waiting for resources" in event.waits

    wait_for(waits, "Ray's words")
    runner.stop(handle, reason="canceled by ada")
    result = ended(runner, handle)
    assert (result.ended_by, result.message) == (EndedBy.STOPPED, "canceled by ada")


def test_a_job_that_somebody_stops_in_ray_is_lost_and_may_run_again(
    runner: Relayed, tmp_path: Path
) -> None:
    handle = runner.start(launch(tmp_path / "a", "sleep", "601.25"))
    begun(runner, handle)
    record = spool.read(handle, spool.JOB)
    assert record is not None
    runner._api.stop(record["number"])
    event = wait_for(
        lambda: next((e for e in runner.poll([handle]) if not isinstance(e, Running)), None),
        "its end", 30,
    )  # fmt: skip
    reason = event.result.message if isinstance(event, Ended) else event.reason
    assert "it was stopped in Ray, not by the studio" in reason
    assert isinstance(event, Lost) or event.result.ended_by is EndedBy.LOST
    assert pids_with("601.25") == set()


def test_an_environment_that_cannot_be_made_is_told_in_rays_words(
    runner: Relayed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that Ray threw away between the look and the job, say."""
    monkeypatch.setattr("sweeps.runners.ray.job.bring_package", lambda api, relay: None)
    runner.relay = replace(runner.relay, digest="of code that nobody has brought")
    handle = runner.start(launch(tmp_path / "a", "true"))
    event = wait_for(
        lambda: next((e for e in runner.poll([handle]) if isinstance(e, Lost)), None), "its end", 90
    )
    assert "runtime_env setup failed" in event.reason
    assert "Traceback" not in event.reason


def test_packages_are_installed_for_the_command(runner: Relayed, tmp_path: Path) -> None:
    wheel = tmp_path / "sweep_probe-1.0-py3-none-any.whl"
    about = "sweep_probe-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("sweep_probe.py", "word = 'installed'")
        file.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: sweep-probe\nVersion: 1.0\n"
        )
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    runner.relay = replace(runner.relay, packages=(str(wheel),), machine=("PATH",))
    script = "python -c 'import sweep_probe; print(sweep_probe.word)'"
    spec = launch(tmp_path / "a", "sh", "-c", script, env={})
    handle = runner.start(spec)
    result = wait_for(
        lambda: next((e.result for e in runner.poll([handle]) if isinstance(e, Ended)), None),
        "its end", 90,
    )  # fmt: skip
    assert (result.exit_code, stdout(handle)) == (0, "installed\n")


def test_a_poll_of_many_asks_once(runner: Relayed, ray_cluster: Cluster, tmp_path: Path) -> None:
    asked: list[str] = []
    real = runner._api.jobs
    runner._api.jobs = lambda: asked.append("jobs") or real()  # type: ignore[func-returns-value,method-assign]
    handles = [runner.start(launch(tmp_path / str(n), "sleep", "600")) for n in range(4)]
    asked.clear()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert all(isinstance(event, Running) for event in runner.poll(handles))
        time.sleep(0.01)
    assert 1 <= len(asked) <= 3


def test_a_dashboard_that_is_away_is_said_so(tmp_path: Path, desk: object) -> None:
    from sweeps.runners.base import Relay
    from tests.relay_server import Relay as Desk

    assert isinstance(desk, Desk)
    away = Relayed("http://127.0.0.1:9", Relay(desk.url, desk.folder))
    with pytest.raises(ComputeAway, match="does not answer"):
        away.start(launch(tmp_path / "a", "true"))
    with pytest.raises(RunnerError, match="does not answer"):
        away.overview()
    away.close()


def test_a_desk_that_is_away_for_a_while_costs_nothing(
    runner: Relayed, desk: object, tmp_path: Path
) -> None:
    from tests.relay_server import Relay as Desk

    assert isinstance(desk, Desk)
    handle = runner.start(launch(tmp_path / "a", "sh", "-c", "echo on; sleep 2; exit 7"))
    begun(runner, handle)
    desk.away = True
    time.sleep(4)  # it ends meanwhile
    assert isinstance(runner.poll([handle])[0], Running)
    desk.away = False
    assert ended(runner, handle).exit_code == 7
    assert stdout(handle) == "on\n"
