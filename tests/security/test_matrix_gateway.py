"""Every route of the tracking gateway x identity x whose things it names.

What MLflow would be asked is only noted; tests/gateway asks a real one.
"""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client

from sweeps.gateway import owners, proxy, registry, views, weights
from sweeps.gateway.holdings import Holdings
from sweeps.gateway.owners import ModelFacts, RunFacts
from sweeps.gateway.routes import ROUTES, Names, Route, match
from sweeps.models import Attempt, Sweep
from tests.security.matrix.rows import GATEWAY, Reach
from tests.security.matrix.stage import Stage, ask, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.timeout(600)]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
OWN, SIBLING, FOREIGN, GONE = "a", "b", "c", "d"
EXPERIMENTS = {OWN: "1", SIBLING: "1", FOREIGN: "2", GONE: "3"}
PLACES = {OWN: "default", SIBLING: "default", FOREIGN: "elsewhere", GONE: "nothere"}
# To a trial these are of its own experiment, whatever they name; to a member, of the workspace.
OF_THE_CALLER = ("experiments/create", "experiments/get-by-name")
# What MLflow was asked.
UPSTREAM: list[str] = []
# A trial's own run is ended by the studio alone.
NOT_THE_OWN_RUN = ("runs/delete", "runs/restore")


def run_of(world: str) -> str:
    return world * 32


def model_of(world: str) -> str:
    return "m-" + world * 32


def named(names: Names, world: str) -> str:
    """What a request calls a thing of this world."""
    experiment, place = EXPERIMENTS[world], PLACES[world]
    return {
        Names.RUN: run_of(world),
        Names.EXPERIMENT: experiment,
        Names.EXPERIMENT_NAME: f"{place}/x",
        Names.MODEL: model_of(world),
        Names.INPUT_MODEL: model_of(world),
        Names.PATH: "a.txt",
        Names.REGISTERED_MODEL: f"{place}.model",
        Names.SOURCE: f"models:/{model_of(world)}",
        Names.ARTIFACT: f"{experiment}/{run_of(world)}/artifacts/a.txt",
    }[names]


@pytest.fixture
def stage(alice: Any, compute: Any, now: Any, monkeypatch: Any) -> Stage:
    found = set_up(alice, compute, now)
    running = Attempt.objects.get(trial__sweep__name="going", trial__number=1)
    Attempt.objects.filter(pk=running.pk).update(run_id=run_of(OWN))
    Sweep.objects.filter(name="going").update(experiment_id=EXPERIMENTS[OWN])
    runs = {run_of(w): RunFacts(EXPERIMENTS[w], "") for w in (OWN, SIBLING, FOREIGN)}
    models = {model_of(w): ModelFacts(EXPERIMENTS[w], run_of(w)) for w in (OWN, SIBLING, FOREIGN)}
    names = {"1": "default/x", "2": "elsewhere/x"}

    def known(table: dict[str, Any]) -> Any:
        def look(name: str) -> Any:
            if name not in table:
                raise owners.Unknown(name)
            return table[name]

        return look

    monkeypatch.setattr(owners, "run", known(runs))
    monkeypatch.setattr(owners, "model", known(models))
    monkeypatch.setattr(owners, "experiment_name", known(names))
    reached = lambda *_args, **_more: HttpResponse(b"{}")  # noqa: E731

    def exchange(matched: Any, asked: Any) -> httpx.Response:
        UPSTREAM.append(f"{matched.path} {asked.query} {json.dumps(asked.body)}")
        return httpx.Response(200, json={})

    monkeypatch.setattr(proxy, "exchange", exchange)
    for name in ("answer", "download", "upload"):
        monkeypatch.setattr(proxy, name, reached)
    for module, name in ((views, "drain"), (views, "_note_model"), (registry, "note")):
        monkeypatch.setattr(module, name, lambda *_args, **_more: None)
    monkeypatch.setattr(weights, "_holdings", Holdings(lambda _thing: 0))
    return found


