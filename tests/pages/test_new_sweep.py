"""The new-sweep form without JavaScript: every button a round trip, nothing typed is lost."""

import io
import tarfile
import zipfile
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from huey.contrib.djhuey import HUEY

from studio.models import Workspace
from sweeps.domain.job import Output
from sweeps.domain.states import Desired, TrialStatus
from sweeps.models import CodeSnapshot, Sweep
from tests.pages.posted import PostedForm

pytestmark = pytest.mark.django_db
SCRIPT = """
import argparse, mlflow
p = argparse.ArgumentParser()
p.add_argument("--learning-rate", type=float, default=0.1)
p.add_argument("--boosting", choices=["gbdt", "dart"], default="gbdt")
p.add_argument("--data", required=True)
a = p.parse_args()
mlflow.log_metric("val-auc", a.learning_rate)
"""
COMPLETE = {
    "command": "python train.py --lr ${{search_space.lr}}",
    "row-0-name": "lr",
    "row-0-min_value": "0.1",
    "row-0-max_value": "0.9",
    "primary_metric": "loss",
}


def script(text=SCRIPT, name="train.py"):
    return SimpleUploadedFile(name, text.encode())


class Form:
    """The form of one person: what the last answer holds, and its buttons."""

    def __init__(self, user, workspace, query=""):
        self.client = Client()
        self.client.force_login(user)
        self.url = reverse("sweep_new", args=[workspace.name])
        self._take(self.client.get(self.url + query))

    def _take(self, response):
        self.response, self.text = response, response.content.decode()
        self.form = PostedForm(self.text, "sweep-form")

    def press(self, action, files=None, htmx=False, **changes):
        """Press a button that the page offers, with some fields changed before."""
        offered = {value for name, value in self.form.buttons if name == "action"}
        assert action in offered, f"no button {action} among {sorted(offered)}"
        data = {**self.form.with_(**changes), "action": action, **(files or {})}
        headers = {"HX-Request": "true"} if htmx else {}
        self._take(self.client.post(self.url, data, headers=headers))
        return self

    def __getitem__(self, name):
        values = self.form.fields[name]
        return values[0] if len(values) == 1 else values


@pytest.fixture
def huey_tasks():
    """The wake-ups that were queued, as (task, id)."""
    HUEY.flush()
    return lambda: [(task.name, task.args[0]) for task in HUEY.pending()]


@pytest.fixture
def form(bob, workspace, compute):
    return Form(bob, workspace)


def rejected_at(form, field):
    """The last answer refuses this field: marked, described, and linked from the review."""
    assert form.response.status_code == 422, form.text[-2000:]
    assert f"f-{field}" in form.form.invalid, form.form.invalid
    assert f"#f-{field}" in form.form.links
    assert not Sweep.objects.exists()
    return form.text


# --- The empty form -----------------------------------------------------------------------------


def test_the_empty_form_asks_for_everything_and_complains_of_nothing(form):
    assert form.response.status_code == 200
    assert form["row-0-type"] == "uniform" and form["compute"] == "local"
    assert form["max_concurrent_trials"] == "2", "as many as the compute has slots"
    assert "field-error" not in form.text and not form.form.invalid


def test_an_early_check_does_not_complain_of_what_is_still_empty(form):
    form.press("preview", **{"row-0-name": "lr"})
    assert form.response.status_code == 200 and "field-error" not in form.text


def test_submitting_the_empty_form_points_at_each_missing_field(form):
    form.press("submit")
    rejected_at(form, "command")
    assert "f-primary_metric" in form.form.invalid
    assert "#f-rows" in form.form.links and "Add at least one parameter." in form.text


def test_every_linked_error_has_its_place_on_the_page(form):
    form.press("add_input").press("add_variable")
    form.press("submit", input_name="a b", variable_value="1", max_total_trials="x")
    targets = {link[1:] for link in form.form.links if link.startswith("#f-")}
    assert {"f-inputs-0-name", "f-variables-0-name", "f-max_total_trials"} <= targets
    assert targets <= form.form.ids


@pytest.mark.parametrize("who", ["rita", "charlie"])
def test_readers_and_strangers_find_no_form(who, request, workspace, compute):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    url = reverse("sweep_new", args=[workspace.name])
    assert client.get(url).status_code == 404
    assert client.post(url, {"action": "submit", **COMPLETE}).status_code == 404
    assert not Sweep.objects.exists()


