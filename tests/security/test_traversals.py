"""No file outside its folder is read or written, however its path is spelled.

Which routes take paths is read from the URL configuration, by the names of their parameters: a
parameter of a new name fails here until it is said whether it may come near a file.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import httpx
import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import get_resolver

from studio.models import Role, User, Workspace
from studio.services import create_token
from sweeps.gateway import owners, upstream
from sweeps.models import Attempt, Sweep
from sweeps.queries.places import spool_of
from sweeps.services import trials
from tests.api.acts import DONE, end, log
from tests.security.traversals import climbs

CANARY = b"canary-in-a-file-that-nobody-may-read"
MODEL = "m-" + "a" * 32
# Parameters of routes that become a part of a path, and those that name rows and nothing else.
NEAR_FILES = {"path", "rest", "stream", "digest", "kind"}
# (`key` and `verb`: of the relay, to which nothing is asked by GET; see tests/runners/relay.)
ROWS = {"ws", "name", "number", "pk", "secret", "run_id", "channel_id", "key", "verb"}
# Parameters of queries that do, by route.
QUERIES = {
    "trials/{n}/artifacts/?path=": "inner/a.txt",
    "trials/{n}/artifacts/?model=": MODEL,
    "trials/{n}/artifacts.zip?path=": "inner",
    "trials/{n}/artifacts.zip?model=": MODEL,
    "trials/{n}/artifacts/a.txt?model=": MODEL,
}
KNOWN = {
    "path": "inner/a.txt", "stream": "stdout", "kind": "parallel", "digest": "0f" * 32,
    "rest": "api/2.0/mlflow-artifacts/artifacts/7/RUN/artifacts/inner/a.txt",
}  # fmt: skip


def walk(patterns: Any, at: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = at + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route


ROUTES = list(walk(get_resolver().url_patterns))


def parameters(route: str) -> set[str]:
    return set(re.findall(r"<(?:\w+:)?(\w+)>", route))


FILE_ROUTES = sorted(route for route in ROUTES if parameters(route) & NEAR_FILES)


def test_every_parameter_of_every_route_is_judged() -> None:
    assert {name for route in ROUTES for name in parameters(route)} == NEAR_FILES | ROWS
    assert len(FILE_ROUTES) >= 15


def test_every_parameter_of_a_query_that_is_a_path_is_known() -> None:
    sources = (Path(django_settings.BASE_DIR) / "sweeps" / "views").glob("*.py")
    found = [
        path.name
        for path in sources
        if re.search(r'GET(\.get\(|\[)"(path|model|file|folder|dir)"', path.read_text())
    ]
    assert found == ["artifacts.py"], "say in QUERIES what else there is"


def test_there_are_two_hundred_ways() -> None:
    assert len(set(climbs(200))) == 200
    assert len(set(climbs())) > 700


@dataclass
class Stage:
    """A trial that has left files and links, a canary above them, and who looks at it."""

    root: Path
    page: Client
    program: Client
    run: str
    asked: list[str]

    def address(self, route: str, tail: str | None) -> str:
        """The route with what there is in its places, and the tail in that of a path."""
        values = {"ws": "default", "name": Sweep.objects.get().name, "number": "0"}

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            known = KNOWN.get(name, values.get(name, "1")).replace("RUN", self.run)
            if name == "rest" and tail is not None:
                return known.removesuffix("inner/a.txt") + tail
            return known if tail is None or name not in NEAR_FILES else tail

        return re.sub(r"<(?:\w+:)?(\w+)>", fill, route)

    def get(self, raw: str, method: str = "GET", **more: Any) -> tuple[int, bytes]:
        """Status and body of an answer, read to its end."""
        answer = self.send(raw, method, **more)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, body

    def send(self, raw: str, method: str = "GET", **more: Any) -> Any:
        """As a server would hand on what stands in the first line of a request."""
        path, _, query = raw.partition("#")[0].partition("?")
        client = self.program if raw.startswith(("/api/", "/tracking/")) else self.page
        return client.generic(
            method,
            "/",
            PATH_INFO=unquote_to_bytes(path).decode("latin-1"),
            QUERY_STRING=query,
            **more,
        )


def files_left(sweep: Sweep, home: Path, now: Any) -> Attempt:
    """Trial 0 has ended and left files, a log and links that lead out."""
    trial = sweep.trials.create(number=0, params={"lr": 0.5})
    found = trials.claim(trial.pk, owner="tests", spool_root=home / "trials", now=now)
    assert found is not None
    trials.record_run(found.attempt, "run0")
    assert trials.record_started(found.attempt, "handle", now)
    attempt = Attempt.objects.select_related("trial__sweep").get(pk=found.attempt.pk)
    log(attempt, [0.5])
    end(attempt, now, DONE)
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id="7")
    spool = spool_of(attempt)
    for place in (
        home / "artifacts/7/run0/artifacts",
        home / f"artifacts/7/models/{MODEL}/artifacts",
    ):
        (place / "inner").mkdir(parents=True)
        (place / "inner" / "a.txt").write_text("mine")
        (place / "a.txt").write_text("mine")
        (place / "link").symlink_to(home.parent)
        (place / "file-link").symlink_to(home.parent / "canary")
        (place / "inner" / "up").symlink_to(home)
        os.mkfifo(place / "pipe")
    spool.mkdir(parents=True, exist_ok=True)
    (spool / "stdout.log").write_text("mine\n")
    (spool / "stderr.log").symlink_to(home.parent / "canary")
    (spool / "linked.log").symlink_to(home.parent / "canary")
    return attempt


@pytest.fixture
def stage(
    sweep: Sweep, workspace: Workspace, bob: User, settings: Any, tmp_path: Path, now: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:  # fmt: skip
    home = tmp_path / "home"
    settings.STUDIO_HOME, settings.TRACKING_ARTIFACTS = home, home / "artifacts"
    attempt = files_left(sweep, home, now)
    for above in (tmp_path, home, *home.iterdir(), spool_of(attempt).parent):
        (above / "canary").write_bytes(CANARY)
    page = Client()
    page.force_login(bob)
    secret = create_token(workspace, bob, role=Role.CONTRIBUTOR, name="t", now=now).secret
    found = Stage(tmp_path, page, Client(headers={"Authorization": f"Bearer {secret}"}), "run0", [])

    def answer(request: httpx.Request) -> httpx.Response:
        """The tracking server: knows one run; whatever file is asked of it holds the canary."""
        raw = request.url.raw_path.decode()
        if raw.startswith("/api/2.0/mlflow/runs/get?run_id=run0"):
            run = {"info": {"experiment_id": "7"}, "data": {}}
            return httpx.Response(200, json={"run": run})
        if raw.startswith("/api/2.0/mlflow/experiments/get?experiment_id=7"):
            return httpx.Response(200, json={"experiment": {"name": "default/x"}})
        if "mlflow-artifacts" in raw:
            found.asked.append(raw)
            return httpx.Response(200, stream=httpx.ByteStream(b"mine"))
        return httpx.Response(404, json={})

    line = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://tracking")
    monkeypatch.setattr(upstream, "client", lambda: line)
    owners.forget()
    yield found
    owners.forget()


def climb(stage: Stage, ways: list[str], elsewhere: int = 1) -> int:
    """Try all ways at all routes that take whole paths, and each `elsewhere`-th at the others,
    which take one word; how many requests that were."""
    count, root = 0, str(stage.root).lstrip("/")
    queries = [f"/w/default/sweeps/<str:name>/{route.format(n=0)}" for route in QUERIES]
    for route in [*FILE_ROUTES, *queries]:
        step = 1 if "path:" in route else max(1, elsewhere // 3) if "?path" in route else elsewhere
        for way in ways[::step]:
            tail = way.replace("ROOT", root)
            raw = stage.address(route, tail) + (tail.replace("&", "%26") if "?" in route else "")
            status, body = stage.get(raw)
            assert CANARY not in body, raw
            assert status < 500, (raw, status)
            count += 1
    return count


def stayed_inside(asked: list[str]) -> None:
    """What the tracking server was asked for is the run's own, however often it is decoded."""
    for raw in asked:
        path = raw
        for _ in range(5):
            path = unquote(path)
        own = path.removeprefix("/api/2.0/mlflow-artifacts/artifacts/7/run0/artifacts/")
        assert own != path, raw
        assert not {"..", ".", ""} & set(own.split("/")), raw
        assert not set("\\;#?%\0") & set(own), raw


