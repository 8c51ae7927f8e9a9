"""How a sweep or a trial stands, in a few words: for a page's title, its icon and what is said.

{word, mark, share, best, failed, said}: `word` goes before the title, `mark` and `share` (0 to 1)
draw the icon, and what `best`, `failed` and `said` newly tell is spoken.
"""

from typing import Any

from studio.formatting import objective, status_look
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.best import Best
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.progress import Progress

# Of an end; what has no mark is drawn as the studio's own icon.
MARKS = {
    "Completed": "done",
    "EarlyTerminated": "done",
    "Failed": "failed",
    "TimedOut": "failed",
    "Lost": "failed",
    "Paused": "paused",
    "Queued": "waiting",
    "Canceled": "",
}


def standing_of_sweep(sweep: Sweep, done: Progress, best: Best | None) -> dict[str, Any]:
    """Of a job page, whichever of its tabs is open."""
    status = SweepStatus(sweep.status)
    label, share = status_look(status).label, done.done / max(done.total, 1)
    found = {
        "word": label,
        "mark": MARKS.get(status, "running"),
        "share": round(share, 3),
        "best": "",
        "failed": done.count(*PROBLEMS),
        "said": "",
    }
    if status == SweepStatus.RUNNING:
        found["word"] = f"{int(100 * share)} %"
    elif status == SweepStatus.STOPPING and sweep.desired == Desired.CANCEL:
        found["word"] = "Canceling"
    if best is not None:
        value = objective(best.value)
        found["best"] = f"New best: {sweep.primary_metric} {value}, trial {best.trial.number}."
    if status.is_final or status == SweepStatus.PAUSED:
        verb = "is paused" if status == SweepStatus.PAUSED else f"has ended: {label}"
        found["said"] = f"The sweep {sweep} {verb}. {sweep.reason}".strip()
    return found


def standing_of_trial(trial: Trial) -> dict[str, Any]:
    """Of a trial's page."""
    status = TrialStatus(trial.status)
    label = status_look(status).label
    ended = f"Trial {trial.number} has ended: {label}. {trial.reason}".strip()
    return {
        "word": label,
        "mark": MARKS.get(status, "running"),
        "share": 0,
        "best": "",
        "failed": 0,
        "said": ended if status.is_final else "",
    }
