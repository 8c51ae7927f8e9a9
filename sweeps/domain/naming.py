"""Names: made-up ones for sweeps, and the rule for those that people give."""

import random
import re
import unicodedata

from sweeps.domain.wording import shown

MAX_NAME = 255
NAME_RULE = "Use letters, digits, - and _, starting with a letter or digit."
# Pages that stand where a name would: /w/<workspace>/sweeps/new
RESERVED = frozenset({"new"})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_WORD = re.compile(r"[a-z]+")
_TAIL = 10
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_ADJECTIVES = _WORD.findall(
    "amber ample brave bright brisk calm candid clever cosmic crisp dapper eager earnest fleet "
    "frank frosty gentle glad golden grand happy hardy humble jolly keen kind lively lucid lucky "
    "mellow merry mighty modest neat nimble noble patient placid plucky polite proud quick quiet "
    "ready rosy serene sharp silver sleek smart snappy solid spry stable steady sunny swift tidy "
    "upbeat vivid warm willing witty zesty"
)
_NOUNS = _WORD.findall(
    "acorn anchor apple aspen atlas badger banjo basil bay beacon birch brook cactus candle canyon "
    "cedar cello clover comet coral cumin dune falcon fern fig flute garnet ginger glacier grove "
    "harbor hazel heron iris ivory jasmine kettle kite lagoon lake lemon lilac lotus maple meadow "
    "mint nutmeg oasis olive orchid otter pear pebble pepper pine plum quartz raven reef river "
    "sage sparrow spruce thyme tulip valley walnut willow yarrow"
)


def new_name(rng: random.Random) -> str:
    """A readable name that is new for all practical purposes: "upbeat_cumin_0rq28mbtkn"."""
    tail = "".join(rng.choice(_DIGITS) for _ in range(_TAIL))
    return f"{rng.choice(_ADJECTIVES)}_{rng.choice(_NOUNS)}_{tail}"


def is_made_up(name: str) -> bool:
    """True for a name that `new_name` could have made, which nobody chose."""
    first, _, rest = name.partition("_")
    second, _, tail = rest.partition("_")
    return (
        first in _ADJECTIVES
        and second in _NOUNS
        and len(tail) == _TAIL
        and all(digit in _DIGITS for digit in tail)
    )


def name_problem(text: str, longest: int = MAX_NAME) -> str | None:
    """Why `text` cannot name a sweep, workspace or compute, as a sentence; None if it can."""
    if not text:
        return f"Give a name. {NAME_RULE}"
    if len(text) > longest:
        return f"Must be at most {longest} characters long, but got {len(text)}."
    if not _NAME.fullmatch(text):
        return f"{shown(text)} cannot be a name. {NAME_RULE}"
    if text.lower() in RESERVED:
        return f"{shown(text)} is taken by a page of the studio; choose another name."
    return None


def valid_name(text: str, longest: int = MAX_NAME) -> bool:
    """True if `text` can name a sweep, workspace or compute."""
    return name_problem(text, longest) is None


def slug(text: str, longest: int = 60, default: str = "unnamed") -> str:
    """A valid name made from any text: "Iris – LightGBM!" gives "iris-lightgbm"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:longest].rstrip("-_")
    return f"{name}-1" if name in RESERVED else name or default
