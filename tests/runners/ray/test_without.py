"""What the runner makes of Ray's answers, told by a script instead of a cluster."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sweeps.runners import attempts, spool
from sweeps.runners.base import (
    ComputeAway,
    Ended,
    EndedBy,
    LaunchSpec,
    Lost,
    Relay,
    Result,
    RunnerError,
    Running,
)  # fmt: skip
from sweeps.runners.ray import job, runner, words
from sweeps.runners.ray.api import Api, _require_possible, _Teller
from sweeps.runners.ray.jobs import Job, Jobs, Seen, job_of
from sweeps.runners.ray.overview import overview
from sweeps.runners.ray.runner import RayRunner
from sweeps.runners.relay import keys
from sweeps.runners.run_as import RunAs
from tests.runners.contract import launch
from tests.runners.processes import wait_for

EXISTS = (
    'Traceback (most recent call last):\n  File "/x/job_head.py", line 1\nRuntimeError: Request '
    "failed with status code 400: Traceback (most recent call last):\n  File\nValueError: Job with "
    "submission_id a already exists. Please use a different submission_id.\n.\n"
)


class Told(Jobs):
    """A list of jobs that has been told."""

    def __init__(self) -> None:
        super().__init__(Api("http://127.0.0.1:9"))
        self.now = Seen()
        self.done: list[str] = []

    def seen(self) -> Seen:
        return self.now

    def done_with(self, numbers) -> None:
        self.done += numbers

    def tell(self, number: str, status: str, message: str = "", error: str = "") -> None:
        told = {number: Job(number, status, message, error)}
        self.now = Seen(time.time() + 1, told)


class Fake(Api):
    """A cluster that takes what it is given, unless it is told to fail."""

    def __init__(self) -> None:
        super().__init__("http://head:8265")
        self.submitted: list[dict[str, Any]] = []
        self.packages: dict[str, int] = {}
        self.stopped: list[str] = []
        self.asked: list[str] = []
        self.error: RunnerError | None = None
        self.takes = True
        self.said = ""

    def has_package(self, name):
        return name in self.packages

    def put_package(self, name, data):
        self.packages[name] = self.packages.get(name, 0) + 1

    def submit(self, request):
        if self.takes:
            self.submitted.append(dict(request))
        if self.error:
            raise self.error

    def job(self, number):
        self.asked.append(number)
        return next(
            ({"status": "PENDING"} for s in self.submitted if s["submission_id"] == number), None
        )

    def stop(self, number):
        self.stopped.append(number)

    def last_words(self, number):
        return self.said


@pytest.fixture
def jobs() -> Told:
    return Told()


@pytest.fixture
def api() -> Fake:
    return Fake()


@pytest.fixture
def ray(jobs: Told, api: Fake, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayRunner]:
    monkeypatch.setattr(runner, "SETTLE_S", 0.0)
    made = RayRunner("http://head:8265", jobs)
    made._api = api
    yield made
    made.close()


def spec(folder: Path, **changes: object) -> LaunchSpec:
    relay = Relay("http://studio:8000/relay", folder.parent / "keys", digest="c0de")
    return launch(folder, "true", **{"relay": relay, "env": {"TOKEN": "geheim"}} | changes)


def begin(handle: str, beats: bool = True) -> None:
    """What a carrier on another machine leaves."""
    who = {"pid": 0, "start_time": 0, "boot_id": "node"}
    spool.write(handle, spool.GUARD, who)
    spool.write(handle, spool.SHIM, {**who, "command_pid": 2, "started_at": 5.0, "start": 1.0})
    spool.beat(handle)
    if not beats:
        long_ago = time.time() - 60
        os.utime(f"{handle}/heartbeat", (long_ago, long_ago))


def number(handle: str) -> str:
    return str(spool.read(handle, spool.JOB)["number"])


def carrier_told(handle: str, by: EndedBy, code: int | None, signal: int | None = None) -> None:
    spool.write_result(handle, Result(by, code, signal, 5.0, 6.0, None, "as the shim saw it"))


def test_a_job_is_handed_in_with_what_it_asks_for_and_without_secrets(ray, api, tmp_path):
    wanted = {"address": "http://head:8265", "cpus": 2, "gpus": 0.5, "resources": "tpu=1"}
    handle = ray.start(spec(tmp_path / "a", options=wanted, secrets=("geheim",)))
    [handed] = api.submitted
    assert handed["submission_id"] == number(handle)
    assert (handed["entrypoint_num_cpus"], handed["entrypoint_num_gpus"]) == (2, 0.5)
    assert handed["entrypoint_resources"] == {"tpu": 1}
    assert handed["runtime_env"] == {"working_dir": f"gcs://{next(iter(api.packages))}"}
    assert "geheim" not in json.dumps(handed)
    assert handle not in json.dumps(handed)
    key = spool.read(handle, spool.LAUNCH)["relay"]["key"]
    assert f"http://studio:8000/relay {key} " in handed["entrypoint"]
    ticket = handed["entrypoint"].split()[-1]
    assert ticket not in Path(handle, spool.LAUNCH).read_text()
    assert keys.spool_of(str(tmp_path / "keys"), key) == handle


def test_code_is_brought_once(ray, api, tmp_path):
    for name in "abc":
        ray.start(spec(tmp_path / name))
    assert list(api.packages.values()) == [1]


def test_packages_are_installed_by_ray(ray, api, tmp_path):
    relay = Relay("http://studio/relay", tmp_path / "keys", packages=("numpy==2.1", "scipy"))
    ray.start(spec(tmp_path / "a", relay=relay))
    assert api.submitted[0]["runtime_env"]["pip"]["packages"] == ["numpy==2.1", "scipy"]


def test_a_submission_whose_answer_was_lost_is_found_by_its_id(ray, api, jobs, tmp_path):
    api.error = ComputeAway("Ray at http://head:8265 does not answer: timed out")
    handle = ray.start(spec(tmp_path / "a"))
    assert api.asked == [number(handle)]
    jobs.tell(number(handle), "PENDING", "Job has not started yet.")
    assert ray.poll([handle])[0].waits == "Ray: Job has not started yet."
    assert ray.start(spec(tmp_path / "a", name=spool.read(handle, spool.LAUNCH)["name"])) == handle
    assert len(api.submitted) == 1


def test_a_submission_that_comes_late_finds_its_attempt_given_up(ray, api, tmp_path):
    api.error, api.takes = ComputeAway("Ray does not answer."), False
    made = spec(tmp_path / "a")
    with pytest.raises(ComputeAway):
        ray.start(made)
    assert spool.read(str(made.spool), spool.GUARD) == {"lost": "Ray does not answer."}
    assert isinstance(ray.poll([str(made.spool)])[0], Lost)
    assert "geheim" not in Path(made.spool, spool.LAUNCH).read_text()
    assert list((tmp_path / "keys").iterdir()) == []
    wait_for(lambda: api.stopped, "the stop of what may have come through")


def test_a_refusal_is_final(ray, api, tmp_path):
    api.error = RunnerError("Ray: no")
    with pytest.raises(RunnerError, match="Ray: no") as told:
        ray.start(spec(tmp_path / "a"))
    assert not isinstance(told.value, ComputeAway)
    assert not api.asked


def test_a_studio_that_died_while_it_handed_in_finds_the_job_or_gives_it_up(ray, jobs, tmp_path):
    found, never = ray.start(spec(tmp_path / "a")), ray.start(spec(tmp_path / "b"))
    name = number(found)
    for handle in (found, never):
        os.unlink(f"{handle}/{spool.JOB}")
    jobs.tell(name, "RUNNING")
    assert [type(event) for event in ray.poll([found, never])] == [Running, Running]
    assert number(found) == name
    jobs.now = Seen(time.time() + 1000, jobs.now.jobs)
    assert [type(event) for event in ray.poll([found, never])] == [Running, Lost]


@pytest.mark.parametrize(
    ("status", "message", "error", "said"),
    [
        ("FAILED", "Job supervisor actor died: The actor died because its node has died.",
         "JOB_SUPERVISOR_ACTOR_DIED", "Ray: Job supervisor actor died"),
        ("STOPPED", "Job was intentionally stopped.", "", "it was stopped in Ray"),
        ("SUCCEEDED", "Job finished successfully.", "", "Ray: Job finished successfully."),
    ],
)  # fmt: skip
def test_a_job_that_went_without_a_result_is_lost_and_says_how(
    ray, jobs, tmp_path, status, message, error, said
):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle, beats=False)
    jobs.tell(number(handle), status, message, error)
    event = ray.poll([handle])[0]
    assert isinstance(event, Lost)
    assert said in event.reason
    assert event.reason.endswith("It can be run again.")
    other = RayRunner("http://head:8265", Told())
    other.cleanup(handle)  # another process, which has not looked on
    other.close()
    assert ray.poll([handle]) == [event]


def test_why_a_carrier_did_not_get_that_far_is_told_from_its_log(
    ray, api, jobs, tmp_path, monkeypatch
):
    api.said = "The studio at http://studio:8000/relay was not reached: timed out"
    monkeypatch.setattr(runner, "SETTLE_S", 0.3)
    handle = ray.start(spec(tmp_path / "a"))
    message = "Job entrypoint command failed with exit code 1, last available logs (…):\nxyz"
    jobs.tell(number(handle), "FAILED", message, "JOB_ENTRYPOINT_COMMAND_ERROR")
    event = wait_for(
        lambda: next((e for e in ray.poll([handle]) if isinstance(e, Lost)), None), "the verdict"
    )
    assert event.reason == (
        "Ray: Job entrypoint command failed with exit code 1. The studio at "
        "http://studio:8000/relay was not reached: timed out It can be run again."
    )


@pytest.mark.parametrize(
    ("by", "code", "signal"),
    [(EndedBy.LOST, None, None), (EndedBy.SIGNAL, None, 15), (EndedBy.EXIT, 143, None)],
)
def test_a_command_that_was_stopped_in_ray_is_no_failure_of_its_own(
    ray, jobs, tmp_path, by, code, signal
):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle)
    carrier_told(handle, by, code, signal)
    jobs.tell(number(handle), "STOPPED")
    event = ray.poll([handle])[0]
    assert isinstance(event, Ended)
    assert event.result.ended_by is EndedBy.LOST
    jobs.now = Seen()
    assert ray.poll([handle]) == [event]


def test_packages_that_pip_cannot_install_are_told_in_its_words_and_not_tried_again(
    ray, jobs, tmp_path
):
    handle = ray.start(spec(tmp_path / "a"))
    told = {
        "submission_id": number(handle), "status": "FAILED",
        "error_type": "RUNTIME_ENV_SETUP_FAILURE",
        "message": "runtime_env setup failed: Failed to set up.\n[Node 10.0.0.1] Traceback (most "
        "recent call last):\n  File x\nSubprocessCalledProcessError: Run cmd[9] failed\n"
        "    ERROR: Could not find a version that satisfies the requirement nope\n"
        "    ERROR: No matching distribution found for nope\n",
    }  # fmt: skip
    jobs.now = Seen(time.time() + 1, {number(handle): job_of(told)})
    event = ray.poll([handle])[0]
    assert isinstance(event, Ended)
    assert event.result.ended_by is EndedBy.NOT_STARTED
    assert event.result.message == (
        "Ray: pip could not install the packages: Could not find a version that satisfies the "
        "requirement nope No matching distribution found for nope."
    )
    assert job_of(told | {"error_type": None}).message.startswith("runtime_env setup failed")


def test_a_failure_of_its_own_stays_one(ray, jobs, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle)
    carrier_told(handle, EndedBy.EXIT, 3)
    jobs.tell(number(handle), "SUCCEEDED")
    event = ray.poll([handle])[0]
    assert isinstance(event, Ended)
    assert (event.result.ended_by, event.result.exit_code) == (EndedBy.EXIT, 3)


def test_a_node_that_ray_has_lost_from_its_sight_works_on(ray, jobs, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle)
    jobs.tell(number(handle), "FAILED", "Job supervisor actor died")
    assert isinstance(ray.poll([handle])[0], Running)
    jobs.now = Seen(time.time() + 1)
    assert isinstance(ray.poll([handle])[0], Running)


def test_a_machine_out_of_reach_for_longer_than_its_lease_has_ended_the_command(
    ray, jobs, tmp_path
):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle)
    jobs.tell(number(handle), "RUNNING")
    assert isinstance(ray.poll([handle])[0], Running)
    for ago, kind in ((runner.LEASE_S, Running), (runner.LEASE_S + runner.AFTER_S + 1, Lost)):
        os.utime(f"{handle}/heartbeat", (time.time() - ago,) * 2)
        assert isinstance(ray.poll([handle])[0], kind)


def test_what_runs_is_not_read_anew_at_each_look_and_yet_nothing_is_missed(
    ray, jobs, tmp_path, monkeypatch
):
    handles = [ray.start(spec(tmp_path / name)) for name in "abc"]
    for handle in handles:
        begin(handle)
    told = {number(handle): Job(number(handle), "RUNNING") for handle in handles}
    jobs.now = Seen(time.time() + 1, told)
    ray.poll(handles)
    read: list[str] = []
    real = spool.read
    monkeypatch.setattr(spool, "read", lambda *where: read.append(where[1]) or real(*where))
    assert all(isinstance(event, Running) for event in ray.poll(handles))
    assert set(read) == {spool.RESULT}
    carrier_told(handles[0], EndedBy.EXIT, 0)
    ray.stop(handles[1], grace_s=0)
    os.utime(f"{handles[2]}/heartbeat", (0, 0))
    jobs.now = Seen(time.time() + 1)
    kinds = [type(event) for event in ray.poll(handles)]
    assert kinds == [Ended, Running, Lost]
    assert spool.SHIM in read


def test_a_cluster_that_does_not_answer_loses_nothing(ray, jobs, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    jobs.now = Seen(error="Ray at http://head:8265 does not answer: refused")
    event = ray.poll([handle])[0]
    assert isinstance(event, Running)
    assert event.waits == "Ray at http://head:8265 does not answer: refused"
    begin(handle)
    assert ray.poll([handle])[0].waits == ""


def test_what_waited_for_so_long_that_ray_gave_it_up_goes_on_waiting(ray, api, jobs, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    first = number(handle)
    jobs.tell(first, "FAILED", "failed to start within 900 s", "JOB_SUPERVISOR_ACTOR_START_TIMEOUT")
    assert isinstance(ray.poll([handle])[0], Running)
    wait_for(lambda: len(api.submitted) == 2, "another submission")
    assert number(handle) == api.submitted[1]["submission_id"] == f"{first}.1"
    assert api.submitted[1]["entrypoint"] == api.submitted[0]["entrypoint"]
    assert isinstance(ray.poll([handle])[0], Running)
    jobs.tell(number(handle), "PENDING", "Job has not started yet.")
    assert ray.poll([handle])[0].waits == "Ray: Job has not started yet."
    begin(handle, beats=False)
    jobs.tell(number(handle), "FAILED", "x", "JOB_SUPERVISOR_ACTOR_START_TIMEOUT")
    assert isinstance(ray.poll([handle])[0], Lost)
    assert len(api.submitted) == 2


def test_what_waits_is_stopped_without_a_carrier(ray, api, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    ray.stop(handle, reason="canceled by ada")
    event = ray.poll([handle])[0]
    assert isinstance(event, Ended)
    assert (event.result.ended_by, event.result.message) == (EndedBy.STOPPED, "canceled by ada")
    wait_for(lambda: api.stopped == [number(handle)], "the stop in Ray")


def test_ray_is_asked_to_end_what_does_not_end_by_itself(ray, api, jobs, tmp_path, monkeypatch):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle)
    jobs.tell(number(handle), "RUNNING")
    ray.stop(handle, grace_s=1.0, reason="canceled")
    ray.poll([handle])
    assert not api.stopped
    monkeypatch.setattr(runner, "PRESS_S", -10.0)
    ray.poll([handle])
    ray.poll([handle])
    wait_for(lambda: api.stopped == [number(handle)], "the stop in Ray")


def test_what_is_over_is_taken_from_rays_record_once_nobody_asks_any_more(ray, jobs, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    begin(handle)
    carrier_told(handle, EndedBy.EXIT, 0)
    name, launched = number(handle), spool.read(handle, spool.LAUNCH)
    ray.cleanup(handle)
    assert jobs.done == [name]
    assert keys.spool_of(str(tmp_path / "keys"), launched["relay"]["key"]) is None


def test_nothing_is_started_as_another_user_or_without_a_relay(ray, tmp_path):
    with pytest.raises(RunnerError, match="user of this machine"):
        ray.start(spec(tmp_path / "a", user=RunAs(60000, 60000)))
    with pytest.raises(RunnerError, match="relay"):
        ray.start(spec(tmp_path / "b", relay=None))


def test_a_copied_spool_is_anothers(ray, jobs, tmp_path):
    handle = ray.start(spec(tmp_path / "a"))
    os.rename(handle, tmp_path / "copy")
    event = ray.poll([str(tmp_path / "copy")])[0]
    assert isinstance(event, Lost)
    assert attempts.COPIED in event.reason


def test_words_are_rays_own_without_its_tracebacks():
    failed = Job("a", "FAILED", "runtime_env setup failed: no such package. Full traceback: x")
    assert words.ending(failed) == "Ray: runtime_env setup failed: no such package."
    assert words.ending(None) == "Ray knows nothing of its job any more."


# --- over HTTP ----------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Answers each path as it is told to: status and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, str]] = {}
        self.requests: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(f"{self.command} {self.path}")
        status, body = self.server.answers.get(self.path, (404, "not here"))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", body)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def line(server: Server) -> Api:
    return Api(f"http://127.0.0.1:{server.server_port}")


def test_one_request_tells_of_all_jobs_and_those_that_are_done_go(server, line):
    rows = [
        {"submission_id": f"sweep.{n}", "status": "SUCCEEDED", "message": "a\n b"} for n in (1, 2)
    ]
    server.answers["/api/jobs/"] = 200, json.dumps([*rows, {"job_id": "1", "submission_id": None}])
    server.answers["/api/jobs/sweep.1"] = 200, "{}"
    jobs = Jobs(line)
    jobs.done_with(["sweep.1", "sweep.9"])
    jobs.seen()
    jobs.settle()
    assert set(jobs.seen().jobs) == {"sweep.1", "sweep.2"}
    assert jobs.seen().jobs["sweep.2"].message == "a b"
    assert server.requests == ["GET /api/jobs/", "DELETE /api/jobs/sweep.1"]


@pytest.mark.parametrize(
    ("status", "body", "is_away", "said"),
    [
        (500, EXISTS, False, "Job with submission_id a already exists"),
        (500, "Traceback (most recent call last):\nTimeoutError: Failed to get head node agent",
         True, "Failed to get head node agent"),
        (500, "No available agent to submit job, please try again later.", True, "No available"),
        (503, "<html>secret of a neighbour</html>", True, "the dashboard answered 503"),
        (404, "secret of a neighbour", False, "is not the dashboard of a Ray cluster"),
        (200, "secret of a neighbour", False, "is not the dashboard of a Ray cluster"),
        (302, "http://169.254.169.254/latest", False, "is not the dashboard of a Ray cluster"),
        (401, "{}", False, "asks for a token"),
    ],
)  # fmt: skip
def test_answers_are_told_in_rays_words_and_of_others_nothing(
    server, line, status, body, is_away, said
):
    server.answers["/api/jobs/"] = status, body
    with pytest.raises(RunnerError, match=said) as told:
        line.submit({"entrypoint": "true"})
    assert isinstance(told.value, ComputeAway) is is_away
    assert "neighbour" not in str(told.value)
    assert "Traceback" not in str(told.value)
    assert server.requests == ["POST /api/jobs/"]


def test_a_dashboard_that_is_not_there_is_away():
    api = Api("http://127.0.0.1:9")
    with pytest.raises(ComputeAway, match=r"Ray at http://127.0.0.1:9 does not answer"):
        api.version()


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254", "fd00:ec2::254", "224.0.0.1",
     "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd20:ce::254", "64:ff9b::a9fe:a9fe",
     "2002:a9fe:a9fe::1", "::169.254.169.254", "::ffff:168.63.129.16"],
)  # fmt: skip
def test_no_request_goes_where_clouds_tell_machines_their_secrets(address):
    with pytest.raises(_Teller):
        _require_possible(address)
    for possible in ("127.0.0.1", "10.0.0.7", "192.168.1.1", "fd00::7", "203.0.113.9"):
        _require_possible(possible)


def test_such_an_address_is_told_and_not_asked():
    api = Api("http://169.254.169.254:80")
    with pytest.raises(RunnerError, match="where no Ray cluster is"):
        api.version()


def test_a_cluster_tells_its_nodes_and_what_waits(server, line):
    nodes = [
        {"state": "ALIVE", "is_head_node": True, "resources_total": {"memory": 2**31}},
        *[{"state": "ALIVE", "is_head_node": False, "node_id": "a", "resources_total": {
            "CPU": 4.0, "GPU": 1.0, "memory": 2**34, "node:10.0.0.1": 1.0,
            "object_store_memory": 1.0}}] * 2,
        {"state": "DEAD", "is_head_node": False, "resources_total": {"CPU": 4.0}},
    ]  # fmt: skip
    jobs = [
        {"status": "RUNNING", "driver_node_id": "a"},
        {"status": "PENDING"},
        {"status": "SUCCEEDED"},
    ]
    server.answers = {
        "/api/version": (200, '{"ray_version": "2.60.0"}'),
        "/api/jobs/": (200, json.dumps(jobs)),
        "/api/v0/nodes?limit=10000": (200, json.dumps({"data": {"result": {"result": nodes}}})),
        "/api/cluster_status": (200, "{}"),
    }
    found = overview(line)
    assert found.version == "Ray 2.60.0"
    head, worker = found.groups
    assert (head.name, head.nodes, head.each) == ("head", 1, "2 GiB")
    assert (worker.name, worker.nodes, worker.each) == ("worker", 2, "4 CPUs, 1 GPU, 16 GiB")
    assert (worker.running, worker.waiting, found.waiting) == (1, None, 1)


def test_names_of_jobs_are_such_that_an_address_takes_them():
    launched = {"cookie": "default.ä b/c?.0.1.0123"}
    assert job.name_of(launched) == "sweep.default.__b_c_.0.1.0123"


# --- What answers like nothing of Ray's ----------------------------------------------------------


@pytest.fixture
def odd() -> Iterator[tuple[Api, dict[str, bytes]]]:
    """A line to a server, and what it answers by path; `{}` to all else."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path.partition("?")[0], b"{}")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = Api(f"http://127.0.0.1:{server.server_port}")
    yield api, answers
    server.shutdown()
    server.server_close()


