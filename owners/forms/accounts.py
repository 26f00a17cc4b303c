"""What a person types to come in: the first admin, an invited person, a second factor."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, ResetPasswordForm
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.conf import settings
from django.http import HttpRequest

from owners.addresses import network_of
from owners.forms.passwords import Bounded, new_password
from owners.models import User
from owners.services import limits
from owners.services.accounts import mail_new_password
from owners.sso.provider import sso_only


def _autocomplete(token: str, widget: type[forms.widgets.Input] = forms.TextInput) -> forms.widgets.Input:
    return widget(attrs={"autocomplete": token})


class FirstAdminForm(forms.Form):
    """The first admin of an empty installation."""

    name = forms.CharField(max_length=200, label="Your name", widget=_autocomplete("name"))
    email = forms.EmailField(label="E-mail", widget=_autocomplete("username", forms.EmailInput))
    password = new_password()


class JoinForm(forms.Form):
    """An invited person's password."""

    name = forms.CharField(max_length=200, label="Your name", required=False, widget=_autocomplete("name"))
    password = new_password()


class SignInForm(Bounded, LoginForm):
    """E-mail and password, unless the operator has single sign-on only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_address(self.fields["login"])

    def clean(self) -> Any:
        refuse_but_sso()
        return super().clean()


class ForgottenForm(ResetPasswordForm):
    """The address to which a link for a new password goes, whether or not there is such an account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_address(self.fields["email"])

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        within = limits.take(limits.PER_RESET_ADDRESS, network_of(context.request))
        if not (limits.take(limits.PER_RESET, email.lower()) and within):
            raise get_adapter().validation_error("too_many_login_attempts")
        found: str = super().clean_email()
        return found

    def clean(self) -> Any:
        refuse_but_sso()
        return super().clean()

    def save(self, request: HttpRequest, **more: Any) -> str:
        """Into the outbox: the answer neither waits for the mail server nor tells, by how long it takes,
        whether there is such an account."""
        for user in self.users:
            mail_new_password(user)
        return str(self.cleaned_data["email"])


def name_address(field: forms.Field) -> None:
    """Calls the library's field as every other form here does; its placeholder would say the same again."""
    field.label = "E-mail"
    field.widget.attrs.pop("placeholder", None)


def refuse_but_sso() -> None:
    """Raises ValidationError where people come in by single sign-on only."""
    if sso_only(settings.OIDC):
        raise forms.ValidationError(f"Passwords are switched off here. Sign in with {settings.OIDC.name}.")


class _Counted:
    """A code whose tries are counted, and which is good once, where a lost cache does not forget it."""

    user: User

    def clean_code(self) -> Any:
        subject = str(self.user.pk)
        if not limits.take(limits.PER_CODE, subject):
            raise get_adapter().validation_error("too_many_login_attempts")
        code = super().clean_code()  # type: ignore[misc]
        if not limits.take(limits.PER_USE, f"{subject} {normalize_user_code(code)}"):
            raise get_mfa_adapter().validation_error("incorrect_code")
        limits.give_back(limits.PER_CODE, subject)
        return code


class CodeForm(_Counted, AuthenticateForm):
    """The second factor, after the password."""


class ConfirmCodeForm(_Counted, ReauthenticateForm):
    """The same of somebody who is signed in, before something that matters."""
