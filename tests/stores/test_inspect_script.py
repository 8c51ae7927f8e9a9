"""Scripts are read, not run: their options, their metric names, what is wrong with them."""

import ast
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from sweeps.stores import inspect_script
from sweeps.stores.inspect_script import MAX_SOURCE, MAX_WORDS, Option, inspect, pick_entry

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def options(body: str, head: str = "import argparse\np = argparse.ArgumentParser()\n") -> list:
    facts = inspect(head + dedent(body), "train.py")
    assert facts.problem is None
    return list(facts.options)


def click_options(body: str) -> list:
    return options(body, "import click\n")


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (
            'p.add_argument("--lr", type=float, default=1e-3, help="step\\n  size")',
            Option("--lr", "lr", "float", 0.001, help="step size"),
        ),
        ('p.add_argument("-n", "--num-leaves", type=int, default=31)',
         Option("--num-leaves", "num_leaves", "int", 31)),
        ('p.add_argument("-n", type=int)', Option("-n", "n", "int")),
        ('p.add_argument("--a", default=-0.5, type=float)', Option("--a", "a", "float", -0.5)),
        ('p.add_argument("--a", dest="alpha", type=float)', Option("--a", "alpha", "float")),
        ('p.add_argument("--b", choices=["gbdt", "dart"], required=True)',
         Option("--b", "b", choices=("gbdt", "dart"), required=True)),
        ('p.add_argument("--b", choices=(1, 2), type=int)', Option("--b", "b", "int",
                                                                   choices=(1, 2))),
        ('p.add_argument("--b", choices=range(1, 4), type=int)',
         Option("--b", "b", "int", choices=(1, 2, 3))),
        ('p.add_argument("--b", choices=range(10**30))', Option("--b", "b")),
        ('p.add_argument("--b", choices=range(1000000000000))', Option("--b", "b")),
        ('p.add_argument("--b", choices=[make()])', Option("--b", "b")),
        ('p.add_argument("data", help="table")',
         Option("", "data", help="table", required=True)),
        ('p.add_argument("data", nargs="?", default="x.csv")', Option("", "data", "str", "x.csv")),
        ('p.add_argument("--v", action="store_true")', Option("--v", "v", "bool", is_flag=True)),
        ('p.add_argument("-v", action="count", default=0)',
         Option("-v", "v", "int", 0, is_flag=True)),
        ('p.add_argument("--x", action=argparse.BooleanOptionalAction, default=True)',
         Option("--x", "x", "bool", True, is_flag=True)),
        ('p.add_argument("--x", type=bool, default=False)', Option("--x", "x", "bool", False)),
        ('p.add_argument("--x", type=str2bool)', Option("--x", "x", "bool")),
        ('p.add_argument("--x", type=positive_int)', Option("--x", "x", "int")),
        ('p.add_argument("--x", type=pathlib.Path)', Option("--x", "x", "str", is_path=True)),
        ('p.add_argument("--x", type=argparse.FileType("r"))',
         Option("--x", "x", "str", is_path=True)),
        ('p.add_argument("--x", type=lambda t: t)', Option("--x", "x")),
        ('p.add_argument("--x", type=float, nargs=2, default=[0.9, 0.99])', Option("--x", "x")),
        ('p.add_argument("--x", type=float, default=os.cpu_count())', Option("--x", "x", "float")),
        ('p.add_argument("--x", type=float, default=1e999)', Option("--x", "x", "float")),
        ('p.add_argument("--2d", type=int)', Option("--2d", "p_2d", "int")),
    ],
)  # fmt: skip
def test_argparse_options_are_read(line: str, option: Option) -> None:
    assert options(line) == [option]


def test_options_of_groups_and_functions_come_in_reading_order() -> None:
    found = options(
        """
        def add(parser):
            group = parser.add_argument_group("g").add_mutually_exclusive_group()
            group.add_argument("--first", type=int)
            for x in (1, 2):
                parser.add_argument("--second")
            parser.add_argument("--first", type=float)
        """
    )
    assert [(option.name, option.type) for option in found] == [("first", "int"), ("second", "str")]


