"""One of several hosts: what it is called, what it has, what it cannot do without."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from studio import hosts
from studio.parts import parts, witness
from studio.supervisor import home
from sweeps.queries import health
from tests.e2e.studios import CHECKOUT, environment, manage

WHOLE = {
    "node": "a",
    "parts": hosts.PARTS,
    "database": "postgresql://x/y",
    "redis": "redis://x",
    "store": "postgresql+psycopg://x/z",
    "tracking": "",
}


def test_parts_are_named_in_any_order_and_all_are_meant_by_none() -> None:
    assert hosts.parts_from(["web", "engine"]) == ("engine", "web")
    assert hosts.parts_from([]) == hosts.PARTS
    with pytest.raises(ImproperlyConfigured, match="“wbe”; the parts are engine, queue, web"):
        hosts.parts_from(["web", "wbe"])


def test_a_host_with_some_of_the_parts_is_one_of_several() -> None:
    assert hosts.node_from("", hosts.PARTS) == ""
    assert hosts.node_from("b", hosts.PARTS) == "b"
    assert hosts.node_from("", ("web",)) != ""
    with pytest.raises(ImproperlyConfigured, match="STUDIO_NODE must be"):
        hosts.node_from("../b", ("web",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"database": ""}, "needs DATABASE_URL: SQLite"),
        ({"redis": ""}, "needs REDIS_URL: SQLite"),
        ({"store": "sqlite:///x"}, "needs STUDIO_TRACKING_STORE: SQLite"),
        ({"database": "", "redis": ""}, "needs DATABASE_URL, REDIS_URL"),
        ({"parts": ("web",)}, "STUDIO_TRACKING_URL"),
        ({"tracking": "third:5000"}, "must begin with http"),
    ],
)
def test_what_several_hosts_cannot_do_without(change: dict[str, object], said: str) -> None:
    hosts.check(**WHOLE)
    with pytest.raises(ImproperlyConfigured, match=said):
        hosts.check(**(WHOLE | change))


def test_what_a_host_may_lack() -> None:
    hosts.check(**(WHOLE | {"node": "", "database": "", "redis": "", "store": "sqlite:///x"}))
    hosts.check(**(WHOLE | {"parts": ("engine",)}))
    hosts.check(**(WHOLE | {"parts": ("web",), "tracking": "http://third:5000"}))


def test_an_address_to_listen_on() -> None:
    assert hosts.address_from("") == ("", 0)
    assert hosts.address_from("0.0.0.0:5000") == ("0.0.0.0", 5000)
    assert hosts.address_from("[::]:5000") == ("::", 5000)
    for wrong in ("5000", ":5000", "here:", "here:70000"):
        with pytest.raises(ImproperlyConfigured, match="ADDRESS:PORT"):
            hosts.address_from(wrong)


def test_the_command_says_what_is_missing_in_a_sentence(tmp_path: Path) -> None:
    done = manage(tmp_path, 1, "studio", "--parts", "web,tracking")
    assert done.returncode == 1
    assert done.stderr.startswith("studio: A studio over several hosts (this one is “")
    assert "DATABASE_URL, REDIS_URL, STUDIO_TRACKING_STORE" in done.stderr


def test_what_is_the_hosts_own_lies_apart(tmp_path: Path, settings) -> None:
    settings.STUDIO_HOME, settings.STUDIO_NODE = tmp_path, ""
    assert (hosts.own_folder(), hosts.own("engine")) == (tmp_path, "engine")
    settings.STUDIO_NODE = "b"
    assert (hosts.own_folder(), hosts.own("engine")) == (tmp_path / "hosts" / "b", "engine@b")


def test_a_host_without_web_has_one_who_answers_for_it(tmp_path: Path, settings) -> None:
    settings.TRACKING_SECRET_FILE = tmp_path / "secret"
    assert ([part.name for part in parts(1, [])], witness()) == ([*hosts.PARTS], "web")
    settings.STUDIO_PARTS = ("engine", "queue")
    assert [part.name for part in parts(1, [])] == ["engine", "queue", "health"]
    assert health.without_database().keys() == {"engine", "queue", "health", "database"}


def test_who_is_alone_and_who_shares_keep_each_other_out(tmp_path: Path) -> None:
    refused = pytest.raises(ImproperlyConfigured, match="several hosts")
    with home.share(tmp_path), home.share(tmp_path), refused:
        home.lock(tmp_path, "http://127.0.0.1:1")
    refused = pytest.raises(ImproperlyConfigured, match=r"already \(pid")
    with home.lock(tmp_path, "http://127.0.0.1:1"), refused:
        home.share(tmp_path)


def test_of_many_processes_that_make_a_secret_all_have_the_same(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, studio.env as e; sys.stdin.read(); "
        "print(e.kept_secret(pathlib.Path(sys.argv[1])))"
    )
    made = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "secret")],
            cwd=CHECKOUT,
            env=environment(tmp_path, 1),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for process in made:
        process.stdin.close()
    told = {process.stdout.read().strip() for process in made}
    for process in made:
        process.stdout.close()
        assert process.wait() == 0
    assert [len(secret) for secret in told] == [64]
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
