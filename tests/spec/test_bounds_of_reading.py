"""Job documents that are too much: long, deep, many, huge; and words that mean nothing here."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeps.domain.job import DataInput, Output
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.spec.environments import NO_ENVIRONMENT
from sweeps.spec.parts import MAX_SECONDS
from sweeps.spec.reader import MAX_PROBLEMS, read_job
from sweeps.spec.writer import job_to_doc, to_yaml
from sweeps.spec.yaml_text import MAX_DEPTH, MAX_DIGITS, MAX_NODES, load

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "iris_lightgbm" / "job-sweep.yml"


def document(**parts: Any) -> dict[str, Any]:
    return {
        "type": "sweep",
        "trial": {"command": "python t.py ${{search_space.lr}}"},
        "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 4},
        **parts,
    }


def problems(source: dict[str, Any] | str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        read_job(source)
    return caught.value.problems


def test_the_most_keys_and_values_are_the_last_that_fit() -> None:
    # One for the list, one for its end.
    assert len(load(f"[{'1,' * (MAX_NODES - 2)}]").document) == MAX_NODES - 2
    with pytest.raises(InvalidInput, match="10,000 keys and values at most"):
        load(f"[{'1,' * (MAX_NODES - 1)}]")


# Each of them once took seconds, the first half a minute.
SLOW = {
    "unknown placeholders": document(
        trial={"command": " ".join(f"${{{{search_space.x{n}}}}}" for n in range(900))},
        search_space={f"k{n}": {"type": "choice", "values": [1]} for n in range(900)},
    ),
    "unknown keys": document(**{f"limit{n}": 1 for n in range(4000)}),
    "operators": document(trial={"command": "a ; " * 60_000}),
    "list": f"[{'1,' * 120_000}1]",
    "mappings": f"[{'{},' * 80_000}1]",
    "documents": "---\n" * 60_000,
    "keys": "".join(f"key{n}: 1\n" for n in range(20_000)),
}


@pytest.mark.parametrize("source", SLOW.values(), ids=SLOW)
def test_what_is_too_much_is_refused_before_it_takes_long(source: dict[str, Any] | str) -> None:
    took = []
    for _ in range(3):
        start = time.process_time()
        problems(source)
        took.append(time.process_time() - start)
    # A tenth of a second, and as much again for a machine that does other things.
    assert min(took) < 0.2


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [(b"\xff", 1, 1), (b"a: 1\nb: \xc3(", 2, 4), (b"\xed\xa0\x80", 1, 1), (b"a: \xe2\x82", 1, 4)],
)
def test_bytes_that_are_no_text_are_told_where_they_stand(
    raw: bytes, line: int, column: int
) -> None:
    with pytest.raises(InvalidInput, match="no UTF-8 text") as caught:
        read_job(raw)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line, column)


def test_a_file_as_bytes_is_the_same_job() -> None:
    text = EXAMPLE.read_text()
    assert read_job(text.encode()) == read_job(b"\xef\xbb\xbf" + text.encode()) == read_job(text)


def test_long_integers_stay_integers_up_to_a_limit() -> None:
    digits = "9" * MAX_DIGITS
    assert load(digits).document == int(digits)
    with pytest.raises(InvalidInput, match=f"{MAX_DIGITS} digits") as caught:
        load(f"a:\n  b: 1{digits}")
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 6)


def test_a_document_with_a_huge_integer_is_refused() -> None:
    (problem,) = problems(document(inputs={"n": 10**MAX_DIGITS}))
    assert problem.field == "inputs.n"
    assert "more than 300 digits" in problem.message


def test_a_document_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = "x"
    for _ in range(MAX_DEPTH + 1):
        deep = {"a": deep}
    found = problems(
        document(trial={"command": "python t.py ${{args}}", "environment": {"image": deep}})
    )
    assert [problem.message for problem in found] == [f"Is nested more than {MAX_DEPTH} deep."]


def test_only_as_many_problems_are_told_as_a_person_reads() -> None:
    found = problems(document(**{f"zz{index}": 1 for index in range(250)}))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].message == f"There are {250 - MAX_PROBLEMS} more problems."


def test_where_the_problems_begin_that_are_not_told_is_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_job("type: sweep\n" + "".join(f"zz{index}: 1\n" for index in range(250)))
    *_, before, last = caught.value.problems
    assert (last.line, last.column) == ((before.line or 0) + 1, 1)


@pytest.mark.parametrize(
    "parts",
    [
        {"k" * 9999: 1},
        {"tags": "x" * 9999},
        {"display_name": ["x"] * 9999},
        {"objective": {"goal": "x" * 9999, "primary_metric": "loss"}},
        {"limits": {"max_total_trials": "x" * 9999}},
        {"early_termination": {"type": "bandit", "slack_factor": "x" * 9999}},
    ],
)
def test_messages_show_the_beginning_of_long_values(parts: dict[str, Any]) -> None:
    for problem in problems(document(**parts)):
        assert len(problem.message) < 600
        assert "…" in problem.message or "exactly one" in problem.message


@pytest.mark.parametrize("name", ["timeout", "trial_timeout"])
@pytest.mark.parametrize("value", [MAX_SECONDS + 1, 10**40, "P99999D", "PT999999999H"])
def test_timeouts_that_no_table_would_hold_are_refused(name: str, value: object) -> None:
    (problem,) = problems(document(limits={"max_total_trials": 4, name: value}))
    assert problem.field == f"limits.{name}"
    assert "at most 2,147,483,647 seconds" in problem.message


def test_the_longest_timeout_is_the_last_that_fits() -> None:
    limits = {"max_total_trials": 4, "timeout": MAX_SECONDS}
    assert read_job(document(limits=limits)).limits.timeout == MAX_SECONDS


@pytest.mark.parametrize("name", ["", "A=B"])
def test_names_that_no_process_takes_are_refused(name: str) -> None:
    trial = {"command": "python t.py ${{args}}", "environment_variables": {name: "x"}}
    (problem,) = problems(document(trial=trial))
    assert "cannot name an environment variable" in problem.message


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"inputs": {"a": {"path": "x", "mode": "rw_mount"}}}, "inputs.a.mode"),
        ({"inputs": {"a": {"path": "x", "mode": {"b": 1}}}}, "inputs.a.mode"),
        ({"inputs": {"a": {"path": "x", "type": "table"}}}, "inputs.a.type"),
        ({"outputs": {"a": {"mode": "download"}}}, "outputs.a.mode"),
        ({"outputs": {"a": {"type": ["uri_file"]}}}, "outputs.a.type"),
    ],
)
def test_types_and_modes_are_words_of_azures(part: dict[str, Any], field: str) -> None:
    (problem,) = problems(document(**part))
    assert problem.field == field
    assert problem.message.startswith("Must be one of ")


def test_types_and_modes_are_read_in_any_spelling() -> None:
    job = read_job(
        document(
            inputs={"a": {"path": "x", "type": "UriFile", "mode": "RO_Mount"}},
            outputs={"o": {"type": "URI_FOLDER", "mode": "Upload"}, "p": None},
        )
    )
    assert job.inputs == {"a": DataInput("x", "uri_file", "ro_mount")}
    assert job.outputs == {"o": Output("uri_folder", "upload"), "p": Output()}


def test_keys_with_dots_are_found_where_they_stand() -> None:
    text = to_yaml(read_job(document(tags={"a": "b"}))) + "a.b: 1\n'c[0]': 2\n"
    last = len(text.splitlines())
    places = {problem.field: (problem.line, problem.column) for problem in problems(text)}
    assert places == {"a.b": (last - 1, 1), "c[0]": (last, 1)}


def test_a_job_without_an_environment_is_written_and_read_back_as_one() -> None:
    job = read_job(document())
    assert job.environment is None
    again = read_job(to_yaml(job))
    assert NO_ENVIRONMENT in to_yaml(job)
    assert again == job


def test_a_whole_percentage_stays_whole() -> None:
    policy = {"type": "truncation_selection", "truncation_percentage": 20}
    written = job_to_doc(read_job(document(early_termination=policy)))["early_termination"]
    assert repr(written["truncation_percentage"]) == "20"


def test_the_example_is_read_and_written_without_loss() -> None:
    job = read_job(EXAMPLE.read_text())
    assert job.objective.primary_metric == "test-multi_logloss"
    assert job.search_space.names() == ("learning_rate", "boosting")
    limits = job.limits
    assert (limits.max_total_trials, limits.max_concurrent_trials, limits.timeout) == (20, 10, 7200)
    assert replace(read_job(to_yaml(job)), notes=()) == replace(job, notes=())


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"tags": {"\ud800": "a"}}, "tags"),
        ({"display_name": "\ud800"}, "display_name"),
        ({"inputs": {"a": "\0"}}, "inputs.a"),
    ],
)
def test_characters_that_no_table_takes_are_refused_in_documents(
    part: dict[str, Any], field: str
) -> None:
    (problem,) = problems(document(**part))
    assert problem.field == field
    assert "no text" in problem.message


def test_half_a_character_written_as_an_escape_is_refused() -> None:
    (problem,) = problems('display_name: "\\uD800"\n')
    assert problem.line == 1
    assert "This is not YAML" in problem.message
