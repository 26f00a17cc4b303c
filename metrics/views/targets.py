"""The quarter's targets and benchmarks: a grid of metrics and months."""

from dataclasses import replace

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from calc.numbers import short
from metrics.forms.targets import Line, read_lines
from metrics.models import Metric, Target
from metrics.queries.scope import visible_metrics
from metrics.queries.targets import target_grid
from metrics.services.targets import set_target
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import can, require


@require_safe
@clear_refusal
def current(request: HttpRequest) -> HttpResponse:
    """The grid of the quarter in the address, or of today's."""
    return redirect("target_grid", states.read(request).shown)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def grid(request: HttpRequest, quarter: str) -> HttpResponse:
    """Shows the grid; by POST saves all changed lines or, if one is refused, none."""
    state = states.read(request)
    states.check_quarter(state.calendar, quarter)
    state = replace(state, quarter=quarter)
    writes = request.method == "POST"
    if writes:
        require(reader(request), "metric.set_target", None)
    lines = read_lines(target_grid(reader(request), quarter), request.POST if writes else None)
    if writes:
        metrics = {m.key: m for m in visible_metrics(reader(request))}
        lines = _save(request, metrics, lines)
        if not any(line.error for line in lines):
            changed = sum(line.changed for line in lines)
            if changed:
                messages.success(request, f"Targets of {state.label} are saved.")
            else:
                messages.info(request, "Nothing was changed.")
            return redirect("target_grid", quarter)
    context = {
        "section": "targets",
        "rows": lines,
        "months": [cell.month for cell in lines[0].months] if lines else [],
        "can_edit": can(reader(request), "metric.set_target", None),
        "can_define": can(reader(request), "metric.define"),
        "refused": writes,
        "reason": request.POST.get("reason", "")[:500],
    }
    return show(request, "metrics/targets.html", state, context, status=422 if writes else 200)


def _save(request: HttpRequest, metrics: dict[str, Metric], lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """All or nothing: the lines with their refusals; without any, they are stored."""
    if any(line.error for line in lines):
        return lines
    reason = request.POST.get("reason", "").strip()[:500]
    quarter = lines[0].stored.quarter if lines else ""
    baselines = dict(
        Target.objects.filter(quarter=quarter, dimension="").values_list("metric__key", "baseline")
    )
    refused: dict[str, str] = {}
    with transaction.atomic():
        for line in lines:
            key = line.stored.metric.key
            if not line.changed or key not in metrics:
                continue
            # a goal that is written as growth stays one while only its months change
            kept = line.stored.growth if line.target_text == line.was.split("|")[0] else ""
            try:
                with transaction.atomic():
                    set_target(
                        metrics[key],
                        quarter,
                        line.target,
                        line.benchmarks,
                        author=reader(request),
                        reason=reason,
                        growth=kept,
                        baseline=baselines.get(key),
                        expected=line.token,
                    )
            except ValidationError as error:
                refused[key] = " ".join(f"{words[0].upper()}{words[1:]}." for words in error.messages)
        if refused:
            transaction.set_rollback(True)
    return tuple(_refuse(line, refused.get(line.stored.metric.key, "")) for line in lines)


def _refuse(line: Line, words: str) -> Line:
    """The line with why it was refused, and what is stored now where that is why."""
    if not words:
        return line
    stored = line.stored
    if line.token != stored.token:
        words += f" Stored is {short(stored.value, stored.metric.unit)}; save again to write yours over it."
    return replace(line, error=words, token=stored.token)
