"""What members change through the gateway stands in the audit log; what programs log does not."""

import pytest

from studio.models import ApiToken, AuditEntry
from tests.gateway.conftest import MLFLOW

pytestmark = pytest.mark.django_db(transaction=True)


def entries() -> list[tuple[str, str, str, str]]:
    found = AuditEntry.objects.order_by("id")
    return [(entry.verb, entry.noun, entry.name, entry.token_hint) for entry in found]


def test_a_member_s_changes_are_noted_and_logging_is_not(member, trial):
    api = member("contributor")
    hint = ApiToken.objects.get().hint
    post = lambda path, **body: api("POST", MLFLOW + path, json=body)  # noqa: E731
    made = post("experiments/create", name="default/audited")
    experiment = made.json()["experiment_id"]
    run = post("runs/create", experiment_id=experiment).json()["run"]["info"]["run_id"]
    logged = post("runs/log-metric", run_id=run, key="loss", value=1, timestamp=1, step=0)
    assert logged.status_code == 200
    assert post("runs/delete", run_id=run).status_code == 200
    assert post("registered-models/create", name="default.churn").status_code == 200
    assert post("runs/delete", run_id="0" * 32).status_code == 404
    assert entries() == [
        ("create", "experiment", "default/audited", hint),
        ("delete", "run", run, hint),
        ("create", "model", "churn", hint),
    ]
    entry = AuditEntry.objects.order_by("-id")[:1].get()
    assert (entry.origin, entry.address) == ("tracking", "127.0.0.1")


def test_a_script_s_own_work_leaves_no_entry(trial):
    assert trial.log("loss", 1).status_code == 200
    made = trial.api("POST", MLFLOW + "registered-models/create", json={"name": "default.own"})
    assert made.status_code == 200
    assert entries() == []
