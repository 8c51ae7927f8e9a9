"""Values set aside on disk while all of them are checked, so that nothing is worked out twice."""

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Generic, TypeVar

T = TypeVar("T")


class SetAside(Generic[T]):
    """The values of `source` in their order, `count` of them, in a file without a name.

    Nobody else can open that file, so what comes back is what was put there. A source that raises
    leaves nothing. To be closed.
    """

    def __init__(self, source: Iterable[T], folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 -- see close()
        self.count = 0
        try:
            for value in source:
                pickle.dump(value, self._file, pickle.HIGHEST_PROTOCOL)
                self.count += 1
        except BaseException:
            self.close()
            raise

    def values(self) -> Iterator[T]:
        """From the first on."""
        self._file.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._file)  # noqa: S301 -- written by ourselves, see above

    def close(self) -> None:
        """Give the room back."""
        self._file.close()
