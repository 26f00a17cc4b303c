"""What is due from the reader, one screen a metric, and their open actions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from metrics.forms.actions import ActionForm
from metrics.forms.entries import Cell, read_cells
from metrics.forms.reasons import CALLS, CheckInCallForm
from metrics.models import Metric
from metrics.queries.agreements import waiting_for_owner
from metrics.queries.entries import entry_cells
from metrics.queries.me import WAITING, Item, MyPage, my_page
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import EntryCell
from metrics.queries.standing import standing_of
from metrics.services.calls import make_call
from metrics.services.entries import EntriesRefused, EntryRow, enter
from metrics.services.sentences import LONGEST as LONGEST_REASON
from metrics.views import state as states
from metrics.views.calls import initial as call_initial
from metrics.views.metrics import visible_to
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.models import Action, CheckInLink, User
from owners.rules import leader_of, require
from owners.services.actions import add_action, finish_action, reopen
from owners.services.check_ins import LONGEST, check_in
from owners.services.one_time import LinkGone


class CheckInForm(forms.Form):
    """The words. Confidence is typed in percent; `due` makes the next step an action; `token` names the last
    words that the writer had seen."""

    text = forms.CharField(required=False, max_length=LONGEST)
    confidence = forms.FloatField(
        required=False,
        min_value=0,
        max_value=100,
        error_messages={
            "invalid": "Confidence lies between 0 and 100 %.",
            # These two are formatted with the limit that was passed.
            **dict.fromkeys(("min_value", "max_value"), "Confidence lies between 0 and 100 %%."),
        },
    )
    next_step = forms.CharField(required=False, max_length=LONGEST)
    due = forms.DateField(required=False, error_messages={"invalid": "Write the day like 2026-09-30."})
    help_needed = forms.CharField(required=False, max_length=LONGEST)
    token = forms.CharField(required=False, max_length=80)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("due") and not given.get("next_step", "").strip():
            self.add_error("next_step", "Say what is to be done by that day.")
        return given


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def me(request: HttpRequest) -> HttpResponse:
    """What is due, open actions first; by POST notes an action of one's own."""
    user, state = reader(request), states.read(request, "saved")
    own = leader_of(user)
    metrics = visible_metrics(user)
    form = ActionForm(
        request.POST if request.method == "POST" else None,
        metrics=metrics,
        initial={"leader": own.key if own else None},
    )
    if request.method == "POST":
        if own is None:
            form.add_error(None, "Nobody leads under this account, so nothing can be noted for it.")
        elif form.is_valid():
            given = form.cleaned_data
            try:
                add_action(user, text=given["text"], leader=own, metric=given["metric"], due=given["due"])
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                messages.success(request, "Noted.")
                return redirect("me")
    page = my_page(user)
    context = {
        "section": "me",
        "page": page,
        "form": form,
        "targets": waiting_for_owner(user),
        "saved": state.filters["saved"],
    }
    return show(request, "metrics/me.html", state, context, status=422 if request.method == "POST" else 200)


@require_POST
@clear_refusal
def action(request: HttpRequest, pk: int) -> HttpResponse:
    """Finishes an action, or with `open` reopens it."""
    found = get_object_or_404(Action, pk=pk)
    if "open" in request.POST:
        reopen(reader(request), found)
        messages.success(request, "Open again.")
    else:
        finish_action(reader(request), found)
        messages.success(request, "Done. Well done.")
    return redirect("me")


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def metric(request: HttpRequest, key: str) -> HttpResponse:
    """One metric: its figure, what changed, or nothing new; then the next one that is due."""
    user = reader(request)

    def onwards() -> HttpResponse:
        return _onwards(request, key)

    return check_in_of(request, user, visible_to(user, key), onwards, reverse("metric_check_in", args=[key]))


def check_in_of(
    request: HttpRequest,
    user: User,
    found: Metric,
    onwards: Callable[[], HttpResponse],
    action: str,
    link: CheckInLink | None = None,
) -> HttpResponse:
    """The page of one check-in of `user`, and by POST its saving. With a link whoever asks is not signed in,
    and gets this one check-in only: LinkGone if another is asked for now, or none."""
    state = states.read(request, "saved")
    require(user, "metric.enter_values", found)
    page = my_page(user)
    item = page.item(found.key)
    if item is None:
        raise Http404("Nothing is asked of you here.")
    if link is not None and (item.asked.since != link.since or item.state not in WAITING):
        raise LinkGone
    wrong = ""
    cell = _cell(item, found, request, state)
    there = standing_of(item.row.progress, state.calendar, state.today)
    if request.method == "POST":
        form, call = CheckInForm(request.POST), CheckInCallForm(request.POST, initial=call_initial(there))
        cell, wrong, saved = _save(user, found, item, cell, form, call, state)
        if saved:
            return onwards()
    else:
        form, call = CheckInForm(initial=_initial(item)), CheckInCallForm(initial=call_initial(there))
    context = _context(page, item, cell, form, wrong, state)
    context |= {"call_form": call, "calls": CALLS, "there": there, "longest_call": LONGEST_REASON}
    context |= {"action": action, "person": user, "signed": link is not None}
    status = 422 if request.method == "POST" else 200
    return show(request, "metrics/check_in.html", state, context, status=status)


