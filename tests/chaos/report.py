"""What the drills of one run came to: a table, and whether anything was broken."""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.chaos.victims import WEIGHTS


@dataclass
class Row:
    """One drill."""

    drill: str
    where: str
    seed: int | None
    state: str = "not run: the time was up"
    seconds: float = 0.0
    said: str = ""
    killed: Counter[str] = field(default_factory=Counter)


class Report:
    """Collects rows; `deadline` is a monotonic time after which no further drill starts."""

    def __init__(self, minutes: float | None) -> None:
        self.rows: list[Row] = []
        self._deadline = time.monotonic() + 60 * minutes if minutes else float("inf")

    def run(self, row: Row, drill: Callable[[Row], str]) -> bool:
        """Run a drill and keep what came of it; False if it broke a promise."""
        self.rows.append(row)
        if time.monotonic() > self._deadline:
            return True
        title = f"{row.drill} on {row.where}" + ("" if row.seed is None else f", seed {row.seed}")
        print(f"--- {title}", flush=True)
        with self._timed(row):
            row.said = drill(row)
            row.state = "ok"
        print(f"--- {title}: {row.state} in {row.seconds:.0f} s. {row.said}", flush=True)
        return row.state == "ok"

    @contextmanager
    def _timed(self, row: Row) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # whatever it is, the other drills must still be run
            row.state, row.said = "BROKEN", " ".join(str(error).split())[:300]
            traceback.print_exc()
        row.seconds = time.monotonic() - began

    def print(self) -> bool:
        """The table; True if nothing was broken."""
        print("\n| drill | where | seed | result | s | what was seen |")
        print("|---|---|---|---|---|---|")
        for row in self.rows:
            seed = "" if row.seed is None else str(row.seed)
            cells = (row.drill, row.where, seed, row.state, f"{row.seconds:.0f}", row.said)
            print(f"| {' | '.join(cells)} |")
        killed: Counter[str] = sum((row.killed for row in self.rows), Counter())
        if killed:
            print("\nKilled, by kind: " + ", ".join(f"{killed[kind]} {kind}" for kind in WEIGHTS))
            print("Never killed: " + (", ".join(k for k in WEIGHTS if not killed[k]) or "no kind"))
        broken = [row for row in self.rows if row.state == "BROKEN"]
        idle = [row for row in self.rows if row.state.startswith("not run")]
        print(f"\n{len(self.rows) - len(broken) - len(idle)} held, {len(broken)} broken, "
              f"{len(idle)} not run")  # fmt: skip
        return not broken
