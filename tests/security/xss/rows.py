"""Every text column of every row, made hostile; what holds the studio together stays as it is.

A column that is new is hostile by itself: name it in `STRUCTURE` only if pages cannot be shown
with strange words in it, because a program chose it and others look for it.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from django.apps import apps
from django.db import models

from sweeps.queries import boards

# Called so, a column has one of a few words in it, or a key, in whatever table.
KEYS = {"digest", "sealed", "kind", "role", "state", "status", "ticket", "uid"}
# Further words of a few, keys of other rows, folders; and what is checked wherever it comes from.
STRUCTURE: dict[str, set[str]] = {
    "analysis": {"document"},
    "apirequest": {"key", "fingerprint", "answer"},
    "attempt": {"spool", "handle", "token_digest", "run_id", "run_status", "outcome"},
    "auditentry": {"verb", "noun", "origin"},
    "compute": {"name"},
    "condition": {"name"},
    "dataupload": {"path"},
    "delivery": {"event"},
    "enginelease": {"name", "owner"},
    "environment": {"name"},
    "environmentbuild": {"recipe", "handle"},
    "loggedmodel": {"model_id", "fate"},
    "machinesample": {"gpus"},
    "metricpoint": {"name"},
    "metricsummary": {"name"},
    "modelversion": {"model_id", "run_id", "sweep_name"},
    "outboxentry": {"run_id", "body"},
    "revision": {"changes"},
    "secret": {"name"},
    "session": {"session_key", "session_data"},
    "statechange": {"before", "after"},
    "sweep": {
        *("name", "desired", "command", "search_space", "sampling", "goal"),
        *("inputs", "outputs", "environment", "early_termination", "stop_rules", "paused_by"),
        *("failure_policy", "first_trials", "warm_start", "experiment_id", "run_id"),
        "logged_models",
        "primary_metric",
    },
    "terminationdecision": {"policy", "numbers"},
    "trial": {"desired", "params", "flat_params", "draw", "run_id"},
    "user": {"password"},
    "workspace": {"name"},
}  # fmt: skip
TEXTS = (models.CharField, models.TextField, models.JSONField)
COMMAND = "python train.py --lr ${{search_space.lr}} --b ${{search_space.boosting}} "


def text_columns(model: type[models.Model]) -> "Iterator[models.Field[Any, Any]]":
    """Columns of the model that people or programs may fill with words."""
    kept = STRUCTURE.get(model._meta.model_name or "", set())
    for column in model._meta.concrete_fields:
        is_key = column.name in KEYS or column.primary_key or bool(column.choices)
        if isinstance(column, TEXTS) and not is_key and column.name not in kept:
            yield column


def poison(text: Callable[[], str]) -> set[str]:
    """Put a text of `text` into each such column of each row; the columns, as "model.column"."""
    done = set()
    for model in (*apps.get_app_config("studio").get_models(), *_of_the_work()):
        # The audit log refuses updates by its own means.
        rows = models.QuerySet(model)
        for row in rows.all():
            changes = {}
            for column in text_columns(model):
                done.add(f"{model._meta.model_name}.{column.name}")
                changes[column.name] = _hostile(column, getattr(row, column.name), text)
            if changes:
                rows.filter(pk=row.pk).update(**changes)
    _parameters(text)
    boards.forget()
    return done


def _of_the_work() -> Iterator[type[models.Model]]:
    return apps.get_app_config("sweeps").get_models()


def _hostile(column: "models.Field[Any, Any]", value: Any, text: Callable[[], str]) -> Any:
    if isinstance(column, models.JSONField):
        return _document(column.name, value, text)
    longest = getattr(column, "max_length", None)
    if column.name == "username":
        # No two alike.
        return f"{text()[:120]}{next(_NUMBERS)}"
    return text()[:longest]


_NUMBERS = count()


def _document(name: str, value: Any, text: Callable[[], str]) -> Any:
    """The same with other leaves; what is empty gets one, a mapping's key too."""
    if isinstance(value, dict):
        return {key: _document(name, one, text) for key, one in value.items()} or (
            {text(): text()} if name in ("tags", "properties", "environment_variables") else {}
        )
    if isinstance(value, list):
        # A trial's tags are told apart by case; one is enough.
        return [_document(name, one, text) for one in value] or [text()]
    return text() if isinstance(value, str) else value


def _parameters(text: Callable[[], str]) -> None:
    """Values of parameters, and the command, of each sweep."""
    sweeps = apps.get_model("sweeps", "Sweep")
    for sweep in sweeps.objects.all():
        space = dict(sweep.search_space)
        for name, distribution in space.items():
            if distribution.get("type") == "choice":
                # Branches stay: their keys are names of parameters.
                old = enumerate(distribution["values"])
                values = [f"{n} {text()}" if isinstance(v, str) else v for n, v in old]
                space[name] = {**distribution, "values": values}
        words = text().replace("${{", "$ {{").replace("'", "")
        sweeps.objects.filter(pk=sweep.pk).update(
            search_space=space,
            command=f"{COMMAND}'{words}'",
            inputs={"data": {"path": f"/data/{text()}", "type": "uri_file"}},
        )
