"""The time limits of running attempts, as their runners know them."""

from sweeps.models import Attempt


def mark_time_limit(attempt: Attempt, seconds: int | None) -> None:
    """Remember which limit the runner was told."""
    Attempt.objects.filter(pk=attempt.pk).update(time_limit_s=seconds)
