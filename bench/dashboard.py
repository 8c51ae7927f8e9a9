"""The peer of `pages.py`: optuna-dashboard on the trials of a file, in memory.

    cd bench && gunicorn --worker-class gthread --threads 8 "dashboard:app('TRIALS.csv')"

The server is the one that the studio has, with as many processes; memory is the dashboard's
quickest storage: a database adds to what is measured.
"""

import csv
import logging

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial
from optuna_dashboard import wsgi

METRIC = "objective"


def trials(path: str) -> list[optuna.trial.FrozenTrial]:
    """The completed and the failed trials of a CSV export of the studio."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith("params.")]
    spaces = {name: space([row[name] for row in rows]) for name in names}
    return [trial(row, spaces) for row in rows]


def space(texts: list[str]) -> optuna.distributions.BaseDistribution:
    """The distribution that these values may have come from."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return CategoricalDistribution(sorted(set(texts)))
    return FloatDistribution(min(numbers), max(numbers))


def trial(
    row: dict[str, str], spaces: dict[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """One trial."""
    number = {n: isinstance(one, FloatDistribution) for n, one in spaces.items()}
    params = {n[7:]: float(row[n]) if number[n] else row[n] for n in spaces}
    known = {"params": params, "distributions": {n[7:]: one for n, one in spaces.items()}}
    if row["status"] == "Completed":
        return create_trial(state=TrialState.COMPLETE, value=float(row[METRIC]), **known)
    return create_trial(state=TrialState.FAIL, **known)


def app(path: str) -> object:
    """The dashboard over these trials, for gunicorn."""
    optuna.logging.set_verbosity(logging.WARNING)
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name="bench")
    study.add_trials(trials(path))
    return wsgi(storage)
