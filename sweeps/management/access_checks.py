"""What `manage.py doctor` looks at as to who may reach what: isolation, owners of workspaces."""

import sys

from django.conf import settings
from django.db import DatabaseError

from studio import isolation
from studio.models import AuditEntry, Compute, Membership, Role, User, Workspace

_MOST_TOLD = 5


def isolated() -> tuple[str, str]:
    """Whether computes can be isolated, by trying it, and whether they are."""
    try:
        computes = list(Compute.objects.filter(workspace__archived_at=None))
    except DatabaseError:
        computes = []  # before the first start, say
    wanting = [compute for compute in computes if compute.is_isolated]
    pythons = sorted({compute.python for compute in wanting} or {""})
    found = [problem for python in pythons for problem in isolation.problems(python)]
    if not wanting and not settings.STUDIO_ISOLATED_ONLY:
        would = f"would not work here: {found[0]}" if found else "would work here"
        return f"no compute is isolated: contributors share one trust domain; it {would}", ""
    text = f"{len(wanting)} of {len(computes)} computes"
    if found:
        return f"{text}; it does not work here", " ".join(dict.fromkeys(found))
    names = ", ".join(python or sys.executable for python in pythons)
    plain = "" if len(wanting) == len(computes) else "; programs on the others run as the studio"
    return f"{text}, with {names}{plain}", ""


def owners() -> tuple[str, str]:
    """Workspaces that look as if their owners had given themselves the right to run programs, as
    every account could before making a workspace took an owner. Only people can say."""
    try:
        trusted = _trusted()
        found = [f"{ws} ({', '.join(names)})" for ws in _all() if (names := _alone(ws, trusted))]
    except DatabaseError:
        return "unknown without the database", ""
    if not found:
        return "all were let run programs by somebody else", ""
    told = ", ".join(found[:_MOST_TOLD]) + (" …" if found[_MOST_TOLD:] else "")
    return f"run programs nowhere else; did somebody give them these workspaces? {told}", ""


def _all() -> list[Workspace]:
    return list(Workspace.objects.active().order_by("pk"))


def _trusted() -> set[int]:
    """Who was let run programs by somebody: administrators, contributors, owners of the workspace
    that came with the studio, and of those that are known to have been made by somebody else."""
    members = Membership.objects.filter(role=Role.CONTRIBUTOR)
    found = {*members.values_list("user", flat=True)}
    found |= {*User.objects.filter(is_superuser=True).values_list("pk", flat=True)}
    owning = Membership.objects.filter(role=Role.OWNER)
    found |= {*owning.filter(workspace__in=_all()[:1]).values_list("user", flat=True)}
    made = AuditEntry.objects.filter(noun="workspace", verb="created")
    for workspace, maker in made.values_list("workspace", "user"):
        owners_of = owning.filter(workspace=workspace).values_list("user", flat=True)
        found |= {*owners_of} if maker not in owners_of else set()
    return found


def _alone(workspace: Workspace, trusted: set[int]) -> list[str]:
    """The owners, if none of them is trusted; none otherwise."""
    owning = Membership.objects.filter(workspace=workspace, role=Role.OWNER)
    people = [member.user for member in owning.select_related("user").order_by("pk")]
    return [] if trusted & {person.pk for person in people} else [str(person) for person in people]
