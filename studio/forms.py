"""Forms of the place: workspaces, members, tokens, computes."""

import os
import re
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.text import Truncator

from studio import isolation
from studio.models import Compute, Membership, Role, Secret, User, Workspace
from studio.models.compute import MAX_SLOTS
from studio.public import real_public
from studio.secrecy import hidden, kept, names_of

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class WorkspaceForm(forms.ModelForm):
    """A new workspace."""

    class Meta:
        model = Workspace
        fields = ["name", "title", "description"]
        help_texts = {
            "name": "Part of every address, so it stays. Lower-case letters, digits, - and _.",
            "title": "What people call it; may change.",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"class": "mono", "autofocus": True}

    def clean_name(self) -> str:
        """Case does not make another name."""
        name: str = self.cleaned_data["name"]
        if Workspace.objects.filter(name__iexact=name).exists():
            raise ValidationError(f"There is a workspace “{name}” already. Choose another name.")
        return name


class WorkspaceTextForm(forms.ModelForm):
    """What people call a workspace, and what it is for."""

    class Meta:
        model = Workspace
        fields = ["title", "description"]
        help_texts = {"title": "Shown instead of the name; addresses keep the name."}
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class MemberForm(forms.Form):
    """An account that becomes a member."""

    username = forms.CharField(
        label="Account",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.CONTRIBUTOR)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace

    def clean_username(self) -> User:
        """The account itself."""
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(username__iexact=name, is_active=True).first()
        if user is None:
            raise ValidationError(f"There is no account “{name}” in this studio.")
        if Membership.objects.filter(workspace=self.workspace, user=user).exists():
            raise ValidationError(f"{user} is a member already. Change the role in the list.")
        return user


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(choices=Role.choices)


