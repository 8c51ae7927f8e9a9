"""The form of a compute of any kind: what all have, and the settings of its own."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings as studio_settings
from django.core.exceptions import ValidationError

from studio.forms import ComputeForm as PlaceForm
from sweeps.domain.computes.kinds import KINDS
from sweeps.domain.computes.settings import SETTINGS, Field
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown

# The code of errors that stand in `ComputeForm.apart` too.
APART = "apart"
# What only processes of this machine can be.
_HERE = ("isolated", "preload", "preload_modules")


class ComputeForm(PlaceForm):
    """A compute, new or changed. Its kind is the instance's, or `kind` where that is new.

    `settings` are settings that REST sends, over those that the compute has; the page's form has a
    field for each, named `settings.<name>`.
    """

    def __init__(
        self,
        data: Any = None,
        *args: Any,
        instance: Any,
        kind: str | None = None,
        settings: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._wanted, self._settings = kind, settings
        # Those of what the form has no field for, REST's above all.
        self.apart: list[Problem] = []
        if kind in KINDS and instance.pk is None:
            instance.kind = kind
        self.kind = KINDS[instance.kind]
        super().__init__(data, *args, instance=instance, **kwargs)
        for field in self.kind.settings.FIELDS:
            name = f"{SETTINGS}.{field.name}"
            self.fields[name] = _drawn(field)
            self.initial[name] = instance.settings.get(field.name, "")
        if not self.kind.is_here:
            self._only_far()

    def _only_far(self) -> None:
        for name in _HERE:
            del self.fields[name]
        self.fields["slots"].label = "Trials at the same time"
        self.fields[
            "slots"
        ].help_text = (
            "Up to so many are handed to the cluster at a time; it decides when each begins."
        )
        if not self.kind.shares_files:
            self.fields["python"].help_text = (
                "Full path on the nodes of the program that <code>python</code> means in commands. "
                "Empty: the Python in which the cluster runs its jobs."
            )

    def clean_python(self) -> str:
        """A program of other machines is looked for there, by the test of the compute."""
        if self.kind.shares_files:
            return super().clean_python()
        path: str = self.cleaned_data["python"].strip()
        if path and not path.startswith("/"):
            raise ValidationError("Write the full path that it has on the nodes.")
        return path

    @property
    def own_fields(self) -> list[Any]:
        """The fields of its kind's settings, for the page."""
        return [self[f"{SETTINGS}.{field.name}"] for field in self.kind.settings.FIELDS]

    def clean(self) -> dict[str, Any]:
        """What the settings say, told as a whole; and what this kind cannot be."""
        found = super().clean()
        self._check_kind()
        try:
            read = self.kind.settings.read(self._typed())
        except InvalidInput as error:
            for problem in error.problems:
                self._tell(problem.field, problem.message)
        else:
            self.instance.settings = read.doc()
        return found

    def _check_kind(self) -> None:
        if self._wanted is not None and self._wanted not in KINDS:
            known = ", ".join(KINDS)
            self._tell("kind", f"There is no kind {shown(self._wanted)}. Use one of: {known}.")
        elif self._wanted is not None and self._wanted != self.kind.name:
            self._tell("kind", f"It stays of the kind {self.kind.name}; make another compute.")
        if self.kind.is_here:
            return
        if studio_settings.STUDIO_ISOLATED_ONLY:
            self._tell("kind", "All computes of this studio are isolated, which this kind is not.")
        elif self.data.get("isolated"):
            self._tell("isolated", "Only computes of this machine can be isolated.")

    def _typed(self) -> Mapping[str, Any]:
        if self._settings is not None:
            return {**self.instance.settings, **self._settings}
        names = [field.name for field in self.kind.settings.FIELDS]
        there = {name: self.data.get(f"{SETTINGS}.{name}") for name in names}
        if not any(value is not None for value in there.values()):
            return self.instance.settings  # REST, which named none
        return there

    def _tell(self, where: str, message: str) -> None:
        if where in self.fields:
            self.add_error(where, message)
        else:
            self.apart.append(Problem(where, message))
            self.add_error(None, ValidationError(message, code=APART))


class _Drawn(forms.CharField):
    """Shown as required, and judged with the other settings: REST names those alone that change."""

    def validate(self, value: Any) -> None:
        """See `ComputeForm.clean`."""


def _drawn(field: Field) -> forms.CharField:
    attrs = {"class": "mono", "placeholder": field.example, "spellcheck": "false"}
    attrs |= {"autocomplete": "off"}
    widget = forms.Textarea(attrs=attrs | {"rows": 3}) if field.lines else forms.TextInput(attrs)
    return _Drawn(
        label=field.label,
        help_text=field.help,
        required=bool(field.needed),
        max_length=4000,
        widget=widget,
    )
