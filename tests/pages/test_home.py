"""The first page, a workspace's overview, the example, help."""

import pytest
from django.utils import timezone

from studio.models import Compute, Workspace
from sweeps import intake
from sweeps.domain.states import SweepStatus
from sweeps.models import EngineLease, Sweep
from sweeps.queries import health
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


def test_somebody_without_a_workspace_can_make_one(client, workspace, django_user_model):
    client.force_login(django_user_model.objects.create_user("newcomer"))
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
    assert intake.IRIS.is_dir()


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


def test_home_costs_as_many_queries_for_many_sweeps_as_for_one(
    client, bob, another_sweep, django_assert_max_num_queries
):
    def fill(count):
        for _ in range(count):
            add_trials(another_sweep(), ("Completed", 0.5), ("Running", None))

    client.force_login(bob)
    fill(1)
    with django_assert_max_num_queries(40) as first:
        client.get("/")
    fill(7)
    with django_assert_max_num_queries(len(first)):
        client.get("/")
    assert Compute.objects.count() == 1
