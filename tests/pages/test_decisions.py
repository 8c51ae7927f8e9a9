"""Early termination on the trial's page."""

import math
from datetime import timedelta

import pytest
from django.test import Client

from sweeps.domain.job import EarlyTermination
from sweeps.domain.limits import Limits
from sweeps.models import Attempt, Trial
from sweeps.queries.decisions import NEWEST, Decisions, decisions_of
from sweeps.services import sweeps, trials
from sweeps.services.edits import edit_sweep
from tests.api.acts import start
from tests.sweeps.test_termination import log

BANDIT = EarlyTermination("bandit", {"slack_factor": 0.1, "evaluation_interval": 1})


def test_the_judgements_stand_on_the_page_the_one_that_stopped_it_last(make_sweep, rita, now):
    sweep = make_sweep(early_termination=BANDIT, limits=Limits(4, 2, 3600))
    good, bad = (start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials)
    log(good, now, *[0.5] * 9)
    log(bad, now, *[0.5] * 8)
    client = Client()
    client.force_login(rita)
    url = f"{sweep.get_absolute_url()}trials/1/"
    assert "bandit, slack 10 %, judged at 8 reports" in client.get(url).content.decode()
    log(good, now, 0.1)
    log(bad, now, 0.49, 0.48)
    decisions = decisions_of(bad.trial)
    assert len(decisions.all) == 10
    assert [one.stop for one in decisions.newest] == [False] * (NEWEST - 1) + [True]
    page = client.get(url).content.decode()
    assert "5 earlier judgements, all passed" in page
    assert page.count('class="decision-stop"') == 1
    assert "<b>Stopped.</b> 0.48 at report 10, needed 0.11" in page


def test_a_trial_that_nobody_judged_shows_nothing(sweep, rita, now):
    start(sweeps.advance(sweep.pk, now).trials[0], now)
    client = Client()
    client.force_login(rita)
    page = client.get(f"{sweep.get_absolute_url()}trials/0/").content.decode()
    assert "Early termination" not in page


# --- Reports without a judgement ----------------------------------------------------------------


def bandit(**options):
    return EarlyTermination("bandit", {"slack_factor": 0.1, "evaluation_interval": 1, **options})


def pair(make_sweep, now, early=BANDIT):
    sweep = make_sweep(early_termination=early, limits=Limits(4, 2, 3600))
    return [start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials]


def alone(attempt):
    return decisions_of(Trial.objects.get(pk=attempt.trial_id)).alone


def card(rita, attempt):
    client = Client()
    client.force_login(rita)
    page = client.get(f"{attempt.trial.sweep.get_absolute_url()}trials/{attempt.trial.number}/")
    html = page.content.decode()
    return html.split('id="trial-decisions"')[1].split('id="trial-command"')[0]


def test_whoever_reports_first_is_told_that_there_is_nothing_to_compare_with(make_sweep, rita, now):
    first, other = pair(make_sweep, now)
    assert "Early termination" not in card(rita, first)
    log(first, now, 0.5)
    shown = card(rita, first)
    assert "bandit, slack 10 %, not judged so far" in shown
    assert "Nothing to compare with at report 1: no other trial had a value there yet." in shown
    assert "<table" not in shown
    log(other, now, 0.5)
    assert alone(other) == []
    log(first, now, 0.5)
    assert "Nothing to compare with at reports 1 and 2:" in card(rita, first)
    log(other, now, 0.5, 0.5)
    log(first, now, 0.5, 0.5, 0.5)
    shown = card(rita, first)
    assert "Nothing to compare with at 4 reports, from 1 to 5:" in shown
    assert "judged at 1 report<" in shown


def test_only_reports_that_were_due_and_had_a_value_lacked_somebody_to_compare_with(
    make_sweep, now
):
    first, _ = pair(make_sweep, now, bandit(evaluation_interval=2, delay_evaluation=4))
    log(first, now, *[math.nan] * 4, *[0.5] * 5)
    assert alone(first) == [6, 8]


def test_of_what_was_logged_after_the_order_to_stop_nothing_is_said(make_sweep, now):
    good, bad = pair(make_sweep, now)
    log(good, now, 0.1)
    log(bad, now, 0.9)  # stopped
    log(bad, now, 0.9, 0.9)
    assert alone(bad) == []
    trials.cancel_trial(good.trial, actor="ann", now=now)
    log(good, now, 0.1)
    assert alone(good) == []


def test_under_an_edited_policy_nothing_is_said_of_reports_that_may_not_have_been_due(
    make_sweep, now
):
    first, other = pair(make_sweep, now, bandit(delay_evaluation=5))
    log(first, now, 0.5)
    assert alone(first) == []
    edit_sweep(first.trial.sweep, {"early_termination": BANDIT}, actor="ann", now=now)
    assert alone(first) == []
    later = Attempt.objects.filter(pk=other.pk)
    later.update(created_at=now + timedelta(seconds=1))
    log(Attempt.objects.get(pk=other.pk), now, 0.5, 0.5)
    assert alone(other) == [2]


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        ((), ""),
        ((1,), "report 1"),
        ((1, 2), "reports 1 and 2"),
        ((2, 4, 6), "reports 2, 4 and 6"),
        ((1, 2, 3, 1000), "4 reports, from 1 to 1,000"),
    ],
)
def test_reports_in_words(reports, words):
    assert Decisions("bandit", (), reports).alone_words == words
