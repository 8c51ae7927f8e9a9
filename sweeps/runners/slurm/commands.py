"""Slurm's own programs: what we ask of them, and what goes wrong."""

import os
import re
import subprocess
from collections.abc import Sequence

from sweeps.runners.base import ComputeAway, RunnerError

# Programs wait for a controller that is away by themselves, sbatch for minutes.
PATIENCE_S = 20.0
# What a program of Slurm may see of our environment: nothing that changes what we ask for.
_SEEN = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "SLURM_CONF", "USER")
# Slurm's words, and whether trying again later may help.
_AWAY = re.compile(
    r"unable to contact|connection refused|connection timed out|socket timed out|"
    r"communication .*(error|failure)|unable to connect|zero bytes were transmitted|"
    r"controller not responding|primary and backup|temporarily unable|"
    r"munge.*(socket|encode)|slurm_persist_conn|protocol authentication error|"
    r"slurmdbd.*(down|connection)|could not establish a configuration source|"
    r"slurm temporarily|service may be stopped|cannot allocate memory",
    re.IGNORECASE,
)
# Limits on how much one may have in the queue: room comes by itself.
_FULL = re.compile(r"job submit limit|maxsubmit|queue .*full|job limit", re.IGNORECASE)
_HINTS = (
    (r"invalid partition", "Choose a partition that `sinfo` names."),
    (
        r"invalid account|account/partition",
        "`sacctmgr show assoc user=$USER format=account,partition,qos` lists those you may use.",
    ),
    (
        r"invalid qos",
        "`sacctmgr show assoc user=$USER format=account,qos` lists those you may use.",
    ),
    (
        r"node configuration is not available|more processors requested|node count spec",
        "No node of the partition has so many CPUs or GPUs, or so much memory: `sinfo -o "
        "'%P %c %m %G'` shows what there is.",
    ),
    (r"memory", "Ask for less memory per trial, or for another partition."),
    (
        r"time limit",
        "Ask for less time per trial: `sinfo -o '%P %l'` shows each partition's limit.",
    ),
    (
        r"gres|generic resource",
        "The cluster has no such GPU: `sinfo -o '%P %G'` shows what it has.",
    ),
    (r"unrecognized option|invalid option", "Mend the extra directives of the compute."),
    (r"violates accounting", "Its account or QOS does not allow that much: `sacctmgr show qos`."),
)


def ask(program: str, *words: str, patience_s: float = PATIENCE_S, given: str = "") -> str:
    """What a program of Slurm prints. Raises ComputeAway where it could not reach the cluster, and
    RunnerError with its own words, and a hint, where it refused."""
    try:
        done = subprocess.run(
            [program, *words],
            env=_environment(),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience_s,
            cwd="/",
        )
    except subprocess.TimeoutExpired as error:
        raise ComputeAway(f"Slurm did not answer {program} within {patience_s:g} s.") from error
    except FileNotFoundError as error:
        raise RunnerError(
            f"There is no program {program} here. The studio has to run on a login host of the "
            "cluster, with Slurm's programs on its PATH."
        ) from error
    except OSError as error:
        raise ComputeAway(f"{program} cannot be run here: {error.strerror}.") from error
    if done.returncode != 0:
        raise refusal(program, done.stderr or done.stdout)
    return done.stdout


def refusal(program: str, said: str) -> RunnerError:
    """What a program said as it failed, as an error."""
    words = _plain(program, said) or f"{program} failed without a word."
    if _AWAY.search(words) or _FULL.search(words):
        return ComputeAway(f"Slurm: {words}")
    hint = next((hint for rule, hint in _HINTS if re.search(rule, words, re.IGNORECASE)), "")
    return RunnerError(f"Slurm: {words} {hint}".strip())


def _plain(program: str, said: str) -> str:
    """Its lines as one, without the program's name before each."""
    lines = [re.sub(rf"^{program}: (error: |fatal: )?", "", line) for line in said.splitlines()]
    return "; ".join(line.strip() for line in lines if line.strip())[:600]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _SEEN if name in os.environ}


def submit(options: Sequence[str], script: str) -> str:
    """Hand in a batch job; its number. Raises what `ask` raises: after ComputeAway it may have
    been handed in all the same."""
    said = ask("sbatch", "--parsable", *options, given=script)
    # "42" or "42;cluster", after whatever a site's plug-ins have to say.
    number = said.strip().splitlines()[-1].partition(";")[0].strip() if said.strip() else ""
    if not number.isdecimal():
        raise ComputeAway(f"sbatch answered without a job's number: {said.strip()[:200]}")
    return number


def cancel(name: str, number: str = "") -> None:
    """End the job of a name, which has the number where that is known: a controller that lost its
    state gives numbers out again. Raises what `ask` does."""
    ask("scancel", f"--name={name}", *filter(None, [number]))
