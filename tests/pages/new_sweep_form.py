"""The new-sweep form in the hands of one person without JavaScript."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from studio.models import User, Workspace
from sweeps.models import Sweep
from tests.pages.posted import PostedForm

SCRIPT = """
import argparse, mlflow
p = argparse.ArgumentParser()
p.add_argument("--learning-rate", type=float, default=0.1)
p.add_argument("--boosting", choices=["gbdt", "dart"], default="gbdt")
p.add_argument("--data", required=True)
a = p.parse_args()
mlflow.log_metric("val-auc", a.learning_rate)
"""
# What makes an empty form complete.
COMPLETE = {
    "command": "python train.py --lr ${{search_space.lr}}",
    "row-0-name": "lr",
    "row-0-min_value": "0.1",
    "row-0-max_value": "0.9",
    "primary_metric": "loss",
}


def script(text: str = SCRIPT, name: str = "train.py") -> SimpleUploadedFile:
    """A training script to upload."""
    return SimpleUploadedFile(name, text.encode())


class Form:
    """The form as the last answer holds it, and its buttons."""

    def __init__(self, user: User, workspace: Workspace, query: str = "") -> None:
        self.client = Client()
        self.client.force_login(user)
        self.url = reverse("sweep_new", args=[workspace.name])
        self._take(self.client.get(self.url + query))

    def afresh(self) -> "Form":
        """The page opened once more."""
        self._take(self.client.get(self.url))
        return self

    def _take(self, response) -> None:
        self.response, self.text = response, response.content.decode()
        self.form = PostedForm(self.text, "sweep-form")

    def press(self, action: str, files=None, htmx: bool = False, **changes) -> "Form":
        """Press a button that the page offers, with some fields changed before."""
        offered = {value for name, value in self.form.buttons if name == "action"}
        assert action in offered, f"no button {action} among {sorted(offered)}"
        data = {**self.form.with_(**changes), "action": action, **(files or {})}
        headers = {"HX-Request": "true"} if htmx else {}
        self._take(self.client.post(self.url, data, headers=headers))
        return self

    def __getitem__(self, name: str) -> str | list[str]:
        values = self.form.fields[name]
        return values[0] if len(values) == 1 else values


def rejected_at(form: Form, field: str) -> str:
    """The last answer refuses this field: it is marked, and linked from the review."""
    assert form.response.status_code == 422, form.text[-2000:]
    assert f"f-{field}" in form.form.invalid, form.form.invalid
    assert f"#f-{field}" in form.form.links
    assert not Sweep.objects.exists()
    return form.text
