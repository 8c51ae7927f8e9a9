"""Giving each workspace its users of the operating system."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from studio.models import OsUser, Workspace
from sweeps.domain.problems import InvalidInput

_TRIES = 20


def os_user_of(workspace: Workspace) -> OsUser:
    """The workspace's users, allotted at the first call and the same ever after.

    Raises InvalidInput when the range of numbers is used up.
    """
    for _ in range(_TRIES):
        if found := OsUser.objects.filter(workspace=workspace).first():
            return found
        try:
            with transaction.atomic():
                return OsUser.objects.create(workspace=workspace, number=_next())
        except IntegrityError:
            continue  # another process took the number, or did the same for this workspace
    raise InvalidInput.one("", "No user could be allotted to the workspace; try again.")


def os_user_of_name(name: str) -> OsUser:
    """The same for a workspace by its name. Raises InvalidInput, also when there is none."""
    workspace = Workspace.objects.filter(name=name).first()
    if workspace is None:
        raise InvalidInput.one("", f"The workspace {name} is there no more.")
    return os_user_of(workspace)


def _next() -> int:
    first, last = settings.STUDIO_ISOLATED_UIDS
    within = OsUser.objects.filter(number__range=(first, last))
    newest = within.aggregate(newest=Max("number"))["newest"]
    number: int = first if newest is None else newest + 2
    if number + 1 >= last:  # with the last one computes are tried
        text = (
            f"All numbers of STUDIO_ISOLATED_UIDS ({first}-{last}) are given to workspaces. "
            "The administrator can set a larger range."
        )
        raise InvalidInput.one("", text)
    return number
