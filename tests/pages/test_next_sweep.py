"""The next sweep: from a region, from the best trials, as the space doctor advises."""

import random
import re
from dataclasses import asdict, replace
from html import unescape
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.importance import Importance, Weight
from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.selection import read_selection
from sweeps.domain.space import Choice, Uniform
from sweeps.models import Analysis, Sweep, Trial
from sweeps.queries import boards
from sweeps.queries.analyses import IMPORTANCE
from sweeps.queries.next_sweep import advised, doctor, from_best, from_region
from sweeps.queries.records import space_of as space_of_sweep
from sweeps.queries.records import warm_records
from sweeps.services import sweeps
from sweeps.spec.reader import read_job
from sweeps.spec.writer import to_yaml
from tests.api.acts import play
from tests.pages.new_sweep_form import Form

pytestmark = pytest.mark.django_db


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    """Ended; parameter lr of trial n is (n + 1) / 100, its loss as much."""
    sweep: Sweep = make_sweep(limits=Limits(30, 1, 3600))
    play(sweep, now, [0.5] * 30)
    for trial in sweep.trials.all():
        value = (trial.number + 1) / 100
        params = {**trial.params, "lr": value}
        Trial.objects.filter(pk=trial.pk).update(params=params, flat_params=params, objective=value)
    space = {**sweep.search_space, "lr": {"type": "uniform", "min_value": 0.01, "max_value": 0.4}}
    Sweep.objects.update(search_space=space)
    sweep.refresh_from_db()
    boards.forget()
    return sweep


def space_of(found: Any) -> dict[str, Any]:
    return dict(found.job.search_space.parameters)


def test_a_region_becomes_the_space_and_its_trials_go_along(played: Sweep) -> None:
    found = from_region(played, read_selection([("in", "params.lr:0.05..0.1")]))
    assert space_of(found)["lr"] == Uniform(0.05, 0.1)
    assert [one.value for one in found.job.warm_start] == [0.05, 0.06, 0.07, 0.08, 0.09, 0.1]
    assert [point["lr"] for point in found.job.first_trials] == [0.05]
    assert found.job.name is None
    assert found.notes[1] == "The best trial there, with 0.05, is tried first."


def test_a_selection_without_a_range_spans_its_trials(played: Sweep) -> None:
    found = from_region(played, read_selection([("in", "objective:0.1..0.2")]))
    lr = space_of(found)["lr"]
    assert (lr.min_value, lr.max_value) == pytest.approx((0.09, 0.21))


def test_the_best_trials_span_the_space(played: Sweep) -> None:
    lr = space_of(from_best(played, 5))["lr"]
    assert (lr.min_value, lr.max_value) == pytest.approx((0.01, 0.054))


def test_the_doctor_sees_the_edge_and_its_advice_is_taken(played: Sweep) -> None:
    keys = [found.key for found in doctor(played)]
    assert "low_edge:lr" in keys
    found = advised(played, ["low_edge:lr", "nonsense"])
    assert space_of(found)["lr"] == Uniform(0.001, 0.4)
    assert found.notes[0] == "Widen lr downwards."


def test_a_parameter_of_no_importance_is_kept_at_the_best_value(played: Sweep, now: Any) -> None:
    weights = (Weight("lr", 0.97, 0.9, 1.0, 0.1), Weight("boosting", 0.03, 0.0, 0.08, 0.1))
    document = asdict(Importance(30, 30, 0.1, 20, weights))
    Analysis.objects.create(sweep=played, kind=IMPORTANCE, document=document, at=now, revision=9)
    assert "dead:boosting" in [found.key for found in doctor(played)]
    best = Trial.objects.get(sweep=played, number=0)
    found = advised(played, ["dead:boosting"])
    assert space_of(found)["boosting"] == Choice((best.params["boosting"],))


