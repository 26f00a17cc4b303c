"""What is typed about leaders, teams and leave. The services check it; `confirmed` is about look-alikes."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Q

from owners.models import Leader, Leave, Team, User
from owners.services.leaders import LeaderText
from owners.services.leave import token_of

_DATE = {"invalid": "Write the date like 2026-09-30."}


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "fit"}, format="%Y-%m-%d")


class LeaderForm(forms.Form):
    """A leader. `key` is asked for a new one alone: it stands in definitions files and addresses."""

    name = forms.CharField(max_length=200, label="Name")
    key = forms.CharField(
        max_length=80,
        required=False,
        label="Key",
        help_text="For addresses and the definitions file, like maya_chen. Left empty, the name makes one.",
    )
    title = forms.CharField(max_length=200, required=False, label="Title")
    team = forms.ModelChoiceField(
        Team.objects.filter(archived_at=None),
        required=False,
        to_field_name="key",
        empty_label="no team",
        label="Team",
    )
    email = forms.EmailField(required=False, label="E-mail", help_text="Where reminders go.")
    user = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        empty_label="no account",
        label="Account",
        help_text="With an account the leader signs in, checks in and enters figures.",
    )
    country = forms.CharField(
        max_length=12,
        required=False,
        label="Holidays of",
        help_text="A country, or a part of one, like GB, DE or DE-BY. Left empty: as the installation.",
        widget=forms.TextInput(attrs={"class": "fit", "size": "8", "autocomplete": "off"}),
    )
    timezone = forms.CharField(
        max_length=64,
        required=False,
        label="Time zone",
        help_text="Like Europe/Berlin. Left empty: as the installation.",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, label="It is somebody else", widget=forms.HiddenInput)

    def __init__(self, *args: Any, leader: Leader | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = Q(leader=None) | Q(leader=leader) if leader else Q(leader=None)
        accounts = User.objects.filter(free, is_active=True).order_by("name", "email")
        self.fields["user"].queryset = accounts  # type: ignore[attr-defined]
        if leader is not None:
            del self.fields["key"]

    @property
    def said(self) -> LeaderText:
        """What a valid form says."""
        given = self.cleaned_data
        names = ("name", "title", "team", "email", "user", "country", "timezone")
        return LeaderText(**{name: given[name] for name in names})


class TeamForm(forms.Form):
    """A team and who is in it; one person is in one team."""

    name = forms.CharField(max_length=200, label="Name")
    key = forms.CharField(
        max_length=80,
        required=False,
        label="Key",
        help_text="For the definitions file, like growth. Left empty, the name makes one.",
    )
    members = forms.ModelMultipleChoiceField(
        Leader.objects.filter(archived_at=None).select_related("team"),
        required=False,
        to_field_name="key",
        label="Members",
        widget=forms.CheckboxSelectMultiple,
    )
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, label="It is another team", widget=forms.HiddenInput)

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if team is not None:
            del self.fields["key"]


class LeaveForm(forms.Form):
    """From the first through the last day away; without a delegate nobody stands in."""

    from_date = forms.DateField(label="First day away", widget=_day(), error_messages=_DATE)
    until_date = forms.DateField(label="Last day away", widget=_day(), error_messages=_DATE)
    delegate = forms.ModelChoiceField(
        Leader.objects.none(),
        required=False,
        to_field_name="key",
        empty_label="nobody",
        label="Who stands in",
        help_text="They check in and enter figures meanwhile. What you own stays yours.",
    )
    note = forms.CharField(max_length=500, required=False, label="Note for them")
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, leader: Leader, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Leader.objects.filter(archived_at=None).exclude(pk=leader.pk)
        self.fields["delegate"].queryset = others  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(leave: Leave) -> dict[str, Any]:
        """A stored leave as the form shows it."""
        return {
            "from_date": leave.from_date,
            "until_date": leave.until_date,
            "delegate": leave.delegate.key if leave.delegate else None,
            "note": leave.note,
            "token": token_of(leave),
        }


def zones() -> list[str]:
    """Time zones to choose from: those named after a place."""
    return sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix"))
    )
