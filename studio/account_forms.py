"""Forms of accounts: signing in, one's own account, passwords."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm

from studio.models import User

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


def password_form(user: User, asks_old: bool, data: Any = None) -> SetPasswordForm:
    """The form for a new password; with the old one where that is asked for."""
    kind = PasswordChangeForm if asks_old else SetPasswordForm
    form = kind(user, data)
    form.fields["new_password1"].help_text = RULES
    form.fields["new_password2"].label = "The same once more"
    form.fields["new_password2"].help_text = ""
    return form
