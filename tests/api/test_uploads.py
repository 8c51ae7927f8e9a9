"""Code and data are uploaded once per content, and jobs name them by it."""

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from studio.models import Workspace
from sweeps import intake
from sweeps.models import CodeSnapshot, Sweep
from sweeps.stores.digests import combine, folder_digest
from sweeps.stores.uploads import place_of
from tests.api.conftest import Caller
from tests.api.test_submit import JOB, zipped

pytestmark = pytest.mark.usefixtures("compute")
CODE, DATA = "/workspaces/default/code", "/workspaces/default/data"
FILES = {"src/train.py": "print(1)\n", "src/lib/ä.py": "x = 1\n"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "c" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "c" / name).write_text(text)
    (tmp_path / "c" / "__pycache__").mkdir()
    (tmp_path / "c" / "__pycache__" / "train.pyc").write_bytes(b"x")
    (tmp_path / "c" / "link").symlink_to("/etc/passwd")
    return tmp_path / "c"


def test_the_digest_is_what_the_docs_say(folder: Path) -> None:
    lines = "".join(
        f"{len(name.encode())}:{name}:{sha(text.encode())}\n"
        for name, text in sorted(FILES.items())
    )
    assert folder_digest(folder) == sha(lines.encode())
    assert combine((n, sha(t.encode())) for n, t in FILES.items()) == sha(lines.encode())


def test_a_client_computes_it_without_django() -> None:
    code = "import sys, sweeps.stores.digests; print('django' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_code_is_uploaded_once(api: Caller, folder: Path) -> None:
    digest = folder_digest(folder)
    missing = api.get(f"{CODE}/{digest}")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    first = api.upload(CODE, code=zipped(**FILES))
    told = {"digest": digest, "file_count": 2, "size": sum(len(t.encode()) for t in FILES.values())}
    assert (first.status_code, first.json()) == (201, told)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(folder / "src", "src")
    again = api.upload(CODE, code=SimpleUploadedFile("c.tar.gz", packed.getvalue()))
    assert (again.status_code, again.json()) == (200, told)
    assert api.get(f"{CODE}/{digest}").json() == told
    trial = JOB["trial"] | {"code": f"studio:{digest}"}
    made = api.post("/workspaces/default/sweeps", JOB | {"trial": trial})
    assert made.status_code == 201, made.json()
    assert Sweep.objects.get().code == CodeSnapshot.objects.get()
    dry = api.post("/workspaces/default/sweeps?dry_run=1", JOB | {"trial": trial})
    assert dry.status_code == 200


def test_code_that_is_gone_from_the_disk_is_not_there(api: Caller) -> None:
    digest = api.upload(CODE, code=zipped(**{"a.py": "gone"})).json()["digest"]
    place = intake.code_root() / digest
    place.rename(place.with_name("moved"))
    assert api.get(f"{CODE}/{digest}").status_code == 404
    assert api.upload(CODE, code=zipped(**{"a.py": "gone"})).status_code == 200
    assert api.get(f"{CODE}/{digest}").status_code == 200
    (place.with_name("moved") / "a.py").unlink()
    place.with_name("moved").rmdir()


@pytest.mark.parametrize("name", ["nosuch", "", "../data", "a" * 64, "\0"])
def test_unknown_code_is_said_at_its_field(api: Caller, name: str) -> None:
    trial = JOB["trial"] | {"code": f"studio:{name}"}
    response = api.post("/workspaces/default/sweeps", JOB | {"trial": trial})
    assert (response.status_code, response.json()["error"]["field"]) == (422, "trial.code")


def test_another_workspaces_code_and_data_are_missing(api: Caller, stranger: Caller) -> None:
    digest = api.upload(CODE, code=zipped(**FILES)).json()["digest"]
    assert stranger.get(f"/workspaces/elsewhere/code/{digest}").status_code == 404
    data = api.upload(DATA, file=SimpleUploadedFile("a.csv", b"a,b")).json()["digest"]
    assert stranger.get(f"/workspaces/elsewhere/data/{data}").status_code == 404


