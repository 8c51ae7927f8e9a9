"""Commands that start Python: which words are the interpreter's, and which script they run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Options that change how the interpreter behaves, not what it runs or where it looks for it.
_PLAIN = re.compile(r"-[ubBOdqv]+|-[WX].+")
_WITH_VALUE = ("-W", "-X")


@dataclass(frozen=True, slots=True)
class PythonCommand:
    """The first `before` words are interpreter, options and script; `module` is None for a file."""

    before: int
    script: str
    module: bool


def python_command(argv: Sequence[str]) -> PythonCommand | str:
    """Read a command whose first word is an interpreter; a sentence where it runs no script.

    As in the interpreter's own manual page, "python -h".
    """
    place = 1
    while place < len(argv) and argv[place].startswith("-"):
        word = argv[place]
        if word == "-m" and place + 1 < len(argv):
            return PythonCommand(place + 2, argv[place + 1], True)
        if word in _WITH_VALUE:
            place += 2
        elif _PLAIN.fullmatch(word):
            place += 1
        else:
            return f"The command starts Python with {word}."
    if place >= len(argv):
        return "The command starts Python without a script."
    return PythonCommand(place + 1, argv[place], False)
