"""A run may be sent so many files, under bounded names, and few listings go on at once."""

from typing import Any

import httpx
import pytest

from sweeps.gateway import views
from sweeps.gateway.under_way import UnderWay
from tests.gateway.conftest import ARTIFACTS, Running

pytestmark = pytest.mark.django_db(transaction=True)


def send(trial: Running, name: str, method: str = "PUT") -> httpx.Response:
    place = f"{ARTIFACTS}{trial.experiment_id}/{trial.run_id}/artifacts/{name}"
    return trial.api(method, place, **({"content": b"x"} if method == "PUT" else {}))


def test_a_run_may_be_sent_so_many_files(trial: Running, sibling: Running, settings: Any) -> None:
    settings.STUDIO_OUTPUT_MAX_FILES = 2
    assert [send(trial, name).status_code for name in ("a", "b/c")] == [200, 200]
    refused = send(trial, "d")
    assert (refused.status_code, refused.json()["error_code"]) == (413, "RESOURCE_EXHAUSTED")
    assert "2 files" in refused.json()["message"]
    assert send(trial, "b/c").status_code == 200, "one that is there may come again"
    assert send(sibling, "d").status_code == 200
    assert send(trial, "a", "DELETE").is_success
    assert send(trial, "d").status_code == 200


def test_paths_of_artifacts_have_a_bound(trial: Running) -> None:
    assert send(trial, "/".join(["x" * 167] * 3)).status_code == 400
    assert send(trial, "/".join(["x" * 150] * 3)).status_code == 200


def test_few_listings_of_a_workspace_go_on_at_once(
    trial: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(trial, "a").status_code == 200
    top = f"{trial.experiment_id}/{trial.run_id}/artifacts"
    ask = lambda: [  # noqa: E731
        trial.api.get("artifacts/list", run_id=trial.run_id).status_code,
        trial.api.get(ARTIFACTS.removesuffix("/"), path=top).status_code,
        trial.api.get(f"{ARTIFACTS}{top}/a").status_code,
    ]
    assert ask() == [200, 200, 200]
    monkeypatch.setattr(views, "_listing", UnderWay(0))
    assert ask() == [429, 429, 200], "a file is no listing"
