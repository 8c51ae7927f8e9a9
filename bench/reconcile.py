"""One look of the engine at everything, with 10,000 trials in the database.

`reconcile.py [TRIALS]`
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from common import told

GOAL_MS = 200
ROUNDS = 15
ROOT = Path(__file__).resolve().parent.parent


def fill(trials: int) -> None:
    """A sweep with so many trials behind it and two that run, and a hundred that wait for it."""
    from django.utils import timezone

    from studio.models import Compute, Workspace
    from sweeps.domain.limits import Limits
    from sweeps.models import Attempt, Sweep, Trial
    from sweeps.services.sweeps import create_sweep
    from tests.conftest import job

    now = timezone.now()
    place = Workspace.objects.create(name="default", created_at=now)
    compute = Compute.objects.create(workspace=place, name="local", slots=2, is_default=True)

    def make(total: int) -> Sweep:
        sweep = create_sweep(
            place, job(limits=Limits(total, 2, 3600)), compute=compute, code=None, user=None,
            now=now, rng=random.Random(total),
        )  # fmt: skip
        Sweep.objects.filter(pk=sweep.pk).update(
            run_id=f"run{total}", status="Running", started_at=now, timed_from=now, planned=total
        )
        return sweep

    big = make(trials)
    rows = [
        Trial(
            sweep=big, number=number, status="Completed", objective=1.0, attempt=1,
            params={"lr": 0.1, "boosting": "gbdt"}, revision=number, ended_at=now, created_at=now,
        )
        for number in range(trials)
    ]  # fmt: skip
    for trial in rows[-2:]:
        trial.status, trial.ended_at = "Running", None
    Trial.objects.bulk_create(rows, batch_size=500)
    Attempt.objects.bulk_create(
        [
            Attempt(
                trial=trial, number=1, spool=f"/x/{big.uid}/{trial.number}.1", started_at=now,
                token_digest=f"{trial.pk}", run_id=f"r{trial.pk}", created_at=now,
                handle=f"/x/{big.uid}/{trial.number}.1", ended_at=trial.ended_at,
                accepted=trial.ended_at is not None, run_closed=trial.ended_at is not None,
            )
            for trial in rows
        ],
        batch_size=500,
    )  # fmt: skip
    for number in range(100):
        waiting = make(trials + 1 + number)
        Sweep.objects.filter(pk=waiting.pk).update(planned=0, status="Queued", timed_from=None)


def main(trials: int) -> None:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home:
        sys.path.insert(0, str(ROOT))
        os.environ |= {"STUDIO_HOME": home, "DJANGO_SETTINGS_MODULE": "studio.settings"}
        import django

        django.setup()
        from django.core.management import call_command
        from huey.contrib.djhuey import HUEY

        from sweeps.engine import steps
        from sweeps.queries.clock import database_now

        call_command("migrate", verbosity=0)
        fill(trials)
        woken: list[object] = []
        HUEY.enqueue = woken.append
        took = []
        for _ in range(ROUNDS):
            waker = steps.Waker()  # a fresh one wakes whatever there is
            now, began = database_now(), time.monotonic()
            steps.reconcile(waker, now)
            took.append((time.monotonic() - began) * 1000)
    told(f"reconcile over {trials:,} trials, 101 sweeps", took, "ms", GOAL_MS)
    assert len(woken) == ROUNDS * 101, len(woken)


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["10000"])[0]))
