"""Environments for isolated trials: built by a user of their workspace, read by its trials.

Packages that are built run code of strangers. So the user who builds is neither the studio's, nor
the trials', who could poison what all of them import; the two have a group in common.
"""

from pathlib import Path

from django.conf import settings

from sweeps.engine.isolation import TEMPORARY
from sweeps.engine.trash import throw_away
from sweeps.environments import places
from sweeps.queries.environments import environments_root
from sweeps.runners.run_as import RunAs
from sweeps.services.os_users import os_user_of_name
from sweeps.stores import handover

_SHARED = 0o750
_UMASK = 0o027


def user_for(owner: str) -> RunAs:
    """Who builds for a workspace. Raises InvalidInput when there is nobody left for it."""
    number = os_user_of_name(owner).number
    return RunAs(number + 1, number, settings.STUDIO_ISOLATED_PROCESSES, _UMASK)


def hand_over(digest: str, spool: Path, user: RunAs) -> dict[str, str]:
    """Make what `places.prepare` wrote the user's to build; what tells it who it is.

    Raises OSError.
    """
    home, folder = Path(settings.STUDIO_HOME), environments_root() / digest
    handover.open_home(home)
    for name in ("venv", places.RECORD):
        throw_away(folder / name)
        handover.own_folder(folder / name, user.uid, user.gid, _SHARED)
    for name in ("recipe.json", "requirements.txt"):
        handover.lend_file(folder / name, user.gid)
    handover.own_folder(spool / TEMPORARY, user.uid, user.gid)
    own = handover.own_folder(home / "users" / str(user.uid), user.uid, user.gid, _SHARED)
    for place in (folder, spool):
        handover.let_through(place, user.gid)
    name = f"build-{user.uid}"
    return {
        "HOME": str(own),
        "USER": name,
        "LOGNAME": name,
        "TMPDIR": str(spool / TEMPORARY),
        "UV_CACHE_DIR": str(own / "cache"),
        "UV_PYTHON_INSTALL_DIR": str(own / "pythons"),
    }
