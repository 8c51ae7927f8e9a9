"""Search-space rows of the new-sweep form, and the review beside them."""

import pytest

from sweeps.models import Sweep
from tests.pages.new_sweep_form import COMPLETE, SCRIPT, rejected_at, script

pytestmark = pytest.mark.django_db


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
    assert "e.g. 0." in form.text
    assert '<path class="area" d="M' in form.text
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
    assert form["row-1-when"] == "dart"
    assert "constant" in form.text
    assert "none in 1 of 2 trials" in form.text
    form.press("use-0").press("use-1")
    assert "--boosting ${{search_space.boosting.value}}" in form["command"]
    assert "$[[--drop-rate ${{search_space.boosting.drop_rate}}]]" in form["command"]
    form.press("submit")
    assert form.response.status_code == 302
    values = Sweep.objects.get().search_space["boosting"]["values"]
    assert values[0] == {"value": "gbdt"}
    assert values[1]["drop_rate"]["max_value"] == 0.5


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
    assert first.startswith("python train.py --lr <mark")
    assert "${{" not in first
    form.press("another_draw")
    assert "Trial 1 will run" in form.text
    assert form.text.partition('id="example-command">')[2].partition("</pre>")[0] != first


def test_the_review_says_more_trials_at_once_than_slots(form):
    form.press("preview", **COMPLETE, max_concurrent_trials="6")
    assert "local has 2 slots" in form.text
    assert "the others wait" in form.text


def test_a_parameter_that_the_command_does_not_use_is_a_note(form):
    form.press("preview", **{**COMPLETE, "command": "python train.py"})
    assert "SWEEP_PARAM_LR" in form.text
    assert form.press("use-0")["command"] == "python train.py --lr ${{search_space.lr}}"


def test_a_found_metric_is_one_press_away(form):
    two = SCRIPT + 'mlflow.log_metric("loss", 1)\n'
    form.press("upload", files={"code_file": script(two)})
    assert form["primary_metric"] == ""
    assert form.press("metric-val-auc")["primary_metric"] == "val-auc"


# --- Removing a row and the command -------------------------------------------------------------

PROPOSED = (
    "python train.py --learning-rate ${{search_space.learning_rate}} "
    "--boosting ${{search_space.boosting}} --data ${{inputs.data}}"
)


@pytest.fixture
def read(form):
    """The form after a script was read: rows 0 learning_rate and 1 boosting."""
    form.press("upload", files={"code_file": script()})
    assert form["command"].split() == PROPOSED.split()
    return form


def test_a_removed_row_leaves_a_command_that_nobody_has_edited(read):
    read.press("remove-0")
    left = "python train.py --boosting ${{search_space.boosting}} --data ${{inputs.data}}"
    assert read["command"].split() == left.split()
    assert "no parameter" not in read.text
    # One that was added by a press counts as generated, too.
    read.press("add")
    key = read["row"][-1]
    bounds = {f"row-{key}-name": "depth", f"row-{key}-min_value": "1", f"row-{key}-max_value": "9"}
    read.press("preview", **bounds).press(f"use-{key}")
    assert "--depth ${{search_space.depth}}" in read["command"]
    assert " ".join(read.press("remove-1")["command"].split()) == (
        "python train.py --data ${{inputs.data}} --depth ${{search_space.depth}}"
    )
    assert read.press(f"remove-{key}")["command"] == "python train.py --data ${{inputs.data}}"


@pytest.mark.parametrize(
    "edited",
    [
        f"{PROPOSED} --epochs 3",
        PROPOSED.replace("--learning-rate ", "--lr="),
        PROPOSED.replace("python", "python3"),
    ],
)
def test_an_edited_command_stays_and_says_which_placeholder_has_no_row(read, edited):
    read.press("remove-0", command=edited)
    assert read["command"] == edited
    message = "${{search_space.learning_rate}}: the search space has no parameter “learning_rate”."
    assert f"{message} Known: boosting. Take it out of the command, or add it." in read.text


def test_a_renamed_row_is_not_taken_for_the_one_in_the_command(read):
    read.press("preview", **{"row-0-name": "lr"}).press("remove-1")
    assert read["command"].split() == PROPOSED.split()


def test_a_choice_that_loses_its_last_nested_row_is_a_plain_one_again(read):
    read.press("nest-1")
    [child] = [key for key in read["row"] if key not in ("0", "1")]
    bounds = {f"row-{child}-min_value": "0", f"row-{child}-max_value": "1"}
    read.press("preview", **{f"row-{child}-name": "rate", **bounds})
    read.press("use-1").press(f"use-{child}")
    assert "$[[--rate ${{search_space.boosting.rate}}]]" in read["command"]
    assert "${{search_space.boosting.value}}" in read["command"]
    assert read.press(f"remove-{child}")["command"].split() == PROPOSED.split()


def test_of_two_rows_of_one_name_the_command_keeps_the_one_that_stays(read):
    read.press("duplicate-0")
    copy = read["row"][1]
    read.press("preview", **{f"row-{copy}-name": "learning_rate"}).press(f"remove-{copy}")
    assert read["command"].split() == PROPOSED.split()
