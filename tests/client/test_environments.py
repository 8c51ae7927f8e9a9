"""Environments from Python: kept under a name, built, named by jobs, and described in them."""

import json
import sys
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.client import (
    BuildContext,
    ConflictError,
    Environment,
    MLClient,
    NamedEnvironment,
    ResourceNotFoundError,
    ValidationException,
    shell,
)
from sweeps.client.documents import draft_of
from sweeps.models import Environment as Row
from sweeps.models import EnvironmentBuild, Sweep
from tests.client.test_client import built

CONDA = {"dependencies": ["python=3.11", {"pip": ["six==1.16.0"]}]}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with env/conda.yml, its requirements, and an environment's file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "conda.yml").write_text("dependencies:\n- pip:\n  - -r req.txt\n")
    (tmp_path / "env" / "req.txt").write_text("# ours\nsix  # why\n-r more.txt  # too\n")
    (tmp_path / "env" / "more.txt").write_text("numpy >=1, \\\n <3\n# none\n")
    (tmp_path / "env" / "mine.yml").write_text("name: mine\nimage: i\nconda_file: conda.yml\n")
    return tmp_path


class AzuresEnvironment:
    """As azure-ai-ml's is: the conda file read, where it lay remembered."""

    def __init__(self, **parts: Any) -> None:
        self.parts, self.base_path = parts, str(Path.cwd())
        self._conda_file_path = Path.cwd() / "env" / "conda.yml"

    def _to_dict(self) -> Any:
        return OrderedDict(self.parts)


AzuresEnvironment.__name__ = "Environment"


def requirements(row: Row) -> list[str]:
    """Packages of an environment that was kept as a conda file."""
    assert row.kind == "conda"
    return [line.strip("- ") for line in row.source.splitlines() if line.startswith("  - ")]


def test_requirements_are_kept_with_the_files_that_they_include(
    client: MLClient, here: Path
) -> None:
    made = client.environments.create_or_update(
        Environment(name="mine", description="D", requirements="env/req.txt")
    )
    assert (made.name, made.description, made.kind) == ("mine", "D", "requirements")
    assert made.source == "# ours\nsix  # why\nnumpy >=1, <3\n"
    assert (made.build, made.notes, made.version) == (None, (), "1")
    changed = client.environments.create_or_update(Environment(name="mine", requirements=["six"]))
    assert (changed.source, changed.description) == ("six\n", "D")
    assert Row.objects.get().source == "six\n"


@pytest.mark.parametrize(
    "environment",
    [
        Environment(name="mine", image="i", conda_file="env/conda.yml"),
        Environment(name="mine", image="i", conda_file=Path("env/conda.yml")),
        {"name": "mine", "image": "i", "conda_file": "env/conda.yml", "tags": {}},
        "env/mine.yml",
        Path("env/mine.yml"),
    ],
    ids=["words", "words and a path", "dict", "file", "path"],
)
def test_a_conda_file_goes_along_with_what_it_includes(
    client: MLClient, here: Path, environment: Any
) -> None:
    made = client.environments.create_or_update(environment)
    assert requirements(Row.objects.get()) == ["six", "numpy >=1, <3"]
    assert made.notes == ("Not used here: image. Packages are installed on the studio's machine.",)


def test_azures_own_objects_are_kept(client: MLClient, here: Path) -> None:
    conda = {"dependencies": [{"pip": ["-r req.txt"]}]}
    azures = AzuresEnvironment(name="mine", version="3", tags={"a": "b"}, conda_file=conda)
    made = client.create_or_update(azures)
    assert requirements(Row.objects.get()) == ["six", "numpy >=1, <3"]
    assert made.notes[0].startswith("Not used here: version, tags.")
    for none in ("CliV2AnonymousEnvironment", "48b6705f-1983-42a8-b53e-b62ed56d50ef"):
        with pytest.raises(ValidationException, match="Name the environment"):
            client.create_or_update(AzuresEnvironment(name=none, conda_file=conda))


def test_environments_are_read_listed_built_and_deleted(client: MLClient) -> None:
    for name in ("b", "a"):
        client.create_or_update(Environment(name=name, requirements=["six"]))
    assert [one.name for one in client.environments.list()] == ["a", "b"]
    assert [one.name for one in client.environments.list("b")] == ["b"]
    assert client.environments.get("a", label="latest").source == "six\n"
    for _ in range(2):
        asked = client.environments.build("a")
        assert asked.build
        assert asked.build["state"] == "waiting"
    assert EnvironmentBuild.objects.get().is_asked_for
    found = client.environments.get("a", version="7")
    found.description = "Changed"
    assert client.environments.create_or_update(found).description == "Changed"
    client.environments.delete("a")
    client.environments.archive("b", version="1")
    assert not Row.objects.exists()
    with pytest.raises(ResourceNotFoundError):
        client.environments.get("a")
    with pytest.raises(ResourceNotFoundError):
        client.environments.delete("a")


def test_a_python_is_kept_in_the_words_of_rest(client: MLClient) -> None:
    client.environments.create_or_update(
        {"name": "own", "kind": "python", "source": sys.executable}
    )
    assert Row.objects.get().source == sys.executable
    with pytest.raises(ConflictError, match="nothing is to be built"):
        client.environments.build("own")


