"""Requests as a workspace means them, turned into requests as the tracking server knows them.

A workspace's experiments are called `<workspace>/...` there and its registered models
`<workspace>....` (MLflow allows no slash in those); callers may leave the prefix out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlparse.lexer import tokenize
from sqlparse.tokens import String

from sweeps.gateway.identity import Caller, TrialCaller
from sweeps.gateway.owners import PARENT_RUN_ID
from sweeps.gateway.refusals import invalid
from sweeps.gateway.routes import Kind, Matched, Names

_SEPARATORS = {Names.REGISTERED_MODEL: ".", Names.EXPERIMENT_NAME: "/"}
# The searches that MLflow cannot confine by ids: prefix of the names, and the list in the answer.
_SEARCHES = {
    "experiments/search": ("/", "experiments"),
    "registered-models/search": (".", "registered_models"),
    "model-versions/search": (".", "model_versions"),
}
# MLflow parses filters in Python, in the one process that serves everybody.
MAX_FILTER = 2**15
# A search of 20 metrics, parameters and tags takes milliseconds.
MAX_COMPARISONS, MAX_OF_DATASETS = 20, 1
# A comparison has five words, besides texts, and some have brackets.
MAX_WORDS, NO_WORDS = 300, frozenset((":=", ";", ":", "::"))
# With texts, commas and spaces: a list of 1,000 runs has 3,000.
MAX_PIECES = 5_000
_NAME_EQUALS = re.compile(r"""(?<![\w.`])(name\s*=\s*)(['"])([^'"]*)\2""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request carries: its query as pairs in order, and its JSON object (None: no body)."""

    query: tuple[tuple[str, str], ...]
    body: Mapping[str, Any] | None

    def with_body(self, **changes: Any) -> "Asked":
        return replace(self, body={**(self.body or {}), **changes})


def adapt(caller: Caller, matched: Matched, asked: Asked) -> Asked:
    """The request to judge and to forward. Raises Refusal for one that cannot be meant."""
    _require_short_filter(asked)
    asked = _with_prefixes(caller, matched, asked)
    route, search = matched.route, _search(matched)
    if route.kind is Kind.RUN_CREATE and isinstance(caller, TrialCaller):
        return _below_own_run(caller, asked)
    if matched.path.endswith("/logged-models") and isinstance(caller, TrialCaller):
        return _model_of_own_run(caller, asked)
    if matched.path.endswith("/experiments/create"):
        return _plain_experiment(asked)
    if search is not None:
        return _confined(caller, asked, search[0])
    return asked


def _require_short_filter(asked: Asked) -> None:
    given = [value for key, value in asked.query if key == "filter"]
    for text in (*given, (asked.body or {}).get("filter")):
        if isinstance(text, str) and len(text) > MAX_FILTER:
            raise invalid(f"'filter' may have {MAX_FILTER:,} characters at most.")
        if isinstance(text, str):
            _require_few_comparisons(text)


def _require_few_comparisons(text: str) -> None:
    """Raises Refusal: MLflow joins a table for each comparison, and all data sets of a run that
    have a name with all others for each that names one: a dozen would never end."""
    words = _words(text)
    if words.count("and") >= MAX_COMPARISONS:
        raise invalid(f"'filter' may have {MAX_COMPARISONS} comparisons at most.")
    if sum(word in ("dataset", "datasets") for word in words) > MAX_OF_DATASETS:
        raise invalid(f"'filter' may ask for data sets by {MAX_OF_DATASETS} comparison at most.")


def _words(text: str) -> list[str]:
    """Those of a filter besides texts. Raises Refusal, as soon as there are too many."""
    words: list[str] = []
    # As MLflow itself takes it apart: what is within quotes is told in one way only.
    for count, (kind, word) in enumerate(tokenize(text), 1):
        if kind not in String.Single and not word.isspace() and word != ",":
            words.append(word.strip('`"').lower())
        if count > MAX_PIECES:
            raise invalid(f"'filter' may have {MAX_PIECES:,} texts, commas and spaces at most.")
        # Of which it then makes groups, in a time that grows with the square of their number.
        if len(words) > MAX_WORDS or not NO_WORDS.isdisjoint(words[-1:]):
            raise invalid(f"'filter' may have {MAX_WORDS} words at most, and no ':=' and ';'.")
    return words


def with_prefix(name: str, prefix: str) -> str:
    return name if name.startswith(prefix) else prefix + name


def _with_prefixes(caller: Caller, matched: Matched, asked: Asked) -> Asked:
    for ref in matched.route.refs:
        if ref.names in _SEPARATORS:
            prefix = caller.workspace + _SEPARATORS[ref.names]
            keys = {*ref.keys, *(_camel(key) for key in ref.keys)}
            asked = _renamed(asked, ref.where, keys, prefix)
        elif ref.names is Names.SOURCE and asked.body is not None:
            source = asked.body.get("source")
            if isinstance(source, str):
                asked = asked.with_body(source=_prefixed_source(source, f"{caller.workspace}."))
    return asked


def _renamed(asked: Asked, where: str, keys: set[str], prefix: str) -> Asked:
    def rename(key: str, value: Any) -> Any:
        named = key in keys and isinstance(value, str) and value
        return with_prefix(value, prefix) if named else value

    if where == "query":
        return replace(asked, query=tuple((key, rename(key, v)) for key, v in asked.query))
    if asked.body is not None:
        return replace(asked, body={key: rename(key, v) for key, v in asked.body.items()})
    return asked


def _prefixed_source(source: str, prefix: str) -> str:
    """`models:/<name>/<version>` or `models:/<name>@<alias>` with the name's prefix."""
    head, _, rest = source.partition(":/")
    named = head == "models" and ("/" in rest or "@" in rest)
    return f"models:/{with_prefix(rest, prefix)}" if named else source


def _below_own_run(caller: TrialCaller, asked: Asked) -> Asked:
    """A run that a trial makes stands in the trial's experiment, below the trial's run."""
    body = {k: v for k, v in (asked.body or {}).items() if k != "experimentId"}
    given = body.get("tags") or []
    if not isinstance(given, list) or not all(isinstance(tag, Mapping) for tag in given):
        raise invalid("'tags' must be an array of objects.")
    tags = list(given)
    if not any(tag.get("key") == PARENT_RUN_ID for tag in tags):
        tags.append({"key": PARENT_RUN_ID, "value": caller.run_id})
    return replace(asked, body={**body, "experiment_id": caller.experiment_id, "tags": tags})


def _model_of_own_run(caller: TrialCaller, asked: Asked) -> Asked:
    body = {k: v for k, v in (asked.body or {}).items() if k != "experimentId"}
    source = body.pop("sourceRunId", None) or body.get("source_run_id") or caller.run_id
    changes = {"experiment_id": caller.experiment_id, "source_run_id": source}
    return replace(asked, body={**body, **changes})


def _plain_experiment(asked: Asked) -> Asked:
    """Without a place of its own: `file:` would show any folder of this machine."""
    body = asked.body or {}
    if body.get("artifact_location") or body.get("artifactLocation"):
        raise invalid("An experiment cannot choose its artifact location here; leave it out.")
    return replace(asked, body={key: body[key] for key in ("name", "tags") if key in body})


def _search(matched: Matched) -> tuple[str, str] | None:
    return _SEARCHES.get("/".join(matched.path.split("/")[-2:]))


def _confined(caller: Caller, asked: Asked, separator: str) -> Asked:
    """With a filter for the workspace's names: fewer rows to drop afterwards (see `visible`)."""
    prefix = caller.workspace + separator

    def confine(given: str) -> str:
        named = _NAME_EQUALS.sub(
            lambda m: f"{m[1]}{m[2]}{with_prefix(m[3], prefix)}{m[2]}", given.strip()
        )
        ours = f"name LIKE '{prefix}%'"
        return f"{named} AND {ours}" if named else ours

    if asked.body is not None:
        given = asked.body.get("filter") or ""
        if not isinstance(given, str):
            raise invalid("'filter' must be text.")
        return asked.with_body(filter=confine(given))
    given = next((value for key, value in asked.query if key == "filter"), "")
    rest = tuple((key, value) for key, value in asked.query if key != "filter")
    return replace(asked, query=(*rest, ("filter", confine(given))))


def visible(caller: Caller, matched: Matched, answer: dict[str, Any]) -> dict[str, Any]:
    """A search's answer without other workspaces' things, whatever the filter let through."""
    search = _search(matched)
    if search is None:
        return answer
    separator, items = search
    prefix = caller.workspace + separator
    kept = [item for item in answer.get(items, ()) if item.get("name", "").startswith(prefix)]
    return {**answer, items: kept} if items in answer else answer


def items_of(matched: Matched) -> str:
    """The list in the answer that has to go through `visible`; "" for other requests."""
    search = _search(matched)
    return search[1] if search else ""


def _camel(key: str) -> str:
    head, *tail = key.split("_")
    return head + "".join(part.title() for part in tail)
