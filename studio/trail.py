"""Reading the audit log: what of it was asked for, for pages, CSV and REST."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from studio.audit import NOUNS
from studio.formatting import cell
from studio.models import AuditEntry, Workspace

COLUMNS = (
    "at", "workspace", "who", "token", "did", "noun", "name", "field", "before", "after", "origin",
    "address", "request_id",
)  # fmt: skip
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of a person (a part of the name), about a noun, of days from and until (both
    included, in UTC). What was asked for and means nothing is in `problems`, by field."""

    person: str = ""
    noun: str = ""
    since: date | None = None
    until: date | None = None
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def is_filtered(self) -> bool:
        """True if anything was asked for."""
        return bool(self.person or self.noun or self.since or self.until)


def wanted_of(given: Mapping[str, str]) -> Wanted:
    """What a query asks for."""
    problems: list[tuple[str, str]] = []

    def day(name: str) -> date | None:
        text = given.get(name, "").strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            problems.append((name, f"Write a day as 2026-03-31, not “{text[:40]}”."))
            return None

    noun = given.get("noun", "").strip()
    if noun and noun not in NOUNS:
        problems.append(("noun", f"There is no “{noun[:40]}”; there are: {', '.join(NOUNS)}."))
        noun = ""
    person = given.get("person", "").replace("\0", "").strip()[:150]
    return Wanted(person, noun, day("since"), day("until"), tuple(problems))


def entries(workspace: Workspace | None, wanted: Wanted) -> QuerySet[AuditEntry]:
    """Entries of a workspace, or of the whole studio, newest first."""
    rows = AuditEntry.objects.select_related("workspace")
    if workspace is not None:
        rows = rows.filter(workspace=workspace)
    if wanted.person:
        rows = rows.filter(who__icontains=wanted.person)
    if wanted.noun:
        rows = rows.filter(noun=wanted.noun)
    if wanted.since:
        rows = rows.filter(at__gte=_midnight(wanted.since))
    if wanted.until and wanted.until < date.max:
        rows = rows.filter(at__lt=_midnight(wanted.until + timedelta(days=1)))
    return rows.order_by("-id")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


class Changed(NamedTuple):
    """One field as a page shows it; "" for what was not or is not."""

    field: str
    before: str
    after: str


def changes_of(entry: AuditEntry) -> list[Changed]:
    """What differs, in words."""
    pairs = entry.changes.items()
    return [Changed(field, _words(before), _words(after)) for field, (before, after) in pairs]


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Line:
    """What csv.writer writes to: hands the line on."""

    def write(self, text: str) -> str:
        """See `csv.writer`."""
        return text


def as_csv(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    """Lines of CSV, one for each changed field; cells that would run as formulas are defused."""
    write = csv.writer(_Line()).writerow
    yield write(COLUMNS)
    last: int | None = None
    # In pieces of their own, so that no read stays open while a browser takes its time.
    while True:
        found = list((rows if last is None else rows.filter(id__lt=last))[:_BATCH])
        for entry in found:
            for line in _lines(entry):
                yield write([cell(text) for text in line])
        if len(found) < _BATCH:
            return
        last = found[-1].pk


def _lines(entry: AuditEntry) -> Iterator[Sequence[str]]:
    place = entry.workspace.name if entry.workspace else ""
    for changed in changes_of(entry) or [Changed("", "", "")]:
        yield (
            entry.at.isoformat(), place, entry.who, entry.token_hint, entry.verb, entry.noun,
            entry.name, *changed, entry.origin, entry.address, entry.request_id,
        )  # fmt: skip
