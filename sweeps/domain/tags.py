"""Tags of a sweep: short words, for every list shows them."""

from collections.abc import Mapping

from sweeps.domain.problems import Problem

MAX_TAGS = 100
MAX_KEY, MAX_VALUE = 100, 1_000


def tag_problems(tags: Mapping[str, str]) -> list[Problem]:
    """What is too many, too long or empty; the field is "tags"."""
    found = []
    if len(tags) > MAX_TAGS:
        found.append(Problem("tags", f"There may be {MAX_TAGS} tags, but these are {len(tags):,}."))
    if "" in tags:
        found.append(Problem("tags", "A tag needs a name."))
    if any(len(key) > MAX_KEY for key in tags):
        found.append(Problem("tags", f"The name of a tag has {MAX_KEY} characters at most."))
    if any(len(value) > MAX_VALUE for value in tags.values()):
        found.append(Problem("tags", f"The value of a tag has {MAX_VALUE:,} characters at most."))
    return found
