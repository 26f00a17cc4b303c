"""What an admin or an executive types about others."""

from typing import Any

from django import forms
from django.conf import settings

from owners.models import Role, User
from owners.rules import can


def roles_to_give(by: User) -> list[tuple[str, str]]:
    """The roles that this person's invitations can have."""
    return [choice for choice in Role.choices if choice[0] != Role.ADMIN or can(by, "people.manage")]


class InviteForm(forms.Form):
    """An invitation. Only admins may make admins; the service checks that again."""

    name = forms.CharField(max_length=200)
    email = forms.EmailField(label="E-mail")
    role = forms.ChoiceField(initial=Role.VIEWER)

    by_mail = forms.BooleanField(required=False, initial=True, label="Send the link by mail")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.MAIL_SERVER:
            del self.fields["by_mail"]
        self.fields["role"].choices = roles_to_give(by)  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class ActiveForm(forms.Form):
    """`active` is "yes" or "no": a missing tick must not deactivate anybody."""

    active = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
