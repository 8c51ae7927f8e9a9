"""What a cluster is made of, and what waits there, for the page of computes."""

import re
from collections import Counter
from collections.abc import Callable

from sweeps.runners.base import Group, Overview
from sweeps.runners.slurm import commands

_PARTITIONS = ("--noheader", "--format=%R|%a|%T|%D|%c|%m|%G|%l")
_JOBS = ("--noheader", "--array", "--format=%P|%T")


def overview(ask: Callable[..., str] = commands.ask) -> Overview:
    """Its partitions and nodes by state, and jobs by state. Raises RunnerError."""
    version = ask("sinfo", "--version").strip()
    jobs = Counter(tuple(line.strip().split("|")) for line in ask("squeue", *_JOBS).splitlines())
    counts: dict[str, Counter[str]] = {}
    for (place, state), count in ((key, n) for key, n in jobs.items() if len(key) == 2):
        counts.setdefault(place, Counter())[state] += count
    groups = [_group(line.split("|"), counts) for line in ask("sinfo", *_PARTITIONS).splitlines()]
    return Overview(version, tuple(group for group in groups if group))


def _group(row: list[str], counts: dict[str, Counter[str]]) -> Group | None:
    if len(row) != 8:
        return None
    name, available, state, nodes, cpus, memory, gpus, limit = (word.strip() for word in row)
    jobs = counts.get(name, Counter())
    each = [f"{cpus} CPUs", _memory(memory), "" if gpus in ("", "(null)") else gpus]
    return Group(
        name=name,
        state=state if available == "up" else f"{available}, {state}",
        nodes=int(nodes) if nodes.isdecimal() else 0,
        each=", ".join(filter(None, each)),
        limit="" if limit in ("infinite", "n/a") else limit,
        running=jobs["RUNNING"] + jobs["COMPLETING"],
        waiting=jobs["PENDING"] + jobs["CONFIGURING"],
    )


def _memory(text: str) -> str:
    """Megabytes, as Slurm tells them."""
    number = re.match(r"\d+", text)
    if number is None:
        return ""
    size = int(number[0])
    return f"{size / 1024:.0f} GiB" if size >= 10240 else f"{size} MiB"
