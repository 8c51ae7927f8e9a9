"""The job page and its tabs: who sees them, what they say, and that nothing typed gets through."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studio.models import User
from sweeps.domain.job import FailurePolicy
from sweeps.domain.limits import Limits
from sweeps.domain.selection import Selection
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.figures.ask import ask
from sweeps.figures.registry import KINDS, drawn
from sweeps.models import Sweep, Trial
from sweeps.services import sweeps, trials
from sweeps.views import job_live
from tests.api.acts import CRASH, end, log, play, start

TABS = ["", "trials/", "charts/", "compare/", "compare/?t=0,1", "logs/", "config/", "live"]
TRIAL_PAGES = ["", "live", "log/stdout", "log/stderr", "download/stdout.log"]
PAGES = [*TABS, *(f"trials/0/{page}" for page in TRIAL_PAGES)]
POSTS = [
    *("pause", "resume", "stop", "cancel", "rerun-failed"),
    *("trials/0/cancel", "trials/0/rerun"),
]
# Kinds that say of four trials what is missing.
NEEDS_MORE = ("importance", "savings", "contour")
HOSTILE = """<script>alert("1")</script>'&{{x}}"""


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    """Trials 0-3: 0.3, 0.1 (best), failed, 0.2; trial 4 runs; of 6."""
    sweep: Sweep = make_sweep(limits=Limits(6, 1, 3600))
    play(sweep, now, [0.3, 0.1, None, 0.2])
    start(sweep.trials.get(number=4).pk, now)
    sweep.refresh_from_db()
    return sweep


def url(sweep: Sweep, page: str = "", ws: str = "default") -> str:
    return f"/w/{ws}/sweeps/{sweep.name}/{page}"


def html_of(client: Client, user: User, address: str) -> str:
    client.force_login(user)
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def without_secrets(body: bytes) -> str:
    """A page without its CSRF token, which differs at every answer."""
    return re.sub(r'("X-CSRFToken": "|name="csrfmiddlewaretoken" value=")\w+', "", body.decode())


