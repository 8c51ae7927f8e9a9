"""Which parts of the studio are up."""

import time
from datetime import datetime
from functools import cache

import httpx
from django.conf import settings

from studio.env import kept_secret
from sweeps.models import EngineLease

UP, DOWN, STARTING = "up", "down", "starting"
# What was never up so long after the studio's start is down.
START_S = 90.0
_CACHE_S = 2.0
_cached: tuple[float, str] = (0.0, DOWN)
# The parts that were up since this process began.
_seen: set[str] = set()


def parts(now: datetime) -> dict[str, str]:
    """The state of each part, as the web process sees it. `now` is compared with leases."""
    held = set(
        EngineLease.objects.filter(name__in=("engine", "queue"), expires_at__gte=now).values_list(
            "name", flat=True
        )
    )
    found = {
        "web": UP,
        "queue": UP if "queue" in held else DOWN,
        "engine": UP if "engine" in held else DOWN,
        "tracking": _tracking(),
    }
    return {name: _or_starting(name, state) for name, state in found.items()}


def _or_starting(name: str, state: str) -> str:
    """Down is what was up before, or should be up by now."""
    if state == UP:
        _seen.add(name)
    is_young = settings.STARTED_S > 0 and time.monotonic() - settings.STARTED_S < START_S
    return STARTING if state == DOWN and is_young and name not in _seen else state


def summary(states: dict[str, str]) -> str:
    """One word for all parts."""
    found = set(states.values())
    return "degraded" if DOWN in found else "starting" if STARTING in found else "ok"


def without_database() -> dict[str, str]:
    """What can be told while the database is away: it alone knows of queue and engine."""
    return {"web": UP, "queue": DOWN, "engine": DOWN, "tracking": _tracking(), "database": DOWN}


@cache
def _client() -> httpx.Client:
    """Kept: a fresh client loads all certificates of the machine each time."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{settings.TRACKING_PORT}",
        headers={"X-Studio-Secret": kept_secret(settings.TRACKING_SECRET_FILE)},
        timeout=2.0,
        trust_env=False,
    )


def _tracking() -> str:
    """Asked at most every two seconds: /healthz is open to all."""
    global _cached
    at, state = _cached
    if time.monotonic() - at < _CACHE_S and at:
        return state
    try:
        answer = _client().get("/health")
        state = UP if answer.status_code == 200 else DOWN
    except httpx.HTTPError:
        state = DOWN
    _cached = (time.monotonic(), state)
    return state
