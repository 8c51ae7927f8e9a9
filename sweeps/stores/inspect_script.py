"""What a training script says about itself, read from its text: options and metric names.

The script is parsed, never imported or run. argparse and click are understood; what a script
computes at run time (names from loops, options from a file) is not seen.
"""

import ast
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from sweeps.domain.space import Scalar
from sweeps.stores import click_options
from sweeps.stores.literals import (
    Constants,
    calls,
    constants,
    is_scalar,
    keyword,
    literal,
    scalars,
    texts,
)

# Training scripts have some 50 KiB. Python makes a kilobyte and more of each word, in a piece in
# which nothing else of the process goes on: 0.4 s and 50 MiB of so many.
MAX_SOURCE, MAX_WORDS = 2**18, 60_000
_WORD = re.compile(r"\w+|[^\w\s]")
# One at a time, whoever asks.
_parsing = threading.Lock()
_FLAG = re.compile(r"--?[A-Za-z0-9][\w.-]*")
_NO_SCRIPTS = re.compile(r"(test_.*|.*_test|setup|conftest|__init__|noxfile|tasks)\.py")
# Names under which LightGBM reports metrics that go by several.
_LIGHTGBM = {
    "mae": "l1", "mean_absolute_error": "l1", "regression_l1": "l1",
    "mse": "l2", "mean_squared_error": "l2", "regression_l2": "l2", "regression": "l2",
    "root_mean_squared_error": "rmse", "l2_root": "rmse",
    "binary": "binary_logloss", "multiclass": "multi_logloss", "softmax": "multi_logloss",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a script. `flag` is "" for a positional argument.

    `type` is int, float, str or bool; `is_flag` options take no value; `is_path` says that the
    script declares a file or folder. `default` None: the script has none that can be read.
    """

    flag: str
    name: str
    type: str = "str"
    default: Scalar | None = None
    choices: tuple[Scalar, ...] = ()
    help: str = ""
    required: bool = False
    is_flag: bool = False
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """Options and metric names of a script in reading order; `problem` says why there are none."""

    options: tuple[Option, ...] = ()
    metrics: tuple[str, ...] = ()
    uses_mlflow: bool = False
    problem: str | None = None


def inspect(source: str, filename: str) -> ScriptFacts:
    """Read a script without running it; what cannot be parsed has a `problem` ("… line 3: …")."""
    words = islice(_WORD.finditer(source[: MAX_SOURCE + 1]), MAX_WORDS + 1)
    if len(source) > MAX_SOURCE or sum(1 for _ in words) > MAX_WORDS:
        return ScriptFacts(problem=f"{filename} is too long to be read for its options.")
    with _parsing:
        return _parsed(source, filename)


def _parsed(source: str, filename: str) -> ScriptFacts:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the script: "\d" in its texts is its own matter
            tree = ast.parse(source.removeprefix("\ufeff"), filename)
        known = constants(tree)
        aliases = _aliases(tree)
        return ScriptFacts(
            options=_options(tree, known, aliases),
            metrics=_metrics(tree, known, aliases),
            uses_mlflow=any(what.split(".")[0] == "mlflow" for what in aliases.values()),
        )
    except SyntaxError as error:
        where = f" line {error.lineno}" if error.lineno else ""
        return ScriptFacts(problem=f"{filename}{where}: {error.msg}.")
    except ValueError as error:
        return ScriptFacts(problem=f"{filename}: {error}.")
    except (RecursionError, MemoryError):
        return ScriptFacts(problem=f"{filename} is nested too deeply to be read.")


def pick_entry(names: list[str] | tuple[str, ...]) -> str | None:
    """The script that most likely trains, of the relative names of a snapshot's files."""
    scripts = [n for n in names if n.endswith(".py") and not _NO_SCRIPTS.fullmatch(_base(n))]
    top = [name for name in scripts if "/" not in name]
    for wanted in ("main.py", "train.py"):
        if wanted in top:
            return wanted
    for found in (_matching(top, r"train_.*|.*_train|training"), top, scripts):
        if len(found) == 1:
            return found[0]
    likely = _matching(top, r"train_.*|.*_train|training|run|sweep") or _matching(
        scripts, r"main|train|train_.*|.*_train"
    )
    return min(likely, key=lambda name: (name.count("/"), name), default=None)


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _matching(names: list[str], pattern: str) -> list[str]:
    return [name for name in names if re.fullmatch(f"({pattern})\\.py", _base(name))]


# --- Options ------------------------------------------------------------------------------------


def _options(tree: ast.Module, known: Constants, aliases: Mapping[str, str]) -> tuple[Option, ...]:
    found: dict[str, Option] = {}
    for call in calls(tree):
        fields: dict[str, Any] | None = None
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            fields = _argument(call, known)
        elif (what := _called(call.func, aliases)) in ("click.option", "click.argument"):
            fields = click_options.read(call, known, what == "click.argument")
        if fields is None or (fields["flag"] and not _FLAG.fullmatch(fields["flag"])):
            continue
        option = Option(**fields)
        found.setdefault(option.name, option)
    return tuple(found.values())


def _argument(call: ast.Call, known: Constants) -> dict[str, Any] | None:
    """What `add_argument` is told, None for --help and the like."""
    names = texts(call.args, known)
    action = _action(keyword(call, "action"))
    if not names or action in ("help", "version"):
        return None
    flags = [name for name in names if name.startswith("-")]
    flag = next((name for name in flags if name.startswith("--")), flags[0] if flags else "")
    is_flag = action not in ("store", "append", "extend")
    several = literal(keyword(call, "nargs"), known) not in (None, 1, "?")
    default = literal(keyword(call, "default"), known)
    kind = _type(keyword(call, "type"))
    if is_flag:
        kind = "int" if action == "count" else "bool"
    optional = literal(keyword(call, "nargs"), known) in ("?", "*")
    return {
        "flag": flag,
        "name": _name(literal(keyword(call, "dest"), known) or flag or names[0]),
        "type": "str" if several or kind == "path" or action in ("append", "extend") else kind,
        "default": default if is_scalar(default) else None,
        "choices": () if several else scalars(literal(keyword(call, "choices"), known)),
        "help": _text(literal(keyword(call, "help"), known)),
        "required": bool(literal(keyword(call, "required"), known)) or not (flag or optional),
        "is_flag": is_flag,
        "is_path": kind == "path",
    }


def _action(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        return "boolean" if name == "BooleanOptionalAction" else "store"
    return str(node.value) if isinstance(node, ast.Constant) else "store"


def _type(node: ast.expr | None) -> str:
    """int, float, str, bool or path, by the name of the converter."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    if isinstance(node, ast.Call):  # argparse.FileType("r")
        return "path" if "FileType" in ast.dump(node.func) else "str"
    lower = str(name).lower()
    for kind in ("bool", "path", "float", "int"):
        if kind in lower and "print" not in lower:
            return kind
    return "str"


def _name(text: object) -> str:
    """An option's name as a parameter may be called: --learning-rate is learning_rate."""
    name = re.sub(r"\W", "_", str(text).lstrip("-"), flags=re.ASCII)
    return name if not name[:1].isdigit() else f"p_{name}"


def _text(value: object) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""


# --- Metrics ------------------------------------------------------------------------------------


def _metrics(tree: ast.Module, known: Constants, aliases: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    autolog = False
    for call in calls(tree):
        what = _called(call.func, aliases)
        if what == "mlflow.log_metric":
            found += texts([_argument_at(call, 0, "key")], known)
        elif what == "mlflow.log_metrics":
            found += _keys(_argument_at(call, 0, "metrics"), known)
        autolog |= what in ("mlflow.autolog", "mlflow.lightgbm.autolog")
    if autolog and any(what.split(".")[0] == "lightgbm" for what in aliases.values()):
        found += _lightgbm(tree, known)
    return tuple(dict.fromkeys(found))


def _argument_at(call: ast.Call, index: int, name: str) -> ast.expr | None:
    return call.args[index] if len(call.args) > index else keyword(call, name)


def _keys(node: ast.expr | None, known: Constants) -> list[str]:
    if isinstance(node, ast.Dict):
        return texts([key for key in node.keys if key is not None], known)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict":
        return [word.arg for word in node.keywords if word.arg]
    found = known.get(node.id) if isinstance(node, ast.Name) else None
    return [key for key in found if isinstance(key, str)] if isinstance(found, dict) else []


def _lightgbm(tree: ast.Module, known: Constants) -> Iterator[str]:
    """Autologging reports every metric of every validation set as "<set>-<metric>"."""
    sets: list[str] = []
    metrics: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "valid_names":
            sets += _words(literal(node.value, known))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "metric":
                    metrics += _words(literal(value, known))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict":
            metrics += _words(literal(keyword(node, "metric"), known))
    for name in sets:
        for metric in metrics:
            yield f"{name}-{_LIGHTGBM.get(metric, metric)}"


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


# --- Names --------------------------------------------------------------------------------------


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Local name -> what it was imported as: {"m": "mlflow", "log_metric": "mlflow.log_metric"}."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.split(".")[0]
                found[item.asname or top] = item.name if item.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for item in node.names:
                found[item.asname or item.name] = f"{node.module}.{item.name}"
    return found


def _called(node: ast.expr, aliases: Mapping[str, str]) -> str:
    """The full dotted name of what is called, "" if it was not imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join([aliases[node.id], *reversed(parts)])
