"""Literal values in a Python syntax tree, and where names stand for them."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

from sweeps.domain.space import Scalar

# Names of a module that are assigned one literal, at its top.
Constants: TypeAlias = Mapping[str, Any]
# More values than these are no list to pick from.
MAX_CHOICES = 100
# Forms read 18 digits as an integer and more as a float.
MAX_INT = 10**18


def calls(tree: ast.AST) -> list[ast.Call]:
    """Every call of a tree in reading order."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def constants(tree: ast.Module) -> dict[str, Any]:
    """The module's constants: BATCH = 32, CHOICES = ["a", "b"]. Assigned twice is none."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        twice |= {name} & found.keys()
        found[name] = literal(value, found)
    return {name: value for name, value in found.items() if name not in twice}


def literal(node: ast.expr | None, known: Constants) -> Any:
    """The value of a literal (lists for tuples and sets), None for anything else."""
    match node:
        case ast.Constant(value=value):
            return value if is_scalar(value) else None
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
            return -value if is_scalar(value) and not isinstance(value, str) else None
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [literal(item, known) for item in items]
        case ast.Dict(keys=keys):
            return {key.value: None for key in keys if isinstance(key, ast.Constant)}
        case ast.Name(id=name):
            return known.get(name)
        case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]):
            return _range([literal(arg, known) for arg in args])
        case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted"), args=[inner], keywords=[]):
            return literal(inner, known)
        case ast.Call(func=ast.Attribute(value=inner, attr="keys"), args=[], keywords=[]):
            return literal(inner, known)
    return None


def _range(ends: list[Any]) -> list[int] | None:
    whole = all(isinstance(end, int) for end in ends)
    if not whole or not 1 <= len(ends) <= 3 or ends[2:] == [0]:
        return None
    values = range(*ends)
    return None if values[MAX_CHOICES:] else list(values)


def scalars(value: Any) -> tuple[Scalar, ...]:
    """The items of a literal list, () if it is none or has anything else in it."""
    items = list(value) if isinstance(value, list | dict) else []
    return tuple(items) if len(items) <= MAX_CHOICES and all(map(is_scalar, items)) else ()


def is_scalar(value: object) -> TypeGuard[Scalar]:
    """True for what a parameter can be: a text, true or false, or a number of sensible size."""
    if isinstance(value, int):
        return abs(value) < MAX_INT
    if isinstance(value, float):
        return abs(value) < 1e300  # neither infinite nor NaN, and with room for bounds around it
    if not isinstance(value, str):
        return False
    # A page and a database take text only: no NUL, no half of a character.
    return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """A keyword argument of a call, None if it has no such."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def texts(nodes: Sequence[ast.expr | None], known: Constants) -> list[str]:
    """Those of the nodes that are literal texts."""
    return [value for node in nodes if isinstance(value := literal(node, known), str)]
