"""Hostile archives are refused, write nothing outside and leave nothing behind."""

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.stores import archives, snapshots
from tests.stores import archive_cases as cases
from tests.stores.archive_cases import NAMES, TAR_KINDS, ZIP_KINDS, tarred, zipped


def refusal(root: Path, data: bytes, filename: str) -> str:
    """The message of a refused archive; everything around it is as it was."""
    kept = root / "deep" / "kept"
    kept.mkdir(parents=True)
    with pytest.raises(InvalidInput) as caught:
        snapshots.snapshot_archive(kept, io.BytesIO(data), filename)
    assert [path.name for path in root.rglob("*")] == ["deep", "kept"]
    (problem,) = caught.value.problems
    return problem.message


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_elsewhere_or_clash_are_refused(
    tmp_path: Path, pack: object, names: list[str]
) -> None:
    data = pack([(name, b"" if name.endswith("/") else b"x") for name in names])
    message = refusal(tmp_path, data, "code.zip" if pack is zipped else "code.tar.gz")
    assert "Pack plain files and folders with relative names only." in message


@pytest.mark.parametrize("kind", ZIP_KINDS.values(), ids=ZIP_KINDS.keys())
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, kind: int) -> None:
    message = refusal(tmp_path, cases.zipped_kind(kind), "code.zip")
    assert message.startswith("“evil” is a link or a device.")


@pytest.mark.parametrize("kind", TAR_KINDS.values(), ids=TAR_KINDS.keys())
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    message = refusal(tmp_path, cases.tarred_kind(kind), "code.tgz")
    assert message.startswith("“evil” is a link or a device.")


@pytest.mark.parametrize("name", [b"a\0b", b"../a\0"])
def test_a_zip_name_with_a_nul_is_refused(tmp_path: Path, name: bytes) -> None:
    data = zipped([("a" * len(name), b"x")]).replace(b"a" * len(name), name)
    assert "has a name that is no plain path" in refusal(tmp_path, data, "x.zip")


def test_a_tar_name_with_half_a_character_is_refused(tmp_path: Path) -> None:
    data = tarred([("aaa", b"x")], "w")
    header = bytearray(data[:512].replace(b"aaa", b"a\xff\xfe"))
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    message = refusal(tmp_path, bytes(header) + data[512:], "x.tar")
    assert "has a name that is no plain path" in message


BROKEN = {
    "empty file": (b"", "a.zip", "cannot be read as an archive"),
    "empty tar": (b"", "a.tar.gz", "cannot be read as an archive"),
    "truncated zip": (zipped([("a", b"x" * 999)])[:60], "a.zip", "cannot be read as an archive"),
    "truncated tar": (
        tarred([("a", random.Random(1).randbytes(99_999))])[:50_000],
        "a.tar.gz",
        "cannot be read as an archive",
    ),
    "declared size lies": (cases.lying_zip(), "a.zip", "cannot be read as an archive"),
    "encrypted": (cases.encrypted_zip(), "a.zip", "encrypted"),
    "zip called tar": (zipped([("a", b"x")]), "a.tar.gz", "cannot be read as an archive"),
    "tar called zip": (tarred([("a", b"x")]), "a.zip", "cannot be read as an archive"),
    "xz called gz": (tarred([("a", b"x")], "w:xz"), "a.tar.gz", "cannot be read as an archive"),
    "wrong suffix": (zipped([("a", b"x")]), "a.rar", "neither a .zip nor a .tar.gz"),
    "no suffix": (zipped([("a", b"x")]), "zip", "neither a .zip nor a .tar.gz"),
    "nothing in the zip": (zipped([]), "a.zip", "There is no file in it."),
    "nothing in the tar": (tarred([]), "a.tar.gz", "There is no file in it."),
    "only folders": (zipped([("a/", b"")]), "a.zip", "There is no file in it."),
    "only what is never code": (zipped([(".git/config", b"")]), "a.zip", "There is no file in it."),
    "bomb": (zipped([("a", b"\0" * 20_000_000)]), "a.zip", "more than 100 times its size"),
    "bomb in a tar": (tarred([("a", b"\0" * 20_000_000)]), "a.tgz", "more than 100 times its size"),
    "header bomb": (cases.tar_with_huge_header(), "a.tgz", "a header of more than 1 MiB"),
}


@pytest.mark.parametrize(("data", "filename", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_and_blown_up_archives_are_refused(
    tmp_path: Path, data: bytes, filename: str, message: str
) -> None:
    assert message in refusal(tmp_path, data, filename)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_too_many_entries_are_refused(
    tmp_path: Path, pack: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 20)
    data = pack([(f"d{index}/", b"") for index in range(21)])
    name = "a.zip" if pack is zipped else "a.tgz"
    assert refusal(tmp_path, data, name) == "The archive has more than 20 entries."


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_too_many_bytes_are_refused(
    tmp_path: Path, pack: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 5000)
    data = pack([("a", b"x" * 3000), ("b", b"x" * 3000)])
    name = "a.zip" if pack is zipped else "a.tgz"
    assert "The archive unpacks to more than" in refusal(tmp_path, data, name)


def test_the_ratio_counts_what_is_written_not_what_is_declared(tmp_path: Path) -> None:
    budget = archives._Budget(1000)
    out = io.BytesIO()
    with pytest.raises(InvalidInput, match="100 times"):
        budget.copy(io.BytesIO(b"\0" * 12 * 2**20), out)
    assert len(out.getvalue()) <= archives.RATIO_FROM


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (zipped([("a/b.py", b"print()"), ("a/", b""), ("ü.txt", b"")]), "x.ZIP"),
        (tarred([("a/", b""), ("./a/b.py", b"print()"), ("ü.txt", b"")]), "x.tar.gz"),
        (tarred([("a/b.py", b"print()"), ("ü.txt", b"")], "w"), "x.tar"),
        (zipped([("a/b.py", b"print()"), ("ü.txt", b"")], zipfile.ZIP_STORED), "x.zip"),
    ],
)
def test_plain_archives_are_unpacked(tmp_path: Path, data: bytes, filename: str) -> None:
    archives.unpack(io.BytesIO(data), filename, tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert found == {"a", "a/b.py", "ü.txt"}
    assert (tmp_path / "a" / "b.py").read_bytes() == b"print()"


def test_modes_of_entries_are_not_taken(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("run")
        info.mode = 0o6777
        archive.addfile(info)
    archives.unpack(io.BytesIO(out.getvalue()), "x.tar", tmp_path)
    assert (tmp_path / "run").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_damaged_archives_give_nothing_but_refusals(tmp_path: Path, name: str) -> None:
    entries = [("a/b.py", b"print(1)\n" * 20), ("c", b"x")]
    whole = (
        zipped(entries) if name == "x.zip" else tarred(entries, "w" if "gz" not in name else "w:gz")
    )
    rng = random.Random(3)
    refused = 0
    for round_ in range(250):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(min(len(data), 2048))] = rng.randrange(256)
        target = tmp_path / str(round_)
        target.mkdir()
        try:
            archives.unpack(io.BytesIO(bytes(data)), name, target)
        except InvalidInput:
            refused += 1
    assert refused > 50
