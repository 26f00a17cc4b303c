"""What an admin or an executive types about others."""

from typing import Any

from django import forms
from django.conf import settings

from owners.models import Leader, Role, Team, User
from owners.rules import can
from owners.services.joining import Newcomer
from owners.services.leaders import LeaderText

NEW_LEADER = "+"  # a leader's key never holds this sign


def roles_to_give(by: User) -> list[tuple[str, str]]:
    """The roles that this person's invitations can have."""
    return [choice for choice in Role.choices if choice[0] != Role.ADMIN or can(by, "people.manage")]


def of_leader(key: str) -> dict[str, str]:
    """The invitation of a leader who has no account, as far as it is known; {} of anybody else."""
    leader = (
        Leader.objects.filter(key=key[:80], user=None, archived_at=None).first()
        if key.isprintable()
        else None
    )
    if leader is None:
        return {}
    return {"name": leader.name, "email": leader.email, "role": Role.LEADER, "leader": leader.key}


class InviteForm(forms.Form):
    """An invitation. Only admins may make admins; the service checks that again."""

    name = forms.CharField(max_length=200)
    email = forms.EmailField(label="E-mail")
    role = forms.ChoiceField(initial=Role.VIEWER)
    leader = forms.ChoiceField(
        required=False,
        label="Also a leader",
        help_text="A leader answers for metrics. To check in, the role is leader or above.",
    )
    leader_name = forms.CharField(
        max_length=200,
        required=False,
        label="Name as a leader",
        help_text="Of a new leader. Left empty, the name above.",
    )
    title = forms.CharField(max_length=200, required=False, label="Title")
    team = forms.ModelChoiceField(
        Team.objects.filter(archived_at=None),
        required=False,
        to_field_name="key",
        empty_label="no team",
        label="Team",
    )
    confirmed = forms.BooleanField(required=False, label="It is somebody else", widget=forms.HiddenInput)
    by_mail = forms.BooleanField(required=False, initial=True, label="Send the link by mail")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.MAIL_SERVER:
            del self.fields["by_mail"]
        self.fields["role"].choices = roles_to_give(by)  # type: ignore[attr-defined]
        if can(by, "people.leaders"):
            free = Leader.objects.filter(user=None, archived_at=None).values_list("key", "name")
            offered = [("", "no"), (NEW_LEADER, "yes, a new one"), *free]
            self.fields["leader"].choices = offered  # type: ignore[attr-defined]
        else:
            for name in ("leader", "leader_name", "title", "team", "confirmed"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("leader") != NEW_LEADER and "leader" not in self.errors:
            for name in ("leader_name", "title", "team"):
                if given.get(name):
                    self.add_error(
                        name, "This is said of a new leader: choose that above, or leave it empty."
                    )
        return given

    @property
    def newcomer(self) -> Newcomer:
        """Whom a valid form invites."""
        given = self.cleaned_data
        chosen, new = given.get("leader", ""), None
        if chosen == NEW_LEADER:
            name = given["leader_name"] or given["name"]
            new = LeaderText(name, title=given["title"], team=given["team"], email=given["email"])
        return Newcomer(
            email=given["email"],
            name=given["name"],
            role=given["role"],
            leader_key=None if new or not chosen else chosen,
            new_leader=new,
            confirmed=given.get("confirmed", False),
        )


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class ActiveForm(forms.Form):
    """`active` is "yes" or "no": a missing tick must not deactivate anybody."""

    active = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
