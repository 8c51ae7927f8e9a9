"""Submit, look at and steer sweeps from a terminal of this machine."""

import os
import random
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from studio.models import User, Workspace
from sweeps import intake, tasks
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SweepStatus
from sweeps.management import words
from sweeps.management.watch import PAUSED_CODE, watch
from sweeps.models import CodeSnapshot, Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.spec_of import job_of
from sweeps.queries.waiting import why_sweep
from sweeps.services import control, trials
from sweeps.spec.reader import read_job
from sweeps.spec.writer import to_yaml

_STEERING: dict[str, tuple[Callable[..., bool], str]] = {
    "pause": (control.pause_sweep, "let running trials finish, start none until it is resumed"),
    "resume": (control.resume_sweep, "go on after a pause"),
    "stop": (control.stop_sweep, "let running trials finish, start no more, then end"),
    "cancel": (control.cancel_sweep, "kill running trials now and start no more"),
}


class Command(BaseCommand):
    """Thin over the services that pages and API use; the queue of the running studio is woken."""

    help = "Submit, list, show and steer sweeps of the studio on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A subcommand per verb."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def verb(name: str, text: str, subject: str = "NAME") -> ArgumentParser:
            found = verbs.add_parser(name, help=text, description=f"{text}.")
            found.add_argument("--workspace", default="default")
            if subject:
                found.add_argument("subject", metavar=subject)
            return found

        submit = verb("submit", "submit a sweep-job file", "FILE.yml")
        submit.add_argument(
            "--watch",
            action="store_true",
            help="show its progress to the end; exits with 3 if it pauses itself after failures",
        )
        listed = verb("list", "list sweeps, newest first", "")
        listed.add_argument("--status", choices=[str(status) for status in SweepStatus])
        verb("show", "tell how a sweep stands, and why nothing runs if nothing does")
        for name, (_, text) in _STEERING.items():
            verb(name, text)
        verb("rerun-failed", "run all failed, lost and timed-out trials again")
        verb("export", "print a sweep as a job file (YAML)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        workspace = Workspace.objects.filter(name=options["workspace"]).first()
        if workspace is None:
            known = ", ".join(Workspace.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"No workspace “{options['workspace']}”. There are: {known}.")
        verb = options["verb"]
        try:
            if verb == "list":
                return self._list(workspace, options["status"])
            if verb == "submit":
                return self._submit(workspace, Path(options["subject"]), options["watch"])
            sweep = _sweep(workspace, options["subject"])
            if verb == "show":
                return self._show(sweep)
            if verb == "export":
                return self.stdout.write(to_yaml(job_of(sweep)), ending="")
            return self._steer(sweep, verb)
        except InvalidInput as error:
            raise CommandError("\n".join(str(problem) for problem in error.problems)) from error

    def _list(self, workspace: Workspace, status: str | None) -> None:
        rows = Sweep.objects.filter(workspace=workspace).real()
        if status:
            rows = rows.filter(status=status)
        for sweep in rows:
            self.stdout.write(f"{sweep.name:<32}  {sweep.status:<9}  {words.progress(sweep)}")

    def _show(self, sweep: Sweep) -> None:
        lines = [
            ("sweep", sweep.name if not sweep.display_name else f"{sweep.name} ({sweep})"),
            ("status", sweep.status),
            ("reason", sweep.reason),
            ("waiting", why_sweep(sweep, database_now())),
            ("trials", words.progress(sweep)),
            ("best", words.best(sweep)),
            *(("failed", line) for line in words.failures(sweep)),
            ("page", f"{settings.STUDIO_URL}{sweep.get_absolute_url()}"),
        ]
        told = ""
        for label, text in lines:
            if text and text != told:
                self.stdout.write(f"{label:<8} {text}")
                told = text

    def _submit(self, workspace: Workspace, file: Path, watched: bool) -> None:
        os.umask(0o077)
        try:
            job = read_job(file.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        code = _code(workspace, job.code, file.resolve().parent)
        user, now, rng = _operator(), timezone.now(), random.SystemRandom()
        sweep = intake.submit(workspace, job, code=code, user=user, now=now, rng=rng)
        tasks.advance_sweep(sweep.pk)
        for note in sweep.notes:
            self.stderr.write(note)
        self.stdout.write(sweep.name)
        if watched:
            self._watch(sweep)

    def _watch(self, sweep: Sweep) -> None:
        self.stderr.write(f"See it at {settings.STUDIO_URL}{sweep.get_absolute_url()}")
        try:
            watch(sweep, self.stderr.write)
        except KeyboardInterrupt:
            self.stderr.write("The sweep goes on; `sweep show` tells how it stands.")
            return
        self._show(sweep)
        if sweep.status == SweepStatus.PAUSED:
            where = f"--workspace {sweep.workspace.name} {sweep.name}"
            raise CommandError(
                "The sweep has paused itself and waits for you. Mend the cause, then run "
                f"`sweep resume {where}`, or end it by `sweep stop {where}`.",
                returncode=PAUSED_CODE,
            )
        if sweep.status != SweepStatus.COMPLETED:
            raise CommandError(f"The sweep ended as {sweep.status}.")

    def _steer(self, sweep: Sweep, verb: str) -> None:
        actor, now = str(_operator() or "command line"), database_now()
        if verb == "rerun-failed":
            found = trials.rerun_failed(sweep, actor=actor, now=now)
            later = ", once it is resumed" if found and sweep.status == SweepStatus.PAUSED else ""
            self.stdout.write(f"trials that run again: {len(found)}{later}")
        else:
            act, _ = _STEERING[verb]
            if not act(sweep, actor=actor, now=now):
                self.stdout.write("That was so already.")
        tasks.advance_sweep(sweep.pk)
        sweep.refresh_from_db()
        self._show(sweep)


def _code(workspace: Workspace, code: str | None, beside: Path) -> CodeSnapshot | None:
    """The code that a job names; relative to its file, as Azure's command line has it."""
    if not code:
        return None
    try:
        return intake.keep_folder(workspace, str(beside / Path(code).expanduser()))
    except InvalidInput as error:
        raise InvalidInput(problem.under("trial.code") for problem in error.problems) from error


def _sweep(workspace: Workspace, name: str) -> Sweep:
    rows = Sweep.objects.filter(workspace=workspace, name=name)
    sweep = rows.select_related("workspace", "compute", "code").first()
    if sweep is None:
        raise CommandError(f"No sweep “{name}” in {workspace.name}; `sweep list` lists them.")
    return sweep


def _operator() -> User | None:
    """Who acts: whoever may run commands on this machine is its first administrator."""
    users = User.objects.filter(is_active=True).order_by("-is_superuser", "pk")
    return users.first()
