"""Which parts of the studio are up."""

import time
from datetime import datetime
from functools import cache

import httpx
from django.conf import settings

from studio.env import kept_secret
from studio.hosts import own, tracking_url
from sweeps.models import EngineLease

UP, DOWN, STARTING = "up", "down", "starting"
# Whose health stands in rows: each holds a lease while it works.
_IN_ROWS = ("queue", "engine")
# What was never up so long after the studio's start is down.
START_S = 90.0
_CACHE_S = 2.0
_cached: tuple[float, str] = (0.0, DOWN)
# The parts that were up since this process began.
_seen: set[str] = set()


def parts(now: datetime) -> dict[str, str]:
    """The state of each part of this host. `now` is compared with leases."""
    names = {name: own(name) for name in _IN_ROWS}
    held = set(
        EngineLease.objects.filter(name__in=names.values(), expires_at__gte=now).values_list(
            "name", flat=True
        )
    )
    found = _states({name: UP if names[name] in held else DOWN for name in _IN_ROWS})
    return {name: _or_starting(name, state) for name, state in found.items()}


def _states(in_rows: dict[str, str]) -> dict[str, str]:
    """The parts that this host has, and who answers for them if it has no web."""
    answers = "web" if "web" in settings.STUDIO_PARTS else "health"
    found = {answers: UP} | {n: s for n, s in in_rows.items() if n in settings.STUDIO_PARTS}
    return found | ({"tracking": _tracking()} if "tracking" in settings.STUDIO_PARTS else {})


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
    return _states(dict.fromkeys(_IN_ROWS, DOWN)) | {"database": DOWN}


@cache
def _client() -> httpx.Client:
    """Kept: a fresh client loads all certificates of the machine each time."""
    return httpx.Client(
        base_url=tracking_url(),
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
