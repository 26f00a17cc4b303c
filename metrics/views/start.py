"""The first hour: six short screens from an empty installation to a filled board."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from calc.calendar import Calendar
from metrics.definitions.build import calendar_of
from metrics.forms.start_company import CompanyForm
from metrics.forms.start_lines import AimLine, charge_lines, guest_lines, read_aims, read_charges, read_guests
from metrics.forms.start_metrics import GRAINS, UNITS, StarForm
from metrics.models import Installation, Metric
from metrics.queries import start as queries
from metrics.queries.scope import visible_metrics
from metrics.services import starting
from metrics.services.company import set_company
from metrics.services.company import token_of as company_token
from metrics.services.manual_metrics import counted_of, token_of
from metrics.services.targets import set_target
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.forms.people import roles_to_give
from owners.models import Leader
from owners.queries.ownership import owners_on
from owners.services.invitations import Guest, Refused, invite_all
from owners.services.meanwhile import ChangedMeanwhile
from owners.views.errors import add_errors, refilled

_NEAR_END = timedelta(days=14)  # before a quarter's end the next one is the one to set targets for


@require_safe
@clear_refusal
def start(request: HttpRequest) -> HttpResponse:
    """Goes on where one has stopped; on a finished or a demo installation, the list of the screens."""
    progress = queries.progress()
    row = Installation.objects.filter(id=1).first()
    is_demo = bool(row and row.demo)
    begun = progress.begun or not Metric.objects.filter(archived_at=None).exists()
    following = None if is_demo or progress.finished or not begun else progress.next
    if following is not None and "overview" not in request.GET:
        return redirect(following.url)
    state = states.read(request)
    context = {"section": "start", "progress": progress, "is_demo": is_demo, "still_page": True}
    return show(request, "metrics/start/overview.html", state, context)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def company(request: HttpRequest) -> HttpResponse:
    if skips(request):
        return go_on(request, "company", starting.SKIPPED)
    row = Installation.objects.filter(id=1).first()
    form = _company_form(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            set_company(reader(request), given["name"], form.calendar(), expected=given["token"])
            return go_on(request, "company")
        except ChangedMeanwhile as error:
            row = Installation.objects.filter(id=1).first()
            form = refilled(error, _company_form(row, None))
        except ValidationError as error:
            add_errors(form, error)
    untouched = row is None or not row.name
    countries = {zone: code for listed in queries.places().zones.values() for zone, code in listed if code}
    context = {"form": form, "guess": untouched and request.method != "POST", "countries": countries}
    return screen(request, "company", context, refused=request.method == "POST")


def _company_form(row: Installation | None, sent: QueryDict | None) -> CompanyForm:
    """The company as it is stored, or as it was sent."""
    calendar = calendar_of(row)
    first = {
        name: getattr(calendar, name) for name in ("timezone", "week_start", "fiscal_year_start", "holidays")
    }
    named = {"name": row.name if row else "", "token": company_token(row)}
    return CompanyForm(sent, calendar=calendar, initial={**first, **named})


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def north_star(request: HttpRequest) -> HttpResponse:
    if skips(request):
        return go_on(request, "north-star", starting.SKIPPED)
    star = Metric.objects.filter(role="north_star", archived_at=None).first()
    if star is not None and star.type != "manual":
        return screen(request, "north-star", {"computed": star})
    initial: dict[str, Any] = {}
    if star is not None:
        said = counted_of(star)
        initial = {name: getattr(said, name) for name in StarForm.base_fields if hasattr(said, name)}
        initial["token"] = token_of(star)
    form = StarForm(request.POST or None, initial=initial)
    form.offer_unit(star.unit if star else "count")
    if request.method == "POST" and form.is_valid():
        try:
            starting.set_north_star(
                reader(request), form.counted(), expected=form.cleaned_data["token"] if star else ""
            )
            return go_on(request, "north-star")
        except ValidationError as error:
            add_errors(form, error)
    return screen(request, "north-star", {"form": form, "star": star}, refused=request.method == "POST")


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def targets(request: HttpRequest) -> HttpResponse:
    """Targets of one quarter with months that are proposed; by POST saves all lines or none."""
    if skips(request):
        return go_on(request, "targets", starting.SKIPPED)
    state = states.read(request)
    choices = _quarters(state.calendar, state.today)
    quarter = (
        request.POST.get("quarter") or request.GET.get("quarter") or _suggested(state.calendar, state.today)
    )
    states.check_quarter(state.calendar, quarter)
    if quarter not in dict(choices):
        choices.append((quarter, state.calendar.quarter_label(quarter)))
    aims = queries.aims(reader(request), quarter, state.calendar, state.today)
    lines = read_aims(aims, request.POST if request.method == "POST" else None)
    if request.method == "POST" and "propose" not in request.POST:
        lines = _save_targets(request, quarter, lines)
        if not any(line.error for line in lines):
            return go_on(request, "targets")
    context = {
        "lines": lines,
        "quarter": quarter,
        "quarters": choices,
        "months": aims[0].months if aims else (),
        "agreed": any(aim.post.agreed_value is not None for aim in aims),
        "reason": request.POST.get("reason", "")[:500],
    }
    refused = any(line.error for line in lines)
    return screen(request, "targets", {**context, "refused": refused}, refused=refused)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def leaders(request: HttpRequest) -> HttpResponse:
    """Who answers for each indicator, and new indicators; by POST saves all lines or none."""
    if skips(request):
        return go_on(request, "leaders", starting.SKIPPED)
    state = states.read(request)
    metrics = queries.star_first(visible_metrics(reader(request)))
    known = {leader.key: leader for leader in Leader.objects.filter(archived_at=None).select_related("team")}
    lines = charge_lines(metrics, owners_on([m.key for m in metrics], state.today), known)
    refused = False
    if request.method == "POST":
        lines, charges = read_charges(lines, request.POST)
        refused = any(line.errors for line in lines)
        if not refused:
            said = [line for line in lines if line.metric or line.name]
            try:
                starting.set_charges(reader(request), charges, today=state.today)
                return go_on(request, "leaders")
            except starting.Refused as error:
                refused = True
                wrong: dict[int, dict[str, str]] = {}
                for (number, place), words in error.errors.items():
                    wrong.setdefault(said[number].number, {})[place] = words
                lines = [replace(line, errors=wrong.get(line.number, {})) for line in lines]
    context = {
        "lines": lines,
        "people": list(known.values()),
        "refused": refused,
        "units": UNITS,
        "grains": GRAINS,
    }
    return screen(request, "leaders", context, refused=refused)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def invitations(request: HttpRequest) -> HttpResponse:
    """Accounts for leaders and others; by POST each gets a link by mail, else it is shown, this once."""
    if request.method == "POST" and "finish" in request.POST:
        starting.mark(reader(request), "invitations")
        starting.finish(reader(request))
        messages.success(request, "This is your board. Everything on it can be changed at any time.")
        return redirect("board")
    if skips(request):
        starting.finish(reader(request))
        return go_on(request, "invitations", starting.SKIPPED)
    lines = guest_lines(queries.guests())
    roles = roles_to_give(reader(request))
    invited = None
    refused = False
    if request.method == "POST":
        lines = read_guests(lines, request.POST, [role for role, _ in roles])
        refused = any(line.error for line in lines)
        wanted = [line for line in lines if line.wanted]
        if not refused and wanted:
            guests = [Guest(line.name, line.email, line.role, line.leader) for line in wanted]
            try:
                base, by_mail = request.build_absolute_uri("/"), queries.mails_go_out()
                invited = invite_all(reader(request), guests, base, by_mail=by_mail)
            except Refused as error:
                refused = True
                wrong = {wanted[n].number: words for n, words in error.errors.items()}
                lines = [replace(line, error=wrong.get(line.number, "")) for line in lines]
        if not refused and not wanted:
            return go_on(request, "invitations")
    if invited:
        starting.mark(reader(request), "invitations")
        lines = guest_lines(queries.guests())
    context = {
        "lines": lines,
        "roles": roles,
        "invited": invited,
        "joined": [line.name for line in lines if line.joined],
        "refused": refused,
        "mails": queries.mails_go_out(),
    }
    return screen(request, "invitations", context, refused=refused)


def skips(request: HttpRequest) -> bool:
    """Whether the screen is left out for now."""
    return request.method == "POST" and "skip" in request.POST


def go_on(request: HttpRequest, slug: str, state: str = starting.DONE) -> HttpResponse:
    """Notes the screen and opens the one after it, or the board after the last."""
    starting.mark(reader(request), slug, state)
    following = queries.progress().after(slug)
    return redirect(following.url if following else "board")


def screen(
    request: HttpRequest, slug: str, context: dict[str, Any], *, refused: bool = False, template: str = ""
) -> HttpResponse:
    """One of the six pages, with the way to the others."""
    progress = queries.progress()
    here = progress.at(slug)
    full = {
        "section": "start",
        "still_page": True,
        "progress": progress,
        "screen": here,
        "previous": progress.screens[here.number - 2] if here.number > 1 else None,
        **context,
    }
    page = template or f"metrics/start/{slug.replace('-', '_')}.html"
    return show(request, page, states.read(request), full, status=422 if refused else 200)


def _quarters(calendar: Calendar, today: date) -> list[tuple[str, str]]:
    """This quarter and the next, with their labels."""
    this = calendar.quarter_name(today)
    following = calendar.quarter_name(calendar.next(calendar.quarter(this)).start)
    return [(name, calendar.quarter_label(name)) for name in (this, following)]


def _suggested(calendar: Calendar, today: date) -> str:
    this, following = (name for name, _ in _quarters(calendar, today))
    return following if calendar.quarter(this).end - today <= _NEAR_END else this


def _save_targets(request: HttpRequest, quarter: str, lines: list[AimLine]) -> list[AimLine]:
    """All or nothing: the lines with their refusals; without any, they are stored."""
    if any(line.error for line in lines):
        return lines
    refused: dict[str, str] = {}
    with transaction.atomic():
        for line in lines:
            if not line.changed:
                continue
            try:
                with transaction.atomic():
                    set_target(
                        line.aim.metric,
                        quarter,
                        line.target,
                        line.benchmarks,
                        author=reader(request),
                        reason=request.POST.get("reason", "").strip()[:500],
                        baseline=line.aim.post.baseline,
                        expected=line.token,
                    )
            except ValidationError as error:
                refused[line.key] = " ".join(f"{words[:1].upper()}{words[1:]}." for words in error.messages)
        if refused:
            transaction.set_rollback(True)
    return [replace(line, error=refused.get(line.key, "")) for line in lines]