# --- Nothing typed is lost ----------------------------------------------------------------------


def test_a_rejected_form_keeps_everything_typed(form):
    form.press("add_input").press("add_variable").press("add")
    typed = {
        **COMPLETE,
        "row-0-max_value": "0,5 or so",
        "row-1-name": "  depth ",
        "row-1-type": "randint",
        "row-1-upper": "1e",
        "input_name": "data",
        "input_kind": "uri_file",
        "input_value": "/no/such.csv",
        "variable_name": "2X",
        "variable_value": " é ",
        "algorithm": "bayesian",
        "seed": "-1x",
        "goal": "maximize",
        "max_total_trials": "many",
        "timeout": "5 minits",
        "trial_timeout": "1 h",
        "display_name": "<b>mine</b>",
        "name": "bad name",
        "tags": "a=1, b",
        "description": "x",
    }
    form.press("submit", **typed)
    assert form.response.status_code == 422
    assert {name: form[name] for name in typed} == typed
    for field in ("rows-0-max_value", "rows-1-upper", "variables-0-name", "timeout", "seed"):
        assert f"f-{field}" in form.form.invalid
    assert "“5 minits” is not a duration. Write it like 90s, 5m or 2h 30m." in form.text
    assert "&lt;b&gt;mine" in form.text and "<b>mine" not in form.text


def test_fields_of_another_distribution_come_back_with_it(form):
    form.press("preview", **{**COMPLETE, "row-0-type": "choice"})
    assert form["row-0-values"] == "" and form["row-0-min_value"] == "0.1"
    form.press("preview", **{"row-0-values": "1, 2", "row-0-type": "uniform"})
    assert form["row-0-max_value"] == "0.9" and form["row-0-values"] == "1, 2"


# --- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"row-0-min_value": "0.9", "row-0-max_value": "0.1"}, "rows-0-max_value", "0.9"),
        ({"row-0-min_value": "0.9"}, "rows-0-max_value", "0.9"),
        ({"row-0-min_value": ""}, "rows-0-min_value", "equired"),
        ({"row-0-name": "a b"}, "rows-0-name", "cannot name a parameter"),
        ({"row-0-type": "choice", "row-0-values": " "}, "rows-0-values", "value"),
        ({"row-0-type": "loguniform", "row-0-min_value": "0"}, "rows-0-min_value", "above 0"),
        ({"row-0-type": "loguniform", "row-0-min_value": "-1"}, "rows-0-min_value", "above 0"),
        ({"row-0-type": "randint", "row-0-upper": "0"}, "rows-0-upper", "0"),
        ({"command": "python t.py ${{search_space.rl}}"}, "command", "Did you mean lr?"),
        ({"command": "python t.py ${{nonsense}}"}, "command", "not known here"),
        ({"command": "python t.py | tee log"}, "command", "without a shell"),
        ({"command": "python 't.py"}, "command", "never closed"),
        ({"max_total_trials": "0"}, "max_total_trials", "from 1 to 100,000, but got 0"),
        ({"max_total_trials": "-1"}, "max_total_trials", "from 1 to 100,000, but got -1"),
        ({"max_concurrent_trials": "0"}, "max_concurrent_trials", "but got 0"),
        ({"trial_timeout": "0"}, "trial_timeout", "at least 1 second"),
        ({"primary_metric": "loss (€)"}, "primary_metric", "“€”"),
        ({"algorithm": "grid"}, "rows-0-name", "Grid needs every parameter to be a choice"),
        ({"seed": "x"}, "seed", "whole number"),
        ({"logbase": "1"}, "logbase", "other than 1"),
        ({"name": "a/b"}, "name", ""),
        ({"display_name": "x" * 300}, "display_name", "255"),
    ],
)
def test_bad_input_is_told_at_its_field(form, changes, field, says):
    form.press("submit", **{**COMPLETE, **changes})
    assert says in rejected_at(form, field).replace("&quot;", '"')


def test_a_mistake_is_told_before_the_submit_too(form):
    form.press("preview", **{**COMPLETE, "max_total_trials": "-1", "primary_metric": ""})
    assert form.response.status_code == 200
    assert form.form.invalid == ["f-max_total_trials"], "the empty metric is not told yet"


