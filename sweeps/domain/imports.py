"""What a script imports, read from its text: names to import ahead of it, in its order.

Read is what runs when the file is run: imports at its top level and inside `if`, `with` and `try`,
and those of the functions that it calls by name from there, for many scripts import within `main`.
A name is dotted: `import a.b` gives a.b, `from a import b` gives a.b (b may be a part of a, or
something in it), and a use of `a.b.c` after `import a` gives a.b.c, for some packages load their
parts on first use. Whoever imports them takes as much of a name as there is.
"""

import ast
import sys
import warnings
from collections.abc import Callable, Iterator

MAX_SOURCE = 2**20
MAX_FILES = 200
_CLOSED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)

# The text of a local module by dotted name, None where there is none.
Local = Callable[[str], str | None]


def imports(source: str, local: Local) -> tuple[str, ...]:
    """Dotted names that a script and the local modules that it imports take from elsewhere.

    Empty where it cannot be parsed: Python will say so better. Modules that come with Python are
    left out, for all that is worth the wait comes on top of them.
    """
    found: dict[str, None] = {}
    _gather(source, "", local, found, set())
    return tuple(name for name in found if name.partition(".")[0] not in _OWN)


_OWN = frozenset(sys.stdlib_module_names) | {"__future__"}


def _gather(
    source: str, package: str, local: Local, found: dict[str, None], seen: set[str]
) -> None:
    tree = _tree(source)
    if tree is None:
        return
    aliases: dict[str, str] = {}
    for name in _names(tree, package, aliases):
        if not _is_local(name, local, found, seen):
            found[name] = None
    for name in _uses(tree, aliases):
        if local(name.partition(".")[0]) is None:
            found[name] = None


def _tree(source: str) -> ast.Module | None:
    if len(source) > MAX_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the script: "\d" in its texts is its own matter
            return ast.parse(source.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_local(name: str, local: Local, found: dict[str, None], seen: set[str]) -> bool:
    """Whether it is the code's own; then what that imports is gathered too."""
    if local(name.partition(".")[0]) is None:
        return False
    words = name.split(".")
    for count in range(1, len(words) + 1):
        part = ".".join(words[:count])
        if part in seen or len(seen) >= MAX_FILES:
            continue
        seen.add(part)
        if (source := local(part)) is not None:
            is_package = local(f"{part}.__init__") is not None
            around = part if is_package else part.rpartition(".")[0]
            _gather(source, around, local, found, seen)
    return True


def _names(tree: ast.Module, package: str, aliases: dict[str, str]) -> Iterator[str]:
    """Imported names in the order in which they are reached; fills in what they are called."""
    for node in _reached(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                called = alias.asname or alias.name.partition(".")[0]
                aliases[called] = alias.name if alias.asname else called
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            for alias in node.names if origin else ():
                whole = origin if alias.name == "*" else f"{origin}.{alias.name}"
                aliases[alias.asname or alias.name] = whole
                yield whole


def _origin(node: ast.ImportFrom, package: str) -> str:
    """The module that is imported from, "" for none; one dot is the package around the module."""
    if not node.level:
        return node.module or ""
    if not package:
        return ""
    around = package.split(".")
    around = around[: len(around) - node.level + 1]
    return ".".join([*around, *([node.module] if node.module else [])])


def _reached(tree: ast.Module) -> Iterator[ast.AST]:
    """Statements that run when the file is run, with those of functions called by name."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    entered: set[str] = set()
    waiting: list[ast.AST] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _CLOSED):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            function = functions.get(node.func.id)
            if function and function.name not in entered:
                entered.add(function.name)
                waiting.extend(reversed(function.body))
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _uses(tree: ast.Module, aliases: dict[str, str]) -> Iterator[str]:
    """Whole dotted uses of what was imported: mlflow.lightgbm.autolog of `import mlflow`."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    inner = {id(node.value) for node in found}
    for node in found:
        if id(node) not in inner:
            words = _dotted(node)
            if words and (name := aliases.get(words[0])):
                yield ".".join([name, *words[1:]])


def _dotted(node: ast.expr) -> list[str]:
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    return [node.id, *reversed(words)] if isinstance(node, ast.Name) else []
