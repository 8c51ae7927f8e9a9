"""Finding plotly.js where the plotly package keeps it: both schemas always match."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

NAME = "vendor/plotly.min.js"


class PlotlyFinder(BaseFinder):
    """Serves the plotly wheel's own plotly.min.js as `vendor/plotly.min.js`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        spec = find_spec("plotly")
        if spec is None or spec.origin is None:
            raise RuntimeError("The plotly package is missing; install requirements.txt.")
        self._folder = Path(spec.origin).parent / "package_data"

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file behind `path`, [] if it is not ours."""
        if path != NAME:
            return []
        found = str(self._folder / "plotly.min.js")
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Our one file, for collectstatic."""
        yield NAME, _OneFile(self._folder / "plotly.min.js")


class _OneFile(FileSystemStorage):
    """A storage whose only file has another name inside than outside."""

    prefix = ""

    def __init__(self, file: Path) -> None:
        super().__init__(location=str(file.parent))
        self._file = file

    def path(self, name: str) -> str:
        """The real place of the file."""
        return str(self._file)