def test_of_a_nested_parameter_the_value_of_the_best_trial_that_has_one_is_kept(
    played: Sweep, now: Any
) -> None:
    deep = {"type": "uniform", "min_value": 0.0, "max_value": 1.0}
    branches = [{"name": "tree"}, {"name": "svm", "penalty": deep}]
    space = {**played.search_space, "model": {"type": "choice", "values": branches}}
    for trial in played.trials.all():
        # The best trials are trees; of those with a penalty number 20 is the best.
        nested = {"model.name": "tree"} if trial.number < 20 else {"model.name": "svm"}
        if trial.number >= 20:
            nested["model.penalty"] = trial.number / 100
        Trial.objects.filter(pk=trial.pk).update(flat_params={**trial.flat_params, **nested})
    Sweep.objects.update(search_space=space)
    played.refresh_from_db()
    boards.forget()
    little = [Weight(name, 0.01, 0.0, 0.08, 0.1) for name in ("model.penalty", "model")]
    weights = (Weight("lr", 0.97, 0.9, 1.0, 0.1), *little)
    document = asdict(Importance(30, 30, 0.1, 20, weights))
    Analysis.objects.create(sweep=played, kind=IMPORTANCE, document=document, at=now, revision=9)
    offered = {found.key: found.action for found in doctor(played) if found.kind == "dead"}
    # What would change nothing (a choice of whole branches) is not offered.
    action = "Keep model.penalty at the value of the best trial with one"
    assert offered == {"dead:model.penalty": action}
    found = advised(played, ["dead:model.penalty"])
    _, svm = space_of(found)["model"].values
    assert dict(svm.items)["penalty"] == Choice((0.2,))
    assert found.notes[0] == f"{action}."
    # Once no trial with a value has one, there is nothing to keep it at.
    Trial.objects.filter(number__gte=20).update(objective=None)
    boards.forget()
    assert "dead:model.penalty" not in [found.key for found in doctor(played)]
    assert advised(played, ["dead:model.penalty"]).job.search_space == space_of_sweep(played)


def test_failures_alone_make_no_region_and_what_cuts_nothing_off_is_said(
    client: Client, bob: User, played: Sweep
) -> None:
    Trial.objects.filter(number__gte=20).update(
        status="Failed", objective=None, reason="CUDA out of memory"
    )
    boards.forget()
    client.force_login(bob)
    page = f"/w/default/sweeps/{played.name}/"
    for words, offered in [
        ("status=Failed", False),
        ("q=CUDA", False),
        ("status=Completed", True),
        ("status=Failed&in=params.lr:0.05..0.3", True),
    ]:
        html = client.get(f"{page}trials/?{words}").content.decode()
        assert " of 30 shown" in html
        assert ("region=1" in html) is offered, words
    found = from_region(played, read_selection([("q", "CUDA")]))
    assert found.job.search_space == space_of_sweep(played)
    assert found.notes[0].startswith("The search space stays that of")


def test_the_form_opens_with_it_and_what_is_submitted_has_it(
    client: Client, bob: User, played: Sweep
) -> None:
    client.force_login(bob)
    page = f"/w/default/sweeps/{played.name}/"
    overview = unescape(client.get(f"{page}?in=params.lr:0.05..0.1").content.decode())
    [link] = re.findall(r'href="([^"]*region=1[^"]*)"', overview)
    form = unescape(client.get(link).content.decode())
    assert "cut down to the selected region" in form
    assert "6 earlier trials of the sweep this form started from" in form
    assert 'value="0.05"' in form
    [best] = re.findall(r'href="([^"]*best=10)"', overview)
    assert client.get(best).status_code == 200
    assert client.get(f"/w/default/sweeps/new?from={played.name}&region=1&in=x").status_code == 404


def test_bayesian_is_set_for_the_warm_start_and_one_click_gives_the_old_sampler_back(
    bob: User, workspace: Any, played: Sweep
) -> None:
    sobol = {"algorithm": "random", "rule": "sobol", "seed": 7, "logbase": 10.0}
    Sweep.objects.update(sampling={**played.sampling, **sobol})
    form = Form(bob, workspace, f"?from={played.name}&best=10")
    assert (form["algorithm"], form["seed"]) == ("bayesian", "7")
    assert "it was random." in unescape(form.text)
    assert "Bayesian was set for you" in form.text
    form.press("own_sampler", display_name="Typed meanwhile")
    kept = [form[name] for name in ("algorithm", "rule", "seed", "logbase", "display_name")]
    assert kept == ["random", "sobol", "7", "10.0", "Typed meanwhile"]
    assert "Bayesian was set for you" not in form.text
    assert "Bayesian would start with" in form.text


