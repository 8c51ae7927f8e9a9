"""Submit the iris LightGBM example and watch it in the terminal."""

import random
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from studio.commands import PersonsCommand
from studio.models import User, Workspace
from sweeps import tasks
from sweeps.client.progress import Lines, follow
from sweeps.client.records import Job
from sweeps.client.tables import best_line
from sweeps.client.verbs import PAUSED
from sweeps.intake import submit_iris
from sweeps.management.local import LocalJobs
from sweeps.management.terminal import terminal_of


class Command(PersonsCommand):
    """What `make demo` runs once the studio is up."""

    help = "Run the iris LightGBM example in the running studio."

    def handle(self, *args: Any, **options: Any) -> None:
        """Submit, watch, print the best trial."""
        workspace = Workspace.objects.active().order_by("pk").first()
        if workspace is None:
            raise CommandError("There is no workspace. Start the studio with `make run` first.")
        owner = User.objects.filter(is_superuser=True).order_by("pk").first()
        sweep = submit_iris(workspace, user=owner, now=timezone.now(), rng=random.SystemRandom())
        tasks.advance_sweep(sweep.pk)
        jobs, out = LocalJobs(workspace), terminal_of(self).out
        page = jobs.sweep(sweep.name).studio_url
        print(f"sweep {sweep.name} submitted: watch it at {page}", file=out)
        job = follow(lambda: jobs.sweep(sweep.name), Lines(out))
        for line in _told(job):
            print(line, file=out)


def _told(job: Job) -> list[str]:
    """How it ended. Raises CommandError where there is no best trial."""
    if job.status == "Paused":
        raise CommandError(
            f"The sweep is paused. {job.reason} "
            f"See what failed at {job.studio_url}#failures, then press Resume or Stop there.",
            returncode=PAUSED,
        )
    if job.best_trial is None:
        raise CommandError(f"The sweep ended as {job.status}: {job.reason}")
    return [
        f"{job.status}. Best trial {best_line(job)}",
        f"MLflow run {job.best_trial['run_id']}",
        f"See it at {job.studio_url}. The studio keeps serving; Ctrl-C stops it.",
    ]
