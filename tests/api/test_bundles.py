"""Bundles over REST."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sweeps.models import Sweep
from tests.api.acts import play
from tests.api.conftest import Caller


@pytest.fixture
def played(sweep: Sweep, now: Any) -> Sweep:
    play(sweep, now, [0.5, 0.25])
    return sweep


def test_a_bundle_goes_out_and_comes_back(api: Caller, played: Sweep) -> None:
    answer = api.get(f"/workspaces/default/sweeps/{played.name}/bundle.zip?points=true")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    data = b"".join(answer.streaming_content)
    assert "trials.jsonl" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    part = lambda: {"bundle": SimpleUploadedFile("b.zip", data)}  # noqa: E731
    back = api.upload("/workspaces/default/bundles", **part())
    assert back.status_code == 201
    assert back.json()["status"] == "Canceled", "it had not ended"
    assert back.json()["best_trial"]["value"] == 0.25
    again = api.upload("/workspaces/default/bundles?replay=1", **part())
    assert (again.status_code, again.json()["status"]) == (201, "Queued")
    assert again.json()["limits"]["max_total_trials"] == 4, "those that waited too"


def test_what_is_no_bundle_is_refused_in_the_shape_of_all_errors(
    api: Caller, played: Sweep
) -> None:
    nothing = api.upload("/workspaces/default/bundles")
    assert nothing.status_code == 422
    assert nothing.json()["error"]["field"] == "bundle"
    bad = {"bundle": SimpleUploadedFile("b.zip", b"x")}
    answer = api.upload("/workspaces/default/bundles", **bad)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"
