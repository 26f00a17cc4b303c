"""Handing a metric, or a member of one of its dimensions, over."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from metrics.forms.collecting import CollectForm
from metrics.forms.owners import TO_THE_WHOLE, UNCHOSEN, WHOLE, OwnerForm
from metrics.models import Metric
from metrics.queries.owner import OwnerPage, owner_page
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.queries.ownership import history
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile
from owners.services.ownership import hand_over, move_actions, token_of, undo_hand_over

_FURTHEST = timedelta(days=366)  # a hand-over is planned for a year ahead at most


class UndoForm(forms.Form):
    """Which hand-over is taken back."""

    part = forms.CharField(required=False, max_length=300)
    from_date = forms.DateField()
    token = forms.CharField(required=False, max_length=80)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def owner(request: HttpRequest, key: str) -> HttpResponse:
    """Who answers and what stands open; by POST hands over, unless somebody else has meanwhile."""
    state = states.read(request, "part")
    metric = visible(request, key)
    require(reader(request), "metric.set_owner", metric)
    page = owner_page(metric, state.calendar, state.today)
    if request.method == "POST":
        form = OwnerForm(request.POST, members=page.members)
        if form.is_valid() and _handed_over(request, form, metric, page, state):
            return redirect("metric" if form.chosen(form.cleaned_data).name == WHOLE else "metric_owner", key)
    else:
        form = _blank(page, state, state.filters["part"] or WHOLE)
    return _page(request, metric, page, form, state, status=422 if request.method == "POST" else 200)


@require_POST
@clear_refusal
def undo(request: HttpRequest, key: str) -> HttpResponse:
    """Takes back a hand-over that lies ahead."""
    state = states.read(request)
    metric = visible(request, key)
    require(reader(request), "metric.set_owner", metric)
    given = UndoForm(request.POST)
    page = owner_page(metric, state.calendar, state.today)
    blank = _blank(page, state)
    if not given.is_valid():
        return _page(request, metric, page, blank, state, "Say which hand-over is taken back.", status=422)
    part = blank.parts.get(given.cleaned_data["part"] or WHOLE, blank.parts[WHOLE])
    try:
        undo_hand_over(
            metric.key,
            given.cleaned_data["from_date"],
            author=reader(request),
            dimension=part.dimension,
            member=part.member,
            today=state.today,
            expected=given.cleaned_data["token"],
        )
    except ValidationError as refused:
        return _page(request, metric, page, blank, state, " ".join(refused.messages), status=409)
    messages.success(request, "Taken back: it stays as it is.")
    return redirect("metric_owner", key)


def blank_page(
    request: HttpRequest,
    metric: Metric,
    state: State,
    refused: str = "",
    *,
    counted: CollectForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with its form of handing over untouched, for what else is changed on it."""
    page = owner_page(metric, state.calendar, state.today)
    form = _blank(page, state)
    return _page(request, metric, page, form, state, refused, counted=counted, status=status)


def _blank(page: OwnerPage, state: State, part: str = WHOLE) -> OwnerForm:
    return OwnerForm(
        initial={"part": part, "leader": UNCHOSEN, "from_date": state.today},
        members=page.members,
    )


def _page(
    request: HttpRequest,
    metric: Metric,
    page: OwnerPage,
    form: OwnerForm,
    state: State,
    refused: str = "",
    *,
    counted: CollectForm | None = None,
    status: int = 200,
) -> HttpResponse:
    if counted is None and metric.type == "manual":
        counted = CollectForm(metric=metric)
    context = {
        "section": "metrics",
        "metric": metric,
        "page": page,
        "form": form,
        # who has been told of another hand-over may go on; who was refused otherwise keeps what they saw
        "token": form["token"].value() if _is_kept(form) else token_of(metric.key),
        "refused": refused,
        "counted": counted,
        "today": state.today,
    }
    return show(request, "metrics/owner.html", state, context, status=status)


def _is_kept(form: OwnerForm) -> bool:
    return form.is_bound and not form.has_error(NON_FIELD_ERRORS, "conflict")


def _handed_over(
    request: HttpRequest, form: OwnerForm, metric: Metric, page: OwnerPage, state: State
) -> bool:
    """Whether it was done; else the form says why not."""
    given = form.cleaned_data
    start: date = given["from_date"]
    if start > state.today + _FURTHEST:
        form.add_error("from_date", "A hand-over can be planned for a year ahead at most.")
        return False
    part, back = form.chosen(given), given["leader"] == TO_THE_WHOLE
    taker = None if back else form.people.get(given["leader"])
    moved = 0
    try:
        with transaction.atomic():
            hand_over(
                metric.key,
                taker,
                start,
                author=reader(request),
                note=given["note"].strip(),
                dimension=part.dimension,
                member=part.member,
                to_the_whole=back,
                expected=given["token"],
            )
            giver = page.owner
            if given["move_actions"] and not part.dimension and taker and giver and giver != taker:
                moved = move_actions(metric.key, giver, taker, author=reader(request))
    except ChangedMeanwhile as refused:
        form.add_error(None, refused)
        return False
    except (ValidationError, ValueError) as refused:
        form.add_error(None, refused.messages if isinstance(refused, ValidationError) else str(refused))
        return False
    who = "The owner of the whole" if back else str(taker or "Nobody")
    what = f"{part.words} of {metric.name}" if part.dimension else metric.name
    along = f" {moved} open action{'s' if moved > 1 else ''} went along." if moved else ""
    messages.success(
        request, f"{who} answers for {what} from {start:%-d %b %Y}{_until(metric, part, start)}.{along}"
    )
    return True


def _until(metric: Metric, part: object, start: date) -> str:
    """ " until 1 Jul 2026" where somebody else was to take over then already, else " on"."""
    dimension, member = getattr(part, "dimension", ""), getattr(part, "member", "")
    tenures = history(metric.key, dimension, member)
    end = next((t.to_date for t in tenures if t.from_date == start), None)
    return f" until {end:%-d %b %Y}, when the next one begins" if end else " on"