def test_constants_of_the_module_stand_for_their_values() -> None:
    found = options(
        """
        KINDS = {"gbdt": 1, "dart": 2}
        LR: float = 0.1
        CHANGING = 1
        CHANGING = 2
        p.add_argument("--kind", choices=list(KINDS.keys()))
        p.add_argument("--lr", type=float, default=LR)
        p.add_argument("--n", type=int, default=CHANGING)
        """
    )
    assert found[0].choices == ("gbdt", "dart")
    assert [option.default for option in found[1:]] == [0.1, None]


@pytest.mark.parametrize(
    "line",
    [
        'p.add_argument("--version", action="version", version="1")',
        'p.add_argument("--help", action="help")',
        'p.add_argument(f"--{name}")',
        "p.add_argument(*flags)",
        'p.add_argument("--x ${{inputs.secret}}")',
        'p.add_argument("--x;reboot")',
        'add_argument("--x")',
    ],
)
def test_what_is_no_plain_option_is_left_out(line: str) -> None:
    assert options(line) == []


@pytest.mark.parametrize(
    ("decorator", "option"),
    [
        ('@click.option("--lr", default=0.1, help="rate")',
         Option("--lr", "lr", "float", 0.1, help="rate")),
        ('@click.option("-n", "--leaves", "num_leaves", type=int)',
         Option("--leaves", "num_leaves", "int")),
        ('@click.option("--n", type=click.INT, required=True)',
         Option("--n", "n", "int", required=True)),
        ('@click.option("--n", type=click.IntRange(1, 9), default=3)',
         Option("--n", "n", "int", 3)),
        ('@click.option("--n", type=click.FloatRange(0, 1))', Option("--n", "n", "float")),
        ('@click.option("--b", type=click.Choice(["gbdt", "dart"], case_sensitive=False))',
         Option("--b", "b", choices=("gbdt", "dart"))),
        ('@click.option("--v", is_flag=True)', Option("--v", "v", "bool", is_flag=True)),
        ('@click.option("--shout/--no-shout", default=False)',
         Option("--shout", "shout", "bool", False, is_flag=True)),
        ('@click.option("-v", count=True)', Option("-v", "v", "int", is_flag=True)),
        ('@click.option("--p", type=click.Path(exists=True))', Option("--p", "p", is_path=True)),
        ('@click.option("--p", multiple=True, type=float)', Option("--p", "p")),
        ('@click.argument("data")', Option("", "data", required=True)),
        ('@click.argument("data", default="a.csv")', Option("", "data", "str", "a.csv")),
    ],
)  # fmt: skip
def test_click_options_are_read(decorator: str, option: Option) -> None:
    assert click_options(f"@click.command()\n{decorator}\ndef main(**kw): ...") == [option]


def test_click_is_known_by_what_was_imported() -> None:
    source = 'from click import option as o\n@o("--lr", type=float)\ndef main(lr): ...\n'
    assert inspect(source, "t.py").options == (Option("--lr", "lr", "float"),)
    assert inspect('import menu\nmenu.option("--lr")\n', "t.py").options == ()


@pytest.mark.parametrize(
    ("source", "metrics"),
    [
        ('import mlflow\nmlflow.log_metric("loss", 1)', ("loss",)),
        ('import mlflow as m\nm.log_metric(key="loss", value=1)', ("loss",)),
        ('from mlflow import log_metric as lm\nlm("loss", 1)', ("loss",)),
        ('import mlflow\nmlflow.log_metrics({"a": 1, "b c": 2, f"{x}": 3, **more})', ("a", "b c")),
        ('import mlflow\nmlflow.log_metrics(metrics=dict(a=1))', ("a",)),
        ('from mlflow import log_metrics\nlog_metrics({"a": 1})\nlog_metrics({"a": 2})', ("a",)),
        ('import mlflow\nKEY = "auc"\ndef f():\n  mlflow.log_metric(KEY, 1)', ("auc",)),
        ('import mlflow\nmlflow.log_metric(f"{a}_loss", 1)', ()),
        ('import other\nother.log_metric("loss", 1)', ()),
        ('log_metric("loss", 1)', ()),
        ('import mlflow\nmlflow.log_param("loss", 1)', ()),
    ],
)  # fmt: skip
def test_metric_names_are_read_from_what_is_logged(source: str, metrics: tuple) -> None:
    facts = inspect(source, "t.py")
    assert facts.metrics == metrics
    assert facts.uses_mlflow == ("mlflow" in source)


