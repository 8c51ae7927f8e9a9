"""Pins, tags and notes on trials over REST."""

from typing import Any

from sweeps.models import Sweep
from tests.api.acts import play
from tests.api.conftest import Caller


def test_marks_over_rest(api: Caller, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.1])
    path = f"/workspaces/default/sweeps/{sweep.name}/trials/1"
    body = api.send("PATCH", path, {"tags": ["good"], "note": "n", "pinned": True}).json()
    assert (body["tags"], body["note"], body["pinned"]) == (["good"], "n", True)
    body = api.send("PATCH", path, {"note": None}).json()
    assert (body["tags"], body["note"]) == (["good"], "")
    wrong = api.send("PATCH", path, {"tags": "good", "pinned": 1, "note": [], "star": 1})
    assert wrong.status_code == 422
    assert {e["field"] for e in wrong.json()["errors"]} == {"tags", "pinned", "note", "star"}
