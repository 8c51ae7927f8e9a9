"""What a dialect gives back: a sweep-job document, and where its parts stand in the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sweeps.spec.keys import Reading


@dataclass(frozen=True, slots=True)
class Translated:
    """A sweep-job document, and by path of its parts their path in the other tool's file."""

    job: Mapping[str, Any]
    places: Mapping[str, str] = field(default_factory=dict)

    def there(self, path: str) -> str:
        """A path of the job document in the other file; the longest known beginning counts."""
        known = self._known(path)
        return self.places[known] + path[len(known) :] if known else path

    def holds(self, path: str, others: Iterable[str]) -> bool:
        """True if one of `others`, in the other file, lies where a path of the job comes from."""
        place = self.places.get(self._known(path), "")
        return bool(place) and any(_is_in(other, place) for other in others)

    def _known(self, path: str) -> str:
        found = [ours for ours in self.places if _is_in(path, ours)]
        return max(found, key=len, default="")


def _is_in(path: str, place: str) -> bool:
    return path.startswith(place) and path[len(place) : len(place) + 1] in ("", ".", "[")


class Dialect(Protocol):
    """A module that knows another tool's files."""

    # The tool's name, as people know it.
    TOOL: str

    def is_it(self, doc: Mapping[str, Any]) -> bool:
        """True if the document is one of this tool's."""

    def to_job(self, doc: Mapping[str, Any], reading: Reading) -> Translated:
        """The sweep job that means the same; problems and notes go to `reading`."""