def figure(client: Client, sweep: Sweep, kind: str, query: str = "") -> Any:
    """A chart's JSON, read as a browser reads it."""
    response = client.get(url(sweep, f"charts/{kind}.json{query}"))
    assert response.status_code == 200
    return json.loads(
        response.content, parse_constant=lambda word: pytest.fail(f"not JSON: {word}")
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_for_a_reader(
    client: Client, rita: User, played: Sweep, page: str
) -> None:
    client.force_login(rita)
    assert client.get(url(played, page)).status_code == 200
    assert client.head(url(played, page)).status_code == 200
    assert client.post(url(played, page)).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_what_is_foreign_looks_missing(
    client: Client, charlie: User, played: Sweep, page: str
) -> None:
    client.force_login(charlie)
    foreign = client.get(url(played, page))
    missing = client.get(url(played, page, ws="nowhere"))
    own = client.get(url(played, page, ws="elsewhere"))
    assert [foreign.status_code, missing.status_code, own.status_code] == [404, 404, 404]
    assert without_secrets(foreign.content) == without_secrets(missing.content)
    assert played.name not in foreign.content.decode()


@pytest.mark.parametrize("page", [*PAGES, *POSTS])
def test_without_signing_in_there_is_only_sign_in(client: Client, played: Sweep, page: str) -> None:
    for response in (client.get(url(played, page)), client.post(url(played, page))):
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("page", POSTS)
def test_a_reader_may_not_act_and_nobody_by_get(
    client: Client, rita: User, bob: User, charlie: User, played: Sweep, page: str
) -> None:
    for user in (rita, charlie):
        client.force_login(user)
        assert client.post(url(played, page)).status_code == 404
    client.force_login(bob)
    assert client.get(url(played, page)).status_code == 405
    played.refresh_from_db()
    assert played.desired == Desired.RUN
    assert set(played.trials.values_list("desired", flat=True)) == {Desired.RUN}


def test_buttons_that_run_code_are_for_contributors(
    client: Client, rita: User, bob: User, played: Sweep
) -> None:
    marks = {
        "": ["Cancel sweep", "from=" + played.name, "Re-run"],
        "trials/4/": ["Cancel trial"],
        "trials/2/": ["Re-run"],
    }
    for page, words in marks.items():
        for_bob = html_of(client, bob, url(played, page))
        for_rita = html_of(client, rita, url(played, page))
        for word in words:
            assert word in for_bob, (page, word)
            assert word not in for_rita, (page, word)


def test_cancelling_and_running_again_by_the_buttons(
    client: Client, bob: User, played: Sweep
) -> None:
    client.force_login(bob)
    response = client.post(url(played, "trials/2/rerun"))
    assert (response.status_code, response.headers["Location"]) == (302, url(played, "trials/2/"))
    assert played.trials.get(number=2).status == TrialStatus.QUEUED
    client.post(url(played, "trials/4/cancel"))
    assert played.trials.get(number=4).desired == Desired.CANCEL
    response = client.post(url(played, "trials/1/rerun"), follow=True)
    assert "The trial has completed; clone the sweep to run it anew." in response.content.decode()
    response = client.post(url(played, "cancel"), follow=True)
    assert "Canceling" in response.content.decode()
    played.refresh_from_db()
    assert (played.desired, played.reason) == (Desired.CANCEL, "Canceled by bob.")


def test_the_overview_shows_progress_best_and_the_first_trials(
    client: Client, rita: User, played: Sweep
) -> None:
    html = html_of(client, rita, url(played))
    assert "4 of 6 trials done" in html
    assert "3 Completed, 1 Failed, 1 Running" in html
    assert '<div class="best-value">0.100000</div>' in html
    assert re.search(r"<b>.0\.100</b> under <a [^>]*>#3</a>, the next best", html)
    [best_row] = re.findall(r'<tr id="trial-row-(\d+)"[^>]*is-best-row', html)
    assert best_row == "1"
    rows = re.findall(r'<tr id="trial-row-(\d+)"', html)
    assert rows == ["1", "3", "0", "2", "4"]
    latest = html_of(client, rita, url(played, "?show=latest"))
    assert re.findall(r'<tr id="trial-row-(\d+)"', latest) == ["4", "3", "2", "1", "0"]
    assert "ended with exit code 1" in html
    assert figure(client, played, "objective")["empty"] is None


def test_the_overviews_table_follows_the_selection_live_too(
    client: Client, rita: User, played: Sweep
) -> None:
    query = "?status=Completed&status=Running"
    html = html_of(client, rita, url(played, query))
    assert re.findall(r'<tr id="trial-row-(\d+)"', html) == ["1", "3", "0", "4"]
    assert 'trials/?status=Completed&amp;status=Running">4 of 5 trials' in html
    latest = html_of(client, rita, url(played, f"{query}&show=latest"))
    assert re.findall(r'<tr id="trial-row-(\d+)"', latest) == ["4", "3", "1", "0"]
    # Going from best to latest keeps what is selected.
    assert f'href="{query.replace("&", "&amp;")}&amp;show=best"' in latest
    live = client.get(url(played, "live?since=0&tab=overview&status=Failed")).json()
    told = live["fragments"]["job-trials"]
    assert re.findall(r'<tr id="trial-row-(\d+)"', told) == ["2"]
    none = html_of(client, rita, url(played, "?status=Canceled"))
    assert "No trial fits this selection." in none


def test_status_tabs_count_what_the_other_filters_keep(
    client: Client, rita: User, played: Sweep
) -> None:
    def tabs(query: str) -> list[tuple[str, str]]:
        html = html_of(client, rita, url(played, f"trials/{query}"))
        nav = html[html.index('aria-label="Status"') :]
        return re.findall(r"(\w+) <small>(\d+)</small>", nav[: nav.index("</nav>")])

    whole = [("All", "5"), ("Completed", "3"), ("Failed", "1"), ("Running", "1")]
    assert tabs("") == whole
    # The chosen status itself takes none away: it is one of the tabs.
    assert tabs("?status=Failed") == whole
    narrowed = [("All", "2"), ("Completed", "1"), ("Failed", "1"), ("Running", "0")]
    assert tabs("?in=number:1..2&status=Failed") == narrowed


def test_the_overviews_table_claims_no_order_that_it_has_not(
    client: Client, rita: User, played: Sweep
) -> None:
    mixed = html_of(client, rita, url(played))
    assert "best first; then the others" in mixed
    table = mixed[mixed.index("trials-table") :]
    assert "aria-sort" not in table
    shaded = re.findall(r'<tr id="trial-row-(\d+)".*?</tr>', table, re.S)
    assert shaded == ["1", "3", "0", "2", "4"]
    heats = {
        number: "--heat" in row
        for number, row in re.findall(r'<tr id="trial-row-(\d+)"(.*?)</tr>', table, re.S)
    }
    assert heats == {"1": True, "3": True, "0": True, "2": False, "4": False}
    won = html_of(client, rita, url(played, "?status=Completed"))
    assert 'aria-sort="ascending"' in won[won.index("trials-table") :]
    assert "then the others" not in won


def test_the_best_line_of_each_chart_has_the_reserved_colour(
    client: Client, rita: User, played: Sweep
) -> None:
    client.force_login(rita)
    for kind in ("objective", "parallel", "curves"):
        found = figure(client, played, kind)
        assert '"@best"' in json.dumps(found["data"]), kind
        for trace in found["data"]:
            assert re.fullmatch(r"[\w-]+", trace["uid"]), trace["uid"]


def test_curves_of_another_metric_and_of_all_trials(
    client: Client, rita: User, played: Sweep, now: Any
) -> None:
    attempt = played.trials.get(number=4).attempts.get()
    log(attempt, [0.9, float("nan")], name="acc")
    client.force_login(rita)
    for query, metric in (("?metric=acc&curves=all", "acc"), ("?metric=nothing", "loss")):
        layout = figure(client, played, "curves", query)["layout"]
        assert layout["yaxis"]["title"]["text"] == metric


def test_trials_without_a_value_do_not_crowd_out_the_curves(
    client: Client, rita: User, make_sweep: Any, now: Any
) -> None:
    never_pause = FailurePolicy(max_consecutive_failures=0)
    sweep = make_sweep(limits=Limits(20, 1, 3600), failure_policy=never_pause)
    play(sweep, now, [float("nan")] * 11 + [0.4])
    client.force_login(rita)
    assert figure(client, sweep, "curves")["note"] == "best 1"


def test_the_table_keeps_sort_filter_and_page_in_each_others_links(
    client: Client, rita: User, sweep: Sweep, now: Any
) -> None:
    Trial.objects.bulk_create(
        Trial(
            sweep=sweep,
            number=number,
            status="Failed" if number % 2 else "Completed",
            objective=None if number % 2 else number,
            reason="out of memory" if number % 2 else "",
            ended_at=now,
            created_at=now,
        )
        for number in range(240)
    )
    html = html_of(client, rita, url(sweep, "trials/?status=Failed&q=memory&sort=-number&page=2"))
    assert re.findall(r'<tr id="trial-row-(\d+)"', html)[:2] == ["139", "137"]
    assert "51–100 of 120" in unescape(html)
    links = [unescape(link) for link in re.findall(r'href="(\?[^"]*)"', html)]
    keeps = {"page=3", "page=1", "sort=objective", "status=Completed"}
    for wanted in keeps:
        [found, *_] = [link for link in links if wanted in link]
        others = {"status=", "q=memory", "sort="}
        assert all(other in found for other in others), found
        assert found.count("page=") == wanted.startswith("page=")
    assert '<input type="hidden" name="sort" value="-number">' in html
    assert '<input type="hidden" name="status" value="Failed">' in html
    assert (
        "csrfmiddlewaretoken"
        not in re.search(r'<form id="compare-form".*?</form>', html, re.DOTALL)[0]
    )


@pytest.mark.parametrize("query", ["?sort=speed", "?status=Gone", "live?tab=trials&sort=speed"])
def test_an_order_or_status_that_there_is_not_is_404(
    client: Client, rita: User, played: Sweep, query: str
) -> None:
    client.force_login(rita)
    page = query if query.startswith("live") else f"trials/{query}"
    assert client.get(url(played, page)).status_code == 404


@pytest.mark.parametrize(
    "page", ["?page=0", "?page=99", "?page=x", "?page=-1", "?page=" + "9" * 30]
)
def test_any_page_number_shows_a_page(client: Client, rita: User, played: Sweep, page: str) -> None:
    assert 'id="trial-row-1"' in html_of(client, rita, url(played, f"trials/{page}"))


def test_a_failed_trial_shows_its_reason(client: Client, rita: User, played: Sweep) -> None:
    for page in ("trials/", "trials/2/", "logs/"):
        assert "The command ended with exit code 1" in html_of(client, rita, url(played, page))


def test_empty_states_say_what_comes(client: Client, rita: User, sweep: Sweep, now: Any) -> None:
    html = html_of(client, rita, url(sweep))
    assert "The first trial appears here as soon as it starts." in html
    assert "The best trial stands here as soon as one has completed." in html
    assert figure(client, sweep, "objective")["empty"]
    assert "nothing to compare" in html_of(client, rita, url(sweep, "compare/"))
    filtered = html_of(client, rita, url(sweep, "trials/?q=nothing"))
    assert "No trial fits these filters." in filtered
    assert "Clear all" in filtered


def test_a_sweep_in_which_all_failed_says_why(
    client: Client, rita: User, sweep: Sweep, now: Any
) -> None:
    play(sweep, now, [None] * 4)
    assert sweep.status == "Failed"
    html = html_of(client, rita, url(sweep))
    assert "No trial completed with a value of loss." in html
    assert "data-final" in html
    assert "data-live-chip" not in html
    assert figure(client, sweep, "objective")["empty"] == "No trial logged a value of loss."


def test_hostile_words_are_only_words(client: Client, bob: User, make_sweep: Any, now: Any) -> None:
    sweep = make_sweep(display_name=HOSTILE, description=HOSTILE, notes=(HOSTILE,))
    Sweep.objects.update(primary_metric=HOSTILE)
    ids = sweeps.advance(sweep.pk, now).trials
    for trial_id, outcome in zip(ids, (None, CRASH), strict=True):
        attempt = start(trial_id, now)
        log(attempt, [0.5, 0.25], name=HOSTILE)
        if outcome:
            end(attempt, now, outcome)
        else:
            end(attempt, now)
    params = {HOSTILE: HOSTILE, "b": 1}
    Trial.objects.update(params=params, flat_params=params, reason=HOSTILE)
    pages = ["", "trials/", "charts/", "compare/?t=0,1&all=1", "logs/", "config/", "trials/0/"]
    for page in [*pages, "trials/?q=" + HOSTILE.replace("&", "%26"), "charts/?metric=" + HOSTILE]:
        html = html_of(client, bob, url(sweep, page))
        assert "<script>alert" not in html, page
        assert "onerror=" not in html
        for script in re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL):
            assert not script.strip() or json.loads(script)
    news = client.get(url(sweep, "live?tab=overview")).json()
    assert all("<script>alert" not in html for html in news["fragments"].values())
    for trace in figure(client, sweep, "curves")["data"]:
        assert re.fullmatch(r"[\w-]+", trace["uid"])


