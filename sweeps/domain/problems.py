"""What is wrong with something a person wrote, and where.

Every reader of user input (form, job file, REST) reports all problems at once, so one error
carries a tuple of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sweeps.domain.wording import cut

_LONGEST_PATH = 200
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    `field` is the dotted path in the job document ("search_space.lr.min_value"), "" for the
    whole; `line` and `column` are 1-based positions in the text it came from, where there is one.
    """

    field: str
    message: str
    line: int | None = None
    column: int | None = None
    code: str = "invalid"

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        # A key may be as long as a file; what encloses it stands before.
        field = cut(self.field, _LONGEST_PATH)
        return f"{where}{field}: {self.message}" if field else f"{where}{self.message}"

    def under(self, prefix: str) -> "Problem":
        """The same problem seen from the enclosing document."""
        if not prefix:
            return self
        joined = f"{prefix}.{self.field}" if self.field else prefix
        return Problem(joined, self.message, self.line, self.column, self.code)


class InvalidInput(ValueError):
    """User input that cannot be used; `problems` holds every reason found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def one(cls, field: str, message: str) -> "InvalidInput":
        """An error with a single problem."""
        return cls([Problem(field, message)])

    @classmethod
    def conflict(cls, message: str) -> "InvalidInput":
        """The request is fine, but not in the present state."""
        return cls([Problem("", message, code="conflict")])


def said_of(field: str, act: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """What `act` gives; what it refuses is said of `field`."""
    try:
        return act(*args, **named)
    except InvalidInput as error:
        raise InvalidInput(problem.under(field) for problem in error.problems) from error
