"""What can be typed of sweeps and what each verb does, over REST or on the studio's machine.

Exit codes: 0 done (with --watch: the sweep completed); 1 it did not, or something is wrong;
2 the command was misspelt; 3 the sweep has paused itself after failures and waits for a person;
130 watching was interrupted, the sweep goes on.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TextIO, TypeAlias

from sweeps.client.errors import JobPaused, StreamEnded, StreamInterrupted, StudioError
from sweeps.client.jobs import best_or_own
from sweeps.client.progress import words
from sweeps.client.records import Job, Rerun, Trial
from sweeps.client.tables import best_line, sweep_lines, trial_lines
from sweeps.domain.states import SweepStatus, TrialStatus

FAILED, PAUSED, INTERRUPTED = 1, 3, 130
STEERING = {
    "pause": "let running trials finish, start none until it is resumed",
    "resume": "go on after a pause",
    "stop": "let running trials finish, start no more, then end",
    "cancel": "kill running trials now and start no more",
}


class Jobs(Protocol):
    """Sweeps of one workspace, as `MLClient.jobs` has them. All raise StudioError."""

    def create_or_update(self, job: Any, *, code: str | None = None) -> Job:
        """Submit a job file, with `code` in place of the folder of code that it names."""

    def get(self, name: str) -> Job | Trial:
        """A sweep, or the trial `<sweep>_<number>`."""

    def list(
        self, *, parent_job_name: str | None = None, status: str | None = None
    ) -> Iterable[Any]:
        """Sweeps, newest first, or the trials of one."""

    def stream(self, name: str, *, out: TextIO | None = None) -> Job:
        """Show the progress to the end."""

    def pause(self, name: str) -> Job:
        """Start none until it is resumed."""

    def resume(self, name: str) -> Job:
        """Go on."""

    def stop(self, name: str) -> Job:
        """Start no more."""

    def cancel(self, name: str) -> Job:
        """Kill what runs."""

    def rerun_failed(self, name: str) -> Rerun:
        """Run failed trials again."""

    def failures(self, name: str) -> Iterable[dict[str, Any]]:
        """Failed trials by what they have in common."""

    def spec(self, name: str) -> str:
        """A job file."""

    def logs(self, name: str, number: int, stream: str = "stdout") -> Iterator[str]:
        """What a trial has written."""

    def bundle(self, name: str, target: Path, *, points: bool = False) -> None:
        """Write a sweep as one file."""

    def import_bundle(
        self, file: Path, *, replay: bool = False, secrets: Sequence[str] = ()
    ) -> Job:
        """Bring such a file in."""

    def download(
        self, name: str, *, download_path: Any = ".", output_name: str | None = None,
        all: bool = False,  # noqa: A002
    ) -> Iterable[Path]:  # fmt: skip
        """Bring what a trial has stored."""


class Terminal(NamedTuple):
    """Where answers go, and where everything else that is told."""

    out: TextIO
    err: TextIO


Verb: TypeAlias = Callable[[Jobs, Namespace, Terminal], int | None]


def add_verbs(verb: Callable[..., ArgumentParser]) -> None:
    """Add all verbs with their options; `verb(name, help, subject="NAME")` makes a parser."""
    submit = verb("submit", "submit a sweep-job file with the code that it names", "FILE.yml")
    submit.add_argument("--code", metavar="FOLDER", help="the code, in place of what it names")
    submit.add_argument("--watch", action="store_true", help="show its progress to the end")
    _status(verb("list", "list sweeps, newest first", ""), SweepStatus)
    verb("show", "tell how a sweep stands, and why nothing runs if nothing does")
    verb("watch", "show a sweep's progress to the end")
    _status(verb("trials", "list the trials of a sweep"), TrialStatus)
    verb("best", "tell the best trial")
    logs = verb("logs", "print what a trial has written")
    logs.add_argument("--trial", type=int, help="its number; by default the best trial's")
    logs.add_argument("--stderr", action="store_true", dest="wants_stderr", help="the other log")
    verb("export", "print a sweep as a job file (YAML)")
    bundle = verb("bundle", "write a sweep as one file: job, code, packages, trials")
    bundle.add_argument("-o", "--output", metavar="FILE", help="by default NAME.zip")
    bundle.add_argument("--points", action="store_true", help="all logged values too")
    brought = verb("import", "bring a bundle in as an ended sweep", "FILE.zip")
    brought.add_argument("--replay", action="store_true", help="run its points again instead")
    brought.add_argument(
        "--secret", action="append", default=[], metavar="NAME",
        help="a secret of the workspace that its program may have",
    )  # fmt: skip
    for name, text in STEERING.items():
        verb(name, text)
    verb("rerun-failed", "run all failed, lost and timed-out trials again")
    download = verb("download", "bring what the best trial, or NAME_NUMBER, has stored")
    download.add_argument("--output-name", help="only the folder of this name")
    download.add_argument("--all", action="store_true", help="the logs too")
    download.add_argument("--download-path", default=".", metavar="FOLDER")


def _status(parser: ArgumentParser, known: type[SweepStatus | TrialStatus]) -> None:
    parser.add_argument("--status", choices=[str(one) for one in known], metavar="STATUS",
                        help=", ".join(known))  # fmt: skip


def run(
    jobs: Callable[[], Jobs], given: Namespace, terminal: Terminal, more: Mapping[str, Verb] = {}
) -> int:
    """Do what `given.verb` says, a verb of ours or `more`; the exit code.

    `jobs` may raise StudioError, too.
    """
    try:
        return {**VERBS, **more}[given.verb](jobs(), given, terminal) or 0
    except StreamInterrupted as error:
        return _tell(error, terminal, INTERRUPTED)
    except JobPaused as error:
        return _tell(error, terminal, PAUSED)
    except (StudioError, OSError) as error:
        return _tell(error, terminal, FAILED)


def _tell(error: Exception, terminal: Terminal, code: int) -> int:
    print(error, file=terminal.err)
    return code


def answer(given: Namespace, terminal: Terminal, raw: Any, lines: Iterable[str]) -> None:
    """The REST API's answer as JSON, or in words."""
    for line in [json.dumps(raw, indent=2)] if given.json else lines:
        print(line, file=terminal.out)


