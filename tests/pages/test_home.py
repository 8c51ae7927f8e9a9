"""The first page, a workspace's overview, the example, help."""

import re
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from studio.models import Compute, Workspace
from sweeps import intake_places
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import SweepStatus
from sweeps.models import Condition, EngineLease, Sweep, Trial
from sweeps.queries import health, lists
from sweeps.queries.attention import concerns
from sweeps.queries.finds import finds
from tests.pages.test_lists import add_trials


@pytest.fixture(autouse=True)
def parts_down(monkeypatch):
    """Nothing is asked over the network."""
    monkeypatch.setattr(health, "_tracking", lambda: health.DOWN)


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_studio_offers_the_example_in_one_click(client, bob, compute):
    client.force_login(bob)
    page = text(client.get("/"))
    assert 'action="/w/default/examples/iris"' in page
    assert "preview of the example" in page
    assert "20 trials, 2 at a time" in page
    assert "curl -H" in page
    assert "An owner of default makes one." in page


def test_the_first_page_says_which_part_is_down(client, bob, compute):
    EngineLease.objects.filter(name="queue").delete()
    client.force_login(bob)
    page = text(client.get("/"))
    assert "queue <b" in page
    assert "web <b" not in page


def test_a_reader_of_an_empty_studio_is_told_why_there_is_no_button(client, rita, compute):
    client.force_login(rita)
    page = text(client.get("/"))
    assert "examples/iris" not in page
    assert "An owner of default can change that" in page


def test_somebody_without_a_workspace_is_told_whom_to_ask(client, workspace, django_user_model):
    client.force_login(django_user_model.objects.create_user("newcomer"))
    page = text(client.get("/"))
    assert "Ask an owner of one to add you." in page
    assert "/workspaces/new" not in page


def test_an_administrator_without_a_workspace_can_make_one(client, django_user_model, now):
    Workspace.objects.update(archived_at=now)
    client.force_login(django_user_model.objects.create_superuser("root"))
    page = text(client.get("/"))
    assert "not a member of any workspace" in page
    assert "/workspaces/new" in page


def test_a_workspace_without_a_compute_says_so_instead_of_the_button(client, bob):
    client.force_login(bob)
    assert "has no compute to run it on" in text(client.get("/"))


def test_home_shows_what_runs_what_was_found_and_the_load(client, bob, another_sweep, now):
    running, done = another_sweep(), another_sweep()
    Sweep.objects.filter(pk=running.pk).update(display_name="runs", status=SweepStatus.RUNNING)
    Sweep.objects.filter(pk=done.pk).update(
        display_name="found", status=SweepStatus.COMPLETED, ended_at=now
    )
    add_trials(running, ("Running", None))
    add_trials(done, ("Completed", 0.125))
    client.force_login(bob)
    page = text(client.get("/"))
    assert "runs</a>" in page
    assert "found</a>" in page
    assert ">0.125000<" in page
    assert "1/2" in page


def test_home_shows_nothing_of_other_workspaces(client, charlie, sweep):
    Sweep.objects.update(display_name="secret")
    client.force_login(charlie)
    assert "secret" not in text(client.get("/"))


def test_home_leaves_out_archived_workspaces(client, bob, sweep):
    Workspace.objects.update(archived_at=timezone.now())
    client.force_login(bob)
    assert sweep.name not in text(client.get("/"))


def test_an_overview_counts_sweeps_and_links_to_each_filter(client, rita, sweep):
    client.force_login(rita)
    page = text(client.get("/w/default/"))
    assert '<a href="/w/default/sweeps/?status=active">Active <small>1</small></a>' in page


def test_an_empty_overview_offers_one_action(client, rita, bob, compute):
    client.force_login(bob)
    assert "examples/iris" in text(client.get("/w/default/"))
    client.force_login(rita)
    assert "examples/iris" not in text(client.get("/w/default/"))


def test_an_archived_workspace_says_so_and_its_owner_may_restore_it(client, alice, rita):
    Workspace.objects.update(archived_at=timezone.now())
    client.force_login(alice)
    assert "/w/default/restore" in text(client.get("/w/default/"))
    client.force_login(rita)
    page = text(client.get("/w/default/"))
    assert "This workspace is archived" in page
    assert "/w/default/restore" not in page


