"""Sweeps from Python: submit, watch and steer sweeps of a running studio.

The words are those of `azure.ai.ml`, whose objects are taken too. Neither Django nor any other
part of the studio's server is needed.
"""

from sweeps.client.distributions import (
    Choice,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    Uniform,
)
from sweeps.client.documents import load_job
from sweeps.client.environments import BuildContext, Environment, NamedEnvironment
from sweeps.client.errors import (
    AuthenticationError,
    ConflictError,
    JobException,
    JobPaused,
    ResourceNotFoundError,
    StreamEnded,
    StreamInterrupted,
    StudioError,
    StudioUnavailable,
    ValidationException,
)
from sweeps.client.machines import (
    AmlTokenConfiguration,
    JobResourceConfiguration,
    ManagedIdentityConfiguration,
    MpiDistribution,
    PyTorchDistribution,
    QueueSettings,
    TensorFlowDistribution,
    UserIdentityConfiguration,
)
from sweeps.client.ml_client import MLClient
from sweeps.client.records import Job, Trial
from sweeps.client.rules import (
    BanditPolicy,
    BayesianSamplingAlgorithm,
    GridSamplingAlgorithm,
    MedianStoppingPolicy,
    Objective,
    RandomSamplingAlgorithm,
    SamplingAlgorithm,
    SuccessiveHalvingPolicy,
    SweepJobLimits,
    TruncationSelectionPolicy,
)
from sweeps.client.sweep_job import Sweep, SweepJob
from sweeps.client.words import Command, Input, Output, command

__all__ = [
    "AmlTokenConfiguration",
    "AuthenticationError",
    "BanditPolicy",
    "BayesianSamplingAlgorithm",
    "BuildContext",
    "Choice",
    "Command",
    "ConflictError",
    "Environment",
    "GridSamplingAlgorithm",
    "Input",
    "Job",
    "JobException",
    "JobPaused",
    "JobResourceConfiguration",
    "LogNormal",
    "LogUniform",
    "MLClient",
    "ManagedIdentityConfiguration",
    "MedianStoppingPolicy",
    "MpiDistribution",
    "NamedEnvironment",
    "Normal",
    "Objective",
    "Output",
    "PyTorchDistribution",
    "QLogNormal",
    "QLogUniform",
    "QNormal",
    "QUniform",
    "QueueSettings",
    "Randint",
    "RandomSamplingAlgorithm",
    "ResourceNotFoundError",
    "SamplingAlgorithm",
    "StreamEnded",
    "StreamInterrupted",
    "StudioError",
    "StudioUnavailable",
    "SuccessiveHalvingPolicy",
    "Sweep",
    "SweepJob",
    "SweepJobLimits",
    "TensorFlowDistribution",
    "Trial",
    "TruncationSelectionPolicy",
    "Uniform",
    "UserIdentityConfiguration",
    "ValidationException",
    "command",
    "load_job",
]