def test_an_input_that_is_nowhere_is_told_at_its_line(form):
    form.press("add_input")
    lost = {"input_name": "data", "input_kind": "uri_file", "input_value": "/no/such.csv"}
    form.press("submit", **COMPLETE, **lost)
    assert "There is no /no/such.csv on this machine." in rejected_at(form, "inputs-0-value")


def test_two_inputs_of_one_name_are_told(form):
    form.press("add_input").press("add_input")
    form.press("submit", **COMPLETE, input_name=["a", "a"], input_value=["1", "2"])
    assert "There is an input “a” already." in rejected_at(form, "inputs-1-name")


def test_a_program_that_is_not_there_is_a_warning_before_it_runs(form):
    form.press("preview", **{**COMPLETE, "command": "pyhton train.py ${{search_space.lr}}"})
    assert "“pyhton” was not found on this machine" in form.text


def archive(*entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, text in entries:
            out.writestr(name, text)
    return buffer.getvalue()


def linked():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        link = tarfile.TarInfo("train.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("code.zip", archive(("../train.py", "x")), "climbs out of the archive"),
        ("code.tar.gz", linked(), "is a link or a device"),
        ("code.zip", b"no zip at all", "cannot be read as an archive"),
        ("code.zip", archive(), "There is no file in it."),
        ("notes.ipynb", b"{}", "Upload a .py, .zip or .tar.gz"),
    ],
)
def test_bad_code_is_refused_and_the_form_stays(form, name, content, says):
    file = SimpleUploadedFile(name, content)
    form.press("upload", files={"code_file": file}, **COMPLETE)
    assert says in rejected_at(form, "code_file")
    assert form["primary_metric"] == "loss" and not CodeSnapshot.objects.exists()


def test_upload_without_a_file_says_what_to_do(form):
    assert "Choose a .py" in form.press("upload").text


# --- Code ---------------------------------------------------------------------------------------


def test_an_uploaded_script_fills_in_the_form(form):
    form.press("upload", files={"code_file": script()})
    assert form.response.status_code == 200
    assert form["code"] == CodeSnapshot.objects.get().digest and form["entry"] == "train.py"
    assert form["command"].startswith("python train.py --learning-rate ${{search_space.learning")
    assert form["row-0-name"] == "learning_rate" and form["row-1-values"] == "gbdt, dart"
    assert form["primary_metric"] == "val-auc" and form["goal"] == "maximize"
    assert form["input_name"] == "data" and form["input_kind"] == "uri_file"
    assert "3 options, 1 logged metric" in form.text
    assert "2 options became search-space rows" in form.text


def test_undo_gives_back_the_form_as_it_was_and_keeps_the_code(form):
    form.press("upload", files={"code_file": script()}, **{"row-0-name": "mine"})
    assert form["row-0-name"] == "mine", "rows that were typed stay"
    form.press("undo_read")
    assert form["command"] == "" and form["primary_metric"] == "" and form["row-0-name"] == "mine"
    assert form["code"] and "input_name" not in form.form.fields


def test_what_was_typed_is_not_overwritten_by_a_script(form):
    form.press("upload", files={"code_file": script()}, **COMPLETE)
    assert form["command"] == COMPLETE["command"] and form["row-0-name"] == "lr"
    assert form["primary_metric"] == "loss"


def test_another_entry_script_replaces_what_the_first_one_proposed(form):
    other = SCRIPT.replace("learning-rate", "alpha").replace("val-auc", "loss")
    package = archive(("proj/train.py", SCRIPT), ("proj/other.py", other))
    form.press("upload", files={"code_file": SimpleUploadedFile("p.zip", package)})
    assert form["entry"] == "train.py"
    form.press("preview", entry="other.py")
    assert form["row-0-name"] == "alpha" and "python other.py" in form["command"]
    assert form["primary_metric"] == "loss"
    form.press("undo_read")
    assert form["row-0-name"] == ""


def test_a_script_that_cannot_be_parsed_is_kept_and_says_so(form):
    form.press("upload", files={"code_file": script("def broken(:\n")})
    assert form["code"] and "train.py line 1" in form.text


