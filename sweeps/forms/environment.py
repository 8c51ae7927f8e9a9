"""The form of an environment: what jobs of a workspace call by name."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from studio.forms import program_problem
from studio.models import Compute
from sweeps.models import Environment, EnvironmentKind

# Far more than people write; so that no page has to show more.
_MOST = 100_000


class EnvironmentForm(forms.ModelForm):
    """An environment, new or changed; the view gives the instance its workspace.

    Whether packages and conda files can be used, the view asks those who read them.
    """

    # Not stripped: errors count lines.
    source = forms.CharField(
        max_length=_MOST,
        strip=False,
        widget=forms.Textarea(attrs={"class": "mono", "rows": 8, "spellcheck": "false"}),
    )

    class Meta:
        model = Environment
        fields = ["name", "kind", "source", "description"]
        help_texts = {
            "name": "What job files call it. Letters, digits, ., - and _.",
        }
        widgets = {"kind": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"class": "mono", "autocomplete": "off"}

    def clean_name(self) -> str:
        """Case does not make another name."""
        name: str = self.cleaned_data["name"]
        rivals = Environment.objects.filter(workspace=self.instance.workspace, name__iexact=name)
        if rivals.exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"There is an environment “{name}” already. Choose another name.")
        return name

    def clean(self) -> dict[str, Any]:
        """One kind of line end; a program that is there."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        source: str = data.get("source", "").replace("\r\n", "\n")
        if "source" not in data:
            return data
        if not source.strip():
            self.add_error("source", "Say what it holds: at least one line.")
        elif data.get("kind") == EnvironmentKind.PYTHON:
            source = source.strip()
            if problem := program_problem(source, apart=self._is_apart()):
                self.add_error("source", problem)
        return data | {"source": source}

    def _is_apart(self) -> bool:
        """Whether nobody here runs programs as the studio's own user, who may look anywhere."""
        here = self.instance.workspace.computes.all()
        return all(compute.is_isolated for compute in here) and (
            settings.STUDIO_ISOLATED_ONLY or Compute.objects.filter(isolated=True).exists()
        )
