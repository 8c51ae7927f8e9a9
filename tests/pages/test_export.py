"""What people take with them: the job file, Azure's YAML, Python source."""

import io
import zipfile
from dataclasses import replace
from random import Random

import pytest
from django.test import Client

from studio.models import User
from sweeps import intake
from sweeps.domain.job import StopRules
from sweeps.queries.spec_of import job_of
from sweeps.spec.reader import read_job
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita_client(rita: User) -> Client:
    client = Client()
    client.force_login(rita)
    return client


JOB = """\
type: sweep
display_name: iris
compute: azureml:cpu-cluster
trial:
  code: studio:{digest}
  command: python t.py --lr ${{{{search_space.lr}}}}
  environment: azureml:AzureML-sklearn-1.5@latest
search_space:
  lr: {{type: uniform, min_value: 0.1, max_value: 1.0}}
sampling_algorithm: {{type: random, seed: 3}}
objective: {{goal: minimize, primary_metric: loss}}
limits: {{max_total_trials: 4, max_concurrent_trials: 2}}
properties: {{p: q}}
studio: {{stop_rules: {{target_value: 0.5}}}}
"""


@pytest.fixture
def text(workspace, settings, tmp_path):
    """A job file whose code the workspace has."""
    settings.STUDIO_HOME = tmp_path / "home"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "t.py").write_text("print(1)\n")
    return JOB.format(digest=intake.keep_folder(workspace, str(tmp_path / "code")).digest)


def submitted(workspace, text):
    """The sweep that a job file makes, with the code that it names."""
    job = read_job(text)
    code = intake.named_code(workspace, job.code)
    return intake.submit(workspace, job, code=code, user=None, now=NOW, rng=Random())


def test_the_exported_file_says_the_whole_job_and_can_be_submitted_again(
    rita_client, workspace, compute, text
):
    first = submitted(workspace, text)
    response = rita_client.get(f"{first.get_absolute_url()}config/job.yml")
    assert response["Content-Disposition"] == f'attachment; filename="{first.name}.yml"'
    exported = response.content.decode()
    assert read_job(exported) == read_job(text)
    second = submitted(workspace, exported)
    assert second.name != first.name
    assert replace(job_of(second), name="") == replace(job_of(first), name="")
    assert second.code == first.code


def test_a_name_that_somebody_chose_is_exported(rita_client, workspace, compute, text):
    named = submitted(workspace, f"name: mine\n{text}")
    exported = rita_client.get(f"{named.get_absolute_url()}config/job.yml").content.decode()
    assert read_job(exported).name == "mine"
    assert "name=" not in rita_client.get(
        f"{named.get_absolute_url()}config/job.py"
    ).content.decode().replace("display_name=", "")


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


def test_the_code_can_be_taken_as_a_zip(rita_client: Client, workspace, compute, text) -> None:
    sweep = submitted(workspace, text)
    base = f"/w/default/sweeps/{sweep.name}/config/"
    assert f'href="{base}code.zip"' in rita_client.get(base).content.decode()
    packed = b"".join(rita_client.get(f"{base}code.zip").streaming_content)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("t.py") == b"print(1)\n"
