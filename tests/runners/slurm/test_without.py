"""What the runner makes of the cluster's answers, told by a script instead of a cluster."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from sweeps.runners import spool
from sweeps.runners.base import ComputeAway, Ended, EndedBy, Lost, Result, RunnerError, Running
from sweeps.runners.slurm import commands, job, overview, runner, words
from sweeps.runners.slurm.queue import Job, Queue, Seen
from sweeps.runners.slurm.runner import SlurmRunner
from tests.runners.contract import launch


class Told(Queue):
    """A queue that has been told what there is."""

    def __init__(self) -> None:
        super().__init__(lambda *_: "")
        self.now = Seen()
        self.missed: set[str] = set()

    def seen(self) -> Seen:
        return self.now

    def miss(self, numbers) -> None:
        self.missed = set(numbers)

    def tell(self, states: Mapping[str, str], reason: str = "", error: str = "") -> None:
        jobs = {number: Job(number, state, reason) for number, state in states.items()}
        self.now = Seen(time.time() + 1, jobs, {}, error)


@pytest.fixture
def queue() -> Told:
    return Told()


@pytest.fixture
def slurm(queue: Told, monkeypatch: pytest.MonkeyPatch) -> SlurmRunner:
    """A runner whose jobs are numbered 7, and never begin by themselves."""
    monkeypatch.setattr(commands, "submit", lambda options, script: "7")
    monkeypatch.setattr(commands, "cancel", lambda name, number="": None)
    monkeypatch.setattr(runner, "SETTLE_S", 0.0)
    return SlurmRunner(queue)


def begin(handle: str, beats: bool = False) -> None:
    """What a guard and a shim on another machine leave."""
    who = {"pid": 1, "start_time": 1, "boot_id": "of another machine"}
    spool.write(handle, spool.GUARD, who)
    spool.write(handle, spool.SHIM, {**who, "command_pid": 2, "started_at": 5.0, "start": 1.0})
    if beats:
        spool.beat(handle)


def shim_wrote(handle: str, by: EndedBy, code: int | None, signal: int | None) -> None:
    spool.write_result(handle, Result(by, code, signal, 5.0, 6.0, None, "as the shim saw it"))


@pytest.mark.parametrize("state", ["NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "CANCELLED"])
def test_a_job_that_the_cluster_ended_is_lost_and_says_how(slurm, queue, tmp_path, state):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle)
    queue.tell({"7": state})
    event = slurm.poll([handle])[0]
    assert isinstance(event, Lost)
    assert state in event.reason


def test_no_secret_stays_of_what_was_not_handed_in(slurm, monkeypatch, tmp_path):
    def away(options, script):
        raise ComputeAway("Slurm: Unable to contact slurm controller")

    monkeypatch.setattr(commands, "submit", away)
    with pytest.raises(ComputeAway):
        slurm.start(launch(tmp_path / "a", "true", env={"TOKEN": "geheim"}))
    assert "geheim" not in (tmp_path / "a" / spool.LAUNCH).read_text()


def test_what_one_process_gave_up_another_one_can_put_away(slurm, queue, tmp_path):
    """The engine looks, and the queue cleans up, which has not seen what the engine saw."""
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle)
    queue.tell({"7": "NODE_FAIL"})
    event = slurm.poll([handle])[0]
    SlurmRunner(Told()).cleanup(handle)
    assert slurm.poll([handle]) == [event]


@pytest.mark.parametrize(
    ("by", "code", "number"),
    [(EndedBy.LOST, None, None), (EndedBy.SIGNAL, None, 15), (EndedBy.EXIT, 143, None)],
)
def test_a_command_that_was_preempted_is_no_failure_of_its_own(
    slurm, queue, tmp_path, by, code, number
):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle)
    shim_wrote(handle, by, code, number)
    queue.tell({"7": "PREEMPTED"})
    event = slurm.poll([handle])[0]
    assert isinstance(event, Ended)
    assert event.result.ended_by is EndedBy.LOST
    assert event.result.message.startswith("Slurm says PREEMPTED")
    queue.tell({})
    assert slurm.poll([handle]) == [event]


def test_a_failure_of_its_own_stays_one(slurm, queue, tmp_path):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle)
    shim_wrote(handle, EndedBy.EXIT, 3, None)
    queue.tell({"7": "FAILED"})
    event = slurm.poll([handle])[0]
    assert isinstance(event, Ended)
    assert (event.result.ended_by, event.result.exit_code) == (EndedBy.EXIT, 3)


def test_what_slurm_ends_for_its_time_has_reached_a_time_limit(slurm, queue, tmp_path):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle)
    queue.tell({"7": "TIMEOUT"})
    event = slurm.poll([handle])[0]
    assert isinstance(event, Ended)
    assert event.result.ended_by is EndedBy.TIME_LIMIT


def test_a_command_whose_node_is_gone_for_the_cluster_goes_on_while_it_beats(
    slurm, queue, tmp_path
):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle, beats=True)
    queue.tell({"7": "NODE_FAIL"})
    assert isinstance(slurm.poll([handle])[0], Running)


def test_a_number_that_was_given_to_another_job_says_nothing_of_ours(slurm, queue, tmp_path):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle)
    queue.now = Seen(time.time() + 1, {"7": Job("7", "RUNNING", "None", "somebody else's")})
    assert isinstance(slurm.poll([handle])[0], Lost)


def test_what_runs_is_not_read_anew_at_each_look_and_yet_nothing_is_missed(
    slurm, queue, tmp_path, monkeypatch
):
    handles = [slurm.start(launch(tmp_path / name, "true")) for name in "abc"]
    for handle in handles:
        begin(handle, beats=True)
    queue.tell({"7": "RUNNING"})
    slurm.poll(handles)
    read: list[str] = []
    real = spool.read
    monkeypatch.setattr(spool, "read", lambda *where: read.append(where[1]) or real(*where))
    assert all(isinstance(event, Running) for event in slurm.poll(handles))
    assert set(read) == {spool.RESULT}
    shim_wrote(handles[0], EndedBy.EXIT, 0, None)
    slurm.stop(handles[1], grace_s=0)
    kinds = [type(event) for event in slurm.poll(handles)]
    assert kinds == [Ended, Running, Running]
    assert spool.SHIM in read
    queue.tell({"7": "NODE_FAIL"})
    os.utime(f"{handles[2]}/heartbeat", (0, 0))
    assert isinstance(slurm.poll(handles)[2], Lost)


def test_a_cluster_that_does_not_answer_loses_nothing(slurm, queue, tmp_path):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    queue.now = Seen(error="Slurm: Unable to contact slurm controller")
    event = slurm.poll([handle])[0]
    assert isinstance(event, Running)
    assert event.waits == "Slurm: Unable to contact slurm controller"
    begin(handle)
    assert slurm.poll([handle])[0].waits == ""


def test_what_has_just_been_handed_in_has_not_begun(slurm, queue, tmp_path):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    assert slurm.poll([handle])[0].waits == "Slurm: handed in."
    queue.tell({"7": "RUNNING"}, "None")
    assert slurm.poll([handle])[0].waits != ""
    begin(handle)
    assert slurm.poll([handle])[0].waits == ""


def test_a_job_that_is_not_told_of_is_looked_for_in_the_accounts(slurm, queue, tmp_path):
    handle = slurm.start(launch(tmp_path / "a", "true"))
    begin(handle, beats=True)
    queue.tell({})
    slurm.poll([handle])
    assert queue.missed == {"7"}


def test_accounts_are_asked_for_what_squeue_does_not_tell_and_not_again_where_there_are_none():
    asked = []

    def ask(program, *words):
        asked.append(program)
        if program == "sacct":
            return "7|CANCELLED by 1000\n8|NODE_FAIL\n"
        return "9|RUNNING|None|sweep.a\n"

    queue = Queue(ask)
    queue.miss({"7", "8"})
    seen = queue.look()
    assert {n: j.state for n, j in seen.jobs.items()} == {
        "7": "CANCELLED", "8": "NODE_FAIL", "9": "RUNNING",
    }  # fmt: skip
    assert (asked, seen.by_name) == (["squeue", "sacct"], {"sweep.a": "9"})

    def none(program, *words):
        asked.append(program)
        if program == "sacct":
            raise RunnerError("Slurm accounting storage is disabled")
        return ""

    asked.clear()
    queue = Queue(none)
    queue.miss({"7"})
    queue.look()
    queue.look()
    assert asked == ["squeue", "sacct", "squeue"]


def test_a_pending_job_says_why_in_the_clusters_own_word_first():
    text = words.waiting(Job("7", "PENDING", "Resources"))
    assert text == "Slurm: Resources (it waits for resources that other jobs have)."
    assert words.waiting(Job("7", "PENDING", "Weird")) == "Slurm: Weird."
    assert words.waiting(Job("7", "CONFIGURING", "None")) == "Slurm: CONFIGURING."


@pytest.mark.parametrize(
    ("said", "is_away"),
    [
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv", True),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller", True),
        ("sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: "
         "Job violates accounting/QOS policy (job submit limit, user's size)", True),
        ("sbatch: error: invalid partition specified: x", False),
        ("sbatch: error: Batch job submission failed: Invalid qos specification", False),
    ],
)  # fmt: skip
def test_what_may_pass_is_told_from_what_will_not(said, is_away):
    error = commands.refusal("sbatch", said)
    assert isinstance(error, ComputeAway) is is_away
    assert "sbatch:" not in str(error)


def test_a_job_asks_for_what_its_compute_says_and_ours_come_last(tmp_path):
    wanted = {
        "partition": "gpu", "account": "vision", "qos": "high", "time": "02:00:00", "cpus": 4,
        "memory": "8G", "gpus": "a100:2", "directives": "--constraint=v100\n--exclusive",
    }  # fmt: skip
    record = {"name": "default.a.0.1", "cookie": "default.ä b.0.1.0123"}
    found = job.options(str(tmp_path / "50%"), record, wanted)
    assert found[:9] == [
        "--partition=gpu", "--account=vision", "--qos=high", "--time=02:00:00",
        "--cpus-per-task=4", "--mem=8G", "--gres=gpu:a100:2", "--constraint=v100", "--exclusive",
    ]  # fmt: skip
    assert "--job-name=sweep.default.__b.0.1.0123" in found
    assert f"--output={tmp_path}/50%%/runner.log" in found
    assert "--no-requeue" in found


def test_a_cluster_tells_its_partitions_and_what_waits():
    def ask(program, *rest):
        if rest == ("--version",):
            return "slurm 22.05.8\n"
        if program == "squeue":
            return "main|RUNNING\nmain|RUNNING\nmain|PENDING\n"
        return "main|up|mixed|3|8|64000|gpu:a100:2|infinite\nold|down|idle|1|2|900|(null)|1:00\n"

    found = overview.overview(ask)
    assert found.version == "slurm 22.05.8"
    main, old = found.groups
    assert (main.name, main.state, main.nodes, main.running, main.waiting) == (
        "main", "mixed", 3, 2, 1,
    )  # fmt: skip
    assert (main.each, main.limit) == ("8 CPUs, 62 GiB, gpu:a100:2", "")
    assert (old.state, old.each, old.limit) == ("down, idle", "2 CPUs, 900 MiB", "1:00")


def test_where_there_is_no_slurm_it_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        RunnerError, match=r"There is no program sinfo here\. The studio has to run"
    ):
        overview.overview()


def test_nothing_is_started_as_another_user(slurm, tmp_path: Path):
    from sweeps.runners.run_as import RunAs

    with pytest.raises(RunnerError, match="not isolated"):
        slurm.start(launch(tmp_path / "a", "true", user=RunAs(60000, 60000)))
