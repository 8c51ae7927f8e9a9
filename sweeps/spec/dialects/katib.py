"""Experiments of Kubeflow Katib (`apiVersion: kubeflow.org/v1beta1`, `kind: Experiment`).

Source: Katib's types (`experiment_types.go`, `common_types.go`), its webhooks' defaults and its
suggestion services, release 0.18. The parameters are in `katib_space`, the command in
`katib_trial`.
"""

from collections.abc import Mapping
from typing import Any

from sweeps.domain.wording import listed, shown
from sweeps.spec.dialects.base import Translated
from sweeps.spec.dialects.katib_space import search_space
from sweeps.spec.dialects.katib_trial import trial
from sweeps.spec.keys import Reading

TOOL = "Katib"
_KIND = "kubeflow.org/v1beta1"
_SPEC = (
    "objective", "algorithm", "earlyStopping", "parameters", "trialTemplate",
    "parallelTrialCount", "maxTrialCount", "maxFailedTrialCount", "metricsCollectorSpec",
    "resumePolicy", "nasConfig",
)  # fmt: skip
_PARALLEL = 3
# Katib's name -> ours, and how ours differs.
_ALGORITHMS: Mapping[str, tuple[str, str]] = {
    "random": ("random", ""),
    "grid": ("grid", ""),
    "sobol": ("random", ""),
    "tpe": ("bayesian", "which is TPE, too"),
    "multivariate-tpe": ("bayesian", "TPE that models each parameter by itself"),
    "bayesianoptimization": ("bayesian", "TPE in place of Gaussian processes"),
    "cmaes": ("bayesian", "TPE in place of CMA-ES, which is not here"),
}
_WITHOUT_LIKE = {
    "hyperband": "it gives each trial a budget of its own. Take random and successive halving",
    "pbt": "its trials inherit each other's checkpoints. Take random or tpe",
    "enas": "it searches architectures, not hyperparameters",
    "darts": "it searches architectures, not hyperparameters",
}
_PLACES = {
    "objective.goal": "spec.objective.type",
    "objective.primary_metric": "spec.objective.objectiveMetricName",
    "objective": "spec.objective",
    "sampling_algorithm": "spec.algorithm",
    "early_termination": "spec.earlyStopping",
    "limits.max_total_trials": "spec.maxTrialCount",
    "limits.max_concurrent_trials": "spec.parallelTrialCount",
    "limits": "spec",
    "search_space": "spec.parameters",
    "studio.stop_rules": "spec.objective.goal",
    "studio.failure_policy": "spec.maxFailedTrialCount",
    "display_name": "metadata.name",
    "tags": "metadata.labels",
    "trial": "spec.trialTemplate",
}


def is_it(doc: Mapping[str, Any]) -> bool:
    """True for any Kubernetes object."""
    return {"apiVersion", "kind"} <= doc.keys()


def to_job(doc: Mapping[str, Any], reading: Reading) -> Translated:
    """The sweep-job document that means the same; problems and notes go to `reading`."""
    if not _is_experiment(doc, reading):
        return Translated({})
    # `status`, and what the cluster adds to `metadata`, are what kubectl writes, not wishes.
    reading.known(doc, "", ("apiVersion", "kind", "metadata", "spec", "status"))
    about = reading.mapping(doc.get("metadata"), "metadata")
    spec = reading.mapping(doc.get("spec"), "spec")
    reading.known(spec, "spec", _SPEC)
    algorithm, seed, rule = _algorithm(spec, reading)
    space = search_space(spec.get("parameters"), algorithm, reading)
    run = trial(spec.get("trialTemplate"), space.names, reading)
    job = {
        "type": "sweep",
        "display_name": reading.text(about, "name", "metadata")
        or reading.text(about, "generateName", "metadata").rstrip("-"),
        "tags": dict(reading.mapping(about.get("labels"), "metadata.labels")),
        "trial": run.doc,
        "search_space": space.doc,
        "sampling_algorithm": {"type": algorithm, **seed, **rule},
        "objective": _objective(spec, reading),
        "limits": {
            "max_total_trials": spec.get("maxTrialCount"),
            "max_concurrent_trials": spec.get("parallelTrialCount", _PARALLEL),
        },
        "early_termination": _early(spec, reading),
        "studio": {"stop_rules": _target(spec), "failure_policy": _failures(spec, reading)},
    }
    _note_rest(spec, reading)
    places = {**_PLACES, **space.places, **run.places}
    return Translated({key: value for key, value in job.items() if value is not None}, places)


def _is_experiment(doc: Mapping[str, Any], reading: Reading) -> bool:
    kind, version = doc.get("kind"), doc.get("apiVersion")
    if kind != "Experiment":
        text = f"Of Kubernetes' objects an Experiment of Katib is read here, but got {shown(kind)}."
        reading.problem("kind", text)
    elif version != _KIND:
        reading.problem("apiVersion", f"Must be {_KIND}, but got {shown(version)}.")
    return not reading.problems


