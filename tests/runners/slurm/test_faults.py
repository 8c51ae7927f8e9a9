"""What a real Slurm does to jobs, and what may happen between it and us."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sweeps.runners import spool
from sweeps.runners.base import ComputeAway, Ended, EndedBy, Lost, Result, RunnerError, Running
from sweeps.runners.slurm.runner import SlurmRunner
from tests.runners.contract import ended, launch, stdout
from tests.runners.processes import wait_for
from tests.slurm import CPUS, Cluster

pytestmark = pytest.mark.slurm


def begun(runner: SlurmRunner, handle: str) -> int:
    """Wait until the command runs; its pid."""

    def look() -> int | None:
        event = runner.poll([handle])[0]
        assert isinstance(event, Running), event
        return event.pid

    return wait_for(look, "the command's start", 30)


def number(handle: str) -> str:
    record = spool.read(handle, spool.JOB)
    assert record is not None
    return str(record["number"])


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in sbatch's place; whoever writes it may call the real one as $SBATCH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "sbatch"


def script(path: Path, text: str) -> None:
    real = shutil.which("sbatch", path=os.environ["PATH"].partition(":")[2])
    path.write_text(f"#!/bin/sh\nSBATCH={real}\n{text}\n")
    path.chmod(0o755)


def test_a_submission_that_was_not_told_of_never_runs_twice(
    runner: SlurmRunner, cluster: Cluster, tmp_path: Path, sbatch: Path
) -> None:
    """The job came through, the answer did not: it is told as not started, and does not start."""
    script(sbatch, '"$SBATCH" --begin=now+2 "$@" && echo "Socket timed out" >&2; exit 1')
    count = tmp_path / "count"
    spec = launch(tmp_path / "a", "sh", "-c", f"echo ran >> {count}")
    with pytest.raises(ComputeAway, match="Socket timed out"):
        runner.start(spec)
    sbatch.unlink()
    again = runner.start(launch(tmp_path / "b", "sh", "-c", f"echo ran >> {count}"))
    ended(runner, again)
    wait_for(lambda: not cluster.ask("squeue", "-h").strip(), "an empty queue", 30)
    assert count.read_text() == "ran\n"
    assert isinstance(runner.poll([str(spec.spool)])[0], Lost)


def test_a_job_whose_number_died_with_the_studio_is_found_by_its_name(
    cluster: Cluster, tmp_path: Path, sbatch: Path
) -> None:
    script(sbatch, '"$SBATCH" "$@"; kill -9 $PPID')
    spec = launch(tmp_path / "a", "sh", "-c", "sleep 1; exit 5")
    code = (
        "import pathlib; from sweeps.runners.slurm.runner import SlurmRunner\n"
        "from sweeps.runners.base import LaunchSpec\n"
        f"spec = LaunchSpec({spec.name!r}, pathlib.Path({str(spec.spool)!r}), {spec.argv!r}, "
        f"pathlib.Path('/'), {dict(spec.env)!r})\n"
        "SlurmRunner().start(spec)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == -9
    handle = str(spec.spool)
    assert spool.read(handle, spool.JOB) is None
    runner = SlurmRunner()
    wait_for(lambda: runner.poll([handle]) and spool.read(handle, spool.JOB), "the number", 30)
    assert ended(runner, handle).exit_code == 5


def test_a_job_that_waits_says_so_in_the_clusters_words_and_is_stopped_at_once(
    runner: SlurmRunner, cluster: Cluster, tmp_path: Path
) -> None:
    blocker = runner.start(
        launch(tmp_path / "b", "sleep", "600", options={"cpus": CPUS, "partition": "main"})
    )
    begun(runner, blocker)
    spec = launch(tmp_path / "a", "touch", str(tmp_path / "ran"), options={"cpus": CPUS})
    handle = runner.start(spec)

    def words() -> str:
        event = runner.poll([handle])[0]
        assert isinstance(event, Running)
        return event.waits if "Resources" in event.waits or "Priority" in event.waits else ""

    assert "Slurm: " in wait_for(words, "the reason", 30)
    runner.stop(handle, reason="canceled by ada")
    result = ended(runner, handle)
    assert (result.ended_by, result.message) == (EndedBy.STOPPED, "canceled by ada")
    runner.stop(blocker, grace_s=0)
    assert ended(runner, blocker).ended_by is EndedBy.STOPPED
    wait_for(lambda: not cluster.ask("squeue", "-h").strip(), "an empty queue", 30)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition": "nowhere"}, "invalid partition specified: nowhere.*sinfo"),
        ({"memory": "640G"}, "Requested node configuration is not available.*No node"),
        ({"gpus": "2"}, "Invalid generic resource.*no such GPU"),
        ({"directives": "--no-such-option"}, "unrecognized option.*extra directives"),
    ],
)
def test_a_refusal_is_told_in_slurms_words_with_a_hint(
    runner: SlurmRunner, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    spec = launch(tmp_path / "a", "true", options=options)
    with pytest.raises(RunnerError, match=words) as told:
        runner.start(spec)
    assert not isinstance(told.value, ComputeAway)
    assert isinstance(runner.poll([str(spec.spool)])[0], Lost)


def test_a_job_that_somebody_cancels_in_slurm_is_lost_and_may_run_again(
    runner: SlurmRunner, cluster: Cluster, tmp_path: Path
) -> None:
    handle = runner.start(launch(tmp_path / "a", "sleep", "600"))
    begun(runner, handle)
    cluster.ask("scancel", number(handle))
    result = ended(runner, handle)
    assert result.ended_by is EndedBy.LOST
    assert "CANCELLED: it was cancelled in Slurm, not by the studio" in result.message


def test_slurms_own_time_limit_counts_as_a_time_limit(
    runner: SlurmRunner, cluster: Cluster, tmp_path: Path
) -> None:
    handle = runner.start(launch(tmp_path / "a", "sleep", "600", options={"partition": "short"}))
    begun(runner, handle)
    # Sixty seconds are the shortest that there is; it is looked at every half a minute.
    result = wait_for(lambda: over(runner, handle), "the limit", 150)
    assert result.ended_by is EndedBy.TIME_LIMIT
    assert "TIMEOUT" in result.message


def over(runner: SlurmRunner, handle: str) -> Result | None:
    event = runner.poll([handle])[0]
    return event.result if isinstance(event, Ended) else None


def test_a_node_that_loses_its_daemon_loses_no_command(
    runner: SlurmRunner, cluster: Cluster, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "go")
    spec = launch(tmp_path / "a", "sh", "-c", "read line < go; echo on; exit 7", cwd=tmp_path)
    handle = runner.start(spec)
    begun(runner, handle)
    cluster.kill("slurmd")
    (tmp_path / "go").write_text("\n")
    assert ended(runner, handle).exit_code == 7
    assert stdout(handle) == "on\n"
    cluster.start_node()
    cluster.heal()


def test_a_controller_that_is_away_loses_nothing_and_starts_wait(
    runner: SlurmRunner, cluster: Cluster, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "go")
    spec = launch(tmp_path / "a", "sh", "-c", "read line < go; exit 0", cwd=tmp_path)
    handle = runner.start(spec)
    begun(runner, handle)
    cluster.kill("slurmctld")
    try:
        with pytest.raises(ComputeAway):
            runner.start(launch(tmp_path / "b", "true"))
        assert isinstance(runner.poll([handle])[0], Running)
        (tmp_path / "go").write_text("\n")
        assert ended(runner, handle).exit_code == 0
    finally:
        cluster.start_controller()
    cluster.heal()
    again = runner.start(launch(tmp_path / "c", "true"))
    assert ended(runner, again).exit_code == 0


def test_a_poll_of_many_asks_once(runner: SlurmRunner, cluster: Cluster, tmp_path: Path) -> None:
    asked: list[str] = []
    real = runner._queue._ask

    def ask(program: str, *words: str) -> str:
        asked.append(program)
        return real(program, *words)

    runner._queue._ask = ask
    handles = [runner.start(launch(tmp_path / str(n), "sleep", "600")) for n in range(CPUS)]
    for handle in handles:
        begun(runner, handle)
    asked.clear()
    began = time.monotonic()
    while time.monotonic() - began < 5:
        assert all(isinstance(event, Running) for event in runner.poll(handles))
    assert set(asked) == {"squeue"}
    assert 1 <= len(asked) <= 3
    for handle in handles:
        runner.stop(handle, grace_s=0)
    for handle in handles:
        ended(runner, handle)
