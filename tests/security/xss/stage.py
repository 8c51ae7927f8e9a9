"""A workspace in which everything that can be said is hostile."""

import json
import random
from collections.abc import Sequence
from datetime import datetime
from itertools import cycle
from pathlib import Path
from uuid import uuid4

from django.utils import timezone

from studio.models import AuditEntry, Compute, Membership, Role, User
from studio.services import create_token
from sweeps.domain.limits import Limits
from sweeps.domain.notices import Event
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space_doc import parse_space
from sweeps.models import (
    Attempt,
    Channel,
    Delivery,
    InputFetch,
    LoggedModel,
    ModelVersion,
    StateChange,
    Sweep,
    Trial,
)
from sweeps.queries import boards
from sweeps.queries.environments import environments_root
from sweeps.queries.places import artifacts_at, spool_of
from sweeps.services.sweeps import create_sweep
from tests.api.acts import CRASH, DONE, end, log, start
from tests.conftest import job
from tests.pages import everywhere
from tests.security.xss.rows import poison

CROWD = "crowd"
# Letters of a choice; a page cuts longer ones.
LONGEST = 240


def set_up(
    owner: User, compute: Compute, now: datetime, one: str, many: Sequence[str]
) -> list[str]:
    """Everything of `everywhere`, with `one` in each text column of each row, and a sweep named
    `CROWD` with each of `many` in each of its lists. Gives the columns that were filled."""
    everywhere.set_up(owner, compute, now)
    _logs(many)
    _around(owner, compute, now)
    filled = poison(lambda: one)
    _crowd(owner, compute, now, one, many)
    boards.forget()
    return sorted(filled)


def refill(one: str) -> None:
    """Another text in each text column of each row but those of the crowd's lists."""
    poison(lambda: one)


def _logs(many: Sequence[str]) -> None:
    """Each line of each log, and of the log of each build."""
    text = "\n".join(line.replace("\n", " ") for line in many) + "\n"
    for attempt in Attempt.objects.all():
        folder = spool_of(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("stdout.log", "stderr.log"):
            (folder / name).write_text(text, errors="surrogatepass")
    for log_file in environments_root().rglob("stdout.log"):
        log_file.write_text(text)


def _around(owner: User, compute: Compute, now: datetime) -> None:
    """Rows of kinds that `everywhere` has none of; what they say is filled in later."""
    workspace = compute.workspace
    sweep = Sweep.objects.get(name="going")
    trial = sweep.trials.get(number=0)
    attempt = trial.attempts.get()
    LoggedModel.objects.create(attempt=attempt, model_id="m-1", name="x")
    ModelVersion.objects.create(
        workspace=workspace, trial=trial, name="x", alias="x", source="x", uid=uuid4().hex,
        state="failed", version="1", number=0,
    )  # fmt: skip
    InputFetch.objects.create(sweep=sweep, input="data", path="x", url="x", name="x")
    StateChange.objects.create(sweep=sweep, trial=trial, after="Running", reason="x", actor="x")
    AuditEntry.objects.create(
        at=now, workspace=workspace, user=owner, who="x", verb="change", noun="sweep", name="x",
        changes={"x": ["x", "y"]}, origin="page",
    )  # fmt: skip
    Compute.objects.filter(pk=compute.pk).update(
        slots=1000, last_test={"ok": False, "at": now.isoformat(), "steps": [
            {"name": "x", "ok": False, "detail": "x"}]}
    )  # fmt: skip


def _crowd(owner: User, compute: Compute, now: datetime, one: str, many: Sequence[str]) -> None:
    values = [text[:LONGEST] for text in many]
    space = {
        "lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9},
        "boosting": {"type": "choice", "values": values},
        # Names that objects and documents have already.
        **{
            name: {"type": "choice", "values": [text, f"x{text}"]}
            for name, text in zip(("constructor", "__proto__", "location"), many, strict=False)
        },
    }  # fmt: skip
    metric = one[:250]
    sweep = create_sweep(
        compute.workspace,
        job(
            name=CROWD, search_space=parse_space(space), objective=Objective(metric, Goal.MINIMIZE),
            limits=Limits(len(many), len(many), 3600), display_name=one[:255], description=one,
            tags={text: text for text in many}, experiment_name=one[:255],
        ),
        compute=compute, code=None, user=owner, now=now, rng=random.Random(1),
    )  # fmt: skip
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id="7", notes=list(many))
    _trials(sweep, now, many, metric)
    _people(owner, compute, now, many)


