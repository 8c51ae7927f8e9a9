"""Hostile archives, made in memory."""

import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Sequence

Entry = tuple[str, bytes]


def zipped(entries: Sequence[Entry], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; a name that ends with / is a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename = name  # not through the constructor, which tidies names
            info.compress_type = compression
            info.external_attr = 0o100644 << 16
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # one name twice: that is what a test is about
                archive.writestr(info, content)
    return out.getvalue()


def zipped_kind(kind: int) -> bytes:
    """A zip with one entry of another kind than a file: a link, a device."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("evil")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def tarred(entries: Sequence[Entry], mode: str = "w:gz") -> bytes:
    """A tar of files (folders where the name ends with /)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tarred_kind(kind: bytes, name: str = "evil", link: str = "/etc/passwd") -> bytes:
    """A tar with one special entry, then a file beneath or through it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        archive.addfile(info)
        inner = tarfile.TarInfo(f"{name}/owned")
        inner.size = 1
        archive.addfile(inner, io.BytesIO(b"x"))
    return out.getvalue()


def lying_zip() -> bytes:
    """Declares 4 bytes and unpacks to many more."""
    data = bytearray(zipped([("a.txt", b"x" * 5000)]))
    real = (5000).to_bytes(4, "little")
    return bytes(data).replace(real, (4).to_bytes(4, "little"))


def encrypted_zip() -> bytes:
    """Says that its entry is encrypted."""
    data = bytearray(zipped([("a.txt", b"secret")]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    return bytes(data)


def tar_with_huge_header() -> bytes:
    """A pax header of 64 MiB, which tarfile would read as one piece."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * (64 * 2**20)}
        archive.addfile(info)
    return out.getvalue()


ZIP_KINDS = {
    "symlink": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "character device": stat.S_IFCHR,
    "block device": stat.S_IFBLK,
    "socket": stat.S_IFSOCK,
}
TAR_KINDS = {
    "symlink": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
}
# What is wrong -> the names of the entries.
NAMES: dict[str, list[str]] = {
    "climbs": ["../evil"],
    "climbs inside": ["a/../../evil"],
    "climbs and returns": ["a/../b"],
    "only dots": [".."],
    "absolute": ["/tmp/evil"],
    "two slashes": ["//server/evil"],
    "backslash": ["..\\evil"],
    "backslash inside": ["a\\b"],
    "drive": ["C:/evil"],
    "drive relative": ["c:evil"],
    "the same twice": ["a", "a"],
    "the same by a dot": ["a/b", "a/./b"],
    "the same by a slash": ["a/b", "a//b"],
    "case": ["Train.py", "train.py"],
    "case of a folder": ["Src/a", "src/b"],
    "sharp s": ["straße", "STRASSE"],
    "accent composed and not": ["caf\u00e9", "cafe\u0301"],
    "accent of a folder": ["caf\u00e9/a", "cafe\u0301/b"],
    "file as a folder": ["a", "a/b"],
    "folder as a file": ["a/b", "a"],
    "declared folder as a file": ["a/", "a"],
    "long part": ["x" * 256],
    "long in bytes": ["é" * 130],
    "deep": ["/".join(["d"] * 41)],
}
