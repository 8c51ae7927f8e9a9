"""Steering a sweep by the buttons of its page: what they say, what they do, and only once."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.job import FailurePolicy
from sweeps.domain.limits import Limits
from sweeps.domain.states import Desired, PausedBy, SweepStatus, TrialStatus
from sweeps.models import StateChange, Sweep
from sweeps.queries.progress import progress
from sweeps.services import control
from sweeps.views.buttons import steering
from tests.api.acts import play, start

VERBS = {
    "pause": SweepStatus.PAUSED,
    "stop": SweepStatus.STOPPING,
    "cancel": SweepStatus.STOPPING,
}


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    """Of 9 trials: 0 completed, 1 failed, 2 and 3 run; two at a time."""
    sweep: Sweep = make_sweep(limits=Limits(9, 2, 3600))
    play(sweep, now, [0.3, None])
    for trial in sweep.trials.filter(status="Queued").order_by("number"):
        start(trial.pk, now)
    sweep.refresh_from_db()
    return sweep


def url(sweep: Sweep, page: str = "") -> str:
    return f"/w/default/sweeps/{sweep.name}/{page}"


def press(client: Client, sweep: Sweep, verb: str, **fields: str) -> str:
    """The page that one sees after the button."""
    response = client.post(url(sweep, verb), fields, follow=True)
    assert response.status_code == 200
    sweep.refresh_from_db()
    return unescape(response.content.decode())


def said(sweep: Sweep, now: Any) -> dict[str, str]:
    sweep.refresh_from_db()
    return {button.verb: button.says for button in steering(sweep, progress(sweep, now))}


@pytest.mark.parametrize(("verb", "status"), VERBS.items())
def test_a_button_pressed_twice_does_it_once(
    client: Client, bob: User, played: Sweep, wake_ups: Any, verb: str, status: SweepStatus
) -> None:
    client.force_login(bob)
    press(client, played, verb)
    assert played.status == status
    assert " by bob" in played.reason
    assert ("advance_sweep", played.pk) in wake_ups()
    revision = played.revision
    html = press(client, played, verb)
    assert played.revision == revision
    assert StateChange.objects.filter(sweep=played, trial=None, after=status).count() == 1
    assert 'class="messages"' not in html


def test_a_paused_sweep_says_so_on_top_and_goes_on_by_resume(
    client: Client, bob: User, played: Sweep
) -> None:
    client.force_login(bob)
    html = press(client, played, "pause")
    [notice] = re.findall(r'<div id="job-notice".*?</div></div>', html, re.DOTALL)
    assert "Paused by bob: running trials finish, none start until it is resumed." in notice
    assert re.search(r'class="btn btn-primary"[^>]*data-key="p"[^>]*>.*?Resume', html)
    html = press(client, played, "resume")
    assert (played.status, played.desired) == (SweepStatus.RUNNING, Desired.RUN)
    assert "Paused by" not in html


def test_the_breakers_reason_leads_to_the_failures(
    client: Client, rita: User, played: Sweep, now: Any
) -> None:
    reason = "Paused after 5 failures in a row, all with: no such file."
    control.pause_sweep(played, actor="studio", now=now, by=PausedBy.BREAKER, reason=reason)
    client.force_login(rita)
    html = client.get(url(played)).content.decode()
    [notice] = re.findall(r'<div id="job-notice".*?</div></div>', html, re.DOTALL)
    assert reason in notice
    assert 'href="#failures"' in notice


def test_buttons_say_what_they_do_in_numbers_of_the_moment(played: Sweep, now: Any) -> None:
    assert said(played, now) == {
        "pause": "2 running trials finish, none starts until it is resumed.",
        "stop": "2 running trials finish, the remaining 5 never start, "
        "then the sweep ends with what it has.",
        "cancel": "2 running trials are killed now, the remaining 5 never start. "
        "What has been logged stays.",
    }
    control.pause_sweep(played, actor="bob", now=now)
    assert said(played, now)["resume"].startswith("The remaining 5 trials may start;")
    control.stop_sweep(played, actor="bob", now=now)
    assert list(said(played, now)) == ["cancel"]
    control.cancel_sweep(played, actor="bob", now=now)
    assert said(played, now) == {}


def test_buttons_before_the_first_trial(sweep: Sweep, now: Any) -> None:
    assert said(sweep, now)["stop"].startswith("The remaining 4 never start, then")
    Sweep.objects.update(max_total_trials=1)
    assert said(sweep, now)["cancel"].startswith("The remaining 1 never starts. What")


def test_what_cannot_be_is_said(client: Client, bob: User, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    client.force_login(bob)
    for verb in ("pause", "resume", "stop", "cancel"):
        html = press(client, sweep, verb)
        assert f"The sweep has ended as Completed; nothing to {verb}." in html
    assert sweep.status == SweepStatus.COMPLETED


def test_a_stopping_sweep_tells_that_trials_finish(
    client: Client, bob: User, played: Sweep
) -> None:
    client.force_login(bob)
    html = press(client, played, "stop")
    assert "Stopped by bob. Running trials finish." in html
    assert "Stopping" in html
    html = press(client, played, "cancel")
    assert "Canceled by bob. Running trials are being ended." in html
    assert "Canceling" in html
    assert "Stopping" not in html


@pytest.mark.parametrize("tab", ["trials", "charts", "compare", "logs", "config"])
def test_one_stays_on_the_tab(client: Client, bob: User, played: Sweep, tab: str) -> None:
    client.force_login(bob)
    response = client.post(url(played, "pause"), {"tab": tab})
    assert response.headers["Location"] == url(played, f"{tab}/")
    assert f'name="tab" value="{tab}"' in client.get(url(played, f"{tab}/")).content.decode()
    odd = client.post(url(played, "pause"), {"tab": "//evil.example"})
    assert odd.headers["Location"] == url(played)


def test_running_all_failed_trials_again(
    client: Client, bob: User, played: Sweep, wake_ups: Any
) -> None:
    client.force_login(bob)
    assert "Re-run 1 failed trial<" in client.get(url(played)).content.decode()
    html = press(client, played, "rerun-failed")
    failed = played.trials.get(number=1)
    assert failed.status == TrialStatus.QUEUED
    assert "1 trial is queued again." in html
    assert ("run_trial", failed.pk) in wake_ups()
    assert "queued again" not in press(client, played, "rerun-failed")


def test_failed_trials_of_one_kind_alone(
    client: Client, bob: User, make_sweep: Any, now: Any
) -> None:
    sweep = make_sweep(limits=Limits(4, 1, 3600))
    play(sweep, now, [None, None, 0.5])
    sweep.trials.filter(number=1).update(signature="another")
    client.force_login(bob)
    assert "1 trial is queued again." in press(client, sweep, "rerun-failed", signature="another")
    assert sweep.trials.get(number=0).status == TrialStatus.FAILED
    assert sweep.trials.get(number=1).status == TrialStatus.QUEUED


def test_nothing_is_run_again_in_a_sweep_that_is_being_ended(
    client: Client, bob: User, played: Sweep
) -> None:
    client.force_login(bob)
    html = press(client, played, "stop")
    assert "Re-run 1 failed trial" not in html
    html = press(client, played, "rerun-failed")
    assert "The sweep is being ended; wait until it is over." in html
    assert played.trials.get(number=1).status == TrialStatus.FAILED


@pytest.fixture
def tripped(make_sweep: Any, now: Any) -> Sweep:
    """Two of nine trials failed, whereupon the sweep paused itself."""
    never = FailurePolicy(max_consecutive_failures=2)
    sweep: Sweep = make_sweep(limits=Limits(9, 1, 3600), failure_policy=never)
    play(sweep, now, [None, None])
    assert (sweep.status, sweep.paused_by) == (SweepStatus.PAUSED, PausedBy.BREAKER)
    return sweep


def notice(html: str) -> str:
    return html.split('id="job-notice"')[1].split('id="job-progress"')[0]


@pytest.mark.parametrize(("one_kind", "words"), [(False, "2 trials are"), (True, "1 trial is")])
def test_trials_run_again_in_a_paused_sweep_wait_for_resume_and_the_page_says_so(
    client: Client, bob: User, tripped: Sweep, one_kind: bool, words: str
) -> None:
    tripped.trials.filter(number=1).update(signature="another")
    client.force_login(bob)
    before = notice(client.get(url(tripped)).content.decode())
    assert 'href="#failures"' in before
    assert "Resume" not in before  # nothing waits yet; the button in the head is there
    form = {"signature": "another"} if one_kind else {}
    html = press(client, tripped, "rerun-failed", **form)
    it = "it" if one_kind else "them"
    assert f"{words} queued again: resume the sweep to start {it}." in html
    said = notice(html)
    count = "1 queued trial</b> waits" if one_kind else "2 queued trials</b> wait"
    assert f"{count}: resume the sweep to start {it}." in said
    assert f'action="{url(tripped, "resume")}"' in said
    # The link leads somewhere as long as there is a failure to see.
    assert ('href="#failures"' in said) == ('id="failures"' in html) == one_kind
    assert "queued trial" not in notice(press(client, tripped, "resume"))


def test_only_who_may_resume_is_offered_it(client: Client, rita: User, tripped: Sweep) -> None:
    tripped.trials.update(status=TrialStatus.QUEUED)
    client.force_login(rita)
    said = notice(client.get(url(tripped)).content.decode())
    assert "2 queued trials</b> wait" in said
    assert "<form" not in said


def test_what_the_disk_paused_goes_on_by_itself(client: Client, bob: User, tripped: Sweep) -> None:
    tripped.trials.update(status=TrialStatus.QUEUED)
    Sweep.objects.update(paused_by=PausedBy.DISK)
    client.force_login(bob)
    assert "queued trial" not in notice(client.get(url(tripped)).content.decode())