def test_the_config_tab_shows_the_job_file(client: Client, rita: User, played: Sweep) -> None:
    html = unescape(html_of(client, rita, url(played, "config/")))
    assert "primary_metric: loss" in html
    assert "${{search_space.lr}}" in html


def test_the_config_tab_tells_the_commit_and_what_was_changed(
    client: Client, rita: User, played: Sweep, settings: Any, tmp_path: Path
) -> None:
    settings.STUDIO_HOME = tmp_path
    place = tmp_path / "diffs" / "abc" / "changes.diff"
    place.parent.mkdir(parents=True)
    place.write_text("+print('<new>')")
    played.git = {
        "commit": "0123456789abcdef", "branch": "trunk", "remote": "https://example.org/a.git",
        "changed": 1, "untracked": 0, "diff": "abc", "is_cut": False,
    }  # fmt: skip
    played.save()
    html = html_of(client, rita, url(played, "config/"))
    assert "0123456789ab</span> on trunk" in html
    assert "1 changed and 0 untracked files" in html
    assert "print(&#x27;&lt;new&gt;&#x27;)" in html


# --- live ------------------------------------------------------------------------------------


def test_live_is_204_until_something_changes(
    client: Client, rita: User, played: Sweep, now: Any, django_assert_max_num_queries: Any
) -> None:
    client.force_login(rita)
    address = url(played, f"live?since={played.revision}&tab=overview")
    client.get(address)
    with django_assert_max_num_queries(4) as asked:
        response = client.get(address)
    assert (response.status_code, response.content) == (204, b"")
    assert not any("search_space" in one["sql"] for one in asked), "the whole sweep was read"
    log(played.trials.get(number=4).attempts.get(), [0.05])
    assert client.get(address).status_code == 200


