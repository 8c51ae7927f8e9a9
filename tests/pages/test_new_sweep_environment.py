"""The environment in the new-sweep form: chosen, kept through every turn, refused at its field."""

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sweeps.models import Environment, EnvironmentBuild, Sweep
from tests.pages.new_sweep_form import COMPLETE, Form, rejected_at
from tests.pages.test_new_sweep_file import JOB, open_file

NAMED = "azureml:trees@latest"
INLINE = {"name": "mine", "conda_file": {"dependencies": ["python=3.12", {"pip": ["six"]}]}}
FILE = JOB.replace(" azureml:mine@latest", f" {json.dumps(INLINE)}")


@pytest.fixture
def trees(workspace):
    return Environment.objects.create(workspace=workspace, name="trees", source="lightgbm==4.6.0\n")


def upload(form, **files):
    """Press Upload with a script and more files, `_` in whose names stands for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        out.writestr("train.py", "print()")
        for name, text in files.items():
            out.writestr(name.replace("_", "."), text)
    packed = SimpleUploadedFile("code.zip", buffer.getvalue())
    return form.press("upload", files={"code_file": packed})


def offered(form):
    """The labels to choose from, with what each posts."""
    inside = form.text.split('id="f-environment"')[1].split("</select>")[0]
    options = inside.split("<option ")[1:]
    labels = [one.split(">")[1].split("<")[0] for one in options]
    return labels, [
        label for label, one in zip(labels, options, strict=True) if " selected>" in one
    ]


def summary(form):
    return form.text.split("<dt>Environment</dt><dd>")[1].split("</dd>")[0]


def test_the_computes_python_is_chosen_until_another_is(trees, form):
    assert offered(form) == (["The compute’s Python", "trees"], ["The compute’s Python"])
    assert summary(form) == "The compute’s Python"
    assert "/w/default/environments/" in form.text
    form.press("preview", environment=NAMED)
    assert offered(form)[1] == ["trees"]
    assert summary(form) == "trees"


def test_a_named_environment_is_what_the_sweep_runs_in(form, trees):
    form.press("preview", environment=NAMED, **COMPLETE)
    assert "MLflow&#x27;s client is added" in form.text
    form.press("submit")
    sweep = Sweep.objects.get()
    assert (sweep.environment, sweep.environment_name) == (NAMED, "trees")
    assert sweep.environment_build.recipe["requirements"][0] == "lightgbm==4.6.0"
    clone = Form(sweep.created_by, sweep.workspace, f"?from={sweep.name}")
    assert offered(clone) == (["The compute’s Python", "trees"], ["trees"])


def test_files_of_the_code_are_offered_once_there_is_code(form):
    upload(form, requirements_txt="six\n", environment_yml="dependencies: []\n")
    labels = ["requirements.txt of the code", "environment.yml of the code"]
    assert offered(form) == (["The compute’s Python", *labels], ["The compute’s Python"])
    assert "There is a requirements.txt of the code: choose it" in form.text
    value = json.dumps(
        {"conda_file": {"dependencies": ["python", {"pip": ["-r requirements.txt"]}]}}
    )
    form.press("submit", environment=value, **COMPLETE)
    sweep = Sweep.objects.get()
    assert sweep.environment == json.loads(value)
    assert sweep.environment_build.recipe["requirements"][0] == "six"


def test_what_is_wrong_in_it_is_told_at_the_field(form):
    upload(form, requirements_txt="six\nnot a package\n")
    value = json.dumps(
        {"conda_file": {"dependencies": ["python", {"pip": ["-r requirements.txt"]}]}}
    )
    text = rejected_at(form.press("submit", environment=value, **COMPLETE), "environment")
    assert "requirements.txt, line 2: “not a package” names no package" in text


def test_a_choice_outlives_the_file_that_it_came_from(form):
    upload(form, environment_yml="dependencies: []\n")
    form.press("preview", environment=json.dumps({"conda_file": "environment.yml"}))
    upload(form, other_py="")
    assert offered(form)[1] == ["environment.yml of the code"]
    text = rejected_at(form.press("submit", **COMPLETE), "environment")
    assert "There is no “environment.yml” in the code." in text


def test_what_is_no_environment_is_told_at_the_field(form):
    text = rejected_at(form.press("submit", environment="[1]", **COMPLETE), "environment")
    assert "Must be azureml:NAME@latest or an inline environment" in text


def test_an_inline_environment_of_a_file_is_kept_and_may_be_taken_back(form, trees):
    open_file(form, FILE)
    words = "conda file “mine”"
    as_it_was = f"{words}, as in the job file"
    assert offered(form) == (["The compute’s Python", "trees", as_it_was], [as_it_was])
    assert summary(form) == words
    kept = form["environment"]
    form.press("preview", environment=NAMED)
    assert offered(form) == (["The compute’s Python", "trees", as_it_was], ["trees"])
    form.press("to_yaml")
    assert f"environment: {NAMED}" in form["file"]
    form.press("to_form", file=str(form["file"]).replace("9", "8"))
    assert offered(form) == (["The compute’s Python", "trees"], ["trees"])
    open_file(form, FILE).press("preview", environment="").press("preview", environment=kept)
    form.press("to_yaml").press("to_form").press("submit")
    assert Sweep.objects.get().environment == INLINE


@pytest.mark.parametrize(
    "said", ["azureml:trees:3", "trees", "azureml:else@latest", "file:env.yml"]
)
def test_a_name_is_kept_as_the_file_writes_it(form, trees, said):
    open_file(form, JOB.replace("azureml:mine@latest", said))
    assert offered(form)[1] == [
        f"{said.removeprefix('azureml:').removesuffix('@latest')}, as in the job file"
    ]
    form.press("preview", max_total_trials="8").press("submit")
    sweep = Sweep.objects.get()
    assert (sweep.environment, sweep.max_total_trials) == (said, 8)


def test_the_file_shows_its_environment_in_the_review(form, trees):
    form.press("to_yaml", file="").press("preview", file=FILE)
    assert summary(form) == "conda file “mine”"


def test_an_environment_may_have_programs_that_this_machine_has_not(form, trees):
    form.press("preview", command="acelerate launch train.py")
    assert "“acelerate” was not found on this machine" in form.text
    form.press("preview", environment=NAMED)
    assert "was not found on this machine" not in form.text
    form.press("preview", command="/no/such/program train.py")
    assert "was not found on this machine" in form.text


def test_a_dry_run_says_how_far_its_environment_is(form, trees):
    form.press("dry_run", environment=NAMED, **COMPLETE)
    assert "Its environment is built next." in form.text
    digest = Sweep.objects.get().environment_build_id
    assert f"/environments/-/builds/{digest}/" in form.text
    EnvironmentBuild.objects.update(state="building")
    assert "Building its environment." in form.press("preview").text
    EnvironmentBuild.objects.update(state="done")
    assert "environment." not in form.press("preview").text.split('id="dry-run"')[1]
