"""Environments of isolated computes, built for real: by whom, and readable to whom alone."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from studio.models import Compute, OsUser, Workspace
from sweeps.domain.environments import Recipe, recipe_from
from sweeps.engine import builds
from sweeps.environments import places
from sweeps.intake_environments import chosen_of
from sweeps.models import Environment, EnvironmentBuild
from sweeps.queries.clock import database_now
from sweeps.queries.environments import environments_root
from sweeps.runners.base import LaunchSpec, RunAs
from sweeps.runners.local import LocalRunner
from sweeps.services.environments import ask_for, build_of
from tests.environments.wheels import make_source, make_wheel, offline
from tests.isolated import IS_ROOT, UID, open_folder, open_python
from tests.runners.contract import ended, stdout

# What installs is code, and this one looks around.
BACKEND = """
import json, os, pathlib

def build_wheel(folder, settings=None, metadata=None):
    found = {{"uid": os.getuid(), "groups": os.getgroups(), "home": os.environ["HOME"]}}
    try:
        open({secret!r}).read()
        found["secret"] = True
    except PermissionError:
        found["secret"] = False
    print("SEEN", json.dumps(found))
    pathlib.Path(os.environ["HOME"], "seen.json").write_text(json.dumps(found))
    wheel = pathlib.Path({wheel!r})
    (pathlib.Path(folder) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name
"""
# What a trial finds of it.
TRIAL = """
import os, json, demo_pack
try:
    open(demo_pack.__file__, "a")
    poisoned = True
except PermissionError:
    poisoned = False
print(json.dumps({"version": demo_pack.VERSION, "poisoned": poisoned}))
"""


@pytest.fixture
def home(settings) -> Iterator[Path]:
    with open_folder() as place:
        settings.STUDIO_HOME = place / "home"
        settings.STUDIO_ISOLATED_UIDS = (UID, UID + 20)
        settings.STUDIO_HOME.mkdir(mode=0o700)
        (settings.STUDIO_HOME / "secret_key").write_text("secret")
        yield place


def an_open_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The build by a Python that every user may run, as the studio's own is where it is set up."""
    real = places.build_command
    packages = str(Path(uv.__file__).parents[1])
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); import uv; "
        f"uv.find_uv_bin = lambda: {uv.find_uv_bin()!r}; "
        "sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    def command(root: Path, digest: str, *, apart: bool = False) -> tuple[str, ...]:
        *_, program, folder, record = real(root, digest, apart=apart)
        return (open_python(), "-I", "-c", code, packages, program, folder, record)

    monkeypatch.setattr(places, "build_command", command)


def built(digest: str) -> EnvironmentBuild:
    """The row, once it is settled."""
    deadline = time.monotonic() + 60
    while True:
        builds.look(database_now())
        row = EnvironmentBuild.objects.get(pk=digest)
        if row.state in (row.DONE, row.FAILED):
            return row
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_recipes_of_isolated_computes_are_the_workspaces_own(
    workspace: Workspace, compute: Compute
) -> None:
    environment = Environment.objects.create(workspace=workspace, name="e", source="six")
    shared = chosen_of(environment, compute).recipe
    compute.isolated = True
    own = chosen_of(environment, compute).recipe
    assert shared is not None
    assert own is not None
    assert (shared.owner, own.owner) == ("", "default")
    assert shared.digest != own.digest
    assert recipe_from(own.document()) == own
    assert "owner" not in shared.document(), "what was built before stays what it is"


if IS_ROOT:

    @pytest.mark.once  # what it shows is the machine's
    def test_a_build_runs_as_a_user_of_the_workspace_and_its_trials_only_read_it(
        workspace: Workspace, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        an_open_builder(monkeypatch)
        wheel = make_wheel(home / "hidden", "demo-pack", "1.0")
        secret = home / "home" / "secret_key"
        source = BACKEND.format(secret=str(secret), wheel=str(wheel))
        (home / "index").mkdir()
        archive = make_source(home / "index", "demo-pack", source)
        for path in (wheel.parent, archive.parent, wheel, archive):
            path.chmod(0o755)
        recipe = Recipe(open_python(), (*offline(archive.parent), "demo-pack"), owner="default")
        build_of(recipe, database_now())
        ask_for(recipe.digest)

        row = built(recipe.digest)
        log = Path(environments_root(), recipe.digest, "build-1", "stdout.log").read_text()
        assert row.state == row.DONE, (row.reason, log)
        assert row.packages == ["demo-pack==1.0"]
        number = OsUser.objects.get(workspace=workspace).number
        own = home / "home" / "users" / str(number + 1)
        seen = json.loads((own / "seen.json").read_text())
        assert seen == {"uid": number + 1, "groups": [], "home": str(own), "secret": False}
        assert not (environments_root() / recipe.digest / "build-1" / "tmp").exists()

        assert _run(home, recipe, RunAs(number, number), "a") == {
            "version": "1.0",
            "poisoned": False,
        }
        stranger = RunAs(number + 10, number + 10)
        assert _run(home, recipe, stranger, "b") is None, "another workspace's trial"

    def test_a_record_that_the_builder_forged_counts_as_none(
        workspace: Workspace, home: Path
    ) -> None:
        recipe = Recipe(open_python(), (), owner="default")
        record = environments_root() / recipe.digest / places.RECORD
        record.mkdir(parents=True)
        (record / "built.json").symlink_to(home / "home" / "secret_key")
        places.accept(environments_root(), recipe.digest)
        (record / "built.json").unlink()
        (record / "built.json").write_text(
            '{"python": "3.11<script>", "packages": [], "notes": []}'
        )
        places.accept(environments_root(), recipe.digest)
        assert not (record.parent / "built.json").exists()


def _run(home: Path, recipe: Recipe, user: RunAs, name: str) -> dict[str, object] | None:
    """What a trial of that user says; None where it cannot even start."""
    runner = LocalRunner()
    python = str(places.python_of(environments_root(), recipe.digest))
    spec = LaunchSpec(
        name=name,
        spool=home / name,
        argv=(python, "-c", TRIAL),
        cwd=Path("/"),
        env={"PATH": os.environ["PATH"]},
        user=user,
    )
    result = ended(runner, runner.start(spec))
    return json.loads(stdout(str(home / name))) if result.exit_code == 0 else None


if IS_ROOT:

    def test_no_link_in_what_another_user_built_is_followed(home: Path) -> None:
        """A closed file that is there, and one that is not, are the same."""
        root, digest = environments_root(), "a" * 64
        place = places.python_of(root, digest)
        place.parent.mkdir(parents=True)
        made = {"python": "3.11.7", "packages": [], "notes": []}
        (root / digest / "built.json").write_text(json.dumps(made))
        os.chown(places.venv_of(root, digest), UID, UID)
        found = []
        for target in ("secret_key", "gone"):
            place.unlink(missing_ok=True)
            place.symlink_to(home / "home" / target)
            found.append(places.built(root, digest))
        assert found[0] == found[1] != None  # noqa: E711 - a Built, both times
        place.unlink()
        assert places.built(root, digest) is None
        place.parent.rmdir()
        place.parent.symlink_to(home)
        (home / "python").touch()
        assert places.built(root, digest) is None, "nor is one on the way"
