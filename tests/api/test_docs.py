"""The curl examples of the documentation are run as they stand, against a server."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.models import Compute, Role, User, Workspace
from studio.services import create_token
from sweeps.models import Sweep
from sweeps.services import sweeps
from tests.api.test_submit import JOB

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "user-guide.md").read_text()
README = (ROOT / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


@dataclass
class Example:
    """A command, and what the documentation shows of its answer."""

    command: str
    shown: list[str]


def examples(text: str) -> Iterator[Example]:
    """Commands begin with a word, go on by five blanks, and their answers are behind two."""
    for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        found: list[Example] = []
        for line in block.splitlines():
            if not line.startswith("  "):
                found.append(Example(line, []))
            elif line.startswith("     "):
                found[-1].command += f"\n{line}"
            else:
                found[-1].shown.append(line.strip())
        yield from (example for example in found if example.command.startswith("curl"))


@pytest.fixture
def place(
    live_server: Any, workspace: Workspace, compute: Compute, bob: User, tmp_path: Path, now: Any
) -> dict[str, str]:
    """The environment in which the examples run; `HOME` has the files that they name."""
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    (tmp_path / "job.yml").write_text(yaml.safe_dump({**JOB, "name": "of-the-docs"}))
    (tmp_path / "iris.csv").write_text("1,2\n")
    for name in ("code.zip", "src.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("train.py", f"print('{name}')\n")
    with tarfile.open(tmp_path / "images.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "iris.csv", "iris.csv")
    token = create_token(workspace, bob, role=Role.CONTRIBUTOR, name="t", now=now).secret
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CURL_HOME": str(tmp_path),
        "API": f"{live_server.url}/api/v1",
        "TOKEN": token,
        "DIGEST": "0" * 64,
    }


def ran(example: Example, place: dict[str, str]) -> tuple[str, int]:
    """Everything that it printed, and the status of the answer."""
    assert shutil.which("curl"), "Install curl: the documentation's examples are run with it."
    address = place["API"].removesuffix("/api/v1")
    command = example.command.replace(ADDRESS, address).replace("/tmp/", f"{place['HOME']}/")
    done = subprocess.run(
        ["sh", "-euc", command],
        env=place,
        cwd=place["HOME"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    text, _, status = done.stdout.rpartition("\n")
    return text, int(status)


def check(example: Example, text: str, status: int) -> None:
    """The answer is as it is shown, but for values."""
    assert status < 400 or example.shown[:1] == ["HTTP/1.1 404 Not Found"], text
    for line in example.shown:
        if line.startswith("{"):
            body = json.loads(text[text.index("{") :])
            assert set(json.loads(line)) == set(body), example.command
        elif line.startswith("HTTP/"):
            assert text.startswith(line), example.command
        else:
            assert line.partition(":")[0] in text, example.command  # a header


@pytest.mark.django_db(transaction=True)
def test_the_users_guides_examples(place: dict[str, str], make_sweep: Any, now: Any) -> None:
    found = list(examples(GUIDE.split("\n## REST\n")[1].split("\n## ")[0]))
    assert len(found) > 10
    sweep = make_sweep()
    sweeps.advance(sweep.pk, now)
    place["NAME"], etags = sweep.name, {}
    for example in found:
        for shown, real in etags.items():
            example.command = example.command.replace(shown, real)
        text, status = ran(example, place)
        check(example, text, status)
        told = re.search(r'^ETag: (W/"[^"]+")', text, re.MULTILINE)
        shown = next((line for line in example.shown if line.startswith("ETag: ")), "")
        if told and shown:
            etags[shown.removeprefix("ETag: ")] = told[1]
    assert etags
    assert Sweep.objects.get(name="of-the-docs").code is not None
    sweep.refresh_from_db()
    assert (sweep.max_total_trials, sweep.desired) == (80, "cancel")


@pytest.mark.django_db(transaction=True)
def test_the_readmes_example(place: dict[str, str]) -> None:
    [example] = examples(README)
    shutil.copy(ROOT / "examples" / "iris_lightgbm" / "job-sweep.yml", place["HOME"])
    shutil.copy(ROOT / "examples" / "iris_lightgbm" / "iris.csv", place["HOME"])
    with zipfile.ZipFile(Path(place["HOME"]) / "code.zip", "w") as archive:
        for name in ("main.py", "iris.csv"):
            archive.write(ROOT / "examples" / "iris_lightgbm" / name, name)
    text, status = ran(example, place)
    assert status == 201, text
