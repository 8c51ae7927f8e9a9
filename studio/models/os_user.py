"""Users of the operating system that trials of isolated computes run as."""

from django.db import models

from studio.models.workspace import Workspace


class OsUser(models.Model):
    """The two users of a workspace: `number` runs its trials, the next builds their environments.

    Numbers without accounts. A row outlives its workspace: what the user left behind must not be
    another's.
    """

    workspace = models.OneToOneField(Workspace, models.SET_NULL, null=True, related_name="os_user")
    number = models.PositiveIntegerField(unique=True)

    def __str__(self) -> str:
        return str(self.number)
