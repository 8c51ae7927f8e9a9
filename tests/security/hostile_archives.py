"""Archives that want out, or want all the memory there is: names to (file name, bytes).

Beside those of `tests/stores/archive_cases.py`.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from tests.stores import archive_cases as cases
from tests.stores.archive_cases import NAMES, TAR_KINDS, ZIP_KINDS, tarred, zipped
from tests.stores.test_archives import BROKEN

MB = 2**20
Case = tuple[str, bytes]


def _lying(compression: int, size: int) -> bytes:
    """Says 5 bytes and unpacks to `size` MiB."""
    out = io.BytesIO()
    archive = zipfile.ZipFile(out, "w", compression, compresslevel=1)
    with archive, archive.open("a", "w") as file:
        for _ in range(size):
            file.write(b"\0" * MB)
    return out.getvalue().replace((size * MB).to_bytes(4, "little"), (5).to_bytes(4, "little"))


def _one_file() -> tuple[bytes, bytes]:
    """The parts of a zip of one file: the file, and its line in the list of entries."""
    data = zipped([("a", b"x")])
    at = data.index(b"PK\x01\x02")
    return data[:at], data[at : data.index(b"PK\x05\x06")]


def _end(count: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    count = min(count, 0xFFFF)
    head = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, offset, len(comment))
    return head + comment


def long_list() -> bytes:
    """300,000 lines in the list of entries, all of one file."""
    local, line = _one_file()
    listed = line * 300_000
    return local + listed + _end(300_000, len(listed), len(local))


def overlapping() -> bytes:
    """One packed megabyte of zeros that 900 entries with names of their own share."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"\0" * MB) + packer.flush()
    crc, listed = zlib.crc32(b"\0" * MB), b""
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, crc, len(packed), MB, 4, 0)
    local += b"0000" + packed
    for number in range(900):
        listed += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, crc, len(packed), MB,
            4, 0, 0, 0, 0, 0, 0,
        )  # fmt: skip
        listed += b"%04d" % number
    return local + listed + _end(900, len(listed), len(local))


def zip64_lie() -> bytes:
    """Its list of entries is 2^62 bytes long, it says."""
    local, line = _one_file()
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**62, len(local))
    place = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(local) + len(line), 1)
    return local + line + end + place + _end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


def _packed(data: bytes, times: int = 1, end: bytes = b"") -> bytes:
    """`data` as often as said, then `end`, as gzip."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(data) for _ in range(times)), packer.compress(end),
                     packer.flush()])  # fmt: skip


def long_gzip_name() -> bytes:
    """A name of 30 MB in the header of gzip."""
    whole = _packed(tarred([("a", b"x")], "w"))
    return whole[:3] + b"\x08" + whole[4:10] + b"n" * (30 * MB) + b"\0" + whole[10:]


def many_gzip_members() -> bytes:
    """200,000 parts with nothing in them before the first that has something."""
    return _packed(b"") * 200_000 + _packed(tarred([("a", b"x")], "w"))


def _header(kind: bytes, content: bytes, name: str = "h") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    return info.tobuf() + content + b"\0" * (-len(content) % 512)


def _pax(words: str) -> bytes:
    """One record of an extended header."""
    size = len(words) + 3
    while len(f"{size} {words}\n") != size:
        size += 1
    return f"{size} {words}\n".encode()


def pax_upon_pax() -> bytes:
    """300 headers of nearly a megabyte each, for one file."""
    one = _header(tarfile.XHDTYPE, _pax("comment=" + "x" * (MB - 4096)))
    return _packed(one, 300, tarred([("a", b"x")], "w"))


def long_names() -> bytes:
    """GNU's long names, 300 of nearly a megabyte each."""
    one = _header(tarfile.GNUTYPE_LONGNAME, b"n" * (MB - 4096), "././@LongLink")
    return _packed(one, 300, tarred([("a", b"x")], "w"))


def sparse_list() -> bytes:
    """A sparse file whose list of pieces goes on for 100 MB."""
    head = bytearray(_header(tarfile.GNUTYPE_SPARSE, b"", "s"))
    head[482] = 1
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    piece = b"00000000001\0" * 42 + b"\x01" + b"\0" * 7
    return _packed(bytes(head)) + _packed(piece * 2000, 100)