def test_a_folder_of_this_machine_is_kept(form, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    form.press("use_folder", code_folder=str(tmp_path))
    assert form["code_origin"] == str(tmp_path) and form["row-0-name"] == "learning_rate"


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("", "Name a folder"),
        ("train", "Write the whole path"),
        ("/no/such/folder", "There is no folder /no/such/folder"),
        ("/", "own data"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_told(form, folder, says):
    assert says in rejected_at(form.press("use_folder", code_folder=folder), "code_folder")


def test_the_studios_own_folder_is_no_code(form, settings):
    form.press("use_folder", code_folder=str(settings.STUDIO_HOME))
    assert "own data" in rejected_at(form, "code_folder")


def test_code_of_another_workspace_is_not_to_be_had_by_its_digest(form, bob):
    form.press("upload", files={"code_file": script()})
    CodeSnapshot.objects.update(workspace=Workspace.objects.create(name="other"))
    form.press("submit", **COMPLETE)
    assert form.response.status_code == 422 and "not kept in this workspace" in form.text
    assert "1 file," not in form.text and not Sweep.objects.exists()


def test_a_digest_that_is_none_is_refused(form):
    form.press("submit", **COMPLETE, code="../../etc")
    assert form.response.status_code == 422 and "not kept in this workspace" in form.text


def test_an_uploaded_input_becomes_a_path_and_shows_its_name(form, settings):
    form.press("add_input").press("preview", input_kind="uri_file")
    file = SimpleUploadedFile("iris.csv", b"a,b\n1,2\n")
    form.press("preview", files={"input_file-0": file}, input_name="table")
    assert form["input_value"].startswith(str(settings.STUDIO_HOME / "data"))
    assert form["input_name"] == "table" and "iris.csv" in form.text and "8 B" in form.text


def test_an_input_that_is_too_large_is_told(form, settings):
    settings.STUDIO_UPLOAD_CAP_MB = 1
    form.press("add_input").press("preview", input_kind="uri_file", input_name="a")
    file = SimpleUploadedFile("big.csv", b"x" * (2**20 + 1))
    form.press("preview", files={"input_file-0": file})
    assert "larger than 1 MiB" in rejected_at(form, "inputs-0-value")


# --- Rows ---------------------------------------------------------------------------------------


def test_rows_are_added_copied_moved_and_removed(form):
    form.press("add", **COMPLETE).press("duplicate-0", **{"row-1-name": "depth"})
    assert [form[f"row-{key}-name"] for key in form["row"]] == ["lr", "lr_copy", "depth"]
    form.press("up-1")
    assert [form[f"row-{key}-name"] for key in form["row"]] == ["lr", "depth", "lr_copy"]
    form.press("down-0").press("remove-2")
    assert [form[f"row-{key}-name"] for key in form["row"]] == ["depth", "lr"]


def test_a_row_shows_draws_shape_and_stored_logarithms(form):
    log = {"row-0-type": "loguniform", "row-0-min_value": "0.001", "row-0-max_value": "0.5"}
    form.press("preview", **{**COMPLETE, **log}, seed="42")
    assert "stored as ln −6.908 to −0.6931" in form.text
    assert "e.g. 0.0" in form.text and '<path class="area" d="M' in form.text
    assert "draws with seed 42" in form.text


def test_a_choice_shows_the_types_of_its_values(form):
    form.press("preview", **{"row-0-type": "choice", "row-0-values": 'gbdt, 16, 0.5, true, "1"'})
    for value, kind in (("gbdt", "text"), ("16", "int"), ("0.5", "float"), ("true", "bool")):
        assert f"{value}<small>{kind}</small>" in form.text


def nested(form):
    choice = {"row-0-type": "choice", "row-0-name": "boosting", "row-0-values": "gbdt, dart"}
    command = "python t.py --boosting ${{search_space.boosting}}"
    form.press("preview", **choice, command=command, primary_metric="loss")
    form.press("nest-0")
    bounds = {"row-1-name": "drop_rate", "row-1-min_value": "0.1", "row-1-max_value": "0.5"}
    return form.press("preview", **bounds)


def test_a_nested_row_hangs_on_a_value_and_goes_into_the_command(form):
    nested(form)
    assert form["row-1-when"] == "dart" and "constant" in form.text
    assert "none in 1 of 2 trials" in form.text
    form.press("use-0").press("use-1")
    assert "--boosting ${{search_space.boosting.value}}" in form["command"]
    assert "$[[--drop-rate ${{search_space.boosting.drop_rate}}]]" in form["command"]
    form.press("submit")
    assert form.response.status_code == 302
    values = Sweep.objects.get().search_space["boosting"]["values"]
    assert values[0] == {"value": "gbdt"} and values[1]["drop_rate"]["max_value"] == 0.5


def test_a_nested_row_whose_value_is_gone_is_told(form):
    nested(form).press("submit", **{"row-0-values": "gbdt, goss"})
    assert "no value “dart” any more" in rejected_at(form, "rows-1-when")
    assert form["row-1-when"] == "dart"


def test_a_choice_with_nested_rows_cannot_silently_become_a_range(form):
    nested(form).press("submit", **{"row-0-type": "uniform"})
    assert "Only a choice can have nested parameters" in rejected_at(form, "rows-0-type")


def test_rows_that_hang_on_each_other_in_a_circle_do_no_harm(form):
    data = {"row": ["1", "2", "x", "1"], "row-1-parent": "2", "row-2-parent": "1"}
    for action in ("remove-1", "duplicate-2", "submit"):
        response = form.client.post(form.url, {**data, "action": action})
        assert response.status_code in (200, 422)


# --- The review ---------------------------------------------------------------------------------


def test_the_review_shows_one_concrete_command_and_draws_another(form):
    form.press("preview", **COMPLETE, seed="7")
    assert "Trial 0 will run" in form.text
    first = form.text.partition('id="example-command">')[2].partition("</pre>")[0]
    assert first.startswith("python train.py --lr <mark") and "${{" not in first
    form.press("another_draw")
    assert "Trial 1 will run" in form.text
    assert form.text.partition('id="example-command">')[2].partition("</pre>")[0] != first


def test_the_review_says_more_trials_at_once_than_slots(form):
    form.press("preview", **COMPLETE, max_concurrent_trials="6")
    assert "local has 2 slots" in form.text and "the others wait" in form.text


def test_a_parameter_that_the_command_does_not_use_is_a_note(form):
    form.press("preview", **{**COMPLETE, "command": "python train.py"})
    assert "SWEEP_PARAM_LR" in form.text
    assert form.press("use-0")["command"] == "python train.py --lr ${{search_space.lr}}"


def test_a_found_metric_is_one_press_away(form):
    two = SCRIPT + 'mlflow.log_metric("loss", 1)\n'
    form.press("upload", files={"code_file": script(two)})
    assert form["primary_metric"] == ""
    assert form.press("metric-val-auc")["primary_metric"] == "val-auc"


# --- Handing in ---------------------------------------------------------------------------------


def test_submit_makes_the_sweep_that_was_typed_and_goes_to_its_page(form, bob, huey_tasks):
    form.press("upload", files={"code_file": script()})
    form.press(
        "submit",
        **COMPLETE,
        **{"input_name": "data", "input_kind": "value", "input_value": "x"},
        algorithm="bayesian",
        max_total_trials="7",
        timeout="2h 30m",
        trial_timeout="90s",
        tags="a=1",
        display_name="mine",
        **{"row": "0"},
    )
    sweep = Sweep.objects.get()
    assert form.response.status_code == 302 and form.response["Location"].endswith(f"/{sweep.name}/")
    assert (sweep.max_total_trials, sweep.timeout_s, sweep.trial_timeout_s) == (7, 9000, 90)
    assert sweep.sampling["algorithm"] == "bayesian" and sweep.inputs == {"data": "x"}
    assert sweep.code.origin == "train.py" and sweep.created_by == bob and not sweep.is_dry_run
    assert sweep.tags == {"a": "1"} and str(sweep) == "mine"
    assert huey_tasks() == [("advance_sweep", sweep.pk)]


def test_with_htmx_the_browser_is_sent_to_the_new_page(form):
    form.press("submit", htmx=True, **COMPLETE)
    assert form.response.status_code == 204
    assert form.response["HX-Redirect"] == Sweep.objects.get().get_absolute_url()


def test_with_htmx_only_the_form_comes_back(form):
    form.press("preview", htmx=True, **COMPLETE)
    assert "<html" not in form.text and 'id="sweep-form"' in form.text


def test_a_name_that_is_taken_is_told_at_the_name(form, make_sweep):
    taken = make_sweep(name="taken")
    form.press("submit", **COMPLETE, name="taken")
    assert "There is a sweep “taken” in this workspace already" in form.text
    assert "f-name" in form.form.invalid and Sweep.objects.get() == taken


def test_a_clone_says_what_the_sweep_said(bob, workspace, make_sweep):
    sweep = make_sweep(name="first", outputs={"model": Output()}, command="python t.py ${{outputs.model}}")
    form = Form(bob, workspace, "?from=first")
    assert form["row-0-name"] == "lr" and form["row-1-values"] == "gbdt, dart"
    assert form["seed"] == "7" and form["name"] == "" and form["max_total_trials"] == "4"
    form.press("submit")
    clone = Sweep.objects.exclude(pk=sweep.pk).get()
    assert clone.search_space == sweep.search_space and clone.outputs == sweep.outputs


def test_a_clone_of_a_foreign_sweep_is_not_to_be_had(form, make_sweep, charlie):
    make_sweep(name="first")
    Sweep.objects.update(workspace=Workspace.objects.get(name="elsewhere"))
    assert form.client.get(form.url + "?from=first").status_code == 404


def test_the_example_opens_complete_and_can_be_submitted(bob, workspace, compute):
    form = Form(bob, workspace, "?example=iris")
    assert form["primary_metric"] == "test-multi_logloss" and form["input_value"] == "iris.csv"
    form.press("submit")
    assert Sweep.objects.get().code.origin == "examples/iris_lightgbm"


def test_without_a_compute_the_form_says_so(bob, workspace):
    form = Form(bob, workspace)
    assert "There is no compute yet." in form.text
    form.press("submit", **COMPLETE)
    assert form.response.status_code == 422 and "#f-compute" in form.form.links


# --- The dry run --------------------------------------------------------------------------------


@pytest.fixture
def dry(form):
    form.press("dry_run", **COMPLETE, max_total_trials="50", name="mine")
    return SimpleNamespace(form=form, sweep=Sweep.objects.get())


def test_a_dry_run_is_one_trial_beside_the_form(dry):
    form, sweep = dry.form, dry.sweep
    assert form.response.status_code == 200 and form["command"] == COMPLETE["command"]
    assert (sweep.is_dry_run, sweep.max_total_trials, sweep.max_concurrent_trials) == (True, 1, 1)
    assert sweep.name != "mine" and form["name"] == "mine" and form["max_total_trials"] == "50"
    assert form["dry_run"] == sweep.name and not Sweep.objects.real().exists()
    assert reverse("dry_run", args=["default", sweep.name]) in form.text


def test_a_dry_run_that_succeeded_says_what_was_logged(dry, now):
    trial = dry.sweep.trials.create(
        number=0, status=TrialStatus.COMPLETED, objective=0.049, reports=20
    )
    attempt = trial.attempts.create(number=1, spool="/no/such", token_digest="x")
    trial.metrics.create(attempt=attempt, name="loss", count=20, last=0.05, kind="num")
    panel = dry.form.press("preview").text
    assert "loss was logged 20 times, best 0.0490000." in panel and "every 1s" not in panel


def test_a_dry_run_that_failed_says_why_and_shows_its_log(dry, tmp_path):
    reason = "exit code 1"
    trial = dry.sweep.trials.create(number=0, status=TrialStatus.FAILED, reason=reason)
    (tmp_path / "stderr.log").write_text("Traceback\nKeyError: <b>\n")
    trial.attempts.create(number=1, spool=str(tmp_path), token_digest="x")
    url = reverse("dry_run", args=["default", dry.sweep.name])
    panel = dry.form.client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert reason in panel and "KeyError: &lt;b&gt;" in panel and "<html" not in panel
    assert "Back to the form" in dry.form.client.get(url).content.decode()


def test_a_dry_run_can_be_cancelled_and_a_second_one_replaces_it(dry):
    dry.form.press("cancel_dry_run")
    dry.sweep.refresh_from_db()
    assert dry.sweep.desired == Desired.CANCEL
    dry.form.press("dry_run")
    assert Sweep.objects.count() == 2 and dry.form["dry_run"] != dry.sweep.name


@pytest.mark.parametrize("who", ["rita", "charlie"])
def test_readers_and_strangers_see_no_dry_run(who, dry, request):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("dry_run", args=["default", dry.sweep.name])).status_code == 404
