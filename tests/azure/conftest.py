"""Azure's client in a process of its own: its pins do not go with MLflow's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
AZURES_PYTHON = Path(sys.prefix) / "azure" / "bin" / "python"


class AzuresClient:
    """Asks the process of `client_side`; raises ValueError with what Azure's client said."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def load(self, text: str) -> dict[str, Any]:
        """The job of a YAML text, loaded and turned into a mapping."""
        return self._ask("load", text)

    def execute(self, source: str) -> dict[str, Any]:
        """Dumps of the sweep that Python source builds."""
        return self._ask("execute", source)

    def build(self, doc: dict[str, Any]) -> dict[str, Any]:
        """Dumps of the sweep made of Azure's classes."""
        return self._ask("build", doc)

    def _ask(self, do: str, subject: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"do": do, "with": subject}), file=self._process.stdin, flush=True)
        reply = json.loads(self._process.stdout.readline())
        if "error" in reply:
            raise ValueError(reply["error"])
        return reply["answer"]


@pytest.fixture(scope="session")
def azure() -> Iterator[AzuresClient]:
    """Azure's client; fails where `make setup-dev` has not installed it."""
    assert AZURES_PYTHON.exists(), f"{AZURES_PYTHON} is missing: run make setup-dev."
    with subprocess.Popen(
        [str(AZURES_PYTHON), str(Path(__file__).with_name("client_side.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        yield AzuresClient(process)
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=20)
