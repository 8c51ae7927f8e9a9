"""Command templates: from what a person writes to the argument vector of one trial.

Placeholders are hidden before the template is split into words and filled in once per word
afterwards, so a value can neither add a word nor be expanded again; in commands that need a shell
(see `shell`) neither.
"""

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sweeps.domain.param_names import environment, format_value
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import bounds
from sweeps.domain.shell import NO_SECRETS, SHELL, code, script, sign_of_shell
from sweeps.domain.space import Choice, Distribution, ParamValue, SearchSpace, flatten, leaves
from sweeps.domain.wording import cut, listed, nearest, shown

__all__ = [
    "CommandTemplate",
    "Placeholder",
    "Word",
    "check",
    "dashes",
    "environment",
    "format_value",
    "parse_command",
    "render",
    "shell_line",
    "unused",
]

FIELD = "command"
MAX_COMMAND = 20_000  # it is read in the square of what nests
DEPRECATED_NOTE = "{…} for parameters is deprecated; use ${{…}} instead."
ARGS = "args"
# More unknown placeholders than anybody reads.
MAX_TOLD = 50
KINDS = ("search_space", "inputs", "outputs")

_EXPRESSION = re.compile(r"\$\{\{([^{}]*)\}\}")
_BODY = re.compile(r"\s*(search_space|inputs|outputs)\.(\w[\w-]*(?:\.\w[\w-]*)*)\s*")
_DEPRECATED = re.compile(r"(?<![${])\{\s*((?:search_space|inputs|outputs)\.\w[\w.-]*)\s*\}(?!\})")
_CONTINUATION = re.compile(r"(?<!\\)\\[ \t]*\r?\n")
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
# No template can hold a NUL (`_refuse` sees to it), so no text can look like one of these.
_MARK = re.compile("\0(\\d+)\0")
_OPEN, _CLOSE = "\0[\0", "\0]\0"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A reference to fill in: `kind` is search_space, inputs, outputs or args (then no name)."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return "${{%s}}" % (f"{self.kind}.{self.name}" if self.name else self.kind)


@dataclass(frozen=True, slots=True)
class Word:
    """One future argument; `group` numbers the optional part $[[…]] it stands in."""

    parts: tuple[str | Placeholder, ...]
    group: int | None = None

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """What must be filled in, in order."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))


@dataclass(frozen=True, slots=True)
class CommandTemplate:
    """A parsed command; `notes` are sentences about what was read in a lenient way.

    With `shell` the words are those of a shell that runs it, its values at their end.
    """

    text: str
    words: tuple[Word, ...]
    notes: tuple[str, ...] = ()
    shell: bool = False

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """Every placeholder of the command, in order."""
        return tuple(found for word in self.words for found in word.placeholders)


# --- Reading ------------------------------------------------------------------------------------


def parse_command(template: str) -> CommandTemplate:
    """Read a command as written by a person.

    Raises InvalidInput (field "command") for commands that are empty, too long or hold a NUL,
    quotes or braces without their partner, and expressions that mean nothing.
    """
    if "\0" in template:
        raise InvalidInput.one(FIELD, "A command cannot hold a NUL character.")
    if not template.strip():
        raise InvalidInput.one(FIELD, "Write the command that each trial runs.")
    if len(template) > MAX_COMMAND:
        raise InvalidInput.one(FIELD, f"Has {MAX_COMMAND:,} characters at most: {len(template):,}.")
    found: list[Placeholder] = []
    notes: list[str] = []
    hidden = _hide(_CONTINUATION.sub(" ", template), found, notes)
    sign = sign_of_shell(hidden)
    words = _words(_split(_hide_groups(code(hidden) if sign else hidden)), found)
    if not words or not words[0].parts:
        raise InvalidInput.one(FIELD, "The command starts with an empty word.")
    notes.extend(_notes(sign, hidden))
    words = _in_shell(sign, hidden, found) if sign else words
    return CommandTemplate(template, words, tuple(notes), bool(sign))


def _hide(text: str, found: list[Placeholder], notes: list[str]) -> str:
    """Replace each placeholder by a mark that a shell-like splitter leaves alone."""

    def mark(match: re.Match[str]) -> str:
        found.append(_placeholder(match[1]))
        return f"\0{len(found) - 1}\0"

    hidden = _EXPRESSION.sub(mark, text)
    if "${{" in hidden:
        raise InvalidInput.one(FIELD, "A ${{ is never closed by }}.")
    result, count = _DEPRECATED.subn(mark, hidden)
    if count:
        notes.append(DEPRECATED_NOTE)
    return result


def _placeholder(body: str) -> Placeholder:
    if body.strip() == ARGS:
        return Placeholder(ARGS)
    match = _BODY.fullmatch(body)
    if body.strip().startswith("secrets."):
        raise InvalidInput.one(FIELD, NO_SECRETS.format(shown("${{" + body.strip() + "}}")))
    if not match:
        raise InvalidInput.one(
            FIELD,
            f"{shown('${{' + body + '}}')} is not known here. Use ${{{{search_space.NAME}}}}, "
            "${{inputs.NAME}}, ${{outputs.NAME}} or ${{args}}.",
        )
    return Placeholder(match[1], match[2])


def _hide_groups(text: str) -> str:
    """Replace the brackets of optional parts $[[…]] by words of their own."""
    pieces = text.split("$[[")
    result = pieces[0]
    for piece in pieces[1:]:
        inside, closed, after = piece.partition("]]")
        if not closed:
            raise InvalidInput.one(FIELD, "A $[[ is never closed by ]].")
        if not _MARK.search(inside):
            text = f"The optional part $[[{cut(inside)}]] needs a placeholder that may be absent."
            raise InvalidInput.one(FIELD, text)
        if (result and not result[-1].isspace()) or (after and not after[0].isspace()):
            raise InvalidInput.one(FIELD, "An optional part $[[…]] stands between spaces.")
        result += f"{_OPEN} {inside} {_CLOSE}{after}"
    return result


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        if "escaped" in str(error):
            message = "The command ends with a backslash that escapes nothing."
        else:
            message = "A quote is never closed."
        raise InvalidInput.one(FIELD, message) from error


def _words(tokens: list[str], found: list[Placeholder]) -> tuple[Word, ...]:
    words: list[Word] = []
    group, groups = None, 0
    for token in tokens:
        if token == _OPEN:
            group, groups = groups, groups + 1
        elif token == _CLOSE:
            group = None
        elif _OPEN in token or _CLOSE in token:
            raise InvalidInput.one(FIELD, "An optional part $[[…]] cannot stand inside quotes.")
        else:
            words.append(Word(_parts(token, found), group))
    return tuple(words)


def _parts(token: str, found: list[Placeholder]) -> tuple[str | Placeholder, ...]:
    """Text and placeholders in turn; the split keeps each mark's number at odd places."""
    pieces = _MARK.split(token)
    parts: list[str | Placeholder] = [
        found[int(piece)] if place % 2 else piece
        for place, piece in enumerate(pieces)
        if place % 2 or piece
    ]
    if Placeholder(ARGS) in parts and len(parts) > 1:
        raise InvalidInput.one(FIELD, "${{args}} gives several arguments: put spaces around it.")
    return tuple(parts)


