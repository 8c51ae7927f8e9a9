"""Early termination, stop rules, failures and the first trial in the form, without JavaScript."""

from dataclasses import replace

import pytest

from sweeps.domain.job import EarlyTermination, FailurePolicy, LoggedModels, StopRules
from sweeps.models import Sweep
from sweeps.queries.spec_of import job_of
from tests.pages.new_sweep_form import COMPLETE, SCRIPT, Form, rejected_at, script

pytestmark = pytest.mark.django_db
RULES = {
    "target_value": "0.1",
    "no_improvement_trials": "20",
    "max_consecutive_failures": "3",
    "retries": "1",
    "infrastructure_retries": "0",
}


def submitted(form: Form) -> Sweep:
    assert form.response.status_code == 302, form.text[-3000:]
    return Sweep.objects.get()


# --- Early termination --------------------------------------------------------------------------


def test_at_first_nothing_is_stopped_early_and_azures_advice_stands_there(form):
    assert form["early_type"] == ""
    assert "cautious advice is median stopping at every report from the fifth on" in form.text
    sweep = submitted(form.press("submit", **COMPLETE))
    assert sweep.early_termination is None


def test_whose_logged_models_are_kept_is_stored_reviewed_and_cloned(form, bob, workspace):
    assert form["logged_models"] == "all"
    form.press("preview", **COMPLETE, logged_models="best")
    assert "only the best trial’s and registered ones kept" in form.text
    sweep = submitted(form.press("submit"))
    assert job_of(sweep).logged_models is LoggedModels.BEST
    clone = Form(bob, workspace, f"?from={sweep.name}")
    assert clone["logged_models"] == "best"
    page = form.client.get(f"/w/{workspace.name}/sweeps/{sweep.name}/config/").content.decode()
    assert "only the best trial’s and registered ones kept" in page


def test_no_other_way_to_keep_logged_models_is_taken(form):
    form.press("submit", **COMPLETE, logged_models="some")
    assert "Must be all, best or none, but got “some”." in form.text
    assert not Sweep.objects.exists()


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("bandit", ["slack", "evaluation_interval", "delay_evaluation"],
         "From report 5 on, at every report, stop a trial whose best loss is more than 10 % above"),
        ("median_stopping", ["evaluation_interval", "delay_evaluation"], "the median of the other"),
        ("truncation_selection", ["truncation_percentage", "evaluation_interval",
                                  "delay_evaluation"], "among the worst 20 % of all trials"),
        ("successive_halving", ["min_reports", "reduction_factor"], "At reports 1, 4, 16, …"),
    ],
)  # fmt: skip
def test_a_policy_shows_its_fields_and_says_what_it_would_do(form, kind, fields, words):
    every = {"slack", "evaluation_interval", "delay_evaluation", "truncation_percentage",
             "min_reports", "reduction_factor"}  # fmt: skip
    form.press("preview", **COMPLETE, early_type=kind)
    assert {name for name in every if f"f-{name}" in form.form.ids} == set(fields)
    assert words in form.text
    sweep = submitted(form.press("submit"))
    assert sweep.early_termination["type"] == kind


def test_what_was_typed_for_another_policy_is_not_lost(form):
    form.press("preview", early_type="bandit").press("preview", slack="17", early_type="")
    assert "f-slack" not in form.form.ids
    form.press("preview", early_type="bandit")
    assert form["slack"] == "17"


def test_a_policy_is_checked_at_its_field_and_named_in_the_review(form):
    form.press("preview", **COMPLETE, early_type="successive_halving")
    assert "successive halving, best 1/4 from report 1 on" in form.text
    form.press("submit", reduction_factor="1")
    assert "Must be from 2 to 1,000, but got 1." in rejected_at(form, "reduction_factor")
    assert form["reduction_factor"] == "1"


def test_bayesian_with_early_termination_is_noted_as_azures_limit(form):
    form.press("preview", **COMPLETE, early_type="median_stopping", algorithm="bayesian")
    assert "bayesian sampling does not support early termination; here it does" in form.text


# --- Stop rules and failures --------------------------------------------------------------------


def test_stop_rules_and_failure_policy_are_stored_and_reviewed(form):
    form.press("preview", **COMPLETE, **RULES)
    assert "the best value reaches 0.1, or 20 trials in a row bring no better value" in form.text
    assert "pause after 3 in a row, run again once" in form.text
    job = job_of(submitted(form.press("submit")))
    assert job.stop_rules == StopRules(0.1, 20)
    assert job.failure_policy == FailurePolicy(3, 1, 0)


def test_empty_fields_mean_the_defaults(form):
    empty = dict.fromkeys(RULES, "")
    job = job_of(submitted(form.press("submit", **COMPLETE, **empty)))
    assert (job.stop_rules, job.failure_policy) == (StopRules(), FailurePolicy())


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_refused_at_its_field(form, name):
    form.press("submit", **COMPLETE | {name: "many"})
    assert "but got “many”." in rejected_at(form, name)
    assert form[name] == "many"


# --- The first trial ----------------------------------------------------------------------------


def uploaded(form: Form) -> Form:
    return form.press("upload", {"code_file": script()}).press("preview", input_kind="value")


def test_the_scripts_defaults_are_offered_with_their_values(form):
    uploaded(form)
    assert "Try my defaults first" in form.text
    assert "learning_rate 0.1, boosting gbdt" in form.text
    assert "try_first" not in form.form.fields, "only offered"


