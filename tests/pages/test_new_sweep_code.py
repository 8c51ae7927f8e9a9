"""Training code and inputs in the new-sweep form, and what a script fills in."""

import io
import tarfile
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from studio.models import Workspace
from sweeps.models import CodeSnapshot, Sweep
from tests.pages.new_sweep_form import COMPLETE, SCRIPT, rejected_at, script

pytestmark = pytest.mark.django_db


def archive(*entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, text in entries:
            out.writestr(name, text)
    return buffer.getvalue()


def linked():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        link = tarfile.TarInfo("train.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("code.zip", archive(("../train.py", "x")), "climbs out of the archive"),
        ("code.tar.gz", linked(), "is a link or a device"),
        ("code.zip", b"no zip at all", "cannot be read as an archive"),
        ("code.zip", archive(), "There is no file in it."),
        ("notes.ipynb", b"{}", "Upload a .py, .zip or .tar.gz"),
    ],
)
def test_bad_code_is_refused_and_the_form_stays(form, name, content, says):
    file = SimpleUploadedFile(name, content)
    form.press("upload", files={"code_file": file}, **COMPLETE)
    assert says in rejected_at(form, "code_file")
    assert form["primary_metric"] == "loss"
    assert not CodeSnapshot.objects.exists()


def test_upload_without_a_file_says_what_to_do(form):
    assert "Choose a .py" in form.press("upload").text


def test_an_uploaded_script_fills_in_the_form(form):
    form.press("upload", files={"code_file": script()})
    assert form.response.status_code == 200
    assert form["code"] == CodeSnapshot.objects.get().digest
    assert form["entry"] == "train.py"
    assert form["command"].startswith("python train.py --learning-rate ${{search_space.learning")
    assert form["row-0-name"] == "learning_rate"
    assert form["row-1-values"] == "gbdt, dart"
    assert form["primary_metric"] == "val-auc"
    assert form["goal"] == "maximize"
    assert form["input_name"] == "data"
    assert form["input_kind"] == "uri_file"
    assert "3 options, 1 logged metric" in form.text
    assert "2 options became search-space rows" in form.text


def test_undo_gives_back_the_form_as_it_was_and_keeps_the_code(form):
    form.press("upload", files={"code_file": script()}, **{"row-0-name": "mine"})
    assert form["row-0-name"] == "mine", "rows that were typed stay"
    form.press("undo_read")
    assert form["command"] == ""
    assert form["primary_metric"] == ""
    assert form["row-0-name"] == "mine"
    assert form["code"]
    assert "input_name" not in form.form.fields


def test_what_was_typed_is_not_overwritten_by_a_script(form):
    form.press("upload", files={"code_file": script()}, **COMPLETE)
    assert form["command"] == COMPLETE["command"]
    assert form["row-0-name"] == "lr"
    assert form["primary_metric"] == "loss"


def test_another_entry_script_replaces_what_the_first_one_proposed(form):
    other = SCRIPT.replace("learning-rate", "alpha").replace("val-auc", "loss")
    package = archive(("proj/train.py", SCRIPT), ("proj/other.py", other))
    form.press("upload", files={"code_file": SimpleUploadedFile("p.zip", package)})
    assert form["entry"] == "train.py"
    form.press("preview", entry="other.py")
    assert form["row-0-name"] == "alpha"
    assert "python other.py" in form["command"]
    assert form["primary_metric"] == "loss"
    form.press("undo_read")
    assert form["row-0-name"] == ""


def test_a_script_that_cannot_be_parsed_is_kept_and_says_so(form):
    form.press("upload", files={"code_file": script("def broken(:\n")})
    assert form["code"]
    assert "train.py line 1" in form.text


def test_a_folder_of_this_machine_is_kept(form, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    form.press("use_folder", code_folder=str(tmp_path))
    assert form["code_origin"] == str(tmp_path)
    assert form["row-0-name"] == "learning_rate"


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("", "Name a folder"),
        ("train", "Write the whole path"),
        ("/no/such/folder", "There is no /no/such/folder on this machine"),
        ("~nosuchuser/x", "There is no ~nosuchuser/x on this machine"),
        ("/", "own data"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_told(form, folder, says):
    assert says in rejected_at(form.press("use_folder", code_folder=folder), "code_folder")


def test_the_studios_own_folder_is_no_code(form, settings):
    form.press("use_folder", code_folder=str(settings.STUDIO_HOME))
    assert "own data" in rejected_at(form, "code_folder")


def test_code_of_another_workspace_is_not_to_be_had_by_its_digest(form, bob):
    form.press("upload", files={"code_file": script()})
    CodeSnapshot.objects.update(workspace=Workspace.objects.create(name="other"))
    form.press("submit", **COMPLETE)
    assert form.response.status_code == 422
    assert "not kept in this workspace" in form.text
    assert "1 file," not in form.text
    assert not Sweep.objects.exists()


def test_a_digest_that_is_none_is_refused(form):
    form.press("submit", **COMPLETE, code="../../etc")
    assert form.response.status_code == 422
    assert "not kept in this workspace" in form.text


def test_the_script_that_the_command_runs_is_read(form):
    files = ("train.py", SCRIPT), ("tune.py", SCRIPT.replace("val-auc", "f1")), ("a.txt", "")
    code = SimpleUploadedFile("code.zip", archive(*files))
    command = "cd . && python ./tune.py --lr ${{search_space.lr}}"
    form.press("upload", files={"code_file": code}, command=command)
    assert form["entry"] == "tune.py"
    assert form["primary_metric"] == "f1"


def test_a_script_adds_no_input_that_the_command_does_not_name(form):
    form.press("upload", files={"code_file": script()}, **COMPLETE)
    assert form["command"] == COMPLETE["command"]
    assert "input_name" not in form.form.fields
    form.press("submit")
    assert form.response.status_code == 302, "nothing asks for a path"


def test_an_uploaded_input_becomes_a_path_and_shows_its_name(form, settings):
    form.press("add_input").press("preview", input_kind="uri_file")
    file = SimpleUploadedFile("iris.csv", b"a,b\n1,2\n")
    form.press("preview", files={"input_file-0": file}, input_name="table")
    assert form["input_value"].startswith(str(settings.STUDIO_HOME / "data"))
    assert form["input_name"] == "table"
    assert "iris.csv" in form.text
    assert "8 B" in form.text


def test_an_input_that_is_too_large_is_told(form, settings):
    settings.STUDIO_UPLOAD_CAP_MB = 1
    form.press("add_input").press("preview", input_kind="uri_file", input_name="a")
    file = SimpleUploadedFile("big.csv", b"x" * (2**20 + 1))
    form.press("preview", files={"input_file-0": file})
    assert "larger than 1 MiB" in rejected_at(form, "inputs-0-value")
