"""Commands that need a shell: job files of Azure ML are written for one.

What needs none runs without. Of what does, the values of a trial never become part of the script:
bash gets them as its positional parameters, so that none can end a quote or start a command.
"""

import re
from collections.abc import Sequence

from sweeps.domain.wording import shown

SHELL = "bash"
# What `command` puts in the place of the N-th placeholder.
_MARK = re.compile("\0(\\d+)\0")
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_SINGLE = re.compile(r"\\.|'[^']*'", re.DOTALL)
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
    bare = _QUOTED.sub("q", hidden)
    if operator := _OPERATOR.search(bare):
        return shown(next(filter(None, operator.groups())))
    if _PROGRAM.search(bare.strip()):
        return "A second command"
    if _IS_SHELL.match(hidden):
        return ""
    if assignment := _ASSIGNMENT.match(hidden):
        return shown(assignment[1])
    variable = _VARIABLE.search(_SINGLE.sub("q", hidden))
    return shown(_MARK.sub("…", variable[0])) if variable else ""


def script(hidden: str, several: Sequence[bool]) -> tuple[str, tuple[int, ...]]:
    """The text for `bash -c`, and which placeholder becomes which positional parameter.

    `several` tells by number which placeholders stand for any number of arguments; only one kind
    does, and it comes last.
    """
    used = [int(number) for number in _MARK.findall(hidden)]
    order = [number for number in used if not several[number]]
    rest = next((number for number in used if several[number]), None)
    places = {number: str(place) for place, number in enumerate(order, start=1)}
    pieces, quote, at = [], "", 0
    while at < len(hidden):
        if mark := _MARK.match(hidden, at):
            number = int(mark[1])
            name = f"@:{len(order) + 1}" if several[number] else places[number]
            pieces.append(_reference(name, quote))
            at = mark.end()
            continue
        char = hidden[at]
        if char == "\\" and quote != "'":
            pieces.append(hidden[at : at + 2])
            at += 2
            continue
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        pieces.append(char)
        at += 1
    return "".join(pieces), tuple(order if rest is None else [*order, rest])


def _reference(name: str, quote: str) -> str:
    """A parameter that stays one word where it stands; within '…' the quotes are left for it."""
    inside = f"${{{name}}}"
    return {"": f'"{inside}"', '"': inside, "'": f"'\"{inside}\"'"}[quote]
