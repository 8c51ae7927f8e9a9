"""Options that a script declares with click."""

import ast
import re
from typing import Any

from sweeps.stores.literals import Constants, is_scalar, keyword, literal, scalars, texts

_TYPES = {
    "int": "int", "INT": "int", "IntRange": "int",
    "float": "float", "FLOAT": "float", "FloatRange": "float",
    "bool": "bool", "BOOL": "bool",
    "Path": "path", "File": "path",
}  # fmt: skip


def read(call: ast.Call, known: Constants, is_positional: bool) -> dict[str, Any] | None:
    """Fields of an `Option` for `@click.option(...)` or `@click.argument(...)`."""
    names = texts(call.args, known)
    flags = [name for name in names if name.startswith("-")]
    if not names or (not flags and not is_positional):
        return None
    flag = next((name for name in flags if name.startswith("--")), flags[0] if flags else "")
    is_switch = "/" in flag  # --shout/--no-shout
    flag = flag.partition("/")[0].strip()
    own = next((name for name in names if not name.startswith("-")), flag)
    default = literal(keyword(call, "default"), known)
    node = keyword(call, "type")
    is_flag = is_switch or bool(literal(keyword(call, "is_flag"), known))
    counts = bool(literal(keyword(call, "count"), known))
    several = bool(literal(keyword(call, "multiple"), known)) or (
        literal(keyword(call, "nargs"), known) not in (None, 1)
    )
    kind = "int" if counts else "bool" if is_flag else _type(node, default)
    choices = () if several else _choices(node, known)
    required = literal(keyword(call, "required"), known)
    return {
        "flag": flag,
        "name": re.sub(r"\W", "_", own.lstrip("-"), flags=re.ASCII).lower(),
        "type": "str" if several or kind == "path" else kind,
        "default": default if is_scalar(default) else None,
        "choices": choices,
        "help": " ".join(str(literal(keyword(call, "help"), known) or "").split())[:200],
        # An argument has to be given unless it says otherwise.
        "required": bool(required) or (is_positional and required is None and default is None),
        "is_flag": is_flag or counts,
        "is_path": kind == "path",
    }


def _type(node: ast.expr | None, default: object) -> str:
    """As click does: the declared type, else that of the default."""
    if node is None:
        name = type(default).__name__
        return name if name in ("int", "float", "bool") else "str"
    if isinstance(node, ast.Call):
        node = node.func
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return _TYPES.get(str(name), "str")


def _choices(node: ast.expr | None, known: Constants) -> tuple[Any, ...]:
    """The values of `click.Choice([...])`."""
    if not isinstance(node, ast.Call) or not node.args:
        return ()
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return scalars(literal(node.args[0], known)) if name == "Choice" else ()
