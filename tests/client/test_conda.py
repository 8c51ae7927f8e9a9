"""Conda files on the client's disk become part of the job."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeps.client import Environment, ValidationException, load_job
from sweeps.client.conda import with_conda
from sweeps.client.documents import draft_of
from tests.client.test_client import AzureNode, built


def job(conda: Any) -> dict[str, Any]:
    return {"trial": {"command": "x", "environment": {"image": "i", "conda_file": conda}}}


def inlined(conda: Any, base: Path) -> Any:
    return with_conda(job(conda), base)["trial"]["environment"]["conda_file"]


@pytest.fixture
def conda(tmp_path: Path) -> dict[str, Any]:
    """env/conda.yml, whose requirements lie beside it and name others below."""
    document = {"name": "e", "dependencies": ["python=3.11", {"pip": ["-r req.txt", "mlflow"]}]}
    (tmp_path / "env" / "more").mkdir(parents=True)
    (tmp_path / "env" / "conda.yml").write_text(yaml.safe_dump(document))
    (tmp_path / "env" / "req.txt").write_text(
        "# of ours\n\nnumpy==2.0\n--requirement=more/b.txt\nscipy[x] >1  # why\n"
    )
    (tmp_path / "env" / "more" / "b.txt").write_text(
        "pandas>=2, \\\n  <3\n-r ../req.txt\n-r none.txt\n"
    )
    return document


LINES = ["numpy==2.0", "pandas>=2, <3", "-r ../req.txt", "-r none.txt", "scipy[x] >1", "mlflow"]


def test_the_file_is_written_into_the_job_and_so_are_its_requirements(
    conda: dict[str, Any], tmp_path: Path
) -> None:
    given = job("env/conda.yml")
    document = with_conda(given, tmp_path)
    assert document["trial"]["environment"] == {
        "image": "i",
        "conda_file": {"name": "e", "dependencies": ["python=3.11", {"pip": LINES}]},
    }
    assert given == job("env/conda.yml"), "what was handed in stays as it was"
    assert inlined(conda, tmp_path / "env") == document["trial"]["environment"]["conda_file"]
    assert inlined(conda, tmp_path) == conda, "requirements that are not there stay as they are"


@pytest.mark.parametrize("environment", [None, "azureml:sklearn@latest", {"image": "i"}])
def test_other_environments_stay(environment: Any, tmp_path: Path) -> None:
    document = {"trial": {"environment": environment}}
    assert with_conda(document, tmp_path) == document


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "There is no file {}."),
        ("a: [\n", "{}:2:1: This is not YAML"),
        ("- 1\n", "{} is no conda file: it is not a mapping."),
        (b"\xff", "{} cannot be read: "),
    ],
)
def test_what_is_no_conda_file_is_told_with_its_place(
    content: Any, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "conda.yml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValidationException) as error:
        inlined("conda.yml", tmp_path)
    assert error.value.message.startswith(told.format(path))
    assert error.value.field == "trial.environment.conda_file"


def test_a_conda_file_in_the_code_is_left_to_the_studio(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "conda.yml").write_text("dependencies: []\n")
    for code in ("src", "azureml:./src", "studio:abc"):
        document = job("conda.yml")
        document["trial"]["code"] = code
        assert with_conda(document, tmp_path) == document


def test_a_job_file_names_it_relative_to_its_folder(
    conda: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs").mkdir()
    file = tmp_path / "jobs" / "job.yml"
    file.write_text(yaml.safe_dump(job("../env/conda.yml")))
    monkeypatch.chdir("/")
    for source in (file, load_job(file)):
        found = draft_of(source).document["trial"]["environment"]["conda_file"]
        assert found["dependencies"][1] == {"pip": LINES}


@pytest.mark.parametrize("kind", ["ours", "azure"])
def test_objects_name_it_relative_to_the_working_folder(
    kind: str, conda: dict[str, Any], src: Path
) -> None:
    environment = Environment(image="i", conda_file=Path("env/conda.yml"))
    sweep = built()
    if kind == "ours":
        sweep.trial.environment = environment
    else:
        sweep.trial.environment = AzureNode(environment)
    found = draft_of(sweep).document["trial"]["environment"]["conda_file"]
    assert found["name"] == "e"
