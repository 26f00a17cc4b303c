"""What a browser's passkey dialog sends, and what a passkey is called."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django import forms

from owners.addresses import network_of
from owners.forms.accounts import refuse_but_sso
from owners.models import User
from owners.services import limits

LONGEST_CREDENTIAL = 20_000  # characters; a real one has about 1,500
UNKNOWN = "That passkey opens nothing here."
MOST = 20  # passkeys of one account


def _name() -> forms.CharField:
    return forms.CharField(max_length=60, label="Name", help_text="By which you tell it from others.")


class _Credential:
    """Whatever is not a well-formed credential is refused in words; the library would let some of it fail."""

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        if not isinstance(credential, dict) or len(str(credential)) > LONGEST_CREDENTIAL:
            raise forms.ValidationError(UNKNOWN)
        parent = getattr(super(), "clean_credential", None)
        try:
            return parent() if parent else credential
        except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
            raise forms.ValidationError(UNKNOWN) from error
        except forms.ValidationError as error:
            if error.code != "incorrect_code":
                raise
            raise forms.ValidationError(UNKNOWN) from error


class AddPasskeyForm(_Credential, webauthn._BaseAddWebAuthnForm):
    """A new passkey: kept by the device, and opened by finger, face or PIN alone."""

    name = _name()
    user: User

    def clean(self) -> Any:
        if Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).count() >= MOST:
            raise forms.ValidationError(f"An account has at most {MOST} passkeys. Remove one first.")
        self.cleaned_data["passwordless"] = True  # the library then asks for the finger, face or PIN
        try:
            return super().clean()
        except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
            raise forms.ValidationError(UNKNOWN) from error


class RenamePasskeyForm(webauthn.EditWebAuthnForm):
    name = _name()


class PasskeyForm(_Credential, webauthn.AuthenticateWebAuthnForm):
    """A passkey as the second factor."""


class ConfirmPasskeyForm(_Credential, webauthn.ReauthenticateWebAuthnForm):
    """A passkey of somebody who is signed in, before something that matters."""


class SignInPasskeyForm(_Credential, webauthn.LoginWebAuthnForm):
    """A passkey alone: it says whose it is."""

    def clean_credential(self) -> Any:
        refuse_but_sso()
        address = network_of(context.request)
        if not limits.take(limits.PER_PASSKEY, address):
            raise get_adapter().validation_error("too_many_login_attempts")
        found = super().clean_credential()
        limits.give_back(limits.PER_PASSKEY, address)
        return found


def options_for_new(user: User) -> dict[str, Any]:
    """What the browser's dialog needs to make a passkey that opens the account alone."""
    return {"creation_options": auth.begin_registration(user, True)}
