"""Going on leave: on the leader's own page, or for them by an executive."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from owners.forms.leaders import LeaveForm
from owners.models import Leader, Leave
from owners.queries.leave import standing_in, upcoming
from owners.rules import leader_of, require
from owners.services.leave import cancel_leave, change_leave, take_leave, warnings
from owners.services.meanwhile import ChangedMeanwhile
from owners.views import Signed
from owners.views.errors import add_errors, refilled


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Signed, key: str) -> HttpResponse:
    """The leader's leaves, and a new one."""
    leader = get_object_or_404(Leader, key=key, archived_at=None)
    require(request.user, "leader.set_leave", leader)
    form = LeaveForm(request.POST or None, leader=leader)
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "token"}
        try:
            made = take_leave(request.user, leader, **given)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _done(request, made)
    return _page(request, leader, form)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: Signed, key: str, pk: int) -> HttpResponse:
    """Other days, or another delegate."""
    leader = get_object_or_404(Leader, key=key)
    require(request.user, "leader.set_leave", leader)
    found = get_object_or_404(Leave.objects.select_related("leader", "delegate"), pk=pk, leader=leader)
    form = LeaveForm(request.POST or None, initial=LeaveForm.initial_of(found), leader=found.leader)
    if request.method == "POST" and form.is_valid():
        try:
            made = change_leave(request.user, found, **form.cleaned_data)
        except ChangedMeanwhile as error:
            found.refresh_from_db()
            form = refilled(error, LeaveForm(initial=LeaveForm.initial_of(found), leader=found.leader))
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _done(request, made)
    return _page(request, found.leader, form, changed=found)


@require_POST
def cancel(request: Signed, key: str, pk: int) -> HttpResponse:
    """A leave ahead is taken away; one that has begun ends yesterday."""
    leader = get_object_or_404(Leader, key=key)
    require(request.user, "leader.set_leave", leader)
    found = get_object_or_404(Leave.objects.select_related("leader", "delegate"), pk=pk, leader=leader)
    try:
        cancel_leave(request.user, found)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The leave is taken away.")
    return redirect("leader_leave", key)


def _done(request: Signed, made: Leave) -> HttpResponse:
    messages.success(
        request, f"{made.leader.name} is on leave from {_say(made.from_date)} to {_say(made.until_date)}."
    )
    for words in warnings(made):
        messages.warning(request, words)
    return redirect("leader_leave", made.leader.key)


def _page(request: Signed, leader: Leader, form: LeaveForm, changed: Leave | None = None) -> HttpResponse:
    today = timezone.localdate()
    own = leader_of(request.user)
    context = {
        "section": "leaders",
        "still_page": True,
        "leader": leader,
        "is_self": own == leader,
        "form": form,
        "changed": changed,
        "leaves": [(one, warnings(one)) for one in upcoming(leader, today)],
        "stands_in": standing_in(leader, today),
        "today": today,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "owners/leave.html", context, status=status)


def _say(day: Any) -> str:
    return f"{day.day} {day:%b %Y}"
