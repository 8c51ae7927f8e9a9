"""Commands that start Python."""

import pytest

from sweeps.domain.python_command import PythonCommand, python_command


@pytest.mark.parametrize(
    ("command", "read"),
    [
        ("python train.py --lr 1", PythonCommand(2, "train.py", False)),
        ("python -u -O train.py", PythonCommand(4, "train.py", False)),
        ("python -W ignore -X dev train.py -m", PythonCommand(6, "train.py", False)),
        ("python -Wignore -Xdev train.py", PythonCommand(4, "train.py", False)),
        ("python -m kit.train --lr 1", PythonCommand(3, "kit.train", True)),
        ("python -u -m kit", PythonCommand(4, "kit", True)),
        ("python", "The command starts Python without a script."),
        ("python -u", "The command starts Python without a script."),
        ("python -I train.py", "The command starts Python with -I."),
        ("python -uE train.py", "The command starts Python with -uE."),
        ("python -c pass", "The command starts Python with -c."),
        ("python -", "The command starts Python with -."),
        ("python -m", "The command starts Python with -m."),
        ("python -i train.py", "The command starts Python with -i."),
    ],
)
def test_options_end_where_the_script_begins(command: str, read: PythonCommand | str) -> None:
    assert python_command(command.split()) == read
