"""URLs of the work."""

from django.urls import path

from sweeps.api.urls import urls as api
from sweeps.views import (
    artifacts,
    build_log,
    bulk,
    bundle,
    charts,
    compare,
    compare_sweeps,
    compute_edit,
    compute_test,
    computes,
    control,
    edit,
    environments,
    export,
    health,
    heard,
    home,
    job,
    job_live,
    lists,
    marks,
    narrow,
    new_sweep,
    notifications,
    pick,
    register,
    report,
    secrets,
    selected,
    trial,
    trial_export,
)

_SWEEP = "w/<str:ws>/sweeps/<str:name>/"
_TRIAL = f"{_SWEEP}trials/<int:number>/"

JOB_PAGES = [
    path(_SWEEP, job.overview, name="sweep"),
    path(f"{_SWEEP}live", job_live.live, name="sweep_live"),
    path(f"{_SWEEP}trials/", job.trials, name="sweep_trials"),
    path(f"{_SWEEP}trials.csv", trial_export.as_csv, name="trials_csv"),
    path(f"{_SWEEP}trials.json", trial_export.as_json, name="trials_json"),
    path(f"{_SWEEP}trials/filter", narrow.narrow, name="trials_filter"),
    path(f"{_SWEEP}trials/bulk", bulk.bulk, name="trials_bulk"),
    path(f"{_SWEEP}charts/", job.charts, name="sweep_charts"),
    path(f"{_SWEEP}charts/<str:kind>.json", charts.chart, name="sweep_chart"),
    path(f"{_SWEEP}charts/<str:kind>.csv", charts.values, name="sweep_chart_csv"),
    path(f"{_SWEEP}charts/<str:kind>/", charts.table, name="sweep_chart_table"),
    path(f"{_SWEEP}cards.json", charts.cards, name="sweep_cards"),
    path(f"{_SWEEP}compare/", compare.compare_trials, name="sweep_compare"),
    path(f"{_SWEEP}logs/", job.logs, name="sweep_logs"),
    path(f"{_SWEEP}logs/environment", build_log.build_log, name="sweep_build_log"),
    path(
        f"{_SWEEP}logs/environment.log",
        build_log.download_build_log,
        name="sweep_build_log_download",
    ),
    path(f"{_SWEEP}config/", job.config, name="sweep_config"),
    path(f"{_SWEEP}config/job.yml", export.job_file, name="sweep_job_file"),
    path(f"{_SWEEP}config/azure.yml", export.azure_yaml, name="sweep_azure_yaml"),
    path(f"{_SWEEP}config/job.py", export.python, name="sweep_python"),
    path(f"{_SWEEP}config/code.zip", export.code, name="sweep_code"),
    path(f"{_SWEEP}bundle.zip", bundle.bundle, name="sweep_bundle"),
    path(f"{_SWEEP}report.html", report.report, name="sweep_report"),
    path(f"{_SWEEP}pause", control.pause, name="sweep_pause"),
    path(f"{_SWEEP}resume", control.resume, name="sweep_resume"),
    path(f"{_SWEEP}stop", control.stop, name="sweep_stop"),
    path(f"{_SWEEP}cancel", control.cancel, name="sweep_cancel"),
    path(f"{_SWEEP}edit", edit.edit, name="sweep_edit"),
    path(f"{_SWEEP}rerun-failed", control.rerun_failed, name="sweep_rerun_failed"),
    path(f"{_SWEEP}trials/new", pick.pick, name="trial_new"),
    path(_TRIAL, trial.trial, name="trial"),
    path(f"{_TRIAL}live", trial.live, name="trial_live"),
    path(f"{_TRIAL}log/<str:stream>", trial.log, name="trial_log"),
    path(f"{_TRIAL}download/<str:stream>.log", trial.download_log, name="trial_log_download"),
    path(f"{_TRIAL}artifacts/", artifacts.browse, name="trial_browse"),
    path(f"{_TRIAL}artifacts.zip", artifacts.download_all, name="trial_artifacts"),
    path(f"{_TRIAL}artifacts/<path:path>", artifacts.download, name="trial_artifact"),
    path(f"{_TRIAL}register", register.register, name="trial_register"),
    path(f"{_TRIAL}replay.sh", trial.replay, name="trial_replay"),
    path(f"{_TRIAL}mark", marks.mark, name="trial_mark"),
    path(f"{_TRIAL}cancel", trial.cancel, name="trial_cancel"),
    path(f"{_TRIAL}rerun", trial.rerun, name="trial_rerun"),
]

