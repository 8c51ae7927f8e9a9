"""Writing down what becomes of environments: those that people name, and those that are built."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from studio import audit
from studio.models import Workspace
from sweeps.domain.environments import Recipe
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import LIVE_SWEEP, SweepStatus
from sweeps.domain.wording import shown
from sweeps.models import BuildRequest, Environment, EnvironmentBuild, Sweep
from sweeps.services.room import require_in_use
from sweeps.services.state import bump, lock, move_sweep

# A build that is killed (by the kernel for memory, say) is begun again so often.
MOST_LOSSES = 3


def said(environment: Environment | None) -> dict[str, object]:
    """For the audit log. Sources may hold the password of an index: their size and digest do."""
    if environment is None:
        return {}
    source = environment.source.encode()
    told = f"{len(source):,} bytes, SHA-256 {sha256(source).hexdigest()[:12]}…"
    return {**audit.of(environment, "name", "kind", "description"), "source": told}


def save_environment(environment: Environment) -> None:
    """Save a checked environment, new or changed. Raises InvalidInput when the name is taken."""
    try:
        with transaction.atomic():
            before = Environment.objects.filter(pk=environment.pk).first()
            environment.save()
            if before and before.source != environment.source:
                _withdraw(BuildRequest.objects.filter(environment=before))
            if changes := audit.differing(said(before), said(environment)):
                _note("changed" if before else "created", environment, changes)
    except IntegrityError as error:
        text = f"There is an environment {shown(environment.name)} already; choose another name."
        raise InvalidInput.one("name", text) from error


def delete_environment(environment: Environment) -> None:
    """No job can name it any more; sweeps that ran in it keep their record of it. Its build ends,
    unless somebody else waits for it."""
    with transaction.atomic():
        _withdraw(BuildRequest.objects.filter(environment=environment))
        _note("deleted", environment)
        environment.delete()


def _note(verb: str, environment: Environment, changes: audit.Changes | None = None) -> None:
    place = environment.workspace_id
    audit.note(verb, "environment", environment.name, workspace=place, changes=changes)


def build_of(recipe: Recipe, now: datetime) -> EnvironmentBuild:
    """The one row of all who want the same environment."""
    build, _ = EnvironmentBuild.objects.get_or_create(
        digest=recipe.digest, defaults={"recipe": recipe.document(), "created_at": now}
    )
    return build


def ask_for(
    digest: str, workspace: Workspace | None = None, environment: Environment | None = None
) -> None:
    """Have it built though no sweep waits for it, or built again though it failed; `workspace` is
    where it was asked for, `environment` what it is called by there.

    Raises InvalidInput if the workspace is archived.
    """
    if workspace:
        require_in_use(workspace.pk)
    rows = EnvironmentBuild.objects.filter(digest=digest).exclude(state=EnvironmentBuild.BUILDING)
    with transaction.atomic():
        asked = rows.exclude(state=EnvironmentBuild.DONE).update(
            state=EnvironmentBuild.WAITING, is_asked_for=True, losses=0, reason=""
        )
        if not asked:
            return
        if workspace:
            BuildRequest.objects.get_or_create(
                build_id=digest, workspace=workspace, environment=environment
            )
        _note_build("asked to build", digest, workspace, environment)


def withdraw(
    build: EnvironmentBuild, workspace: Workspace, environment: Environment | None = None
) -> None:
    """Nobody of the workspace asks for it any more; it ends if nobody else waits for it."""
    with transaction.atomic():
        if not EnvironmentBuild.objects.filter(pk=build.pk, is_asked_for=True).exists():
            return
        _withdraw(BuildRequest.objects.filter(build=build, workspace=workspace), build.pk)
        _note_build("cancelled the build of", build.pk, workspace, environment)


def _withdraw(requests: QuerySet[BuildRequest], *more: str) -> None:
    digests = {*requests.values_list("build_id", flat=True), *more}
    requests.delete()
    rows = EnvironmentBuild.objects.filter(pk__in=digests, requests=None)
    EnvironmentBuild.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(
        is_asked_for=False
    )


def _note_build(
    verb: str, digest: str, workspace: Workspace | None, environment: Environment | None
) -> None:
    name = environment.name if environment else digest[:12]
    audit.note(verb, "environment", name, workspace=workspace)


def lose_build(digest: str) -> str:
    """What was built is there no more: build it again, for the trials that wait for it.

    Returns why that has failed already, "" if it has not.
    """
    rows = EnvironmentBuild.objects.filter(digest=digest)
    rows.filter(state=EnvironmentBuild.DONE).update(
        state=EnvironmentBuild.WAITING, is_asked_for=True, losses=0
    )
    # Somebody may have withdrawn it: trials wait.
    rows.filter(state=EnvironmentBuild.WAITING, is_asked_for=False).update(is_asked_for=True)
    failed = rows.filter(state=EnvironmentBuild.FAILED).values_list("reason", flat=True)
    return next(iter(failed), "")


def begin_build(build: EnvironmentBuild, handle: str, now: datetime) -> bool:
    """Take a build that waits (or failed for others before); False if somebody else has."""
    free = EnvironmentBuild.objects.filter(pk=build.pk, state=build.state, tries=build.tries)
    return bool(
        free.update(
            state=EnvironmentBuild.BUILDING,
            handle=handle,
            tries=build.tries + 1,
            started_at=now,
            ended_at=None,
            reason="",
        )
    )


def finish_build(
    build: EnvironmentBuild,
    python: str,
    packages: Sequence[str],
    notes: Sequence[str],
    now: datetime,
) -> None:
    """It is whole; the sweeps that have waited for it get its notes."""
    with transaction.atomic():
        waiting = _locked(build)
        if not _is_running(build):
            return
        found = {"python": python, "packages": list(packages), "notes": list(notes)}
        _end(build, now, state=EnvironmentBuild.DONE, **found)
        for sweep in Sweep.objects.filter(pk__in=waiting) if notes else ():
            bump(sweep.pk)
            sweep.notes = [*sweep.notes, *notes]
            sweep.save(update_fields=["notes"])


def fail_build(build: EnvironmentBuild, reason: str, now: datetime) -> None:
    """It cannot be had as described: the sweeps that wait for it fail before anything has run."""
    with transaction.atomic():
        waiting = _locked(build)
        if not _is_running(build):
            return
        _end(build, now, state=EnvironmentBuild.FAILED, reason=reason)
        said = reason.rstrip(".")
        text = f"Its environment could not be built: {said}. The build's log is under Logs."
        for sweep in Sweep.objects.filter(pk__in=waiting):
            move_sweep(sweep, SweepStatus.FAILED, now, reason=text)


def put_build_off(build: EnvironmentBuild, reason: str, now: datetime) -> None:
    """It was killed, and is begun again; after a few times in a row it has failed."""
    if build.losses + 1 >= MOST_LOSSES:
        fail_build(build, f"{reason}, {build.losses + 1} times in a row", now)
        return
    with transaction.atomic():
        if _is_running(build):
            rows = EnvironmentBuild.objects.filter(pk=build.pk)
            rows.update(
                state=EnvironmentBuild.WAITING, handle="", losses=build.losses + 1, reason=reason
            )


def drop_build(build: EnvironmentBuild) -> None:
    """Nobody wanted it any more, and it was stopped: whoever wants it next begins afresh."""
    with transaction.atomic():
        if _is_running(build):
            rows = EnvironmentBuild.objects.filter(pk=build.pk)
            rows.update(state=EnvironmentBuild.WAITING, handle="", losses=0, reason="")


def _end(build: EnvironmentBuild, now: datetime, **changes: object) -> None:
    EnvironmentBuild.objects.filter(pk=build.pk).update(
        handle="", losses=0, is_asked_for=False, ended_at=now, **changes
    )
    build.requests.all().delete()


def _locked(build: EnvironmentBuild) -> list[int]:
    """The sweeps that wait for it, held until the transaction ends. Before the build's own row:
    whoever makes a sweep holds that only with a sweep that nobody else sees yet."""
    waiting = waiting_for(build.pk)
    for pk in waiting:
        lock(pk)
    return waiting


def waiting_for(digest: str) -> list[int]:
    """Ids of the live sweeps that have not begun and need this environment."""
    rows = Sweep.objects.filter(environment_build=digest, run_id="", status__in=LIVE_SWEEP)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _is_running(build: EnvironmentBuild) -> bool:
    """True while this very build is the one that runs; locks its row."""
    rows = EnvironmentBuild.objects.select_for_update()
    state = EnvironmentBuild.BUILDING
    return rows.filter(pk=build.pk, state=state, handle=build.handle).exists()
