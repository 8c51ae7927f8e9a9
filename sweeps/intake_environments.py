"""Which Python a job means by its `environment`: the compute's, a named one, one that is built."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

from studio.models import Compute, Workspace
from sweeps.domain.computes.kinds import KINDS
from sweeps.domain.environments import THE_COMPUTES, Chosen, Recipe
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.environments.conda import read_conda
from sweeps.environments.requirements import Read, Requirements, read_requirements
from sweeps.models import Environment, EnvironmentBuild, EnvironmentKind
from sweeps.queries.environments import named_environment
from sweeps.queries.isolation import is_anything_isolated
from sweeps.spec import yaml_text

WHERE = "trial.environment"
CONDA = f"{WHERE}.conda_file"
_MLFLOW = {"mlflow", "mlflow-skinny"}
_OWN = "the Python of compute “{}” is used"


def choose(workspace: Workspace, environment: Any, compute: Compute, read: Read) -> Chosen:
    """What a job's `environment` means in a workspace; `read` gives texts of files in its code.

    Raises InvalidInput with every problem found.
    """
    if not environment:
        return THE_COMPUTES
    if isinstance(environment, str):
        return _named(workspace, environment, compute)
    return _brought(_owned(_inline(environment, compute, read), workspace, compute), compute)


def _brought(chosen: Chosen, compute: Compute) -> Chosen:
    """Where machines see nothing that is built here, they install the packages by themselves."""
    if chosen.recipe is None or KINDS[compute.kind].shares_files:
        return chosen
    recipe, notes = chosen.recipe, chosen.notes
    if recipe.python:
        text = f"Python{recipe.python} is asked for; on compute {compute.name} it is the cluster's."
        notes = (*notes, text)
    return replace(chosen, recipe=None, packages=recipe.requirements, notes=notes)


def _owned(chosen: Chosen, workspace: Workspace, compute: Compute) -> Chosen:
    """What installs runs code, so isolated trials have it built by a user of their workspace."""
    if chosen.recipe is None or not compute.is_isolated:
        return chosen
    return replace(chosen, recipe=replace(chosen.recipe, owner=workspace.name))


def _named(workspace: Workspace, reference: str, compute: Compute) -> Chosen:
    name = reference.removeprefix("azureml:")
    is_name = not name.startswith(("file:", "//"))
    found = named_environment(workspace, reference) if is_name else None
    if found is None:
        return Chosen(notes=(_missing(reference, name, compute),))
    chosen = _brought(chosen_of(found, compute), compute)
    kept = name.partition(":")[2]
    if not kept:
        return chosen
    note = f"Versions of environments are not kept: {shown(found.name)} is used as it is now."
    return Chosen(chosen.name, chosen.python, chosen.recipe, (note, *chosen.notes))


def _missing(reference: str, name: str, compute: Compute) -> str:
    own = _OWN.format(compute)
    if name.startswith("file:"):
        return f"{shown(name)} is not read: {own}. To change that, write it out in the job."
    if name.startswith("//"):
        # No environment here can have such a name.
        text = f"Environments of registries are not kept here: {own} in place of {shown(reference)}"
        return f"{text}. To change that, name one that stands under Environments."
    return (
        f"There is no environment {shown(name)} in this workspace: {own}. "
        "To change that, make one of this name under Environments."
    )


def chosen_of(environment: Environment, compute: Compute) -> Chosen:
    """What an environment of the workspace means on a compute. Raises InvalidInput."""
    found = _chosen(environment.kind, environment.name, environment.source, _base(compute))
    return _owned(found, environment.workspace, compute)


# Lists look at all of them each time, and a long file takes a tenth of a second to read.
@lru_cache(maxsize=200)
def _chosen(kind: str, name: str, source: str, base: str) -> Chosen:
    if kind == EnvironmentKind.PYTHON:
        return Chosen(name, python=source.strip())
    if kind == EnvironmentKind.REQUIREMENTS:
        return _built(name, read_requirements(source, "source"), "", base, ())
    return _conda(name, _document(source, "source"), "source", base, _no_files)


def _base(compute: Compute) -> str:
    """The program of the Python that environments for a compute stand on."""
    return compute.python or sys.executable


def recipe_of(environment: Environment) -> Recipe | None:
    """What is built of it for the workspace's default compute; None for a Python that is there.

    Raises InvalidInput with every problem of its source.
    """
    return chosen_of(environment, usual_compute(environment.workspace)).recipe


def build_of_each(environments: Sequence[Environment]) -> dict[int, EnvironmentBuild]:
    """The builds of environments of one workspace, by environment; those never begun are left out.

    With two queries, however many there are.
    """
    digests = {}
    compute = usual_compute(environments[0].workspace) if environments else Compute()
    for environment in environments:
        with suppress(InvalidInput):  # saved by a studio that could read it
            if recipe := chosen_of(environment, compute).recipe:
                digests[environment.pk] = recipe.digest
    builds = EnvironmentBuild.objects.in_bulk({*digests.values()})
    return {pk: builds[digest] for pk, digest in digests.items() if digest in builds}


def usual_compute(workspace: Workspace) -> Compute:
    """The default compute, else any; without one, what stands on the studio's own Python."""
    usual = workspace.computes.order_by("-is_default", "name").first()
    return usual or Compute(isolated=is_anything_isolated())


def _no_files(path: str) -> str | None:
    return None


def _inline(said: Mapping[str, Any], compute: Compute, read: Read) -> Chosen:
    name = str(said.get("name") or "")
    image = shown(said["image"]) if said.get("image") else ""
    what = f"Image {image}" if image else "The image that “build” describes"
    conda = said.get("conda_file")
    if not conda:
        is_image = image or said.get("build")
        text = f"{what} is not used" if is_image else "The environment names no packages"
        return Chosen(notes=(f"{text}: {_OWN.format(compute)}.",))
    chosen = _conda(name or "conda file", _conda_document(conda, read), CONDA, _base(compute), read)
    if not image and not said.get("build"):
        return chosen
    where = "on this machine" if KINDS[compute.kind].shares_files else "by the cluster"
    note = f"{what} is not used: the conda file's packages are installed {where}."
    return Chosen(chosen.name, chosen.python, chosen.recipe, (note, *chosen.notes))


def _conda_document(conda: Any, read: Read) -> Any:
    if not isinstance(conda, str):
        return conda
    text = read(conda)
    if text is None:
        raise InvalidInput.one(
            CONDA,
            f"There is no {shown(conda)} in the code. Put it there, or write what is in it here.",
        )
    return _document(text, CONDA)


def _document(text: str, where: str) -> Any:
    try:
        return yaml_text.load(text).document
    except InvalidInput as error:
        raise InvalidInput.one(where, f"No conda file: {error.problems[0]}") from error


def _conda(name: str, doc: Any, where: str, base: str, read: Read) -> Chosen:
    found = read_conda(doc, where, read)
    return _built(name, found.requirements, found.python, base, found.notes)


def _built(
    name: str, asked: Requirements, python: str, base: str, notes: tuple[str, ...]
) -> Chosen:
    lines = asked.lines
    if not asked.names & _MLFLOW:
        # No newer than the studio's: its server would not know what that asks for.
        lines = (*lines, f"mlflow-skinny<={version('mlflow')}")
        notes = (*notes, "MLflow's client is added to the environment: trials log with it.")
    return Chosen(name, recipe=Recipe(base, lines, python), notes=notes)


def within(path: str) -> str | None:
    """A path as files of the code are called; None for one that leaves it."""
    parts = PurePosixPath(path).parts
    return None if path.startswith("/") or ".." in parts else str(PurePosixPath(path))