def test_ticked_they_can_be_edited_and_become_the_first_trial(form):
    uploaded(form).press("preview", try_first="1")
    keys = {form[f"row-{key}-name"]: key for key in form["row"]}
    lr, boosting = keys["learning_rate"], keys["boosting"]
    assert (form[f"first-{lr}"], form[f"first-{boosting}"]) == ("0.1", "gbdt")
    form.press("preview", **{f"first-{lr}": "0.25", "input_value": "a.csv"})
    assert "Trial 0 will run" in form.text
    assert ">0.25</mark>" in form.text
    sweep = submitted(form.press("submit"))
    assert sweep.first_trials == [{"learning_rate": 0.25, "boosting": "gbdt"}]


def test_ticked_and_submitted_at_once_the_defaults_are_taken(form):
    uploaded(form).press("submit", try_first="1", input_value="a.csv")
    assert submitted(form).first_trials == [{"learning_rate": 0.1, "boosting": "gbdt"}]


def test_a_value_out_of_the_space_is_refused_at_its_field(form):
    uploaded(form).press("preview", try_first="1")
    form.press("submit", **{"first-0": "7", "input_value": "a.csv"})
    assert "Must be a number from 0.001 to 1, but got 7." in rejected_at(form, "first-0")
    assert form["first-0"] == "7"


def test_a_default_outside_the_space_is_not_proposed(form):
    uploaded(form).press("preview", **{"row-0-min_value": "0.5", "try_first": "1"})
    assert form["first-0"] == ""
    assert form["first-1"] == "gbdt"
    assert "f-first-0" not in form.form.invalid, "still to fill in"
    form.press("submit", input_value="a.csv")
    assert "Give a value." in rejected_at(form, "first-0")


def test_a_script_without_defaults_leaves_a_point_of_ones_own(form):
    form.press("preview", **COMPLETE)
    assert "Try a point of my own first" in form.text
    form.press("preview", try_first="1").press("submit", **{"first-0": "0.5"})
    assert submitted(form).first_trials == [{"lr": 0.5}]


def test_another_script_takes_its_own_defaults(form):
    uploaded(form).press("preview", **{"try_first": "1", "first-0": "0.2"})
    other = script(SCRIPT.replace("--learning-rate", "--eta"), "other.py")
    form.press("upload", {"code_file": other})
    names = {form[f"row-{key}-name"]: form[f"first-{key}"] for key in form["row"]}
    assert names == {"eta": "0.1", "boosting": "gbdt"}


def test_nested_parameters_are_asked_for_when_their_value_is_chosen(form):
    uploaded(form).press("nest-1", try_first="1")
    nested = {"row-2-name": "drop_rate", "row-2-min_value": "0", "row-2-max_value": "1"}
    form.press("preview", **nested)
    assert "f-first-2" not in form.form.ids
    form.press("preview", **{"first-1": "dart"})
    assert "f-first-2" in form.form.ids
    form.press("use-2").press("use-1").press("preview", input_value="a.csv")
    form.press("submit", **{"first-2": "0.5"})
    assert submitted(form).first_trials == [
        {"learning_rate": 0.1, "boosting": {"value": "dart", "drop_rate": 0.5}}
    ]


# --- Clones -------------------------------------------------------------------------------------


def test_a_clone_brings_all_of_it_along(form, bob, workspace):
    form.press("preview", **COMPLETE, **RULES, early_type="bandit", try_first="1")
    form.press("submit", slack="0.5", slack_as="amount", **{"first-0": "0.25"})
    sweep = submitted(form)
    clone = Form(bob, workspace, f"?from={sweep.name}")
    clone.press("submit")
    other = Sweep.objects.exclude(pk=sweep.pk).get()
    job, again = job_of(sweep), job_of(other)
    assert job.early_termination == EarlyTermination(
        "bandit", {"slack_amount": 0.5, "evaluation_interval": 1, "delay_evaluation": 5}
    )
    assert replace(again, name=job.name, sampling=job.sampling) == job


def test_further_first_trials_of_a_clone_can_be_left_out(form, bob, workspace):
    sweep = submitted(form.press("submit", **COMPLETE))
    points = [{"lr": 0.2}, {"lr": 0.3}, {"lr": 0.4}]
    Sweep.objects.filter(pk=sweep.pk).update(first_trials=points)
    clone = Form(bob, workspace, f"?from={sweep.name}")
    assert clone["first-0"] == "0.2"
    assert "2 more first trials of the sweep this form started from are tried, too" in clone.text
    clone.press("preview", **{"row-0-max_value": "0.25"})
    assert "Must be a number from 0.1 to 0.25, but got 0.3." in clone.text
    clone.press("drop_first").press("submit")
    assert Sweep.objects.exclude(pk=sweep.pk).get().first_trials == [{"lr": 0.2}]


def test_a_dry_run_runs_the_first_point_once_and_is_not_stopped(form):
    form.press("preview", **COMPLETE, **RULES, early_type="median_stopping", try_first="1")
    form.press("dry_run", **{"first-0": "0.25"})
    job = job_of(Sweep.objects.get(is_dry_run=True))
    assert job.first_trials == ({"lr": 0.25},)
    assert (job.early_termination, job.stop_rules) == (None, StopRules())
    assert (job.failure_policy.retries, job.failure_policy.infrastructure_retries) == (0, 0)
