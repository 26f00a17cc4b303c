"""The quarter's targets and benchmarks: a grid of metrics and months, proposed, split, pasted and saved."""

from dataclasses import dataclass, field, replace

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calc.calendar import Period
from calc.numbers import short
from calc.splits import EVEN, SEASON
from metrics.forms.targets import LONGEST_PASTE, Line, paste_lines, read_lines, split_line
from metrics.models import Metric
from metrics.queries.agreements import waiting_for_decision, waiting_for_owner
from metrics.queries.rollover import Rollover, may_plan, proposals, quarter_to_plan
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import TargetRow
from metrics.queries.target_grid import target_grid
from metrics.services.rollover import ORIGIN, roll_over
from metrics.services.targets import set_target
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.models import User
from owners.rules import can


@dataclass(frozen=True)
class Sheet:
    """What became of a posted grid: its lines, whether they are stored, and words for the page.

    refused: something was wrong and nothing is stored; preview: filled in, to be looked through and saved.
    """

    lines: tuple[Line, ...]
    saved: bool = False
    refused: bool = False
    preview: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return 422 if self.refused else 200


@require_safe
@clear_refusal
def current(request: HttpRequest) -> HttpResponse:
    """The grid of the quarter in the address, or of today's."""
    return redirect("target_grid", states.read(request).shown)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def grid(request: HttpRequest, quarter: str) -> HttpResponse:
    """Shows the grid; by POST saves all changed lines or, if one is refused, none; or fills in a proposal."""
    state = quarter_state(request, quarter)
    user = reader(request)
    rows = target_grid(user, quarter)
    sheet = Sheet(read_lines(rows, None))
    if request.method == "POST":
        metrics = {m.key: m for m in visible_metrics(user)}
        sheet = take_in(request, rows, metrics, state.calendar.quarter(quarter))
        if sheet.saved:
            say_saved(request, sheet, f"Targets of {state.label} are saved.")
            return redirect("target_grid", quarter)
    context = {
        "section": "targets",
        "sheet": sheet,
        "action": reverse("target_grid", args=[quarter]),
        "rows": sheet.lines,
        "months": [cell.month for cell in rows[0].months] if rows else [],
        "can_edit": can(user, "metric.set_target", None),
        "can_define": can(user, "metric.define"),
        "reason": request.POST.get("reason", "")[:500],
        "pasted": request.POST.get("block", "")[:LONGEST_PASTE] if sheet.notes else "",
        "decisions": waiting_for_decision(user),
        "mine": waiting_for_owner(user),
        "rollovers": _rollovers(user, state, quarter) if can(user, "metric.set_target", None) else (),
        "rolled": sum(row.state == "proposed" and row.reason.startswith(ORIGIN) for row in rows),
        "to_plan": quarter_to_plan(state.calendar, state.today),
    }
    return show(request, "metrics/targets.html", state, context, status=sheet.status)


@require_POST
@clear_refusal
def rollover(request: HttpRequest, quarter: str) -> HttpResponse:
    """Takes proposals out of the quarter before over: those named by `key`, or all."""
    state, user = quarter_state(request, quarter), reader(request)
    if not may_plan(state.calendar, quarter, state.today):
        raise BadRequest(f"Targets of {state.label} are proposed in the two weeks before it begins.")
    keys = request.POST.getlist("key") or None
    made = roll_over(user, quarter, state.calendar, state.today, keys=keys)
    if made:
        messages.success(request, f"{len(made)} target{'s' if len(made) > 1 else ''} proposed.")
    else:
        messages.info(request, "Nothing was left to propose.")
    return redirect("target_grid", quarter)


def quarter_state(request: HttpRequest, quarter: str) -> State:
    """The address's state with the quarter of its path; BadRequest for none that a page can show."""
    state = states.read(request, "by")
    states.check_quarter(state.calendar, quarter)
    return replace(state, quarter=quarter)


def _rollovers(user: User, state: State, quarter: str) -> tuple[Rollover, ...]:
    """What could be taken over from the quarter before; nothing at other times."""
    if not may_plan(state.calendar, quarter, state.today):
        return ()
    return proposals(user, quarter, state.calendar, state.today)


def say_saved(request: HttpRequest, sheet: Sheet, words: str) -> None:
    if any(line.changed for line in sheet.lines):
        messages.success(request, words)
    else:
        messages.info(request, "Nothing was changed.")


def take_in(
    request: HttpRequest, rows: tuple[TargetRow, ...], metrics: dict[str, Metric], quarter: Period
) -> Sheet:
    """A posted grid: `do` is save (the default), paste, or `season` or `even` with the key of a line after a
    colon (none: every line that has a target and no month)."""
    lines = read_lines(rows, request.POST)
    do, _, key = request.POST.get("do", "save").partition(":")
    if do in (SEASON, EVEN):
        return _split(lines, do, key, quarter)
    if do == "paste":
        filled, notes = paste_lines(lines, request.POST.get("block", ""))
        if not any(new.was != "|".join([new.target_text, *(c.text for c in new.months)]) for new in filled):
            notes.append("Nothing of it differs from what is here.")
        return Sheet(filled, preview=True, notes=notes)
    lines = _save(request, metrics, lines)
    refused = any(line.error for line in lines)
    return Sheet(lines, saved=not refused, refused=refused)


def _split(lines: tuple[Line, ...], how: str, key: str, quarter: Period) -> Sheet:
    filled, notes = [], []
    for line in lines:
        wanted = line.key == key if key else line.resolved is not None and not line.benchmarks
        if wanted:
            line, note = split_line(line, how, quarter)
            notes += [note] if note else []
        filled.append(line)
    return Sheet(tuple(filled), preview=True, notes=notes)


def _save(request: HttpRequest, metrics: dict[str, Metric], lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """All or nothing: the lines with their refusals; without any, they are stored."""
    if any(line.error for line in lines):
        return lines
    reason = request.POST.get("reason", "").strip()[:500]
    refused: dict[str, str] = {}
    with transaction.atomic():
        for line in lines:
            row = line.stored
            if not line.changed or row.metric.key not in metrics:
                continue
            try:
                with transaction.atomic():
                    _set(request, metrics[row.metric.key], line, reason)
            except ValidationError as error:
                refused[line.key] = " ".join(f"{words[0].upper()}{words[1:]}." for words in error.messages)
        if refused:
            transaction.set_rollback(True)
    return tuple(_refuse(line, refused.get(line.key, "")) for line in lines)


def _set(request: HttpRequest, metric: Metric, line: Line, reason: str) -> None:
    row = line.stored
    set_target(
        metric,
        row.quarter,
        line.target,
        line.benchmarks,
        author=reader(request),
        reason=reason,
        growth=line.growth,
        baseline=row.stated_baseline,
        expected=line.token,
        dimension=row.dimension,
        member=row.member,
    )


def _refuse(line: Line, words: str) -> Line:
    """The line with why it was refused, and what is stored now where that is why."""
    if not words:
        return line
    stored = line.stored
    if line.token != stored.token:
        words += f" Stored is {short(stored.value, stored.metric.unit)}; save again to write yours over it."
    return replace(line, error=words, token=stored.token)
