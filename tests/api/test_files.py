"""What trials stored, from the real tracking server, and the table of trials as CSV."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytest

from sweeps.domain.space_doc import parse_space
from sweeps.engine.tracking import tracking
from sweeps.gateway import upstream
from sweeps.models import Sweep, Trial
from tests.api.acts import play
from tests.api.conftest import Caller
from tests.gateway.conftest import tracking_line, tracking_server

__all__ = ["tracking_line", "tracking_server"]


def url(sweep: Sweep, path: str = "") -> str:
    return f"/workspaces/default/sweeps/{sweep.name}/trials{path}"


@pytest.fixture
def stored(sweep: Sweep, now: Any, tracking_line: Any) -> Sweep:
    """Trial 0 has stored model/ä b.html and notes.txt; there is a secret beside its artifacts."""
    play(sweep, now, [0.5])
    experiment = tracking().get_or_create_experiment("default/files", {})
    run = tracking().create_run(experiment, "r", {})
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id=experiment)
    Trial.objects.filter(sweep=sweep, number=0).update(run_id=run)
    for name, content in (("notes.txt", b"hello"), ("model/ä b.html", b"<script>" * 10_000)):
        place = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{name}"
        assert upstream.send("PUT", place, content=content).is_success
    return sweep


def test_artifacts_are_listed_and_downloaded(api: Caller, stored: Sweep) -> None:
    base = url(stored, "/0/artifacts")
    top = api.get(base).json()
    assert top == {
        "items": [
            {"path": "model", "is_dir": True, "size": None},
            {"path": "notes.txt", "is_dir": False, "size": 5},
        ],
        "next_cursor": None,
    }
    inner = [{"path": "model/ä b.html", "is_dir": False, "size": 80_000}]
    for path in ("model", "model/"):
        assert api.get(f"{base}/{path}").json()["items"] == inner
    got = api.get(f"{base}/model/ä b.html")
    assert b"".join(got.streaming_content) == b"<script>" * 10_000
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"].startswith("sandbox")
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"_ b.html\"; filename*=UTF-8''%C3%A4%20b.html"
    )
    assert got.headers["Content-Length"] == "80000"
    strange = ("nothing", "model/nothing", "..", "../x", "model/../notes.txt", "/etc/passwd")
    odd = ("%2e%2e/x", "..%2fx", "model//ä b.html", "./notes.txt", "a" * 5000, "x\\..\\y")
    for path in strange + odd:
        response = api.get(f"{base}/{path}")
        assert response.status_code == 404, path
        assert response.json()["error"]["code"] == "not_found"
    assert api.get(url(stored, "/1/artifacts")).json() == {"items": [], "next_cursor": None}


def test_artifacts_are_had_without_the_tracking_server(
    api: Caller, sweep: Sweep, now: Any, settings: Any, tmp_path: Path
) -> None:
    play(sweep, now, [0.5])
    settings.TRACKING_ARTIFACTS = tmp_path
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id="7")
    root = tmp_path / "7" / Trial.objects.get(sweep=sweep, number=0).run_id / "artifacts"
    root.mkdir(parents=True)
    (root / "50%; a#b?.txt").write_text("hello")
    (root / "link").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    base = url(sweep, "/0/artifacts")
    assert [one["path"] for one in api.get(base).json()["items"]] == ["50%; a#b?.txt"]
    got = api.get(f"{base}/50%25; a%23b%3F.txt")
    assert b"".join(got.streaming_content) == b"hello"
    for path in ("link", "link/passwd", "pipe"):
        assert api.get(f"{base}/{path}").status_code == 404, path


def test_artifacts_come_in_pages(
    api: Caller, sweep: Sweep, now: Any, settings: Any, tmp_path: Path
) -> None:
    play(sweep, now, [0.5])
    settings.TRACKING_ARTIFACTS = tmp_path
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id="7")
    root = tmp_path / "7" / Trial.objects.get(sweep=sweep, number=0).run_id / "artifacts"
    for folder in (root, root / "in"):
        folder.mkdir(parents=True)
        for number in range(5):
            (folder / f"{number}.txt").write_text("x")
    base = url(sweep, "/0/artifacts")
    for place, names in (("", ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "in"]),
                         ("/in", [f"in/{n}.txt" for n in range(5)])):  # fmt: skip
        found, cursor = [], ""
        while cursor is not None:
            page = api.get(f"{base}{place}?limit=2&cursor={cursor}").json()
            found += [item["path"] for item in page["items"]]
            assert len(page["items"]) <= 2
            cursor = page["next_cursor"]
        assert found == names
    first = api.get(f"{base}?limit=2").json()["next_cursor"]
    assert api.get(f"{base}/in?limit=2&cursor={first}").status_code == 422, "of another folder"
    assert api.get(f"{base}?limit=1001").status_code == 422


def test_the_trials_as_csv(api: Caller, make_sweep: Any, now: Any) -> None:
    space = {
        "lr": {"type": "choice", "values": [0.5]},
        "b": {"type": "choice", "values": ["=1+1"]},
        "on": {"type": "choice", "values": [True]},
    }
    sweep = make_sweep(search_space=parse_space(space), command="python t.py ${{args}}")
    play(sweep, now.replace(microsecond=123_456), [0.25, None])
    response = api.get(url(sweep) + ".csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    text = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["number"] for row in rows] == [str(n) for n in range(sweep.trials.count())]
    first, second = rows[0], rows[1]
    assert (first["params.lr"], first["params.b"], first["params.on"]) == ("0.5", "'=1+1", "true")
    assert (first["status"], first["objective"], first["metrics.loss"]) == (
        "Completed",
        "0.25",
        "0.25",
    )
    assert (first["started_at"], first["duration_s"]) == ("2026-03-01T12:00:00.123Z", "5.0")
    told = api.get(url(sweep, "/0")).json()
    assert [first[name] for name in ("started_at", "ended_at")] == [
        told[name] for name in ("started_at", "ended_at")
    ]
    assert (second["status"], second["objective"], second["metrics.loss"]) == ("Failed", "", "")
    assert list(first)[:3] == ["number", "status", "objective"]
    assert list(first)[-5:] == ["picked_by", "pinned", "tags", "note", "reason"]