def settings(part: Mapping[str, Any], where: str, reading: Reading) -> dict[str, tuple[Any, str]]:
    """The `algorithmSettings` by name: each value, and where it stands."""
    given = part.get("algorithmSettings") or []
    place = f"{where}.algorithmSettings"
    if not isinstance(given, list):
        reading.problem(place, f"Must be a list of names and values, but got {shown(given)}.")
        return {}
    found = {}
    for index, item in enumerate(given):
        one = reading.mapping(item, f"{place}[{index}]")
        reading.known(one, f"{place}[{index}]", ("name", "value"))
        found[str(one.get("name"))] = (one.get("value"), f"{place}[{index}]")
    return found


# --- Search -------------------------------------------------------------------------------------


def _algorithm(spec: Mapping[str, Any], reading: Reading) -> tuple[str, dict[str, Any], Any]:
    """The sampling algorithm, its seed and its rule."""
    where = "spec.algorithm"
    part = reading.mapping(spec.get("algorithm"), where)
    reading.known(part, where, ("algorithmName", "algorithmSettings"))
    name = str(part.get("algorithmName") or "").lower()
    if name not in _ALGORITHMS:
        why = _WITHOUT_LIKE.get(name)
        told = (
            f"{name} has no like here: {why}."
            if why
            else (f"Must be one of {', '.join(_ALGORITHMS)}; it is {shown(name or None)}.")
        )
        reading.problem(f"{where}.algorithmName", told)
        return "random", {}, {}
    algorithm, how = _ALGORITHMS[name]
    if how:
        reading.note(f"Katib's {name} becomes bayesian: {how}.")
    given = settings(part, where, reading)
    rest = [key for key in given if key != "random_state"]
    if rest:
        reading.note(f"Settings of Katib's {name} are not taken over: {listed(rest)}.")
    seed = {}
    if "random_state" in given:
        value, place = given["random_state"]
        seed = {"seed": reading.whole({"value": value}, "value", place)}
    return algorithm, seed, {"rule": "sobol"} if name == "sobol" else {}


def _objective(spec: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    where = "spec.objective"
    part = reading.mapping(spec.get("objective"), where)
    keys = ("type", "goal", "objectiveMetricName", "additionalMetricNames", "metricStrategies")
    reading.known(part, where, keys)
    if part.get("additionalMetricNames"):
        reading.note("All metrics that a script logs are kept; additionalMetricNames is not asked.")
    name, kind = part.get("objectiveMetricName"), part.get("type")
    best = {"minimize": "min", "maximize": "max"}.get(str(kind))
    strategies = part.get("metricStrategies")
    for item in strategies if isinstance(strategies, list) else []:
        one = item if isinstance(item, Mapping) else {}
        if one.get("name") == name and one.get("value") not in (best, None):
            reading.note(
                f"A trial counts with the best value of {shown(name)} that it logged, not by "
                f"Katib's strategy {shown(one.get('value'))}."
            )
    return {"goal": kind, "primary_metric": name}


def _target(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Katib, too, ends at a value that is as good and lets running trials finish."""
    part = spec.get("objective")
    goal = part.get("goal") if isinstance(part, Mapping) else None
    return {} if goal is None else {"target_value": goal}


def _failures(spec: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Katib counts all failures, the studio those in a row: not the same, so it is said."""
    most = reading.whole(spec, "maxFailedTrialCount", "spec")
    if most is None:
        return {}
    reading.note(
        f"Katib gives up after {most + 1:,} failed trials in all; here {most + 1:,} in a row pause "
        "the sweep."
    )
    return {"max_consecutive_failures": most + 1}


def _early(spec: Mapping[str, Any], reading: Reading) -> dict[str, Any] | None:
    if spec.get("earlyStopping") is None:
        return None
    where = "spec.earlyStopping"
    part = reading.mapping(spec["earlyStopping"], where)
    reading.known(part, where, ("algorithmName", "algorithmSettings"))
    reading.word(part, "algorithmName", where, ("medianstop",))
    given = settings(part, where, reading)
    value, place = given.get("start_step", (4, where))
    start = reading.whole({"value": value}, "value", place)
    reading.note(
        f"Katib's medianstop becomes median stopping from report {start} on: a trial's best is "
        "compared with the averages of all other trials, not of ended ones alone, and "
        "min_trials_required has no like."
    )
    return {"type": "median_stopping", "evaluation_interval": 1, "delay_evaluation": start}


def _note_rest(spec: Mapping[str, Any], reading: Reading) -> None:
    reading.note(
        "Katib reads metrics from what a script prints or writes; here the script logs them with "
        "MLflow."
    )
    if spec.get("nasConfig") is not None:
        reading.problem("spec.nasConfig", "Architectures are not searched here.")
    if spec.get("resumePolicy"):
        reading.note("“resumePolicy” is ignored: a sweep can be extended at any time.")
