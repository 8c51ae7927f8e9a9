"""What people take with them: the job file, Azure's YAML, Python source."""

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.job import StopRules
from sweeps.queries.spec_of import job_of
from sweeps.spec.reader import read_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita_client(rita: User) -> Client:
    client = Client()
    client.force_login(rita)
    return client


def test_the_exported_file_reads_back_as_the_sweep(rita_client, make_sweep):
    sweep = make_sweep(stop_rules=StopRules(target_value=0.5))
    response = rita_client.get(f"{sweep.get_absolute_url()}config/job.yml")
    assert response["Content-Disposition"] == f'attachment; filename="{sweep.name}.yml"'
    read = read_job(response.content.decode())
    assert read.stop_rules == job_of(sweep).stop_rules
    assert (read.name, read.command) == (sweep.name, sweep.command)


def test_azures_yaml_leaves_out_what_only_the_studio_knows(rita_client, make_sweep):
    sweep = make_sweep(stop_rules=StopRules(target_value=0.5))
    text = rita_client.get(f"{sweep.get_absolute_url()}config/azure.yml").content.decode()
    assert "properties" not in text
    assert "# Left out, for Azure ML has no key for it: stop_rules" in text


def test_python_names_this_studio_and_workspace(rita_client, make_sweep):
    sweep = make_sweep()
    text = rita_client.get(f"{sweep.get_absolute_url()}config/job.py").content.decode()
    compile(text, "job.py", "exec")
    assert '"http://testserver"' in text
    assert 'workspace="default"' in text


def test_readers_find_exports_on_every_tab(rita_client, make_sweep):
    sweep = make_sweep()
    for tab in ("", "config/"):
        html = rita_client.get(f"{sweep.get_absolute_url()}{tab}").content.decode()
        assert f'href="{sweep.get_absolute_url()}config/job.yml"' in html
        assert html.count("Copy as Python") == (2 if tab else 1)


def test_nobody_exports_a_sweep_of_another_workspace(make_sweep, django_user_model):
    stranger = Client()
    stranger.force_login(django_user_model.objects.create_user("stranger"))
    page = make_sweep().get_absolute_url()
    for name in ("job.yml", "azure.yml", "job.py"):
        assert stranger.get(f"{page}config/{name}").status_code == 404
