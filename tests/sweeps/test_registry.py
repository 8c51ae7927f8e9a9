"""Registering a model: asked for once, done by the queue, told wherever people look."""

import json
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.problems import InvalidInput
from sweeps.domain.registry import Wanted, load_uri
from sweeps.engine import register
from sweeps.models import Attempt, ModelVersion, Sweep, Trial
from sweeps.queries.registry import Loggable, waiting_versions
from sweeps.services import registered, registry
from sweeps.services.registered import Made
from sweeps.tracking.client import TrackingRejected, TrackingUnavailable
from tests.api.acts import play
from tests.conftest import NOW
from tests.servers import CHECKOUT
from tests.spec.test_mlmodel import TEXT
from tests.stores.test_snapshots import folder

MODEL_ID = "m-" + "0a" * 16
LOGGED = Loggable(MODEL_ID, "model", f"models:/{MODEL_ID}", MODEL_ID)


class Registry:
    """MLflow's registry as the tracking client sees it."""

    def __init__(self) -> None:
        self.versions: list[dict[str, Any]] = []
        self.names: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.trouble: Exception | None = None
        self.dies_after_creating = False

    def ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        if self.trouble:
            raise self.trouble
        body = given.get("body", {})
        if path == "model-versions/search":
            run = given["query"]["filter"].split("'")[1]
            return {"model_versions": [v for v in self.versions if v["run_id"] == run]}
        if path == "registered-models/create":
            if body["name"] in self.names:
                raise TrackingRejected("RESOURCE_ALREADY_EXISTS", "it exists", 400)
            self.names.add(body["name"])
            return {}
        if path == "model-versions/create":
            made = body | {"version": str(len(self.versions) + 1)}
            self.versions.append(made)
            if self.dies_after_creating:
                self.dies_after_creating = False
                raise TrackingUnavailable("killed")
            return {"model_version": made}
        assert (method, path) == ("POST", "registered-models/alias")
        self.aliases[body["alias"]] = body["version"]
        return {}


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Registry:
    found = Registry()
    monkeypatch.setattr(register, "tracking", lambda: found)
    return found


@pytest.fixture
def trial(sweep: Sweep, settings: Any, tmp_path: Path) -> Trial:
    """The best of two, which has logged a model and left another one below ./outputs."""
    settings.TRACKING_ARTIFACTS = tmp_path / "artifacts"
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id="1")
    first, *_ = play(sweep, NOW, [0.25, 0.5])
    attempt = first.attempts.get()
    registry.note_logged(attempt, MODEL_ID, "model")
    folder(tmp_path / "artifacts/1" / attempt.run_id / "artifacts", {
        "outputs/saved/MLmodel": TEXT.encode(), "outputs/x": b"",
    })  # fmt: skip
    folder(tmp_path / "artifacts/1/models" / MODEL_ID / "artifacts", {"MLmodel": TEXT.encode()})
    return Trial.objects.select_related("sweep__workspace").get(pk=first.pk)


def asked(trial: Trial, **changes: Any) -> ModelVersion:
    wanted = Wanted(**({"name": "iris", "alias": "champion"} | changes))
    return registry.request_version(trial, LOGGED, wanted, actor="bob", now=NOW)


def test_the_queue_registers_it_with_where_it_is_from(trial: Trial, mlflow: Registry) -> None:
    before = trial.revision
    row = asked(trial, description="the first")
    assert waiting_versions() == [row.pk]
    register.register_version(row.pk)
    row.refresh_from_db()
    assert (row.state, row.version) == ("registered", "1")
    assert waiting_versions() == []
    [made] = mlflow.versions
    tags = {tag["key"]: tag["value"] for tag in made["tags"]}
    assert (made["name"], made["source"]) == ("default.iris", f"models:/{MODEL_ID}")
    assert (made["run_id"], made["description"]) == (trial.run_id, "the first")
    assert (tags["studio.sweep_name"], tags["studio.trial"]) == (trial.sweep.name, "0")
    assert tags["studio.objective"] == "0.25"
    assert tags["param.lr"] == repr(trial.params["lr"])
    assert mlflow.aliases == {"champion": "1"}
    assert Trial.objects.get(pk=trial.pk).revision > before, "its page has news"


