"""Building environments: commands like those of trials, under guard and shim.

Rows say what is wanted and what runs, a build's own record whether it is whole: whoever is killed,
the next engine finds the build running or ended, or begins it again.
"""

import logging
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from studio.secrecy import masks, passwords_in, sensitive_values
from sweeps import tasks
from sweeps.domain.environments import recipe_from
from sweeps.domain.problems import InvalidInput
from sweeps.domain.turns import Turns
from sweeps.engine import isolated_builds, isolation
from sweeps.engine.launch import NOT_OWN, machine_environment
from sweeps.engine.trash import throw_away
from sweeps.engine.trouble import is_full
from sweeps.environments import places
from sweeps.models import EnvironmentBuild
from sweeps.queries import environments as queries
from sweeps.queries.builds import NOBODY, due_builds, running_builds, workspaces_of
from sweeps.queries.conditions import DISK, holds
from sweeps.runners.base import Ended, EndedBy, LaunchSpec, Lost, RunnerError, Running
from sweeps.runners.registry import get_runner
from sweeps.services import environments as services

log = logging.getLogger(__name__)

# One workspace builds one less: what installs may take an hour, and others need not wait for it.
AT_ONCE = 3
_GRACE_S = 5.0


def look(now: datetime, turns: Turns | None = None) -> bool:
    """Settle builds that ended and begin those that are wanted; True while one runs.

    Raises OSError, and the database's trouble.
    """
    for build in running_builds():
        _settle(build, now)
    # What begins on a full disk fails.
    for build in [] if holds(DISK) else _next(turns or Turns()):
        _begin(build, now)
    return bool(running_builds())


def _next(turns: Turns) -> list[EnvironmentBuild]:
    """What is to be begun now, of each workspace in turn."""
    digests = [build.pk for build in running_builds()]
    if len(digests) >= AT_ONCE:
        return []
    owners = workspaces_of(digests)
    running = [owners.get(digest) or {NOBODY} for digest in digests]
    taken = Counter(owner for each in running for owner in each)
    full = [owner for owner, count in taken.items() if count >= max(1, AT_ONCE - 1)]
    found = turns.pick(AT_ONCE, running, due_builds(full))
    rows = EnvironmentBuild.objects.in_bulk(found)
    return [rows[digest] for digest in found]


def halt() -> bool:
    """Stop what runs, so that the next start begins it anew; True once nothing runs."""
    builds = [build for build in running_builds() if _runs(build)]
    for build in builds:
        _runner().stop(build.handle, reason="The studio is stopping.")
    return not builds


def _runs(build: EnvironmentBuild) -> bool:
    [event] = _runner().poll([build.handle])
    return isinstance(event, Running)


def _runner() -> Any:
    return get_runner("local")


def _begin(build: EnvironmentBuild, now: datetime) -> None:
    root, number = queries.environments_root(), build.tries + 1
    if places.built(root, build.digest):
        # Built before, and not written down: the database is older than the folder.
        _take_over(build, now)
        return
    spool = places.spool_of(root, build.digest, number)
    if not services.begin_build(build, str(spool), now):
        return
    build.handle, build.tries = str(spool), number
    try:
        spec = _prepared(build, root, spool, number)
    except InvalidInput as error:
        services.fail_build(build, error.problems[0].message, now)
        return
    except OSError as error:
        if is_full(error):
            services.drop_build(build)
            raise
        services.put_build_off(build, f"its folder cannot be written: {error}", now)
        return
    try:
        _runner().start(spec)
    except RunnerError as error:
        services.put_build_off(build, f"it could not be started: {error}", now)


def _prepared(build: EnvironmentBuild, root: Path, spool: Path, number: int) -> LaunchSpec:
    """Write down what to build, and say how that is done. Raises OSError and InvalidInput."""
    recipe = recipe_from(build.recipe)
    if not recipe.owner and settings.STUDIO_ISOLATED_ONLY:
        # Wanted before that was so: what installs would run as the studio's own user.
        raise InvalidInput.one("environment", NOT_OWN)
    user = isolated_builds.user_for(recipe.owner) if recipe.owner else None
    for earlier in range(1, number):
        throw_away(places.spool_of(root, build.digest, earlier))
    places.prepare(root, build.digest, recipe, number)
    env = places.build_environment(machine_environment())
    if user:
        env |= isolated_builds.hand_over(build.digest, spool, user)
    return LaunchSpec(
        name=f"environment.{build.digest[:12]}.{number}",
        spool=spool,
        argv=places.build_command(root, build.digest, apart=user is not None),
        cwd=spool,
        env=env,
        secrets=masks([*sensitive_values(env), *passwords_in(env.values())]),
        time_limit_s=settings.STUDIO_BUILD_MINUTES * 60,
        log_cap_bytes=settings.STUDIO_LOG_CAP_MB * 2**20,
        user=user,
    )


def _take_over(build: EnvironmentBuild, now: datetime) -> None:
    if services.begin_build(build, build.handle, now):
        _succeed(build, now)


def _settle(build: EnvironmentBuild, now: datetime) -> None:
    runner = _runner()
    [event] = runner.poll([build.handle])
    if isinstance(event, Lost | Ended):
        isolation.forget(Path(build.handle))  # first: a settled build is looked at no more
        if isinstance(event, Lost):
            services.put_build_off(build, "something killed the build", now)
        else:
            _end(build, event, now)
        runner.cleanup(build.handle)  # its record holds what reaches packages: passwords too
    elif not queries.is_wanted(build):
        runner.stop(build.handle, _GRACE_S, "Nobody waits for this environment any more.")


def _end(build: EnvironmentBuild, event: Ended, now: datetime) -> None:
    result = event.result
    if result.ended_by is EndedBy.STOPPED:
        services.drop_build(build)
    elif result.ended_by in (EndedBy.SIGNAL, EndedBy.LOST):
        services.put_build_off(build, result.message.rstrip(".") or "something killed it", now)
    elif result.ended_by is EndedBy.EXIT and result.exit_code == 0:
        _succeed(build, now)
    else:
        folder = queries.log_folder(build)
        said = places.failure(folder) if folder else ""
        if is_full(OSError(said)):
            services.put_build_off(build, "the disk was full", now)
            return
        services.fail_build(build, result.message or said or "its log says nothing", now)


def _succeed(build: EnvironmentBuild, now: datetime) -> None:
    root = queries.environments_root()
    if build.recipe.get("owner"):
        places.accept(root, build.digest)
    found = places.built(root, build.digest)
    if found is None:
        services.put_build_off(build, "what was built has gone", now)
        return
    waiting = services.waiting_for(build.pk)
    services.finish_build(build, found.python, found.packages, found.notes, now)
    for sweep in waiting:
        tasks.advance_sweep(sweep)
