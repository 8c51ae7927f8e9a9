"""What Azure's computes are asked for: resources, queues, identities, processes of a trial.

One's own machines have none of these. They are taken, called as those of `azure.ai.ml.entities`
are, and written into the job, so that code for Azure runs unchanged; the studio notes that they do
not apply.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


class _Asked:
    type: ClassVar[str | None] = None

    def document(self) -> dict[str, Any]:
        """The part as job files write it, without what is not given."""
        given = {k: v for k, v in asdict(self).items() if v is not None}  # type: ignore[call-overload]
        return {"type": self.type, **given} if self.type else given


@dataclass
class JobResourceConfiguration(_Asked):
    """Machines of a kind, and how Docker is started on them."""

    locations: list[str] | None = None
    instance_count: int | None = None
    instance_type: str | list[str] | None = None
    properties: dict[str, Any] | None = None
    docker_args: str | list[str] | None = None
    shm_size: str | None = None
    max_instance_count: int | None = None


@dataclass
class QueueSettings(_Asked):
    """Tier and priority of a job on a shared compute."""

    job_tier: str | None = None
    priority: str | None = None


@dataclass
class UserIdentityConfiguration(_Asked):
    """As whoever submits."""

    type = "user_identity"


@dataclass
class AmlTokenConfiguration(_Asked):
    """By a token of Azure ML's."""

    type = "aml_token"


@dataclass
class ManagedIdentityConfiguration(_Asked):
    """As an identity of Azure's."""

    type = "managed_identity"
    client_id: str | None = None
    resource_id: str | None = None
    object_id: str | None = None
    principal_id: str | None = None

    def document(self) -> dict[str, Any]:
        """The part as job files write it: as Azure's client dumps it, without the other two."""
        known = ("type", "client_id", "object_id")
        return {name: value for name, value in super().document().items() if name in known}


@dataclass
class MpiDistribution(_Asked):
    """Processes that MPI starts."""

    type = "mpi"
    process_count_per_instance: int | None = None


@dataclass
class PyTorchDistribution(_Asked):
    """Processes of torch.distributed."""

    type = "pytorch"
    process_count_per_instance: int | None = None


@dataclass
class TensorFlowDistribution(_Asked):
    """Workers and parameter servers."""

    type = "tensorflow"
    parameter_server_count: int | None = 0
    worker_count: int | None = None


def document_of(part: Any) -> Any:
    """A part as job files write it: ours, Azure's own, or what is written so already."""
    if hasattr(part, "document"):
        return part.document()
    if not type(part).__module__.startswith("azure."):
        return part
    if hasattr(part, "_to_dict"):
        return part._to_dict()
    return {k: v for k, v in vars(part).items() if not k.startswith("_") and v is not None}


def merged(part: Any, **asked: Any) -> Any:
    """The document of `part` with what is asked for now in it, None for nothing at all."""
    given = {name: value for name, value in asked.items() if value is not None}
    return {**(document_of(part) or {}), **given} or None
