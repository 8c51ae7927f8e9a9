"""A bundle is somebody else's program: of the workspace's secrets it gets what it was allowed."""

import io
import json
from random import Random

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from studio.models import Role
from studio.secret_services import set_secret
from studio.services import create_token
from sweeps.domain.problems import InvalidInput
from sweeps.intake_bundles import bundled, import_bundle
from sweeps.models import Sweep
from sweeps.services.sweeps import advance
from tests.api.conftest import Caller
from tests.conftest import NOW

NAMED = {"A": "${{secrets.HF}}", "B": "x:${{secrets.WANDB}}@y"}


@pytest.fixture
def packed(workspace, make_sweep, settings, tmp_path, monkeypatch) -> bytes:
    """A bundle whose job names two secrets, which are set; its compute gives a third."""
    settings.STUDIO_HOME = tmp_path
    (tmp_path / "own.txt").write_text("")
    monkeypatch.setattr("sweeps.intake_bundles.own.constraints", lambda _: tmp_path / "own.txt")
    for name in ("HF", "WANDB", "MIRROR", "UNUSED"):
        set_secret(workspace, name, f"value-of-{name}", None, NOW)
    sweep = make_sweep(environment_variables=NAMED)
    sweep.compute.environment_variables = {"PIP_INDEX_URL": "${{secrets.MIRROR}}"}
    sweep.compute.save()
    advance(sweep.pk, NOW)
    return b"".join(bundled(sweep, "https://far/x", NOW))


def bring(workspace, data, **options):
    return import_bundle(
        workspace, io.BytesIO(data), "b.zip", user=None, now=NOW, rng=Random(7), **options
    )


@pytest.mark.parametrize("granted", [(), ("HF", "WANDB"), ("UNUSED",)])
def test_it_is_not_run_with_secrets_that_nobody_allowed(workspace, packed, granted):
    with pytest.raises(InvalidInput) as refused:
        bring(workspace, packed, replay=True, granted=granted)
    [problem] = refused.value.problems
    assert problem.field == "secrets"
    assert "MIRROR, HF, WANDB" in problem.message
    assert "UNUSED" not in problem.message
    assert Sweep.objects.count() == 1, "nothing is kept"


def test_it_runs_with_those_that_are_allowed(workspace, packed):
    again = bring(workspace, packed, replay=True, granted=["MIRROR", "WANDB", "HF"])
    assert again.environment_variables == NAMED


def test_a_record_runs_nothing_and_says_what_running_it_would_give(workspace, packed):
    record = bring(workspace, packed, replay=False)
    assert record.status == "Canceled", "it had not ended"
    assert any("MIRROR, HF, WANDB" in note for note in record.notes)


def test_the_page_offers_and_names_them(client, bob, workspace, packed):
    client.force_login(bob)
    address = f"/w/{workspace.name}/sweeps/import"
    page = client.get(address).content.decode()
    assert all(f'name="secrets" value="{name}"' in page for name in ("HF", "WANDB", "MIRROR"))
    sent = lambda: {"mode": "replay", "bundle": SimpleUploadedFile("b.zip", packed)}  # noqa: E731
    refused = client.post(address, {**sent(), "secrets": "HF"})
    assert refused.status_code == 422
    assert "MIRROR, HF, WANDB" in refused.content.decode()
    assert 'value="HF" checked' in refused.content.decode()
    assert "value-of-" not in refused.content.decode()
    record = client.post(address, {**sent(), "mode": "record"}, follow=True).content.decode()
    assert "gives its program these secrets of the workspace: MIRROR, HF, WANDB." in record
    taken = client.post(address, {**sent(), "secrets": ["HF", "WANDB", "MIRROR"]})
    assert taken.status_code == 302


def test_rest_refuses_and_names_them(bob, workspace, packed):
    made = create_token(workspace, bob, role=Role.CONTRIBUTOR, name="t", now=NOW)
    api = Caller(made.secret)
    part = lambda: {"bundle": SimpleUploadedFile("b.zip", packed)}  # noqa: E731
    place = f"/workspaces/{workspace.name}/bundles?replay=1"
    refused = api.upload(place, **part())
    assert refused.status_code == 422
    assert json.loads(refused.content)["error"]["field"] == "secrets"
    assert "MIRROR, HF, WANDB" in refused.json()["error"]["message"]
    assert api.upload(f"{place}&secret=HF&secret=WANDB&secret=MIRROR", **part()).status_code == 201
