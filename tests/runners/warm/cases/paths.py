"""Arguments, working folder, and where modules come from."""

import os
import zipfile
from pathlib import Path

from tests.runners.warm.stage import Case

ARGV = "import sys; print(sys.argv, sys.orig_argv[1:], len(sys.orig_argv))"
PATH = """
import os, sys
print(sys.path, os.getcwd(), sys.argv)
"""
WHERE = """
import sys
import {0}
print(sys.path[:2], {0}.__file__, getattr({0}, "MINE", "not ours"), {0}.__spec__.origin)
"""
PACKAGE = {
    "pkg/__init__.py": "print('init', __name__, __package__, __spec__.name)",
    "pkg/helper.py": "import sys; NAME = __name__; MAIN = sys.modules['__main__'].__name__",
}
IN_PACKAGE = """
import sys
from . import helper
print(__name__, __package__, __file__, __spec__.name, sys.argv, sys.path[0], sys.orig_argv[1:])
print(helper.NAME, helper.MAIN, __loader__.name)
"""


def _script_is_a_link(work: Path) -> None:
    (work / "train.py").symlink_to("real/script.py")


def _script_is_a_zip(work: Path) -> None:
    with zipfile.ZipFile(work / "app.zip", "w") as archive:
        for name, text in (
            ("__main__.py", (work / "__main__.py").read_text()),
            ("inside.py", "WHERE = __file__"),
            ("json.py", "MINE = 'json of the archive'"),
        ):  # without the time of day, so that it is the same archive each time
            archive.writestr(zipfile.ZipInfo(name), text)


