"""What a trial's Python may be: the compute's own, a named interpreter, or one that is built."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Raised when the same recipe would be built in another way: what was built before is not used.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a virtual environment is built from; equal recipes share one.

    `base` is the program of the Python that it stands on, unless `python`, the versions asked for
    as in PEP 440 ("==3.9.*"; "" for any), excludes that one. `requirements` are lines of a
    requirements file, all that they include written out. `owner` is the workspace that builds it
    for its isolated trials, and shares it with no other; "" for what the studio builds for all.
    """

    base: str
    requirements: tuple[str, ...]
    python: str = ""
    owner: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the content."""
        text = json.dumps([_FORMAT, self.document()], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """The recipe as JSON keeps it."""
        own = {**asdict(self), "requirements": list(self.requirements)}
        return own if self.owner else {k: v for k, v in own.items() if k != "owner"}


def recipe_from(doc: Mapping[str, Any]) -> Recipe:
    """The recipe that `Recipe.document` wrote."""
    return Recipe(doc["base"], tuple(doc["requirements"]), doc["python"], doc.get("owner", ""))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The Python of a sweep's trials: `recipe` to build it, else `python`, the program, "" for
    the compute's own. `packages` are lines of requirements that the compute's machines install by
    themselves, where the studio can build nothing for them. `name` is what people call it; `notes`
    say what was replaced or ignored."""

    name: str = ""
    python: str = ""
    recipe: Recipe | None = None
    notes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


THE_COMPUTES = Chosen()

# An inline environment as Azure's client dumps it: with an image the version is a hash; without
# one the name is a UUID of that moment, and the version 1.
_ANONYMOUS = re.compile(r"CliV2AnonymousEnvironment|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_anonymous(name: object) -> bool:
    """True for the name of an environment that no person gave, but Azure's client."""
    return isinstance(name, str) and _ANONYMOUS.fullmatch(name) is not None
