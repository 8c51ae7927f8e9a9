"""A sweep under its address: the same as the plain rule says, in one small read."""

from typing import Any

import pytest
from django.utils import timezone

from studio.models import Membership, Role, User, Workspace
from sweeps.models import Sweep
from sweeps.queries.reach import Pulse, pulse_at, sweep_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(workspace: Workspace) -> list[User]:
    """A member of each role, a stranger, one who has left, and one who may do everything."""
    found = [User.objects.create_user(f"a-{role}") for role in Role]
    found.append(User.objects.create_user("gone", is_active=False))
    for user, role in zip(found, [*Role, Role.OWNER], strict=True):
        Membership.objects.create(user=user, workspace=workspace, role=role)
    return [*found, User.objects.create_user("stranger"), User.objects.create_superuser("all")]


def test_who_reaches_a_sweep_is_who_is_allowed_to(make_sweep: Any, people: list[User]) -> None:
    sweep: Sweep = make_sweep()
    other = Workspace.objects.create(name="other")
    reached = 0
    for user in people:
        for role in Role:
            for place in (sweep.workspace, other):
                rows = Sweep.objects.allowed(user, role).filter(workspace=place, name=sweep.name)
                found = sweep_at(user, role, place.name, sweep.name)
                assert found == rows.first(), (user.username, role, place.name)
                reached += found is not None
        seen = Sweep.objects.allowed(user).filter(pk=sweep.pk).exists()
        assert (pulse_at(user, sweep.workspace.name, sweep.name) is not None) == seen
    assert reached == 1 + 2 + 3 + 3, "reader, contributor, owner, and who may do everything"


def test_what_was_deleted_is_reached_by_nobody(make_sweep: Any, people: list[User]) -> None:
    sweep: Sweep = make_sweep()
    [*_, everything] = people
    at = (sweep.workspace.name, sweep.name)
    assert sweep_at(everything, Role.READER, *at)
    assert pulse_at(everything, *at)
    Sweep.objects.filter(pk=sweep.pk).update(deleted_at=timezone.now())
    for user in people:
        assert sweep_at(user, Role.READER, *at) is None
        assert pulse_at(user, *at) is None


def test_it_costs_one_read_and_brings_what_pages_show(
    make_sweep: Any, people: list[User], django_assert_num_queries: Any
) -> None:
    sweep: Sweep = make_sweep()
    at = (sweep.workspace.name, sweep.name)
    for user in (people[0], people[-1]):
        with django_assert_num_queries(1):
            found = sweep_at(user, Role.READER, *at)
            assert found is not None
            assert (found.workspace.name, found.compute, found.code) == (
                at[0],
                sweep.compute,
                sweep.code,
            )
        with django_assert_num_queries(1):
            pulse = pulse_at(user, *at)
        told = (sweep.pk, sweep.uid, sweep.revision, sweep.status, sweep.desired)
        assert pulse == Pulse(*told)
