"""The environment of a job as a text of the form: the very same comes back."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sweeps.forms.environment_text import from_code, from_text, in_words, named, to_text
from sweeps.spec.reader import read_job

texts = st.text() | st.sampled_from(['{"a": 1}', "[1]", '"x"', "{", "azureml:a@latest"])
documents = st.dictionaries(st.text(), st.recursive(texts | st.integers(), st.lists, max_leaves=5))


@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(texts.map(str.strip) | documents)
def test_every_environment_comes_back(environment) -> None:
    assert from_text(to_text(environment)) == (environment or None)


def test_what_cannot_be_read_is_a_name() -> None:
    assert from_text("{broken") == "{broken"
    assert from_text("[" * 100_000) == "[" * 100_000


def test_files_of_the_code_describe_environments_that_a_job_may_have() -> None:
    found = from_code(["train.py", "conda.yml", "requirements.txt", "sub/environment.yml"])
    assert [in_words(one) for one in found] == [
        "requirements.txt of the code",
        "conda.yml of the code",
    ]
    for one in found:
        job = read_job(
            {
                "type": "sweep",
                "trial": {"command": "x", "environment": one},
                "search_space": {"a": {"type": "choice", "values": [1]}},
                "objective": {"goal": "minimize", "primary_metric": "m"},
                "limits": {"max_total_trials": 1},
            }
        )
        assert job.environment == one
    assert from_code(["train.py"]) == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (None, ""),
        (named("trees"), "trees"),
        ("azureml:trees:3", "trees:3"),
        ({"conda_file": {"dependencies": []}}, "conda file"),
        ({"conda_file": {"dependencies": []}, "name": "mine"}, "conda file “mine”"),
        ({"image": "python:3.12"}, "image “python:3.12”"),
        ({"build": {"path": "."}}, "inline environment"),
    ],
)
def test_environments_in_words(environment, words) -> None:
    assert in_words(environment) == words
