"""One trial that blew up must not switch a policy off."""

from sweeps.domain.objective import Goal, Objective
from sweeps.domain.termination.base import Interval, Standing
from sweeps.domain.termination.median_stopping import MedianStopping


def test_an_exploded_loss_leaves_the_median_as_sharp_as_before():
    others = (*(Standing(n, 0.5, 0.5) for n in range(4)), Standing(9, 1e12, 1e12))
    interval = Interval(5, Objective("loss", Goal.MINIMIZE), Standing(7, 0.9, 0.9), others)
    decision = MedianStopping().decide(interval, {})
    assert decision is not None
    assert (decision.stop, decision.threshold) == (True, 0.5)
