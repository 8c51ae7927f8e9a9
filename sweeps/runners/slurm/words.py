"""What the cluster's short words mean, as sentences for a person."""

from sweeps.runners.slurm.queue import Job

_REASONS = {
    "Resources": "it waits for resources that other jobs have",
    "Priority": "jobs of higher priority come first",
    "Dependency": "it waits for another job",
    "QOSMaxJobsPerUserLimit": "your QOS allows no more jobs at a time",
    "AssocMaxJobsLimit": "your account allows no more jobs at a time",
    "PartitionConfig": "no node of its partition has what it asks for",
    "BadConstraints": "no node has what it asks for",
    "PartitionDown": "its partition is down",
    "PartitionNodeLimit": "its partition has no such node",
    "PartitionTimeLimit": "it asks for more time than its partition allows",
    "ReqNodeNotAvail": "a node that it needs is not available",
    "JobHeldUser": "it is held: `scontrol release` lets it go",
    "JobHeldAdmin": "an administrator holds it",
    "BeginTime": "its time to begin has not come",
}
_ENDS = {
    "NODE_FAIL": "the node that it ran on failed",
    "PREEMPTED": "a job of higher priority took its place",
    "BOOT_FAIL": "its node could not be booted",
    "CANCELLED": "it was cancelled in Slurm, not by the studio",
    "DEADLINE": "it reached its deadline",
    "REVOKED": "another cluster took it",
    "OUT_OF_MEMORY": "it used more memory than it had asked for",
    "TIMEOUT": "it reached the time limit that Slurm has for it",
}


def waiting(job: Job) -> str:
    """Why a job has not begun, in the cluster's own word first."""
    word = job.reason if job.reason and job.reason != "None" else job.state
    base = word.partition(",")[0].strip("()")
    meaning = _REASONS.get(base, "")
    return f"Slurm: {word}" + (f" ({meaning})." if meaning else ".")


def is_from_outside(job: Job) -> bool:
    """Whether others than the command itself brought the job to its end."""
    return job.state in _ENDS


def ending(job: Job | None) -> str:
    """What became of a job that left no result."""
    if job is None:
        return "Slurm knows nothing of it any more."
    meaning = _ENDS.get(job.state, "")
    return f"Slurm says {job.state}" + (f": {meaning}." if meaning else ".")
