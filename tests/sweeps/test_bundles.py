"""A sweep goes out as one file and comes back whole, or not at all."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.test import Client

from studio.models import User, Workspace
from sweeps import intake, intake_bundles
from sweeps.domain.job import Sampling, StopRules
from sweeps.domain.problems import InvalidInput
from sweeps.intake_bundles import bundled, import_bundle
from sweeps.models import CodeSnapshot, MetricPoint, MetricSummary, Sweep, Trial
from sweeps.queries.best import best_of
from sweeps.queries.lanes import lanes_of
from sweeps.services.marks import mark_trial
from sweeps.services.sweeps import advance, create_sweep
from tests.api.acts import log, play, start
from tests.conftest import NOW, job

ORIGIN = "https://far.example/w/default/sweeps/first/"
Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; the list of the studio's packages, which takes a moment, is short."""
    settings.STUDIO_HOME = tmp_path / "home"
    settings.STUDIO_HOME.mkdir()
    (tmp_path / "own.txt").write_text("Django==5.2\n")
    monkeypatch.setattr(intake_bundles.own, "constraints", lambda _root: tmp_path / "own.txt")
    return settings.STUDIO_HOME


@pytest.fixture
def code(workspace: Workspace, tmp_path: Path) -> CodeSnapshot:
    folder = tmp_path / "code"
    (folder / "lib").mkdir(parents=True)
    (folder / "train.py").write_text("print(1)\n")
    (folder / "lib" / "a.txt").write_text("a")
    (folder / ".gitignore").write_text("nothing\n")
    (folder / "vocabulary.part").write_text("a half\n")
    return intake.keep_folder(workspace, str(folder))


@pytest.fixture
def first(workspace: Workspace, compute: Any, code: CodeSnapshot) -> Sweep:
    """Four trials, the second failed, the third picked by a person; a rule that would end it."""
    made = create_sweep(
        workspace, job(name="first", stop_rules=StopRules(target_value=0.0)), compute=compute,
        code=code, user=None, now=NOW, rng=Random(1),
    )  # fmt: skip
    play(made, NOW, [0.5, None, 0.25, float("inf")])
    Trial.objects.filter(sweep=made, number=2).update(picked_by="bob", draw={})
    return made


def packed(sweep: Sweep, **options: Any) -> bytes:
    return b"".join(bundled(sweep, ORIGIN, NOW, **options))


