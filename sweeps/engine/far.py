"""Trials on machines that share no files with the studio: what they are brought."""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from studio.models import Compute
from sweeps.domain.problems import InvalidInput
from sweeps.domain.web_inputs import is_address
from sweeps.engine import isolation
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
        lent=tuple(_lent(sweep, inputs, spool)),
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


def _lent(sweep: Sweep, inputs: Mapping[str, str], spool: Path) -> list[Path]:
    """Inputs that only the studio has: what it was handed, or has downloaded. What else there is is
    named by a path that machines of the cluster have too, and what is part of the code moves with
    it.

    Raises InvalidInput for what leads to other things of the studio by now: a path may have become
    a link since it was judged.
    """
    home = Path(settings.STUDIO_HOME)
    found = set()
    for name, text in inputs.items():
        value, path = sweep.inputs[name], Path(text)
        if not isinstance(value, Mapping) or not _is_in(path, home) or _is_in(path, spool):
            continue
        # It may have been resolved.
        within = path.relative_to(home if path.is_relative_to(home) else home.resolve())
        if not isolation.kept(sweep.workspace, str(home / within), is_address(value["path"])):
            raise InvalidInput.one(f"inputs.{name}", f"Input “{name}” is not there: {text[:300]}")
        found.add(path)
    return sorted(found)


def _is_in(path: Path, folder: Path) -> bool:
    return any(path.is_relative_to(place) for place in (folder, folder.resolve()))
