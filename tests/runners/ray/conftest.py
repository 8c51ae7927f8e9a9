"""The runner that the tests here are about, and a relay for what it starts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.runners.base import LaunchSpec, Relay, Running
from sweeps.runners.ray.runner import RayRunner
from tests import relay_server
from tests.ray import Cluster
from tests.runners import processes
from tests.runners.processes import wait_for
from tests.runners.relay.conftest import forget_launches


class Relayed(RayRunner):
    """Gives each command the relay that the engine would give it."""

    kind = RayRunner

    def __init__(self, address: str, relay: Relay) -> None:
        super().__init__(address)
        self.relay = relay

    def completed(self, spec: LaunchSpec) -> LaunchSpec:
        return spec if spec.relay else replace(spec, relay=self.relay)

    def start(self, spec: LaunchSpec) -> str:
        return super().start(self.completed(spec))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine Ray takes long to begin with a job."""
    monkeypatch.setattr(processes, "PATIENCE_S", 60.0)


@pytest.fixture(autouse=True)
def _forget(_end_what_is_left: None, tmp_path: Path) -> Iterator[None]:
    """No process of this machine is looked for that runs nowhere, or on the cluster."""
    yield
    forget_launches(tmp_path)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[relay_server.Relay]:
    """The studio's side, which carriers come to."""
    with relay_server.relay(tmp_path / "keys") as server:
        yield server


@pytest.fixture
def runner(ray_cluster: Cluster, desk: relay_server.Relay, tmp_path: Path) -> Iterator[Relayed]:
    made = Relayed(ray_cluster.address, Relay(desk.url, desk.folder))
    yield made
    handles = [str(path.parent) for path in tmp_path.rglob("launch.json")]
    for handle in handles:
        made.stop(handle, grace_s=0)
    wait_for(lambda: not any(isinstance(e, Running) for e in made.poll(handles)), "all ends", 30)
    made.close()
