"""The Python that a sweep's page gives, run as it stands, makes the same sweep once more."""

import types
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import RequestFactory

import sweeps.client
from studio.models import User
from sweeps.client import MLClient
from sweeps.models import Sweep
from sweeps.views import export
from tests.client.conftest import URL


def test_it_submits_the_same_sweep_with_the_same_code(
    make_client: Callable[..., MLClient],
    rita: User,
    src: Path,
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
) -> None:
    job = sweeps.client.command(
        code="./src", command="python main.py --lr ${{inputs.lr}}", inputs={"lr": 0.5}
    )
    node = job(lr=sweeps.client.Uniform(0.1, 1.0)).sweep(
        primary_metric="loss", goal="minimize", sampling_algorithm="bayesian"
    )
    node.set_limits(max_total_trials=3, max_concurrent_trials=2)
    make_client().create_or_update(node)
    first = Sweep.objects.get()
    request = RequestFactory().get("/")
    request.user = rita
    text = export.python(request, "default", first.name).content.decode()
    monkeypatch.setenv("STUDIO_TOKEN", secret)
    asked: list[str] = []

    def client(url: str, token: str, workspace: str) -> MLClient:
        asked.append(url)
        return make_client(token=token, workspace=workspace)

    monkeypatch.setattr(sweeps.client, "MLClient", client)
    exec(compile(text, "job.py", "exec"), types.ModuleType("__main__").__dict__)
    second = Sweep.objects.exclude(pk=first.pk).get()
    assert asked == [URL]
    for name in ("command", "search_space", "sampling", "code", "max_total_trials"):
        assert getattr(second, name) == getattr(first, name), name