def test_the_example_is_submitted_and_its_page_opens(client, bob, compute):
    client.force_login(bob)
    answer = client.post("/w/default/examples/iris")
    sweep = Sweep.objects.get()
    assert answer["Location"] == f"/w/default/sweeps/{sweep.name}/"
    assert sweep.created_by == bob
    assert sweep.max_total_trials == 20
    assert sweep.primary_metric == "test-multi_logloss"


def test_without_a_default_compute_the_example_is_refused_with_a_reason(client, bob):
    client.force_login(bob)
    answer = client.post("/w/default/examples/iris", follow=True)
    assert "The example cannot run here." in answer.content.decode()
    assert not Sweep.objects.exists()


def test_readers_and_strangers_run_no_example(client, rita, charlie, compute):
    for person in (rita, charlie):
        client.force_login(person)
        assert client.post("/w/default/examples/iris").status_code == 404
    assert not Sweep.objects.exists()
    assert intake_places.IRIS.is_dir()


def test_the_example_is_not_run_by_a_link(client, bob, compute):
    client.force_login(bob)
    assert client.get("/w/default/examples/iris").status_code == 405


@pytest.mark.parametrize("url", ["/", "/w/default/", "/help/"])
def test_pages_are_only_read_and_ask_to_sign_in(client, rita, compute, url):
    assert client.get(url).status_code == 302
    client.force_login(rita)
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 405


def test_a_foreign_overview_is_missing(client, charlie):
    client.force_login(charlie)
    assert client.get("/w/default/").status_code == 404


# --- live, and what needs somebody --------------------------------------------------------------
@pytest.mark.parametrize("url", ["/", "/w/default/"])
def test_both_pages_are_live(client, rita, charlie, another_sweep, url):
    another_sweep()
    client.force_login(rita)
    page = text(client.get(url))
    [around] = re.findall(r'data-around="(\w+)"', page)
    ask = f"{url}live?since=0&around={around}"
    assert client.get(ask).status_code == 204
    new = another_sweep()
    news = client.get(ask).json()
    for key, html in news["fragments"].items():
        assert f'id="{key}"' in page
        assert "<html" not in html
    assert new.name in news["fragments"]["home-running"]
    assert news["retry_ms"] == 3000
    client.force_login(charlie)
    if url != "/":
        assert client.get(ask).status_code == 404
    else:
        assert new.name not in text(client.get(ask))


def concern(workspace, now):
    found = concerns([workspace], now)
    return [(one.kind.value, one.text) for one in found]


def test_a_sweep_that_the_breaker_paused_needs_somebody(client, bob, workspace, sweep, now):
    add_trials(sweep, ("Failed", None), ("Completed", 1.0))
    Sweep.objects.update(
        status="Paused", desired="pause", paused_by="breaker", reason="Paused after 5 failures."
    )
    assert concern(workspace, now) == [("paused", "Paused after 5 failures.")]
    client.force_login(bob)
    page = text(client.get("/w/default/"))
    assert "Needs you" in page
    assert page.count("Paused after 5 failures.") == 1, "said once, not in the table too"
    assert f'{sweep.name}/trials/?status=Failed">See the failure</a>' in page
    Sweep.objects.update(paused_by="person")
    assert concern(workspace, now) == []


def test_a_sweep_of_which_every_trial_failed_needs_somebody_from_two_on(workspace, sweep, now):
    Sweep.objects.update(status="Running")
    add_trials(sweep, ("Failed", None), ("Canceled", None))
    Trial.objects.update(reason="Out of memory.")
    assert [kind for kind, _ in concern(workspace, now)] == []
    add_trials(sweep, ("Failed", None), ("Running", None), start=2)
    Trial.objects.filter(number=2).update(reason="Out of memory.")
    text = "All 2 trials that have ended failed. Out of memory."
    assert concern(workspace, now) == [("failing", text)]
    add_trials(sweep, ("Completed", 1.0), start=4)
    assert concern(workspace, now) == []


def test_failed_sweeps_need_somebody_for_two_days(workspace, sweep, now):
    ended = now - timedelta(days=1)
    Sweep.objects.update(status="Failed", ended_at=ended, reason="Its code is gone.")
    assert concern(workspace, now) == [("failed", "Its code is gone.")]
    assert concern(workspace, now + timedelta(days=2)) == []


