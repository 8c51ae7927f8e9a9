"""The supervisor on real processes: alive, told apart, and ended in order."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.runners.processes import state_and_parent, wait_for
from tests.supervisor.conftest import Small

Start = Callable[..., Small]


def is_gone(pid: int) -> bool:
    return state_and_parent(pid)[0] in ("gone", "Z", "X")


def test_each_line_of_the_log_says_which_part_wrote_it(small: Start) -> None:
    studio = small("orderly=engine", "web")
    studio.said("engine   | working")
    studio.said("web      | serving")
    studio.said("studio   | ready")
    assert studio.stop() == 0


def test_what_waits_is_prepared_and_started_once_the_witness_answers(small: Start) -> None:
    studio = small("+orderly=engine", "web")
    studio.said("studio   | ready")
    studio.said("engine   | working")
    before = [
        line for line in studio.text() if line not in ("studio   | ready", "engine   | working")
    ]
    assert [line.partition("| ")[2] for line in before] == ["serving", "web answers", "preparing"]
    assert studio.text()[:3] == before
    assert studio.stop() == 0


def test_what_waits_is_started_all_the_same_if_the_witness_never_answers(small: Start) -> None:
    studio = small("+orderly=engine", "falls=web")
    studio.said("engine   | working")
    assert not any("web answers" in line for line in studio.text())
    assert studio.stop() == 0


def test_a_part_that_falls_is_started_again_after_growing_waits(small: Start) -> None:
    studio = small("falls", "web")
    first, second, third = studio.said("falls    | falling", times=3)[:3]
    assert second - first >= 0.1
    assert third - second >= 0.4
    assert "falls    | ended (exit code 3); starting again in 0.1 s" in studio.text()
    assert studio.stop() == 0


def test_a_killed_part_is_started_again_and_the_others_are_left_alone(small: Start) -> None:
    studio = small("orderly=engine", "orderly=queue", "web")
    studio.said("studio   | ready")
    engine, queue = studio.pid_of("engine"), studio.pid_of("queue")
    os.kill(engine, signal.SIGKILL)
    studio.said("engine   | working", times=2)
    assert "engine   | ended (killed by SIGKILL); starting again in 0.1 s" in studio.text()
    assert studio.pid_of("engine") != engine
    assert studio.pid_of("queue") == queue
    assert studio.stop() == 0


def test_what_a_killed_part_left_is_ended_before_its_successor_starts(small: Start) -> None:
    studio = small("works", "web")
    studio.said("studio   | ready")
    path = studio.home / "worker"
    worker = int(wait_for(lambda: path.exists() and path.read_text(), "the worker"))
    os.kill(studio.pid_of("works"), signal.SIGKILL)
    wait_for(lambda: is_gone(worker), "the end of the worker")
    wait_for(lambda: path.read_text() not in ("", str(worker)), "another worker")
    assert studio.stop() == 0


def servers(studio: Small, count: int) -> list[int]:
    """Wait for so many servers in turn; returns their pids."""

    def found() -> list[int] | None:
        said = [line.split()[-1] for line in studio.text() if "tracking | serving" in line]
        return [int(pid) for pid in said] if len(said) >= count else None

    return wait_for(found, f"server {count} in {studio.text()}")


def in_session(leader: int) -> set[int]:
    """The living processes of the session that a part began, of whatever group."""
    found = {int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()}
    return {pid for pid in found if not is_gone(pid) and session_of(pid) == leader}


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def test_an_heir_takes_the_place_of_a_killed_stand_by_without_a_new_import(small: Start) -> None:
    studio = small("stands=tracking", "web")
    studio.said("studio   | ready")
    first = before = studio.pid_of("tracking")
    for times in (1, 2, 3):
        servers(studio, times)
        wait_for(lambda: len(in_session(first)) == 3, "stand-by, heir and server")
        os.kill(before, signal.SIGKILL)
        studio.said("tracking | ended (killed by SIGKILL); its stand-by goes on", times)
        wait_for(lambda before=before: studio.pid_of("tracking") != before, "the heir on record")
        before = studio.pid_of("tracking")
    assert len(set(servers(studio, 4))) == 4
    assert studio.text().count("tracking | imported") == 1
    assert studio.stop() == 0
    assert in_session(first) == set()


def test_no_heir_outlives_both_its_stand_by_and_the_supervisor(small: Start) -> None:
    studio = small("stands=tracking", "web")
    studio.said("studio   | ready")
    stand_by = studio.pid_of("tracking")
    servers(studio, 1)
    wait_for(lambda: len(in_session(stand_by)) == 3, "stand-by, heir and server")
    studio.process.kill()
    os.kill(stand_by, signal.SIGKILL)
    wait_for(lambda: in_session(stand_by) == set(), "the end of them all")


def test_an_heir_that_took_over_ends_with_the_supervisor(small: Start) -> None:
    studio = small("stands=tracking", "web")
    studio.said("studio   | ready")
    first = studio.pid_of("tracking")
    servers(studio, 1)
    wait_for(lambda: len(in_session(first)) == 3, "stand-by, heir and server")
    os.kill(first, signal.SIGKILL)
    studio.said("tracking | ended (killed by SIGKILL); its stand-by goes on")
    servers(studio, 2)
    studio.process.kill()
    wait_for(lambda: in_session(first) == set(), "the end of them all")


def test_a_stand_by_that_is_killed_with_its_heir_is_started_anew(small: Start) -> None:
    studio = small("stands=tracking", "web")
    studio.said("studio   | ready")
    first = studio.pid_of("tracking")
    servers(studio, 1)
    os.killpg(first, signal.SIGKILL)
    studio.said("tracking | imported", times=2)
    assert studio.stop() == 0


def test_a_part_that_is_not_healthy_is_killed_and_started_again(small: Start) -> None:
    studio = small("stubborn=engine", "orderly=queue", "web")
    studio.said("studio   | ready")
    queue = studio.pid_of("queue")
    studio.tell_states(engine="down", queue="up", web="up")
    studio.said("engine   | does not answer; it is started again")
    studio.said("engine   | stubborn", times=2)
    assert studio.pid_of("queue") == queue
    studio.stop()


def test_while_the_health_page_is_silent_only_the_part_that_serves_it_is_blamed(
    small: Start,
) -> None:
    studio = small("orderly=engine", "web")
    studio.said("studio   | ready")
    engine = studio.pid_of("engine")
    (studio.home / "mute").touch()
    studio.said("web      | does not answer; it is started again")
    assert studio.pid_of("engine") == engine
    assert "engine   | does not answer; it is started again" not in studio.text()
    (studio.home / "mute").unlink()
    assert studio.stop() == 0


def test_without_a_database_only_those_are_spared_that_are_known_from_there(
    small: Start,
) -> None:
    studio = small("orderly=engine", "web", "stubborn=tracking")
    studio.said("studio   | ready")
    engine = studio.pid_of("engine")
    studio.tell_states(engine="down", tracking="down", web="up", database="down")
    studio.said("tracking | does not answer; it is started again")
    studio.said("tracking | stubborn", times=2)
    assert studio.pid_of("engine") == engine
    studio.stop()


def test_ctrl_c_ends_the_parts_one_after_the_other_in_their_order(small: Start) -> None:
    studio = small("orderly=engine", "orderly=queue", "web", "orderly=tracking")
    studio.said("studio   | ready")
    pids = [studio.pid_of(name) for name in ("engine", "queue", "web", "tracking")]
    assert studio.stop() == 0
    assert (studio.home / "stops").read_text().split() == ["engine", "queue", "tracking"]
    assert all(is_gone(pid) for pid in pids)
    assert studio.text()[-1] == "studio   | stopped"


def test_the_parts_do_not_get_the_terminals_ctrl_c(small: Start) -> None:
    studio = small("orderly=engine", "web")
    studio.said("studio   | ready")
    assert os.getpgid(studio.pid_of("engine")) == studio.pid_of("engine")
    assert os.getpgid(studio.process.pid) == studio.process.pid
    assert studio.stop() == 0


def test_hangup_tells_the_engine_to_leave_its_trials(small: Start) -> None:
    studio = small("orderly=engine", "orderly=queue", "web")
    studio.said("studio   | ready")
    assert studio.stop(signal.SIGHUP) == 0
    assert "studio   | stopping, trials stay running" in studio.text()
    assert (studio.home / "hangup").exists()
    assert (studio.home / "stops").read_text().split() == ["engine", "queue"]


def test_a_part_that_ignores_its_signal_is_killed_after_its_grace(small: Start) -> None:
    studio = small("stubborn=engine", "web")
    studio.said("studio   | ready")
    engine, began = studio.pid_of("engine"), time.monotonic()
    assert studio.stop() == 0
    assert 1.0 <= time.monotonic() - began < 10.0
    assert is_gone(engine)


def test_a_second_ctrl_c_ends_everything_at_once(small: Start, tmp_path: Path) -> None:
    studio = small(*(f"stubborn=p{n}" for n in range(6)), "web")
    studio.said("studio   | ready")
    pids = [studio.pid_of(f"p{n}") for n in range(6)]
    studio.process.send_signal(signal.SIGINT)
    studio.said("studio   | stopping")
    began = time.monotonic()
    assert studio.stop() == 0
    assert time.monotonic() - began < 5.0  # six graces would take six seconds
    assert all(is_gone(pid) for pid in pids)


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(small: Start) -> None:
    first = small("stubborn=engine", "web")
    first.said("studio   | ready")
    left = [first.pid_of("engine"), first.pid_of("web")]
    first.process.kill()
    first.process.wait(timeout=30)
    assert not any(is_gone(pid) for pid in left)
    second = small("stubborn=engine", "web")
    second.said("studio   | ended engine, left by an earlier start")
    second.said("studio   | ended web, left by an earlier start")
    second.said("studio   | ready")
    assert all(is_gone(pid) for pid in left)
    second.stop()


def test_orphans_of_a_part_become_the_supervisors_and_are_reaped(small: Start) -> None:
    studio = small("orphans", "web")
    studio.said("orphans  | orphaned")
    path = studio.home / "orphan"
    pid = int(wait_for(lambda: path.exists() and path.read_text(), "the orphan"))
    wait_for(lambda: state_and_parent(pid)[1] == studio.process.pid, "its adoption")
    (studio.home / "orphan-may-end").touch()
    wait_for(lambda: state_and_parent(pid)[0] == "gone", "the orphan's reaping")
    studio.stop()


def test_a_second_supervisor_on_the_same_home_is_refused(small: Start) -> None:
    first = small("orderly=engine", "web")
    first.said("studio   | ready")
    second = small("orderly=engine", "web")
    assert second.process.wait(timeout=30) == 1
    wait_for(lambda: any("runs on" in line for line in second.text()), "its words")
    assert f"(pid {first.process.pid}, a test)" in second.text()[-1]
    assert first.process.poll() is None
    assert first.stop() == 0
