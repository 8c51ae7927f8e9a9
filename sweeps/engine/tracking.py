"""The process's own line to the tracking server."""

from functools import cache

from django.conf import settings

from studio.env import kept_secret
from studio.hosts import tracking_url
from sweeps.tracking.client import GATE_HEADER, Tracking, TrackingUnavailable

__all__ = ["TrackingUnavailable", "address", "tracking"]

TIMEOUT_S = 5.0


def address() -> tuple[str, dict[str, str]]:
    """Where the tracking server listens, and the header it lets in."""
    secret = kept_secret(settings.TRACKING_SECRET_FILE)
    return tracking_url(), {GATE_HEADER: secret}


@cache
def prober(timeout_s: float) -> Tracking:
    """A client that does not wait long, for asking whether anybody is there."""
    url, headers = address()
    return Tracking(url, headers[GATE_HEADER], timeout_s=timeout_s)


@cache
def tracking() -> Tracking:
    """The client of the tracking server that the supervisor runs."""
    url, headers = address()
    return Tracking(url, headers[GATE_HEADER], timeout_s=TIMEOUT_S)
