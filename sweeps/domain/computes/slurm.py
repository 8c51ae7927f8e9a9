"""What a compute of kind `slurm` can be told: what each of its trials asks the cluster for."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from sweeps.domain.computes.settings import Field, Settings
from sweeps.domain.wording import shown

MOST_CPUS = 4096
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NAMES = re.compile(r"[A-Za-z0-9._-]{1,64}(,[A-Za-z0-9._-]{1,64})*")
_GPUS = re.compile(r"([A-Za-z0-9._-]{1,64}:)?[1-9][0-9]{0,3}")
_MEMORY = re.compile(r"[1-9][0-9]{0,9}[KMGT]?", re.IGNORECASE)
_TIME = re.compile(r"\d{1,6}|(\d{1,4}-)?\d{1,3}(:\d{1,2}){0,2}|\d{1,4}:\d{1,2}(:\d{1,2})?")
_DIRECTIVE = re.compile(r"--([a-z][a-z-]*)(=.+)?")
# Options of sbatch that are the studio's: jobs would not be found again, or not be ended.
_OURS = frozenset(
    (
        "array", "batch", "chdir", "clusters", "comment", "error", "export", "export-file",
        "get-user-env", "gid", "help", "ignore-pbs", "input", "job-name", "kill-on-invalid-dep",
        "nodes", "ntasks", "no-requeue", "open-mode", "output", "parsable", "quiet", "requeue",
        "test-only", "uid", "usage", "verbose", "version", "wait", "wrap",
    )
)  # fmt: skip
# Those that have a field of their own.
_FIELDS = frozenset(("partition", "account", "qos", "time", "cpus-per-task", "mem"))
_MOST_DIRECTIVES = 30


def _name(text: str) -> str:
    return _fitting(_NAME, text, "Use letters, digits, . _ and -")


def _names(text: str) -> str:
    return _fitting(_NAMES, text, "Write one name, or several with commas between them")


def _gpus(text: str) -> str:
    return _fitting(_GPUS, text, "Write a number, or a type and a number such as a100:2")


def _memory(text: str) -> str:
    return _fitting(_MEMORY, text, "Write a number with K, M, G or T, such as 8G")


def _time(text: str) -> str:
    return _fitting(_TIME, text, "Write minutes, or days-hours:minutes:seconds such as 1-00:00:00")


def _fitting(rule: re.Pattern[str], text: str, hint: str) -> str:
    if not rule.fullmatch(text):
        raise ValueError(f"{hint}, but not {shown(text)}.")
    return text


def _cpus(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_CPUS:
        raise ValueError(f"Write a whole number from 1 to {MOST_CPUS:,}, but not {shown(text)}.")
    return int(text)


def _directives(text: str) -> str:
    lines = [line.strip().removeprefix("#SBATCH").strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    if len(lines) > _MOST_DIRECTIVES:
        raise ValueError(f"Write {_MOST_DIRECTIVES} directives at most.")
    for line in lines:
        found = _DIRECTIVE.fullmatch(line)
        if found is None:
            example = "--constraint=v100"
            raise ValueError(
                f"Write one option per line, such as {example}, but not {shown(line)}."
            )
        if own := _short_for(found[1], _OURS):
            raise ValueError(f"--{own} is set by the studio itself.")
        if own := _short_for(found[1], _FIELDS):
            raise ValueError(f"--{own} has a field of its own above.")
    return "\n".join(lines)


def _short_for(name: str, options: Collection[str]) -> str:
    """The option that this is, or the first that sbatch takes its beginning for; "" for none."""
    return next((own for own in sorted(options) if own.startswith(name)), "")


@dataclass(frozen=True, slots=True)
class SlurmSettings(Settings):
    """What every trial asks for; empty: what the cluster gives by itself."""

    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field(
            "partition", "Partition", "Where trials run; several with commas between them. Empty: "
            "the cluster’s default.", _names, "gpu",
        ),
        Field("account", "Account", "Who is charged. Empty: your default one.", _name, "vision"),
        Field("qos", "QOS", "Quality of service.", _name, "normal"),
        Field(
            "time", "Time per trial", "After that Slurm ends it, and it counts as timed out. "
            "Short times start sooner. Empty: the partition’s own limit.", _time, "02:00:00",
        ),
        Field("cpus", "CPUs per trial", "Empty: one.", _cpus, "4"),
        Field("memory", "Memory per trial", "Empty: the partition’s default.", _memory, "8G"),
        Field("gpus", "GPUs per trial", "A number, or a type and a number.", _gpus, "a100:1"),
        Field(
            "directives", "Extra directives", "More options of <code>sbatch</code>, one per line.",
            _directives, "--constraint=v100\n--exclude=node[7-9]", lines=True,
        ),
    )  # fmt: skip

    partition: str = ""
    account: str = ""
    qos: str = ""
    time: str = ""
    cpus: int | None = None
    memory: str = ""
    gpus: str = ""
    directives: str = ""

    @property
    def threads(self) -> int | None:
        """As many as it has CPUs; Slurm gives one to those that ask for none."""
        return self.cpus or 1
