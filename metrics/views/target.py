"""One metric's target for a quarter: the talk until it is agreed, and the targets of its members."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from calc.numbers import is_share
from metrics.forms.agreements import AnswerForm, DecisionForm
from metrics.forms.targets import LONGEST_PASTE, read_lines
from metrics.models import Metric
from metrics.queries.agreements import conversation
from metrics.queries.member_targets import MemberGrid, member_grid
from metrics.queries.target_grid import target_line
from metrics.services.agreements import LONGEST, accept, answer, decide
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from metrics.views.targets import Sheet, quarter_state, say_saved, take_in
from owners.rules import TargetRef, can, require


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def target(request: HttpRequest, quarter: str, key: str) -> HttpResponse:
    """The talk about a target, and the grid of a dimension's members; by POST saves or fills in the grid."""
    state = quarter_state(request, quarter)
    metric = visible(request, key)
    grid = _grid(metric, quarter, state)
    sheet = Sheet(read_lines(grid.rows, None)) if grid else None
    if request.method == "POST":
        require(reader(request), "metric.set_target", metric)
        if grid is None:
            raise BadRequest("Say by which dimension.")
        sheet = take_in(request, grid.rows, {metric.key: metric}, state.calendar.quarter(quarter))
        if sheet.saved:
            say_saved(request, sheet, f"Targets by {grid.dimension} are saved.")
            return redirect(_path(quarter, key, grid.dimension))
    return _show(request, state, metric, grid, sheet, status=sheet.status if sheet else 200)


@require_POST
@clear_refusal
def respond(request: HttpRequest, quarter: str, key: str) -> HttpResponse:
    """The owner accepts what is proposed, or answers with a figure and a sentence."""
    state, metric = quarter_state(request, quarter), visible(request, key)
    form = AnswerForm(request.POST, share=is_share(metric.unit))
    given = form.data
    part = TargetRef.of(metric, given.get("dimension", "")[:80], given.get("member", "")[:200])
    require(reader(request), "metric.agree_target", part)
    if form.is_valid():
        said = form.cleaned_data
        place = {"dimension": said["dimension"], "member": said["member"], "expected": said["token"]}
        try:
            if said["do"] == "accept":
                accept(reader(request), metric, quarter, text=said["text"], **place)
                messages.success(request, f"Agreed: {metric.name}, {state.label}.")
            else:
                answer(reader(request), metric, quarter, said["number"], said["text"], **place)
                messages.success(request, "Your answer waits for a decision. Until then the proposal counts.")
        except ValidationError as refused:
            form.add_error(None, refused) if not hasattr(refused, "error_dict") else _add(form, refused)
        else:
            return _back(said["back"], quarter, metric.key, said["dimension"])
    return _show(request, state, metric, _grid(metric, quarter, state), None, refused=form, status=422)


@require_POST
@clear_refusal
def settle(request: HttpRequest, quarter: str, key: str) -> HttpResponse:
    """The executive takes the owner's figure or keeps the own one; the target is then agreed."""
    state, metric = quarter_state(request, quarter), visible(request, key)
    require(reader(request), "metric.decide_target", metric)
    form = DecisionForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            decide(
                reader(request),
                metric,
                quarter,
                take=said["do"] == "take",
                text=said["text"],
                dimension=said["dimension"],
                member=said["member"],
                expected=said["token"],
            )
        except ValidationError as refused:
            form.add_error(None, refused) if not hasattr(refused, "error_dict") else _add(form, refused)
        else:
            messages.success(request, f"Decided: {metric.name}, {state.label}.")
            return _back(said["back"], quarter, metric.key, said["dimension"])
    return _show(request, state, metric, _grid(metric, quarter, state), None, refused=form, status=422)


def _show(
    request: HttpRequest,
    state: State,
    metric: Metric,
    grid: MemberGrid | None,
    sheet: Sheet | None,
    *,
    refused: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    user = reader(request)
    line = grid.whole if grid else target_line(metric, state.shown)
    if grid and sheet is None:
        sheet = Sheet(read_lines(grid.rows, None))
    talked = [line, *(row for row in (grid.rows if grid else ()) if row.state)]
    talks = [
        {
            "row": row,
            "said": conversation(metric, state.shown, row.dimension, row.member),
            "can_agree": row.state in ("proposed", "answered")
            and can(user, "metric.agree_target", TargetRef.of(metric, row.dimension, row.member)),
            "can_decide": row.state == "answered" and can(user, "metric.decide_target", metric),
            "form": refused if refused and refused.data.get("member", "") == row.member else None,
        }
        for row in talked
    ]
    context: dict[str, Any] = {
        "section": "targets",
        "metric": line.metric,
        "line": line,
        "talk": talks[0],
        "talks": talks[1:],
        "dimensions": metric.by,
        "grid": grid,
        "sheet": sheet,
        "action": _path(state.shown, metric.key, grid.dimension if grid else ""),
        "summary": grid.footing if grid else (),
        "unit": metric.unit,
        "months": [cell.month for cell in line.months],
        "can_edit": can(user, "metric.set_target", metric),
        "reason": request.POST.get("reason", "")[:500],
        "pasted": request.POST.get("block", "")[:LONGEST_PASTE] if sheet and sheet.notes else "",
        "longest": LONGEST,
    }
    return show(request, "metrics/target.html", state, context, status=status)


def _grid(metric: Metric, quarter: str, state: State) -> MemberGrid | None:
    """The grid of the dimension in the address, by default the first that the metric is kept by."""
    dimension = state.filters.get("by") or (metric.by[0] if metric.by else "")
    if not dimension:
        return None
    if dimension not in metric.by:
        raise BadRequest(f"{metric.name} is not kept by {dimension!r}.")
    return member_grid(metric, quarter, dimension)


def _add(form: forms.Form, refused: ValidationError) -> None:
    """Each refusal at its field; at the form where the form has no such field."""
    for name, words in refused.message_dict.items():
        form.add_error(name if name in form.fields else None, words)


def _path(quarter: str, key: str, dimension: str = "") -> str:
    path = reverse("target", args=[quarter, key])
    return f"{path}?{urlencode({'by': dimension})}" if dimension else path


def _back(to: str, quarter: str, key: str, dimension: str) -> HttpResponse:
    if to == "me":
        return redirect("me")
    return redirect("target_grid", quarter) if to == "targets" else redirect(_path(quarter, key, dimension))
