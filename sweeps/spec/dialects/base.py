"""What a dialect gives back: a sweep-job document, and where its parts stand in the file."""

from collections.abc import Mapping
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
        for length in sorted({len(ours) for ours in self.places}, reverse=True):
            theirs = self.places.get(path[:length])
            if theirs is not None and path[length : length + 1] in ("", ".", "["):
                return theirs + path[length:]
        return path


class Dialect(Protocol):
    """A module that knows another tool's files."""

    # The tool's name, as people know it.
    TOOL: str

    def is_it(self, doc: Mapping[str, Any]) -> bool:
        """True if the document is one of this tool's."""

    def to_job(self, doc: Mapping[str, Any], reading: Reading) -> Translated:
        """The sweep job that means the same; problems and notes go to `reading`."""
