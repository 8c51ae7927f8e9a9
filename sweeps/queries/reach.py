"""A sweep under its address, as far as somebody may reach it: the first read of all its pages."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from django.db.models import QuerySet

from studio.models import Role, User, Workspace
from sweeps.models import Sweep
from sweeps.queries.prepared import Prepared

Row = TypeVar("Row")


class Pulse(NamedTuple):
    """What says whether there is news of a sweep."""

    pk: int
    uid: str
    revision: int
    status: str
    desired: str


class _AtAddress(Generic[Row]):
    """One read of the sweep of this name in this workspace; its SQL depends on who asks.

    The rule is the one of `Sweep.objects.allowed`.
    """

    def __init__(self, read: Callable[[QuerySet[Sweep]], QuerySet[Any, Row]]) -> None:
        def of(rows: QuerySet[Sweep], workspace: str, name: str) -> QuerySet[Any, Row]:
            return read(rows.filter(workspace__name=workspace, name=name).order_by())

        def of_member(role: Role) -> Prepared[Row]:
            @Prepared
            def rows(user: int, workspace: str, name: str) -> QuerySet[Any, Row]:
                allowed = Workspace.objects.of_member(user, role)
                return of(Sweep.objects.kept().filter(workspace__in=allowed), workspace, name)

            return rows

        @Prepared
        def of_all(workspace: str, name: str) -> QuerySet[Any, Row]:
            return of(Sweep.objects.kept(), workspace, name)

        self._of_all = of_all
        self._of_member = {role: of_member(role) for role in Role}

    def __call__(self, user: User, role: Role, workspace: str, name: str) -> Row | None:
        if user.is_superuser:
            return self._of_all.first(workspace, name)
        if not user.is_active or user.pk is None:
            return None
        return self._of_member[role].first(user.pk, workspace, name)


_sweep = _AtAddress(
    lambda rows: rows.select_related("workspace", "compute", "code", "created_by"),
)
_pulse = _AtAddress(lambda rows: rows.values_list(*Pulse._fields))


def sweep_at(user: User, role: Role, workspace: str, name: str) -> Sweep | None:
    """The sweep, if the person has at least `role` in its workspace."""
    return _sweep(user, role, workspace, name)


def pulse_at(user: User, workspace: str, name: str) -> Pulse | None:
    """Of that sweep what a page that waits for news has to know; a small read."""
    found = _pulse(user, Role.READER, workspace, name)
    return Pulse(*found) if found else None
