"""What is shown of a stranger's file: text, tables and images, never a document of theirs."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from sweeps.stores import previews
from sweeps.stores.artifacts import Tree, inside, listing, model_folders, zipped
from sweeps.stores.previews import TEXT_BYTES, preview

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def kept(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.png", PNG, "image"),
        ("named_otherwise.txt", PNG, "image"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        ("fake.png", b"<script>alert(1)</script>", "text"),
        ("a.svg", b"<svg onload='alert(1)'/>", "text"),
        ("a.html", b"<b>x</b>", "text"),
        ("a.bin", b"\0\1\2", "none"),
        ("latin.txt", b"caf\xe9 and more", "none"),
        ("a.csv", b"a,b\n1,2\n", "table"),
        ("a.tsv", b"a\tb\n1\t2\n", "table"),
        ("no.csv", b"\0\0", "none"),
        ("empty", b"", "empty"),
    ],
)
def test_what_a_file_is_shown_as(tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    assert preview(kept(tmp_path, name, data)).kind == kind


def test_json_is_laid_out_and_what_is_none_stays(tmp_path: Path) -> None:
    assert preview(kept(tmp_path, "a.json", b'{"a":[1]}')).text == '{\n  "a": [\n    1\n  ]\n}'
    assert preview(kept(tmp_path, "b.json", b"{nope")).text == "{nope"
    deep = b"[" * 100_000
    assert preview(kept(tmp_path, "c.json", deep)).text == deep.decode()


def test_long_text_is_cut_between_characters(tmp_path: Path) -> None:
    found = preview(kept(tmp_path, "a.txt", b"x" + "é".encode() * previews.TEXT_BYTES))
    assert found.kind == "text"
    assert found.text.endswith("é")
    assert len(found.text) <= previews.TEXT_BYTES
    assert "first 256 kB" in found.cut


def test_a_table_shows_200_rows_and_says_so(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(1000))
    found = preview(kept(tmp_path, "a.csv", b"n,m\n" + rows.encode()))
    assert (len(found.rows), found.rows[0]) == (201, ("n", "m"))
    assert "first 200 rows" in found.cut
    whole = preview(kept(tmp_path, "b.csv", b"n,m\n1\n\n2,3,4\n"))
    assert whole.rows == (("n", "m", ""), ("1", "", ""), ("2", "3", "4"))
    assert whole.cut == ""
    wide = preview(kept(tmp_path, "c.csv", b",".join([b"1"] * 80)))
    assert len(wide.rows[0]) == 50
    assert "50 of 80 columns" in wide.cut


def test_a_folder_is_read_by_page_and_leads_nowhere_else(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for n in range(5):
        kept(root, f"f{n}", b"x" * n)
    kept(root, "sub/g", b"")
    kept(root, "half.part", b"")
    (root / "link").symlink_to("/etc")
    found = listing(root, "", page=1, size=4)
    assert found
    assert [one.name for one in found.entries] == ["sub", "f0", "f1", "f2"]
    assert (found.count, found.pages, found.entries[0].is_folder) == (6, 2, True)
    last = listing(root, "", page=99, size=4)
    assert last
    assert [one.size for one in last.entries] == [3, 4]
    for path in ("link", "..", "sub/../..", "nope", "f1", "\0"):
        assert listing(root, path) is None
    assert inside(root, "x" * 5000) is None


def test_a_zip_is_made_while_it_is_sent(tmp_path: Path) -> None:
    root = tmp_path / "root"
    kept(root, "a/b.bin", bytes(range(256)) * 4096)
    kept(root, "ü.txt", "é".encode())
    (root / "link").symlink_to("/etc/passwd")
    parts = list(zipped([Tree(root, "", "x/")], [("README", [b"h", b"i"])]))
    assert len(parts) > 3
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["README", "x/a/b.bin", "x/ü.txt"]
        assert archive.read("README") == b"hi"
        assert archive.read("x/a/b.bin") == bytes(range(256)) * 4096
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped([Tree(root, "a")])))) as archive:
        assert archive.namelist() == ["b.bin"]


def test_deep_json_is_not_blown_up(tmp_path: Path) -> None:
    """A megabyte of brackets would be a gigabyte of indents."""
    deep = b"[" + b",".join([b"[" * 300 + b"]" * 300] * 1_700) + b"]"
    shown = preview(kept(tmp_path, "d.json", deep))
    assert len(shown.text) <= TEXT_BYTES
    assert shown.cut


def test_json_of_very_many_values_is_shown_as_it_is(tmp_path: Path) -> None:
    data = b"[" + b",".join([b"[[]]"] * 200_000) + b"]"
    (tmp_path / "a.json").write_bytes(data)
    tracemalloc.start()
    try:
        found = preview(tmp_path / "a.json")
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert found.text == data.decode()[: len(found.text)]
    assert found.cut


def test_a_very_wide_table_is_cut_row_by_row(tmp_path: Path) -> None:
    shown = preview(kept(tmp_path, "w.csv", b"a,b\n" + b"," * 500_000 + b"\n1\n"))
    assert {len(row) for row in shown.rows} == {50}
    assert shown.rows[2][0] == "1"


def test_a_folder_whose_name_is_no_text_is_passed_over(tmp_path: Path) -> None:
    """A page could not be sent, nor a zip be written, with such a name in it."""
    kept(tmp_path, "good/a.txt", b"a")
    odd = Path(f"{tmp_path}/b\udcff")
    odd.mkdir()
    (odd / "MLmodel").write_bytes(b"")
    shown = listing(tmp_path, "")
    assert shown is not None
    assert [one.name for one in shown.entries] == ["good"]
    assert model_folders(tmp_path) == []
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped([Tree(tmp_path)])))) as archive:
        assert archive.namelist() == ["good/a.txt"]
