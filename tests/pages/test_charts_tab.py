"""The Charts tab: every kind, its options as plain forms, and whatever an address may ask."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sweeps.domain.limits import Limits
from sweeps.figures.registry import KINDS
from sweeps.models import Sweep, Trial
from sweeps.queries import boards
from tests.api.acts import log, play, start
from tests.pages.test_job_pages import HOSTILE, figure, html_of, url

OPTIONS = [(kind, option.word) for kind, found in KINDS.items() for option in found.options]
ODD = ["", "x", HOSTILE, "params.", "params.nothing", "metrics.x", "objective", "number", "-1"]


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    sweep: Sweep = make_sweep(limits=Limits(14, 1, 3600))
    play(sweep, now, [0.3, 0.1, None, 0.2, 0.5, 0.4, 0.6, 0.7, 0.9, 0.8, 0.35, 0.25])
    log(start(sweep.trials.get(number=12).pk, now), [0.9, float("nan"), 0.5], name="acc")
    sweep.refresh_from_db()
    return sweep


def test_every_kind_has_a_card_and_a_place_in_the_index(
    client: Client, rita: User, played: Sweep
) -> None:
    html = html_of(client, rita, url(played, "charts/"))
    for kind, found in KINDS.items():
        if found.suits:
            continue
        assert f'<a href="#chart-of-{kind}">{found.title}</a>' in html
        assert html.count(f'id="chart-of-{kind}"') == 1
        assert html.count(f'id="chart-{kind}"') == 1


def test_an_option_changes_its_own_word_and_keeps_the_others(
    client: Client, rita: User, played: Sweep
) -> None:
    asked = [("in", "params.lr:0.1..0.9"), ("scatter.x", "number"), ("t", "3")]
    html = html_of(client, rita, url(played, f"charts/?{urlencode(asked)}"))
    forms = re.findall(r"<form[^>]*data-chart-options.*?</form>", html, re.DOTALL)
    form = next(one for one in forms if 'action="#chart-of-scatter"' in one)
    assert '<option value="number" selected>' in form
    hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form)
    assert [(name, unescape(value)) for name, value in hidden] == [asked[0], asked[2]]
    other = next(one for one in forms if 'action="#chart-of-curves"' in one)
    assert 'name="scatter.x" value="number"' in other


def test_links_to_tables_carry_the_options(client: Client, rita: User, played: Sweep) -> None:
    html = html_of(client, rita, url(played, "charts/?scatter.x=number"))
    assert f'href="{url(played, "charts/scatter/")}?scatter.x=number"' in html
    table = html_of(client, rita, url(played, "charts/scatter/?scatter.x=number"))
    assert '<th scope="col">trial number</th>' in table


@pytest.mark.parametrize(("kind", "word"), OPTIONS)
def test_any_option_is_answered(
    client: Client, rita: User, played: Sweep, kind: str, word: str
) -> None:
    client.force_login(rita)
    known = [one for one in figure(client, played, kind)["controls"] if one["word"] == word]
    choices = [value for one in known for value, _ in one["choices"]]
    for value in [*choices, *ODD]:
        query = f"?{urlencode({word: value})}"
        found = figure(client, played, kind, query)
        control = next((one for one in found["controls"] if one["word"] == word), None)
        if control:
            assert control["value"] == (value if value in choices else control["usual"])
        assert client.get(url(played, f"charts/{kind}.csv{query}")).status_code == 200


def test_charts_of_conditional_and_hostile_values(
    client: Client, rita: User, played: Sweep
) -> None:
    for number, value in enumerate([HOSTILE, True, None, 3, "3", 1e308, -1e308, 0.5, "b", "c"]):
        flat = {} if value is None else {"lr": value}
        played.trials.filter(number=number).update(flat_params=flat, params=flat)
    Trial.objects.filter(sweep=played, number=1).update(objective=None)
    boards.forget()
    client.force_login(rita)
    for kind in KINDS:
        assert "<script>" not in str(figure(client, played, kind)["data"])


@pytest.mark.parametrize("values", [[], [0.4], [None, None]])
def test_charts_without_enough_values_say_so(
    client: Client, rita: User, make_sweep: Any, now: Any, values: list[float | None]
) -> None:
    sweep = make_sweep(limits=Limits(3, 1, 3600))
    play(sweep, now, values)
    client.force_login(rita)
    for kind in ("slice", "contour"):
        assert "Not enough data yet" in figure(client, sweep, kind)["empty"]
    if not values:
        assert figure(client, sweep, "scatter")["empty"]
