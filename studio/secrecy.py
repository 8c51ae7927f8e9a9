"""Secrets by name: how environment variables refer to them, and what of them must not be shown.

Names of variables that hold a secret by themselves are Buildkite's list
(https://buildkite.com/docs/pipelines/configure/managing-log-output, "Redacted environment
variables").
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "***"
# What is shorter is likely to stand in a log for something else.
MIN_LENGTH = 6
MAX_LENGTH = 32 * 1024
NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
NAME_RULE = "Use letters, digits and _, not starting with a digit; 63 at most."

_REFERENCE = re.compile(r"\$\{\{\s*secrets\.([^{}\s]*)\s*\}\}")
_ESCAPE = re.compile("%[0-9A-F]{2}")
_USER_INFO = re.compile(r"://(?:[^/@:\s]*:)?([^/@\s]+)@")
_ENDINGS = (
    "_PASSWORD", "_SECRET", "_TOKEN", "_PRIVATE_KEY", "_ACCESS_KEY", "_API_KEY",
    "_CONNECTION_STRING",
)  # fmt: skip


def reference(name: str) -> str:
    """What stands for the secret in the value of an environment variable."""
    return f"${{{{secrets.{name}}}}}"


def named_in(text: str) -> list[str]:
    """The names of the secrets that `text` refers to, in order, each once."""
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def names_of(variables: Mapping[str, object]) -> list[str]:
    """The names of the secrets that environment variables refer to, each once."""
    return list(
        dict.fromkeys(name for value in variables.values() for name in named_in(str(value)))
    )


def filled(text: str, value_of: Callable[[str], str]) -> str:
    """`text` with each secret in its place."""
    return _REFERENCE.sub(lambda match: value_of(match[1]), text)


def is_sensitive(name: str) -> bool:
    """Whether an environment variable's name says that its value is a secret."""
    return name.upper().endswith(_ENDINGS)


def hidden(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment variables as they may be shown: a reference as it is, a secret as ***."""
    return {name: _shown(name, str(value)) for name, value in variables.items()}


def kept(variables: Mapping[str, str], former: Mapping[str, str]) -> dict[str, str]:
    """`variables` as typed over what `hidden(former)` showed: what still says *** is kept."""
    return {
        name: str(former[name]) if value == HIDDEN and name in former else value
        for name, value in variables.items()
    }


def _shown(name: str, value: str) -> str:
    return HIDDEN if value and is_sensitive(name) and not named_in(value) else value


def sensitive_values(variables: Mapping[str, str]) -> list[str]:
    """The values of those variables whose names say that they are secrets."""
    return [value for name, value in variables.items() if is_sensitive(name)]


def passwords_in(values: Iterable[str]) -> list[str]:
    """The passwords, or lone user names (tokens are often those), of the addresses in `values`."""
    return [found[1] for value in values for found in _USER_INFO.finditer(value)]


def masks(values: Iterable[str]) -> tuple[str, ...]:
    """Every text that must not appear in a log: the values, and forms in which they get there.

    Those are its lines, as a string of JSON or Python, quoted for an address, and base64 (wherever
    in a longer text it stands; in lines, as tools write it, from the start). Values shorter than
    MIN_LENGTH are left out.
    """
    found: dict[str, None] = {}
    for value in values:
        if len(value.strip()) >= MIN_LENGTH:
            found |= dict.fromkeys(form for form in _forms(value) if len(form) >= MIN_LENGTH)
    return tuple(sorted(found, key=len, reverse=True))


def _forms(value: str) -> Iterable[str]:
    bare = value.strip()
    yield from (value, bare)
    for quoted in (quote(bare, safe=""), quote(bare), quote_plus(bare)):
        # Both are right (RFC 3986, section 2.1), and what writes small digits is around.
        yield from (quoted, _ESCAPE.sub(lambda match: match[0].lower(), quoted))
    for text in (json.dumps(bare)[1:-1], json.dumps(bare, ensure_ascii=False)[1:-1]):
        yield from (text, text.replace("/", "\\/"))
    yield repr(bare)[1:-1]
    lines = bare.splitlines()
    if len(lines) > 1:
        yield "\r\n".join(lines)
        yield from (line.strip() for line in lines if len(line.strip()) >= 2 * MIN_LENGTH)
    yield from _base64(bare.encode(errors="surrogateescape"))


def _base64(data: bytes) -> Iterable[str]:
    """The letters that stand for `data` whatever is before and after it, in both alphabets."""
    for skipped in range(3):
        code = base64.b64encode(b"\0" * skipped + data)
        # Letters that also hold bits of what is before or after are not the same everywhere.
        first = (skipped * 8 + 5) // 6
        last = (skipped + len(data)) * 8 // 6
        if last - first >= 2 * MIN_LENGTH:
            text = code[first:last].decode()
            yield text
            yield text.translate(str.maketrans("+/", "-_"))
            if skipped == 0:
                yield from _lines(text)


def _lines(code: str) -> Iterable[str]:
    """The lines in which tools write base64: of 76 letters (RFC 2045) or 64 (RFC 7468)."""
    for width in (76, 64):
        lines = [code[at : at + width] for at in range(0, len(code), width)]
        if len(lines) > 1:
            yield from (line for line in lines if len(line) >= 2 * MIN_LENGTH)
