"""Command templates: reading, checking, filling in."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.command import (
    MAX_COMMAND,
    Placeholder,
    Word,
    check,
    dashes,
    environment,
    format_value,
    parse_command,
    render,
    shell_line,
    unused,
)
from sweeps.domain.param_names import known_names, presence
from sweeps.domain.problems import InvalidInput
from sweeps.domain.scripts import missing_script
from sweeps.domain.space_doc import parse_space

SPACE = parse_space(
    {
        "lr": {"type": "uniform", "min_value": 0.01, "max_value": 0.9},
        "model": {
            "type": "choice",
            "values": [
                "plain",
                {"name": "svm", "c": {"type": "uniform", "min_value": -1, "max_value": 1}},
            ],
        },
        "kind": {
            "type": "choice",
            "values": [
                {"a": 1, "b": {"type": "randint", "upper": 2}},
                {"a": {"type": "choice", "values": [2, {"deep": 3}]}},
            ],
        },
    }
)
KNOWN = known_names(SPACE, inputs=["iris"], outputs=["model_dir"])


def fill(template: str, **params: Any) -> tuple[str, ...]:
    return render(parse_command(template), params, {"iris": "/data/iris.csv"}, {"out": "/o"})


def refusal(template: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_command(template)
    (problem,) = caught.value.problems
    assert problem.field == "command"
    return problem.message


@pytest.mark.parametrize(
    ("template", "argv"),
    [
        ("python a.py --lr ${{search_space.lr}}", ["python", "a.py", "--lr", "0.05"]),
        ("python a.py --lr=${{ search_space.lr }}", ["python", "a.py", "--lr=0.05"]),
        ("python a.py --lr ${{\n search_space.lr\t}}", ["python", "a.py", "--lr", "0.05"]),
        ("python a.py --lr {search_space.lr}", ["python", "a.py", "--lr", "0.05"]),
        ("python a.py --d { inputs.iris }", ["python", "a.py", "--d", "/data/iris.csv"]),
        ("cat ${{inputs.iris}}:${{outputs.out}}", ["cat", "/data/iris.csv:/o"]),
        ("echo '${{search_space.lr}} x' \"a b\"", ["echo", "0.05 x", "a b"]),
        ("python \\\n  a.py \\ \r\n --x", ["python", "a.py", "--x"]),
        ("python\n  a.py\n --x\n", ["python", "a.py", "--x"]),
        ("echo 'a|b' \"&&\" ';' \\>", ["echo", "a|b", "&&", ";", ">"]),
        (
            "echo a=b --filter=x>1 http://x/?a=1&b=2",
            ["echo", "a=b", "--filter=x>1", "http://x/?a=1&b=2"],
        ),
        ("bash -c 'a | b && c > d'", ["bash", "-c", "a | b && c > d"]),
        ("echo '' x", ["echo", "", "x"]),
        ("echo {a} {{search_space.lr}} $", ["echo", "{a}", "{{search_space.lr}}", "$"]),
        ("echo [[ x ]]", ["echo", "[[", "x", "]]"]),
        ("echo # no comment", ["echo", "#", "no", "comment"]),
    ],
)
def test_templates_become_argument_vectors(template: str, argv: list[str]) -> None:
    assert fill(template, lr=0.05) == tuple(argv)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.05, "0.05"),
        (1e-05, "1e-05"),
        (5, "5"),
        (5.0, "5.0"),
        (True, "True"),
        (False, "False"),
        ("a b", "a b"),
        ({"c": 0.5, "n": {"é": True}}, '{"c":0.5,"n":{"é":true}}'),
    ],
)
def test_values_are_written_as_python_prints_them(value: Any, text: str) -> None:
    assert format_value(value) == text
    assert fill("x ${{search_space.v}}", v=value) == ("x", text)


def test_args_give_every_flat_parameter() -> None:
    argv = fill("python a.py ${{args}} --end", lr=0.05, model={"name": "svm", "c": 1.5}, on=True)
    assert argv == (
        *("python", "a.py", "--lr", "0.05", "--model.name", "svm", "--model.c", "1.5"),
        *("--on", "True", "--end"),
    )


def test_nested_values_have_dotted_names() -> None:
    model = {"name": "svm", "k": {"degree": 2}}
    template = (
        "x ${{search_space.model}} ${{search_space.model.k}} ${{search_space.model.k.degree}}"
    )
    assert fill(template, model=model) == (
        "x",
        '{"name":"svm","k":{"degree":2}}',
        '{"degree":2}',
        "2",
    )


@pytest.mark.parametrize(
    "value",
    [
        "; rm -rf $HOME",
        "$(id)",
        "`id`",
        "a\nb",
        "'",
        '"',
        "${{inputs.iris}}",
        "{inputs.iris}",
        "\\",
    ],
)
def test_values_stay_one_argument_and_are_never_expanded(value: str) -> None:
    argv = fill("python a.py --x=${{search_space.v}} ${{search_space.v}}", v=value)
    assert argv == ("python", "a.py", f"--x={value}", value)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_value_arrives_as_it_was(value: str) -> None:
    assert fill("x '${{search_space.v}}'", v=value) == ("x", value)
    assert shlex.split(shell_line(("x", value))) == ["x", value]


def test_a_program_really_gets_the_words() -> None:
    code = "import sys; print(sys.argv[1:])"
    argv = fill(f"python -c '{code}' --v=${{{{search_space.v}}}}", v="a 'b' $HOME\n")
    done = subprocess.run(
        [sys.executable, *argv[1:]], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == repr(["--v=a 'b' $HOME\n"])


# --- Optional parts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "argv"),
    [
        ("x $[[--a ${{inputs.iris}}]] y", ["x", "--a", "/data/iris.csv", "y"]),
        ("x $[[--a ${{inputs.none}}]] y", ["x", "y"]),
        ("x $[[--a ${{inputs.none}} ${{inputs.iris}}]] y", ["x", "y"]),
        ("x $[[ --c=${{search_space.model.c}} ]]", ["x", "--c=2"]),
        (
            "x $[[--c ${{search_space.model.d}}]] $[[--e ${{search_space.model.c}}]]",
            ["x", "--e", "2"],
        ),
    ],
)
def test_optional_parts_are_dropped_without_a_value(template: str, argv: list[str]) -> None:
    assert fill(template, model={"c": 2}) == tuple(argv)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("x $[[--a ${{inputs.a}}", "A $[[ is never closed by ]]."),
        ("x $[[--a]]", "needs a placeholder that may be absent"),
        ("x --b$[[=${{inputs.a}}]]", "stands between spaces"),
        ("x $[[${{inputs.a}}]]b", "stands between spaces"),
        ("x ' $[[${{inputs.a}}]] '", "cannot stand inside quotes"),
    ],
)
def test_malformed_optional_parts_are_refused(template: str, message: str) -> None:
    assert message in refusal(template)


# --- Refusals and notes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "Write the command that each trial runs."),
        (" \n\t ", "Write the command that each trial runs."),
        ("python a.py\0", "A command cannot hold a NUL character."),
        ("python 'a.py", "A quote is never closed."),
        ('python "a.py', "A quote is never closed."),
        ("python a.py \\", "The command ends with a backslash that escapes nothing."),
        ("python ${{search_space.x", "A ${{ is never closed by }}."),
        ("python ${{search_space}}", "“${{search_space}}” is not known here."),
        ("python ${{parent.inputs.x}}", "Use ${{search_space.NAME}}, ${{inputs.NAME}}"),
        ("python ${{}}", "is not known here"),
        ("python --a=${{args}}", "put spaces around it"),
        ("'' a", "The command starts with an empty word."),
    ],
)
def test_commands_that_mean_nothing_are_refused(template: str, message: str) -> None:
    assert message in refusal(template)


@pytest.mark.parametrize(
    "operator",
    [
        "|",
        "||",
        "&",
        "&&",
        ";",
        ">",
        ">>",
        "<",
        "<<",
        "2>",
        "2>&1",
        "|&",
        "&>",
        ">log.txt",
        "2>err",
    ],
)
def test_operators_between_commands_have_a_shell_run_it(operator: str) -> None:
    template = parse_command(f"python a.py {operator} b")
    assert [str(word.parts[0]) for word in template.words] == [
        "bash", "-c", f"python a.py {operator} b", "bash",
    ]  # fmt: skip
    assert "needs a shell: bash runs this command." in template.notes[0]
    assert len(parse_command(f"python a.py '{operator}' b").words) == 4


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("cd src; python a.py", "“;”"),
        ("cd ${{inputs.iris}}; python a.py", "“;”"),
        ("cd src&&python a.py", "“&&”"),
        ("A=1 python a.py", "“A=”"),
        ("python a.py --x $HOME/a", "“$HOME”"),
        ('python a.py --x "${HOME}"', "“${HOME}”"),
        ("python a.py --x $(nproc)", "“$(nproc)”"),
        ("export A=1\npython a.py", "A second command"),
        ('python a.py --q "isn\'t" --home $HOME --r "won\'t"', "“$HOME”"),
        ("# don't forget\npython a.py", "“#”"),
        ("python a.py # it's\nls # that's", "“#”"),
        ("python - <<E\nprint('')\nE", "“<<”"),
        ("bash -c 'echo a' && bash -c 'echo b'", "“&&”"),
    ],
)
def test_what_a_shell_would_do_a_shell_does(command: str, sign: str) -> None:
    template = parse_command(command)
    assert template.words[0].parts == ("bash",)
    assert template.notes == (f"{sign} needs a shell: bash runs this command.",)


@pytest.mark.parametrize(
    "command",
    [
        "python a.py --url http://h/?a=1&b=2",
        "python a.py --where x>5",
        "python a.py '$HOME' 'a; b'",
        "python a.py \\$HOME",
        "bash -c 'A=$HOME; echo $A'",
    ],
)
def test_what_needs_no_shell_runs_without_one(command: str) -> None:
    template = parse_command(command)
    assert not template.shell
    assert template.notes == ()


# Each would do harm if it became a part of the script.
HOSTILE = ["'", '"', "$(touch harm)", "`touch harm`", "; touch harm #", "a b", "*", "\\", "\n", ""]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "command",
    [
        "true && printf %s ${{inputs.iris}}",
        'true && printf %s "${{inputs.iris}}"',
        "true && printf %s '${{inputs.iris}}'",
        "true && printf %s \"a\"${{ inputs.iris }}'b'",
        # Where quotes are letters, and where they begin anew within others.
        "# it's\nprintf %s ${{inputs.iris}} # that's ${{inputs.iris}}",
        "true && printf %s \\${{inputs.iris}}",
        'true && x=$(printf %sx "$(printf %s "${{inputs.iris}}"; echo x)") && printf %s "${x%??}"',
        "cat <<E | head -c -1 # it's %s\n${{inputs.iris}}\nE",
    ],
)
def test_a_value_stays_one_word_of_the_script_wherever_it_stands(
    tmp_path: Path, command: str, value: str
) -> None:
    argv = render(parse_command(command), {}, {"iris": value}, {})
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True)
    expected = f"a{value}b" if "a" in command.split("%s")[1][:3] else value
    assert done.stdout.decode() == expected
    assert list(tmp_path.iterdir()) == []


def test_no_placeholder_stands_where_none_can_be_filled_in() -> None:
    assert "quoted takes no placeholder: write <<E" in refusal("cat <<'E' >x\n${{inputs.iris}}\nE")
    assert "empty word" in refusal("# nothing\n# else")
    assert "empty word" in refusal("\\\n")
    script = parse_command("true && echo \"\\${{inputs.iris}}\" $'\\t${{inputs.iris}}\\t'")
    done = subprocess.run(render(script, {}, {"iris": "i"}, {}), capture_output=True, text=True)
    assert done.stdout == "\\i \ti\t\n"


def test_all_arguments_reach_the_command_in_the_shell() -> None:
    template = parse_command("true && printf '%s\n' ${{inputs.iris}} ${{args}} end")
    argv = render(template, {"lr": 0.5, "b": "x y"}, {"iris": "i"}, {})
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["i", "--lr", "0.5", "--b", "x y", "end"]


def test_more_than_nine_values_keep_their_places() -> None:
    names = [f"p{number}" for number in range(12)]
    line = " ".join(str(Placeholder("search_space", name)) for name in names)
    params = dict(zip(names, names, strict=True))
    argv = render(parse_command(f"true && echo {line}"), params, {}, {})
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split() == names


def test_an_optional_part_needs_a_command_without_a_shell() -> None:
    assert "cannot stand in a command for a shell (“&&”)" in refusal(
        "true && x $[[-o ${{outputs.out}}]]"
    )


@pytest.mark.parametrize(
    ("template", "note"),
    [
        ("python a.py --x {search_space.lr}", "{…} for parameters is deprecated"),
        ("train.sh x\na.py", "Line breaks count as spaces"),
        ("pip install x", "name packages in an environment"),
    ],
)
def test_lenient_readings_are_noted(template: str, note: str) -> None:
    notes = parse_command(template).notes
    assert any(note in found for found in notes)
    assert len(notes) == 1


@pytest.mark.parametrize(
    "template",
    [
        "python a.py\n  --x 1\n  ${{search_space.lr}}",
        "bash -c 'echo x\npython $A'",
        "python a.py \\\n b.py",
        "/bin/sh run.sh $HOME",
    ],
)
def test_ordinary_commands_have_no_notes(template: str) -> None:
    assert parse_command(template).notes == ()


def test_template_keeps_its_structure() -> None:
    template = parse_command("x --a=${{inputs.iris}} $[[-o ${{outputs.out}}]]")
    assert template.words == (
        Word(("x",)),
        Word(("--a=", Placeholder("inputs", "iris"))),
        Word(("-o",), 0),
        Word((Placeholder("outputs", "out"),), 0),
    )
    assert [str(p) for p in template.placeholders] == ["${{inputs.iris}}", "${{outputs.out}}"]


# --- Checking -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("x ${{search_space.lrr}}", "the search space has no parameter “lrr”. Did you mean lr?"),
        ("x ${{inputs.zzz}}", "there is no input “zzz”. Known: iris. Take it out"),
        ("x ${{outputs.model}}", "there is no output “model”. Did you mean model_dir?"),
        ("x $[[${{search_space.lrr}}]]", "Did you mean lr?"),
        (
            "x --c ${{search_space.model.c}}",
            "model.c exists only in some trials; write $[[--c ${{search_space.model.c}}]] "
            "so that it is left out elsewhere.",
        ),
        ("x ${{search_space.kind.b}}", "kind.b exists only in some trials"),
        ("x ${{search_space.kind.a.deep}}", "kind.a.deep exists only in some trials"),
    ],
)
def test_unknown_placeholders_are_named(template: str, message: str) -> None:
    (problem,) = check(parse_command(template), KNOWN)
    assert problem.field == "command"
    assert message in problem.message


def test_empty_kinds_are_said_to_be_empty() -> None:
    (problem,) = check(parse_command("x ${{inputs.a}}"), {"search_space": ["lr"]})
    assert problem.message == (
        "${{inputs.a}}: there is no input “a”. Take it out of the command, or add it."
    )


@pytest.mark.parametrize(
    "template",
    [
        "x ${{args}} ${{search_space.lr}} ${{search_space.model}} ${{search_space.kind.a}}",
        "x $[[--c ${{search_space.model.c}}]] $[[--i ${{inputs.absent}}]]",
        "x ${{inputs.iris}} ${{outputs.model_dir}}",
    ],
)
def test_known_placeholders_pass(template: str) -> None:
    assert check(parse_command(template), KNOWN) == []


def test_same_mistake_is_reported_once() -> None:
    assert len(check(parse_command("x ${{inputs.q}} ${{inputs.q}} ${{inputs.r}}"), KNOWN)) == 2


def test_presence_tells_what_every_trial_has() -> None:
    assert presence(SPACE) == {
        "lr": True,
        "model": True,
        "model.name": False,
        "model.c": False,
        "kind": True,
        "kind.a": True,
        "kind.b": False,
        "kind.a.deep": False,
    }


def test_unused_parameters_are_found() -> None:
    names = SPACE.names()
    assert unused(parse_command("x ${{search_space.lr}}"), names) == ["model", "kind"]
    assert unused(parse_command("x $[[${{search_space.model.c}}]]"), names) == ["lr", "kind"]
    assert unused(parse_command("x ${{args}}"), names) == []
    assert unused(parse_command("x ${{inputs.lr}}"), ["lr"]) == ["lr"]


def test_values_that_look_like_options_are_warned_of() -> None:
    space = parse_space(
        {
            "shift": {"type": "normal", "mu": 0, "sigma": 1},
            "whole": {"type": "qnormal", "mu": 0, "sigma": 1, "q": 1},
            "up": {"type": "uniform", "min_value": 0, "max_value": 1},
            "flag": {"type": "choice", "values": ["-v", "-q"]},
        }
    )
    lone = " ".join(f"--{n} ${{{{search_space.{n}}}}}" for n in space.names())
    joined = " ".join(f"--{n}=${{{{search_space.{n}}}}}" for n in space.names())
    found = dashes(parse_command(f"x {lone}"), space)
    assert [sentence.split()[0] for sentence in found] == ["flag", "shift"]
    assert found[1].endswith("write --shift=${{search_space.shift}} as one word.")
    assert dashes(parse_command(f"x {joined}"), space) == []


def test_missing_value_is_an_error_not_an_empty_word() -> None:
    with pytest.raises(InvalidInput, match=r"\$\{\{search_space.model.c\}\} has no value"):
        fill("x ${{search_space.model.c}}", model="plain")


# --- Environment --------------------------------------------------------------------------------


def test_environment_names_parameters_and_place() -> None:
    found = environment(
        {"lr": 0.05, "model": {"name": "svm", "c": 2}, "on": True},
        sweep="s",
        trial=3,
        attempt=1,
        output_dir="/o",
        params_file="/p.json",
        inputs={"iris": "/i", "lr": "input"},
        outputs={"out": "/out"},
    )
    assert found == {
        "AZUREML_SWEEP_iris": "/i",
        "AZUREML_SWEEP_out": "/out",
        "AZUREML_SWEEP_lr": "0.05",
        "AZUREML_SWEEP_model": '{"name":"svm","c":2}',
        "AZUREML_SWEEP_on": "True",
        "SWEEP_PARAM_LR": "0.05",
        "SWEEP_PARAM_MODEL_NAME": "svm",
        "SWEEP_PARAM_MODEL_C": "2",
        "SWEEP_PARAM_ON": "True",
        "SWEEP_NAME": "s",
        "SWEEP_TRIAL": "3",
        "SWEEP_ATTEMPT": "1",
        "SWEEP_OUTPUT_DIR": "/o",
        "SWEEP_PARAMS_FILE": "/p.json",
    }


def test_ambiguous_capitals_are_left_out() -> None:
    place = {"sweep": "s", "output_dir": "/o", "params_file": "/p"}
    found = environment({"lr": 1, "LR": 2, "a": {"b": 3}, "a_b": 4}, trial=0, attempt=1, **place)  # type: ignore[arg-type]
    assert not [name for name in found if name.startswith("SWEEP_PARAM_")]
    assert (found["AZUREML_SWEEP_lr"], found["AZUREML_SWEEP_LR"]) == ("1", "2")


def test_long_commands_are_read_in_reasonable_time() -> None:
    """None is read anew from each place of it: that takes minutes, and every test has one."""
    for part in ("<<E ", "<<E\n", "$("):
        command = f"true && {part * (19_000 // len(part))}"
        assert parse_command(command).words[2].parts == (command,)


@pytest.mark.parametrize(
    ("command", "files", "missing"),
    [
        ("python t.py --x 1", [], "t.py"),
        ("python t.py --x 1", ["t.py"], ""),
        ("python ./src/t.py", ["src/t.py"], ""),
        ("python src/t.py", ["t.py"], "src/t.py"),
        ("python /opt/t.py", [], ""),
        ("python -m t", [], ""),
        ("python ${{inputs.iris}}", [], ""),
        ("cd src && python t.py", [], ""),
        ("train", [], ""),
    ],
)
def test_a_script_that_is_not_in_the_code_is_noticed(
    command: str, files: list[str], missing: str
) -> None:
    assert missing_script(parse_command(command), files) == missing


def test_a_command_is_read_up_to_a_length() -> None:
    """What nests is read in the square of it."""
    longest = "a" * MAX_COMMAND
    assert parse_command(longest).words[0].parts == (longest,)
    with pytest.raises(InvalidInput, match="20,000 characters at most: 20,001"):
        parse_command(f"{longest}a")
