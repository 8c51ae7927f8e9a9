"""Clients of the one real tracking server of the session."""

import warnings
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from sweeps.tracking.client import Tracking
from tests.servers import TrackingServer, start_tracking_server, tracking_server

__all__ = ["start_tracking_server", "tracking_server"]


@pytest.fixture(scope="session")
def tracking(tracking_server: TrackingServer) -> Iterator[Tracking]:
    client = Tracking(tracking_server.url, tracking_server.secret)
    yield client
    client.close()


@pytest.fixture(scope="session")
def official(tracking_server: TrackingServer) -> MlflowClient:
    """MLflow's own client on the same store, by its database and not by the server."""
    with warnings.catch_warnings():
        # MLflow's mappers are configured here, and they use a deprecated SQLAlchemy option.
        warnings.simplefilter("ignore")
        client = MlflowClient(tracking_uri=tracking_server.store_uri)
        client.search_experiments()
    return client
