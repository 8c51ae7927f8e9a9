"""Secrets by name in sweeps and computes: refused where they cannot be, filled in at the start."""

import random

import pytest

from studio.forms import ComputeForm
from studio.models import Secret
from studio.secret_services import set_secret
from sweeps import intake
from sweeps.domain.command import parse_command
from sweeps.domain.problems import InvalidInput
from sweeps.domain.replay import replay_script
from sweeps.engine import launch
from sweeps.queries.replay import replayed
from sweeps.queries.spec_of import exported_job
from sweeps.services import sweeps
from sweeps.spec.writer import to_yaml
from tests.api.acts import start
from tests.conftest import job
from tests.pages.posted import PostedForm

CANARY = "canary/Se+cret=42"
NAMED = {"HF_TOKEN": "${{secrets.HF}}", "URL": "u:${{ secrets.HF }}@h", "MY_API_KEY": "plain-key-1"}


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.STUDIO_HOME = tmp_path


@pytest.fixture
def attempt(workspace, make_sweep, now, tmp_path):
    """The first attempt of a sweep that names a secret."""
    set_secret(workspace, "HF", CANARY, None, now)
    sweep = make_sweep(environment_variables=NAMED)
    [trial, _] = sweeps.advance(sweep.pk, now).trials
    return start(trial, now, tmp_path / "trials")


def submit(workspace, **changes):
    return intake.submit(
        workspace, job(**changes), code=None, user=None, now=launch.database_now(),
        rng=random.Random(1),
    )  # fmt: skip


def test_a_secret_that_is_not_there_is_refused_at_its_variable(workspace, compute):
    with pytest.raises(InvalidInput) as refused:
        submit(workspace, environment_variables=NAMED)
    [first, second] = refused.value.problems
    assert first.field == "trial.environment_variables.HF_TOKEN"
    assert second.field == "trial.environment_variables.URL"
    assert "no secret “HF”" in first.message
    set_secret(workspace, "HF", CANARY, None, launch.database_now())
    assert submit(workspace, environment_variables=NAMED).environment_variables == NAMED


def test_a_hidden_value_that_nobody_has_is_refused(workspace, compute):
    with pytest.raises(InvalidInput, match="hidden"):
        submit(workspace, environment_variables={"A_TOKEN": "***"})
    assert submit(workspace, environment_variables={"STARS": "***"})


def test_a_command_names_no_secret(workspace):
    with pytest.raises(InvalidInput, match="read the arguments of a process"):
        parse_command("python train.py --key ${{ secrets.HF }}")


def test_a_start_fills_them_in_and_masks_them(attempt):
    spec = launch.spec_of(attempt, "trial-token-1")
    assert spec.env["HF_TOKEN"] == CANARY
    assert spec.env["URL"] == f"u:{CANARY}@h"
    assert {CANARY, "trial-token-1", "plain-key-1"} <= set(spec.secrets)
    assert Secret.objects.get().last_used_at
    assert CANARY not in str(spec.argv)


def test_values_of_parameters_are_never_taken_for_secrets(attempt):
    attempt.trial.params = {"lr": 0.5, "boosting": "${{secrets.HF}}"}
    spec = launch.spec_of(attempt, "trial-token-1")
    assert "${{secrets.HF}}" in spec.argv
    given = [value for name, value in spec.env.items() if name not in NAMED]
    assert CANARY not in given


def test_a_secret_that_was_deleted_fails_the_start_with_words(attempt):
    Secret.objects.all().delete()
    with pytest.raises(InvalidInput, match="An owner can set it under Settings, Secrets"):
        launch.spec_of(attempt, "trial-token-1")


def test_exports_and_replay_name_them_only(attempt):
    sweep = attempt.trial.sweep
    text = to_yaml(exported_job(sweep))
    assert "${{secrets.HF}}" in text
    assert "plain-key-1" not in text
    script = replay_script(replayed(attempt.trial, "http://studio"))
    assert "plain-key-1" not in script
    assert ': "${HF_TOKEN:?holds a secret that you have to set}"' in script


def test_the_form_offers_the_secrets_by_name(client, bob, workspace, now):
    set_secret(workspace, "HF", CANARY, None, now)
    client.force_login(bob)
    page = client.get("/w/default/sweeps/new").content.decode()
    assert '<option value="${{secrets.HF}}">' in page
    assert CANARY not in page


def test_a_clone_in_the_form_keeps_a_hidden_value(client, bob, workspace, make_sweep):
    variables = {"MY_API_KEY": "plain-key-1", "A": "b"}
    command = "/bin/echo ${{search_space.lr}} ${{search_space.boosting}}"
    make_sweep(name="first", command=command, environment_variables=variables)
    client.force_login(bob)
    page = client.get("/w/default/sweeps/new?from=first")
    assert "plain-key-1" not in page.content.decode()
    form = PostedForm(page.content.decode(), "sweep-form").with_(action="submit")
    answer = client.post("/w/default/sweeps/new", form)
    assert answer.status_code == 302
    assert workspace.sweeps.latest("pk").environment_variables == variables


def test_a_clone_cannot_take_the_value_from_another_workspace(
    client, charlie, make_sweep, workspace
):
    make_sweep(name="first", environment_variables={"MY_API_KEY": "plain-key-1"})
    client.force_login(charlie)
    page = client.get("/w/elsewhere/sweeps/new?from=first")
    assert page.status_code == 404


def test_a_computes_form_hides_and_keeps(client, alice, compute):
    compute.environment_variables = {"DB_PASSWORD": "plain-key-1", "A": "b"}
    compute.save()
    client.force_login(alice)
    page = client.get("/w/default/computes/local/").content.decode()
    assert "plain-key-1" not in page
    rows = [("DB_PASSWORD", "***"), ("A", "c"), ("X", "${{secrets.NONE}}")]
    fields = {"name": "local", "slots": 2}
    form = ComputeForm(fields | {"environment_variables": rows}, instance=compute)
    assert form.errors == {"environment_variables": ["This workspace has no secret “NONE”."]}
    form = ComputeForm(fields | {"environment_variables": rows[:2]}, instance=compute)
    assert form.is_valid()
    assert form.save().environment_variables == {"DB_PASSWORD": "plain-key-1", "A": "c"}
