"""A first sweep for a script: bounds around its defaults that the form accepts as they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.space_doc import parse_space
from sweeps.forms.rows import Row, to_space_doc
from sweeps.forms.values import parse_values
from sweeps.stores.inspect_script import Option, ScriptFacts
from sweeps.stores.literals import MAX_INT
from sweeps.stores.propose import Proposal, propose


def proposal(*options: Option, metrics: tuple[str, ...] = ("loss",)) -> Proposal:
    return propose(ScriptFacts(options, metrics, True), "train.py")


def bounds(option: Option) -> tuple:
    (row,) = proposal(option).rows
    return row["type"], *row["typed"].values()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (Option("--lr", "lr", "float", 0.1), ("loguniform", "0.001", "1.0")),
        (Option("--lr", "lr", "float", 0.003), ("loguniform", "3e-05", "0.03")),
        (Option("--lr", "lr", "float", 10.0), ("loguniform", "0.1", "100.0")),
        (Option("--c", "c", "float", 1.0), ("loguniform", "0.01", "10.0")),
        (Option("--weight-decay", "weight_decay", "float", 0.0), ("loguniform", "1e-06", "0.1")),
        (Option("--noise", "noise", "float", 0.01), ("loguniform", "0.0001", "0.1")),
        (Option("--lr", "lr", "float", required=True), ("loguniform", "0.0001", "0.1")),
        (Option("--lr", "lr", "float", 1e-310), ("loguniform", "1e-06", "0.1")),
        (Option("--x", "x", "float", 0.5), ("uniform", "0.0", "1.0")),
        (Option("--x", "x", "float", 0.0), ("uniform", "0.0", "1.0")),
        (Option("--x", "x", "float", 3), ("uniform", "1.5", "6.0")),
        (Option("--x", "x", "float", -2.0), ("uniform", "-4.0", "-1.0")),
        (Option("--dropout-rate", "dropout_rate", "float", 0.01), ("uniform", "0.0", "1.0")),
        (Option("--subsample", "subsample", "float", 1.0), ("uniform", "0.0", "1.0")),
        (Option("--n", "n", "int", 31), ("quniform", "7", "124", "1")),
        (Option("--n", "n", "int", 1), ("quniform", "1", "4", "1")),
        (Option("--n", "n", "int", required=True), ("quniform", "2", "40", "1")),
        (Option("--b", "b", choices=("gbdt", "1", "a, b")), ("choice", 'gbdt, "1", "a, b"')),
        (Option("--device", "device", choices=("cpu", "gpu")), ("choice", "cpu, gpu")),
    ],
)
def test_bounds_lie_around_the_default(option: Option, expected: tuple) -> None:
    assert bounds(option) == expected


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        (Option("--seed", "seed", "int", 42), "--seed (42)"),
        (Option("--random-state", "random_state", "int", 1), "--random-state (1)"),
        (Option("--verbose", "verbose", "int", 1), "--verbose (1)"),
        (Option("--shuffle", "shuffle", "bool", is_flag=True), "--shuffle"),
        (Option("--early", "early", "bool", True), "--early (True)"),
        (Option("--optimizer", "optimizer", "str", "adam"), "--optimizer (adam)"),
        (Option("--max-depth", "max_depth", "int", -1), "--max-depth (-1)"),
        (Option("--limit", "limit", "float"), "--limit"),
        (Option("--output-dir", "output_dir", "str", "out"), "--output-dir (out)"),
        (Option("", "name", "str", "x"), "name (x)"),
    ],
)
def test_what_is_better_not_searched_stays_at_its_default(option: Option, shown: str) -> None:
    found = proposal(option, Option("--lr", "lr", "float", 0.1))
    assert found.command == "python train.py --lr ${{search_space.lr}}"
    assert found.notes == (f"Left at the script's own defaults: {shown}.",)


@pytest.mark.parametrize(
    ("option", "entry"),
    [
        (Option("--iris-csv", "iris_csv", required=True), ("iris_csv", "uri_file", "")),
        (Option("--data", "data", "str", "d.csv"), ("data", "uri_file", "d.csv")),
        (Option("--train-dir", "train_dir", "str", "in"), ("train_dir", "uri_folder", "in")),
        (Option("--x", "x", is_path=True), ("x", "uri_file", "")),
        (Option("--model", "model", required=True), ("model", "value", "")),
        (Option("--seed", "seed", "int", required=True), ("seed", "value", "")),
    ],
)
def test_files_and_what_must_be_said_become_inputs(option: Option, entry: tuple) -> None:
    found = proposal(option)
    assert [tuple(one.values()) for one in found.inputs] == [entry]
    assert found.command == f"python train.py {option.flag} ${{{{inputs.{option.name}}}}}"
    assert found.rows == ()


def test_numbers_named_like_files_are_searched() -> None:
    assert bounds(Option("--input-dim", "input_dim", "int", 8)) == ("quniform", "2", "32", "1")


def test_a_place_to_write_to_that_must_be_given_is_outputs() -> None:
    found = proposal(Option("--output-dir", "output_dir", required=True))
    assert found.command == "python train.py --output-dir outputs"
    assert found.notes[0] == "--output-dir gets the folder “outputs”."


def test_the_command_is_one_line_in_the_scripts_order() -> None:
    found = propose(
        ScriptFacts(
            (
                Option("", "data", required=True),
                Option("--lr", "lr", "float", 0.1),
                Option("--shift", "shift", "float", -1.0),
            )
        ),
        "my train.py",
    )
    assert found.command == (
        "python 'my train.py' ${{inputs.data}} --lr ${{search_space.lr}} "
        "--shift=${{search_space.shift}}"
    )


def test_what_is_missing_is_said() -> None:
    nothing = propose(ScriptFacts(), "t.py").notes
    assert nothing == (
        "No option to search was found; a script can also read SWEEP_PARAMS_FILE.",
        "The script does not import mlflow; log its result with mlflow.log_metric.",
    )
    quiet = proposal(Option("--lr", "lr", "float", 0.1), metrics=()).notes
    assert quiet == (
        "No metric name was found; give the primary metric exactly as the script logs it.",
    )
    guessed = proposal(Option("--n", "n", "int", required=True)).notes
    assert guessed == ("--n has no default to go by; check its bounds.",)


def test_a_script_that_cannot_be_read_gives_its_problem_and_a_plain_command() -> None:
    found = propose(ScriptFacts(problem="t.py line 3: bad."), "t.py")
    assert found == Proposal("python t.py", notes=("t.py line 3: bad.",))


numbers = st.floats(-1e299, 1e299) | st.integers(1 - MAX_INT, MAX_INT - 1)
scalars = numbers | st.booleans() | st.text(st.characters(exclude_categories=["Cs", "Cc"]))
names = st.sampled_from(["lr", "x", "c", "dropout", "n", "gamma", "device", "rate"])


@settings(max_examples=150, deadline=None)
@given(
    name=names,
    type_=st.sampled_from(["int", "float", "str"]),
    default=st.none() | numbers,
    choices=st.lists(scalars, max_size=4).map(tuple),
    required=st.booleans(),
)
def test_every_proposed_row_is_a_valid_search_space(
    name: str, type_: str, default: float | None, choices: tuple, required: bool
) -> None:
    found = proposal(Option(f"--{name}", name, type_, default, choices, "", required))
    rows = [Row(str(index), **row) for index, row in enumerate(found.rows)]
    if not rows:
        return
    space = to_space_doc(rows)
    assert space.problems == []
    assert parse_space(space.doc).names() == (name,)
    if choices:
        unique = list(dict.fromkeys(choices))
        assert parse_values(rows[0].get("values")) == unique
