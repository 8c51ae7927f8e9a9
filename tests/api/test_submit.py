"""Posting sweeps: JSON, YAML, multipart with code, and what is wrong with them."""

import copy
import io
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from studio.models import Compute
from sweeps import intake
from sweeps.models import CodeSnapshot, Sweep
from tests.api.conftest import Caller
from tests.stores.test_git import make_repo

pytestmark = pytest.mark.usefixtures("compute")
POST = "/workspaces/default/sweeps"
JOB: dict[str, Any] = {
    "type": "sweep",
    "name": "tuned",
    "display_name": "Tuned",
    "sampling_algorithm": "random",
    "trial": {"command": "python train.py --lr ${{search_space.lr}} --c ${{search_space.model}}"},
    "search_space": {
        "lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9},
        "model": {"type": "choice", "values": ["a", "b"]},
    },
    "objective": {"goal": "minimize", "primary_metric": "loss"},
    "limits": {"max_total_trials": 3, "max_concurrent_trials": 1, "timeout": 60},
}


def changed(**changes: Any) -> dict[str, Any]:
    """JOB with parts replaced; None takes a part out."""
    job = copy.deepcopy(JOB) | changes
    return {key: value for key, value in job.items() if value is not None}


def zipped(**files: str) -> SimpleUploadedFile:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return SimpleUploadedFile("code.zip", data.getvalue())


def test_json_makes_a_sweep(api: Caller) -> None:
    response = api.post(POST, JOB)
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {
        *("name", "display_name", "workspace", "status", "reason", "notes", "revision"),
        *("objective", "limits", "counts", "best_trial", "services", "properties"),
        *("early_termination", "stop_rules", "failure_policy", "waiting", "paused_by"),
        *("logged_models", "preload"),
        *("environment", "description", "tags", "experiment_name", "compute"),
        *("created_at", "started_at", "ended_at"),
    }
    assert (body["name"], body["status"], body["best_trial"]) == ("tuned", "Queued", None)
    assert body["objective"] == {"primary_metric": "loss", "goal": "minimize"}
    assert body["limits"] == {
        "max_total_trials": 3,
        "max_concurrent_trials": 1,
        "timeout": 60,
        "trial_timeout": None,
    }
    assert body["services"]["Studio"]["endpoint"].endswith("/w/default/sweeps/tuned/")
    sweep = Sweep.objects.get()
    assert (sweep.name, sweep.compute.name, str(sweep.created_by)) == ("tuned", "local", "bob")
    assert api.get(f"{POST}/tuned").json() == body


def test_what_people_call_a_sweep_is_told(api: Caller) -> None:
    words = {"description": "A first try.", "tags": {"team": "a"}, "experiment_name": "iris"}
    api.post(POST, changed(**words))
    api.post(POST, changed(name="bare"))
    [bare, one] = api.get(POST).json()["items"]
    assert {key: one[key] for key in words} | {"compute": one["compute"]} == words | {
        "compute": "local"
    }
    assert (bare["description"], bare["tags"], bare["experiment_name"]) == ("", {}, "Default")


def test_yaml_makes_the_same_sweep(api: Caller) -> None:
    response = api.post(POST, yaml.safe_dump(JOB), "application/yaml")
    assert response.status_code == 201
    again = api.get(f"{POST}/tuned/spec")
    assert again.headers["Content-Type"] == "application/yaml"
    spec = yaml.safe_load(again.content)
    assert spec["search_space"] == JOB["search_space"]
    assert spec["trial"]["command"] == JOB["trial"]["command"]


def test_an_exported_job_can_be_posted_again(api: Caller) -> None:
    api.post(POST, JOB)
    text = api.get(f"{POST}/tuned/spec").content.decode()
    again = text.replace("tuned", "again")
    response = api.post(POST, again, "application/yaml")
    assert response.status_code == 201, response.json()
    assert api.get(f"{POST}/again/spec").content.decode() == again


def test_multipart_brings_the_code(api: Caller) -> None:
    spec = SimpleUploadedFile("job.yml", yaml.safe_dump(JOB).encode())
    response = api.upload(POST, spec=spec, code=zipped(**{"train.py": "print(1)\n"}))
    assert response.status_code == 201, response.json()
    code = Sweep.objects.get().code
    assert code is not None
    assert code.file_count == 1