@pytest.mark.django_db
def test_what_is_there_is_found(stage: Stage) -> None:
    """Else all that follows would say nothing."""
    found = {route: stage.get(stage.address(route, None)) for route in FILE_ROUTES}
    for route, (status, body) in found.items():
        if "artifacts/<path" in route or "rest" in route:
            assert (status, body) == (200, b"mine"), route
        if "stream" in route:
            assert status == 200, route
            assert b"mine" in body, route


@pytest.mark.django_db
def test_no_way_leads_out(stage: Stage) -> None:
    assert climb(stage, climbs(200), elsewhere=15) >= 800
    stayed_inside(stage.asked)
    for number, way in enumerate(climbs(200)[::3]):
        tail = way.replace("ROOT", str(stage.root).lstrip("/"))
        for method in ("PUT", "DELETE")[number % 2 :][:1]:
            raw = stage.address("/tracking/<str:ws>/<path:rest>", tail)
            status, _ = stage.get(raw, method, data=b"x")
            assert status < 500, raw
    stayed_inside(stage.asked)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.timeout(1800)
def test_no_way_at_all_leads_out(stage: Stage) -> None:
    climb(stage, climbs())
    stayed_inside(stage.asked)


@pytest.mark.django_db
def test_a_log_that_a_script_made_a_link_is_not_followed(stage: Stage) -> None:
    for tail in ("stderr", "linked"):
        for route in FILE_ROUTES:
            if "stream" in route:
                assert CANARY not in stage.get(stage.address(route, tail))[1]


@pytest.mark.django_db
def test_every_file_says_what_it_is_not(stage: Stage) -> None:
    """Any answer that is no page of ours and no JSON is to be saved, not guessed at, not kept."""
    place = django_settings.TRACKING_ARTIFACTS / "7/run0/artifacts"
    (place / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (place / "evil.svg").write_text("<svg onload='alert(1)'/>")
    base = stage.address("/w/<ws>/sweeps/<str:name>/trials/<int:number>/artifacts", None)
    more = [f"{base}/{name}?show=1" for name in ("plot.png", "evil.svg")]
    seen = set()
    for address in [*(stage.address(route, None) for route in ROUTES), f"{base}.zip", *more]:
        answer = stage.send(address)
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        is_said = answer.headers.get("Content-Disposition", "").partition(";")[0]
        if answer.streaming:
            b"".join(answer.streaming_content)
        if answer.status_code != 200 or (kind in ("text/html", "application/json") and not is_said):
            continue
        seen.add(address)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", address
        assert "no-store" in answer.headers.get("Cache-Control", ""), address
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy or "sandbox" in policy, address
        if address.endswith("plot.png?show=1"):
            assert (kind, is_said) == ("image/png", "inline")
        elif kind not in ("text/plain", "application/yaml"):  # no browser makes a page of these
            assert is_said == "attachment", address
        if "/artifacts" in address:
            assert policy == "sandbox; default-src 'none'", address
    assert len(seen) >= 10
