"""Grid search: every point once, in the order of the search space, the last parameter fastest.

Azure ML takes choices only; whole-number ranges (randint) are accepted here too.
"""

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.problems import Problem
from sweeps.domain.samplers.base import Exhausted, Suggestion, SuggestRequest, field_of
from sweeps.domain.samplers.points import point
from sweeps.domain.space import SearchSpace, grid_size, leaves


class GridSampler:
    """See the module."""

    def suggest(self, request: SuggestRequest) -> Suggestion | Exhausted:
        """Point k, where k counts earlier trials but those that people picked.

        Raises ValueError for a space that `check` refuses.
        """
        size = grid_size(request.space)
        if size is None:
            raise ValueError("grid needs a space of choices")
        rank = request.number - request.others().picked_before(request.number)
        if rank >= size:
            return Exhausted(f"all {size:,} points of the grid have been tried")
        return Suggestion.of(request.space, point(request.space, rank))

    def check(self, space: SearchSpace, sampling: Sampling) -> list[Problem]:
        """A problem per parameter that has no list of values."""
        return [
            Problem(
                field_of(leaf.label),
                f"Grid needs every parameter to be a choice; {leaf.column} is "
                f"{leaf.distribution.kind}.",
            )
            for leaf in leaves(space)
            if leaf.distribution.kind not in ("choice", "randint")
        ]

    def advise(self, space: SearchSpace, limits: Limits, known: int = 0) -> list[str]:
        """Says when the grid and `max_total_trials` differ, and what Azure ML would refuse."""
        size, trials = grid_size(space), limits.max_total_trials
        notes = []
        if size is not None and size < trials:
            notes.append(f"The grid has {size:,} points: the sweep ends after {size:,} trials.")
        elif size is not None and size > trials:
            notes.append(f"The grid has {size:,} points, but only the first {trials:,} are tried.")
        ranges = [leaf.column for leaf in leaves(space) if leaf.distribution.kind == "randint"]
        if ranges:
            notes.append(f"Azure ML's grid takes choices only: {', '.join(ranges)} is randint.")
        return notes