_COMPUTE = "w/<str:ws>/computes/<str:name>/"
_ENVIRONMENTS = "w/<str:ws>/environments/"
_BUILD = f"{_ENVIRONMENTS}-/builds/<str:digest>/"

ENVIRONMENTS = [
    path(_ENVIRONMENTS, environments.environment_list, name="environment_list"),
    path(f"{_ENVIRONMENTS}new", environments.environment_new, name="environment_new"),
    path(f"{_ENVIRONMENTS}<str:name>/", environments.environment, name="environment"),
    path(f"{_ENVIRONMENTS}<str:name>/build", environments.build_now, name="environment_build"),
    path(f"{_ENVIRONMENTS}<str:name>/delete", environments.delete, name="environment_delete"),
    path(_BUILD, environments.build, name="build"),
    path(f"{_BUILD}again", environments.build_again, name="build_again"),
    path(f"{_BUILD}cancel", environments.build_cancel, name="build_cancel"),
    path(f"{_BUILD}log", environments.build_log, name="build_log"),
]

_NOTIFICATIONS = "w/<str:ws>/settings/notifications/"
_CHANNEL = f"{_NOTIFICATIONS}<int:pk>/"

NOTIFICATIONS = [
    path("notices", heard.notices, name="notices"),
    path(_NOTIFICATIONS, notifications.notification_list, name="notification_list"),
    path(f"{_NOTIFICATIONS}new", notifications.channel_new, name="channel_new"),
    path(_CHANNEL, notifications.channel, name="channel"),
    path(f"{_CHANNEL}test", notifications.channel_test, name="channel_test"),
    path(f"{_CHANNEL}secret", notifications.channel_secret, name="channel_secret"),
    path(f"{_CHANNEL}delete", notifications.channel_delete, name="channel_delete"),
    path(
        f"{_NOTIFICATIONS}deliveries/<int:pk>/retry",
        notifications.delivery_retry,
        name="delivery_retry",
    ),
]

_SECRETS = "w/<str:ws>/settings/secrets/"

SECRETS = [
    path(_SECRETS, secrets.secret_list, name="secret_list"),
    path(f"{_SECRETS}<str:name>/delete", secrets.secret_delete, name="secret_delete"),
]

LISTS = [
    path("", home.home, name="home"),
    path("live", home.home_live, name="home_live"),
    path("help/", home.help_page, name="help"),
    path("w/<str:ws>/", home.workspace, name="workspace"),
    path("w/<str:ws>/live", home.workspace_live, name="workspace_live"),
    path("w/<str:ws>/examples/iris", home.run_example, name="run_example"),
    path("w/<str:ws>/compare/", compare_sweeps.compare, name="compare_sweeps"),
    path("w/<str:ws>/sweeps/", lists.sweep_list, name="sweep_list"),
    path("w/<str:ws>/sweeps/live", lists.sweep_list_live, name="sweep_list_live"),
    path("w/<str:ws>/sweeps/selected", selected.selected, name="sweeps_selected"),
    path("w/<str:ws>/models/", register.model_list, name="model_list"),
    path("w/<str:ws>/computes/", computes.compute_list, name="compute_list"),
    path("w/<str:ws>/computes/live", computes.compute_live, name="compute_live"),
    path("w/<str:ws>/computes/new", compute_edit.compute_new, name="compute_new"),
    path(_COMPUTE, compute_edit.compute, name="compute"),
    path(f"{_COMPUTE}lanes", computes.compute_lanes, name="compute_lanes"),
    path(f"{_COMPUTE}test", compute_test.compute_test, name="compute_test"),
    path(f"{_COMPUTE}test/result", compute_test.compute_test_result, name="compute_test_result"),
]

# Before the pages of a sweep, which would take "new" for a name.
NEW_SWEEP = [
    path("w/<str:ws>/sweeps/new", new_sweep.new_sweep, name="sweep_new"),
    path("w/<str:ws>/sweeps/import", bundle.bring_in, name="sweep_import"),
    path("w/<str:ws>/sweeps/new/dry-run/<str:name>", new_sweep.dry_run, name="dry_run"),
]

urlpatterns = [
    *NEW_SWEEP,
    path("healthz", health.healthz, name="healthz"),
    path("api/v1/", api),
    *JOB_PAGES,
    *LISTS,
    *ENVIRONMENTS,
    *NOTIFICATIONS,
    *SECRETS,
]
