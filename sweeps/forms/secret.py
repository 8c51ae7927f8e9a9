"""The form of a secret: what was typed as its value is never drawn again, nor after an error."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from studio.models import Secret, Workspace
from studio.secrecy import MAX_LENGTH, MIN_LENGTH, NAME_PATTERN, NAME_RULE
from studio.secret_services import MOST_SECRETS


class _Unshown(forms.Textarea):
    """Takes a text (keys have several lines), and always comes empty."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Without the value."""
        return super().get_context(name, None, attrs)


class SecretForm(forms.Form):
    """A secret of `workspace`, new or in place of the one of that name."""

    name = forms.RegexField(
        NAME_PATTERN,
        max_length=63,
        help_text="Sweeps call it <code>${{secrets.NAME}}</code>. A name that there is gets the "
        "new value.",
        error_messages={"required": "Name the secret.", "invalid": NAME_RULE},
    )
    value = forms.CharField(
        strip=False,
        max_length=MAX_LENGTH,
        widget=_Unshown(attrs={"rows": 3, "class": "mono"}),
        help_text="Nobody is shown it again.",
        error_messages={"required": "Give the value."},
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._workspace = workspace
        for field in self.fields.values():
            field.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["name"].widget.attrs["class"] = "mono"

    def clean_value(self) -> str:
        """As typed, but for line ends, which browsers send their own way, and one at the end."""
        value: str = self.cleaned_data["value"].replace("\r\n", "\n").removesuffix("\n")
        if "\0" in value or value.encode(errors="replace").decode() != value:
            raise ValidationError("A secret is a text, without NUL and halves of characters.")
        if len(value.strip()) < MIN_LENGTH:
            raise ValidationError(
                f"A secret has {MIN_LENGTH} characters at least: shorter ones cannot be taken out "
                "of logs."
            )
        return value

    def clean(self) -> dict[str, Any]:
        """Not more secrets than a workspace may have."""
        rows = Secret.objects.filter(workspace=self._workspace)
        name = self.cleaned_data.get("name")
        if name and rows.count() >= MOST_SECRETS and not rows.filter(name=name).exists():
            raise ValidationError(f"A workspace has {MOST_SECRETS} secrets at most.")
        return self.cleaned_data
