"""Isolated computes on the pages and over REST: the switch, the badge, the sentence."""

import pytest

from studio import isolation
from studio.models import AuditEntry, Compute, OsUser, Workspace
from sweeps.domain.problems import InvalidInput
from sweeps.intake_environments import usual_compute
from sweeps.services.os_users import os_user_of
from tests.pages.test_computes import LOCAL, URL, fields

SHARED = "everybody who may run sweeps here shares one trust domain with the studio"
BADGE = "Trials run as an operating-system user of this workspace"


@pytest.fixture
def owner(client, alice, compute):
    client.force_login(alice)
    return client


@pytest.fixture
def machine(monkeypatch):
    """What is said to be in the way on this machine; and with which interpreters it was tried."""
    said, tried = [], []

    def problems(python):
        tried.append(python)
        return list(said)

    monkeypatch.setattr(isolation, "problems", problems)
    return said, tried


def test_the_switch_is_tried_when_it_is_turned_on_and_not_again(owner, compute, machine):
    said, tried = machine
    assert owner.post(LOCAL, fields(name="local", isolated="on")).status_code == 302
    assert Compute.objects.get().isolated
    entry = AuditEntry.objects.get(noun="compute")
    assert entry.changes["isolated"] == [False, True]
    said.append("The studio lacks CAP_SETUID.")
    owner.post(LOCAL, fields(name="local", isolated="on", description="the same"))
    assert tried == [""]
    page = owner.post(LOCAL, fields(name="local", isolated="on", python="/bin/sh"))
    assert page.status_code == 422
    assert tried == ["", "/bin/sh"]
    assert owner.post(LOCAL, fields(name="local")).status_code == 302
    assert not Compute.objects.get().isolated


def test_where_it_does_not_work_it_cannot_be_turned_on_and_the_form_says_what_is_missing(
    owner, compute, machine
):
    machine[0].extend(["The studio lacks CAP_SETUID.", isolation.HOW])
    page = owner.post(LOCAL, fields(name="local", isolated="on", description="typed"))
    assert page.status_code == 422
    text = page.content.decode()
    assert "The studio lacks CAP_SETUID." in text
    assert "AmbientCapabilities=CAP_SETUID" in text
    assert "typed" in text
    assert not Compute.objects.get().isolated


def test_lists_and_forms_say_who_shares_what(owner, compute):
    for address in (URL, "/w/default/sweeps/new"):
        text = owner.get(address).content.decode()
        assert SHARED in text, address
        assert BADGE not in text
    Compute.objects.update(isolated=True)
    text = owner.get(URL).content.decode()
    assert (BADGE in text, SHARED in text) == (True, False)
    text = owner.get("/w/default/sweeps/new").content.decode()
    assert ("Isolated: trials run as" in text, SHARED in text) == (True, False)


def test_one_setting_isolates_all_and_no_switch_takes_it_back(owner, compute, machine, settings):
    settings.STUDIO_ISOLATED_ONLY = True
    assert compute.is_isolated
    assert not Compute(name="plain").isolated
    text = owner.get(LOCAL).content.decode()
    assert 'name="isolated"' in text
    assert "All computes of this studio are isolated." in text
    assert "disabled" in text[text.index('name="isolated"') :].partition(">")[0]
    owner.post(LOCAL, fields(name="local"))
    assert Compute.objects.get().isolated
    assert BADGE in owner.get(URL).content.decode()


def test_what_cannot_be_tried_is_no_yes(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(isolation, "_PROGRAM", tmp_path / "gone.py")
    assert isolation.problems("") == ["It could not be tried on this machine.", isolation.HOW]


def test_each_workspace_has_two_users_of_its_own_for_good(workspace, settings):
    settings.STUDIO_ISOLATED_UIDS = (3000, 3004)
    first = os_user_of(workspace)
    assert (first.number, os_user_of(workspace)) == (3000, first)
    other = Workspace.objects.create(name="other")
    assert os_user_of(other).number == 3002
    other.delete()
    assert OsUser.objects.get(number=3002).workspace is None
    with pytest.raises(InvalidInput, match="All numbers of STUDIO_ISOLATED_UIDS"):
        os_user_of(Workspace.objects.create(name="third"))


def test_a_workspace_without_computes_builds_apart_where_anything_is_isolated(workspace, compute):
    assert not usual_compute(Workspace.objects.create(name="plain")).is_isolated
    Compute.objects.update(isolated=True)
    assert usual_compute(Workspace.objects.create(name="apart")).is_isolated