def files_of(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def bring(workspace: Workspace, data: bytes, *, replay: bool = False, ticket: str = "") -> Sweep:
    return import_bundle(
        workspace, io.BytesIO(data), "b.zip", replay=replay, user=None, now=NOW, rng=Random(2),
        ticket=ticket,
    )  # fmt: skip


def told(sweep: Sweep) -> list[Any]:
    """All of a sweep's trials that a page could show."""
    columns = (
        "number", "status", "reason", "params", "flat_params", "draw", "objective", "last_value",
        "best_report", "reports", "signature", "picked_by", "started_at", "ended_at",
    )  # fmt: skip
    metrics = ("trial__number", "name", "count", "last", "kind", "lowest", "highest", "total")
    summaries = MetricSummary.objects.filter(trial__sweep=sweep).order_by("trial__number", "name")
    return [*sweep.trials.order_by("number").values(*columns), *summaries.values(*metrics)]


def points(sweep: Sweep) -> list[Any]:
    rows = MetricPoint.objects.filter(attempt__trial__sweep=sweep)
    columns = ("report", "step", "value", "kind", "timestamp_ms", "best", "mean")
    return list(rows.order_by("attempt__trial__number", "report").values_list(*columns))


def test_a_bundle_holds_all_of_a_sweep(first: Sweep) -> None:
    files = files_of(packed(first))
    assert set(files) == {
        "README.txt", "bundle.json", "job.yml", "packages.txt", "trials.jsonl",
        "code/train.py", "code/lib/a.txt", "code/.gitignore", "code/vocabulary.part",
    }  # fmt: skip
    facts = json.loads(files["bundle.json"])
    assert (facts["seed"], facts["status"], facts["origin"]) == (7, first.status, ORIGIN)
    lines = [json.loads(line) for line in files["trials.jsonl"].splitlines()]
    assert [line["number"] for line in lines] == [0, 1, 2, 3]
    assert lines[3]["metrics"]["loss"]["last"] == "Infinity"
    assert "points" not in lines[0]
    assert b"code: ./code" in files["job.yml"]
    assert b"Django==" in files["packages.txt"]


@pytest.mark.parametrize("with_points", [False, True])
def test_an_imported_sweep_is_as_it_was(
    first: Sweep, workspace: Workspace, compute: Any, with_points: bool, home: Path
) -> None:
    data, was, logged = packed(first, points=with_points), told(first), points(first)
    status, best = (first.status, first.reason), best_of(first)
    kept = [p.name for p in (home / "code").iterdir()]
    Sweep.objects.all().delete()
    CodeSnapshot.objects.all().delete()
    back = bring(workspace, data)
    assert back.name == "first"
    assert told(back) == was
    assert points(back) == (logged if with_points else [])
    assert (back.status, back.reason) == status
    assert (back.seed, back.planned, back.run_id, back.is_dry_run) == (7, 4, "", False)
    assert back.properties["imported_from"] == ORIGIN
    assert ORIGIN in back.notes[-1]
    found = best_of(back)
    assert best
    assert found
    assert found.trial.number == best.trial.number == 2
    assert back.code
    assert [back.code.digest] == kept
    assert [p.name for p in (home / "code").iterdir()] == kept, "no folder is left over"


def test_a_note_in_an_imported_sweep_has_only_its_own_trial_read_again(
    first: Sweep, workspace: Workspace
) -> None:
    back = bring(workspace, packed(first))
    seen = back.revision
    assert mark_trial(back.trials.get(number=0), note="looked at")
    back.refresh_from_db()
    newer = back.trials.filter(revision__gt=seen)
    assert list(newer.values_list("number", "revision")) == [(0, back.revision)]


def test_a_second_import_gets_a_name_of_its_own_and_a_ticket_makes_one(
    first: Sweep, workspace: Workspace
) -> None:
    data = packed(first)
    one, again = bring(workspace, data, ticket="t"), bring(workspace, data, ticket="t")
    assert one == again
    assert one.name != "first"
    assert one.display_name == "first"
    assert Sweep.objects.count() == 2


def test_what_ran_elsewhere_held_no_slot_of_this_compute(
    first: Sweep, workspace: Workspace, compute: Any
) -> None:
    """Whatever times a bundle tells."""
    data = packed(first)
    [before] = lanes_of([compute], NOW + timedelta(minutes=2))
    back = bring(workspace, data)
    assert back.compute == compute
    [after] = lanes_of([compute], NOW + timedelta(minutes=2))
    assert after.lanes == before.lanes
    assert after.hidden == before.hidden
    assert any(lane.pieces for lane in after.lanes)


def test_what_had_not_ended_is_canceled(sweep: Sweep, workspace: Workspace) -> None:
    log(start(advance(sweep.pk, NOW).trials[0], NOW), [0.5])
    back = bring(workspace, packed(Sweep.objects.get(pk=sweep.pk)))
    assert back.status == "Canceled"
    assert "had not ended" in back.reason
    assert {t.status for t in back.trials.all()} == {"Canceled"}
    assert advance(back.pk, NOW).trials == (), "the engine finds nothing to do"
    assert back.trials.live().count() == 0


def test_a_replay_runs_exactly_the_recorded_points(first: Sweep, workspace: Workspace) -> None:
    data = packed(first)
    again = bring(workspace, data, replay=True)
    assert (again.status, again.max_total_trials, again.stop_rules) == ("Queued", 4, {})
    play(again, NOW, [0.5, 0.5, 0.5, 0.5])
    params = [trial.params for trial in first.trials.order_by("number")]
    assert [trial.params for trial in again.trials.order_by("number")] == params
    assert again.status == "Completed"
    assert again.code == first.code


def test_a_long_replay_says_what_it_leaves_out(
    first: Sweep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.intake_bundles.MAX_FIRST_TRIALS", 3)
    again = bring(workspace, packed(first), replay=True)
    assert again.max_total_trials == 3
    assert "Of 4 recorded points the first 3 are run." in again.notes


def lines(**changes: Any) -> bytes:
    line = {"number": 0, "status": "Completed", "params": {"lr": 0.5, "boosting": "gbdt"}}
    return json.dumps(line | changes).encode()


def fact(**changes: Any) -> Callable[[Files], Any]:
    def change(files: Files) -> None:
        files["bundle.json"] = json.dumps(json.loads(files["bundle.json"]) | changes).encode()

    return change


def point(value: Any = 1.0, step: Any = 0, at: Any = 1) -> dict[str, Any]:
    return {"loss": [[step, value, at]]}


BROKEN: dict[str, Callable[[Files], Any]] = {
    "no facts": lambda f: f.pop("bundle.json"),
    "no trials": lambda f: f.pop("trials.jsonl"),
    "another format": lambda f: f.update({"bundle.json": b'{"format": "x"}'}),
    "a newer version": lambda f: f.update(
        {"bundle.json": f["bundle.json"].replace(b'"version": 1', b'"version": 2')}
    ),
    "facts that are a list": lambda f: f.update({"bundle.json": b"[]"}),
    "a job with errors": lambda f: f.update({"job.yml": b"type: sweep"}),
    "a job with aliases": lambda f: f.update({"job.yml": b"a: &a 1\nb: *a"}),
    "no JSON": lambda f: f.update({"trials.jsonl": b"{nope"}),
    "half a character": lambda f: f.update({"trials.jsonl": lines(reason="\ud800")}),
    "a NUL": lambda f: f.update({"trials.jsonl": lines(reason="a\0b")}),
    "NaN as JSON": lambda f: f.update({"trials.jsonl": lines(objective=float("nan"))}),
    "an infinite objective": lambda f: f.update({"trials.jsonl": lines(objective="Infinity")}),
    "a huge number": lambda f: f.update({"trials.jsonl": lines(objective=10**400)}),
    "an unknown status": lambda f: f.update({"trials.jsonl": lines(status="Fine")}),
    "a point outside": lambda f: f.update(
        {"trials.jsonl": lines(params={"lr": 5, "boosting": "gbdt"})}
    ),
    "an unknown parameter": lambda f: f.update(
        {"trials.jsonl": lines(params={"lr": 0.5, "boosting": "gbdt", "x": 1})}
    ),
    "a number twice": lambda f: f.update({"trials.jsonl": lines() + b"\n" + lines()}),
    "a number too large": lambda f: f.update({"trials.jsonl": lines(number=100_000)}),
    "a true number": lambda f: f.update({"trials.jsonl": lines(number=True)}),
    "a time before times": lambda f: f.update(
        {"trials.jsonl": lines(started_at="0001-01-01T00:00:00+00:00")}
    ),
    "a time without a zone": lambda f: f.update(
        {"trials.jsonl": lines(started_at="2026-01-01T00:00:00")}
    ),
    "a metric without a name": lambda f: f.update(
        {"trials.jsonl": lines(metrics={"": {"count": 1, "last": 1}})}
    ),
    "a metric that is a number": lambda f: f.update({"trials.jsonl": lines(metrics={"a": 3})}),
    "a value that is text": lambda f: f.update({"trials.jsonl": lines(points=point("1"))}),
    "a step that is none": lambda f: f.update({"trials.jsonl": lines(points=point(step=1.5))}),
    "a time that is text": lambda f: f.update({"trials.jsonl": lines(points=point(at="x"))}),
    "a way out": lambda f: f.update({"../evil": b""}),
    "no name": fact(sweep=""),
    "a name that is a path": fact(sweep="../a/b"),
    "a name of two lines": fact(sweep="a\nb"),
    "a page's name": fact(sweep="new"),
    "a long name": fact(sweep="x" * 256),
    "deep nesting": lambda f: f.update({"trials.jsonl": b"[" * 100_000}),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("replay", [False, True])
def test_a_hostile_bundle_leaves_nothing(
    first: Sweep, workspace: Workspace, how: str, replay: bool, home: Path
) -> None:
    files = files_of(packed(first))
    BROKEN[how](files)
    with pytest.raises(InvalidInput):
        bring(workspace, zip_of(files), replay=replay)
    assert list(Sweep.objects.all()) == [first]
    assert len(list((home / "code").iterdir())) == 1


def test_long_texts_fit_their_columns(first: Sweep, workspace: Workspace) -> None:
    files = files_of(packed(first))
    long = "é" * 10_000
    files["trials.jsonl"] = lines(picked_by=long, signature=long, reason=long)
    trial = bring(workspace, zip_of(files)).trials.get()
    assert (len(trial.picked_by), len(trial.signature), len(trial.reason)) == (150, 300, 10_000)


def test_a_problem_names_its_line(first: Sweep, workspace: Workspace) -> None:
    files = files_of(packed(first))
    files["trials.jsonl"] = lines() + b"\n" + lines(number=1, params={"lr": 7, "boosting": "x"})
    with pytest.raises(InvalidInput) as error:
        bring(workspace, zip_of(files))
    assert {problem.line for problem in error.value.problems} == {2}
    assert "trials.jsonl.lr" in str(error.value)


def test_what_fails_in_the_middle_leaves_nothing(
    first: Sweep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.services.bundles._TRIALS", 1)
    monkeypatch.setattr("sweeps.services.bundles._show", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(workspace, packed(first))
    assert list(Sweep.objects.all()) == [first]


def test_what_a_kill_has_left_is_never_shown_and_goes_later(
    first: Sweep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = packed(first)
    monkeypatch.setattr("sweeps.services.bundles._drop", lambda *_: None)
    monkeypatch.setattr("sweeps.services.bundles._show", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(workspace, data)
    assert Sweep.objects.count() == 2
    assert list(Sweep.objects.real()) == [first]
    monkeypatch.undo()
    Sweep.objects.filter(is_dry_run=True).update(timed_from=NOW.replace(year=2025))
    assert set(Sweep.objects.all()) >= {first}
    back = bring(workspace, data)
    assert set(Sweep.objects.all()) == {first, back}


def test_every_sampler_and_space_goes_round(
    make_sweep: Callable[..., Sweep], workspace: Workspace
) -> None:
    from sweeps.domain.space_doc import parse_space

    nested = {
        "model": {"type": "choice", "values": [
            {"name": "a", "c": {"type": "quniform", "min_value": 0, "max_value": 1, "q": 0.25}},
            {"name": "b", "d": {"type": "randint", "upper": 5}},
        ]},
        "x": {"type": "loguniform", "min_value": -3, "max_value": 2},
        "y": {"type": "lognormal", "mu": 0, "sigma": 2},
        "z": {"type": "choice", "values": [True, 1, "1", 2.5]},
    }  # fmt: skip
    made = make_sweep(
        name="round", search_space=parse_space(nested), sampling=Sampling("random", "sobol"),
        command="python t.py ${{args}}",
    )  # fmt: skip
    play(made, NOW, [0.1, 0.2, 0.3, 0.4])
    assert told(bring(workspace, packed(made))) == told(made)


# --- The page, and what people see --------------------------------------------------------------


@pytest.fixture
def page(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def test_the_form_brings_a_sweep_in(page: Client, first: Sweep) -> None:
    address = f"/w/default/sweeps/{first.name}/"
    assert f'href="{address}bundle.zip"' in page.get(address).content.decode()
    data = b"".join(page.get(f"{address}bundle.zip?points=1").streaming_content)
    assert b"Import bundle" in page.get("/w/default/sweeps/import").content
    upload = io.BytesIO(data)
    upload.name = "b.zip"
    answer = page.post("/w/default/sweeps/import", {"bundle": upload, "mode": "record"})
    assert answer.status_code == 302
    html = page.get(answer["Location"]).content.decode()
    assert "http://testserver" + address in html


def test_no_form_takes_the_place_of_somebody_elses_request(page: Client, first: Sweep) -> None:
    """Requests over REST have tickets that can be guessed: api-1, api-2, …"""
    made = []
    for _ in range(2):
        upload = io.BytesIO(packed(first))
        upload.name = "b.zip"
        fields = {"bundle": upload, "mode": "replay", "ticket": "api-1"}
        made.append(page.post("/w/default/sweeps/import", fields)["Location"])
    assert made[0] == made[1], "a double click makes one"
    sweep = Sweep.objects.exclude(pk=first.pk).get()
    assert sweep.ticket
    assert not sweep.ticket.startswith("api-")


def test_the_form_says_what_is_wrong_and_keeps_the_choice(page: Client, workspace: Any) -> None:
    bad = io.BytesIO(b"no zip")
    bad.name = "<b>.zip"
    answer = page.post("/w/default/sweeps/import", {"bundle": bad, "mode": "replay"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was imported" in html
    assert "<b>.zip" not in html
    assert 'value="replay" checked' in html
    assert page.post("/w/default/sweeps/import").status_code == 422


def test_readers_take_but_do_not_bring(client: Client, rita: User, first: Sweep) -> None:
    client.force_login(rita)
    answer = client.get(f"/w/default/sweeps/{first.name}/bundle.zip")
    assert files_of(b"".join(answer.streaming_content))
    assert client.get("/w/default/sweeps/import").status_code == 404
    assert client.post("/w/default/sweeps/import").status_code == 404
