"""Tables of the work: sweeps, trials, attempts, metrics, and what the engine must remember."""

from sweeps.models.analysis import Analysis
from sweeps.models.api import ApiRequest
from sweeps.models.code import CodeSnapshot, DataUpload
from sweeps.models.engine import EngineLease, StateChange
from sweeps.models.environment import BuildRequest, Environment, EnvironmentBuild, EnvironmentKind
from sweeps.models.fetch import InputFetch
from sweeps.models.machine import MachineSample
from sweeps.models.metrics import MetricPoint, MetricSummary, OutboxEntry
from sweeps.models.notice import Channel, Delivery
from sweeps.models.registry import LoggedModel, ModelVersion
from sweeps.models.steering import Condition, Revision, TerminationDecision
from sweeps.models.sweep import DEFAULT_EXPERIMENT, Sweep
from sweeps.models.trial import Attempt, Trial

__all__ = [
    "DEFAULT_EXPERIMENT",
    "Analysis",
    "ApiRequest",
    "Attempt",
    "BuildRequest",
    "Channel",
    "CodeSnapshot",
    "Condition",
    "DataUpload",
    "Delivery",
    "EngineLease",
    "Environment",
    "EnvironmentBuild",
    "EnvironmentKind",
    "InputFetch",
    "LoggedModel",
    "MachineSample",
    "MetricPoint",
    "MetricSummary",
    "ModelVersion",
    "OutboxEntry",
    "Revision",
    "StateChange",
    "Sweep",
    "TerminationDecision",
    "Trial",
]
