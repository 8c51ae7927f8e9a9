"""Adding a trial at a picked point: where its values come from, what is refused, once."""

import math

import pytest
from django.test import Client

from sweeps.domain.limits import Limits
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import SweepStatus
from sweeps.models import Sweep
from sweeps.services import control, sweeps
from tests.api.acts import play
from tests.pages.posted import PostedForm

SPACE = parse_space(
    {
        "lr": {"type": "loguniform", "min_value": math.log(0.001), "max_value": 0.0},
        "depth": {"type": "quniform", "min_value": 2, "max_value": 10, "q": 2},
        "model": {
            "type": "choice",
            "values": [
                {"value": "svm", "c": {"type": "uniform", "min_value": 0, "max_value": 1}},
                {"value": "tree", "leaves": {"type": "randint", "upper": 9}},
            ],
        },
    }
)


class Page:
    """The form as the last answer holds it."""

    def __init__(self, user, sweep, query=""):
        self.client = Client()
        self.client.force_login(user)
        self.url = f"{sweep.get_absolute_url()}trials/new"
        self.take(self.client.get(self.url + query))

    def take(self, response):
        self.response, self.text = response, response.content.decode()
        if response.status_code in (200, 422):
            self.form = PostedForm(self.text, "pick-form")
            self.values = {
                key: values[0] for key, values in self.form.fields.items() if "first-" in key
            }
        return self

    def post(self, action="add", htmx=False, **changes):
        changes = {name.replace("first_", "first-"): value for name, value in changes.items()}
        headers = {"HX-Request": "true"} if htmx else {}
        data = {**self.form.with_(**changes), "action": action}
        return self.take(self.client.post(self.url, data, headers=headers))


@pytest.fixture
def nested(make_sweep):
    return make_sweep(search_space=SPACE, limits=Limits(3, 1, 3600))


def test_without_trials_the_form_holds_the_middle_of_the_space(nested, bob):
    page = Page(bob, nested)
    assert [float(page.values[f"first-{i}"]) for i in (0, 1)] == [
        pytest.approx(0.0316, rel=0.01),
        6,
    ]
    assert "a number from 0.001 to 1" in page.text
    assert "The middle of each distribution. It counts as one of the sweep&#x27;s 3 trials." in (
        page.text
    )


def test_the_values_of_a_trial_or_of_the_best_one_are_taken_over(sweep, bob, now):
    played = play(sweep, now, [0.5, 0.1, 0.3, 0.2])
    best, other = played[1], played[2]
    page = Page(bob, sweep)
    assert (float(page.values["first-0"]), page.values["first-1"]) == tuple(best.params.values())
    assert "The values of the best trial so far, #1." in page.text
    page = Page(bob, sweep, "?from=2")
    assert (float(page.values["first-0"]), page.values["first-1"]) == tuple(other.params.values())
    assert "The sweep, which has ended as Completed, comes back for this trial." in page.text
    assert "All its 4 trials are used: the total grows by one." in page.text


def test_the_point_becomes_the_next_trial_and_wakes_the_queue(nested, bob, wake_ups):
    sweeps.advance(nested.pk, nested.created_at)
    wake_ups()
    page = Page(bob, nested).post(first_0="0.5", first_1="4")
    trial = nested.trials.get(number=1)
    assert page.response.url == f"{nested.get_absolute_url()}trials/1/"
    assert trial.params == {"lr": 0.5, "depth": 4, "model": {"value": "svm", "c": 0.5}}
    assert trial.picked_by == "bob"
    assert ("run_trial", trial.pk) in wake_ups()


def test_choosing_another_branch_shows_its_parameters_and_keeps_what_was_typed(nested, bob):
    page = Page(bob, nested).post("preview", htmx=True, first_0="0.25", first_2="tree")
    assert page.response.status_code == 200
    assert (page.values["first-0"], page.values["first-2"]) == ("0.25", "tree")
    assert "model is tree" in page.text
    page.post(first_2="tree")
    assert nested.trials.get().params["model"] == {"value": "tree", "leaves": 4}


def test_what_does_not_fit_is_told_at_its_field_and_nothing_typed_is_lost(nested, bob):
    page = Page(bob, nested).post(first_0="2", first_1="3")
    assert page.response.status_code == 422
    assert {"f-first-0", "f-first-1"} <= set(page.form.invalid)
    assert (page.values["first-0"], page.values["first-1"]) == ("2", "3")
    assert not nested.trials.exists()


def test_a_double_click_adds_one_trial_and_another_point_another(nested, bob):
    page = Page(bob, nested)
    posted = {**page.form.with_(), "action": "add"}
    urls = {page.client.post(page.url, posted).url for _ in range(3)}
    assert (len(urls), nested.trials.count()) == (1, 1)
    page.client.post(page.url, posted | {"first-0": "0.75"})
    assert nested.trials.count() == 2


def test_a_sweep_that_is_being_ended_refuses_in_words(nested, bob, now):
    page = Page(bob, nested)
    [trial_id] = sweeps.advance(nested.pk, now).trials
    nested.trials.filter(pk=trial_id).update(status="Running")
    control.stop_sweep(nested, actor="ann", now=now)
    page.post()
    assert page.response.status_code == 422
    assert "The sweep is being ended; wait until it is over." in page.text
    assert Sweep.objects.get().status == SweepStatus.STOPPING


@pytest.mark.parametrize(("who", "status"), [("rita", 404), ("charlie", 404)])
def test_readers_and_strangers_cannot_add_trials(request, who, status, sweep):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    url = f"{sweep.get_absolute_url()}trials/new"
    assert client.get(url).status_code == client.post(url).status_code == status
