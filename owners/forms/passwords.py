"""Passwords that people choose, change and confirm: the rules in words, and an end to their length.

An overlong one is refused before anything is computed from it. That one letter can be typed in two ways is
the model's matter (owners.models.User).
"""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from django import forms
from django.core.validators import MaxLengthValidator

from owners.models import User

LONGEST = 4096  # characters; any password manager's fits, and hashing stays cheap
RULES = (
    "At least 10 characters, not digits alone, none of the common ones, and not like your name or address. "
    "Letters of any script, signs and spaces count. A few words are easier to remember than signs."
)
LABELS = {"oldpassword": "Current password", "password1": "New password", "password2": "New password again"}
TOO_LONG = f"This is longer than {LONGEST} characters. Choose a shorter one."


def new_password() -> forms.CharField:
    """The field in which somebody chooses one for the first time."""
    return forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=RULES,
        error_messages={"required": "Choose a password."},
        validators=[MaxLengthValidator(LONGEST, TOO_LONG)],
    )


class Bounded:
    """A form whose passwords end somewhere, and which says the rules beside the one that is chosen."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.PasswordInput):
                field.validators = [*field.validators, MaxLengthValidator(LONGEST, TOO_LONG)]
                field.widget.attrs.pop("placeholder", None)  # the label says it already
            if name == "password1":
                field.help_text = RULES
            if name in LABELS:
                field.label = LABELS[name]


class ChangePasswordForm(Bounded, account.ChangePasswordForm):
    user: User

    def clean_oldpassword(self) -> str:
        """Counted as a try to sign in: an open browser is no place to guess from either."""
        password = str(self.cleaned_data["oldpassword"])
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class SetPasswordForm(Bounded, account.SetPasswordForm):
    """The first password of somebody who has come in another way."""


class ResetPasswordKeyForm(Bounded, account.ResetPasswordKeyForm):
    """A new one, after the link of the mail."""


class ConfirmPasswordForm(Bounded, account.ReauthenticateForm):
    """Before something that matters."""
