"""Commands that need a shell: job files of Azure ML are written for one.

What needs none runs without. Of what does, the values of a trial never become part of the script:
bash gets them as its positional parameters, so that none can end a quote or start a command.
"""

import re
from collections.abc import Sequence

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown

NO_SECRETS = (
    "{} cannot stand in a command: everybody on the machine can read the arguments of a process. "
    "Give it to an environment variable, and read that in the script."
)
SHELL = "bash"
# What `command` puts in the place of the N-th placeholder.
_MARK = re.compile("\0(\\d+)\0")
# What a shell takes as it stands or leaves out. A comment begins its line or is a # alone: “#fff”
# may be a word.
_ASIDE = re.compile(
    r"(?P<escaped>\\.)|(?P<single>'[^']*')|(?P<double>\"(?:\\.|[^\"\\])*\")"
    r"|(?P<comment>^[ \t]*#[^\n]*|(?<=\s)#(?=\s|\Z)[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
# The beginning of a here-document, and what stands for its lines meanwhile.
_HERE = re.compile(r"(?<!<)<<-?[ \t]*([\"'\\]?)(\w+)[\"']?")
_LINES = re.compile("\0d(\\d+)\0")
# To the shell itself every # that begins a word begins a comment.
_COMMENT = re.compile(r"(?:^|(?<=[\s;&|(]))#[^\n]*", re.MULTILINE)
# Between commands; single signs only where they stand apart: “x>5” and “?a=1&b=2” are words.
_OPERATOR = re.compile(
    r"(&&|\|\|)|(?:^|(?<=\s))(\d?(?:>>?|<)|&>>?|\|&?|&|<<<?|;;?)(?=\s|$)"
    r"|(?:^|(?<=\s))(\d?>>?|&>)(?=[^>=\s])|(;)(?=\s|$)"
)
_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|\{\w+\}|\([^)]*\))|`[^`]*`")
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_]\w*=)")
_IS_SHELL = re.compile(r"\s*(?:\S*/)?(?:ba|z|da|k)?sh\s")
# A line that begins so is a command of its own; others go on with the one before.
_PROGRAM = re.compile(
    r"\n[ \t]*((?:python3?|pip3?|uv|bash|sh|cd|export|echo|ls|mkdir|cp|mv|rm|cat|set|source|conda"
    r"|env|unzip|tar|wget|curl|git|apt-get|nvidia-smi|jupyter|accelerate|torchrun|Rscript|julia)"
    r"[ \t].*|\.[ \t].*)"
)


def sign_of_shell(hidden: str) -> str:
    """What of a command needs a shell, as the subject of a sentence, "" if nothing does.

    `hidden` has marks for placeholders. A command that starts a shell itself needs another one
    only for what stands between several commands.
    """
    hidden, documents = _without_documents(hidden)
    bare = _ASIDE.sub(_beside, hidden)
    if operator := _OPERATOR.search(bare):
        return shown(next(filter(None, operator.groups())))
    if documents:
        return shown("<<")
    # On the only line “# 5” may be arguments, as it is without a shell.
    is_line = "\n" not in hidden.strip()
    for found in _ASIDE.finditer(hidden):
        if found.lastgroup == "comment" and not (is_line and not _OPERATOR.search(found[0])):
            return shown("#")
    if _PROGRAM.search(bare.strip()):
        return "A second command"
    if _IS_SHELL.match(hidden):
        return ""
    if assignment := _ASSIGNMENT.match(hidden):
        return shown(assignment[1])
    variable = _VARIABLE.search(_ASIDE.sub(_expanded, hidden))
    return shown(_MARK.sub("…", variable[0])) if variable else ""


def code(hidden: str) -> str:
    """The command without comments and the lines of here-documents, where quotes are letters."""
    bare = _LINES.sub("", _without_documents(hidden)[0])
    return _ASIDE.sub(lambda one: "" if one.lastgroup == "comment" else one[0], bare)


def _without_documents(hidden: str) -> tuple[str, list[tuple[str, re.Match[str]]]]:
    """The command with marks for the lines of here-documents; those, each with what began it."""
    lines = hidden.split("\n")
    last = {line.strip(): number for number, line in enumerate(lines)}
    kept: list[str] = []
    documents: list[tuple[str, re.Match[str]]] = []
    at = 0
    while at < len(lines):
        kept.append(lines[at])
        at += 1
        begun = _HERE.search(kept[-1])
        if begun and last.get(begun[2], 0) >= at:
            end = next(n for n in range(at, len(lines)) if lines[n].strip() == begun[2])
            kept.append(f"\0d{len(documents)}\0")
            documents.append(("\n".join(lines[at : end + 1]), begun))
            at = end + 1
    return "\n".join(kept), documents


def _beside(found: re.Match[str]) -> str:
    """What stands for something set aside."""
    return "" if found.lastgroup == "comment" else "q"


def _expanded(found: re.Match[str]) -> str:
    """What the shell looks into of something set aside."""
    return re.sub(r"\\.", "q", found[0]) if found.lastgroup == "double" else "q"


def script(hidden: str, several: Sequence[bool]) -> tuple[str, tuple[int, ...]]:
    """The text for `bash -c`, and which placeholder becomes which positional parameter.

    `several` tells by number which placeholders stand for any number of arguments; only one kind
    does, and it comes last.

    Raises InvalidInput for a placeholder where none can be filled in.
    """
    used = [int(number) for number in _MARK.findall(hidden)]
    order = [number for number in used if not several[number]]
    rest = next((number for number in used if several[number]), None)
    places = {number: str(place) for place, number in enumerate(order, start=1)}
    names = [places.get(number, f"@:{len(order) + 1}") for number in range(len(several))]
    return _Script(hidden, names).text(), tuple(order if rest is None else [*order, rest])


class _Script:
    """A script with a parameter in the place of each mark; `names` are those of the parameters."""

    def __init__(self, hidden: str, names: Sequence[str]) -> None:
        self._hidden, self._documents = _without_documents(hidden)
        self._names = names
        # What is open, the innermost last: " or $(, within which quotes begin anew.
        self._open: list[str] = []

    def text(self) -> str:
        pieces, at = [], 0
        while at < len(self._hidden):
            piece, at = self._piece(at)
            pieces.append(piece)
        return _LINES.sub(self._document, "".join(pieces))

    def _piece(self, at: int) -> tuple[str, int]:
        """What the next part becomes, and where the one after it begins."""
        hidden, quoted = self._hidden, self._open[-1:] == ['"']
        if mark := _MARK.match(hidden, at):
            # A parameter that stays one word.
            return self._filled(mark[0], "%s" if quoted else '"%s"'), mark.end()
        if hidden[at] == "\\":
            if _MARK.match(hidden, at + 1):  # nothing to escape, but within quotes a letter
                return "\\\\" if quoted else "", at + 1
            return hidden[at : at + 2], at + 2
        found = None if quoted else _COMMENT.match(hidden, at) or _ASIDE.match(hidden, at)
        if found and found.lastgroup != "double":
            return self._aside(found), found.end()
        self._nest(at)
        return hidden[at], at + 1

    def _aside(self, found: re.Match[str]) -> str:
        if found.lastgroup != "single":
            return _MARK.sub("…", found[0])
        at = found.start()
        again = "$'" if self._hidden[at - 1 : at] == "$" else "'"
        return self._filled(found[0], f'\'"%s"{again}')

    def _document(self, mark: re.Match[str]) -> str:
        lines, begun = self._documents[int(mark[1])]
        if begun[1] and _MARK.search(lines):
            raise InvalidInput.one(
                "command",
                f"A here-document whose {begun[2]} is quoted takes no placeholder: write "
                f"<<{begun[2]}.",
            )
        return self._filled(lines, "%s")

    def _filled(self, text: str, way: str) -> str:
        return _MARK.sub(lambda mark: way % f"${{{self._names[int(mark[1])]}}}", text)

    def _nest(self, at: int) -> None:
        char, inner = self._hidden[at], self._open[-1:]
        if (char == '"' and inner == ['"']) or (char == ")" and inner == ["("]):
            self._open.pop()
        elif char == '"' or (char == "(" and (inner == ["("] or self._hidden[at - 1 : at] == "$")):
            self._open.append(char)
