"""What the cluster says of a job, as sentences for a person."""

import re

from sweeps.runners.ray.jobs import Job

# Of a traceback of Ray's only what went wrong: a person has nothing of its paths.
_TRACE = re.compile(
    r"[\s,.]*(Full traceback:|Traceback \(most recent call last\)|last available logs"
    r"|No logs available).*",
    re.DOTALL,
)


def waiting(job: Job) -> str:
    """Why a job has not begun, in the cluster's own words."""
    return f"Ray: {job.message or job.status}"


def ending(job: Job | None, last_words: str = "") -> str:
    """What became of a job that left no result."""
    if job is None:
        return "Ray knows nothing of its job any more."
    if job.status == "STOPPED":
        return "Ray says STOPPED: it was stopped in Ray, not by the studio."
    said = _TRACE.sub("", job.message).strip() or job.status
    more = f" {last_words}" if last_words and last_words not in said else ""
    return f"Ray: {said.rstrip('.')}.{more}"


def is_from_outside(job: Job) -> bool:
    """Whether others than the command itself brought the job to its end: a carrier that could do
    its work always ends well, whatever the command did."""
    return job.status in ("STOPPED", "FAILED")
