"""Logged models that their sweeps do not keep."""

from django.db.models import Q, QuerySet

from sweeps.domain.job import LoggedModels
from sweeps.models import LoggedModel, ModelVersion, Sweep, Trial
from sweeps.queries.best import best_of_each
from sweeps.queries.records import best_trial

# What one look hands to the queue.
_MOST = 20


def prunable_models() -> list[int]:
    """Models whose attempt is over and whose sweep does not want them; `is_unwanted` looks again.

    One that is not the best trial's will never be: the best value of a sweep only becomes better.
    """
    over = _over().values_list("pk", "fate", "attempt__trial", "attempt__trial__sweep")
    rows = list(over.order_by("pk"))
    wishes = Sweep.objects.only("logged_models", "goal")
    sweeps = wishes.in_bulk({sweep for *_, sweep in rows})
    best = {pk: trial.pk for pk, trial in best_of_each(list(sweeps.values())).items()}
    return [
        pk
        for pk, fate, trial, sweep in rows
        if fate == LoggedModel.GOING or _is_unwanted(sweeps[sweep], trial, best.get(sweep))
    ][:_MOST]


def _over() -> QuerySet[LoggedModel]:
    open_ones = LoggedModel.objects.filter(fate__in=(LoggedModel.OPEN, LoggedModel.GOING))
    return open_ones.filter(attempt__run_closed=True)


def is_unwanted(model: LoggedModel) -> bool:
    """Whether its sweep does not keep it, by the rows of this moment."""
    trial = model.attempt.trial
    best = best_trial(trial.sweep)
    is_over = _over().filter(pk=model.pk).exists()
    return is_over and _is_unwanted(trial.sweep, trial.pk, best.pk if best else None)


def _is_unwanted(sweep: Sweep, trial: int, best: int | None) -> bool:
    """With "best", nobody's is unwanted while no trial counts: it may be what there will be."""
    if sweep.logged_models == LoggedModels.NONE:
        return True
    return sweep.logged_models == LoggedModels.BEST and best is not None and trial != best


def is_registered(model: LoggedModel) -> bool:
    """Whether somebody has made it, or something of its run, a version in the registry, or asked
    for that."""
    of_it = Q(model_id=model.model_id) | Q(source__contains=model.model_id)
    if model.attempt.run_id:
        of_it |= Q(run_id=model.attempt.run_id)
    return ModelVersion.objects.filter(of_it).exclude(state=ModelVersion.FAILED).exists()


def has_pruned(trial: Trial) -> bool:
    """Whether models of the trial's newest attempt were deleted so."""
    if trial.sweep.logged_models == LoggedModels.ALL:
        return False
    gone = LoggedModel.objects.gone().filter(attempt__trial=trial, attempt__number=trial.attempt)
    return gone.exists()
