"""What a page can show of a stranger's file without trusting it: text, a table, or an image.

An image is one by its first bytes and not by its name. SVG is none: it is a document with scripts.
"""

import csv
import io
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from sweeps.domain.json_text import has_more
from sweeps.stores.plain import open_plain

TEXT_BYTES = 256 * 2**10
JSON_BYTES = 2**20
IMAGE_BYTES = 32 * 2**20
# Values, about, of a JSON file that is laid out: of more Python makes some 40 MiB.
MOST_VALUES = 200_000
ROWS, COLUMNS, CELL = 200, 50, 200

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"), (b"GIF89a", "image/gif"),
)  # fmt: skip
_TABLES = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Preview:
    """`kind` is image, table, text, empty or none (nothing to show).

    `cut` says what is left out, "" when all is shown; the first of `rows` is the head.
    """

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    cut: str = ""


def image_type(path: Path) -> str:
    """The media type of an image that browsers show, "" for anything else. Raises OSError."""
    with open_plain(path) as file:
        head = file.read(16)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in _IMAGES if head.startswith(sign)), "")


def preview(path: Path) -> Preview:
    """What to show of a file. Raises OSError."""
    size = path.stat().st_size
    if size == 0:
        return Preview("empty")
    if image_type(path):
        return Preview("image") if size <= IMAGE_BYTES else Preview("none")
    suffix = PurePosixPath(path.name).suffix.lower()
    limit = JSON_BYTES if suffix in (".json", *_TABLES) else TEXT_BYTES
    with open_plain(path) as file:
        data = file.read(limit)
    text = _text(data, is_whole=size <= limit)
    if text is None:
        return Preview("none")
    if suffix in _TABLES:
        return _table(text, _TABLES[suffix], is_whole=size <= limit)
    if suffix == ".json" and size <= limit:
        text = _pretty(text)
    return _cut(text, size > limit)


def _text(data: bytes, *, is_whole: bool) -> str | None:
    """The data as UTF-8; None for what is none. The last character may be cut in two."""
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if is_whole or error.start < len(data) - 4:
            return None
        return data[: error.start].decode("utf-8-sig")


def _pretty(text: str) -> str:
    """With an indent, or as it is; no more of it than is shown: deep nesting is mostly indents."""
    if has_more(text.encode(), MOST_VALUES):
        return text
    found, size = [], 0
    try:
        for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(json.loads(text)):
            found.append(piece)
            size += len(piece)
            if size > TEXT_BYTES:
                break
    except (ValueError, RecursionError):
        return text
    return "".join(found)


def _cut(text: str, more: bool) -> Preview:
    shown = text[:TEXT_BYTES]
    left = more or len(text) > len(shown)
    words = f"The first {TEXT_BYTES // 2**10} kB are shown; the download has all." if left else ""
    return Preview("text", text=shown, cut=words)


def _table(text: str, delimiter: str, *, is_whole: bool) -> Preview:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        found = list(islice(reader, ROWS + 2))
    except csv.Error:
        return _cut(text, not is_whole)
    rows = [row for row in found if row][: ROWS + 1]
    if not rows:
        return _cut(text, not is_whole)
    width = max(len(row) for row in rows)
    said = []
    if len(found) > ROWS + 1 or not is_whole:
        said.append(f"the first {len(rows) - 1} rows")
    if width > COLUMNS:
        said.append(f"{COLUMNS} of {width} columns")
    shown = min(width, COLUMNS)
    cells = [[*row[:shown], *[""] * (shown - len(row))] for row in rows]
    short = tuple(tuple(cell[:CELL] for cell in row) for row in cells)
    cut = f"Shown: {' and '.join(said)}; the download has all." if said else ""
    return Preview("table", rows=short, cut=cut)
