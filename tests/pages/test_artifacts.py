"""Looking through a trial's artifacts: everything by name, nothing of it run."""

import io
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.models import Attempt, Sweep
from tests.api.acts import play
from tests.spec.test_mlmodel import TEXT
from tests.stores.test_previews import PNG
from tests.stores.test_snapshots import folder

FILES = {
    "outputs/model/MLmodel": TEXT.encode(),
    "outputs/model/model.pkl": b"\0",
    "outputs/plot.png": PNG,
    "outputs/evil.png": b"<script>alert(1)</script>",
    "outputs/t.csv": b"a,<b>\n1,2\n",
    "metrics/<i>.json": b'{"x":1}',
}


@pytest.fixture
def base(sweep: Sweep, now: Any, tmp_path: Path, settings: Any) -> str:
    """The address of an ended trial with files."""
    settings.TRACKING_ARTIFACTS = tmp_path / "artifacts"
    type(sweep).objects.filter(pk=sweep.pk).update(experiment_id="1")
    [trial, *_] = play(sweep, now, [0.5])
    run = trial.attempts.get().run_id
    folder(tmp_path / "artifacts" / "1" / run / "artifacts", FILES)
    return f"/w/default/sweeps/{sweep.name}/trials/{trial.number}/"


@pytest.fixture
def page(client: Client, rita: User) -> Client:
    client.force_login(rita)
    return client


def read(page: Client, base: str, path: str) -> str:
    answer = page.get(f"{base}artifacts/", {"path": path})
    assert answer.status_code == 200
    return answer.content.decode()


def test_folders_are_walked_and_files_shown(page: Client, base: str) -> None:
    top = page.get(f"{base}artifacts/").content.decode()
    assert "?path=metrics" in top
    assert "?path=outputs" in top
    inner = read(page, base, "outputs")
    assert f"{base}artifacts.zip?path=outputs" in inner
    assert "?path=outputs%2Fplot.png" in inner
    assert f'src="{base}artifacts/outputs/plot.png?show=1"' in read(page, base, "outputs/plot.png")
    table = read(page, base, "outputs/t.csv")
    assert '<th scope="col">&lt;b&gt;</th>' in table
    assert "<td>2</td>" in table
    assert "&quot;x&quot;: 1" in read(page, base, "metrics/<i>.json")
    assert "<i>.json" not in read(page, base, "metrics")
    assert "not shown here" in read(page, base, "outputs/model/model.pkl")


def test_a_model_folder_says_how_to_load_it(page: Client, base: str, sweep: Sweep) -> None:
    html = unescape(read(page, base, "outputs/model"))
    run = Attempt.objects.get(trial__number=0).run_id
    assert "sklearn 1.5.1" in html
    assert "mlflow.set_tracking_uri('http://testserver/tracking/default')" in html
    assert f"mlflow.pyfunc.load_model('runs:/{run}/outputs/model')" in html
    assert "signature" in html.lower()


def test_only_true_images_go_out_as_what_they_are(page: Client, base: str) -> None:
    shown = page.get(f"{base}artifacts/outputs/plot.png?show=1")
    assert shown["Content-Type"] == "image/png"
    assert shown["Content-Disposition"].startswith("inline")
    for name, query in (("evil.png", "?show=1"), ("plot.png", ""), ("t.csv", "?show=1")):
        answer = page.get(f"{base}artifacts/outputs/{name}{query}")
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        b"".join(answer.streaming_content)  # closes its file
    packed = page.get(f"{base}artifacts.zip")
    for answer in (shown, packed):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        b"".join(answer.streaming_content)  # closes its file


def test_a_part_or_all_as_a_zip(page: Client, base: str, sweep: Sweep) -> None:
    def names(query: str) -> list[str]:
        packed = b"".join(page.get(f"{base}artifacts.zip{query}").streaming_content)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return sorted(archive.namelist())

    assert names("") == sorted(FILES)
    assert names("?path=outputs/model") == ["MLmodel", "model.pkl"]
    job = page.get(f"/w/default/sweeps/{sweep.name}/").content.decode()
    assert f'href="{base}artifacts.zip"' in job


@pytest.mark.parametrize("path", ["..", "nope", "/etc", "outputs/../..", "outputs/plot.png/x"])
def test_what_is_not_there_is_404(page: Client, base: str, path: str) -> None:
    assert page.get(f"{base}artifacts/", {"path": path}).status_code == 404
    assert page.get(f"{base}artifacts.zip", {"path": path}).status_code == 404


def test_thousands_of_files_are_paged(page: Client, base: str, tmp_path: Path) -> None:
    run = Attempt.objects.get(trial__number=0).run_id
    many = tmp_path / "artifacts" / "1" / run / "artifacts" / "many"
    folder(many, {f"f{n:04}.txt": b"x" for n in range(450)})
    html = read(page, base, "many")
    assert "Page 1 of 3" in html
    assert "f0199.txt" in html
    assert "f0200.txt" not in html
    assert "?path=many&amp;page=2" in html
    answer = page.get(f"{base}artifacts/", {"path": "many", "page": "3"}).content.decode()
    assert "f0449.txt" in answer


def test_strangers_see_nothing(client: Client, base: str, charlie: User) -> None:
    client.force_login(charlie)
    for address in ("artifacts/", "artifacts/?path=outputs", "artifacts/outputs/t.csv"):
        assert client.get(base + address).status_code == 404