def key(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def sent(
    route: Route, world: str, token: str, ws: str = "default", method: str = ""
) -> tuple[int, bytes]:
    """The answer to a request of the route that names the things of a world."""
    path, query = route.pattern, {}
    body: dict[str, Any] = {}
    for ref in route.refs:
        value: Any = named(ref.names, world)
        if ref.within:
            point = {"key": "x", "value": 1, "timestamp": 1, "step": 0}
            body.setdefault(ref.within, [point if ref.within == "metrics" else {}])
            body[ref.within][0][ref.keys[0]] = value
            continue
        value = [value] if ref.many else value
        if ref.where == "path":
            for part in (ref.keys[0], f"{ref.keys[0]}..."):
                path = path.replace(f"{{{part}}}", value)
        elif ref.where == "query":
            query[ref.keys[0]] = value
        else:
            body[ref.keys[0]] = value
    path = path.replace("{key}", "k")
    if path.endswith(("log-metric", "log-parameter", "set-tag")):
        body |= {"key": "x", "value": 1 if "metric" in path else "1", "timestamp": 1, "step": 0}
    address = f"/tracking/{ws}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    asked = method or route.method
    more = {} if asked in ("GET", "HEAD") else {"data": json.dumps(body)}
    if more:
        more["content_type"] = "application/json"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = Client(raise_request_exception=False)
    return ask(client, asked, address, headers=headers, **more)[:2]


def asked_for_its_own(route: Route, asked: list[str]) -> bool:
    """Whether MLflow heard of nothing foreign: names are put below the workspace's own, and a
    trial's experiment takes the place of any other."""
    foreign = (run_of(FOREIGN), model_of(FOREIGN), f'"{EXPERIMENTS[FOREIGN]}"', "'2'")
    text = " ".join(asked).replace("default.elsewhere.", "").replace("default/elsewhere/", "")
    is_by_name = {ref.names for ref in route.refs} <= {
        Names.REGISTERED_MODEL, Names.EXPERIMENT_NAME, Names.EXPERIMENT, Names.PATH
    }  # fmt: skip
    return is_by_name and "elsewhere" not in text and not any(one in text for one in foreign)


def unjudged(rows: dict[str, Reach]) -> list[str]:
    """Routes without a row, and rows without a route."""
    return sorted({key(route) for route in ROUTES} ^ set(rows))


def test_every_route_has_a_row() -> None:
    assert unjudged(GATEWAY) == [], "Give these a row in tests/security/matrix/rows.py."


def test_a_row_that_is_missing_is_told() -> None:
    gone = "GET /health"
    assert unjudged({name: row for name, row in GATEWAY.items() if name != gone}) == [gone]


def test_a_token_that_is_no_longer_good_is_none(stage: Stage) -> None:
    wrong = []
    for route in ROUTES:
        for kind in ("", "garbage", stage.tokens["revoked"], stage.tokens["expired"], "stt_old"):
            status, _body = sent(route, OWN, kind)
            if status != 401:
                wrong.append((key(route), kind[:7], status))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_session_is_no_token(stage: Stage) -> None:
    for client in stage.clients.values():
        for route in ROUTES:
            assert ask(client, route.method, f"/tracking/default{route.pattern}")[0] == 401


def test_a_token_of_elsewhere_learns_nothing(stage: Stage) -> None:
    wrong = []
    for route in ROUTES:
        here = sent(route, OWN, stage.tokens["elsewhere"])
        gone = sent(route, OWN, stage.tokens["elsewhere"], ws="nothere")
        if here[0] != 404 or here != gone:
            wrong.append((key(route), here))
    assert not wrong, "\n".join(map(str, wrong))


def test_members_do_what_their_role_allows(stage: Stage) -> None:
    wrong = []
    for route in ROUTES:
        for role in ("reader", "contributor", "owner"):
            may = GATEWAY[key(route)] is Reach.ALL or role != "reader"
            status, body = sent(route, OWN, stage.tokens[role])
            if status != (200 if may else 403):
                wrong.append((role, key(route), status, body))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_trial_writes_its_own_and_reads_its_workspace(stage: Stage) -> None:
    wrong = []
    for route in ROUTES:
        reach = GATEWAY[key(route)]
        of_caller = route.pattern.endswith(OF_THE_CALLER)
        for world in (OWN, SIBLING):
            may = reach is Reach.ALL or of_caller or (reach is Reach.TREE and world == OWN)
            if route.pattern.endswith(NOT_THE_OWN_RUN):
                may = False
            # What is of the whole workspace is no more the sibling's than its own.
            if world == SIBLING and route.pattern.endswith(
                ("registered-models/create", "runs/create", "/logged-models")
            ):
                continue
            status, body = sent(route, world, stage.tokens["trial"])
            if status != (200 if may else 403):
                wrong.append((world, key(route), status, body))
    assert not wrong, "\n".join(map(str, wrong))


def test_what_is_foreign_is_missing_to_everybody(stage: Stage) -> None:
    """Or it is refused before that, or its name means something of the caller's own."""
    wrong = []
    for route in ROUTES:
        if not route.refs:
            continue
        for role in ("reader", "contributor", "owner", "trial"):
            UPSTREAM.clear()
            foreign = sent(route, FOREIGN, stage.tokens[role])
            asked = list(UPSTREAM)
            gone = sent(route, GONE, stage.tokens[role])
            is_same = foreign == gone and foreign[0] in (403, 404)
            if not is_same and not (foreign[0] == 200 and asked_for_its_own(route, asked)):
                wrong.append((role, key(route), foreign, asked))
    assert not wrong, "\n".join(map(str, wrong))


def test_other_methods_are_no_routes(stage: Stage) -> None:
    wrong = []
    for route in ROUTES:
        for method in METHODS:
            path = route.pattern.replace("{model_id}", "m").replace("{key}", "k")
            if match(method, path.replace("{path...}", "1/x/artifacts/y")) is None:
                status, _body = sent(route, OWN, stage.tokens["owner"], method=method)
                if status != 404:
                    wrong.append((method, route.pattern, status))
    assert not wrong, "\n".join(map(str, wrong))