def test_data_is_uploaded_once_and_named_by_a_job(api: Caller) -> None:
    def upload(name: str) -> Any:
        return api.upload(DATA, file=SimpleUploadedFile(name, b"a,b\n1,2\n"))

    first = upload("iris.csv")
    body = first.json()
    assert first.status_code == 201
    assert body == {
        "digest": sha(b"a,b\n1,2\n"),
        "name": "iris.csv",
        "path": str(place_of(settings.STUDIO_HOME / "data", body["digest"], "iris.csv")),
        "file_count": 1,
        "size": 8,
    }
    assert (upload("iris.csv").status_code, upload("other.csv").status_code) == (200, 201)
    path = f"{DATA}/{body['digest']}"
    assert api.get(path, name="iris.csv").json() == body
    assert api.get(path).json()["name"] == "other.csv"
    assert api.get(path, name="third.csv").status_code == 404
    trial = {"command": JOB["trial"]["command"] + " --data ${{inputs.iris}}"}
    job = JOB | {"trial": trial, "inputs": {"iris": {"type": "uri_file", "path": body["path"]}}}
    made = api.post("/workspaces/default/sweeps", job)
    assert made.status_code == 201, made.json()


def test_a_data_folder_comes_packed(api: Caller, folder: Path) -> None:
    body = api.upload(DATA, folder=zipped(**FILES)).json()
    digest = folder_digest(folder)
    assert (body["digest"], body["name"], body["file_count"]) == (digest, "", 2)
    assert (Path(body["path"]) / "src" / "train.py").read_text() == "print(1)\n"
    assert api.get(f"{DATA}/{digest}").json() == body


@pytest.mark.parametrize(
    ("path", "parts", "field", "words"),
    [
        (CODE, {}, "code", "zip"),
        (CODE, {"code": "no file"}, "code", "zip"),
        (CODE, {"code": SimpleUploadedFile("a.rar", b"x")}, "code", "neither"),
        (CODE, {"code": SimpleUploadedFile("a.zip", b"PK\3\4broken")}, "code", "cannot be read"),
        (CODE, {"code": zipped(**{"../x": ""})}, "code", "climbs out"),
        (DATA, {}, "file", "file"),
        (DATA, {"folder": SimpleUploadedFile("a.tgz", b"x")}, "folder", "cannot be read"),
        (DATA, {"file": zipped(a=""), "folder": zipped(a="")}, "file", "one file"),
    ],
)
def test_what_cannot_be_kept_is_said(
    api: Caller, path: str, parts: Any, field: str, words: str
) -> None:
    for part in parts.values():
        getattr(part, "seek", lambda at: None)(0)
    response = api.upload(path, **parts)
    error = response.json()["error"]
    assert (response.status_code, error["field"]) == (422, field)
    assert words in error["message"]


@pytest.mark.parametrize("path", [CODE, DATA, "/workspaces/default/sweeps"])
def test_more_than_the_cap_is_refused_unread(api: Caller, settings: Any, path: str) -> None:
    settings.STUDIO_UPLOAD_CAP_MB = 1
    response = api.upload(path, file=SimpleUploadedFile("a.bin", b"x" * 2**21), spec="x")
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    assert "1 MiB" in response.json()["error"]["message"]


def test_a_body_that_is_no_form_is_said(api: Caller, workspace: Workspace) -> None:
    kinds = ("application/json", "multipart/form-data", "multipart/form-data; boundary=x")
    for path in (CODE, DATA):
        for kind in kinds:
            response = api.client.post(f"/api/v1{path}", b"--x\r\nbroken", content_type=kind)
            assert response.status_code == 422, (path, kind, response.content)
            assert response.json()["error"]["code"] == "invalid"
