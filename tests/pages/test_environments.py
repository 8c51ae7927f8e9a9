"""Environments: the list, the form, what is built of them."""

from datetime import timedelta

import pytest

from sweeps.domain.environments import Recipe
from sweeps.intake_environments import chosen_of
from sweeps.models import EngineLease, Environment, EnvironmentBuild, Sweep
from sweeps.queries import environments as queries
from tests.conftest import NOW

URL = "/w/default/environments/"
HTMX = {"HTTP_HX_REQUEST": "true"}
DONE = {"python": "3.12.3", "packages": ["lightgbm==4.6.0", "numpy==2.0"]}


@pytest.fixture
def bobs(client, bob, compute):
    client.force_login(bob)
    return client


@pytest.fixture
def trees(workspace):
    return Environment.objects.create(workspace=workspace, name="trees", source="lightgbm==4.6.0\n")


def fields(**changes):
    given = {"name": "trees", "kind": "requirements", "source": "lightgbm", "description": ""}
    return given | changes


def text(answer, status=200):
    assert answer.status_code == status
    return answer.content.decode()


def build(environment, compute, state="waiting", **changes):
    recipe = chosen_of(environment, compute).recipe
    return EnvironmentBuild.objects.create(
        digest=recipe.digest, recipe=recipe.document(), state=state, created_at=NOW, **changes
    )


def write_log(one, said):
    folder = queries.log_folder(one)
    folder.mkdir(parents=True)
    (folder / "stdout.log").write_text(said)


# --- the list -----------------------------------------------------------------------------------
def test_the_empty_list_says_what_an_environment_is_good_for(bobs, client, rita):
    page = text(bobs.get(URL))
    assert "holds the packages that your scripts import" in page
    assert f'href="{URL}new">Add environment' in page
    client.force_login(rita)
    page = text(client.get(URL))
    assert "A contributor of this workspace can add the first." in page
    assert f"{URL}new" not in page


def test_the_list_tells_kind_contents_state_and_use(bobs, workspace, compute, trees, make_sweep):
    build(trees, compute, "done", ended_at=NOW, **DONE)
    Environment.objects.create(workspace=workspace, name="gone", kind="python", source="/no/python")
    make_sweep(name="one", environment="azureml:trees@latest")
    Sweep.objects.update(environment_name="trees")
    page = text(bobs.get(URL))
    assert "lightgbm==4.6.0, mlflow-skinny" in page
    assert "Built" in page
    assert '<td class="end muted r-note">1<' in page
    assert "There is no file /no/python on this machine." in page
    assert "hx-trigger" not in page.split('id="environments"')[1].split(">")[0]


def test_what_job_files_describe_is_listed_apart(bobs, workspace, compute, trees, make_sweep):
    recipe = Recipe("/python", ("xgboost==3",))
    named = build(trees, compute)
    other = EnvironmentBuild.objects.create(
        digest=recipe.digest, recipe=recipe.document(), state="building", started_at=NOW
    )
    for name, one in (("one", other), ("two", other), ("three", named)):
        made = make_sweep(name=name)
        Sweep.objects.filter(pk=made.pk).update(
            environment_build=one, environment_name="conda file"
        )
    page = text(bobs.get(URL))
    beside = page.split("Other builds")[1]
    assert "conda file" in beside
    assert "xgboost==3" in beside
    assert '<td class="end muted r-note">2<' in beside
    assert "lightgbm" not in beside
    # What is being built is asked for again and again.
    assert 'hx-trigger="every 2s"' in page
    assert "<html" not in text(bobs.get(URL, **HTMX))


def test_strangers_find_nothing(client, charlie, trees, compute):
    one = build(trees, compute)
    client.force_login(charlie)
    for path in ("", "new", "trees/", f"-/builds/{one.digest}/", f"-/builds/{one.digest}/log"):
        assert client.get(URL + path).status_code == 404


def test_a_build_of_another_workspace_is_not_opened_by_its_digest(bobs, compute, make_sweep):
    recipe = Recipe("/python", ("xgboost==3",))
    EnvironmentBuild.objects.create(digest=recipe.digest, recipe=recipe.document())
    assert bobs.get(f"{URL}-/builds/{recipe.digest}/").status_code == 404
    made = make_sweep(name="one")
    Sweep.objects.filter(pk=made.pk).update(environment_build=recipe.digest)
    assert bobs.get(f"{URL}-/builds/{recipe.digest}/").status_code == 200