def test_a_list_that_nobody_can_read_is_an_error_and_is_asked_for_again(odd) -> None:
    api, answers = odd
    answers["/api/jobs/"] = b"[" * 200_000
    jobs = Jobs(api, every_s=0.0)
    wait_for(lambda: "is not the dashboard" in jobs.seen().error, "an error")
    answers["/api/jobs/"] = json.dumps([{"submission_id": "a", "status": "RUNNING"}]).encode()
    wait_for(lambda: "a" in jobs.seen().jobs, "the next answer")
    jobs.settle()


def test_whatever_goes_wrong_the_cluster_is_asked_again(api: Fake) -> None:
    jobs, tries = Jobs(api, every_s=0.0), []
    jobs._asking = True

    def fails() -> list[Any]:
        tries.append(1)
        raise ZeroDivisionError

    api.jobs = fails  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        jobs._refresh()
    jobs.settle()
    with pytest.raises(ZeroDivisionError):
        jobs._refresh()
    assert len(tries) == 2


def test_words_are_such_as_a_database_keeps(odd) -> None:
    api, answers = odd
    told = {"submission_id": "a", "status": "S" * 3_000}
    told |= {"message": "a\0b\ud800\nc", "error_type": "E\0"}
    answers["/api/jobs/"] = json.dumps([told]).encode()
    found = Jobs(api).look().jobs["a"]
    assert (found.message, found.error, len(found.status)) == ("ab? c", "E", 40)