def _in_shell(sign: str, hidden: str, found: list[Placeholder]) -> tuple[Word, ...]:
    """The words that have bash run the command, each placeholder a word of its own at the end."""
    if _OPEN in _hide_groups(hidden):
        text = f"An optional part $[[…]] cannot stand in a command for a shell ({sign})."
        raise InvalidInput.one(FIELD, text)
    text, order = script(hidden, [placeholder.kind == ARGS for placeholder in found])
    fixed = (SHELL, "-c", text, SHELL)
    return (*(Word((one,)) for one in fixed), *(Word((found[number],)) for number in order))


def _notes(sign: str, hidden: str) -> list[str]:
    """What was read in a lenient way."""
    notes = []
    if sign:
        notes.append(f"{sign} needs a shell: {SHELL} runs this command.")
    elif re.search(r"\n\s*[^\s\0$-]", _QUOTED.sub("q", hidden).strip()):
        notes.append(
            "Line breaks count as spaces: this is one command. Write && between several commands."
        )
    if re.search(r"\bpip3?\s+install\b", hidden):
        notes.append(
            "pip install runs anew in every trial, if it runs at all; name packages in an "
            "environment, which is built once for all."
        )
    return notes


# --- Checking -----------------------------------------------------------------------------------


def check(template: CommandTemplate, known: Mapping[str, Collection[str]]) -> list[Problem]:
    """Placeholders that cannot be filled in, one problem each (field "command").

    `known` has the names by kind ("search_space", "inputs", "outputs"), and under "conditional"
    the search-space names that exist in some trials only: see `param_names.known_names`. In an
    optional part an unknown input is fine: that part is left out.
    """
    found: dict[str, Problem] = {}
    names = {kind: frozenset(those) for kind, those in known.items()}
    each = dict.fromkeys(
        (p, word.group is not None) for word in template.words for p in word.placeholders
    )
    for placeholder, optional in each:
        message = _unfit(placeholder, names, optional) if len(found) < MAX_TOLD else None
        if message:
            found.setdefault(message, Problem(FIELD, message))
    return list(found.values())