def test_nothing_is_registered_twice_whoever_dies(trial: Trial, mlflow: Registry) -> None:
    row = asked(trial)
    mlflow.trouble = TrackingUnavailable("away")
    with pytest.raises(TrackingUnavailable):
        register.register_version(row.pk)
    mlflow.trouble, mlflow.dies_after_creating = None, True
    with pytest.raises(TrackingUnavailable):
        register.register_version(row.pk)
    for _ in range(2):
        register.register_version(row.pk)
    row.refresh_from_db()
    assert (row.state, row.version, len(mlflow.versions)) == ("registered", "1", 1)


def test_an_alias_moves_to_the_next_version(trial: Trial, mlflow: Registry) -> None:
    first, second = asked(trial), asked(trial)
    other = asked(trial, name="other")
    for row in (first, second, other):
        register.register_version(row.pk)
    aliases = [ModelVersion.objects.get(pk=row.pk).alias for row in (first, second, other)]
    assert aliases == ["", "champion", "champion"]


def test_a_wish_takes_its_alias_from_a_version_that_a_script_registered_meanwhile(
    trial: Trial, mlflow: Registry
) -> None:
    wish, later = asked(trial), asked(trial)
    script = registered.note_version(
        trial.sweep.workspace, trial, Made("iris", "7"), actor="its script", now=NOW
    )
    registered.note_alias(trial.sweep.workspace, "iris", "champion", "7")

    def aliases() -> list[str]:
        return [ModelVersion.objects.get(pk=row.pk).alias for row in (wish, later, script)]

    assert aliases() == ["champion", "champion", "champion"], "of which two are wishes"
    register.register_version(wish.pk)
    assert aliases() == ["champion", "champion", ""], "of which one is a wish"
    register.register_version(later.pk)
    assert aliases() == ["", "champion", ""]