# --- the form -----------------------------------------------------------------------------------
def test_a_contributor_makes_changes_renames_and_deletes_one(bobs, workspace):
    answer = bobs.post(f"{URL}new", fields(), follow=True)
    assert "The environment “trees” is ready" in text(answer)
    answer = bobs.post(f"{URL}trees/", fields(name="woods", source="a\r\nb"), follow=True)
    assert "for sweeps that are submitted from now on" in text(answer)
    assert workspace.environments.get().source == "a\nb"
    assert answer.redirect_chain[-1][0] == f"{URL}woods/"
    answer = bobs.post(f"{URL}woods/delete", follow=True)
    assert "The environment “woods” is deleted." in text(answer)
    assert not Environment.objects.exists()


def test_a_reader_sees_and_changes_nothing(client, rita, compute, trees):
    client.force_login(rita)
    page = text(client.get(f"{URL}trees/"))
    assert "lightgbm==4.6.0" in page
    assert "Save environment" not in page
    assert "Build now" not in page
    assert "Delete environment" not in page
    for path in ("new", "trees/", "trees/build", "trees/delete"):
        assert client.post(URL + path, fields()).status_code == 404
    assert Environment.objects.get().source == trees.source


def test_wrong_lines_are_told_at_the_field_by_their_number(bobs):
    page = text(bobs.post(f"{URL}new", fields(source="\nnumpy\n-e .\nnot a package")), 422)
    assert "Line 3: " in page
    assert "Line 4: “not a package” names no package" in page
    assert 'aria-invalid="true"' in page
    assert not Environment.objects.exists()


def test_a_conda_file_is_told_its_lines_too(bobs):
    conda = "dependencies:\n  - python=3.12\n  - pip:\n      - numpy\n      - not a package\n"
    page = text(bobs.post(f"{URL}new", fields(kind="conda", source=f"{conda}env: {{}}\n")), 422)
    assert "Line 5: “not a package” names no package" in page
    assert "Line 6: Unknown key" in page
    page = text(bobs.post(f"{URL}new", fields(kind="conda", source="dependencies: [")), 422)
    assert "No conda file" in page


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("python3", "Write the full path, beginning with /"),
        ("/no/such/python", "There is no file /no/such/python on this machine."),
    ],
)
def test_a_python_must_be_a_program_of_this_machine(bobs, source, said):
    assert said in text(bobs.post(f"{URL}new", fields(kind="python", source=source)), 422)


def test_a_python_that_cannot_be_run_is_none(bobs, tmp_path):
    path = tmp_path / "python"
    path.touch(0o600)
    page = text(bobs.post(f"{URL}new", fields(kind="python", source=str(path))), 422)
    assert "it is not executable" in page


def test_a_name_is_there_once_and_a_text_has_something_in_it(bobs, trees):
    page = text(bobs.post(f"{URL}new", fields(name="trees")), 422)
    assert "There is an environment “trees” already." in page
    assert bobs.post(f"{URL}trees/", fields(description="as ever")).status_code == 302
    assert "at least one line" in text(bobs.post(f"{URL}new", fields(name="x", source=" \n")), 422)


def test_a_form_with_errors_still_names_what_is_stored(bobs, trees):
    page = text(bobs.post(f"{URL}trees/", fields(name="Bad Name", source="-e .")), 422)
    assert "<h1>trees</h1>" in page
    assert f'action="{URL}trees/delete"' in page
    assert 'value="Bad Name"' in page


# --- what is built ------------------------------------------------------------------------------
def test_build_now_has_it_built_and_shows_it(bobs, compute, trees):
    assert "Build now" in text(bobs.get(f"{URL}trees/"))
    page = text(bobs.post(f"{URL}trees/build", follow=True))
    one = EnvironmentBuild.objects.get()
    assert one.is_asked_for
    assert "Its build begins in a moment." in page
    assert f'hx-get="{URL}-/builds/{one.digest}/?of=trees" hx-trigger="every 1s"' in page
    assert "Build now" not in page