NEVER = "never"
LIFETIMES = (
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    (NEVER, "never: it works until it is revoked"),
)


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(
        label="What it is for",
        max_length=120,
        widget=forms.TextInput(attrs={"placeholder": "nightly sweeps", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.CONTRIBUTOR)
    days = forms.ChoiceField(label="Ends after", choices=LIFETIMES, initial="90")

    def expires_at(self, now: datetime) -> datetime | None:
        """When it ends; None = never. Ask after is_valid()."""
        days = self.cleaned_data["days"]
        return None if days == NEVER else now + timedelta(days=int(days))


class VariablesWidget(forms.Widget):
    """Rows of name and value, posted as two parallel lists; an empty row counts for nothing."""

    template_name = "computes/_variables.html"
    spare_rows = 2

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The rows to draw: those there are, and some to fill in."""
        context = super().get_context(name, value, attrs)
        context["rows"] = [*(value or []), *[("", "")] * self.spare_rows]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        """The rows as typed."""
        if not isinstance(data, MultiValueDict):
            return list(data.get(name, []))
        names, values = data.getlist(f"{name}-name"), data.getlist(f"{name}-value")
        pairs = zip(names, values, strict=False)
        return [(key.strip(), value) for key, value in pairs if key.strip() or value]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Rows are left out by leaving them empty."""
        return False

    def id_for_label(self, id_: str) -> str:
        """A label points at the first name."""
        return f"{id_}-0" if id_ else ""


class VariablesField(forms.Field):
    """Environment variables as a dict of text; drawn as rows."""

    widget = VariablesWidget

    def prepare_value(self, value: Any) -> Any:
        """A dict as rows; typed rows as they are."""
        return list(hidden(value).items()) if isinstance(value, dict) else value

    def clean(self, value: Any) -> dict[str, str]:
        """The variables. Raises ValidationError naming each row that is wrong."""
        rows = value or []
        problems = [problem for row in rows if (problem := _row_problem(*row))]
        names = [name for name, _ in rows if name]
        twice = sorted({name for name in names if names.count(name) > 1})
        problems += [f"“{_cut(name)}” is there twice. Keep one of them." for name in twice]
        if problems:
            raise ValidationError(problems)
        return dict(rows)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """True if a row differs."""
        return dict(initial or {}) != dict(data or [])


def _row_problem(name: str, value: str) -> str | None:
    if not name:
        return f"The value “{_cut(value)}” has no name."
    if not _VARIABLE.fullmatch(name):
        rule = "use letters, digits and _, not starting with a digit"
        return f"“{_cut(name)}” cannot be a name: {rule}."
    return None if "\0" not in value else f"The value of “{_cut(name)}” holds a NUL character."


def _cut(text: str) -> str:
    """As much of what was typed as fits in a message."""
    return Truncator(text).chars(60)


def program_problem(path: str, *, apart: bool = False) -> str | None:
    """Why `path` is no program of this machine, None if it is one.

    `apart`: of those that its every user may run; of others it is not said whether they are there.
    """
    if not os.path.isabs(path):
        return f"Write the full path, beginning with /, but got “{_cut(path)}”."
    if apart:
        is_one = _is_open_to_all(path)
        return None if is_one else f"{_cut(path)} is no program that all users here may run."
    if not os.path.isfile(path):
        return f"There is no file {_cut(path)} on this machine."
    if not os.access(path, os.X_OK):
        return f"{_cut(path)} cannot be run: it is not executable."
    return None


def _is_open_to_all(path: str) -> bool:
    try:
        found = real_public(Path(path)).lstat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found) and bool(found & stat.S_IXOTH)


class ComputeForm(forms.ModelForm):
    """A compute of kind `local`, new or changed; the view gives the instance its workspace."""

    environment_variables = VariablesField(
        required=False,
        help_text="Every trial here gets them; a sweep's own ones win. ${{secrets.NAME}} is filled "
        "in with a secret of the workspace when a trial starts.",
    )
    is_default = forms.BooleanField(
        label="New sweeps take this compute unless they name another", required=False
    )

    class Meta:
        model = Compute
        fields = [
            "name", "slots", "python", "description", "environment_variables", "is_default",
            "isolated", "preload", "preload_modules",
        ]  # fmt: skip
        labels = {
            "python": "Python interpreter",
            "isolated": "Isolated: trials run as an operating-system user of this workspace",
            "preload": "Preload imports: trials of Python scripts start without waiting for them",
            "preload_modules": "Modules to preload",
        }
        error_messages = {
            "slots": dict.fromkeys(
                ("required", "invalid", "min_value", "max_value"),
                f"Write a whole number from 1 to {MAX_SLOTS:,}.",
            )
        }
        help_texts = {
            "name": "What job files call it. Lower-case letters, digits, - and _.",
            "isolated": "They can then read neither the studio’s own files, nor those of other "
            "workspaces, nor its processes. Without it, everybody who may run sweeps here shares "
            "one trust domain with the studio.",
            "preload": "They are forked from a process that has imported what the script imports. "
            "It ends a minute after the last trial began. What cannot be forked faithfully starts "
            "afresh, and its page says why.",
            "preload_modules": "Empty: those that the script’s text imports.",
            "slots": f"How many trials run at the same time, from 1 to {MAX_SLOTS:,}.",
            "python": "Full path of the program that <code>python</code> means in commands. "
            "Empty: the studio's own, which has MLflow.",
        }
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "preload_modules": forms.TextInput(
                attrs={
                    "class": "mono",
                    "placeholder": "numpy lightgbm sklearn.ensemble",
                    "spellcheck": "false",
                }
            ),
            "python": forms.TextInput(
                attrs={
                    "class": "mono",
                    "placeholder": "/home/me/project/.venv/bin/python",
                    "spellcheck": "false",
                }
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"class": "mono", "autocomplete": "off"}
        if settings.STUDIO_ISOLATED_ONLY:
            self.fields["isolated"].disabled = True
            self.fields["isolated"].help_text = "All computes of this studio are isolated."
            self.initial["isolated"] = True

    def clean(self) -> dict[str, Any]:
        """Isolated only where that works, which is tried when it is turned on."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        is_new = self.instance.pk is None or {"isolated", "python"} & {*self.changed_data}
        if found.get("isolated") and is_new:
            problems = isolation.problems(found.get("python", ""))
            self.add_error("isolated", ValidationError(problems)) if problems else None
        return found

    def clean_name(self) -> str:
        """Case does not make another name."""
        name: str = self.cleaned_data["name"]
        rivals = Compute.objects.filter(workspace=self.instance.workspace_id, name__iexact=name)
        if rivals.exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"There is a compute “{name}” already. Choose another name.")
        return name

    def clean_preload_modules(self) -> str:
        """Dotted names, with blanks between them."""
        names = self.cleaned_data["preload_modules"].replace(",", " ").split()
        for name in names:
            if not all(part.isidentifier() for part in name.split(".")):
                raise ValidationError(f"“{_cut(name)}” is no module’s name, such as sklearn.svm.")
        return " ".join(names)

    def clean_environment_variables(self) -> dict[str, str]:
        """With what was shown as *** as it was, and no secret that is not there."""
        former = self.instance.environment_variables if self.instance.pk else {}
        variables = kept(self.cleaned_data["environment_variables"], former)
        rows = Secret.objects.filter(workspace=self.instance.workspace_id)
        there = set(rows.values_list("name", flat=True))
        missing = [name for name in names_of(variables) if name not in there]
        if missing:
            raise ValidationError(
                [f"This workspace has no secret “{_cut(name)}”." for name in missing]
            )
        return variables

    def clean_python(self) -> str:
        """A program that is there; on this machine that can be said at once."""
        path: str = self.cleaned_data["python"].strip()
        apart = settings.STUDIO_ISOLATED_ONLY
        if path and (problem := program_problem(path, apart=apart)):
            raise ValidationError(problem)
        return path