def _trials(sweep: Sweep, now: datetime, many: Sequence[str], metric: str) -> None:
    """One for each text: as value, tag, note, reason, name of a metric, lines, names of files."""
    metrics = cycle(many)
    rows = [
        Trial(
            sweep=sweep, number=number, tags=[text[:100]], note=text, picked_by=text[:150],
            params=(found := {"lr": 0.1 + number / 100, "boosting": text[:LONGEST],
                    "constructor": many[0], "__proto__": many[1 % len(many)],
                    "location": many[2 % len(many)]}),
            flat_params=found, pinned=number % 2 == 0,
        )
        for number, text in enumerate(many)
    ]  # fmt: skip
    Trial.objects.bulk_create(rows)
    Sweep.objects.filter(pk=sweep.pk).update(planned=len(rows))
    for number, (row, text) in enumerate(zip(rows, many, strict=True)):
        attempt = start(row.pk, now, Path(f"/spool/{sweep.uid}"))
        Attempt.objects.filter(pk=attempt.pk).update(argv=["python", text], run_id=f"crowd{number}")
        Trial.objects.filter(pk=row.pk).update(run_id=f"crowd{number}")
        attempt.refresh_from_db()
        log(attempt, [0.5 + number / 100, 0.4 + number / 100], name=metric)
        for name in (next(metrics), next(metrics)):
            if name[:250] != metric:
                log(attempt, [1.0, number], name=name[:250])
        ended = number % 3
        if ended:
            end(attempt, now, DONE if ended == 1 else CRASH)
        said = {"reason": text, "signature": text[:300]} if ended == 2 else {}
        Trial.objects.filter(pk=row.pk).update(**said)
        attempt.trial.sweep = sweep
        folder = spool_of(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stdout.log").write_text(text)
    _files(sweep, many)


def _files(sweep: Sweep, many: Sequence[str]) -> None:
    """Files of trial 0, with hostile names, and with hostile content of each kind."""
    root = artifacts_at("7", "crowd0")
    assert root is not None
    root.mkdir(parents=True, exist_ok=True)
    page = "<html><body>" + "\n".join(many)
    kinds = {
        "page.html": page, "picture.svg": f"<svg xmlns='http://www.w3.org/2000/svg'>{page}</svg>",
        "table.csv": "\n".join(f'"{text}",=1' for text in many), "lines.txt": page,
        "data.json": json.dumps({text: text for text in many}), "model/MLmodel": _model(many),
        "fake.png": page, "table.tsv": "\t".join(many),
    }  # fmt: skip
    for name, text in kinds.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, errors="replace")
    for text in many:
        name = text.replace("/", "∕").replace("\0", "")[:80].strip(". ")
        (root / "names" / name).parent.mkdir(exist_ok=True)
        (root / "names" / name).write_text(text)


def _model(many: Sequence[str]) -> str:
    return json.dumps({
        "model_uuid": many[0], "run_id": many[0], "flavors": {text: {} for text in many},
        "signature": {"inputs": json.dumps([{"name": t, "type": t} for t in many])},
    })  # fmt: skip


def _people(owner: User, compute: Compute, now: datetime, many: Sequence[str]) -> None:
    workspace = compute.workspace
    people = User.objects.bulk_create(
        User(username=f"{text[:140]}{n}", first_name=text[:100], email=text[:250], password="!")
        for n, text in enumerate(many)
    )
    Membership.objects.bulk_create(
        Membership(workspace=workspace, user=person, role=Role.READER) for person in people
    )
    for text in many:
        create_token(workspace, owner, role=Role.READER, name=text[:120], now=now)
    Compute.objects.filter(pk=compute.pk).update(
        environment_variables={text: text for text in many}, description="\n".join(many)
    )
    channel = Channel.objects.filter(workspace=workspace).first()
    assert channel is not None
    common = {"channel": channel, "event": Event.TEST, "since": timezone.now()}
    given = Delivery.objects.filter(channel=channel).first()
    assert given is not None
    Delivery.objects.bulk_create(
        Delivery(**common, payload=given.payload, state="failed", answer=text, due_at=now)
        for text in many
    )
