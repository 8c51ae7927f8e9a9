"""The port of a studio whose supervisor was killed may be held a moment longer."""

import socket
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from studio.supervisor.home import listen, remember, was_killed
from studio.supervisor.processes import Identity


def test_a_port_that_an_orphan_holds_is_waited_for_and_anybody_elses_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ImproperlyConfigured, match="cannot be used"):
            listen("127.0.0.1", port, 0.2)
        threading.Timer(0.3, taken.close).start()
        listen("127.0.0.1", port, 10.0).close()


def test_only_a_supervisor_that_was_killed_leaves_a_record(tmp_path: Path) -> None:
    assert not was_killed(tmp_path)
    remember(tmp_path, {"web": Identity(1, 2, "boot")})
    assert was_killed(tmp_path)
    remember(tmp_path, {})
    assert not was_killed(tmp_path)
