"""What every sampling algorithm is asked and answers."""

from dataclasses import dataclass
from typing import Protocol

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Objective
from sweeps.domain.problems import Problem
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.known import Known
from sweeps.domain.space import Draw, ParamValue, SearchSpace, realise


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """One ask: which point should trial `number` (from 0) of this sweep try?

    `history` holds every other trial of the sweep in any order, also the unfinished ones and the
    points that people picked (those with an empty draw). Who asks again and again keeps them in
    `known` instead, which then is all that is looked at.
    """

    space: SearchSpace
    objective: Objective
    sampling: Sampling
    seed: int
    number: int
    history: tuple[TrialRecord, ...] = ()
    known: Known | None = None

    def others(self) -> Known:
        """All trials but the one that a point is asked for."""
        if self.known is not None:
            return self.known
        others = (trial for trial in self.history if trial.number != self.number)
        return Known.of(self.space, others)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A point to try: `params` is what the script gets, `draw` what was sampled (by leaf label)."""

    params: dict[str, ParamValue]
    draw: dict[str, int | float]

    @classmethod
    def of(cls, space: SearchSpace, draw: Draw) -> "Suggestion":
        """The suggestion that a draw stands for."""
        return cls(realise(space, draw), dict(draw))


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nothing is left to suggest; `reason` is a clause for the sweep's page."""

    reason: str


class Sampler(Protocol):
    """A sampling algorithm. Stateless: what it needs to know comes with each request.

    `check` and `advise` are for forms and job files and never load a numerical library.
    """

    def suggest(self, request: SuggestRequest) -> Suggestion | Exhausted:
        """The next point, a function of the request alone."""
        ...

    def check(self, space: SearchSpace, sampling: Sampling) -> list[Problem]:
        """What this algorithm cannot do; fields are paths in the job document."""
        ...

    def advise(self, space: SearchSpace, limits: Limits, known: int = 0) -> list[str]:
        """What it can do, but not well: sentences. `known` earlier trials are its warm start."""
        ...


def field_of(label: str) -> str:
    """The path in the job document of the leaf `label` ("model[1].c")."""
    return "search_space." + label.replace("[", ".values[")
