"""Sweep bundles: a sweep packed as one file, and such a file as a sweep of this studio."""

import json
import random
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import IO

from django.conf import settings

from studio.models import User, Workspace
from sweeps import intake
from sweeps.domain import bundles
from sweeps.domain.bundles import Facts, Recorded
from sweeps.domain.job import StopRules, SweepJob
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import columns
from sweeps.environments import own
from sweeps.models import CodeSnapshot, Sweep
from sweeps.queries import bundle
from sweeps.queries.computes import resolve_compute
from sweeps.queries.environments import environments_root
from sweeps.queries.secrets import given_by
from sweeps.services.bundles import IMPORTED_FROM, record_sweep
from sweeps.services.room import require_disk
from sweeps.spec.reader import read_job
from sweeps.spec.studio import MAX_FIRST_TRIALS
from sweeps.spec.writer import to_yaml
from sweeps.stores.artifacts import Tree, zipped
from sweeps.stores.bundles import Opened, opened, read_json
from sweeps.stores.set_aside import SetAside

_reading = threading.BoundedSemaphore(2)
# The workspaces that bring one in.
_under_way: set[int] = set()
_lock = threading.Lock()


def bundled(sweep: Sweep, origin: str, now: datetime, *, points: bool = False) -> Iterator[bytes]:
    """The bundle of a sweep, a zip, as it is made; with `points` all logged values."""
    facts = bundle.bundle_facts(sweep, origin, now)
    made: list[tuple[str, Iterable[bytes]]] = [
        ("README.txt", [bundle.readme(sweep, origin, now, points=points).encode()]),
        (bundles.FACTS, [json.dumps(facts, indent=1).encode()]),
        (bundles.JOB, [to_yaml(bundle.bundled_job(sweep)).encode()]),
        (bundles.PACKAGES, [_packages(sweep).encode()]),
        (bundles.TRIALS, bundle.trial_lines(sweep, points=points)),
    ]
    code = sweep.code
    trees = (
        [Tree(intake.code_root() / code.digest, prefix=f"{bundles.CODE}/", is_whole=True)]
        if code
        else []
    )
    return zipped(trees, made)


def _packages(sweep: Sweep) -> str:
    """What its trials had: of their own environment, or beside the studio."""
    build = sweep.environment_build
    if build:
        return "".join(f"{line}\n" for line in build.packages)
    if sweep.packages:
        return "".join(f"{line}\n" for line in sweep.packages)
    if sweep.interpreter or sweep.compute.python:
        return f"# {sweep.interpreter or sweep.compute.python}: its packages are not known\n"
    return own.constraints(environments_root()).read_text()


def import_bundle(
    workspace: Workspace,
    file: IO[bytes],
    filename: str,
    *,
    replay: bool,
    user: User | None,
    now: datetime,
    rng: random.Random,
    ticket: str = "",
    granted: Collection[str] = (),
) -> Sweep:
    """A bundle as an ended sweep with its trials, or (`replay`) as a new one that runs the
    recorded points in their order; the caller wakes the queue.

    `granted` are the workspace's secrets that its program may have, by name; one that wants others
    is not run. All is checked before anything is written. Raises InvalidInput with what cannot be
    used.
    """
    require_disk(workspace)
    with _alone(workspace), opened(intake.code_root(), file, filename) as found:
        facts = bundles.facts_of(found.facts)
        job = _job(found.job)
        with closing(SetAside(_checked(found, job), found.folder)) as trials:
            if replay and not trials.count:
                text = "There is no trial in it whose point could run."
                raise InvalidInput.one(bundles.TRIALS, text)
            wanted = given_by(job, workspace)
            if replay and not set(wanted) <= set(granted):
                raise InvalidInput.one("secrets", _would_get(wanted))
            kept = found.keep_code()
            code = intake.keep(workspace, kept, f"bundle of {facts.sweep}") if kept else None
            if replay:
                again = _replayed(job, facts, trials.values(), trials.count)
                return intake.submit(
                    workspace, again, code=code, user=user, now=now, rng=rng, ticket=ticket
                )
            return _recorded(
                workspace, job, facts, trials.values(), code, user, now, rng, ticket,
                notes=(_gets_later(wanted),) if wanted else (),
            )  # fmt: skip


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Raises InvalidInput, code "conflict", while the workspace brings in another one."""
    with _lock:
        if workspace.pk in _under_way:
            text = "Another bundle is being brought in: send this one again when it is there."
            raise InvalidInput.conflict(text)
        _under_way.add(workspace.pk)
    try:
        yield
    finally:
        with _lock:
            _under_way.remove(workspace.pk)


def _would_get(wanted: Collection[str]) -> str:
    return (
        f"Its program, which somebody else may have written, would get these secrets of the "
        f"workspace: {', '.join(wanted)}. Nothing runs until you allow each of them by name."
    )


def _gets_later(wanted: Collection[str]) -> str:
    return (
        f"Whoever runs it again here gives its program these secrets of the workspace: "
        f"{', '.join(wanted)}."
    )


def _job(text: str) -> SweepJob:
    try:
        return read_job(text)
    except InvalidInput as error:
        raise InvalidInput(problem.under(bundles.JOB) for problem in error.problems) from error


def _checked(found: Opened, job: SweepJob) -> Iterator[Recorded]:
    """The trials, each by itself and all by their numbers. Raises InvalidInput with the line."""
    last, totals = -1, bundles.Totals(len(columns(job.search_space)))
    for line, text in found.lines():
        try:
            # Here alone, and of two bundles at once, a line stands in memory as values.
            with _reading:
                trial = bundles.trial_of(read_json(text), job)
            totals.add(trial)
            if trial.number <= last:
                raise InvalidInput.one("number", "Trials come in the order of their numbers.")
        except InvalidInput as error:
            where = [replace(p.under(bundles.TRIALS), line=line) for p in error.problems]
            raise InvalidInput(where) from error
        except RecursionError as error:
            deep = Problem(bundles.TRIALS, "Is nested too deeply.", line=line)
            raise InvalidInput([deep]) from error
        last = trial.number
        yield trial


def _recorded(
    workspace: Workspace,
    job: SweepJob,
    facts: Facts,
    trials: Iterator[Recorded],
    code: CodeSnapshot | None,
    user: User | None,
    now: datetime,
    rng: random.Random,
    ticket: str,
    notes: tuple[str, ...],
) -> Sweep:
    compute, _ = resolve_compute(workspace, job.compute, settings.STUDIO_COMPUTE_ALIAS)
    note = f"Imported from {facts.origin or 'a bundle'}: its trials ran there."
    return record_sweep(
        workspace, replace(job, notes=()), facts, trials, compute=compute, code=code, user=user,
        now=now, rng=rng, notes=(note, *notes), ticket=ticket,
    )  # fmt: skip


def _replayed(job: SweepJob, facts: Facts, trials: Iterator[Recorded], count: int) -> SweepJob:
    """The same job, for exactly the recorded points; nothing ends it before the last."""
    points = tuple(trial.params for trial, _ in zip(trials, range(MAX_FIRST_TRIALS), strict=False))
    notes = job.notes
    if count > len(points):
        notes = (*notes, f"Of {count:,} recorded points the first {len(points):,} are run.")
    return replace(
        job,
        name=None,
        display_name=f"Replay of {job.display_name or facts.sweep}"[:255],
        first_trials=points,
        limits=replace(job.limits, max_total_trials=len(points)),
        sampling=replace(job.sampling, seed=facts.seed),
        stop_rules=StopRules(),
        properties={**job.properties, IMPORTED_FROM: facts.origin},
        notes=notes,
    )
