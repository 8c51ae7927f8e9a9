"""MLflow's client: what it knows comes from the trial's environment, and nothing is left of others."""

from tests.runners.warm.stage import TRACK, Case

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true"}
STATE = """
import os, mlflow, logging, sys
print(mlflow.get_tracking_uri(), mlflow.get_registry_uri(), mlflow.active_run(), mlflow.last_active_run())
from mlflow.tracking import fluent
print(fluent._get_experiment_id(), fluent._active_experiment_id, mlflow.is_tracking_uri_set())
print(os.environ.get("MLFLOW_RUN_ID"), sorted(k for k in os.environ if k.startswith("MLFLOW")))
with mlflow.start_run() as run:
    mlflow.log_param("lr", 0.1); mlflow.log_metric("loss", 0.5, step=1); mlflow.set_tag("a", "b")
    print(len(run.info.run_id), run.info.experiment_id, run.info.artifact_uri.replace(run.info.run_id, "RUN"))
    print({k: v for k, v in run.data.tags.items() if k != "mlflow.runName"})
found = mlflow.get_run(run.info.run_id)
print(found.data.params, found.data.metrics, found.info.status, mlflow.active_run())
print(mlflow.last_active_run().info.run_id == run.info.run_id)
mlflow.set_experiment("mine"); print(fluent._get_experiment_id(), mlflow.get_tracking_uri())
print(logging.getLogger("mlflow").handlers, logging.getLogger("mlflow").level)
"""
RESUMED = """
import os, mlflow, logging
logging.getLogger("mlflow").setLevel("ERROR"); print(mlflow.get_tracking_uri())
client = mlflow.MlflowClient()
run = client.create_run("0"); os.environ["MLFLOW_RUN_ID"] = run.info.run_id
mlflow.log_metric("m", 1.0); print(mlflow.active_run().info.run_id == run.info.run_id)
mlflow.end_run(); print(client.get_run(run.info.run_id).info.status)
del os.environ["MLFLOW_RUN_ID"]; print(mlflow.start_run(run_name="next").info.run_name)
raise ValueError("in a run")
"""
FAILS = """
import mlflow
try:
    mlflow.log_metric("m", 1.0)
except Exception as error: print(type(error).__name__, str(error)[:200])
"""
CASES = [
    Case("mlflow's state", STATE, env=QUIET, imports=TRACK,
         own={"MLFLOW_TRACKING_URI": "sqlite:///runs.db"}, long=True),
    Case("mlflow's experiment from the environment", STATE.replace("mlflow.set_experiment", "str"),
         env=QUIET, own={"MLFLOW_TRACKING_URI": "sqlite:///r.db",
         "MLFLOW_EXPERIMENT_ID": "0"}, imports=TRACK, long=True),
    Case("mlflow's run that is resumed", RESUMED, env=QUIET,
         own={"MLFLOW_TRACKING_URI": "sqlite:///runs.db"}, imports=TRACK, long=True),
    Case("mlflow without a server", FAILS, env=QUIET,
         own={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_RUN_ID": "0" * 32,
              "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}, imports=TRACK, long=True),
]  # fmt: skip