def test_a_compute_that_fails_its_test_and_a_full_disk_need_somebody(
    client, bob, workspace, compute, sweep, now
):
    steps = [{"name": "Interpreter", "ok": False, "detail": "<b>no</b> python"}]
    Compute.objects.update(last_test={"ok": False, "at": now.isoformat(), "steps": steps})
    Condition.objects.create(name="disk", text="Disk space is low.", since=now)
    assert concern(workspace, now) == [
        ("disk", "Disk space is low."), ("compute", "Interpreter: <b>no</b> python"),
    ]  # fmt: skip
    client.force_login(bob)
    assert "&lt;b&gt;no&lt;/b&gt; python" in text(client.get("/"))
    Compute.objects.update(last_test={"ok": True, "at": "", "steps": []})
    Condition.objects.all().delete()
    assert concern(workspace, now) == []


def test_concerns_of_others_are_not_shown(client, charlie, workspace, sweep, now):
    Sweep.objects.update(status="Failed", ended_at=timezone.now(), reason="secret")
    client.force_login(charlie)
    assert "secret" not in text(client.get("/"))


# --- what was found -----------------------------------------------------------------------------
@pytest.fixture
def ended(another_sweep, now):
    """Makes sweeps that ended one after another with a best value."""
    minutes = count()

    def make(value, label="", **changes):
        sweep = another_sweep(**changes)
        add_trials(sweep, ("Completed", value), ("Completed", value and value + 1))
        end = now + timedelta(minutes=next(minutes))
        Sweep.objects.filter(pk=sweep.pk).update(
            status="Completed", ended_at=end, display_name=label
        )
        sweep.refresh_from_db()
        return sweep

    return make


def found(now):
    rows = lists.rows(list(lists.ended_with_value(Sweep.objects.all())), now)
    return {find.row.sweep: find for find in finds(rows)}


def test_a_find_names_the_best_one_before_it_and_by_how_much_it_beat_it(ended, now):
    first, worse, better = ended(0.5), ended(0.75), ended(0.25)
    seen = found(now)
    assert [seen[s].rival for s in (first, worse, better)] == [None, first, first]
    assert [seen[s].gap for s in (first, worse, better)] == [None, 0.25, -0.25]
    assert [seen[s].is_better for s in (first, worse, better)] == [False, False, True]


def test_finds_are_compared_with_their_like_only(ended, now):
    auc = Objective("loss", Goal.MAXIMIZE)
    ended(0.1), ended(0.1, objective=Objective("other", Goal.MINIMIZE))
    alone, elsewhere = ended(0.5, objective=auc), ended(0.5, experiment_name="mine")
    seen = found(now)
    assert seen[alone].rival is None
    assert seen[elsewhere].rival is None


def test_the_first_page_says_what_each_find_beat(client, bob, ended):
    ended(0.5, "old")
    ended(0.25, "new")
    ended(None, "nothing")
    client.force_login(bob)
    page = text(client.get("/"))
    table = page[page.index('id="home-finds"') :]
    assert '<b class="is-green">−0.250</b> <span class="muted">beat</span>' in table
    assert "first of its kind" in table
    assert "nothing</a>" not in table


def test_home_costs_as_many_queries_for_many_sweeps_as_for_one(
    client, bob, another_sweep, django_assert_max_num_queries
):
    def fill(count):
        for _ in range(count):
            add_trials(another_sweep(), ("Completed", 0.5), ("Running", None))
            ended, failed = another_sweep(), another_sweep()
            add_trials(ended, ("Completed", 0.5))
            add_trials(failed, ("Failed", None), ("Failed", None))
            now = timezone.now()
            Sweep.objects.filter(pk=ended.pk).update(status="Completed", ended_at=now)
            Sweep.objects.filter(pk=failed.pk).update(status="Failed", ended_at=now)

    client.force_login(bob)
    fill(1)
    with django_assert_max_num_queries(45) as first:
        client.get("/")
    fill(7)
    with django_assert_max_num_queries(len(first)):
        client.get("/")
    assert Compute.objects.count() == 1
