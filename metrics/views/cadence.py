"""How often a metric's owner is asked for a word."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from calc.cadence import Cadence, Every
from calc.calendar import Grain
from metrics.models import Metric
from metrics.queries.askings import day_of, days_off, say_cadence, tenures, word_due
from metrics.queries.heads import rhythm
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.queries.cadences import cadences
from owners.rules import require
from owners.services.cadences import MOST_WEEKS, MOST_WORKING_DAYS, set_cadence, token_of
from owners.services.meanwhile import ChangedMeanwhile
from owners.views.errors import refilled

_OFTEN = {
    Grain.DAY: "weekly",
    Grain.WEEK: "weekly",
    Grain.MONTH: "monthly",
    Grain.QUARTER: "quarterly",
    Grain.YEAR: "yearly",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class CadenceForm(forms.Form):
    """`every` is "" for the rhythm of the figures; the other fields belong to one choice each."""

    every = forms.ChoiceField(required=False, choices=[("", ""), *((e.value, e.value) for e in Every)])
    weekday = forms.TypedChoiceField(
        required=False, coerce=int, empty_value="0", choices=list(enumerate(_DAYS))
    )
    month_day = forms.IntegerField(required=False, min_value=1, max_value=MOST_WORKING_DAYS)
    quarter_day = forms.IntegerField(required=False, min_value=1, max_value=MOST_WORKING_DAYS)
    weeks = forms.IntegerField(required=False, min_value=1, max_value=MOST_WEEKS)
    first = forms.DateField(
        required=False,
        error_messages={"invalid": "Write the date like 2026-09-30."},
        widget=forms.DateInput(attrs={"type": "date", "class": "fit"}, format="%Y-%m-%d"),
    )
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def cadence(self) -> Cadence | None:
        """The rhythm that was chosen."""
        given = self.cleaned_data
        if not given["every"]:
            return None
        every = Every(given["every"])
        day = given["month_day"] if every is Every.MONTH else given["quarter_day"]
        return Cadence(every, int(given["weekday"]), day or 1, given["weeks"] or 2, given["first"])


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def cadence(request: HttpRequest, key: str) -> HttpResponse:
    """The form; by POST the new rhythm, from now on."""
    state = states.read(request)
    metric = visible(request, key)
    require(reader(request), "metric.set_cadence", metric)
    now = cadences([metric.key]).get(metric.key)
    if request.method == "POST":
        form = CadenceForm(request.POST)
        try:
            if form.is_valid() and _set(request, metric, form):
                return redirect("metric", key)
        except ChangedMeanwhile as refused:
            now = cadences([metric.key]).get(metric.key)
            form = refilled(refused, CadenceForm(initial=_initial(now, state)))
    else:
        form = CadenceForm(initial=_initial(now, state))
    context = {
        "section": "metrics",
        "metric": metric,
        "form": form,
        "now": say_cadence(now),
        "rhythm": _OFTEN[rhythm(metric).whole],
        "due": _due(metric, now, state),
    }
    status = 422 if request.method == "POST" else 200
    return show(request, "metrics/cadence.html", state, context, status=status)


def _initial(now: Cadence | None, state: State) -> dict[str, object]:
    initial: dict[str, object] = {
        "every": "", "weekday": 0, "month_day": 1, "quarter_day": 1, "weeks": 2, "first": state.today,
        "token": token_of(now),
    }  # fmt: skip
    if now is None:
        return initial
    initial |= {"every": now.every.value, "weekday": now.weekday}
    if now.every is Every.WEEKS:
        initial |= {"weeks": now.weeks, "first": now.first}
    elif now.every in (Every.MONTH, Every.QUARTER):
        initial[f"{now.every.value}_day"] = now.working_days
    return initial


def _due(metric: Metric, now: Cadence | None, state: State) -> object:
    """What the owner is asked for at present; None without an owner, or where nothing is asked."""
    who = tenures(state.today).get(metric.key)
    if who is None:
        return None
    day = day_of(who.leader, state.calendar)
    free = days_off(who.leader, state.calendar, day)
    return word_due(metric, now, None, who.begun, state.calendar, day, free)


def _set(request: HttpRequest, metric: Metric, form: CadenceForm) -> bool:
    chosen = form.cadence()
    try:
        set_cadence(reader(request), metric, chosen, expected=form.cleaned_data["token"])
    except ChangedMeanwhile:
        raise
    except ValidationError as refused:
        form.add_error(None, refused)
        return False
    words = say_cadence(chosen) or "in the rhythm of its figures"
    messages.success(request, f"Check-ins on {metric.name}: {words}.")
    return True
