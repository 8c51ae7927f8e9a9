"""Handing a sweep in, cloning one, and dry-running one trial."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from studio.models import Workspace
from sweeps.domain.job import Output
from sweeps.domain.states import Desired, TrialStatus
from sweeps.models import Sweep
from tests.pages.new_sweep_form import COMPLETE, Form, script

pytestmark = pytest.mark.django_db


# --- Handing in ---------------------------------------------------------------------------------


def test_submit_makes_the_sweep_that_was_typed_and_goes_to_its_page(form, bob, wake_ups):
    form.press("upload", files={"code_file": script()})
    form.press(
        "submit",
        **COMPLETE,
        input_name="data",
        input_kind="value",
        input_value="x",
        algorithm="bayesian",
        max_total_trials="7",
        timeout="2h 30m",
        trial_timeout="90s",
        tags="a=1",
        display_name="mine",
        row="0",
    )
    sweep = Sweep.objects.get()
    assert form.response.status_code == 302
    assert form.response["Location"].endswith(f"/{sweep.name}/")
    assert (sweep.max_total_trials, sweep.timeout_s, sweep.trial_timeout_s) == (7, 9000, 90)
    assert sweep.sampling["algorithm"] == "bayesian"
    assert sweep.inputs == {"data": "x"}
    assert sweep.code.origin == "train.py"
    assert sweep.created_by == bob
    assert not sweep.is_dry_run
    assert sweep.tags == {"a": "1"}
    assert str(sweep) == "mine"
    assert wake_ups() == [("advance_sweep", sweep.pk)]


def test_with_htmx_the_browser_is_sent_to_the_new_page(form):
    form.press("submit", htmx=True, **COMPLETE)
    assert form.response.status_code == 204
    assert form.response["HX-Redirect"] == Sweep.objects.get().get_absolute_url()


def test_a_double_click_makes_one_sweep_and_a_changed_form_another(form):
    posted = {**form.form.with_(**COMPLETE), "action": "submit"}
    first, second = (form.client.post(form.url, posted) for _ in range(2))
    assert first.url == second.url
    assert Sweep.objects.count() == 1
    assert form.client.post(form.url, posted | {"max_total_trials": "7"}).url != first.url
    fresh = form.afresh()
    fresh.press("submit", **COMPLETE)
    assert Sweep.objects.count() == 3


def test_with_htmx_only_the_form_comes_back(form):
    form.press("preview", htmx=True, **COMPLETE)
    assert "<html" not in form.text
    assert 'id="sweep-form"' in form.text


def test_a_name_that_is_taken_is_told_at_the_name(form, make_sweep):
    taken = make_sweep(name="taken")
    form.press("submit", **COMPLETE, name="taken")
    assert "There is a sweep “taken” in this workspace already" in form.text
    assert "f-name" in form.form.invalid
    assert Sweep.objects.get() == taken


def test_a_clone_says_what_the_sweep_said(bob, workspace, make_sweep):
    command = "python t.py ${{outputs.model}}"
    sweep = make_sweep(name="first", outputs={"model": Output()}, command=command)
    form = Form(bob, workspace, "?from=first")
    assert form["row-0-name"] == "lr"
    assert form["row-1-values"] == "gbdt, dart"
    assert form["seed"] == "7"
    assert form["name"] == ""
    assert form["max_total_trials"] == "4"
    form.press("submit")
    clone = Sweep.objects.exclude(pk=sweep.pk).get()
    assert clone.search_space == sweep.search_space
    assert clone.outputs == sweep.outputs


def test_a_clone_of_a_foreign_sweep_is_not_to_be_had(form, make_sweep, charlie):
    make_sweep(name="first")
    Sweep.objects.update(workspace=Workspace.objects.get(name="elsewhere"))
    assert form.client.get(form.url + "?from=first").status_code == 404


def test_the_example_opens_complete_and_can_be_submitted(bob, workspace, compute):
    form = Form(bob, workspace, "?example=iris")
    assert form["primary_metric"] == "test-multi_logloss"
    assert form["input_value"] == "iris.csv"
    form.press("submit")
    assert Sweep.objects.get().code.origin == "examples/iris_lightgbm"


def test_without_a_compute_the_form_says_so(bob, workspace):
    form = Form(bob, workspace)
    assert "There is no compute yet." in form.text
    form.press("submit", **COMPLETE)
    assert form.response.status_code == 422
    assert "#f-compute" in form.form.links


# --- The dry run --------------------------------------------------------------------------------


@pytest.fixture
def dry(form):
    form.press("dry_run", **COMPLETE, max_total_trials="50", name="mine")
    return SimpleNamespace(form=form, sweep=Sweep.objects.get())


def test_a_dry_run_is_one_trial_beside_the_form(dry):
    form, sweep = dry.form, dry.sweep
    assert form.response.status_code == 200
    assert form["command"] == COMPLETE["command"]
    assert (sweep.is_dry_run, sweep.max_total_trials, sweep.max_concurrent_trials) == (True, 1, 1)
    assert sweep.name != "mine"
    assert form["name"] == "mine"
    assert form["max_total_trials"] == "50"
    assert form["dry_run"] == sweep.name
    assert not Sweep.objects.real().exists()
    assert reverse("dry_run", args=["default", sweep.name]) in form.text


def test_a_dry_run_that_succeeded_says_what_was_logged(dry, now):
    trial = dry.sweep.trials.create(
        number=0, status=TrialStatus.COMPLETED, objective=0.049, reports=20
    )
    attempt = trial.attempts.create(number=1, spool="/no/such", token_digest="x")
    trial.metrics.create(attempt=attempt, name="loss", count=20, last=0.05, kind="num")
    panel = dry.form.press("preview").text
    assert "loss was logged 20 times, best 0.0490000." in panel
    assert "every 1s" not in panel


def test_a_dry_run_that_failed_says_why_and_shows_its_log(dry, tmp_path, settings):
    reason = "exit code 1"
    trial = dry.sweep.trials.create(number=0, status=TrialStatus.FAILED, reason=reason)
    settings.STUDIO_HOME = tmp_path
    spool = tmp_path / "trials" / dry.sweep.uid / "0.1"
    spool.mkdir(parents=True)
    (spool / "stderr.log").write_text("Traceback\nKeyError: <b>\n")
    trial.attempts.create(number=1, spool=str(spool), token_digest="x")
    url = reverse("dry_run", args=["default", dry.sweep.name])
    panel = dry.form.client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert reason in panel
    assert "KeyError: &lt;b&gt;" in panel
    assert "<html" not in panel
    assert "Back to the form" in dry.form.client.get(url).content.decode()


def test_a_dry_run_can_be_cancelled_and_a_second_one_replaces_it(dry):
    dry.form.press("cancel_dry_run")
    dry.sweep.refresh_from_db()
    assert dry.sweep.desired == Desired.CANCEL
    dry.form.press("dry_run")
    assert Sweep.objects.count() == 2
    assert dry.form["dry_run"] != dry.sweep.name


@pytest.mark.parametrize("who", ["rita", "charlie"])
def test_readers_and_strangers_see_no_dry_run(who, dry, request):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("dry_run", args=["default", dry.sweep.name])).status_code == 404
