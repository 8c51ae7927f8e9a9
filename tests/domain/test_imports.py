"""What a script imports, read from its text."""

from collections.abc import Mapping

import pytest

from sweeps.domain.imports import imports


def found(source: str, files: Mapping[str, str] | None = None) -> tuple[str, ...]:
    return imports(source, (files or {}).get)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import numpy", ("numpy",)),
        ("import numpy as np, lightgbm", ("numpy", "lightgbm")),
        ("import sklearn.svm", ("sklearn.svm",)),
        ("from sklearn.svm import SVC", ("sklearn.svm.SVC",)),
        ("from numpy import *", ("numpy",)),
        ("import json, os.path\nfrom pathlib import Path", ()),
        ("from __future__ import annotations", ()),
        ("try:\n    import a\nexcept ImportError:\n    import b", ("a", "b")),
        ("if True:\n    import a\nwith open('x'):\n    import b", ("a", "b")),
        ("def later():\n    import a\nimport b", ("b",)),
        ("def main():\n    import a\nif __name__ == '__main__':\n    main()", ("a",)),
        ("def f():\n    import a\ndef main():\n    f()\nmain()", ("a",)),
        ("class A:\n    import a", ()),
        ("import mlflow\nmlflow.lightgbm.autolog()", ("mlflow", "mlflow.lightgbm.autolog")),
        ("import sklearn as s\ns.svm.SVC()", ("sklearn", "sklearn.svm.SVC")),
        ("from a import b\nb.c()", ("a.b", "a.b.c")),
        ("import a\nimport a", ("a",)),
        ("def broken(:", ()),
        ("\ufeffimport a", ("a",)),
        ("x = '\\d'\nimport a", ("a",)),
        ("from . import a", ()),
        ("def loop():\n    loop()\nloop()\nimport a", ("a",)),
    ],
)
def test_names_are_found_in_their_order(source: str, names: tuple[str, ...]) -> None:
    assert found(source) == names


def test_what_the_codes_own_modules_import_is_found_where_they_are_imported() -> None:
    files = {"model": "import torch\nfrom layers import Deep", "layers": "import einops"}
    assert found("import numpy\nimport model\nimport pandas", files) == (
        "numpy", "torch", "einops", "pandas",
    )  # fmt: skip


def test_a_package_of_the_code_is_followed_with_its_relative_imports() -> None:
    files = {"kit": "from .data import load", "kit.data": "import pandas\nfrom . import more"}
    files |= {"kit.__init__": files["kit"]}
    files["kit.more"] = "import scipy.stats"
    assert found("from kit import data", files) == ("pandas", "scipy.stats")


def test_modules_that_import_each_other_are_read_once() -> None:
    assert found("import a", {"a": "import b, numpy", "b": "import a, scipy"}) == (
        "scipy", "numpy",
    )  # fmt: skip
