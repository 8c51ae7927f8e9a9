"""Search spaces where Azure's schema has no word for them: true and false among the values.

Azure's tools refuse booleans in a choice of a file, and turn Python's into 1 and 0. Written for
them they are the texts True and False, which is what a script gets on its command line; what they
are in truth stands in `properties.studio.search_space`.
"""

from collections.abc import Mapping
from typing import Any

from sweeps.domain.space import Branch, Choice, Distribution, SearchSpace
from sweeps.domain.space_doc import distribution_to_doc, space_to_doc
from sweeps.domain.wording import listed
from sweeps.spec.keys import Reading


def azures_form(space: SearchSpace) -> dict[str, Any]:
    """The space as a document that Azure's tools load."""
    return _as_text(space_to_doc(space))


def lost_in_it(space: SearchSpace) -> dict[str, Any]:
    """The parameters, as documents, that `azures_form` cannot say."""
    return {name: distribution_to_doc(one) for name, one in space if _holds_bool(one)}


def restored(found: Any, exact: Mapping[str, Any], where: str, reading: Reading) -> Any:
    """The space document `found` with the `exact` parameters put back, where they still fit."""
    if not isinstance(found, Mapping):
        return found
    unfit = [name for name in exact if not _fits(exact[name], found.get(name))]
    if unfit:
        reading.note(
            f"{where} has other values than the search space for {listed(map(str, unfit))}; "
            "the search space holds."
        )
    return {
        name: exact[name] if name in exact and name not in unfit else one
        for name, one in found.items()
    }


def _holds_bool(distribution: Distribution) -> bool:
    if not isinstance(distribution, Choice):
        return False
    inner = [
        item
        for value in distribution.values
        for item in ([v for _, v in value.items] if isinstance(value, Branch) else [value])
    ]
    return any(isinstance(item, bool) or _holds_bool(item) for item in inner)  # type: ignore[arg-type]


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _as_text(item) for key, item in value.items()}
    return value


def _fits(exact: Any, found: Any) -> bool:
    """True if `found` is what Azure's tools make of `exact`."""
    if isinstance(exact, Mapping):
        return (
            isinstance(found, Mapping)
            and exact.keys() == found.keys()
            and all(_fits(item, found[key]) for key, item in exact.items())
        )
    if isinstance(exact, list):
        return (
            isinstance(found, list) and len(exact) == len(found) and all(map(_fits, exact, found))
        )
    return exact == found or (isinstance(exact, bool) and found == str(exact))