def _unfit(
    placeholder: Placeholder, known: Mapping[str, Collection[str]], optional: bool
) -> str | None:
    kind, name = placeholder.kind, placeholder.name
    if kind == ARGS or (optional and kind == "inputs"):
        return None
    if kind == "search_space" and name in known.get("conditional", ()):
        if optional:
            return None
        return (
            f"{cut(name)} exists only in some trials; write $[[--{cut(name.rpartition('.')[2])} "
            f"{_named(placeholder)}]] so that it is left out elsewhere."
        )
    names = known.get(kind, ())
    if name in names:
        return None
    nested = sorted(
        other
        for other in (*names, *(known.get("conditional", ()) if kind == "search_space" else ()))
        if other.rpartition(".")[2] == name
    )
    if nested:
        inside = _named(Placeholder(kind, nested[0]))
        return f"{_named(placeholder)}: {shown(name)} stands under a choice; write {inside}."
    close = nearest(name, names)
    if close:
        hint = f"Did you mean {cut(close)}?"
    elif names:
        hint = f"Known: {listed(sorted(names))}. Take it out of the command, or add it."
    else:
        hint = "Take it out of the command, or add it."
    return f"{_named(placeholder)}: {_HAS_NO[kind]} {shown(name)}. {hint}"


def _named(placeholder: Placeholder) -> str:
    """A placeholder in a message; a long name does not take its braces away."""
    return str(Placeholder(placeholder.kind, cut(placeholder.name, _LONGEST_NAME)))


# Nested names are long, and people copy them.
_LONGEST_NAME = 120
_HAS_NO = {
    "search_space": "the search space has no parameter",
    "inputs": "there is no input",
    "outputs": "there is no output",
}


def unused(template: CommandTemplate, names: Collection[str]) -> list[str]:
    """Those search-space names that the command never uses; none of them with ${{args}}."""
    used = set()
    for placeholder in template.placeholders:
        if placeholder.kind == ARGS:
            return []
        if placeholder.kind == "search_space":
            used.add(placeholder.name.partition(".")[0])
    return [name for name in names if name.partition(".")[0] not in used]


def dashes(template: CommandTemplate, space: SearchSpace) -> list[str]:
    """Parameters that argument parsers may take for an option, as sentences.

    A word of its own that starts with "-": texts, and negative floats, which Python may print as
    -3e-05 (argparse knows -0.5 for a number, but not that).
    """
    if template.shell:
        return []  # Which words are alone, the shell alone knows.
    at_risk = {leaf.column for leaf in leaves(space) if _may_start_with_dash(leaf.distribution)}
    alone = {str(word.parts[0]) for word in template.words if len(word.parts) == 1}
    return [
        f"{name} can start with “-” and may be taken for an option; "
        f"write --{name.rpartition('.')[2]}={placeholder} as one word."
        for name in sorted(at_risk)
        if (placeholder := str(Placeholder("search_space", name))) in alone
    ]


def _may_start_with_dash(distribution: Distribution) -> bool:
    if isinstance(distribution, Choice):
        return any(isinstance(v, str) and v.startswith("-") for v in distribution.values)
    return bounds(distribution)[0] < 0 and not float(getattr(distribution, "q", 0.5)).is_integer()


# --- Filling in ---------------------------------------------------------------------------------

_Values: TypeAlias = Mapping[str, Mapping[str, str]]


def render(
    template: CommandTemplate,
    params: Mapping[str, ParamValue],
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
) -> tuple[str, ...]:
    """The argument vector of one trial.

    An optional part is dropped when one of its placeholders has no value. Raises InvalidInput for
    any other placeholder without a value; `check` finds those before.
    """
    values: _Values = {"search_space": _reachable("", params), "inputs": inputs, "outputs": outputs}
    flat = flatten(params)
    dropped = {
        word.group
        for word in template.words
        if word.group is not None and any(_value(p, values) is None for p in word.placeholders)
    }
    argv: list[str] = []
    for word in template.words:
        if word.parts == (Placeholder(ARGS),):
            for name, value in flat.items():
                argv += [f"--{name}", format_value(value)]
        elif word.group not in dropped:
            argv.append("".join(_fill(part, values) for part in word.parts))
    return tuple(argv)


def _reachable(prefix: str, params: Mapping[str, ParamValue]) -> dict[str, str]:
    """Every name of a trial that a placeholder may use: "model" and "model.c"."""
    values = {}
    for name, value in params.items():
        values[prefix + name] = format_value(value)
        if isinstance(value, dict):
            values.update(_reachable(f"{prefix}{name}.", value))
    return values


def _value(placeholder: Placeholder, values: _Values) -> str | None:
    return "" if placeholder.kind == ARGS else values[placeholder.kind].get(placeholder.name)


def _fill(part: str | Placeholder, values: _Values) -> str:
    if isinstance(part, str):
        return part
    value = _value(part, values)
    if value is None:
        raise InvalidInput.one(FIELD, f"{part} has no value in this trial.")
    return value


def shell_line(argv: Collection[str]) -> str:
    """The argument vector as a line that can be pasted into a shell."""
    return shlex.join(argv)