@pytest.mark.parametrize(
    ("environment", "field", "text"),
    [
        (Environment(requirements=["six"]), "name", "Name the environment"),
        (Environment(name="x"), "conda_file", "Give conda_file or requirements"),
        (Environment(name="x", image="i"), "conda_file", "images are not used"),
        (Environment(name="x", conda_file=CONDA, requirements=["six"]), "requirements", "not both"),
        (Environment(name="x", requirements="none.txt"), "requirements", "There is no file"),
        (Environment(name="x", requirements="."), "requirements", "cannot be read"),
        (Environment(name="x", conda_file="none.yml"), "conda_file", "There is no file"),
        (Environment(name="x", requirements=["-e ."]), "source", "project on a disk"),
        (Environment(name="a b", requirements=["six"]), "name", "Use letters, digits"),
        ({"name": "x", "colour": "red"}, "colour", "has no colour"),
        ({"name": 5, "requirements": ["six"]}, "name", "Must be a text"),
        (5, "", "not int"),
    ],
)
def test_what_is_wrong_is_told_at_its_word(
    client: MLClient, here: Path, environment: Any, field: str, text: str
) -> None:
    with pytest.raises(ValidationException, match=text) as told:
        client.environments.create_or_update(environment)
    assert told.value.field == field
    assert not Row.objects.exists()


def test_a_lost_answer_makes_no_error(client: MLClient, monkeypatch: Any) -> None:
    """Sent again with the same key, the studio answers as at first."""
    keys, send = [], client._transport.send

    def watched(method: str, path: str, **more: Any) -> Any:
        if method == "POST":
            keys.append(more["headers"]["Idempotency-Key"])
            send(method, path, **more)
        return send(method, path, **more)

    monkeypatch.setattr(client._transport, "send", watched)
    client.environments.create_or_update(Environment(name="x", requirements=["six"]))
    assert len(keys) == 1
    assert Row.objects.count() == 1


@pytest.mark.parametrize("how", ["object", "id", "label", "version"])
def test_jobs_name_an_environment_that_is_kept(client: MLClient, src: Path, how: str) -> None:
    made = client.create_or_update(Environment(name="mine", requirements=["six"]))
    assert isinstance(made, NamedEnvironment)
    word = {
        "object": made,
        "id": made.id,
        "label": "mine@latest",
        "version": f"azureml:{made.name}:{made.version}",
    }[how]
    job = client.create_or_update(in_environment(word))
    assert job.raw["environment"] == {"name": "mine", "state": "waiting"}
    assert any("Versions" in note for note in job.notes) == (how == "version")
    assert EnvironmentBuild.objects.get().recipe["requirements"][0] == "six"
    if how == "object":
        assert in_environment(made).document()["trial"]["environment"] == "azureml:mine@latest"


def in_environment(environment: Any) -> Any:
    job = built()
    job.trial.environment = environment
    return job


def test_requirements_described_in_a_job_go_along(client: MLClient, src: Path, here: Path) -> None:
    for asked in ("env/req.txt", Path("env/req.txt"), ["six", "numpy >=1, <3"]):
        job = in_environment(Environment(requirements=asked))
        assert draft_of(job).document["trial"]["environment"] == {
            "conda_file": {"dependencies": [{"pip": ["six", "numpy >=1, <3"]}]}
        }
    sweep = client.create_or_update(job)
    assert sweep.raw["environment"] == {"name": "conda file", "state": "waiting"}
    with pytest.raises(ValidationException, match="not both"):
        in_environment(Environment(conda_file=CONDA, requirements=["six"])).document()


def test_an_environment_in_a_job_is_written_as_azure_writes_it(here: Path) -> None:
    context = BuildContext(path="./docker")
    said = Environment(name="n", image="i", build=context, conda_file=Path("env/conda.yml"))
    job = in_environment(said)
    assert job.document()["trial"]["environment"] == {
        "name": "n", "image": "i", "build": {"path": "./docker"}, "conda_file": "env/conda.yml",
    }  # fmt: skip
    job.dump(here / "job.yml")
    assert draft_of(here / "job.yml").document["trial"]["environment"]["name"] == "n"


def test_the_terminal_lists_them(client: MLClient, sweep: Sweep, capsys: Any) -> None:
    client.create_or_update(Environment(name="b", description="For b", requirements=["six"]))
    client.environments.create_or_update({"name": "a", "kind": "python", "source": sys.executable})
    client.create_or_update(Environment(name="c", requirements=["numpy"]))
    client.environments.build("c")
    assert shell.main(["environments"], client) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{'a':<32}  python",
        f"{'b':<32}  requirements  not built  For b",
        f"{'c':<32}  requirements  waiting",
    ]
    EnvironmentBuild.objects.update(state="failed", reason="No numpy.")
    assert shell.main(["environments", "--json"], client) == 0
    found = [SimpleNamespace(**one) for one in json.loads(capsys.readouterr().out)]
    assert [one.name for one in found] == ["a", "b", "c"]
    assert found[2].build["state"] == "failed"
    shell.main(["environments"], client)
    assert capsys.readouterr().out.endswith("failed       No numpy.\n")
