"""Names of the run and experiment tags the studio writes and reads.

The `mlflow.*` names are MLflow's own (`mlflow/utils/mlflow_tags.py`); the `studio.*` names
are ours and are what recovery searches by, so they never change meaning.
"""

PARENT_RUN_ID = "mlflow.parentRunId"
RUN_NAME = "mlflow.runName"
RUN_NOTE = "mlflow.note.content"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
SOURCE_GIT_COMMIT = "mlflow.source.git.commit"
SOURCE_GIT_BRANCH = "mlflow.source.git.branch"
SOURCE_GIT_REMOTE = "mlflow.source.git.repoURL"
SOURCE_GIT_DIRTY = "mlflow.source.git.dirty"
USER = "mlflow.user"
# On MLflow's "Default" experiment, whose own prefix hides it from people.
ASKED = "mlflow.studio.asked"

SWEEP = "studio.sweep"
TRIAL = "studio.trial"
ATTEMPT = "studio.attempt"
WORKSPACE = "studio.workspace"
SAMPLING_ALGORITHM = "studio.sampling_algorithm"
BEST_CHILD_RUN_ID = "studio.best_child_run_id"
REASON = "studio.reason"
SUPERSEDED = "studio.superseded"
