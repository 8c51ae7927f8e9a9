"""The page of one trial: its facts, its live updates and its log."""

import re
import tracemalloc
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from studio.models import User
from sweeps.models import Attempt, Sweep
from sweeps.services import sweeps, trials
from sweeps.views import trial as trial_view
from sweeps.views.log_pieces import LOG_TAIL
from tests.api.acts import CRASH, end, log, play, start


@pytest.fixture
def running(sweep: Sweep, now: Any, tmp_path: Path, settings: Any) -> Attempt:
    """Trial 0, running, with a folder for its logs."""
    settings.STUDIO_HOME = tmp_path
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now, tmp_path / "trials")
    Path(attempt.spool).mkdir(parents=True)
    return attempt


def address(attempt: Attempt, page: str = "") -> str:
    return f"/w/default/sweeps/{attempt.trial.sweep.name}/trials/{attempt.trial.number}/{page}"


def read(client: Client, attempt: Attempt, page: str = "") -> str:
    response = client.get(address(attempt, page))
    assert response.status_code == 200
    return unescape(response.content.decode())


@pytest.fixture
def page(client: Client, rita: User) -> Client:
    client.force_login(rita)
    return client


def test_of_very_many_metrics_the_first_and_the_primary_one_are_shown(
    page: Client, running: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c", "loss"):
        log(running, [1], name=name)
    assert "by name are shown" not in read(page, running)
    monkeypatch.setattr(trial_view, "MOST_NAMES", 2)
    html = read(page, running)
    assert [name for name in "abc" if f'"?metric={name}"' in html] == ["a", "b"]
    assert '"?metric=loss"' in html
    assert "The first 2 by name are shown" in html


def test_a_trial_tells_what_ran_and_how_it_ended(page: Client, running: Attempt, now: Any) -> None:
    log(running, [0.5, 0.25, 0.75])
    log(running, [1, 2], name="epoch")
    html = read(page, running)
    assert "python train.py" in html
    assert "best of 3 reports, at report 2" in html
    assert f"run{running.pk}" in html
    assert f"mlflow ui --backend-store-uri {settings.TRACKING_STORE}" in html
    assert "data-live-chip" in html
    # Of each metric both ends, whatever the goal; the goal's own end of the primary one is the key.
    assert re.search(r">Lowest</th>.*>Highest</th>", html)
    values = re.search(
        r'"\?metric=loss"[^>]*>loss<[^/]*primary metric</span></a></td>'
        r'<td class="end key">([^<]*)</td><td class="end">([^<]*)<',
        html,
    )
    assert values
    assert values.groups() == ("0.250000", "0.750000")
    # What copies what is told apart by its words.
    assert html.count("Copy replay script") == 1
    assert html.count("Copy mlflow command") == 1
    assert "Copy command" not in html
    end(running, now)
    html = read(page, running)
    assert "exit code 0" in html
    assert "peak memory" in html
    assert "Best of 2" in html
    assert "data-live-chip" not in html


def test_a_trial_tells_whether_its_imports_were_preloaded(page: Client, running: Attempt) -> None:
    assert "preloaded" not in read(page, running)
    Attempt.objects.filter(pk=running.pk).update(preloaded=True)
    assert "imports preloaded" in read(page, running)
    Attempt.objects.filter(pk=running.pk).update(preloaded=False, cold="It needs a shell.")
    assert "fresh interpreter: It needs a shell." in read(page, running)


def test_places_of_the_parameters_within_the_space(page: Client, running: Attempt) -> None:
    html = read(page, running)
    for name, value in running.trial.flat_params.items():
        assert f"<dt>{name}</dt>" in html
        assert str(value)[:5] in html


def test_a_missing_trial_is_404(page: Client, running: Attempt) -> None:
    base = address(running).rsplit("/", 2)[0]
    for number in ("99", "0x", "9" * 40):
        assert page.get(f"{base}/{number}/").status_code == 404
    assert page.get(address(running, "log/passwd")).status_code == 404
    assert page.get(address(running, "download/passwd.log")).status_code == 404


def test_neighbours_and_comparing_are_linked(page: Client, sweep: Sweep, now: Any) -> None:
    first, second, *_ = play(sweep, now, [0.4, 0.2])
    html = read(page, first.attempts.get())
    assert 'data-key="j"' in html
    assert 'data-key="k"' not in html
    assert f"compare/?t={second.number},{first.number}" in html


def test_live_is_204_then_brings_every_part(
    page: Client, running: Attempt, now: Any, django_assert_max_num_queries: Any
) -> None:
    running.trial.refresh_from_db()
    live = f"live?since={running.trial.revision}"
    page.get(address(running, live))
    with django_assert_max_num_queries(5):
        assert page.get(address(running, live)).status_code == 204
    log(running, [0.5, float("nan"), float("inf")])
    news = page.get(address(running, live)).json()
    assert news["retry_ms"] == 800
    whole = page.get(address(running)).content.decode()
    for name in news["fragments"]:
        assert f'id="{name}"' in whole
    assert "0.5" in news["fragments"]["trial-objective"]
    assert set(news["figures"]) == {"chart-trial"}
    assert "NaN" not in page.get(address(running, live)).content.decode().replace('"NaN"', "")
    end(running, now, CRASH)
    news = page.get(address(running, live)).json()
    assert news["retry_ms"] == 0
    assert "exit code 1" in news["fragments"]["trial-objective"]


def test_curves_of_chosen_metrics(page: Client, running: Attempt) -> None:
    log(running, [0.5, 0.4])
    log(running, [0.1, 0.2], name="acc")
    figures = page.get(address(running, "live?since=-1&metric=acc")).json()["figures"]
    assert figures["chart-trial"]["layout"]["yaxis"]["title"]["text"] == "acc"


def test_the_log_comes_in_pieces_of_whole_characters(page: Client, running: Attempt) -> None:
    file = Path(running.spool) / "stdout.log"
    assert page.get(address(running, "log/stdout")).json() == {
        "text": "",
        "offset": 0,
        "start": 0,
        "more": False,
        "attempt": 1,
        "final": False,
    }
    file.write_bytes("one\nzwö".encode()[:-1])
    piece = page.get(address(running, "log/stdout")).json()
    assert (piece["text"], piece["offset"]) == ("one\nzw", 6)
    waiting = page.get(address(running, f"log/stdout?offset={piece['offset']}")).json()
    assert (waiting["text"], waiting["more"]) == ("", False)
    file.write_bytes("one\nzwö\n".encode())
    rest = page.get(address(running, f"log/stdout?offset={piece['offset']}")).json()
    assert (rest["text"], rest["more"]) == ("ö\n", False)


def test_a_long_log_begins_near_its_end(page: Client, running: Attempt) -> None:
    file = Path(running.spool) / "stdout.log"
    file.write_text("".join(f"line {i}\n" for i in range(50_000)))
    size = file.stat().st_size
    tail = page.get(address(running, "log/stdout?tail=1")).json()
    assert (tail["start"], tail["offset"]) == (size - LOG_TAIL, size)
    assert tail["text"].endswith("line 49999\n")
    start_of = page.get(address(running, "log/stdout?offset=0")).json()
    assert (start_of["more"], start_of["text"][:7]) == (True, "line 0\n")
    for odd in ("-1", "x", "9" * 40):
        assert page.get(address(running, f"log/stdout?offset={odd}")).json()["start"] == 0


def test_a_log_is_text_to_download_whatever_it_holds(page: Client, running: Attempt) -> None:
    (Path(running.spool) / "stderr.log").write_bytes(b"<script>alert(1)</script>\xff")
    response = page.get(address(running, "download/stderr.log"))
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in response.headers["Content-Disposition"]
    assert response.getvalue() == b"<script>alert(1)</script>\xff"


def test_a_log_that_is_downloaded_is_never_held(
    page: Client, running: Attempt, settings: Any
) -> None:
    settings.STUDIO_LOG_CAP_MB = 16
    with (Path(running.spool) / "stdout.log").open("wb") as file:
        file.write(b"\xf0\x9f\x98\x80" + b"\xff" * 2**24 + b"\0" * 2**24)
    tracemalloc.start()
    try:
        size = sum(map(len, page.get(address(running, "download/stdout.log"))))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert size == 2**24 + 4096, "as much as a trial may write, and the words that it is cut"


def test_whole_logs_are_asked_for_less_often(page: Client, running: Attempt, settings: Any) -> None:
    settings.STUDIO_PAGE_RATE = 100
    path = address(running, "download/stdout.log")
    assert [page.get(path).status_code for _ in range(3)] == [200, 200, 429]


def test_a_second_attempt_is_listed_with_the_first(
    page: Client, running: Attempt, now: Any
) -> None:
    assert trials.put_back(running, "The tracking server was away.", now)
    again = start(running.trial_id, now)
    html = read(page, again)
    assert "attempt 2" in html
    assert "The tracking server was away." in html


def test_attempts_tell_how_each_ended_and_by_what_they_are_alike(
    page: Client, running: Attempt, now: Any
) -> None:
    assert "Attempts" not in read(page, running)
    end(running, now, CRASH)
    trial = running.trial
    trial.refresh_from_db()
    trials.rerun_trial(trial, actor="bob", now=now)
    second = start(trial.pk, now)
    trials.put_back(second, "The studio was stopped.", now)
    Attempt.objects.filter(pk=running.pk).update(signature="ValueError: # <b>")
    html = page.get(address(running)).content.decode()
    rows = re.findall(r"<tr><td>(\d)</td>.*?</tr>", html)
    assert rows == ["1", "2"]
    assert "exit code 1" in html
    assert "<code>ValueError: # &lt;b&gt;</code>" in html
    assert "put back in the queue" in html
    assert "The studio was stopped." in html


def test_a_trial_that_waits_to_run_again_shows_the_old_run_among_its_attempts_alone(
    page: Client, running: Attempt, now: Any
) -> None:
    ended = now + timedelta(minutes=7)
    end(running, ended, CRASH)
    assert "7m" in read(page, running)
    running.trial.refresh_from_db()
    trials.rerun_trial(running.trial, actor="bob", now=ended)
    html = read(page, running)
    facts = html.split('id="trial-facts"')[1].split("</ul>")[0]
    assert "not started yet" in facts
    assert "7m" not in facts
    assert "exit code" not in facts
    assert "exit code 1" in html.split('id="trial-attempts"')[1]
    table = page.get(f"/w/default/sweeps/{running.trial.sweep.name}/trials/").content.decode()
    [row] = re.findall(r'<tr id="trial-row-0".*?</tr>', table, re.DOTALL)
    assert "Queued" in row
    assert "7m" not in row


def test_a_picked_trial_tells_by_whom(page: Client, running: Attempt) -> None:
    assert "picked by" not in read(page, running)
    running.trial.picked_by = "bob"
    running.trial.save()
    assert "picked by bob" in read(page, running)
    table = page.get(address(running).rsplit("0/", 1)[0]).content.decode()
    assert 'title="picked by bob"' in table


def test_the_command_can_be_taken_elsewhere(page: Client, running: Attempt) -> None:
    html = read(page, running)
    assert f'href="{address(running, "replay.sh")}" data-copy-url' in html
    script = read(page, running, "replay.sh")
    assert "python3}" in script
    assert f"AZUREML_SWEEP_lr={running.trial.params['lr']!r}" in script
    assert "STUDIO_TOKEN" not in script, "there is no code to fetch"
