"""Forms of accounts: signing in, one's own account, passwords."""

from typing import Any

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    SetPasswordForm,
    UsernameField,
)
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from studio.models import Role, User

# What AUTH_PASSWORD_VALIDATORS ask for, in one sentence.
RULES = (
    "At least 8 characters; no common password, not digits alone, and not like your name or e-mail."
)


class SignInForm(AuthenticationForm):
    """Name and password. Whatever is wrong with them, the answer is the same."""

    error_messages = {
        "invalid_login": "This name and password do not fit. Mind capital letters.",
        "inactive": "This name and password do not fit. Mind capital letters.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Name"
        self.fields["username"].widget.attrs |= {"spellcheck": "false"}


class AccountForm(forms.ModelForm):
    """What others see of a person, and where mail goes."""

    class Meta:
        model = User
        fields = ["first_name", "email"]
        labels = {"first_name": "Full name", "email": "E-mail"}
        help_texts = {
            "first_name": "Shown to the members of your workspaces beside your account's name.",
            "email": "Seen by administrators of the studio only.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_name"].widget.attrs |= {"autocomplete": "name"}
        self.fields["email"].widget.attrs |= {"autocomplete": "email"}


class InvitationForm(forms.Form):
    """Somebody to invite into a workspace."""

    email = forms.EmailField(
        label="E-mail",
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "ann@example.org"}),
    )
    note = forms.CharField(
        label="Who it is for",
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Ann, summer intern"}),
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.CONTRIBUTOR)

    def clean(self) -> dict[str, Any]:
        """The list has to call it something."""
        data = super().clean() or {}
        if not self.errors and not data.get("email") and not data.get("note"):
            self.add_error("note", "Say who it is for, so that you know it in the list.")
        return data


class NewAccountForm(SetPasswordForm):
    """A name and a password for somebody who was invited."""

    username = UsernameField(
        label="Name",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text="What you sign in with. Letters, digits and @ . + - _",
    )
    full_name = forms.CharField(
        label="Full name",
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["username", "full_name", "new_password1", "new_password2"]

    def __init__(self, data: Any = None) -> None:
        super().__init__(User(), data)
        plain_words(self)
        self.fields["username"].widget.attrs |= {"spellcheck": "false"}

    def clean_username(self) -> str:
        """Case does not make another name. The password must not be like it."""
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(f"There is an account “{name}” already. Choose another name.")
        self.user.username = name
        return name


def plain_words(form: SetPasswordForm) -> None:
    """Rules in one sentence instead of Django's list."""
    form.fields["new_password1"].help_text = RULES
    form.fields["new_password2"].label = "The same once more"
    form.fields["new_password2"].help_text = ""


def password_form(user: User, asks_old: bool, data: Any = None) -> SetPasswordForm:
    """The form for a new password; with the old one where that is asked for."""
    kind = PasswordChangeForm if asks_old else SetPasswordForm
    form = kind(user, data)
    plain_words(form)
    return form
