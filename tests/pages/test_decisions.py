"""Early termination on the trial's page."""

from django.test import Client

from sweeps.domain.job import EarlyTermination
from sweeps.domain.limits import Limits
from sweeps.queries.decisions import NEWEST, decisions_of
from sweeps.services import sweeps
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
