"""Computes of other kinds than this machine: the form, the card, what they cannot be."""

import pytest
from django.test import Client

from studio.models import AuditEntry, Compute
from tests.pages.test_computes import fields

URL = "/w/default/computes/"
NEW = f"{URL}new?kind=slurm"


@pytest.fixture
def owner(client: Client, alice, compute) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def far(workspace) -> Compute:
    return Compute.objects.create(
        workspace=workspace, name="gpu", kind="slurm", slots=8, settings={"partition": "long"}
    )


def slurm(**changes):
    names = ("partition", "account", "qos", "time", "cpus", "memory", "gpus", "directives")
    return fields(**{f"settings.{name}": "" for name in names} | changes)


def test_each_kind_has_a_form_of_its_own(owner):
    here, there = owner.get(f"{URL}new").content.decode(), owner.get(NEW).content.decode()
    assert "Preload imports" in here
    assert "settings.partition" not in here
    assert "Preload imports" not in there
    assert "settings.partition" in there
    assert "Up to so many are handed to the cluster at a time" in there
    for page in (here, there):
        assert 'href="?kind=slurm"' in page


def test_a_kind_that_there_is_not_is_this_machine(owner):
    assert "Preload imports" in owner.get(f"{URL}new?kind=lsf").content.decode()


def test_a_cluster_is_added_and_changed_by_its_form(owner):
    made = owner.post(NEW, slurm(**{"settings.partition": "gpu", "settings.cpus": "4"}))
    assert made.status_code == 302
    box = Compute.objects.get(name="box")
    assert (box.kind, box.settings) == ("slurm", {"partition": "gpu", "cpus": 4})
    page = owner.get(f"{URL}box/").content.decode()
    assert 'value="gpu"' in page
    assert 'value="4"' in page
    assert owner.post(f"{URL}box/", slurm(**{"settings.qos": "high"})).status_code == 302
    box.refresh_from_db()
    assert box.settings == {"qos": "high"}
    entry = AuditEntry.objects.filter(noun="compute", verb="changed").get()
    assert "settings" in entry.changes


def test_each_setting_says_what_is_wrong_beside_its_field(owner):
    wrong = slurm(**{"settings.partition": "a b", "settings.directives": "--wrap=x"})
    answer = owner.post(NEW, wrong)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert set(errors) == {"settings.partition", "settings.directives"}
    assert not Compute.objects.filter(name="box").exists()


def test_a_studio_whose_computes_are_all_isolated_has_none_on_clusters(owner, settings):
    settings.STUDIO_ISOLATED_ONLY = True
    answer = owner.post(NEW, slurm())
    assert answer.status_code == 422
    assert "All computes of this studio are isolated" in answer.content.decode()


def test_the_list_shows_what_the_cluster_has(owner, far):
    group = {"name": "long", "state": "mixed", "nodes": 3, "each": "8 CPUs, 62 GiB", "limit": ""}
    far.cluster = {
        "version": "slurm 22.05.8", "error": "", "at": "2026-03-01T12:00:00+00:00",
        "groups": [group | {"running": 2, "waiting": 5}],
    }  # fmt: skip
    far.save()
    page = owner.get(URL).content.decode()
    assert "Slurm, 0 handed in, up to 8 at a time" in page
    assert "3 mixed" in page
    assert "2 run, 5 wait" in page
    far.cluster["error"] = "Slurm: Unable to contact slurm controller"
    far.save()
    page = owner.get(URL).content.decode()
    assert "Unable to contact slurm controller What follows is what it said before." in page
    assert "3 mixed" in page


def test_a_ray_cluster_is_added_by_its_form(owner):
    page = owner.get(f"{URL}new?kind=ray").content.decode()
    assert "Nodes need no files of the studio" in page
    names = ("address", "cpus", "gpus", "memory", "resources")
    typed = fields(**{f"settings.{name}": "" for name in names} | {"python": ""})
    answer = owner.post(f"{URL}new?kind=ray", typed)
    assert set(answer.context["form"].errors) == {"settings.address"}
    typed |= {"settings.address": "10.0.0.7", "settings.gpus": "0.5"}
    assert owner.post(f"{URL}new?kind=ray", typed).status_code == 302
    box = Compute.objects.get(name="box")
    assert box.settings == {"address": "http://10.0.0.7:8265", "gpus": 0.5}
    assert 'value="http://10.0.0.7:8265"' in owner.get(f"{URL}box/").content.decode()


def test_the_list_shows_nodes_of_a_ray_cluster_and_whose_trials_run_there(owner, workspace):
    group = {"name": "worker", "state": "alive", "nodes": 2, "each": "4 CPUs", "limit": ""}
    Compute.objects.create(
        workspace=workspace, name="ray", kind="ray", settings={"address": "http://head:8265"},
        cluster={
            "version": "Ray 2.60.0", "error": "", "at": "2026-03-01T12:00:00+00:00", "waiting": 7,
            "groups": [group | {"running": 3, "waiting": None}],
        },
    )  # fmt: skip
    page = owner.get(URL).content.decode()
    assert "2 alive" in page
    assert "3 run<" in page
    assert "Ray 2.60.0. 7 wait for resources." in page
    assert "Time limit" not in page
    assert "whoever may submit jobs there can read what they read" in page


def test_a_python_of_the_nodes_need_not_be_here(owner):
    typed = fields(**{"settings.address": "head", "python": "/opt/conda/bin/python"})
    assert owner.post(f"{URL}new?kind=ray", typed).status_code == 302
    assert Compute.objects.get(name="box").python == "/opt/conda/bin/python"
    typed |= {"name": "other", "python": "conda/python"}
    assert "python" in owner.post(f"{URL}new?kind=ray", typed).context["form"].errors
