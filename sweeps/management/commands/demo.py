"""Submit the iris LightGBM example and watch it in the terminal."""

import random
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from studio.models import User, Workspace
from sweeps import tasks
from sweeps.domain.states import SweepStatus
from sweeps.intake import submit_iris
from sweeps.management import words
from sweeps.management.watch import PAUSED_CODE, watch
from sweeps.models import Sweep
from sweeps.queries.records import best_trial


class Command(BaseCommand):
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
        url = f"{settings.STUDIO_URL}{sweep.get_absolute_url()}"
        self.stdout.write(f"sweep {sweep.name} submitted: watch it at {url}")
        watch(sweep, self.stdout.write)
        self._tell(sweep, url)

    def _tell(self, sweep: Sweep, url: str) -> None:
        if sweep.status == SweepStatus.PAUSED:
            raise CommandError(
                f"The sweep is paused. {sweep.reason} "
                f"See what failed at {url}#failures, then press Resume or Stop there.",
                returncode=PAUSED_CODE,
            )
        best = best_trial(sweep)
        if best is None:
            raise CommandError(f"The sweep ended as {sweep.status}: {sweep.reason}")
        self.stdout.write(f"{sweep.status}. Best trial {words.best(sweep)}")
        self.stdout.write(f"MLflow run {best.run_id}")
        self.stdout.write(f"See it at {url}. The studio keeps serving; Ctrl-C stops it.")
