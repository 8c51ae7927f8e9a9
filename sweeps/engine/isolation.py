"""Trials of isolated computes: whose they are, what they may reach, what they are told."""

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from studio.models import Compute, Workspace
from sweeps.domain.web_inputs import is_address
from sweeps.engine.trash import throw_away
from sweeps.environments.own import constraints
from sweeps.models import Sweep
from sweeps.queries.environments import environments_root
from sweeps.queries.isolation import is_anything_isolated
from sweeps.queries.uploads import is_own
from sweeps.runners.run_as import RunAs
from sweeps.services.os_users import os_user_of
from sweeps.stores import handover

log = logging.getLogger(__name__)

TEMPORARY = "tmp"


def user_for(compute: Compute) -> RunAs | None:
    """Who commands on a compute run as; None for the studio's own user.

    Raises InvalidInput when there is no number left for its workspace.
    """
    if not compute.is_isolated:
        return None
    number = os_user_of(compute.workspace).number
    return RunAs(number, number, settings.STUDIO_ISOLATED_PROCESSES)


def hand_over(spool: Path, user: RunAs, own: tuple[str, ...], lent: tuple[str, ...] = ()) -> None:
    """Make folders of a prepared spool the user's, and let it in; nobody has been in there yet.

    `own` are names of folders to write, `lent` of files to read.
    """
    home = Path(settings.STUDIO_HOME)
    handover.open_home(home)
    for name in own:
        handover.give(spool / name, user.uid, user.gid)
    for name in lent:
        handover.lend_file(spool / name)
    handover.own_folder(spool / TEMPORARY, user.uid, user.gid)
    for folder in (spool, *spool.relative_to(home).parents[:-2]):
        handover.let_through(home / folder, user.gid)


def environment(user: RunAs, spool: Path, base: Mapping[str, str]) -> dict[str, str]:
    """What tells a command who it is, in place of what tells who the studio is."""
    users = Path(settings.STUDIO_HOME) / "users"
    users.mkdir(exist_ok=True, mode=0o700)
    home = handover.own_folder(users / str(user.uid), user.uid, user.gid)
    name = f"trial-{user.uid}"
    found = {
        "HOME": str(home),
        "USER": name,
        "LOGNAME": name,
        "TMPDIR": str(spool / TEMPORARY),
        "PATH": os.pathsep.join(filter(_is_passable, base["PATH"].split(os.pathsep))),
    }
    handover.lend_file(constraints(environments_root()))  # pip's, where it is the studio's Python
    return found


def _is_passable(folder: str) -> bool:
    """Whether any user may look into a folder of the search path."""
    path = Path(folder)
    try:
        return path.is_absolute() and all(
            part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents)
        )
    except OSError:
        return False


def lent_inputs(
    sweep: Sweep, inputs: Mapping[str, str], user: RunAs, spool: Path
) -> dict[str, str]:
    """The inputs with those that the studio keeps where the user may read them.

    What belongs to other workspaces stays out of reach, whatever path a job has named.
    """
    found = dict(inputs)
    for name, path in inputs.items():
        value = sweep.inputs[name]
        from_web = isinstance(value, Mapping) and is_address(value["path"])
        source = kept(sweep.workspace, path, from_web)
        if source is None:
            continue
        place = spool.parent / "inputs" / name / source.name
        found[name] = str(handover.lend(source, place))
        for folder in place.parents[:2]:
            handover.let_through(folder, user.gid)
    return found


def kept(workspace: Workspace, path: str, from_web: bool) -> Path | None:
    """The real place of an input that the studio keeps and the workspace has; else None.

    The launch has judged where the path leads now.
    """
    home = Path(settings.STUDIO_HOME)
    if not path.startswith(f"{home}/"):
        return None
    source = Path(os.path.normpath(path))  # no link that somebody made is followed
    if from_web:  # looked up among what the sweep's own addresses led to
        return source if source.is_relative_to(home / "downloads") else None
    if not source.is_relative_to(home / "data") or source == home / "data":
        return None
    return source if is_own(workspace, source.relative_to(home / "data")) else None


def forget(spool: Path) -> None:
    """Throw away what the user kept for the time of the command."""
    try:
        throw_away(spool / TEMPORARY)
    except (OSError, ValueError) as error:
        log.warning("%s stays: %s", spool / TEMPORARY, error)


def mend() -> None:
    """Before anything runs: close what an earlier studio left open, where that matters.

    Raises OSError.
    """
    if is_anything_isolated():
        home = Path(settings.STUDIO_HOME)
        handover.close_contents(home)
        handover.open_home(home)
