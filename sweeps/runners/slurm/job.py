"""The batch job of an attempt: its name, its options, its script."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from sweeps.runners import spool
from sweeps.runners.starter import LAUNCHER

# What Slurm tells a command of its place: which cards and cores are its own.
KEPT = (
    "SLURM_",
    "CUDA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "ZE_AFFINITY",
)


def name_of(launch: Mapping[str, Any]) -> str:
    """A name that no other submission has: by it a job is found whose number nobody was told."""
    return "sweep." + re.sub(r"[^A-Za-z0-9._-]", "_", launch["cookie"])[-150:]


def options(folder: str, launch: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Words for sbatch. Ours come last: nothing that a compute asks for can undo them."""
    log = os.path.join(folder, spool.RUNNER_LOG).replace("%", "%%")
    return [
        *_asked(wanted),
        "--nodes=1",
        "--ntasks=1",
        f"--job-name={name_of(launch)}",
        f"--comment=Sweep Studio {launch['name']}"[:200],
        f"--chdir={folder}",
        f"--output={log}",
        f"--error={log}",
        "--open-mode=append",
        "--input=/dev/null",
        "--export=ALL",  # of an environment that commands.ask has cut to nothing of ours
        "--no-requeue",  # the studio tries again by itself, and counts it
    ]


def _asked(wanted: Mapping[str, Any]) -> list[str]:
    words = [
        f"--{name}={wanted[name]}" for name in ("partition", "account", "qos") if wanted.get(name)
    ]
    if wanted.get("time"):
        words.append(f"--time={wanted['time']}")
    if wanted.get("cpus"):
        words.append(f"--cpus-per-task={wanted['cpus']}")
    if wanted.get("memory"):
        words.append(f"--mem={wanted['memory']}")
    if wanted.get("gpus"):
        words.append(f"--gres=gpu:{wanted['gpus']}")
    return (
        [*words, *str(wanted.get("directives") or "").split("\n")]
        if wanted.get("directives")
        else words
    )


def script(folder: str) -> str:
    """A shell script that lasts as long as the guard of the spool."""
    words = [sys.executable, "-I", "-S", LAUNCHER, "--stay", folder]
    return f"#!/bin/sh\nexec {shlex.join(words)}\n"
