"""Leaders and teams under settings: made, changed, archived, brought back."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from owners.forms.leaders import LeaderForm, TeamForm, zones
from owners.models import Leader, Team
from owners.services import leaders as services
from owners.services.leaders import LooksAlike, token_of
from owners.views import Signed
from owners.views.errors import add_errors

T = TypeVar("T", Leader, Team)
F = TypeVar("F", bound=forms.Form)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Signed) -> HttpResponse:
    """A new leader."""
    form = LeaderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def store() -> Leader:
            return services.create_leader(
                request.user, form.said, key=given["key"], confirmed=given["confirmed"]
            )

        leader = _tried(form, store)
        if leader is not None:
            messages.success(request, f"{leader.name} is a leader, to whom metrics can be handed.")
            return redirect("leader", leader.key)
    return _form(request, form, "A new leader", "Add")


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Signed, key: str) -> HttpResponse:
    """Changes what is said of a leader."""
    leader = get_object_or_404(Leader.objects.select_related("team", "user"), key=key)
    if request.method == "POST":
        form = LeaderForm(request.POST, leader=leader)
        if form.is_valid():
            given = form.cleaned_data

            def store() -> Leader:
                return services.change_leader(
                    request.user, leader, form.said, expected=given["token"], confirmed=given["confirmed"]
                )

            if _tried(form, store) is not None:
                messages.success(request, f"{form.said.name} is saved.")
                return redirect("leader", leader.key)
            if form.has_error(NON_FIELD_ERRORS, "conflict"):
                form = _refilled(form, LeaderForm(initial=_initial(leader), leader=leader))
    else:
        form = LeaderForm(initial=_initial(leader), leader=leader)
    return _form(request, form, leader.name, "Save", leader=leader)


@require_POST
def restore(request: Signed, key: str) -> HttpResponse:
    """Somebody is back."""
    leader = services.restore_leader(request.user, get_object_or_404(Leader, key=key))
    messages.success(request, f"{leader.name} is back, and owns nothing so far.")
    return redirect("leader_edit", leader.key)


@require_safe
def teams(request: Signed) -> HttpResponse:
    """All teams with their members, and the leaders who are in none or have left."""
    here = list(Leader.objects.filter(archived_at=None).select_related("team", "user"))
    found = [
        (team, [leader for leader in here if leader.team_id == team.pk])
        for team in Team.objects.filter(archived_at=None)
    ]
    context = {
        "section": "settings",
        "tab": "people",
        "still_page": True,
        "teams": found,
        "alone": [leader for leader in here if leader.team is None or leader.team.archived_at],
        "gone": Leader.objects.exclude(archived_at=None),
    }
    return render(request, "owners/teams.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_team(request: Signed) -> HttpResponse:
    """A new team."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def store() -> Team:
            return services.create_team(
                request.user,
                given["name"],
                given["members"],
                key=given["key"],
                confirmed=given["confirmed"],
            )

        team = _tried(form, store)
        if team is not None:
            messages.success(request, f"The team {team.name} is made.")
            return redirect("teams")
    return _form(request, form, "A new team", "Add")


@require_http_methods(["GET", "HEAD", "POST"])
def team(request: Signed, key: str) -> HttpResponse:
    """Another name, other members."""
    found = get_object_or_404(Team, key=key, archived_at=None)
    if request.method == "POST":
        form = TeamForm(request.POST, team=found)
        if form.is_valid():
            given = form.cleaned_data

            def store() -> Team:
                return services.change_team(
                    request.user,
                    found,
                    given["name"],
                    given["members"],
                    expected=given["token"],
                    confirmed=given["confirmed"],
                )

            if _tried(form, store) is not None:
                messages.success(request, f"The team {given['name']} is saved.")
                return redirect("teams")
            if form.has_error(NON_FIELD_ERRORS, "conflict"):
                form = _refilled(form, TeamForm(initial=_team_initial(found), team=found))
    else:
        form = TeamForm(initial=_team_initial(found), team=found)
    return _form(request, form, found.name, "Save", team=found)


@require_POST
def archive_team(request: Signed, key: str) -> HttpResponse:
    """The team is no more; its members are in none."""
    gone = services.archive_team(request.user, get_object_or_404(Team, key=key, archived_at=None))
    messages.success(request, f"The team {gone.name} is archived; its members are in no team now.")
    return redirect("teams")


def _tried(form: forms.Form, store: Callable[[], T]) -> T | None:
    """What was stored; None where it was refused, which the form then says."""
    try:
        return store()
    except LooksAlike as error:
        add_errors(form, error)
        form.fields["confirmed"].widget = forms.CheckboxInput()
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            add_errors(form, error)
        else:
            form.add_error(None, error)
    return None


def _refilled(refused: forms.Form, fresh: F) -> F:
    """What is stored now, with the words of the refusal: the writer had seen something else."""
    fresh.full_clean()
    fresh._errors = refused.errors  # type: ignore[attr-defined]
    return fresh


def _initial(leader: Leader) -> dict[str, Any]:
    return {
        "name": leader.name,
        "title": leader.title,
        "team": leader.team.key if leader.team else None,
        "email": leader.email,
        "user": leader.user_id,
        "country": leader.country,
        "timezone": leader.timezone,
        "token": token_of(leader),
    }


def _team_initial(team: Team) -> dict[str, Any]:
    members = team.leaders.filter(archived_at=None).values_list("key", flat=True)
    return {"name": team.name, "members": list(members), "token": token_of(team)}


def _form(request: Signed, form: forms.Form, title: str, button: str, **more: Any) -> HttpResponse:
    context = {
        "section": "settings",
        "tab": "people",
        "still_page": True,
        "form": form,
        "title": title,
        "button": button,
        "zones": zones() if isinstance(form, LeaderForm) else [],
        **more,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "owners/leader_form.html", context, status=status)
