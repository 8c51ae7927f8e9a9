"""The MLflow store, told to people who want to open it themselves."""

import re
import shlex

from django.conf import settings

_PASSWORD = re.compile(r"(?<=://)([^:/@]*):[^@]*@")


def mlflow_ui_command() -> str:
    """The shell line that opens the store in MLflow's own UI; a password in it is masked."""
    store = _PASSWORD.sub(r"\1:…@", settings.TRACKING_STORE)
    artifacts = str(settings.TRACKING_ARTIFACTS)
    return (
        f"mlflow ui --backend-store-uri {shlex.quote(store)} "
        f"--artifacts-destination {shlex.quote(artifacts)}"
    )
