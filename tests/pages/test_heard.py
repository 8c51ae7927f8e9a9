"""What open pages hear for the notices of the browser: one's own sweeps, and the one in sight."""

import json
from datetime import timedelta

import pytest

from studio.models import Membership, Role
from studio.services import archive_workspace
from sweeps.domain.limits import Limits
from sweeps.domain.states import PausedBy, SweepStatus
from sweeps.models import StateChange, Sweep
from sweeps.services import control
from sweeps.services.state import move_sweep, note_exhausted
from tests.api.acts import play


@pytest.fixture
def bobs(client, bob, make_sweep, now):
    """Bob is signed in and has a sweep of 8 trials, of which two have ended: 0.4 and 0.2."""
    client.force_login(bob)
    sweep = make_sweep(limits=Limits(8, 1, 3600))
    Sweep.objects.update(created_by=bob)
    play(sweep, now, [0.4, 0.2])
    sweep.refresh_from_db()
    return sweep


@pytest.fixture
def hear(client, bobs):
    """What is new since the last time, as (type, title)."""
    cursor = [ask(client)["cursor"]]

    def hear(**query):
        answer = ask(client, after=cursor[0], **query)
        cursor[0] = answer["cursor"]
        return [(one["tag"].split(":")[0], one["title"]) for one in answer["notices"]]

    return hear


def ask(client, **query):
    return json.loads(client.get("/notices", query).content)


def test_the_first_question_tells_only_from_where_on_to_listen(client, bobs):
    answer = ask(client)
    assert answer == {"cursor": str(StateChange.objects.latest("pk").pk), "notices": []}


def test_of_an_archived_workspace_only_the_page_in_sight_hears(hear, bobs, now):
    archive_workspace(bobs.workspace, now)
    move_sweep(bobs, SweepStatus.CANCELED, now)
    assert hear() == []
    move_sweep(bobs, SweepStatus.RUNNING, now)
    move_sweep(bobs, SweepStatus.CANCELED, now)
    seen = hear(sweep=f"default/{bobs.name}")
    assert [kind for kind, _ in seen] == ["sweep.canceled"]


def test_ends_and_the_studios_pauses_are_heard_a_persons_pause_is_not(hear, bobs, now):
    control.pause_sweep(bobs, actor="bob", now=now)
    note_exhausted(bobs, "Nothing left.", now)
    assert hear() == []
    control.resume_sweep(bobs, actor="bob", now=now)
    control.pause_sweep(bobs, actor="studio", now=now, by=PausedBy.BREAKER, reason="Five failed.")
    assert hear() == [("sweep.paused", f"Sweep {bobs.name} was paused by the studio")]
    move_sweep(bobs, SweepStatus.CANCELED, now)
    assert [kind for kind, _ in hear()] == ["sweep.canceled"]
    assert hear() == []


def test_a_notice_has_words_and_a_place(client, bobs, now):
    after = ask(client)["cursor"]
    move_sweep(bobs, SweepStatus.FAILED, now, reason="<b>Broken</b>")
    [notice] = ask(client, after=after)["notices"]
    assert notice["url"] == f"/w/default/sweeps/{bobs.name}/"
    assert notice["body"].splitlines() == [
        "<b>Broken</b>",
        "2 of 8 trials ended.",
        "Best: trial 1 with loss 0.2.",
        "Its parameters: " + notice["body"].split("Its parameters: ")[1],
    ]


def test_a_new_best_is_heard_a_worse_trial_is_not(hear, bobs, now):
    play(bobs, now + timedelta(minutes=1), [0.3])
    assert hear() == []
    play(bobs, now + timedelta(minutes=2), [0.1])
    name = f"Sweep {bobs.name} has a new best trial: trial 3 with loss 0.1"
    assert hear() == [("sweep.new_best", name)]


def test_other_peoples_sweeps_are_heard_where_they_are_in_sight(hear, bobs, alice, now):
    Sweep.objects.update(created_by=alice)
    move_sweep(bobs, SweepStatus.COMPLETED, now)
    assert hear() == []
    move_sweep(bobs, SweepStatus.RUNNING, now)
    move_sweep(bobs, SweepStatus.FAILED, now)
    assert [kind for kind, _ in hear(sweep=f"default/{bobs.name}")] == ["sweep.failed"]


def test_foreign_sweeps_and_dry_runs_are_never_heard(hear, bobs, bob, now):
    Sweep.objects.update(is_dry_run=True)
    move_sweep(bobs, SweepStatus.COMPLETED, now)
    assert hear(sweep=f"default/{bobs.name}") == []
    Sweep.objects.update(is_dry_run=False)
    Membership.objects.filter(user=bob).delete()
    move_sweep(bobs, SweepStatus.RUNNING, now)
    move_sweep(bobs, SweepStatus.FAILED, now)
    assert hear(sweep=f"default/{bobs.name}") == []
    Membership.objects.create(user=bob, workspace=bobs.workspace, role=Role.READER)
    move_sweep(bobs, SweepStatus.RUNNING, now)
    move_sweep(bobs, SweepStatus.COMPLETED, now)
    assert [kind for kind, _ in hear()] == ["sweep.completed"]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "999999999", "²"])
def test_a_cursor_that_makes_no_sense_begins_anew(client, bobs, after):
    answer = ask(client, after=after, sweep="/")
    assert answer["notices"] == []
    assert answer["cursor"] == ask(client)["cursor"]


def test_strangers_hear_nothing(client, db):
    assert client.get("/notices").status_code == 302
