"""The process's own line to the tracking server."""

from functools import cache

from django.conf import settings

from studio.env import kept_secret
from sweeps.tracking.client import Tracking

TIMEOUT_S = 5.0


@cache
def tracking() -> Tracking:
    """The client of the tracking server that the supervisor runs."""
    secret = kept_secret(settings.TRACKING_SECRET_FILE)
    return Tracking(f"http://127.0.0.1:{settings.TRACKING_PORT}", secret, timeout_s=TIMEOUT_S)