def test_live_brings_fragments(client: Client, rita: User, played: Sweep) -> None:
    client.force_login(rita)
    news = client.get(url(played, "live?since=0&tab=overview")).json()
    assert (news["revision"], news["retry_ms"]) == (played.revision, 800)
    assert set(news["fragments"]) == {
        *("job-status", "job-actions", "job-progress", "job-best", "job-trials", "job-failures"),
        "job-bar",
        *("nav-slots", "nav-running", "nav-notices", "job-notice", "job-selection", "job-doctor"),
    }
    page = html_of(client, rita, url(played))
    for name in news["fragments"]:
        assert f'id="{name}"' in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_is_drawn_and_has_a_table(
    client: Client, rita: User, played: Sweep, kind: str
) -> None:
    client.force_login(rita)
    if kind == "savings":
        early = {"type": "median_stopping", "options": {}}
        Sweep.objects.filter(pk=played.pk).update(early_termination=early)
    found = figure(client, played, kind)
    assert bool(found["empty"]) == (kind in NEEDS_MORE), found["empty"]
    assert found["revision"] == played.revision
    assert f'data-src="{url(played, f"charts/{kind}.json")}"' in html_of(
        client, rita, url(played, "charts/")
    )
    page = html_of(client, rita, url(played, f"charts/{kind}/"))
    assert "<html" in page
    assert "<td>" in page or kind in NEEDS_MORE
    fragment = client.get(url(played, f"charts/{kind}/"), headers={"X-Fragment": "1"})
    assert "<html" not in fragment.content.decode()
    lines = client.get(url(played, f"charts/{kind}.csv")).content.decode().splitlines()
    assert len(lines) > 1 or kind in NEEDS_MORE


