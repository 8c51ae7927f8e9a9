"""Running a script cold and warm, with everything about it that can be observed from outside."""

import hashlib
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sweeps.runners.base import Ended, How, LaunchSpec, Lost, Result, Warm
from sweeps.runners.local import LocalRunner
from sweeps.runners.warm import line, parents
from tests.runners.processes import wait_for

# What a busy machine may need to import the largest packages, twice.
WITHIN_S = 120.0
# Imported by a parent that few scripts share.
PLAIN = ("json", "random", "logging", "subprocess", "threading", "secrets", "tempfile")
# Imported by the parent that most scripts share, whether these use it or not.
LIGHT = (
    *("json", "random", "logging", "subprocess", "threading", "asyncio", "ssl", "sqlite3"),
    *("tempfile", "uuid", "secrets", "locale", "pickle", "dataclasses", "typing", "inspect"),
    *("importlib.metadata", "multiprocessing.pool", "concurrent.futures.ThreadPoolExecutor"),
    *("concurrent.futures.ProcessPoolExecutor", "numpy.random", "joblib", "threadpoolctl"),
)
LEARN = (*LIGHT, "lightgbm.LGBMRegressor", "sklearn.ensemble", "sklearn.linear_model", "pandas")
TRACK = (*LIGHT, "mlflow.start_run", "mlflow.log_metric", "mlflow.MlflowClient")
SCRIPT = "train.py"
# Addresses of objects and threads, and times of MLflow: other ones in every run.
_OF_A_RUN = re.compile(rb"0x[0-9a-f]{8,}|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d")
# They hold when their source was written, and runs with names of their own.
_NAMES_ONLY = (".pyc", ".db")


@dataclass(frozen=True)
class Case:
    """A script and how it is run.

    `word` names it to the interpreter, `at` is where it lies; `env` is of the sweep, `own` of the
    trial alone. `cold` is a pattern: it is to run cold, and this is to be said about it. `fresh`:
    each line that it prints is another one in every run.
    """

    name: str
    script: str | bytes
    args: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    word: tuple[str, ...] = (SCRIPT,)
    at: str = SCRIPT
    env: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    prepare: Callable[[Path], None] = lambda _work: None
    imports: tuple[str, ...] = ()
    cold: str = ""
    fresh: bool = False
    long: bool = False
    limits: Mapping[str, object] = field(default_factory=dict)

    @property
    def modules(self) -> tuple[str, ...]:
        """What its parent imports."""
        is_shared = self.word == (SCRIPT,) and not self.options and not self.env
        return self.imports or (LIGHT if is_shared else PLAIN)


class Seen(NamedTuple):
    """Everything that is the same for a script however it was started."""

    ended_by: str
    exit_code: int | None
    signal: int | None
    message: str
    out: bytes
    err: bytes
    files: dict[str, bytes | str]


class Stage:
    """One folder for the work of all scripts, so that none sees where it ran."""

    def __init__(self, base: Path) -> None:
        self.runner = LocalRunner()
        # Another one, with or without the packages, by hand.
        self.python = os.environ.get("WARM_PYTHON", sys.executable)
        self.base, self.work, self.home = base, base / "work", base / "warm"
        (base / "user").mkdir()

    def run(self, case: Case, warm: bool) -> tuple[Seen, How]:
        """Run it in a new working folder; what was seen, and how it was started."""
        self.lay(case)
        handle = self.runner.start(self.spec(case, warm))
        result = self.end(handle)
        how = self.runner.how(handle)
        assert how is not None
        return self._seen(Path(handle), result), how

    def lay(self, case: Case) -> None:
        """The working folder as the script finds it."""
        shutil.rmtree(self.work, ignore_errors=True)
        for name, text in {**case.files, case.at: case.script}.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        case.prepare(self.work)

    def spec(self, case: Case, warm: bool) -> LaunchSpec:
        """An attempt of its own."""
        name = f"test.{uuid.uuid4().hex}"
        prefix = (self.python, *case.options, *case.word)
        env = {"PATH": os.environ["PATH"], "HOME": str(self.base / "user"), "LANG": "C.UTF-8"}
        env |= case.env
        return LaunchSpec(
            name=name,
            spool=self.base / name,
            argv=(*prefix, *case.args),
            cwd=self.work,
            env={**env, **case.own},
            warm=self.parent(prefix, case.modules, env) if warm else "Not asked for.",
            **case.limits,  # type: ignore[arg-type]
        )

    def parent(
        self, prefix: tuple[str, ...], modules: tuple[str, ...], env: Mapping[str, str]
    ) -> Warm:
        """The parent that commands of this kind share."""
        what = json.dumps([prefix, modules, sorted(env.items())])
        key = hashlib.sha256(what.encode()).hexdigest()[:16]
        return Warm(key, self.home, len(prefix), modules, env)

    def pid(self, warm: Warm) -> int:
        """The process that serves as this parent. Raises OSError where there is none."""
        with parents._reached(warm.home / warm.key) as asker:
            asker.send(line.READY)
            answer = line.hear(asker)
        if answer is None:
            raise ConnectionError("It left.")
        return int(answer["pid"])

    def end(self, handle: str) -> Result:
        """Wait for it."""

        def look() -> Result | None:
            event = self.runner.poll([handle])[0]
            assert not isinstance(event, Lost), event.reason
            return event.result if isinstance(event, Ended) else None

        return wait_for(look, f"the end of {handle}", WITHIN_S)

    def _seen(self, spool: Path, result: Result) -> Seen:
        return Seen(
            result.ended_by,
            result.exit_code,
            result.signal,
            re.sub(r"Peak memory .*\.", "", result.message),
            _OF_A_RUN.sub(b"_", (spool / "stdout.log").read_bytes()),
            _OF_A_RUN.sub(b"_", (spool / "stderr.log").read_bytes()),
            dict(_tree(self.work)),
        )


def _tree(folder: Path) -> list[tuple[str, bytes | str]]:
    """Every file: what it holds, where it points, what it may."""
    found: list[tuple[str, bytes | str]] = []
    for path in sorted(folder.rglob("*")):
        name = f"{path.relative_to(folder)} {path.lstat().st_mode:o}"
        if path.is_symlink():
            found.append((name, f"-> {path.readlink()}"))
        elif path.is_file() and path.suffix not in _NAMES_ONLY:
            found.append((name, path.read_bytes()))
        else:
            found.append((name, ""))
    return found