def sparse_numbers() -> bytes:
    """Sparse in the newest way: a list of 10^9 numbers, as text before the contents."""
    words = _pax("GNU.sparse.major=1") + _pax("GNU.sparse.minor=0")
    words += _pax("GNU.sparse.name=s") + _pax("GNU.sparse.realsize=1")
    numbers = b"1000000000\n" + b"1\n" * (12 * MB)
    return _packed(_header(tarfile.XHDTYPE, words) + _header(tarfile.REGTYPE, numbers))


def sparse_hole() -> bytes:
    """One byte that claims to be at the end of an exabyte of nothing."""
    words = _pax("GNU.sparse.size=1000000000000000000") + _pax("GNU.sparse.map=0,1")
    return _packed(_header(tarfile.XHDTYPE, words) + _header(tarfile.REGTYPE, b"x"))


def huge_folder() -> bytes:
    """A folder that claims to have contents of a terabyte."""
    info = tarfile.TarInfo("d")
    info.type, info.size = tarfile.DIRTYPE, 2**40
    return _packed(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)


def _plain_names(names: list[str], pack: Callable[..., bytes], end: str) -> Case:
    entries = [(name, b"" if name.endswith("/") else b"x") for name in names]
    return f"a{end}", pack(entries)


@cache
def hostile() -> dict[str, Case]:
    """What is to be refused. Made when it is wanted, which takes some seconds."""
    return {
        **{f"zip: {why}": _plain_names(names, zipped, ".zip") for why, names in NAMES.items()},
        **{f"tar: {why}": _plain_names(names, tarred, ".tar.gz") for why, names in NAMES.items()},
        **{f"zip: {why}": ("a.zip", cases.zipped_kind(kind)) for why, kind in ZIP_KINDS.items()},
        **{f"tar: {why}": ("a.tgz", cases.tarred_kind(kind)) for why, kind in TAR_KINDS.items()},
        **{why: (name, data) for why, (data, name, _message) in BROKEN.items()},
        "line break in a name": ("a.zip", zipped([("a\nb", b"x")])),
        "escape in a name": ("a.tar.gz", tarred([("a\x1b[2Jb", b"x")])),
        "link to a folder and a file through it": (
            "a.tar.gz", cases.tarred_kind(tarfile.SYMTYPE, "d", ".."),
        ),
        "hard link to the studio": ("a.tar.gz", cases.tarred_kind(tarfile.LNKTYPE, "d", "../../x")),
        "unknown kind": ("a.tar.gz", cases.tarred_kind(b"Z")),
        "bzip2 that lies": ("a.zip", _lying(zipfile.ZIP_BZIP2, 300)),
        "lzma that lies": ("a.zip", _lying(zipfile.ZIP_LZMA, 5)),
        "deflate that lies": ("a.zip", _lying(zipfile.ZIP_DEFLATED, 30)),
        "long list": ("a.zip", long_list()),
        "overlapping": ("a.zip", overlapping()),
        "zip64 lies": ("a.zip", zip64_lie()),
        "comment in the way": ("a.zip", zipped([("a", b"x")])[:-2] + b"\xff\xff" + b"PK\5\6" * 99),
        "many gzip members": ("a.tar.gz", many_gzip_members()),
        "pax upon pax": ("a.tar.gz", pax_upon_pax()),
        "long names": ("a.tar.gz", long_names()),
        "sparse list": ("a.tar.gz", sparse_list()),
        "sparse numbers": ("a.tar.gz", sparse_numbers()),
        "sparse hole": ("a.tar.gz", sparse_hole()),
        "huge folder": ("a.tar.gz", huge_folder()),
    }  # fmt: skip


@cache
def harmless() -> dict[str, Case]:
    """Odd, and yet only plain files and folders in the end."""
    return {
        "long gzip name": ("a.tar.gz", long_gzip_name()),
        "archive within": ("a.zip", zipped([("inner.zip", zipped([("../x", b"x")])), ("a", b"x")])),
        "names that Windows keeps": ("a.zip", zipped([("aux.py", b"x"), ("con", b"x")])),
        "comment of 64 KiB": (
            "a.zip", zipped([("a", b"x")])[:-2] + b"\xff\xff" + b"c" * 0xFFFF,
        ),
        "text the other way round": ("a.zip", zipped([("a\u202egpj.py", b"x")])),
    }  # fmt: skip