def test_a_chart_that_there_is_not_is_404(client: Client, rita: User, played: Sweep) -> None:
    client.force_login(rita)
    for page in ("charts/pie.json", "charts/pie/", "charts/pie.csv", "charts/parallel.json?in=x"):
        assert client.get(url(played, page)).status_code == 404


def test_the_hover_cards_of_some_trials(client: Client, rita: User, played: Sweep) -> None:
    client.force_login(rita)
    cards = client.get(url(played, "cards.json?t=1,2,99")).json()
    assert set(cards) == {"1", "2"}
    assert cards["2"]["reason"]


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 40])
def test_any_since_is_answered(client: Client, rita: User, played: Sweep, since: str) -> None:
    client.force_login(rita)
    assert client.get(url(played, f"live?since={since}")).status_code == 200


def test_links_in_live_rows_are_those_of_the_page(
    client: Client, rita: User, played: Sweep
) -> None:
    client.force_login(rita)
    query = "sort=-number&status=Failed"
    news = client.get(url(played, f"live?since=0&tab=trials&{query}")).json()
    page = html_of(client, rita, url(played, f"trials/?{query}"))
    links = re.findall(r'href="\?[^"]*"', news["fragments"]["job-trials"])
    assert links
    assert all(link in page for link in links), links


def test_live_ends_with_the_sweep(client: Client, rita: User, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    client.force_login(rita)
    for tab in ("overview", "trials", "charts", "compare", "logs", "config"):
        news = client.get(url(sweep, f"live?since=0&tab={tab}")).json()
        assert news["retry_ms"] == 0
        assert "Completed" in news["fragments"]["job-status"]


def test_live_over_htmx_without_a_session_goes_to_sign_in(client: Client, played: Sweep) -> None:
    response = client.get(
        url(played, "trials/"),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{url(played)}"},
    )
    assert response.status_code == 204
    assert response.headers["HX-Redirect"].startswith(f"{reverse('login')}?next=%2Fw%2Fdefault")


def test_the_page_costs_the_same_at_ten_trials_and_at_a_hundred(
    client: Client, rita: User, make_sweep: Any, now: Any, django_assert_max_num_queries: Any
) -> None:
    sweep = make_sweep(limits=Limits(100, 1, 3600))
    Trial.objects.bulk_create(
        Trial(
            sweep=sweep,
            number=number,
            status="Completed",
            objective=number,
            reports=1,
            flat_params={"lr": 0.5, "boosting": "gbdt"},
            params={"lr": 0.5, "boosting": "gbdt"},
            started_at=now,
            ended_at=timezone.now(),
            created_at=now,
        )
        for number in range(100)
    )
    client.force_login(rita)
    client.get(url(sweep))
    for page, most in (("", 31), ("trials/", 28), ("charts/", 25), ("live?since=-1", 33)):
        with django_assert_max_num_queries(most):
            client.get(url(sweep, page))


def test_put_back_trials_say_why(client: Client, rita: User, sweep: Sweep, now: Any) -> None:
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    trials.put_back(attempt, "Tracking is away.", now)
    assert "Tracking is away." in html_of(client, rita, url(sweep, "trials/"))


def test_the_history_chart_leaves_no_room_for_trials_that_never_come(
    make_sweep: Any, now: Any
) -> None:
    sweep = make_sweep(limits=Limits(40, 1, 3600))
    play(sweep, now, [0.5])
    words = [note["text"] for note in history(sweep)["annotations"]]
    assert words == ["38 to go"]
    sweep.exhausted = True  # the search space has no further point
    assert history(sweep)["annotations"] == []
    sweep.exhausted, sweep.status = False, SweepStatus.CANCELED
    assert history(sweep)["annotations"] == []


def history(sweep: Sweep) -> Any:
    return drawn("objective", ask(sweep, Selection(), {}))["layout"]


def test_a_sweep_that_ended_before_its_first_trial_promises_none(
    client: Client, rita: User, sweep: Sweep, now: Any
) -> None:
    Sweep.objects.update(status=SweepStatus.FAILED, ended_at=now, reason="No environment.")
    for page in ("", "trials/"):
        html = html_of(client, rita, url(sweep, page))
        assert "No trial was run." in html
        assert "The first trial appears" not in html
        assert "Open a failed trial" not in html


def test_all_who_watch_share_what_is_rendered(
    client: Client, rita: User, bob: User, played: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = []
    told = job_live.told
    monkeypatch.setattr(job_live, "told", lambda *a, **k: rendered.append(1) or told(*a, **k))
    address = url(played, "live?since=0&around=x&tab=overview&charts=objective,pie")
    answers = {}
    for user in (rita, bob, rita, bob):
        client.force_login(user)
        answers[user] = client.get(address).json()
    # Readers are offered less than contributors; a slow test may see one moment more of each.
    assert 2 <= len(rendered) <= 4
    assert set(answers[bob]["figures"]) == {"chart-objective"}
    assert answers[bob]["figures"]["chart-objective"] == figure(client, played, "objective")
    forms = answers[bob]["fragments"]["job-actions"]
    assert 'name="csrfmiddlewaretoken" value="__token_of_the_page__"' in forms
    assert "csrfmiddlewaretoken" not in answers[rita]["fragments"]["job-actions"]


def test_the_trials_tab_hides_its_parallel_coordinates_on_request(
    client: Client, rita: User, played: Sweep
) -> None:
    shown = html_of(client, rita, url(played, "trials/?status=Failed"))
    assert 'id="chart-parallel"' in shown
    assert "?status=Failed&amp;parallel=off" in shown
    hidden = html_of(client, rita, url(played, "trials/?status=Failed&parallel=off"))
    assert 'id="chart-parallel"' not in hidden
    assert "plotly" not in hidden
    assert '?status=Failed" data-word="parallel"' in hidden
