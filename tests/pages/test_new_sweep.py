"""The new-sweep form without JavaScript: nothing typed is lost, mistakes are told in place."""

import pytest
from django.test import Client
from django.urls import reverse

from sweeps.models import Sweep
from tests.pages.new_sweep_form import COMPLETE, rejected_at

pytestmark = pytest.mark.django_db


# --- The empty form -----------------------------------------------------------------------------


def test_the_empty_form_asks_for_everything_and_complains_of_nothing(form):
    assert form.response.status_code == 200
    assert form["row-0-type"] == "uniform"
    assert form["compute"] == "local"
    assert form["max_concurrent_trials"] == "2", "as many as the compute has slots"
    assert "field-error" not in form.text
    assert not form.form.invalid


def test_an_early_check_does_not_complain_of_what_is_still_empty(form):
    form.press("preview", **{"row-0-name": "lr"})
    assert form.response.status_code == 200
    assert "field-error" not in form.text


def test_submitting_the_empty_form_points_at_each_missing_field(form):
    form.press("submit")
    rejected_at(form, "command")
    assert "f-primary_metric" in form.form.invalid
    assert "#f-rows" in form.form.links
    assert "Add at least one parameter." in form.text


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
    assert "&lt;b&gt;mine" in form.text
    assert "<b>mine" not in form.text


def test_fields_of_another_distribution_come_back_with_it(form):
    form.press("preview", **{**COMPLETE, "row-0-type": "choice"})
    assert form["row-0-values"] == ""
    assert form["row-0-min_value"] == "0.1"
    form.press("preview", **{"row-0-values": "1, 2", "row-0-type": "uniform"})
    assert form["row-0-max_value"] == "0.9"
    assert form["row-0-values"] == "1, 2"


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
        ({"command": "python t.py ${{search_space.lrr}}"}, "command", "Did you mean lr?"),
        ({"command": "python t.py ${{nonsense}}"}, "command", "not known here"),
        ({"command": "python t.py 'tee"}, "command", "A quote is never closed"),
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
