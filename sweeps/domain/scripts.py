"""The script that a command runs, as far as the command says it plainly."""

from collections.abc import Collection
from pathlib import PurePosixPath

from sweeps.domain.command import CommandTemplate


def script_of(template: CommandTemplate) -> str:
    """The relative path after the program, if it is a Python script; "" if that is not plain."""
    if template.shell or len(template.words) < 2:
        return ""
    parts = template.words[1].parts
    script = parts[0] if len(parts) == 1 else None
    is_script = isinstance(script, str) and script.endswith(".py")
    return str(script) if is_script and not str(script).startswith(("/", "~")) else ""


def missing_script(template: CommandTemplate, files: Collection[str]) -> str:
    """The script that the command runs and that is not among the files of the code; "" if none."""
    script = script_of(template)
    return script if script and str(PurePosixPath(script)) not in files else ""
