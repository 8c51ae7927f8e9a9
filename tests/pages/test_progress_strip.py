"""The progress strip: what it says of time while a sweep is paused, ended, or back again."""

from datetime import timedelta
from typing import Any

from sweeps.domain.limits import MAX_SECONDS, Limits
from sweeps.models import Sweep
from sweeps.queries.progress import progress
from sweeps.services import control
from tests.api.acts import play


def read(sweep: Sweep, now: Any) -> Any:
    return progress(Sweep.objects.select_related("compute").get(pk=sweep.pk), now)


def test_the_clock_of_the_timeout_stands_still_in_a_pause(make_sweep: Any, now: Any) -> None:
    sweep = make_sweep(limits=Limits(9, 1, 3600))
    play(sweep, now, [0.3])
    begun = Sweep.objects.get(pk=sweep.pk).started_at
    minute = timedelta(minutes=1)
    found = read(sweep, begun + minute)
    assert (found.elapsed_s, found.timed_s) == (60, 60)
    assert found.left_s is not None
    control.pause_sweep(sweep, actor="bob", now=begun + minute)
    found = read(sweep, begun + 2 * minute)
    assert (found.elapsed_s, found.timed_s, found.left_s) == (120, None, None)
    control.resume_sweep(sweep, actor="bob", now=begun + 3 * minute)
    found = read(sweep, begun + 4 * minute)
    assert (found.elapsed_s, found.timed_s) == (240, 120)


def test_the_time_that_is_left_ends_with_the_timeout(make_sweep: Any, now: Any) -> None:
    sweep = make_sweep(limits=Limits(900, 1, 3600))
    play(sweep, now, [0.3])
    begun = Sweep.objects.get(pk=sweep.pk).started_at
    assert read(sweep, begun + timedelta(seconds=3590)).left_s == 10
    Sweep.objects.update(timed_from=begun + timedelta(seconds=90))
    assert read(sweep, begun + timedelta(seconds=3590)).left_s == 100


def test_nothing_is_left_to_wait_for_once_it_is_stopped(make_sweep: Any, now: Any) -> None:
    sweep = make_sweep(limits=Limits(9, 1, 3600))
    play(sweep, now, [0.3])
    control.stop_sweep(sweep, actor="bob", now=now)
    assert read(sweep, now + timedelta(minutes=1)).left_s is None


def test_the_longest_timeout_there_is_goes_without_saying(make_sweep: Any, now: Any) -> None:
    sweep = make_sweep(limits=Limits(9, 1, MAX_SECONDS))
    assert read(sweep, now).timeout_s is None
    Sweep.objects.update(timeout_s=3600)
    assert read(sweep, now).timeout_s == 3600
