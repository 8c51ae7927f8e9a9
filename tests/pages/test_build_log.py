"""Where people see how their environment is built: the line, the log, what was installed."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.test import Client

from studio.models import Compute, User, Workspace
from sweeps.domain.environments import Chosen, Recipe
from sweeps.environments import places
from sweeps.models import EnvironmentBuild, Sweep
from sweeps.queries.environments import environments_root, log_folder
from sweeps.services.sweeps import create_sweep
from tests.conftest import NOW, job

RECIPE = Recipe("/usr/bin/python3", ("six",))
HOME = "/w/default/sweeps/built/"


@pytest.fixture
def built(
    workspace: Workspace, compute: Compute, settings: Any, tmp_path: Any
) -> Callable[..., EnvironmentBuild]:
    """Makes a sweep that needs an environment, whose build stands so."""
    settings.STUDIO_HOME = tmp_path
    create_sweep(
        workspace, job(name="built"), compute=compute, code=None, user=None, now=NOW,
        rng=Random(1), chosen=Chosen("mine", recipe=RECIPE),
    )  # fmt: skip

    def build(log: str = "", **state: Any) -> EnvironmentBuild:
        EnvironmentBuild.objects.update(tries=1, **state)
        found = EnvironmentBuild.objects.get()
        places.prepare(environments_root(), found.digest, RECIPE, 1)
        folder = log_folder(found)
        assert folder is not None
        (folder / "stdout.log").write_text(log)
        return found

    return build


def text(bob: Client, path: str) -> str:
    answer = bob.get(f"{HOME}{path}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def page(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def test_the_page_says_how_far_it_is_and_where_the_log_is(
    page: Client, built: Callable[..., EnvironmentBuild]
) -> None:
    built("Python 3.11.7\nResolved 40 packages\n", state="building")
    overview = text(page, "")
    assert "Building its environment: Resolved 40 packages" in overview
    assert f'href="{HOME}logs/#environment"' in overview
    assert "not built yet" in text(page, "config/")


def test_the_log_comes_in_pieces_until_the_build_is_over(
    page: Client, built: Callable[..., EnvironmentBuild]
) -> None:
    build = built("one\n", state="building")
    assert f'data-log="{HOME}logs/environment"' in text(page, "logs/")
    first = page.get(f"{HOME}logs/environment?tail=1").json()
    assert (first["text"], first["final"], first["attempt"]) == ("one\n", False, 1)
    folder = log_folder(build)
    assert folder is not None
    with (folder / "stdout.log").open("a") as log:
        log.write("two\n")
    EnvironmentBuild.objects.update(state="failed")
    rest = page.get(f"{HOME}logs/environment?offset={first['offset']}").json()
    assert (rest["text"], rest["final"]) == ("two\n", True)
    whole = page.get(f"{HOME}logs/environment.log")
    assert whole.getvalue() == b"one\ntwo\n"
    assert f"environment_{build}.log" in whole["Content-Disposition"]


def test_what_was_installed_can_be_taken_away(
    page: Client, built: Callable[..., EnvironmentBuild]
) -> None:
    built("", state="done", python="3.11.7", packages=["a==1", "b==2"])
    Sweep.objects.update(run_id="r")
    config = text(page, "config/")
    assert "3.11.7, in an environment of its own" in config
    assert "a==1\nb==2" in config
    assert "#environment" not in text(page, "")


def test_a_sweep_without_one_has_no_such_log(page: Client, sweep: Sweep) -> None:
    assert page.get(f"/w/default/sweeps/{sweep.name}/logs/environment").status_code == 404
    assert "data-log" not in page.get(f"/w/default/sweeps/{sweep.name}/logs/").content.decode()


def test_strangers_see_nothing_of_it(
    client: Client, charlie: User, built: Callable[..., EnvironmentBuild]
) -> None:
    built("secret", state="done")
    client.force_login(charlie)
    for path in ("logs/environment", "logs/environment.log"):
        assert client.get(f"{HOME}{path}").status_code == 404