def test_a_small_space_that_is_to_be_tried_out_whole_keeps_its_sampler(played: Sweep) -> None:
    space = {"boosting": played.search_space["boosting"]}
    Sweep.objects.update(search_space=space, sampling={"algorithm": "grid", "seed": 1})
    played.refresh_from_db()
    boards.forget()
    keys = [found.key for found in doctor(played) if found.kind == "small"]
    assert keys
    assert not advised(played, keys).learns


def test_a_bayesian_sweep_stays_one_and_nothing_is_set(played: Sweep) -> None:
    Sweep.objects.update(sampling={"algorithm": "bayesian", "seed": 1})
    played.refresh_from_db()
    found = from_best(played, 10)
    assert not found.learns
    assert "Bayesian sampling starts with" in found.notes[-1]


def test_readers_are_offered_no_sweep(client: Client, rita: User, played: Sweep) -> None:
    client.force_login(rita)
    html = client.get(f"/w/default/sweeps/{played.name}/?in=params.lr:0.05..0.1").content.decode()
    assert "6 of 30 shown" in html
    assert "region=1" not in html
    assert "best=10" not in html
    assert "fix=" not in html


def test_a_next_sweep_says_which_one_it_goes_on_from(
    client: Client, bob: User, played: Sweep, workspace: Any, now: Any
) -> None:
    made = from_region(played, read_selection([("in", "params.lr:0.05..0.1")])).job
    job = replace(made, sampling=Sampling("bayesian", seed=1), compute=None)
    fields = {"compute": played.compute, "code": None, "user": None, "now": now}
    sweep = sweeps.create_sweep(workspace, job, rng=random.Random(3), **fields)
    client.force_login(bob)
    page = f"/w/default/sweeps/{sweep.name}/"
    link = f'goes on from <a href="/w/default/sweeps/{played.name}/"'
    for tab, times in (("", 1), ("config/", 2)):
        html = client.get(page + tab).content.decode()
        assert html.count(link) == times
        assert html.count("</a>, 6 earlier trials") == times
    played.workspace.sweeps.filter(pk=played.pk).update(deleted_at=now)
    html = client.get(page).content.decode()
    assert link not in html
    assert f"{played.name}</span>, 6 earlier trials" in html
    # Without its sampler learning from them, no trials are claimed.
    Sweep.objects.filter(pk=sweep.pk).update(sampling={"algorithm": "random"})
    assert "earlier trials" not in client.get(page).content.decode()


def test_the_form_counts_the_earlier_trials_in_its_advice(
    bob: User, workspace: Any, played: Sweep
) -> None:
    form = Form(bob, workspace, f"?from={played.name}&region=1&in=params.lr:0.05..0.1")
    form.press("preview", max_total_trials="5", max_concurrent_trials="1")
    assert "but max_total_trials is 5, after 6 earlier trials." in unescape(form.text)
    form.press("drop_warm")
    assert "but max_total_trials is 5." in unescape(form.text)


def test_warm_trials_are_stored_exported_and_known_to_the_sampler(
    played: Sweep, workspace: Any, now: Any
) -> None:
    made = from_region(played, read_selection([("in", "params.lr:0.05..0.1")])).job
    job = replace(made, sampling=Sampling("bayesian", seed=1), first_trials=())
    again = read_job(to_yaml(job))
    assert again.warm_start == job.warm_start
    fields = {"compute": played.compute, "code": None, "user": None, "now": now}
    sweep = sweeps.create_sweep(workspace, job, rng=random.Random(2), **fields)
    known = warm_records(sweep)
    assert [(record.number, record.objective) for record in known][:2] == [(-6, 0.05), (-5, 0.06)]
    ids = sweeps.advance(sweep.pk, now).trials
    assert Trial.objects.filter(pk__in=ids).exists()
    Sweep.objects.filter(pk=sweep.pk).update(sampling={"algorithm": "random"})
    sweep.refresh_from_db()
    assert warm_records(sweep) == ()
