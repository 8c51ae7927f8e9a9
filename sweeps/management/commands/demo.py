"""Submit the iris LightGBM example and watch it in the terminal."""

import random
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from studio.models import User, Workspace
from sweeps import tasks
from sweeps.domain.states import TrialStatus
from sweeps.intake import submit_iris
from sweeps.models import Sweep
from sweeps.queries.records import best_trial, trial_counts

POLL_S = 1.0


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
        self._watch(sweep)
        self._tell(sweep, url)

    def _watch(self, sweep: Sweep) -> None:
        told = ""
        while True:
            sweep.refresh_from_db()
            line = _progress(sweep)
            if line != told:
                self.stdout.write(line)
                told = line
            if sweep.ended_at:
                return
            time.sleep(POLL_S)

    def _tell(self, sweep: Sweep, url: str) -> None:
        best = best_trial(sweep)
        if best is None:
            raise CommandError(f"The sweep ended as {sweep.status}: {sweep.reason}")
        params = ", ".join(f"{name}={value}" for name, value in best.flat_params.items())
        self.stdout.write(
            f"{sweep.status}. Best trial #{best.number}: "
            f"{sweep.primary_metric} {best.objective:.6g} with {params}"
        )
        self.stdout.write(f"MLflow run {best.run_id}")
        self.stdout.write(f"See it at {url}. The studio keeps serving; Ctrl-C stops it.")


def _progress(sweep: Sweep) -> str:
    counts = trial_counts(sweep)
    done = sum(count for status, count in counts.items() if status.is_final)
    active = counts[TrialStatus.STARTING] + counts[TrialStatus.RUNNING]
    failed = done - counts[TrialStatus.COMPLETED]
    best = best_trial(sweep)
    text = f"{done} of {sweep.max_total_trials} trials done, {active} running"
    text += f", {failed} not completed" if failed else ""
    return text + (f", best {best.objective:.6g} (#{best.number})" if best else "")