def test_the_spec_may_be_a_plain_field(api: Caller) -> None:
    assert api.upload(POST, spec=yaml.safe_dump(JOB)).status_code == 201
    assert api.upload(POST, spec="").json()["error"]["field"] == "spec"
    assert Sweep.objects.count() == 1


def test_the_form_may_name_uploaded_code(api: Caller) -> None:
    place = POST.removesuffix("/sweeps") + "/code"
    digest = api.upload(place, code=zipped(**{"train.py": "print(1)\n"})).json()["digest"]
    spec = yaml.safe_dump(JOB)
    assert api.upload(POST, spec=spec, code=f"studio:{digest}").status_code == 201
    code = Sweep.objects.get().code
    assert code is not None
    assert code.digest == digest
    missing = api.upload(POST, spec=spec, code=f"studio:{'0' * 64}").json()["error"]
    assert "upload it first" in missing["message"]
    for odd in ("/etc", f"studio:{digest}\0", "studio:"):
        refused = api.upload(POST, spec=spec, code=odd)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "code")
    assert Sweep.objects.count() == 1


def test_a_zip_that_climbs_out_is_refused(api: Caller) -> None:
    response = api.upload(
        POST, spec=yaml.safe_dump(JOB), code=zipped(**{"../evil.py": "", "train.py": ""})
    )
    assert response.status_code == 422
    assert "evil.py" in response.json()["error"]["message"]
    assert not Sweep.objects.exists()
    assert not CodeSnapshot.objects.exists()


def test_a_folder_of_this_machine_is_kept_as_code(api: Caller, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    trial = JOB["trial"] | {"code": str(tmp_path)}
    assert api.post(POST, changed(trial=trial)).status_code == 201
    for folder, words in (
        ("./src", "relative to your machine"),
        ("/no/such", "There is no /no/such on this machine"),
        (str(settings.STUDIO_HOME), "the studio's own data"),
        ("~nosuchuser/x", "There is no ~nosuchuser/x"),
        ("/" + "a" * 300, "on this machine"),
    ):
        response = api.post(POST, changed(name="x", trial=JOB["trial"] | {"code": folder}))
        error = response.json()["error"]
        assert (response.status_code, error["field"]) == (422, "trial.code")
        assert words in error["message"]


def test_a_folder_with_a_repository_is_kept_with_its_commit(api: Caller, tmp_path: Path) -> None:
    trial = JOB["trial"] | {"code": str(make_repo(tmp_path))}
    assert api.post(POST, changed(trial=trial)).status_code == 201
    git = Sweep.objects.get().git
    assert (len(git["commit"]), git["changed"]) == (40, 0)


def test_a_dry_run_validates_and_keeps_nothing(api: Caller) -> None:
    job = changed(compute="azureml:gpu", limits=JOB["limits"] | {"max_concurrent_trials": 3})
    response = api.post(f"{POST}?dry_run=1", job)
    assert response.status_code == 200
    body = response.json()
    assert (body["valid"], body["sweep"]["name"]) == (True, "tuned")
    assert any("gpu" in note for note in body["notes"])
    assert any("2 slots" in note for note in body["notes"])
    assert not Sweep.objects.exists()
    # Nor the code that came with it.
    spec, code = yaml.safe_dump(job), zipped(**{"train.py": "print('dry')\n"})
    folder = yaml.safe_dump(
        job | {"trial": JOB["trial"] | {"code": str(settings.BASE_DIR / "examples")}}
    )
    there = set(Path(settings.STUDIO_HOME).glob("*")) | set(intake.code_root().glob("*"))
    for parts in ({"spec": spec, "code": code}, {"spec": folder}):
        assert api.upload(f"{POST}?dry_run=1", **parts).status_code == 200
    assert not CodeSnapshot.objects.exists()
    assert set(Path(settings.STUDIO_HOME).glob("*")) | set(intake.code_root().glob("*")) == there
    bad = api.post(f"{POST}?dry_run=1", changed(objective=None))
    assert (bad.status_code, bad.json()["error"]["field"]) == (422, "objective.goal")


def test_every_error_is_told_at_once_with_its_place(api: Caller) -> None:
    text = """type: sweep
trial: {command: python t.py}
search_space:
  lr:
    type: uniform
    min_value: 3
    max_value: 1
  b:
    type: choice
    values: []
objective: {goal: shrink, primary_metric: loss}
limits: {max_total_trials: 0}
"""
    response = api.post(POST, text, "application/yaml")
    assert response.status_code == 422
    body = response.json()
    assert body["error"] == body["errors"][0]
    fields = [problem["field"] for problem in body["errors"]]
    for wanted in (
        "search_space.lr",
        "search_space.b",
        "objective.goal",
        "limits.max_total_trials",
    ):
        assert any(field.startswith(wanted) for field in fields), fields
    for problem in body["errors"]:
        assert {"code", "message", "field"} <= set(problem)
        assert problem["code"] == "invalid"
        line = text.splitlines()[problem["line"] - 1]
        assert problem["field"].rsplit(".", 1)[-1] in line
        assert 1 <= problem["column"] <= len(line)


def test_a_syntax_error_has_a_line(api: Caller) -> None:
    error = api.post(POST, "type: sweep\nlimits: {a: 1\n", "application/yaml").json()["error"]
    assert error["line"] in (2, 3)
    assert error["column"] >= 1


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("{", "application/json", "not JSON: Expecting property name enclosed in double quotes at"),
        (b"\xff\xfe{", "application/json", "not JSON: it is no UTF-8 text."),
        ("[" * 100_000, "application/json", "not JSON: it is nested too deeply."),
        ("9" * 5_000, "application/json", "not JSON: it holds a number with too many digits."),
        (b"\xff", "application/yaml", "UTF-8"),
        ("[1]", "application/json", ""),
        ("", "application/yaml", ""),
        ("x", "text/plain", "application/yaml"),
        ('{"type": "sweep", "limits": {"a": 1, "a": 2}}', "application/json", "“a” is there twice"),
        ('{"name": 1, "na\\u006de": 2}', "application/json", "“name” is there twice"),
        ("a: &a [*a]", "application/yaml", ""),
    ],
)
def test_what_is_no_job_is_said(api: Caller, body: Any, kind: str, words: str) -> None:
    response = api.client.post(f"/api/v1{POST}", body, content_type=kind)
    assert response.status_code == 422
    assert words in response.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["application/yaml", "application/json"])
