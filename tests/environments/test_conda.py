"""Conda files: Python, the pip part, what PyPI has as well, and what is left out and said so."""

from typing import Any

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.environments.conda import CondaFile, read_conda


def read(*dependencies: Any, **more: Any) -> CondaFile:
    return read_conda({"name": "e", "dependencies": list(dependencies), **more}, "c")


def test_the_pip_part_is_installed() -> None:
    found = read("python=3.9", "pip=21", {"pip": ["lightgbm==4.7.0", "six"]}, channels=["x"])
    assert found.requirements.lines == ("lightgbm==4.7.0", "six")
    assert (found.python, found.notes) == ("==3.9.*", ())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("python", ""),
        ("python=3.9", "==3.9.*"),
        ("python 3.9", "==3.9.*"),
        ("python=3.9.*", "==3.9.*"),
        ("python==3.9.1", "==3.9.1"),
        ("python=3.9.1=h1234_0", "==3.9.1"),
        ("python>=3.9,<3.12", "<3.12,>=3.9"),
        ("conda-forge::python >=3.9", ">=3.9"),
        ("python *", ""),
    ],
)
def test_versions_as_conda_writes_them(asked: str, told: str) -> None:
    assert read(asked).python == told


def test_packages_that_pypi_has_too_come_from_there_and_others_are_left_out() -> None:
    found = read("numpy=1.21.2", "PyTorch>=2", "cudatoolkit=11.3", {"pip": ["six"]})
    assert found.requirements.lines == ("numpy==1.21.2.*", "torch>=2", "six")
    assert found.notes == (
        "Conda is not used: numpy==1.21.2.*, torch>=2 of the conda file come from PyPI instead.",
        "Conda is not used: cudatoolkit=11.3 of the conda file are left out; if they are on "
        "PyPI, name them under pip.",
    )


def test_of_many_packages_a_note_names_some() -> None:
    [note] = read(*(f"other-{number}" for number in range(500))).notes
    assert "other-19 and 480 more of the conda file are left out" in note


def test_variables_are_noted() -> None:
    assert "variables are ignored" in read("python", variables={"A": "1"}).notes[0]


def test_a_file_of_the_code_is_read_for_the_pip_part() -> None:
    doc = {"dependencies": ["python", {"pip": ["-r requirements.txt"]}]}
    found = read_conda(doc, "c", {"requirements.txt": "six\nnumpy\n"}.get)
    assert found.requirements.lines == ("six", "numpy")


def test_every_problem_is_told_at_its_place() -> None:
    doc = {
        "dependencies": ["numpy=one", 5, {"pip": ["-e .", 3]}, {"conda": []}],
        "channel": [],
    }
    with pytest.raises(InvalidInput) as error:
        read_conda(doc, "c")
    assert {problem.field for problem in error.value.problems} == {
        "c.channel",
        "c.dependencies[0]",
        "c.dependencies[1]",
        "c.dependencies[2].pip[0]",
        "c.dependencies[2].pip[1]",
        "c.dependencies[3]",
    }


@pytest.mark.parametrize("doc", ["text", 5, ["a"], {"dependencies": "numpy"}])
def test_what_is_no_conda_file_is_refused(doc: Any) -> None:
    with pytest.raises(InvalidInput):
        read_conda(doc, "c")
