"""`manage.py demo`: what it prints, and that it never waits for what will not come."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sweeps.client import progress
from sweeps.domain.states import PausedBy
from sweeps.management.commands import demo
from sweeps.models import Sweep
from sweeps.services import control
from tests.api.acts import play

REASON = "Paused after 5 failures in a row, all with: no such file."


@pytest.fixture
def submitted(sweep: Sweep, compute: Any, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """What the demo submits, and watches without sleeping."""
    monkeypatch.setattr(demo, "submit_iris", lambda *_, **__: sweep)
    return sweep


def between_looks(monkeypatch: pytest.MonkeyPatch, *steps: Any) -> None:
    """What happens each time that the demo sleeps."""
    left = list(steps)
    watch = lambda look, screen: progress.follow(look, screen, lambda _: left.pop(0)())  # noqa: E731
    monkeypatch.setattr(demo, "follow", watch)


def test_it_watches_to_the_end_and_tells_the_best_trial(
    submitted: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_looks(monkeypatch, lambda: play(submitted, now, [0.4, 0.1, 0.3, 0.2]))
    out = StringIO()
    call_command("demo", stdout=out)
    assert "Completed. Best trial #1: loss 0.1 with lr=" in out.getvalue()


def test_a_pause_by_the_breaker_ends_it_with_the_reason_and_what_to_do(
    submitted: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        control.pause_sweep(submitted, actor="studio", now=now, by=PausedBy.BREAKER, reason=REASON)

    between_looks(monkeypatch, broken)
    with pytest.raises(CommandError, match="no such file") as told:
        call_command("demo", stdout=StringIO())
    assert f"{submitted.get_absolute_url()}#failures, then press Resume or Stop" in str(told.value)


def test_a_persons_pause_is_waited_out(
    submitted: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resumed() -> None:
        control.resume_sweep(submitted, actor="bob", now=now + timedelta(minutes=1))
        play(submitted, now + timedelta(minutes=1), [0.4, 0.1, 0.3, 0.2])

    between_looks(
        monkeypatch, lambda: control.pause_sweep(submitted, actor="bob", now=now), resumed
    )
    out = StringIO()
    call_command("demo", stdout=out)
    assert "Paused by bob" in out.getvalue()
    assert "Completed." in out.getvalue()
