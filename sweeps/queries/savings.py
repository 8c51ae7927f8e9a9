"""What early termination saved a sweep."""

from sweeps.domain.objective import Goal
from sweeps.domain.savings import savings
from sweeps.models import Sweep
from sweeps.queries.boards import board_of


def saved_s(sweep: Sweep) -> float:
    """Seconds, as `domain.savings` estimates them; 0 without a policy or anything to go by."""
    if not sweep.early_termination:
        return 0.0
    return savings(board_of(sweep), minimize=sweep.goal == Goal.MINIMIZE).saved_s
