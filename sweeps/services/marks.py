"""Pins, tags and notes on trials; each change raises the revision, so that pages show it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet

from studio import audit
from sweeps.domain.marks import check_note, check_tags, tidy_tags
from sweeps.models import Sweep, Trial
from sweeps.services.noting import noted_trial, noted_trials
from sweeps.services.state import bump, lock

# As many numbers as a statement may carry in either database.
_BATCH = 5_000

Tags = tuple[str, ...]


def mark_trial(
    trial: Trial,
    *,
    pinned: bool | None = None,
    tags: Sequence[str] | None = None,
    note: str | None = None,
) -> bool:
    """Set what is given, leave what is None; False if nothing is different then.

    Raises InvalidInput for tags and notes that are too many, too long or no tags.
    """
    changes: dict[str, object] = {}
    if pinned is not None:
        changes["pinned"] = pinned
    if tags is not None:
        changes["tags"] = list(tidy_tags(tags))
        check_tags(tidy_tags(tags))
    if note is not None:
        changes["note"] = note.replace("\0", "").replace("\r\n", "\n").strip()
        check_note(str(changes["note"]))
    with transaction.atomic():
        lock(trial.sweep_id)
        trial.refresh_from_db()
        changes = {name: new for name, new in changes.items() if getattr(trial, name) != new}
        if not changes:
            return False
        noted_trial("marked", trial, True, audit.differing(audit.of(trial, *changes), changes))
        changes["revision"] = bump(trial.sweep_id)
        Trial.objects.filter(pk=trial.pk).update(**changes)
    for name, value in changes.items():
        setattr(trial, name, value)
    return True


def pin_trials(sweep: Sweep, numbers: Iterable[int], *, pinned: bool) -> int:
    """Pin these trials, or take their pins away; for how many that was a change."""
    with transaction.atomic():
        lock(sweep.pk)
        found = [
            pk
            for rows in _of(sweep, numbers)
            for pk in rows.exclude(pinned=pinned).values_list("pk", flat=True)
        ]
        noted_trials("marked", sweep, len(found), {"pinned": (not pinned, pinned)})
        return _change(sweep, {(): found}, lambda _: {"pinned": pinned})


def tag_trials(
    sweep: Sweep, numbers: Iterable[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> int:
    """Add tags to these trials and take others away; for how many that was a change.

    Raises InvalidInput when what is added is no tag, or one of the trials would have too many.
    """
    added, removed = tidy_tags(add), frozenset(tidy_tags(remove))
    check_tags(added)

    def changed(tags: Tags) -> Tags:
        kept = [tag for tag in tags if tag not in removed]
        return (*kept, *(tag for tag in added if tag not in kept))

    with transaction.atomic():
        lock(sweep.pk)
        # Most trials have the tags of their neighbours: one statement for each different list.
        groups: dict[Tags, list[int]] = {}
        for rows in _of(sweep, numbers):
            for pk, tags in rows.values_list("pk", "tags"):
                groups.setdefault(tuple(tags), []).append(pk)
        groups = {tags: pks for tags, pks in groups.items() if changed(tags) != tags}
        for tags in groups if added else ():
            check_tags(changed(tags))
        count = sum(len(pks) for pks in groups.values())
        noted_trials("marked", sweep, count, {"tags": (list(remove), list(added))})
        return _change(sweep, groups, lambda tags: {"tags": list(changed(tags))})


def _of(sweep: Sweep, numbers: Iterable[int]) -> Iterator[QuerySet[Trial]]:
    """These trials, in batches."""
    wanted = list(numbers)
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        yield Trial.objects.filter(sweep=sweep, number__in=part).order_by()


def _change(
    sweep: Sweep,
    groups: Mapping[Tags, Sequence[int]],
    changes: Callable[[Tags], dict[str, object]],
) -> int:
    """Give each group its changes, all with one new revision; for how many trials."""
    count = sum(len(keys) for keys in groups.values())
    revision = bump(sweep.pk) if count else 0
    for tags, keys in groups.items():
        for start in range(0, len(keys), _BATCH):
            rows = Trial.objects.filter(pk__in=keys[start : start + _BATCH])
            rows.update(**changes(tags), revision=revision)
    return count
