"""A first sweep for a script: which options to search, within which bounds, and the command."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.space import Scalar
from sweeps.stores.inspect_script import Option, ScriptFacts

_FILES = frozenset(
    ("csv", "tsv", "parquet", "json", "data", "dataset", "path", "file", "filename", "dir")
) | {"directory", "folder", "input", "inputs", "datapath", "datadir", "datafile"}
_FOLDERS = frozenset({"dir", "directory", "folder", "datadir"})
_WRITTEN = frozenset({"output", "outputs", "out", "save", "log", "logs", "checkpoint", "export"})
# Small positive numbers whose order of magnitude matters.
_SMALL = frozenset(
    ("rate", "lr", "alpha", "lambda", "decay", "l1", "l2", "eps", "epsilon", "tol", "c", "gamma")
)
_AT_MOST_1 = frozenset({"rate", "lr", "decay", "eps", "epsilon", "tol"})
_SHARES = frozenset({"dropout", "momentum", "fraction", "subsample", "ratio"})
_SEEDS = frozenset({"seed", "seeds"})
_MACHINE = frozenset(
    ("verbose", "verbosity", "debug", "quiet", "log", "print", "workers", "jobs", "threads")
) | {"nthread", "device", "gpu", "gpus", "port", "rank", "freq"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a form starts from.

    `rows` are {"name", "type", "typed": {field: text}} with real bounds for log-uniform; `inputs`
    are {"name", "kind": "uri_file" | "uri_folder" | "value", "value"}, "" where someone must say.
    """

    command: str
    rows: tuple[Row, ...] = ()
    inputs: tuple[dict[str, str], ...] = ()
    metrics: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    words: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    inputs: list[dict[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def propose(facts: ScriptFacts, entry: str) -> Proposal:
    """Bounds around the script's defaults; what is better not searched stays as it is."""
    start = f"python {shlex.quote(entry)}"
    if facts.problem:
        return Proposal(start, notes=(facts.problem,))
    draft = _Draft()
    for option in facts.options:
        _place(option, draft)
    if draft.left:
        draft.notes.append(f"Left at the script's own defaults: {', '.join(draft.left)}.")
    if not draft.rows:
        text = "No option to search was found; a script can also read SWEEP_PARAMS_FILE."
        draft.notes.append(text)
    if not facts.metrics:
        draft.notes.append(
            "No metric name was found; give the primary metric exactly as the script logs it."
            if facts.uses_mlflow
            else "The script does not import mlflow; log its result with mlflow.log_metric."
        )
    return Proposal(
        command=" ".join([start, *draft.words]),
        rows=tuple(draft.rows),
        inputs=tuple(draft.inputs),
        metrics=facts.metrics,
        notes=tuple(draft.notes),
    )


def _place(option: Option, draft: _Draft) -> None:
    """Make an option a search row, an input, or leave it alone."""
    words = _words(option)
    if _is_file(option, words):
        if words & _WRITTEN:
            _written(option, draft)
        else:
            _input(option, "uri_folder" if words & _FOLDERS else "uri_file", draft)
        return
    row = None if _is_left_alone(option, words) else _row(option, words, draft.notes)
    if row is not None:
        draft.rows.append({"name": option.name, **row})
        _say(option, f"${{{{search_space.{option.name}}}}}", draft, _can_be_negative(row))
    elif option.required and not option.is_flag:
        _input(option, "value", draft)
    else:
        known = "" if option.default is None or option.is_flag else f" ({option.default})"
        draft.left.append(f"{option.flag or option.name}{known}")


def _words(option: Option) -> set[str]:
    parts = re.split(r"[_\W]+", option.name.lower())
    return {part for part in parts if part}


def _is_file(option: Option, words: set[str]) -> bool:
    is_text = option.type == "str" and not option.choices and not option.is_flag
    return is_text and (option.is_path or bool(words & _FILES))


def _is_left_alone(option: Option, words: set[str]) -> bool:
    if option.is_flag or option.type == "bool" or {"random", "state"} <= words:
        return True
    if words & _SEEDS or (words & _MACHINE and not option.choices):
        return True
    if option.choices:
        return False
    # Without a default, or with one like -1 or 0, the script means something of its own by it.
    is_special = option.type == "int" and not option.required and int(option.default or 0) <= 0
    return option.type == "str" or is_special or (option.default is None and not option.required)


def _input(option: Option, kind: str, draft: _Draft) -> None:
    value = "" if option.default is None else _text(option.default)
    draft.inputs.append({"name": option.name, "kind": kind, "value": value})
    _say(option, f"${{{{inputs.{option.name}}}}}", draft)


def _written(option: Option, draft: _Draft) -> None:
    """A place to write to: the script's default, or ./outputs if it insists on one."""
    if option.required:
        _say(option, "outputs", draft)
        draft.notes.append(f"{option.flag or option.name} gets the folder “outputs”.")
    else:
        known = f" ({option.default})" if option.default is not None else ""
        draft.left.append(f"{option.flag or option.name}{known}")


def _say(option: Option, value: str, draft: _Draft, as_one: bool = False) -> None:
    if not option.flag:
        draft.words.append(value)
    elif as_one and option.flag.startswith("--"):
        draft.words.append(f"{option.flag}={value}")  # -3e-05 alone may be taken for an option
    else:
        draft.words += [option.flag, value]


# --- Bounds -------------------------------------------------------------------------------------


def _row(option: Option, words: set[str], notes: list[str]) -> Row | None:
    if option.choices:
        values = ", ".join(_text(value) for value in dict.fromkeys(option.choices))
        return {"type": "choice", "typed": {"values": values}}
    if not isinstance(option.default, int | float):
        notes.append(f"{option.flag or option.name} has no default to go by; check its bounds.")
    kind: Callable[[Option, set[str]], Row] = _whole if option.type == "int" else _real
    return kind(option, words)


def _whole(option: Option, _words: set[str]) -> Row:
    default = int(option.default) if isinstance(option.default, int | float) else 10
    low = max(1, default // 4)
    return _bounds("quniform", low, max(default * 4, low + 1), q="1")


def _real(option: Option, words: set[str]) -> Row:
    is_share, is_small = bool(words & _SHARES), bool(words & _SMALL)
    default = option.default
    if not isinstance(default, int | float):
        default = 0.01 if is_small and not is_share else 0.5
    default = float(default) if abs(default) > 1e-200 else 0.0
    if is_small and not is_share and default == 0:
        return _bounds("loguniform", 1e-6, 0.1)
    if default > 0 and not is_share and (is_small or default < 0.05):
        high = min(default * 10, 1.0) if words & _AT_MOST_1 and default < 1 else default * 10
        return _bounds("loguniform", default / 100, high)
    if 0 <= default < 1 or (is_share and default == 1):
        return _bounds("uniform", 0.0, 1.0)
    return _bounds("uniform", *sorted((default / 2, default * 2)))


def _bounds(kind: str, low: float, high: float, **more: str) -> Row:
    return {"type": kind, "typed": {"min_value": _number(low), "max_value": _number(high), **more}}


def _number(value: float) -> str:
    """Without float dust: 0.003 and not 0.0030000000000000001."""
    return repr(value) if isinstance(value, int) else repr(float(f"{value:.6g}"))


def _can_be_negative(row: Row) -> bool:
    return any(text.startswith("-") for text in row["typed"].values())


def _text(value: Scalar) -> str:
    """A value as forms take it: texts that look like something else in quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    is_plain = re.fullmatch(r"[A-Za-z_./][\w./ +-]*(?<! )", value) and value.lower() not in (
        "true", "false",
    )  # fmt: skip
    is_number = re.fullmatch(r"\.\d+([eE][+-]?\d+)?", value)
    return value if is_plain and not is_number else json.dumps(value)
