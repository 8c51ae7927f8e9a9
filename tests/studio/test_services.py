"""Writes of the place: what they change, what they refuse, also when two come at once."""

import pytest

from studio import services
from studio.models import Compute, Membership, Role, Workspace


def test_a_name_taken_at_the_last_moment_is_refused_and_leaves_nothing(workspace, alice):
    with pytest.raises(services.NameTaken, match="There is a workspace “default” already"):
        services.create_workspace(Workspace(name="default"), alice)
    assert Workspace.objects.count() == 1
    assert Membership.objects.count() == 1


def test_names_differ_by_more_than_case(workspace, compute):
    with pytest.raises(services.NameTaken, match="“LOCAL”"):
        services.save_compute(Compute(workspace=workspace, name="LOCAL"), is_default=False)


def test_the_same_compute_name_may_be_used_in_another_workspace(compute, charlie):
    elsewhere = Workspace.objects.get(name="elsewhere")
    services.save_compute(Compute(workspace=elsewhere, name="local"), is_default=True)
    assert Compute.objects.filter(name="local", is_default=True).count() == 2


def test_a_refused_compute_leaves_the_default_as_it_was(workspace, compute):
    with pytest.raises(services.NameTaken):
        services.save_compute(Compute(workspace=workspace, name="local"), is_default=True)
    compute.refresh_from_db()
    assert compute.is_default


def test_a_new_default_replaces_the_old_one(workspace, compute):
    box = Compute(workspace=workspace, name="box")
    services.save_compute(box, is_default=True)
    assert list(Compute.objects.filter(is_default=True)) == [box]
    services.make_default(compute)
    assert list(Compute.objects.filter(is_default=True)) == [compute]


def test_a_default_compute_may_step_down(compute):
    services.save_compute(compute, is_default=False)
    assert not Compute.objects.filter(is_default=True).exists()


def test_deleting_a_compute_that_is_not_the_default_changes_nothing_else(workspace, compute):
    box = Compute.objects.create(workspace=workspace, name="box")
    assert services.delete_compute(box) is None
    assert list(Compute.objects.filter(is_default=True)) == [compute]


def test_deleting_the_last_compute_leaves_none(compute):
    assert services.delete_compute(compute) is None
    assert not Compute.objects.exists()


def test_a_compute_that_a_sweep_ran_on_is_not_deleted(compute, sweep):
    with pytest.raises(services.Refused, match="1 sweep ran on it"):
        services.delete_compute(compute)
    compute.refresh_from_db()
    assert compute.is_default


def test_nobody_becomes_a_member_twice(workspace, bob, now):
    with pytest.raises(services.Refused, match="bob is a member already"):
        services.add_member(workspace, bob, Role.OWNER, now)
    assert Membership.objects.get(user=bob).role == Role.CONTRIBUTOR


def test_one_of_two_owners_may_leave_the_other_not(workspace, alice, bob):
    mine, theirs = Membership.objects.get(user=alice), Membership.objects.get(user=bob)
    services.change_role(theirs, Role.OWNER)
    services.remove_member(mine)
    with pytest.raises(services.Refused, match="bob is the only owner"):
        services.change_role(theirs, Role.READER)
    assert Membership.objects.get(user=bob).role == Role.OWNER


def test_archiving_twice_keeps_the_first_moment(workspace, now):
    services.archive_workspace(workspace, now)
    services.archive_workspace(workspace, now.replace(year=2030))
    workspace.refresh_from_db()
    assert workspace.archived_at == now
    services.restore_workspace(workspace)
    workspace.refresh_from_db()
    assert workspace.archived_at is None
