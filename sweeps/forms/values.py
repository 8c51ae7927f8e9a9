"""Values of a choice as people type them: `gbdt, dart`, `16, 32`, `true, "1"`."""

import json
import re
from collections.abc import Sequence

from sweeps.domain.space import Scalar

_TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,]*)\s*(?:,|$)""")
_INT = re.compile(r"[+-]?\d{1,18}")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def parse_values(text: str) -> list[Scalar]:
    """The typed values, by YAML's rules: 1 is an int, 1.0 a float, true a bool, "1" text."""
    found: list[Scalar] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or token.end() == position:
            break
        position = token.end()
        if token[1].strip():
            found.append(parse_value(token[1].strip()))
    return found


def parse_value(token: str) -> Scalar:
    """One value."""
    if len(token) > 1 and token[0] == token[-1] == "'":
        return token[1:-1].replace("''", "'")
    if len(token) > 1 and token[0] == token[-1] == '"':
        try:
            return str(json.loads(token))
        except ValueError:
            return token[1:-1]
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    if _INT.fullmatch(token):
        return int(token)
    return float(token) if _FLOAT.fullmatch(token) else token


def format_values(values: Sequence[Scalar]) -> str:
    """The text that `parse_values` reads back as `values`."""
    return ", ".join(format_value(value) for value in values)


def format_value(value: Scalar) -> str:
    """One value, quoted where it would be read as something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = "," not in value and value == value.strip() and value[:1] not in ("'", '"')
        return value if plain and value and parse_value(value) == value else json.dumps(value)
    return repr(value)


def kind_of(value: Scalar) -> str:
    """What a script receives, in one word."""
    if isinstance(value, bool):
        return "bool"
    return {int: "int", float: "float", str: "text"}[type(value)]