def node(has: Any) -> dict[str, Any]:
    """What Ray tells of its nodes."""
    return {"data": {"result": {"result": [has]}}}


def demand(rows: Any) -> dict[str, Any]:
    """What Ray tells of what waits."""
    return {"data": {"clusterStatus": {"loadMetricsReport": {"resourceDemand": rows}}}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/version", {}),
        ("/api/version", {"ray_version": 5}),
        ("/api/v0/nodes", node(5)),
        ("/api/v0/nodes", node({"state": "ALIVE", "resources_total": {"CPU": "x"}})),
        ("/api/cluster_status", demand(5)),
        ("/api/cluster_status", demand([["a", {}]])),
    ],
)
def test_what_has_no_shape_of_rays_is_told_as_no_dashboard(odd, path: str, body: Any) -> None:
    api, answers = odd
    answers |= {
        "/api/version": b'{"ray_version": "2.60.0"}',
        "/api/jobs/": b"[]",
        "/api/v0/nodes": b'{"data": {"result": {"result": []}}}',
        "/api/cluster_status": b"{}",
    }
    assert overview(api).version == "Ray 2.60.0"
    answers[path] = json.dumps(body).encode()
    with pytest.raises(RunnerError, match="is not the dashboard of a Ray cluster"):
        overview(api)


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "h\u00e9ad"])
def test_a_host_that_no_name_may_be_is_told(host: str) -> None:
    with pytest.raises(RunnerError, match=r"cannot be asked|does not answer"):
        Api(f"http://{host}:80").version()


def test_a_cluster_that_drips_has_so_long_for_all_of_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sweeps.runners.ray.api.PATIENCE_S", 0.5)
    for begun in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            over = threading.Event()

            def drip(
                server: socket.socket = server,
                begun: bytes = begun,
                over: threading.Event = over,
            ) -> None:
                with server.accept()[0] as client, suppress(OSError):
                    client.sendall(begun)
                    while not over.wait(0.05):
                        client.sendall(b"a")

            thread = threading.Thread(target=drip, daemon=True)
            thread.start()
            with pytest.raises(ComputeAway, match="does not answer"):
                Api(f"http://127.0.0.1:{server.getsockname()[1]}").version()
            over.set()
            thread.join(10)
