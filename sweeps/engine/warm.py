"""Which trials start warm, from which parent, and why others do not (see `runners.warm`)."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.utils.crypto import salted_hmac

from studio.hosts import own_folder
from sweeps.domain.command import Placeholder, parse_command
from sweeps.domain.companions import companions
from sweeps.domain.imports import MAX_SOURCE, imports
from sweeps.domain.python_command import PythonCommand, python_command
from sweeps.engine.places import is_here
from sweeps.models import Sweep
from sweeps.runners.base import LaunchSpec, Warm
from sweeps.runners.warm import parents

# Changes what a parent is, so that those of an older studio are asked no more.
_VERSION = 1


def home() -> Path:
    """Where parents have their folders."""
    return own_folder() / "warm"


def dismiss() -> None:
    """Let the parents of this studio leave."""
    parents.dismiss(home())


def plan(sweep: Sweep, spec: LaunchSpec, python: str, env: Mapping[str, str]) -> Warm | str:
    """The parent for a trial's command, or a sentence that says why it has none.

    `python` is the sweep's interpreter, `env` what all its trials have of the environment.
    """
    if reason := _off(sweep, spec):
        return reason
    command = _command(sweep, spec, python)
    if isinstance(command, str):
        return command
    modules = _modules(sweep, command, spec.cwd, env)
    if not modules:
        return "Its script imports nothing that would be worth a parent process."
    later = companions(modules)
    key = _key(sweep, spec.argv[: command.before], [modules, later], env)
    return Warm(key, home(), command.before, modules, env, later)


def _off(sweep: Sweep, spec: LaunchSpec) -> str:
    if spec.user:
        return "Trials of isolated computes start each by itself."
    if not is_here(sweep.compute):
        return "Trials on a cluster start each by itself."
    if not sweep.compute.preload:
        return f"Preloading is turned off on compute {sweep.compute.name}."
    if not sweep.preload:
        return "Preloading is turned off for this sweep."
    return ""


def _command(sweep: Sweep, spec: LaunchSpec, python: str) -> PythonCommand | str:
    template = parse_command(sweep.command)
    if template.shell:
        return "The command needs a shell."
    if spec.argv[0] != python:
        return "The command does not start with the sweep's Python."
    command = python_command(spec.argv)
    if isinstance(command, str):
        return command
    parts = [part for word in template.words[: command.before] for part in word.parts]
    if any(isinstance(part, Placeholder) for part in parts):
        return "The script is another one for each trial."
    return command


def _modules(
    sweep: Sweep, command: PythonCommand, cwd: Path, env: Mapping[str, str]
) -> tuple[str, ...]:
    """What the compute says, else what the script's text says."""
    if own := sweep.compute.preload_modules.replace(",", " ").split():
        return tuple(own)
    code = _Code(cwd, command, env)
    return imports(code.script(), code.module)


class _Code:
    """The files that a command would find before installed packages."""

    def __init__(self, cwd: Path, command: PythonCommand, env: Mapping[str, str]) -> None:
        self._cwd, self._command = cwd, command
        first = cwd if command.module else (cwd / command.script).parent
        more = (entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry)
        self._folders = [first, *(cwd / entry for entry in more if not os.path.isabs(entry))]

    def script(self) -> str:
        """The text of what is run, empty where there is none to read."""
        if not self._command.module:
            return _text(self._cwd / self._command.script) or ""
        name = self._command.script
        return self.module(f"{name}.__main__") or self.module(name) or ""

    def module(self, name: str) -> str | None:
        """The text of a module by its dotted name; None where the code has no such module."""
        for folder in self._folders:
            path = folder.joinpath(*name.split("."))
            for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
                if (text := _text(file)) is not None:
                    return text
            if next(path.glob("*.py"), None):
                return ""  # a package without __init__.py
        return None


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_SOURCE + 1)
    except (OSError, ValueError):
        return None


def _key(
    sweep: Sweep, prefix: Sequence[str], modules: Sequence[Any], env: Mapping[str, str]
) -> str:
    """One for all commands that may be forked from one parent. Keyed, for it names a folder and
    the environment holds secrets."""
    what = [_VERSION, sweep.workspace.name, prefix, modules, sorted(env.items())]
    return salted_hmac("sweeps.warm", json.dumps(what), algorithm="sha256").hexdigest()[:32]