def _context(
    page: MyPage, item: Item, cell: Cell | None, form: CheckInForm, wrong: str, state: State
) -> dict[str, Any]:
    more = ("confidence", "next_step", "due", "help_needed")
    return {
        "section": "me",
        "page": page,
        "item": item,
        "metric": item.metric,
        "progress": item.row.progress,
        "cell": cell,
        "form": form,
        "wrong": wrong,
        # who has been told of other words may write over them; who has not keeps the token of what they saw
        "token": item.asked.token if form.non_field_errors() else form["token"].value() or "",
        "turned": turned_words(item) if item.asked.speaks else "",
        "folded_wrong": any(form.errors.get(name) for name in more),
        "following": page.after(item.key),
        "saved": state.filters["saved"],
        "longest": LONGEST,
    }


def _initial(item: Item) -> dict[str, Any]:
    said = item.asked.said
    if said is None:
        return {"token": item.asked.token}
    return {
        "text": said.text,
        "confidence": f"{said.confidence * 100:.12g}" if said.confidence is not None else "",
        "next_step": said.next_step,
        "help_needed": said.help_needed,
        "token": item.asked.token,
    }


def _cell(item: Item, found: Metric, request: HttpRequest, state: State) -> Cell | None:
    """The figure to type: that of the period that the writer was asked for, whatever is asked for now."""
    asked: EntryCell | None = item.asked.cell
    named = request.POST.get("period", "")
    if named:
        cells = entry_cells(found, state.calendar, state.today)
        asked = next((c for c in cells if c.start.isoformat() == named), None)
    if asked is None:
        return None
    return read_cells((asked,), request.POST or None, item.is_share, item.metric.unit)[0]


def _save(
    user: User,
    found: Metric,
    item: Item,
    cell: Cell | None,
    form: CheckInForm,
    call: CheckInCallForm,
    state: State,
) -> tuple[Cell | None, str, bool]:
    """Figure, words and call together or none: the cell, what is wrong in words, whether all is stored."""
    same = "same" in form.data
    if said_again(item, form.data.get("text", ""), same):
        form.add_error("text", turned_words(item))
        return cell, "", False
    if cell is not None and cell.error:
        return cell, "", False
    if not item.asked.speaks and (cell is None or not cell.changed or cell.is_empty):
        return cell, "Type the figure.", False
    called = not same and call.has_changed()
    if (not form.is_valid() and not same) or (called and not call.is_valid()):
        return cell, "", False
    try:
        with transaction.atomic():
            if cell is not None and cell.changed:
                _enter(user, found, cell)
            if item.asked.speaks:
                given = form.cleaned_data
                confidence = given.get("confidence")
                check_in(
                    user,
                    found,
                    text=given.get("text", ""),
                    same=same,
                    confidence=confidence / 100 if confidence is not None else None,
                    next_step=given.get("next_step", ""),
                    help_needed=given.get("help_needed", ""),
                    token=given.get("token", ""),
                )
                if given.get("due") and not same:
                    _note(user, found, given["next_step"].strip(), given["due"])
                if called:
                    _call(user, found, call, state)
    except CallRefused as refused:
        call.add_error(None, refused)
        return cell, "", False
    except EntriesRefused as refused:
        words = next(iter(refused.errors.values()))
        if cell is not None:  # with the stored state's token: to save again is to overwrite what was told
            cell = replace(cell, error=f"{words[0].upper()}{words[1:]}.", token=cell.stored.token)
        return cell, "", False
    except ValidationError as refused:
        form.add_error(None, refused)
        return cell, "", False
    return cell, "", True


def _note(user: User, found: Metric, step: str, due: date) -> None:
    """The next step as an action of whoever speaks; a word that is corrected notes it once."""
    place = {"text": step, "leader": leader_of(user), "due_date": due, "metric_key": found.key}
    if Action.objects.filter(**place, done_at=None).exists():
        return
    try:
        add_action(user, text=step, leader=leader_of(user), metric=found, due=due)
    except ValidationError as refused:
        said = refused.message_dict.items()
        raise ValidationError(
            {"next_step" if name == "text" else name: words for name, words in said}
        ) from None


def said_again(item: Item, text: str, same: bool) -> bool:
    """Whether the last words are said once more although the metric is judged otherwise by now."""
    said = item.asked.said
    again = said is not None and " ".join(text.split()) == " ".join(said.text.split())
    return item.asked.speaks and item.turned is not None and (same or again)


def turned_words(item: Item) -> str:
    """Why the last words do not do: "It was on track at the last words ..."."""
    said, was, now = item.asked.said, item.turned, item.row.progress.status
    if said is None or was is None:
        return ""
    day = f"{said.date.day} {said.date:%b}"
    return f"It was {was.word} at the last words of {day} and is {now.word} now: say what changed."


class CallRefused(ValidationError):
    """What is wrong with the call, apart from what is wrong with the words."""


def _call(user: User, found: Metric, call: CheckInCallForm, state: State) -> None:
    if not call.cleaned_data["status"]:
        return
    try:
        make_call(user, found, **call.cleaned_data, today=state.today)
    except ValidationError as refused:
        raise CallRefused(refused) from None


def _enter(user: User, found: Metric, cell: Cell) -> None:
    row = EntryRow(
        cell.stored.start,
        cell.value,
        cell.numerator,
        cell.denominator,
        remove=cell.is_empty,
        expected=cell.token,
    )
    enter(found, [row], author=user, origin="page")


def _onwards(request: HttpRequest, key: str) -> HttpResponseRedirect:
    """To the next metric that is due, else to the list. `saved` lets the page forget the draft."""
    following = my_page(reader(request)).after(key)
    path = reverse("metric_check_in", args=[following.key]) if following else reverse("me")
    return HttpResponseRedirect(f"{path}?saved={key}")