def _submit(jobs: Jobs, given: Namespace, terminal: Terminal) -> int:
    job = jobs.create_or_update(given.subject, code=given.code)
    for note in job.notes:
        print(note, file=terminal.err)
    if not given.json or not given.watch:
        answer(given, terminal, job.raw, [job.name])
        terminal.out.flush()
    if not given.watch:
        return 0
    print(f"See it at {job.studio_url}", file=terminal.err)
    return _followed(jobs, job.name, given, terminal)


def _watch(jobs: Jobs, given: Namespace, terminal: Terminal) -> int:
    return _followed(jobs, given.subject, given, terminal)


def _followed(jobs: Jobs, name: str, given: Namespace, terminal: Terminal) -> int:
    try:
        job = jobs.stream(name, out=terminal.err)
    except StreamEnded as error:
        if error.job is not None:
            _stands(jobs, error.job, given, terminal)
        raise
    _stands(jobs, job, given, terminal)
    return 0 if job.status == SweepStatus.COMPLETED else FAILED


def _stands(jobs: Jobs, job: Job, given: Namespace, terminal: Terminal) -> None:
    failed = () if given.json or not job.not_completed else jobs.failures(job.name)
    answer(given, terminal, job.raw, sweep_lines(job, failed))


def _list(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    found = list(jobs.list(status=given.status))
    lines = (f"{job.name:<32}  {job.status:<9}  {words(job)}" for job in found)
    answer(given, terminal, [job.raw for job in found], lines)


def _show(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    found = jobs.get(given.subject)
    if isinstance(found, Job):
        _stands(jobs, found, given, terminal)
    else:
        answer(given, terminal, found.raw, trial_lines([found.raw]))


def _trials(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    rows = [t.raw for t in jobs.list(parent_job_name=given.subject, status=given.status)]
    answer(given, terminal, rows, trial_lines(rows))


def _best(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    job = _sweep(jobs, given)
    best_or_own(job)
    answer(given, terminal, job.best_trial, [best_line(job)])


def _logs(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    number = given.trial
    if number is None:
        name, number = best_or_own(jobs.get(given.subject))
    else:
        name = _sweep(jobs, given).name
    stream = "stderr" if given.wants_stderr else "stdout"
    parts = jobs.logs(name, number, stream)
    if given.json:
        answer(given, terminal, {"trial": number, "stream": stream, "text": "".join(parts)}, ())
    else:
        terminal.out.writelines(parts)


def _export(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    text = jobs.spec(given.subject)
    if given.json:
        from sweeps.spec import yaml_text

        answer(given, terminal, yaml_text.load(text).document, ())
    else:
        terminal.out.write(text)


def _bundle(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    target = Path(given.output or f"{given.subject}.zip")
    jobs.bundle(given.subject, target, points=given.points)
    answer(given, terminal, str(target), [str(target)])


def _import(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    job = jobs.import_bundle(Path(given.subject), replay=given.replay, secrets=given.secret)
    for note in job.notes:
        print(note, file=terminal.err)
    answer(given, terminal, job.raw, [job.name])


def _steer(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    before = _sweep(jobs, given)
    job = getattr(jobs, given.verb)(before.name)
    if job.raw["revision"] == before.raw["revision"]:
        print("That was so already.", file=terminal.err)
    _stands(jobs, job, given, terminal)


def _rerun(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    found = jobs.rerun_failed(given.subject)
    count, job = len(found.numbers), found.sweep
    later = ", once it is resumed" if count and job.status == SweepStatus.PAUSED else ""
    lines = [f"trials that run again: {count}{later}", *sweep_lines(job, ())]
    answer(given, terminal, found.raw, lines)


def _download(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    written = jobs.download(
        given.subject,
        download_path=given.download_path,
        output_name=given.output_name,
        all=given.all,
    )
    paths = [str(path) for path in written]
    answer(given, terminal, paths, paths)


def _sweep(jobs: Jobs, given: Namespace) -> Job:
    found = jobs.get(given.subject)
    if not isinstance(found, Job):
        raise StudioError(f"{given.subject} is a trial; name its sweep.")
    return found


VERBS: dict[str, Verb] = {
    "submit": _submit,
    "list": _list,
    "show": _show,
    "watch": _watch,
    "trials": _trials,
    "best": _best,
    "logs": _logs,
    "export": _export,
    "bundle": _bundle,
    "import": _import,
    **dict.fromkeys(STEERING, _steer),
    "rerun-failed": _rerun,
    "download": _download,
}
