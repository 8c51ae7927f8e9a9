"""The files of a sweep bundle: unpacked, bounded, read line by line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sweeps.domain.bundles import CODE, FACTS, JOB, TRIALS, parse_json
from sweeps.domain.json_text import has_more
from sweeps.domain.limits import MAX_TOTAL_TRIALS
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.stores.archives import unpack
from sweeps.stores.snapshots import Snapshot, keep_folder, staging

_SMALL = 2**18
# A trial with 100,000 values has some 5 MiB, and 500,000 texts, commas and brackets.
_LINE, _TOKENS = 8 * 2**20, 700_000


@dataclass(frozen=True, slots=True)
class Opened:
    """An unpacked bundle; gone after `opened`."""

    folder: Path
    code_root: Path
    job: str
    facts: Any

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line of trials.jsonl with its number. Raises InvalidInput."""
        with (self.folder / TRIALS).open("rb") as file:
            count = 0
            while line := file.readline(_LINE + 1):
                count += 1
                if len(line) > _LINE or count > MAX_TOTAL_TRIALS:
                    text = f"At most {MAX_TOTAL_TRIALS:,} lines of 8 MiB are taken."
                    raise InvalidInput([Problem(TRIALS, text, line=count)])
                if line.strip():
                    yield count, line

    def keep_code(self) -> Snapshot | None:
        """Keep the code; None where there is none."""
        folder = self.folder / CODE
        return keep_folder(self.code_root, folder) if folder.is_dir() else None


@contextmanager
def opened(code_root: Path, file: IO[bytes], filename: str) -> Iterator[Opened]:
    """The bundle that an archive holds, while it is looked at.

    Raises InvalidInput for an archive that is unsafe, or no bundle.
    """
    with staging(code_root) as folder:
        file.seek(0)
        unpack(file, filename, folder)
        for name in (FACTS, JOB, TRIALS):
            if not (folder / name).is_file():
                raise InvalidInput.one("", f"It is no sweep bundle: it has no {name}.")
        facts = read_json(_small(folder / FACTS), FACTS)
        job = _small(folder / JOB).decode(errors="replace")
        yield Opened(folder, code_root, job, facts)


def _small(path: Path) -> bytes:
    if path.stat().st_size > _SMALL:
        raise InvalidInput.one(path.name, f"May have {_SMALL // 1024} KiB at most.")
    return path.read_bytes()


def read_json(data: bytes, name: str = "") -> Any:
    """What a file, or a line of one, says. Raises InvalidInput."""
    if has_more(data, _TOKENS):
        raise InvalidInput.one(name, "Holds too many values.")
    try:
        return parse_json(data.decode())
    except InvalidInput as error:
        raise InvalidInput(problem.under(name) for problem in error.problems) from error
    except UnicodeDecodeError as error:
        raise InvalidInput.one(name, "Is no text in UTF-8.") from error