@pytest.mark.parametrize("size", [300_000, 11_000_000])
def test_what_is_too_large_for_a_job_is_said(api: Caller, kind: str, size: int) -> None:
    response = api.client.post(f"/api/v1{POST}", "x" * size, content_type=kind)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    assert "256 KiB" in response.json()["error"]["message"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("dry", ["?dry_run=1", ""])
def test_numbers_that_json_does_not_have_are_refused(api: Caller, number: float, dry: str) -> None:
    space = {"lr": {"type": "choice", "values": [1.0, number]}}
    trial = {"command": "python t.py ${{search_space.lr}}"}
    job = changed(search_space=space, trial=trial)
    for response in (
        api.post(f"{POST}{dry}", job),
        api.post(f"{POST}{dry}", yaml.safe_dump(job), "application/yaml"),
    ):
        assert response.status_code == 422
        assert response.json()["error"]["field"].startswith("search_space.lr")


def test_a_taken_name_is_said_at_the_name(api: Caller) -> None:
    api.post(POST, JOB)
    response = api.post(POST, JOB)
    assert (response.status_code, response.json()["error"]["field"]) == (422, "name")
    assert "already" in response.json()["error"]["message"]


def test_without_any_compute_those_there_are_are_listed(api: Caller) -> None:
    Compute.objects.update(is_default=False)
    response = api.post(POST, changed(compute="gpu"))
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "compute"
    assert "local" in response.json()["error"]["message"]


def in_lines(response: Any, text: str) -> dict[str, str]:
    """Where each problem of an answer stands: its field, and the line from its column on."""
    assert response.status_code == 422, response.json()
    lines = text.splitlines()
    return {
        problem["field"]: lines[problem["line"] - 1][problem["column"] - 1 :]
        for problem in response.json()["errors"]
    }


@pytest.mark.parametrize("dry", ["?dry_run=1", ""])
def test_what_is_found_after_reading_has_its_line(api: Caller, dry: str) -> None:
    job = yaml.safe_dump(JOB)
    inputs = "inputs:\n  a: {path: gone.csv}\n  b:\n    path: azureml:x:1\n"
    for text, places in (
        (job + inputs, {"inputs.a.path": "path: gone.csv}", "inputs.b.path": "path: azureml:x:1"}),
        (job.replace("trial:", "trial:\n  code: ./src"), {"trial.code": "code: ./src"}),
        (job.replace("trial:", "trial:\n  code: /no/such"), {"trial.code": "code: /no/such"}),
    ):
        for response in (
            api.post(f"{POST}{dry}", text, "application/yaml"),
            api.upload(f"{POST}{dry}", spec=text),
        ):
            assert in_lines(response, text) == places
    packed = zipped(**{"train.py": ""})
    assert in_lines(api.upload(f"{POST}{dry}", spec=job + inputs, code=packed), job + inputs)
    broken = SimpleUploadedFile("code.zip", b"no zip")
    error = api.upload(f"{POST}{dry}", spec=job, code=broken).json()["error"]
    assert error["field"] == "code"
    assert "line" not in error  # it is no part of the job file


def test_a_compute_that_is_not_there_has_its_line(api: Caller) -> None:
    Compute.objects.update(is_default=False)
    text = yaml.safe_dump(changed(compute="gpu"))
    response = api.post(POST, text, "application/yaml")
    assert in_lines(response, text) == {"compute": "compute: gpu"}


def test_bytes_that_are_no_text_have_a_line(api: Caller) -> None:
    raw = b"type: sweep\nname: \xff\n"
    for response in (
        api.post(POST, raw, "application/yaml"),
        api.upload(POST, spec=SimpleUploadedFile("job.yml", raw)),
    ):
        error = response.json()["error"]
        assert (response.status_code, error["line"], error["column"]) == (422, 2, 7)


def test_a_file_of_windows_may_begin_with_its_mark(api: Caller) -> None:
    raw = b"\xef\xbb\xbf" + yaml.safe_dump(JOB).encode()
    assert api.post(POST, raw, "application/yaml").status_code == 201


PRIVATE = (
    ("127.0.0.1", "127.0.0.1"), ("localhost:8000", "127.0.0.1"), ("LocalHost.", "127.0.0.1"),
    ("db.localhost", "127.0.0.1"), ("[::1]", "::1"), ("[::ffff:10.0.0.1]", "::ffff:"),
    ("169.254.169.254", "169.254.169.254"), ("0x7f000001", "127.0.0.1"), ("127.1", "127.0.0.1"),
    ("2130706433", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"), ("10.1.2.3", "10.1.2.3"),
)  # fmt: skip
PUBLIC = ("8.8.8.8", "example.org", "localhost.example.org", "[2606:2800:220:1::1]", "1.2.3.4.5")


@pytest.mark.parametrize("dry", ["?dry_run=1", ""])
def test_addresses_of_ones_own_network_are_refused_without_a_look_up(
    api: Caller, dry: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: pytest.fail("looked up"))
    hosts = [*(host for host, _ in PRIVATE), *PUBLIC]
    inputs = {
        f"i{index}": {"type": "uri_file", "path": f"http://{host}/x.csv?key=1"}
        for index, host in enumerate(hosts)
    }
    response = api.post(f"{POST}{dry}", changed(inputs=inputs))
    errors = response.json()["errors"]
    assert [error["field"] for error in errors] == [
        f"inputs.i{n}.path" for n in range(len(PRIVATE))
    ]
    for error, (_, address) in zip(errors, PRIVATE, strict=True):
        assert f" is {address}" in error["message"]
        assert "which is no public address. The studio's administrator can" in error["message"]
    settings.STUDIO_DOWNLOAD_PRIVATE = True
    assert api.post(f"{POST}{dry}", changed(inputs=inputs)).status_code == (200 if dry else 201)