def test_what_mlflow_refuses_says_why(trial: Trial, mlflow: Registry) -> None:
    row = asked(trial)
    mlflow.trouble = TrackingRejected("INVALID_PARAMETER_VALUE", "no <b>such</b> model", 400)
    register.register_version(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "no <b>such</b> model")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"), ({"name": "a/b"}, "name"), ({"name": "a:b"}, "name"),
        ({"name": "x" * 101}, "name"), ({"name": "a\nb"}, "name"), ({"alias": "latest"}, "alias"),
        ({"alias": "v3"}, "alias"), ({"alias": "a b"}, "alias"), ({"alias": "9"}, "alias"),
        ({"description": "\0"}, "description"), ({"description": "x" * 5001}, "description"),
    ],
)  # fmt: skip
def test_names_that_mlflow_could_not_have(changes: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Wanted(**({"name": "iris"} | changes))
    assert [problem.field for problem in error.value.problems] == [field]


@pytest.mark.parametrize("end", ["!", "/", "", " "])
def test_the_longest_name_is_judged_at_once(end: str) -> None:
    """Letter by letter, not in every way in which it can be cut into words."""
    name = ("a" * 100)[: 100 - len(end)] + end
    code = "import sys; from sweeps.domain.registry import _NAME; _NAME.fullmatch(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, name], cwd=CHECKOUT, check=True, timeout=20)


def test_a_version_is_loaded_by_alias_or_number() -> None:
    assert load_uri("ws", "iris", "champion", "3") == "models:/ws.iris@champion"
    assert load_uri("ws", "iris", "", "3") == "models:/ws.iris/3"


# --- Pages --------------------------------------------------------------------------------------


@pytest.fixture
def page(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def address(trial: Trial) -> str:
    return f"/w/default/sweeps/{trial.sweep.name}/trials/0/"


def test_the_form_asks_for_it_and_every_page_tells(
    page: Client, address: str, trial: Trial, mlflow: Registry, wake_ups: Callable[..., Any]
) -> None:
    assert f'href="{address}register"' in page.get(address).content.decode()
    form = page.get(f"{address}register").content.decode()
    assert f'value="{MODEL_ID}"' in form
    assert 'value="outputs/saved"' in form
    typed = {"name": "iris", "alias": "champion", "model": "outputs/saved", "ticket": "t"}
    for _ in range(2):  # a double click
        assert page.post(f"{address}register", typed).status_code == 302
    [row] = ModelVersion.objects.all()
    assert row.source == f"runs:/{trial.run_id}/outputs/saved"
    assert ("register_model", row.pk) in wake_ups()
    waiting = page.get(address).content.decode()
    assert "Being registered" in waiting
    # Told near the top, once, with the way to where it stands.
    told = 'iris is being registered. <a href="#models">'
    assert waiting.index(told) < waiting.index('id="trial-objective"')
    assert told not in page.get(address).content.decode()
    assert "data-final" not in waiting, "the page looks for news until it is there"
    register.register_version(row.pk)
    told = unescape(page.get(address).content.decode())
    assert "mlflow.pyfunc.load_model('models:/default.iris@champion')" in told
    assert "data-final" in told
    for other in ("/w/default/models/", f"/w/default/sweeps/{trial.sweep.name}/"):
        html = page.get(other).content.decode()
        assert "iris" in html
        assert "@champion" in html


def test_a_problem_stands_at_its_field_and_nothing_typed_is_lost(
    page: Client, address: str, trial: Trial
) -> None:
    typed = {"name": "a/b", "description": "<i>", "model": MODEL_ID}
    answer = page.post(f"{address}register", typed)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="a/b"' in html
    assert "&lt;i&gt;" in html
    assert "Use letters" in html
    unnamed = page.post(f"{address}register", typed | {"name": " "}).content.decode()
    assert "Write the name that the model is to have." in unnamed
    assert not ModelVersion.objects.exists()


def test_a_logged_model_is_looked_through_like_other_files(page: Client, address: str) -> None:
    html = unescape(page.get(f"{address}artifacts/?model={MODEL_ID}").content.decode())
    assert f"load_model('models:/{MODEL_ID}')" in html
    for model in ("m-" + "ff" * 16, "../x", MODEL_ID + "/.."):
        assert page.get(f"{address}artifacts/", {"model": model}).status_code == 404
    file = page.get(f"{address}artifacts/MLmodel?model={MODEL_ID}")
    assert b"".join(file.streaming_content) == TEXT.encode()


def test_readers_see_but_do_not_register(
    client: Client, rita: User, charlie: User, address: str, trial: Trial
) -> None:
    asked(trial)
    client.force_login(rita)
    assert f'href="{address}register"' not in client.get(address).content.decode()
    assert client.post(f"{address}register", {"name": "x"}).status_code == 404
    assert "iris" in client.get("/w/default/models/").content.decode()
    client.force_login(charlie)
    assert client.get("/w/default/models/").status_code == 404
    assert client.get(f"{address}register").status_code == 404


def test_a_deleted_trial_leaves_its_version(page: Client, trial: Trial) -> None:
    asked(trial)
    Sweep.objects.all().delete()
    html = page.get("/w/default/models/").content.decode()
    assert "trial 0, deleted" in html


# --- REST ---------------------------------------------------------------------------------------


def test_rest_registers_and_tells(bob: User, trial: Trial, mlflow: Registry, address: str) -> None:
    from studio.models import Role
    from studio.services import create_token

    secret = create_token(trial.sweep.workspace, bob, role=Role.CONTRIBUTOR, name="t", now=NOW)
    client = Client(headers={"Authorization": f"Bearer {secret.secret}"})
    base = f"/api/v1/workspaces/default/sweeps/{trial.sweep.name}/trials/0"

    def post(body: Any) -> Any:
        return client.post(f"{base}/register", json.dumps(body), content_type="application/json")

    assert post({"name": "iris"}).json()["error"]["field"] == "model", "there are two"
    assert post({"name": "a/b", "model": MODEL_ID}).status_code == 422
    answer = post({"name": "iris", "alias": "champion", "model": MODEL_ID})
    assert (answer.status_code, answer.json()["state"]) == (202, "requested")
    register.register_version(ModelVersion.objects.get().pk)
    told = client.get(f"{base}/models").json()
    assert [one["model"] for one in told["models"]] == [MODEL_ID, "outputs/saved"]
    assert told["versions"][0]["uri"] == "models:/default.iris@champion"
    [item] = client.get("/api/v1/workspaces/default/models").json()["items"]
    assert (item["version"], item["objective"], item["trial"]) == ("1", 0.25, 0)


def test_only_the_newest_attempts_models_count(trial: Trial) -> None:
    Attempt.objects.filter(trial=trial).update(number=7)
    from sweeps.queries.registry import logged_models

    assert logged_models(trial) == []
