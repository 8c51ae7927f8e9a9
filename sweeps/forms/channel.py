"""The form of a channel: whom a workspace tells, and of what."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from sweeps.domain.notices import ChannelKind, Topic, web_address_problem
from sweeps.models import Channel

MOST_CHANNELS = 50
NO_MAIL = "This studio sends no mail: whoever runs it can name a mail server in STUDIO_SMTP_URL."


class ChannelForm(forms.ModelForm):
    """A channel, new or changed; the view gives the instance its workspace.

    The kind of one that there is stays. Its web address is not shown again, and an empty field
    keeps it.
    """

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.value) for kind in ChannelKind],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it is reached."},
    )

    class Meta:
        model = Channel
        fields = ["name", "kind", "address", "on_ended", "on_broken", "on_best", "is_on"]
        labels = {
            "on_ended": "A sweep ends: completed, failed or canceled",
            "on_broken": "A sweep breaks: it fails, or the studio pauses it",
            "on_best": "A trial is the best so far, once a minute at most",
            "is_on": "The channel is on",
        }
        help_texts = {"name": "What this page calls it, for example the room where it is read."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.address if self.instance.pk else ""
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        address = self.fields["address"]
        address.widget.attrs |= {"class": "mono", "autocomplete": "off", "spellcheck": "false"}
        if self.instance.pk:
            del self.fields["kind"]
            if self._kind != ChannelKind.EMAIL:
                address.required, self.initial["address"] = False, ""
                address.label = "New address"
                address.help_text = "Empty: it stays as it is."
        else:
            del self.fields["is_on"]

    @property
    def _kind(self) -> str:
        return self.instance.kind if self.instance.pk else self.cleaned_data.get("kind", "")

    def clean(self) -> dict[str, Any]:
        """An address that fits the kind, and something to tell."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "address" in data:
            data["address"] = data["address"].strip() or self.stored
            if problem := self._problem(data["address"]):
                self.add_error("address", problem)
        if not any(data.get(f"on_{topic}") for topic in Topic):
            self.add_error("on_ended", "Choose at least one thing to tell.")
        if not self.instance.pk:
            others = Channel.objects.filter(workspace=self.instance.workspace_id)
            if others.count() >= MOST_CHANNELS:
                raise ValidationError(f"A workspace has {MOST_CHANNELS} channels at most.")
        return data

    def _problem(self, address: str) -> str | None:
        if not self._kind:
            return None
        if self._kind != ChannelKind.EMAIL:
            return web_address_problem(address, private=settings.STUDIO_NOTIFY_PRIVATE)
        if not settings.STUDIO_SMTP_URL:
            return NO_MAIL
        try:
            validate_email(address)
        except ValidationError:
            return "Write one e-mail address, for example ann@example.org."
        return None
