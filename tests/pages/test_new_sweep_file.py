"""The new-sweep form and the job file are one thing: switching, errors, handing in."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sweeps.models import Sweep
from tests.pages.new_sweep_form import COMPLETE, script
from tests.spec.test_katib import RANDOM as KATIB
from tests.spec.test_wandb import SWEEP as WANDB

pytestmark = pytest.mark.django_db

JOB = """# my sweep
type: sweep
trial:
  command: python train.py --lr ${{search_space.lr}}  # as in the paper
  environment: azureml:mine@latest
queue_settings: {job_tier: standard}
search_space:
  # wide on purpose
  lr: {type: loguniform, min_value: -7, max_value: -1}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 9}
"""
# A choice whose values are told apart by no key: the form has no words for it.
ODD = JOB.replace(
    "  # wide",
    "  model:\n    type: choice\n    values:\n"
    "    - {a: {type: uniform, min_value: 0, max_value: 1}}\n"
    "    - {b: {type: uniform, min_value: 0, max_value: 1}}\n  # wide",
)


def file_of(text: str, name: str = "job.yml") -> dict[str, SimpleUploadedFile]:
    return {"job_file": SimpleUploadedFile(name, text.encode())}


def open_file(form, text: str, name: str = "job.yml"):
    data = {"action": "open_file", **file_of(text, name)}
    form._take(form.client.post(form.url, data))
    return form


# --- Switching ----------------------------------------------------------------------------------


def test_a_half_filled_form_comes_back_as_it_was(form):
    typed = {
        "row-0-min_value": "abc",
        "row-0-name": "",
        "timeout": "2 houers",
        "max_total_trials": "",
        "display_name": "mine",
    }
    before = form.press("preview", **typed).form.fields
    form.press("to_yaml")
    assert "display_name: mine" in form["file"]
    assert "max_total_trials: ''  # required" in form["file"]
    assert "timeout: 2 houers" in form["file"]
    assert "min_value: abc" in form["file"]
    form.press("to_form")
    for name in (*typed, "row", "row-0-type", "algorithm", "compute"):
        assert form.form.fields[name] == before[name], name


def test_what_is_changed_in_the_file_is_in_the_form(form):
    form.press("to_yaml", **COMPLETE)
    text = str(form["file"]).replace("primary_metric: loss", "primary_metric: auc")
    form.press("to_form", file=text.replace("minimize", "maximize"))
    assert (form["primary_metric"], form["goal"]) == ("auc", "maximize")
    assert (form["row-0-name"], form["row-0-min_value"]) == ("lr", "0.1")


def test_an_untouched_form_leads_back_to_the_very_text(form):
    form.press("to_yaml").press("to_form", file=JOB).press("to_yaml")
    assert str(form["file"]) == JOB


def test_comments_and_keys_that_the_form_has_no_words_for_outlive_its_edits(form):
    form.press("to_yaml").press("to_form", file=JOB)
    form.press("to_yaml", max_total_trials="12")
    lines = str(form["file"]).splitlines()
    assert lines[0] == "# my sweep"
    assert any(line.endswith("# as in the paper") or "# as in" in line for line in lines)
    assert lines[lines.index("  # wide on purpose") + 1] == "  lr:"
    assert "  environment: azureml:mine@latest" in lines
    assert "  job_tier: standard" in lines
    assert "  max_total_trials: 12" in lines


def test_a_file_with_errors_stays_with_their_lines(form):
    form.press("to_yaml")
    form.press("to_form", file=JOB.replace("minimize", "best").replace("9", "none"))
    assert form["side"] == "yaml"
    assert "Line 10" in form.text
    assert "Line 11" in form.text
    assert "best" in form["file"]


def test_a_description_written_as_a_block_is_shown_in_the_form(form):
    form.press("to_yaml").press("to_form", file=f"{JOB}description: >\n  Wide\n  on purpose.\n")
    assert form["side"] == ""
    assert form["description"].strip() == "Wide on purpose."


def test_what_the_form_cannot_show_stays_a_file_and_says_so(form):
    form.press("to_yaml").press("to_form", file=ODD)
    assert form["side"] == "yaml"
    assert form["file"] == ODD
    assert "The form cannot show search_space.model as the file has it." in form.text


# --- Handing in ---------------------------------------------------------------------------------


def test_the_file_is_submitted_with_the_code_beside_it(form, wake_ups):
    form.press("to_yaml").press("upload", files={"code_file": script()}, file=ODD)
    assert form["file"] == ODD
    form.press("submit")
    sweep = Sweep.objects.get()
    assert form.response.status_code == 302
    assert sweep.code.origin == "train.py"
    assert sweep.max_total_trials == 9
    assert sweep.environment == "azureml:mine@latest"
    assert set(sweep.search_space) == {"model", "lr"}
    assert wake_ups() == [("advance_sweep", sweep.pk)]


def test_a_refused_file_is_told_its_lines_and_makes_no_sweep(form):
    form.press("to_yaml")
    form.press("submit", file=JOB.replace("9", "0"))
    assert form.response.status_code == 422
    assert "Line 11" in form.text
    assert not Sweep.objects.exists()


def test_code_that_the_file_names_is_not_asked_for(form, tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    asked = "The command runs train.py: upload it"
    assert asked in form.press("to_yaml").press("preview", file=JOB).text
    named = JOB.replace("trial:\n", f"trial:\n  code: {tmp_path}\n")
    assert asked not in form.press("preview", file=named).text
    assert "as the file says" in form.text


def test_a_file_is_dry_run(form):
    form.press("to_yaml").press("dry_run", file=JOB)
    sweep = Sweep.objects.get()
    assert sweep.is_dry_run
    assert sweep.max_total_trials == 1
    assert form["file"] == JOB


def test_a_double_click_on_a_file_makes_one_sweep(form):
    form.press("to_yaml")
    posted = {**form.form.with_(file=JOB), "action": "submit"}
    first, second = (form.client.post(form.url, posted) for _ in range(2))
    assert first.url == second.url


# --- Files from outside -------------------------------------------------------------------------


def test_a_file_opens_in_the_form(form):
    open_file(form, JOB)
    assert form["side"] == ""
    assert form["primary_metric"] == "loss"


def test_a_file_with_errors_or_without_words_opens_as_a_file(form):
    for text in (ODD, JOB + "limits: {}\n"):
        open_file(form, text)
        assert form["side"] == "yaml"
        assert form["file"] == text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\x00\xff", "is not text"),
        (b"a" * (256 * 1024 + 1), "256 KiB at most"),
    ],
)
def test_what_is_no_job_file_is_refused_in_words(form, content, words):
    file = SimpleUploadedFile("cat.png", content)
    form._take(form.client.post(form.url, {"action": "open_file", "job_file": file}))
    assert form.response.status_code == 422
    assert words in form.text


def test_code_beside_the_file_is_asked_for(form):
    open_file(form, JOB.replace("  environment", "  code: ./src\n  environment"))
    form.press("submit")
    assert form.response.status_code == 422
    assert "has its code in “./src”" in form.text
    form.press("upload", files={"code_file": script("print(1)")})
    form.press("submit")
    assert Sweep.objects.get().code.origin == "train.py"


def test_code_that_is_elsewhere_is_asked_for_as_such(form):
    for code in ("git+https://a.org/b", "azureml:mine:1"):
        open_file(form, JOB.replace("  environment", f"  code: '{code}'\n  environment"))
        form.press("submit")
        assert form.response.status_code == 422
        assert f"has its code at “{code}”, which is not fetched from here" in form.text


def test_a_data_asset_is_refused_at_its_input(form):
    text = JOB + "inputs: {iris: {type: uri_file, path: 'azureml:iris:1'}}\n"
    open_file(form, text)
    assert form["input_value"] == "azureml:iris:1"
    form.press("submit")
    assert form.response.status_code == 422
    assert "azureml:iris:1 is a data asset of Azure ML" in form.text


def test_code_of_this_machine_is_taken_from_where_the_file_says(form, tmp_path):
    (tmp_path / "train.py").write_text("print(1)")
    text = JOB.replace("  environment", f"  code: {tmp_path}\n  environment")
    open_file(form, text)
    assert form["code_origin"] == str(tmp_path)
    form.press("to_yaml").press("submit")
    assert Sweep.objects.get().code.origin == str(tmp_path)


# --- Files of other tools -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tool", "metric", "note"),
    [
        (WANDB, "Weights &amp; Biases", "val_loss", "Hyperband becomes successive halving"),
        (KATIB, "Katib", "Validation-accuracy", "num-layers is called num_layers here"),
    ],
)
def test_a_file_of_another_tool_opens_in_the_form_with_what_differs(
    form, text, tool, metric, note, wake_ups
):
    open_file(form, text + "# mine\n")
    assert form["side"] == ""
    assert form["primary_metric"] == metric
    assert f"Read from a file of {tool}" in form.text
    assert note in form.text
    form.press("preview", max_total_trials="7")
    assert note in form.text
    form.press("to_yaml")
    lines = str(form["file"]).splitlines()
    assert "type: sweep" in lines
    assert "  max_total_trials: 7" in lines
    assert not {"method: bayes", "kind: Experiment", "# mine"} & set(lines)
    form.press("submit")
    assert form.response.status_code == 302, form.text[-3000:]
    assert Sweep.objects.get().primary_metric == metric


def test_a_file_of_another_tool_is_pasted_and_comes_back_to_the_letter(form):
    form.press("to_yaml").press("preview", file=KATIB)
    assert "of Katib, read as a sweep job" in form.text
    assert form.text.index("Read from a file of Katib") < form.text.index('id="section-code"')
    assert form.text.count("is not pulled") == 1
    review = form.text.index('id="section-review"')
    assert form.text.index("No compute was named") > review > form.text.index("is not pulled")
    form.press("to_form")
    assert form["row-1-name"] == "num_layers"
    assert "Read from a file of Katib" in form.text
    form.press("to_yaml")
    assert form["file"] == KATIB


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (KATIB.replace("maximize", "best"), 7),
        (KATIB.replace("name: random}", "name: random, labels: {'': x}}"), 4),
        (WANDB.replace("method: bayes", "method: best"), 2),
    ],
)
def test_problems_of_such_a_file_are_told_at_its_own_lines(form, text, line):
    open_file(form, text)
    assert form["side"] == "yaml"
    assert form["file"] == text
    assert f"Line {line}</a>" in form.text


def test_a_file_can_be_opened_from_the_form_itself(form):
    assert 'name="job_file"' in form.text
    assert "js/open_file" in form.text
    assert "drop-hint" not in form.text
