"""What one line of a bundle may take, and how many bundles come in at once."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest

from studio.models import Compute, Workspace
from sweeps import intake_bundles
from sweeps.domain.problems import InvalidInput
from sweeps.intake_bundles import import_bundle
from sweeps.models import Sweep
from sweeps.stores.bundles import opened, read_json
from tests.conftest import NOW
from tests.sweeps.test_bundles import files_of, packed, zip_of

HEAD = b'{"number":0,"status":"Completed","params":{"x":0.5},"z":['
LISTS = HEAD + b",".join([b"[[[]]]"] * 1_000_000) + b"]}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.STUDIO_HOME = tmp_path / "home"
    settings.STUDIO_HOME.mkdir()
    (tmp_path / "own.txt").write_text("Django==5.2\n")
    monkeypatch.setattr(intake_bundles.own, "constraints", lambda _root: tmp_path / "own.txt")
    return settings.STUDIO_HOME


@pytest.fixture
def files(sweep: Sweep) -> dict[str, bytes]:
    return files_of(packed(sweep))


def bring(workspace: Workspace, data: bytes) -> Sweep:
    return import_bundle(
        workspace, io.BytesIO(data), "bundle.zip", replay=False, user=None, now=NOW, rng=Random()
    )


def with_chance(data: bytes) -> bytes:
    """With a file that no archive makes smaller: less than a hundredth of its size is suspect."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("code/pad.bin", Random(1).randbytes(2**18))
    return out.getvalue()


def test_a_line_is_counted_before_it_is_read(workspace: Workspace, files: dict[str, bytes]) -> None:
    data = with_chance(zip_of(files | {"trials.jsonl": b"\n" + LISTS}))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match=r"line 2: trials\.jsonl: Holds too many"):
            bring(workspace, data)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(LISTS)
    finally:
        tracemalloc.stop()


def test_a_trial_may_have_all_the_values_that_a_bundle_takes() -> None:
    points = {f"m{n}": [[2**40 + n, "NaN", 2**40]] * 200 for n in range(500)}
    summary = dict.fromkeys(("count", "last", "last_step", "lowest", "highest", "total"), "NaN")
    document = {
        "params": {f"p{n}": f"value {n}" for n in range(10_000)},
        "metrics": dict.fromkeys(points, summary),
        "points": points,
    }
    assert read_json(json.dumps(document).encode()) == document


def test_a_workspace_brings_in_one_bundle_at_a_time(
    workspace: Workspace, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zip_of(files)
    other = Workspace.objects.create(name="another")
    Compute.objects.create(workspace=other, name="local", is_default=True)
    made: list[Sweep] = []

    def at_once(*given: Any) -> Any:
        monkeypatch.setattr(intake_bundles, "opened", opened)
        with pytest.raises(InvalidInput, match="Another bundle is being brought in") as refused:
            bring(workspace, data)
        assert refused.value.problems[0].code == "conflict"
        made.append(bring(other, data))
        return opened(*given)

    monkeypatch.setattr(intake_bundles, "opened", at_once)
    made.append(bring(workspace, data))
    made.append(bring(workspace, data))
    assert [sweep.workspace.name for sweep in made] == ["another", "default", "default"]


def test_who_fails_keeps_nobody_out(workspace: Workspace, files: dict[str, bytes]) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput, match="no sweep bundle"):
            bring(workspace, zip_of({"a": b""}))
    assert bring(workspace, zip_of(files)).pk