LIGHTGBM = """
import lightgbm as lgb
import mlflow
{autolog}
lgb.train({{"metric": {metric}, "seed": 1}}, data, valid_names=["train", "test"])
"""


@pytest.mark.parametrize("autolog", ["mlflow.autolog()", "mlflow.lightgbm.autolog(silent=True)"])
@pytest.mark.parametrize(
    ("metric", "names"),
    [
        ('"multi_logloss"', ("train-multi_logloss", "test-multi_logloss")),
        ('["auc", "mae"]', ("train-auc", "train-l1", "test-auc", "test-l1")),
        ('"auc, rmse"', ("train-auc", "train-rmse", "test-auc", "test-rmse")),
        ("computed()", ()),
    ],
)
def test_autologging_of_lightgbm_names_metrics_by_set(
    autolog: str, metric: str, names: tuple
) -> None:
    assert inspect(LIGHTGBM.format(autolog=autolog, metric=metric), "t.py").metrics == names


def test_without_autologging_lightgbm_reports_nothing() -> None:
    assert inspect(LIGHTGBM.format(autolog="", metric='"auc"'), "t.py").metrics == ()


def test_the_iris_example_is_understood() -> None:
    facts = inspect((EXAMPLES / "iris_lightgbm" / "main.py").read_text(), "main.py")
    assert [option.flag for option in facts.options] == [
        "--iris-csv", "--learning-rate", "--boosting", "--num-boost-round",
    ]  # fmt: skip
    assert facts.metrics == ("train-multi_logloss", "test-multi_logloss")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a = 1\n\nb = (", "train.py line 3: '(' was never closed."),
        ("a = 1\0", "train.py: source code string cannot contain null bytes."),
        ("-" * 50_000 + "1", "train.py is nested too deeply to be read."),
        ("a" + ".b" * 20_000, "train.py is nested too deeply to be read."),
        ("(" * 10_000, "train.py line 1: too many nested parentheses."),
        ("#" * (MAX_SOURCE + 1), "train.py is too long to be read for its options."),
        ("a\n" * (MAX_WORDS + 1), "train.py is too long to be read for its options."),
    ],
)
def test_a_script_that_cannot_be_parsed_has_a_problem(source: str, problem: str) -> None:
    facts = inspect(source, "train.py")
    assert facts.problem == problem
    assert facts.options == ()


def test_a_script_of_very_many_words_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        inspect("a\n" * 120_000, "train.py")
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_scripts_are_parsed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, both = inspect_script.ast.parse, threading.Barrier(2)
    met: list[bool] = []

    def slowly(*given: str) -> ast.AST:
        try:
            both.wait(timeout=0.3)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
        return parse(*given)

    monkeypatch.setattr(inspect_script.ast, "parse", slowly)
    with ThreadPoolExecutor() as pool:
        assert not any(f.problem for f in pool.map(inspect, ["a = 1", "b = 1"], ["a.py", "b.py"]))
    assert met == [False, False]


def test_a_script_is_never_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    inspect(f"open({str(witness)!r}, 'w')\nraise SystemExit(1)\n", "t.py")
    assert not witness.exists()


def test_odd_escapes_and_a_byte_order_mark_are_the_scripts_own_matter() -> None:
    facts = inspect('\ufeffimport mlflow\na = "\\d"\nmlflow.log_metric("x", 1)\n', "t.py")
    assert facts.metrics == ("x",)


@pytest.mark.parametrize(
    ("names", "entry"),
    [
        (["main.py", "train.py", "x.csv"], "main.py"),
        (["train.py", "model.py", "src/main.py"], "train.py"),
        (["train_iris.py", "model.py"], "train_iris.py"),
        (["fit.py", "data.csv", "lib/a.py", "lib/b.py"], "fit.py"),
        (["fit.py", "setup.py", "test_fit.py", "conftest.py"], "fit.py"),
        (["src/fit.py", "README.md"], "src/fit.py"),
        (["src/a.py", "src/train.py", "deep/er/main.py"], "src/train.py"),
        (["a.py", "run.py"], "run.py"),
        (["train_a.py", "train_b.py"], "train_a.py"),
        (["a.py", "b.py"], None),
        (["README.md"], None),
        ([], None),
    ],
)
def test_the_script_that_most_likely_trains_is_picked(names: list, entry: str | None) -> None:
    assert pick_entry(names) == entry
