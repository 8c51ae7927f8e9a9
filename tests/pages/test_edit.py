"""Editing a live sweep in the browser: only what was changed, by several people, told and drawn."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.job import EarlyTermination, FailurePolicy, StopRules
from sweeps.domain.limits import Limits
from sweeps.domain.states import SweepStatus
from sweeps.models import Revision, Sweep
from sweeps.queries.records import early_termination_of
from tests.api.acts import play
from tests.pages.test_job_pages import figure

BANDIT = EarlyTermination(
    "bandit", {"evaluation_interval": 1, "delay_evaluation": 0, "slack_factor": 0.1}
)


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    """Of 6 trials: 0.3, 0.1 and a failure; one at a time."""
    sweep: Sweep = make_sweep(
        limits=Limits(6, 1, 3600),
        display_name="Churn",
        description="first\nlines",
        tags={"team": "risk", "churn": ""},
        early_termination=BANDIT,
        stop_rules=StopRules(target_value=0.05),
    )
    play(sweep, now, [0.3, 0.1, None])
    return sweep


class EditPage:
    """The edit form as somebody has it open."""

    def __init__(self, client: Client, user: User, sweep: Sweep) -> None:
        self._client, self._user = client, user
        self.sweep = sweep
        self.url = f"/w/default/sweeps/{sweep.name}/edit"
        client.force_login(user)
        self.html = client.get(self.url).content.decode()
        self.fields = self._read(self.html)

    @staticmethod
    def _read(html: str) -> dict[str, str]:
        form = html.split('<form class="new-sweep-form')[1].split("</form>")[0]
        inputs = re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', form)
        found = {name: unescape(value) for name, value in inputs if name != "early_type"}
        [found["early_type"]] = re.findall(r'name="early_type" value="(\w*)" checked', form)
        found["slack_as"] = "amount" if 'value="amount" selected' in form else "factor"
        [found["description"]] = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)
        found["description"] = unescape(found["description"])
        return found

    def save(self, action: str = "save", **typed: str) -> str:
        """What one sees after saving; the form is as in the answer from then on."""
        self._client.force_login(self._user)
        data = self.fields | typed | {"action": action}
        response = self._client.post(self.url, data, follow=True)
        self.sweep.refresh_from_db()
        html = response.content.decode()
        self.status = response.status_code
        if "new-sweep-form" in html:
            self.fields = self._read(html)
        return unescape(html)


def test_the_form_shows_what_the_sweep_has(client: Client, bob: User, played: Sweep) -> None:
    fields = EditPage(client, bob, played).fields
    assert {name: fields[name] for name in fields if not name.startswith("was-")} == {
        "csrfmiddlewaretoken": fields["csrfmiddlewaretoken"],
        "max_total_trials": "6",
        "max_concurrent_trials": "1",
        "timeout": "1h",
        "trial_timeout": "",
        "early_type": "bandit",
        "slack": "10",
        "slack_as": "factor",
        "evaluation_interval": "1",
        "delay_evaluation": "0",
        "truncation_percentage": "20",
        "min_reports": fields["min_reports"],
        "reduction_factor": fields["reduction_factor"],
        "target_value": "0.05",
        "no_improvement_trials": "",
        "max_consecutive_failures": "5",
        "retries": "0",
        "infrastructure_retries": "2",
        "display_name": "Churn",
        "description": "first\nlines",
        "tags": "team=risk, churn",
    }


def test_saving_without_a_change_changes_nothing(client: Client, bob: User, played: Sweep) -> None:
    form = EditPage(client, bob, played)
    assert "Nothing was changed." in form.save()
    assert not Revision.objects.exists()
    assert early_termination_of(form.sweep) == early_termination_of(Sweep.objects.get(pk=played.pk))


def test_everything_can_be_changed_at_once(
    client: Client, bob: User, played: Sweep, wake_ups: Any
) -> None:
    html = EditPage(client, bob, played).save(
        max_total_trials="1,000",
        max_concurrent_trials="2",
        timeout="2h 30m",
        trial_timeout="5m",
        early_type="median_stopping",
        delay_evaluation="3",
        target_value="",
        no_improvement_trials="20",
        max_consecutive_failures="0",
        retries="1",
        display_name="Churn 2",
        description="other",
        tags="team=fraud, new",
    )
    assert "Saved: max trials 6 → 1,000; at once 1 → 2;" in html
    limits = (played.max_total_trials, played.max_concurrent_trials)
    assert limits == (1000, 2)
    assert (played.timeout_s, played.trial_timeout_s) == (9000, 300)
    assert early_termination_of(played) == EarlyTermination(
        "median_stopping", {"evaluation_interval": 1, "delay_evaluation": 3}
    )
    assert played.stop_rules == {"no_improvement_trials": 20}
    assert FailurePolicy(**played.failure_policy) == FailurePolicy(0, 1, 2)
    assert (played.display_name, played.description) == ("Churn 2", "other")
    assert played.tags == {"team": "fraud", "new": ""}
    assert ("advance_sweep", played.pk) in wake_ups()
    revision = Revision.objects.get()
    assert (revision.actor, revision.trial_number) == ("bob", played.planned)


def test_what_cannot_be_is_told_at_its_field_and_nothing_typed_is_lost(
    client: Client, bob: User, played: Sweep
) -> None:
    form = EditPage(client, bob, played)
    wrong = {
        "max_total_trials": "two",
        "timeout": "soon",
        "slack": "-1",
        "target_value": "low",
        "retries": "99",
        "tags": "kept=typed",
    }
    html = form.save(**wrong)
    assert form.status == 422
    assert "Nothing was saved." in html
    told = dict(re.findall(r'id="f-(\w+)-error"><svg.*?</svg>(.*?)</p>', html))
    assert told == {
        "max_total_trials": "Must be a whole number, but got “two”.",
        "timeout": "“soon” is not a duration. Write it like 90s, 5m or 2h 30m.",
        "slack": "Must be above 0, but got “-1”.",
        "target_value": "Must be a number, but got “low”.",
        "retries": "Must be from 0 to 10, but got 99.",
    }
    for name, text in wrong.items():
        assert form.fields[name] == text
        if name in told:
            assert f'<a href="#f-{name}">' in html
    assert not Revision.objects.exists()
    form.save(max_total_trials="7", timeout="2h", slack="5", target_value="0.01", retries="1")
    assert played.max_total_trials == 7
    assert played.tags == {"kept": "typed"}


def test_what_the_service_refuses_stands_at_its_field(
    client: Client, bob: User, played: Sweep
) -> None:
    html = EditPage(client, bob, played).save(max_total_trials="2")
    assert "Must be at least 4: 4 trials are planned already." in html
    assert 'id="f-max_total_trials-error"' in html


def test_two_people_who_edit_different_fields_both_get_their_way(
    client: Client, alice: User, bob: User, played: Sweep
) -> None:
    first, second = EditPage(client, alice, played), EditPage(client, bob, played)
    first.save(max_total_trials="60", target_value="0.01", early_type="", description="hers")
    html = second.save(timeout="3h", no_improvement_trials="9", retries="1", tags="mine")
    assert "Saved: timeout 1h → 3h" in html
    assert (played.max_total_trials, played.timeout_s) == (60, 10800)
    assert played.stop_rules == {"target_value": 0.01, "no_improvement_trials": 9}
    assert early_termination_of(played) is None
    assert (played.description, played.tags) == ("hers", {"mine": ""})
    assert list(Revision.objects.values_list("actor", flat=True)) == ["alice", "bob"]


def test_a_field_that_somebody_else_changed_is_told_before_it_is_replaced(
    client: Client, alice: User, bob: User, played: Sweep
) -> None:
    first, second = EditPage(client, alice, played), EditPage(client, bob, played)
    first.save(max_total_trials="60", early_type="", retries="3")
    html = second.save(max_total_trials="80", slack="20", timeout="3h")
    assert "Somebody else changed this to “60” in the meantime. Save again" in html
    assert html.count("Somebody else changed this") >= 2
    assert (played.max_total_trials, played.timeout_s) == (60, 3600)
    assert second.fields["retries"] == "3"
    assert second.fields["max_total_trials"] == "80"
    second.save()
    assert (played.max_total_trials, played.timeout_s) == (80, 10800)
    assert early_termination_of(played) is not None
    assert FailurePolicy(**played.failure_policy).retries == 3


def test_the_fields_of_another_policy_are_a_preview_away(
    client: Client, bob: User, played: Sweep
) -> None:
    form = EditPage(client, bob, played)
    html = form.save(action="preview", early_type="truncation_selection", max_total_trials="x")
    assert form.status == 200
    assert 'id="f-truncation_percentage"' in html
    assert (form.fields["early_type"], form.fields["max_total_trials"]) == (
        "truncation_selection",
        "x",
    )
    assert form.fields["slack"] == "10"
    assert not Revision.objects.exists()


def test_extending_a_finished_sweep_brings_it_back(
    client: Client, bob: User, sweep: Sweep, now: Any
) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    Sweep.objects.update(run_id="opened")
    form = EditPage(client, bob, sweep)
    assert "Raise the total trials to bring it back: it goes on with trial 4" in form.html
    html = form.save(timeout="3h")
    assert "raise the total trials to extend it" in html
    html = form.save(max_total_trials="6")
    assert (sweep.status, sweep.max_total_trials, sweep.timeout_s) == (
        SweepStatus.RUNNING,
        6,
        10800,
    )
    assert "Saved: max trials 4 → 6; timeout 1h → 3h." in html


def test_the_button_says_edit_or_extend(client: Client, bob: User, sweep: Sweep, now: Any) -> None:
    client.force_login(bob)
    page = f"/w/default/sweeps/{sweep.name}/"
    assert ">Edit</a>" in client.get(page).content.decode()
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    assert ">Extend</a>" in client.get(page).content.decode()
    Sweep.objects.update(status="Stopping", desired="stop")
    html = client.get(page).content.decode()
    assert ">Edit</a>" not in html
    assert ">Extend</a>" not in html


def test_readers_and_strangers_have_no_form(
    client: Client, rita: User, charlie: User, played: Sweep
) -> None:
    for user in (rita, charlie):
        client.force_login(user)
        assert client.get(f"/w/default/sweeps/{played.name}/edit").status_code == 404
        assert client.post(f"/w/default/sweeps/{played.name}/edit").status_code == 404


def test_edits_are_listed_and_drawn_where_they_were_made(
    client: Client, alice: User, bob: User, played: Sweep
) -> None:
    EditPage(client, alice, played).save(max_total_trials="9", description="more")
    EditPage(client, bob, played).save(display_name="<b>Other</b>")
    config = unescape(client.get(f"/w/default/sweeps/{played.name}/config/").content.decode())
    listed = re.findall(r"<li><p>(.*?)</p><p[^>]*>by (\w+)", config)
    assert listed == [
        ("display name edited", "bob"),
        ("max trials 6 → 9; description edited", "alice"),
    ]
    at = Revision.objects.get(number=1).at
    drawn = figure(client, played, "objective")
    notes = [note for note in drawn["layout"]["annotations"] if "by alice" in note["text"]]
    assert [note["text"] for note in notes] == [f"max trials 6 → 9<br>by alice, {at:%H:%M} UTC"]
    assert notes[0]["x"] == played.planned - 0.5
    assert "by bob" not in str(drawn["layout"]["annotations"])


def test_a_policy_that_was_not_touched_stays_as_it_is_stored(
    client: Client, bob: User, played: Sweep
) -> None:
    stored = {"type": "bandit", "options": {"slack_factor": 0.1}}
    Sweep.objects.update(early_termination=stored)
    EditPage(client, bob, played).save(max_total_trials="9")
    assert (played.max_total_trials, played.early_termination) == (9, stored)
    assert list(Revision.objects.get().changes) == ["max_total_trials"]


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"type": "median_stopping", "options": {"evaluation_interval": 2}}, ("2", "")),
        ({"type": "bandit", "options": {"slack_amount": 0.5}}, ("", "")),
        ({"type": "bandit", "options": {"slack_amount": 0.5, "delay_evaluation": 3}}, ("", "3")),
    ],
)
def test_what_a_policy_does_not_say_is_empty_in_the_form(
    client: Client, bob: User, played: Sweep, stored: Any, shown: tuple[str, str]
) -> None:
    Sweep.objects.update(early_termination=stored)
    form = EditPage(client, bob, played)
    assert (form.fields["evaluation_interval"], form.fields["delay_evaluation"]) == shown


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"slack": "-5"}, ("Slack", "Must be above 0, but got “-5”.")),
        ({"slack": "x" * 9_000}, ("Slack", f"Must be a number, but got “{'x' * 60}…”.")),
        ({"delay_evaluation": "soon"}, ("Not before", "Must be a whole number, but got “soon”.")),
        (
            {"max_total_trials": "9" * 20},
            ("Total trials", f"Must be from 1 to 100,000, but got {'9' * 20}."),
        ),
    ],
)
def test_errors_name_the_field_that_people_see(
    client: Client, bob: User, played: Sweep, typed: dict[str, str], told: tuple[str, str]
) -> None:
    html = unescape(EditPage(client, bob, played).save(**typed))
    [items] = re.findall(r"Nothing was saved.</b><ul>(.*?)</ul>", html, re.DOTALL)
    [(field, label, message)] = re.findall(r'<li><a href="#f-(\w+)">(.*?)</a>: (.*?)</li>', items)
    assert (label, message) == told
    assert field in typed
