"""Requirements files: what is handed to the installer, and what is refused with its line."""

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.environments.requirements import read_items, read_requirements


def lines(text: str, files: dict[str, str] | None = None) -> tuple[str, ...]:
    return read_requirements(text, "r", (files or {}).get).lines


def said(text: str, files: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        lines(text, files)
    return [f"{problem.field}: {problem.message}" for problem in error.value.problems]


def test_comments_and_empty_lines_fall_away_and_continued_lines_join() -> None:
    text = "# all\n\nnumpy>=2  # maths\nscipy \\\n  ==1.17.0 \\\n  --hash=sha256:00\r\nsix\n"
    assert lines(text) == ("numpy>=2", "scipy ==1.17.0 --hash=sha256:00", "six")


def test_names_are_canonical() -> None:
    found = read_requirements("Scikit_Learn[x]==1; python_version>'3'\nMLflow\n", "r")
    assert found.names == {"scikit-learn", "mlflow"}


def test_an_address_is_no_comment() -> None:
    address = "git+https://example.org/a.git@1#egg=a"
    assert lines(f"{address}\nb @ https://example.org/b.whl\n") == (
        address,
        "b @ https://example.org/b.whl",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--index-url https://example.org/simple", "--index-url https://example.org/simple"),
        ("--extra-index-url=https://example.org/s", "--extra-index-url https://example.org/s"),
        ("-ihttps://example.org/simple", "-i https://example.org/simple"),
        ("--find-links /wheels", "--find-links /wheels"),
        ("--no-index", "--no-index"),
    ],
)
def test_where_packages_come_from_may_be_said(line: str, told: str) -> None:
    assert lines(line) == (told,)


def test_files_that_it_includes_are_written_out() -> None:
    files = {"base.txt": "numpy\n-r more.txt\n", "more.txt": "six\n"}
    for include in ("-r base.txt", "-rbase.txt", "--requirement=base.txt"):
        assert lines(f"{include}\nscipy\n", files) == ("numpy", "six", "scipy")


def test_files_that_include_each_other_are_refused() -> None:
    [text] = said("-r a", {"a": "-r b", "b": "-r a"})
    assert "do they include each other?" in text


def test_every_wrong_line_is_told_with_its_number() -> None:
    found = said("six\n-e .\n\n--pre\n./dist/x.whl\nnot a package!\n-r gone.txt\n-c c.txt\n")
    assert [text[: text.index(":", 3)] for text in found] == [
        "r: Line 2", "r: Line 4", "r: Line 5", "r: Line 6", "r: Line 7", "r: Line 8",
    ]  # fmt: skip
    assert "is a project on a disk" in found[0]
    assert "“--pre” cannot be used here; allowed are -r, --index-url" in found[1]
    assert "names no package" in found[3]
    assert "There is no “gone.txt”" in found[4]


def test_a_wrong_line_of_an_included_file_is_told_with_that_file() -> None:
    assert (
        "base.txt, line 2: “!” names no package" in said("-r base.txt", {"base.txt": "six\n!"})[0]
    )


def test_a_folder_of_wheels_needs_a_whole_path() -> None:
    assert "with an address or a whole path, not “wheels”" in said("--find-links wheels")[0]


def test_items_are_told_by_their_place() -> None:
    with pytest.raises(InvalidInput) as error:
        read_items([("pip[0]", "six"), ("pip[1]", "-e .")])
    assert [problem.field for problem in error.value.problems] == ["pip[1]"]


def test_what_no_installer_reads_as_one_line_cannot_bring_others_in() -> None:
    found = read_items([("pip[0]", "six\n# both\nb @ https://example.org/b.whl\n")])
    assert found.lines == ("six", "b @ https://example.org/b.whl")
    for hidden in ("https://e.org/a.whl\n-e /srv", "a @ https://e.org/a.whl\r-e/srv"):
        with pytest.raises(InvalidInput, match="is a project on a disk"):
            read_items([("pip[0]", hidden)])
    for line in ("https://e.org/\0", "https://e.org/\ud800"):
        assert "holds a character that is no text" in said(line)[0]


def test_what_cannot_be_read_is_told_too() -> None:
    nested = f"a; {'(' * 3000}os_name == 'x'{')' * 3000}"
    assert "is nested too deeply" in said(nested)[0]
    for place in ("file:///srv/a", "../a", "/srv/a.whl"):
        assert "is a project on a disk" in said(f"a @ {place}")[0]


@pytest.mark.parametrize("line", ["--index-url", "-i https://e.org -e /srv", "--no-index x"])
def test_options_are_given_what_they_take(line: str) -> None:
    assert "is given" in said(line)[0]


def test_files_that_include_more_and_more_are_not_read_for_ever() -> None:
    read: list[str] = []
    files = {f"f{depth}": f"-r f{depth + 1}\n" * 50 for depth in range(8)}

    def count(path: str) -> str | None:
        read.append(path)
        return files.get(path, "# nothing")

    with pytest.raises(InvalidInput, match="more than 100 times"):
        read_requirements("-r f0", "r", count)
    assert len(read) <= 101


def test_more_lines_than_anybody_needs_are_told_once_whether_right_or_wrong() -> None:
    for line in ("six", "!"):
        assert "more than 2000 lines" in said(f"{line}\n" * 50_000)[-1]
    assert "more than 2000 lines" in said("-r a", {"a": "six\n" * 50_000})[-1]
