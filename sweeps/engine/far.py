"""Trials on machines that share no files with the studio: what they are brought."""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from studio.models import Compute
from sweeps.engine.places import relay_url, shares_files
from sweeps.models import Sweep
from sweeps.runners.base import Relay

# What a command has from the machine that it runs on, as trials here have it from this one.
MACHINE = (
    "CUDA_", "HIP_", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LOGNAME", "NVIDIA_",
    "PATH", "ROCR_", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER",
)  # fmt: skip


def relay_for_trial(sweep: Sweep, inputs: Mapping[str, str], spool: Path) -> Relay | None:
    """What a trial of a sweep needs of the studio there; None where it sees the studio's files."""
    if shares_files(sweep.compute):
        return None
    home = Path(settings.STUDIO_HOME)
    code = sweep.code
    return Relay(
        url=relay_url(),
        keys=home / "relay",
        code=home / "code" / code.digest if code else None,
        digest=code.digest if code else "",
        lent=tuple(_lent(inputs, home, spool)),
        machine=MACHINE,
        packages=tuple(sweep.packages),
        # What is installed is in the job's own Python.
        python=sweep.interpreter or ("" if sweep.packages else sweep.compute.python),
        files=settings.STUDIO_OUTPUT_MAX_FILES,
        size=settings.STUDIO_OUTPUT_CAP_MB * 2**20,
    )


def relay_for_test(compute: Compute) -> Relay | None:
    """The same for the probe of a compute."""
    if shares_files(compute):
        return None
    keys = Path(settings.STUDIO_HOME) / "relay"
    return Relay(url=relay_url(), keys=keys, machine=MACHINE, python=compute.python)


def _lent(inputs: Mapping[str, str], home: Path, spool: Path) -> list[Path]:
    """Inputs that only the studio has: what it was handed, or has downloaded. What else there is is
    named by a path that machines of the cluster have too, and what is part of the code moves with
    it."""
    kept = {home, home.resolve()}
    found = []
    for value in inputs.values():
        path = Path(value)
        is_kept = path.is_absolute() and any(path.is_relative_to(place) for place in kept)
        if is_kept and not any(path.is_relative_to(own) for own in (spool, spool.resolve())):
            found.append(path)
    return sorted(set(found))
