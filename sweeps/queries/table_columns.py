"""The columns that a table of trials may have, and those that somebody chose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sweeps.models import Sweep
from sweeps.queries.boards import metric_names
from sweeps.queries.trials import parameter_columns

# Of very many metrics the first stand in the table unless others are asked for.
MAX_METRICS = 6
MOST_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `order` is what a first click on its head sorts by, "" for nothing."""

    key: str
    title: str
    kind: str  # objective, metric, param, number, text
    order: str = ""

    @property
    def quoted(self) -> str:
        """The key as `cols=` writes it."""
        return quote(self.key, safe="")


@dataclass(frozen=True, slots=True)
class Head:
    """A column as it stands in the table: how it is sorted now, and what a click makes of it."""

    column: Column
    direction: str  # ascending, descending, ""
    next_order: str


def all_columns(sweep: Sweep, better: str) -> list[Column]:
    """Every column that there is; `better` is the order that puts the best first."""
    found = [Column("objective", sweep.primary_metric, "objective", better)]
    for name in metric_names(sweep):
        title = "last" if name == sweep.primary_metric else name
        found.append(Column(f"metrics.{name}", title, "metric", f"metrics.{name}"))
    for name in parameter_columns(sweep):
        found.append(Column(f"params.{name}", name, "param", f"params.{name}"))
    return [
        *found,
        Column("reports", "Reports", "number"),
        Column("duration_s", "Duration", "number", "-duration_s"),
        Column("started_at", "Started", "text", "-started_at"),
        Column("attempt", "Attempt", "number"),
        Column("run_id", "MLflow run", "text"),
        Column("note", "Note", "text"),
    ]


_EXTRA = ("started_at", "attempt", "run_id", "note")


def standard(columns: Sequence[Column]) -> list[Column]:
    """Those that stand in the table when nobody chose any."""
    few = [column for column in columns if column.kind == "metric"][: MAX_METRICS + 1]
    return [
        column
        for column in columns
        if column.key not in _EXTRA and (column.kind != "metric" or column in few)
    ]


def chosen(columns: Sequence[Column], texts: Iterable[str]) -> list[Column]:
    """Those that `cols=` names, in that order; names of none are passed over. None: the standard.

    Each text is one key or several with commas between, percent-encoded.
    """
    known = {column.key: column for column in columns}
    keys = [unquote(key) for text in texts for key in text.split(",")]
    found = [known[key] for key in dict.fromkeys(keys) if key in known]
    return found[:MOST_COLUMNS] or standard(columns)


def heads(columns: Iterable[Column], order: str) -> list[Head]:
    """The columns under an order: a click sorts in the useful direction first, then turns round."""
    return [_head(column, order) for column in columns]


def _head(column: Column, order: str) -> Head:
    plain = column.order.lstrip("-")
    if not plain or plain != order.lstrip("-"):
        return Head(column, "", column.order)
    down = order.startswith("-")
    return Head(column, "descending" if down else "ascending", plain if down else f"-{plain}")