CASES = [
    Case("no arguments", ARGV),
    Case(
        "arguments of every kind",
        ARGV,
        (
            "--lr",
            "0.1",
            "",
            "  two words ",
            "-x",
            "--",
            "-m",
            "ünïcödé 🦊",
            "a=b",
            "'\"",
            "*",
            "\n",
        ),
    ),
    Case("many arguments", ARGV, tuple(f"--p{number}={number / 7}" for number in range(700))),
    Case("arguments longer than the room for them", ARGV, ("x" * 60_000, "y")),
    Case("an argument that is no text", ARGV, ("\udcff\udc80",)),
    Case(
        "argparse",
        "import argparse\np = argparse.ArgumentParser(description='Train.')\n"
        "p.add_argument('--lr', type=float, required=True)\nprint(p.parse_args(), p.prog)\n",
        ("--lr", "0.5"),
    ),
    Case(
        "argparse refuses",
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float)\n"
        "p.parse_args()",
        ("--lr", "much"),
    ),
    Case("the path of a script", PATH),
    Case(
        "a script in a subfolder",
        PATH + "import helper; print(helper.__file__, __file__)",
        word=("code/deep/train.py",),
        at="code/deep/train.py",
        files={"code/deep/helper.py": ""},
    ),
    Case(
        "a script by a crooked path",
        PATH + "print(__file__)",
        word=("./code/../train.py",),
        files={"code/x": ""},
    ),
    Case("a script by an odd name", PATH + "print(__file__)", word=("ö b.py",), at="ö b.py"),
    Case("a script without a suffix", PATH + "print(__name__)", word=("train",), at="train"),
    Case("a script that is not there", "", word=("gone.py",)),
    Case("a script that is a folder without a main", "", word=("data",), files={"data/x": ""}),
    Case(
        "a script that is a folder",
        PATH + "import inside; print(inside.__file__, __file__, __name__, __spec__.name)",
        word=("app",),
        at="app/__main__.py",
        files={"app/inside.py": "", "json.py": "1/0"},
    ),
    Case(
        "a script that is a folder with a module that hides another",
        PATH + "import json; print(json.MINE)",
        word=("app",),
        at="app/__main__.py",
        files={"app/json.py": "MINE = 1"},
        cold="json.py stands before a module",
    ),
    Case(
        "a script that is an archive",
        PATH + "import inside, json; print(inside.WHERE, __file__, json.MINE)",
        word=("app.zip",),
        at="__main__.py",
        prepare=_script_is_a_zip,
        cold="archive",
    ),
    Case(
        "a script that is a link",
        PATH + "import beside; print(beside.__file__, __file__)",
        at="real/script.py",
        files={"real/beside.py": ""},
        prepare=_script_is_a_link,
    ),
    Case("a module", PATH + "print(__name__, __spec__.name, __file__)", word=("-m", "train")),
    Case(
        "a module of a package",
        IN_PACKAGE,
        ("--lr", "1"),
        word=("-m", "pkg.train"),
        at="pkg/train.py",
        files=PACKAGE,
    ),
    Case("a package", IN_PACKAGE, word=("-m", "pkg"), at="pkg/__main__.py", files=PACKAGE),
    Case("a package without a main", "", word=("-m", "pkg"), at="pkg/x.py", files=PACKAGE),
    Case("a module that is not there", "", word=("-m", "gone.away")),
    Case(
        "local packages",
        "import lib, lib.deep.core as core, ns.part\nfrom lib.deep import core as same\n"
        "print(lib.__file__, lib.__path__, core.NAME, same is core, list(ns.__path__))",
        files={
            "lib/__init__.py": "",
            "lib/deep/__init__.py": "from ..other import X",
            "lib/deep/core.py": "NAME = __name__",
            "lib/other.py": "X = 1",
            "ns/part.py": "",
        },
    ),
    Case(
        "a local module that hides one of the standard library that was imported",
        WHERE.format("secrets"),
        files={"secrets.py": "MINE = True"},
        cold="secrets.py stands before a module that its parent has imported from elsewhere",
    ),
    *(
        Case(
            f"a local {name} hides one that the parent needs itself",
            WHERE.format(name),
            files={f"{name}.py": "MINE = True"},
            imports=("colorsys",),
            cold="stands before a module",
        )
        for name in ("json", "socket", "ctypes")
    ),
    Case(
        "a local module that hides one that nobody has imported",
        WHERE.format("wave"),
        files={"wave.py": "MINE = True"},
    ),
    Case(
        "a local module of a name that Python has loaded long before",
        WHERE.format("os"),
        files={"os.py": "MINE = True"},
    ),
    Case(
        "a local package that hides an installed one",
        WHERE.format("numpy"),
        files={"numpy/__init__.py": "MINE = True"},
        cold="numpy stands before a module",
    ),
    Case(
        "a local folder of the name of an installed package",
        "import numpy; print(hasattr(numpy, '__version__'))",
        files={"numpy/data.csv": "1,2"},
    ),
    Case(
        "a package of our name",
        "import sys; print('sweeps' in sys.modules)\nimport sweeps, sweeps.runners\n"
        "print(sweeps.__file__, sweeps.runners.MINE)\nprint(sys.modules['sweeps'] is sweeps)",
        files={"sweeps/__init__.py": "", "sweeps/runners.py": "MINE = True"},
    ),
    Case(
        "PYTHONPATH",
        PATH + "import os, far, near; print(far.__file__, near.__file__, os.environ['PYTHONPATH'])",
        files={"lib/near.py": "", "../shared/far.py": ""},
        env={"PYTHONPATH": os.pathsep.join(("lib", "../shared", "/no/where", ".", "lib", ""))},
    ),
    Case("PYTHONPATH that is empty", PATH, env={"PYTHONPATH": ""}),
    Case("PYTHONPATH with the folder itself", PATH, env={"PYTHONPATH": f".{os.pathsep}"}),
    Case(
        "a relative PYTHONPATH that hides an installed package",
        WHERE.format("joblib"),
        files={"lib/joblib.py": "MINE = True"},
        env={"PYTHONPATH": "lib"},
        imports=("joblib",),
        cold="joblib.py stands before",
    ),
    Case(
        "a path that the script changes",
        "import sys; sys.path.insert(0, 'late'); import late_module; print(late_module.__file__)",
        files={"late/late_module.py": ""},
    ),
    Case("a safe path", PATH, env={"PYTHONSAFEPATH": "1"}),
    Case(
        "a site customisation of the user",
        "import sitecustomize, builtins; print(builtins.HELLO, sitecustomize.__file__)",
        files={"lib/sitecustomize.py": "import builtins; builtins.HELLO = 'from the site'"},
        env={"PYTHONPATH": "lib"},
    ),
    Case("no site customisation", "import sys; print('sitecustomize' in sys.modules)"),
    Case(
        "a site customisation that fails",
        "print('goes on')",
        files={"lib/sitecustomize.py": "1 / 0"},
        env={"PYTHONPATH": "lib"},
    ),
    Case(
        "a user customisation",
        "import usercustomize; print(usercustomize.__file__)",
        files={"lib/usercustomize.py": "print('first')"},
        env={"PYTHONPATH": "lib"},
    ),
    Case(
        "a reload of what was imported before",
        "import importlib, json, random, logging\nold = json.dumps\n"
        "print([importlib.reload(m).__name__ for m in (json, random, logging)])\n"
        "print(old is json.dumps, json.dumps([1]))",
    ),
    Case(
        "installed packages",
        "from importlib import metadata, resources, util\nprint(metadata.version('numpy'))\n"
        "print(len(list(metadata.distributions())), util.find_spec('numpy').origin)\n"
        "print(resources.files('numpy'))",
    ),
    Case(
        "a script that changes its own file",
        "import inspect, linecache, sys, traceback\nopen(__file__, 'a').write('print(2)\\n')\n"
        "print(inspect.getsource(sys.modules['__main__']))",
    ),
    Case(
        "a virtual environment's own view",
        "import sys, sysconfig, site\nprint(sys.prefix, sys.base_prefix, sys.exec_prefix)\n"
        "print(sys.executable, sysconfig.get_paths(), site.ENABLE_USER_SITE, site.getusersitepackages())",
    ),
]
