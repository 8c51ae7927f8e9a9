"""When a sweep has found enough: a target is reached, or nothing better comes."""

from collections.abc import Sequence

from sweeps.domain.job import StopRules
from sweeps.domain.objective import Objective


def ended_by(
    rules: StopRules, objective: Objective, results: Sequence[tuple[int, float | None]]
) -> str:
    """The reason to end the sweep now, "" for none.

    `results` are number and best value of the trials with a result, completed and early-terminated
    ones, in the order of their ending. Failed, lost and cancelled trials are none: they say nothing
    about what there is to find. As good as the target is enough; as good as the best is no
    improvement.
    """
    best: float | None = None
    winner, since = 0, 0
    for number, value in results:
        if value is None:
            continue
        since += 1
        if objective.is_better(value, best):
            best, winner, since = value, number, 0
    if best is None:
        return ""
    target, patience = rules.target_value, rules.no_improvement_trials
    if target is not None and not objective.is_better(target, best):
        return f"Trial {winner} reached {best:.6g}; the target was {target:.6g}."
    if patience is not None and since >= patience:
        them = "the last result was" if since == 1 else f"none of the last {since:,} results was"
        bad = "no better" if since == 1 else "better"
        return f"{them[0].upper()}{them[1:]} {bad} than {best:.6g} of trial {winner}."
    return ""
