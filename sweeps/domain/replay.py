"""A trial as a shell script: its code, environment, inputs and command, outside the studio.

Every value is quoted for a POSIX shell. What lies in the folder of the replay is named by a marker
while the command is filled in, which becomes `"$here"` in the script.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.command import parse_command, render
from sweeps.domain.param_names import environment, format_value
from sweeps.domain.space import ParamValue
from sweeps.domain.web_inputs import is_address, parse_web_input
from sweeps.domain.wording import cut

# No value can hold it by chance; a NUL, which none can hold at all, could not be split by shlex.
_HERE = "\ue000here\ue000"
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_PYTHONS = ("python", "python3")
TOKEN = "STUDIO_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True)
class Replayed:
    """What is known of a trial. `code_url` is where its code is fetched with a token, "" without
    code; inputs are as the job has them; `packages` are requirement lines; `secrets` are variables
    whose values are not told."""

    sweep: str
    number: int
    attempt: int
    title: str
    command: str
    params: Mapping[str, ParamValue]
    code_url: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()
    secrets: Sequence[str] = ()


def replay_script(trial: Replayed) -> str:
    """The script, to be run with sh or pasted; it makes a folder `<sweep>_<number>` of its own.

    Raises InvalidInput when the command cannot be filled in.
    """
    inputs, fetches = _inputs(trial.inputs)
    outputs = {name: f"{_HERE}/outputs/{name}" for name in trial.outputs}
    argv = render(parse_command(trial.command), trial.params, inputs, outputs)
    own = environment(
        trial.params,
        sweep=trial.sweep,
        trial=trial.number,
        attempt=trial.attempt,
        output_dir=f"{_HERE}/outputs",
        params_file=f"{_HERE}/params.json",
        inputs=inputs,
        outputs=outputs,
    )
    lines = [
        *_head(trial),
        *_code(trial.code_url),
        *_folders(outputs),
        *fetches,
        _write("params.json", json.dumps(trial.params)),
        *_packages(trial.packages),
        'cd "$here/work"',
        *_secrets(trial.secrets),
        *_run({**trial.variables, **own}, argv),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _head(trial: Replayed) -> list[str]:
    folder = _PLAIN.sub("_", f"{trial.sweep}_{trial.number}")
    return [
        f"# Trial {trial.number} of {cut(trial.title, 200)}: the same code, command and values,",
        "# outside the studio. What it logs with MLflow goes where your MLflow is set to.",
        "# PYTHON=... names the Python that runs it.",
        "( set -eu",
        f"mkdir {folder}",
        f'here="$(cd {folder} && pwd)"',
        'cd "$here"',
    ]


def _code(url: str) -> list[str]:
    if not url:
        return ["mkdir work"]
    return [
        f"# {TOKEN}: an API token of yours (Settings); a reader's is enough.",
        f'curl -fsS -H "Authorization: Bearer ${{{TOKEN}:?an API token of the studio}}" \\',
        f"  -o code.zip {shlex.quote(url)}",
        '"${PYTHON:-python3}" -m zipfile -e code.zip work && rm code.zip',
    ]


def _folders(outputs: Mapping[str, str]) -> list[str]:
    # ./outputs of the code's folder is there before a trial starts, too.
    return ["mkdir -p work/outputs outputs", *(f"mkdir -p {_word(p)}" for p in outputs.values())]


def _inputs(given: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The value of each input, and the lines that bring what they name."""
    values, lines = {}, []
    for name, value in given.items():
        if not isinstance(value, Mapping):
            values[name] = format_value(value)
            continue
        values[name], line = _data(name, str(value["path"]), value.get("type") == "uri_folder")
        lines += line
    return values, lines


def _data(name: str, path: str, is_folder: bool) -> tuple[str, list[str]]:
    if is_address(path):
        source = parse_web_input(path)
        folder = f"{_HERE}/inputs/{name}"
        target = f"{folder}/{source.name}"
        fetch = f"curl -fsSL -o {_word(target)} {shlex.quote(source.url)}"
        return (folder if is_folder else target), [f"mkdir -p {_word(folder)}", fetch]
    if not path.startswith("/"):
        return f"{_HERE}/work/{path}", []
    return path, [
        f"# Input {cut(name, 100)} lies on the studio's machine; elsewhere, name your copy below.",
        f"[ -e {shlex.quote(path)} ] || "
        f"{{ echo {shlex.quote(f'There is no {path} here.')} >&2; exit 1; }}",
    ]


def _packages(packages: Sequence[str]) -> list[str]:
    if not packages:
        return []
    return [
        _write("packages.txt", "".join(f"{one}\n" for one in packages)),
        '# Its packages: "$PYTHON" -m pip install -r packages.txt',
    ]


def _write(name: str, text: str) -> str:
    return f"printf %s {shlex.quote(text)} > {name}"


def _secrets(names: Sequence[str]) -> list[str]:
    """Stops a script that lacks one; who has exported them has them here too."""
    if not names:
        return []
    said = "# Secrets are not written here: export these variables before you run it."
    return [
        said,
        *(
            f': "${{{name}:?holds a secret that you have to set}}"'
            for name in names
            if name.isidentifier()
        ),
    ]


def _run(variables: Mapping[str, str], argv: Sequence[str]) -> list[str]:
    """`env`, and not `export`, for a name may hold signs that a shell's variables cannot."""
    pairs = [f"  {_word(f'{name}={value}')} \\" for name, value in variables.items()]
    first = '"${PYTHON:-python3}"' if argv[0] in _PYTHONS else _word(argv[0])
    return ["env \\", *pairs, "  " + " ".join([first, *map(_word, argv[1:])])]


def _word(text: str) -> str:
    """One word for a shell; the marker becomes the folder of the replay."""
    pieces = text.split(_HERE)
    quoted = [shlex.quote(piece) if piece else "" for piece in pieces]
    return '"$here"'.join(quoted) or "''"