def test_a_build_that_was_begun_by_hand_is_cancelled_by_hand(bobs, compute, trees):
    assert "Cancel build" not in text(bobs.get(f"{URL}trees/"))
    page = text(bobs.post(f"{URL}trees/build", follow=True))
    one = EnvironmentBuild.objects.get()
    address = f"{URL}-/builds/{one.digest}/cancel?of=trees"
    assert f'action="{address}"' in page
    page = text(bobs.post(address, follow=True))
    assert "Cancel build" not in page
    assert "Build now" in page
    assert not EnvironmentBuild.objects.get().is_asked_for


def test_a_build_that_runs_shows_the_end_of_its_log(bobs, compute, trees):
    one = build(trees, compute, "building", tries=2, started_at=NOW, is_asked_for=True)
    write_log(one, f"{'x' * 20_000}\n\x1b[32mResolved\x1b[0m 12 <packages>\n")
    part = text(bobs.get(f"{URL}-/builds/{one.digest}/?of=trees", **HTMX))
    assert "<html" not in part
    assert "Resolved 12 &lt;packages&gt;" in part
    assert "xxx" not in part
    whole = bobs.get(f"{URL}-/builds/{one.digest}/log?of=trees")
    assert whole["Content-Type"].startswith("text/plain")
    assert b"xxx" in whole.getvalue()


def test_a_build_that_is_done_lists_its_packages_and_rests(bobs, compute, trees):
    later = NOW + timedelta(seconds=75)
    one = build(trees, compute, "done", started_at=NOW, ended_at=later, notes=["Old one."], **DONE)
    part = text(bobs.get(f"{URL}-/builds/{one.digest}/?of=trees", **HTMX))
    assert "lightgbm==4.6.0\nnumpy==2.0<" in part
    assert "2 packages" in part
    assert "3.12.3" in part
    assert "1m 15s" in part
    assert "Old one." in part
    assert "hx-get" not in part
    assert "Build" not in part.split("packages")[1]


def test_a_failed_build_says_why_and_may_be_built_again(bobs, compute, trees):
    one = build(trees, compute, "failed", reason="no such package", ended_at=NOW, tries=1)
    page = text(bobs.get(f"{URL}trees/"))
    assert "no such package" in page
    assert "Build again" in page
    bobs.post(f"{URL}trees/build")
    one.refresh_from_db()
    assert (one.state, one.reason) == ("waiting", "")


def test_a_build_from_a_job_file_may_be_built_again_on_its_own_page(bobs, make_sweep):
    recipe = Recipe("/python", ("xgboost==3",))
    one = EnvironmentBuild.objects.create(
        digest=recipe.digest, recipe=recipe.document(), state="failed", reason="gone"
    )
    Sweep.objects.filter(pk=make_sweep().pk).update(
        environment_build=one, status="Failed", ended_at=NOW
    )
    page = text(bobs.get(f"{URL}-/builds/{one.digest}/"))
    assert "Build again" in page
    bobs.post(f"{URL}-/builds/{one.digest}/again")
    one.refresh_from_db()
    assert (one.state, one.is_asked_for) == ("waiting", True)


def test_what_nobody_waits_for_any_more_is_not_said_to_be_built_in_a_moment(bobs, compute, trees):
    build(trees, compute)
    page = text(bobs.get(f"{URL}trees/"))
    assert "Not built" in page
    assert "Build now" in page
    assert "hx-get" not in page.split('id="environment-build"')[1].split(">")[0]


def test_a_build_that_cannot_begin_says_what_is_down(bobs, compute, trees):
    EngineLease.objects.filter(name="engine").delete()
    page = text(bobs.post(f"{URL}trees/build", follow=True))
    assert "The engine process is not running" in page.split('id="environment-build"')[1]


def test_names_that_mean_nothing_are_kept_apart_from_inline_ones(workspace, make_sweep):
    inline = {"conda_file": {"dependencies": []}}
    make_sweep(name="one", environment=inline)
    make_sweep(name="two", environment="azureml:trees@latest")
    make_sweep(name="three")
    Sweep.objects.filter(name__in=("one", "two")).update(environment_name="trees")
    assert queries.uses(workspace) == {"trees": 1}
