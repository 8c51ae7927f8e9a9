"""`MLClient`: a studio, a token and a workspace, under the name that Azure's client has."""

import os
from typing import Any

from sweeps.client.environment_operations import EnvironmentOperations, is_environment
from sweeps.client.errors import AuthenticationError
from sweeps.client.jobs import JobOperations
from sweeps.client.places import ComputeOperations, WorkspaceOperations
from sweeps.client.transport import Transport, is_here

DEFAULT_URL = "http://127.0.0.1:8000"


class MLClient:
    """A client of one workspace.

    `MLClient(url, token=…)`, or without arguments from the environment: STUDIO_URL (by default
    this machine's port 8000) and STUDIO_TOKEN. A token belongs to one workspace, so `workspace`
    need not be given; if it is, it must be that one.

    Called as Azure's client is, `MLClient(credential, subscription_id, resource_group_name,
    workspace_name)`, it takes all from the environment: that workspace is Azure's, not the
    studio's.

    Local files that inputs name are read in place by a studio on this machine's loopback and
    uploaded to any other; `upload_inputs` decides where that guess is wrong (a tunnel).
    """

    def __init__(
        self,
        url: Any = None,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        workspace_name: str | None = None,
        *,
        token: str | None = None,
        workspace: str | None = None,
        credential: Any = None,
        upload_inputs: bool | None = None,
        http: Any = None,
    ) -> None:
        is_url = isinstance(url, str) and "://" in url
        address = url if is_url else os.environ.get("STUDIO_URL") or DEFAULT_URL
        secret = token or os.environ.get("STUDIO_TOKEN")
        if not secret:
            raise AuthenticationError(
                "Give token=… or set STUDIO_TOKEN; Settings in the studio, or "
                "`manage.py token --role contributor` on its machine, makes one."
            )
        self._transport = Transport(address, secret, http=http)
        self._workspace = workspace
        here = is_here(address)
        self.jobs = JobOperations(
            self._transport,
            lambda: self.workspace_name,
            upload_inputs=(not here) if upload_inputs is None else upload_inputs,
        )
        self.workspaces = WorkspaceOperations(self._transport, lambda: self.workspace_name)
        self.compute = ComputeOperations(self._transport, lambda: self.workspace_name)
        self.environments = EnvironmentOperations(self._transport, lambda: self.workspace_name)

    @classmethod
    def from_config(cls, credential: Any = None, **more: Any) -> "MLClient":
        """A client from the environment, where Azure's reads its config.json."""
        return cls(token=more.get("token"), workspace=more.get("workspace"))

    @property
    def url(self) -> str:
        """The studio's address."""
        return self._transport.url

    @property
    def workspace_name(self) -> str:
        """The workspace: as given, else the token's own."""
        if self._workspace is None:
            self._workspace = next(iter(self.workspaces.list())).name
        return self._workspace

    def create_or_update(self, job: Any, **changes: Any) -> Any:
        """Submit a sweep, or keep an environment; see `create_or_update` of both."""
        if is_environment(job):
            return self.environments.create_or_update(job)
        return self.jobs.create_or_update(job, **changes)

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def __enter__(self) -> "MLClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
