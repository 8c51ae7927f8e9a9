"""The buttons that steer a sweep, each with what it will do, in numbers of this moment."""

from dataclasses import dataclass

from sweeps.domain.states import Desired, SweepStatus
from sweeps.models import Sweep
from sweeps.queries.progress import Progress

KEEP = "Keep it running"


@dataclass(frozen=True, slots=True)
class Button:
    """A wish that a person may have of a sweep.

    `verb` is the last part of its address, `says` what pressing it does. With `title` it asks
    first: `action` is the answer that does it, `keep` the other one.
    """

    verb: str
    label: str
    icon: str
    says: str
    key: str = ""
    title: str = ""
    action: str = ""
    keep: str = KEEP
    look: str = ""


def steering(sweep: Sweep, progress: Progress) -> list[Button]:
    """The buttons that make sense now, the one that people look for first."""
    if SweepStatus(sweep.status).is_final or sweep.desired == Desired.CANCEL:
        return []
    if sweep.desired == Desired.STOP:
        return [_cancel(sweep, progress)]
    first = _resume(progress) if sweep.desired == Desired.PAUSE else _pause(progress)
    return [first, _stop(sweep, progress), _cancel(sweep, progress)]


def _pause(progress: Progress) -> Button:
    says = f"{_finish(progress)}none starts until it is resumed."
    return Button("pause", "Pause", "pause", _sentence(says), key="p")


def _resume(progress: Progress) -> Button:
    left = progress.total - progress.done - progress.active
    text = f"The remaining {_trials(left)} may start" if left else "No trial is left to start"
    says = f"{text}; failures so far no longer count towards the next pause."
    return Button("resume", "Resume", "play", says, key="p", look="btn-primary")


def _stop(sweep: Sweep, progress: Progress) -> Button:
    says = f"{_finish(progress)}{_never(progress)}, then the sweep ends with what it has."
    return Button(
        "stop", "Stop", "stop", _sentence(says), key="S",
        title="Stop this sweep?", action="Stop sweep", keep=_keep(sweep),
    )  # fmt: skip


def _cancel(sweep: Sweep, progress: Progress) -> Button:
    killed = (
        f"{_trials(progress.active, 'running')} {_is(progress.active)} killed now, "
        if progress.active
        else ""
    )
    says = f"{killed}{_never(progress)}. What has been logged stays."
    return Button(
        "cancel", "Cancel", "x", _sentence(says), key="X",
        title="Cancel this sweep?", action="Cancel sweep", keep=_keep(sweep), look="btn-danger",
    )  # fmt: skip


def _keep(sweep: Sweep) -> str:
    return {Desired.PAUSE: "Keep it paused", Desired.STOP: "Let them finish"}.get(
        Desired(sweep.desired), KEEP
    )


def _finish(progress: Progress) -> str:
    if not progress.active:
        return ""
    return f"{_trials(progress.active, 'running')} finish{'es' if progress.active == 1 else ''}, "


def _never(progress: Progress) -> str:
    left = progress.total - progress.done - progress.active
    if not left:
        return "no further one starts"
    return f"the remaining {left:,} never start{'s' if left == 1 else ''}"


def _trials(count: int, kind: str = "") -> str:
    return f"{count:,} {kind} trial{'' if count == 1 else 's'}".replace("  ", " ")


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
