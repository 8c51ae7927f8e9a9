"""The report: one file that needs nothing else, whatever is in the sweep."""

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from studio.models import Compute, User, Workspace
from sweeps.domain.made_up import MadeUp
from sweeps.models import Sweep, Trial
from sweeps.services.made_up import synthesize
from tests.api.acts import play
from tests.conftest import NOW

HOSTILE = "</style></pre><script>alert(1)</script>"


@pytest.fixture
def page(client: Client, rita: User) -> Client:
    client.force_login(rita)
    return client


def report(page: Client, sweep: Sweep) -> str:
    response = page.get(f"/w/default/sweeps/{sweep.name}/report.html")
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert policy == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response.content.decode()


def needs_nothing(html: str) -> None:
    """No script, and nothing that a browser would fetch."""
    assert "<script" not in html
    assert not re.search(r"<link|<img|<iframe|@import|url\(|src=|href=|<[^>]* on\w+=", html)


def test_it_tells_all_and_needs_nothing(page: Client, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.5, None, 0.25, 0.75])
    html = report(page, sweep)
    needs_nothing(html)
    assert "Best trial #2" in html
    assert html.count("<svg") == 3
    assert "Failures" in html
    assert "search_space:" in html
    assert "prefers-color-scheme: dark" in html
    assert "--surface: #161b25" in html
    job = page.get(f"/w/default/sweeps/{sweep.name}/").content.decode()
    assert f'href="/w/default/sweeps/{sweep.name}/report.html" download' in job


def test_everything_hostile_stays_text(
    page: Client, make_sweep: Callable[..., Sweep], now: Any
) -> None:
    sweep = make_sweep(display_name=HOSTILE, description=HOSTILE, tags={HOSTILE: HOSTILE})
    play(sweep, now, [0.5, None])
    Trial.objects.filter(sweep=sweep, number=1).update(reason=HOSTILE, signature=HOSTILE)
    Sweep.objects.filter(pk=sweep.pk).update(notes=[HOSTILE], primary_metric=HOSTILE)
    html = report(page, sweep)
    needs_nothing(html)
    assert html.count("</style>") == 1
    assert "&lt;script&gt;alert(1)" in html


def test_a_sweep_that_has_not_begun_has_one(page: Client, sweep: Sweep) -> None:
    html = report(page, sweep)
    assert "No value yet" in html
    needs_nothing(html)


@pytest.mark.once
def test_it_stays_small_at_thousands_of_trials(
    page: Client, workspace: Workspace, compute: Compute
) -> None:
    made = MadeUp(trials=3_000, params=8, metrics=1, points=2, failed=800)
    sweep = synthesize(workspace, made, compute=compute, user=None, now=NOW, rng=random.Random(1))
    html = report(page, sweep)
    assert len(html) < 700_000
    assert "3,000 trials" in html
    assert "and 780 more" in html or "more</td>" in html


def test_strangers_get_none(client: Client, charlie: User, sweep: Sweep) -> None:
    client.force_login(charlie)
    assert client.get(f"/w/default/sweeps/{sweep.name}/report.html").status_code == 404
