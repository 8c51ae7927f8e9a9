"""Reading what MLflow says of a model, and what somebody else wrote in its place."""

import pytest

from sweeps.spec.mlmodel import Column, read_mlmodel

TEXT = """\
artifact_path: model
flavors:
  python_function: {env: {conda: conda.yaml}, loader_module: mlflow.sklearn, python_version: 3.11.9}
  sklearn: {code: null, sklearn_version: 1.5.1, serialization_format: cloudpickle}
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}, {"type": "long", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""


def test_flavours_signature_and_versions() -> None:
    facts = read_mlmodel(TEXT)
    assert facts
    assert facts.flavors == {"python_function": "3.11.9", "sklearn": "1.5.1"}
    assert facts.inputs == (Column("a", "double"), Column("", "long", required=False))
    assert facts.outputs == (Column("", "int64 [-1]"),)
    assert (facts.mlflow_version, facts.loader) == ("3.17.2", "pyfunc")


def test_a_model_without_pyfunc_is_loaded_by_its_own_module() -> None:
    only = read_mlmodel("flavors: {spacy: {}}")
    odd = read_mlmodel('flavors: {"os; import os": {}}')
    assert only
    assert odd
    assert (only.loader, odd.loader) == ("spacy", "pyfunc")


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "flavors: 3", "a: &a [1]\nb: *a", "{" * 500, "\0", "flavors: {x: {}}\nflavors: {}"],
)
def test_what_is_no_model_is_none(text: str) -> None:
    assert read_mlmodel(text) is None


@pytest.mark.parametrize("inputs", ["'{'", "3", "'[[[[3]]]]'", "'{\"a\": 1}'"])
def test_a_signature_that_says_nothing_is_none(inputs: str) -> None:
    facts = read_mlmodel(f"flavors: {{}}\nsignature: {{inputs: {inputs}}}")
    assert facts
    assert facts.inputs == ()
