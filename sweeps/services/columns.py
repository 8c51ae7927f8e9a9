"""Which columns of a trial and its surroundings a use case reads: to read all takes Django longer
than the database."""

# What decisions on a trial need; parameters and documents stay where they are.
DECIDES = (
    "number", "status", "desired", "reason", "attempt", "losses", "failures", "not_before",
    "sweep__uid", "sweep__name", "sweep__status", "sweep__desired", "sweep__reason",
    "sweep__primary_metric", "sweep__goal",
    "sweep__failure_policy", "sweep__trial_timeout_s", "sweep__compute", "sweep__display_name",
    "sweep__max_concurrent_trials",
)  # fmt: skip


# What a start needs besides, from it and from what its sweep belongs to.
STARTED_WITH = ("sweep__compute", "sweep__workspace", "sweep__code", "sweep__created_by")
STARTS = (
    "params", "sweep__command", "sweep__inputs", "sweep__outputs", "sweep__run_id",
    "sweep__environment_variables", "sweep__experiment_id", "sweep__compute__kind",
    "sweep__compute__slots", "sweep__compute__python", "sweep__compute__environment_variables",
    "sweep__workspace__name", "sweep__code__digest", "sweep__created_by__username",
)  # fmt: skip
# And what is enough for bookkeeping.
MOVES = ("number", "status", "desired", "reason", "attempt", "sweep")
