"""The grid of a manual metric: one cell a period, a share as two numbers."""

from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.forms.entries import Cell, read_cells
from metrics.models import Metric
from metrics.services.entries import EntriesRefused, EntryRow, enter
from metrics.views import state as states
from metrics.views.metrics import page_context, page_of, visible
from metrics.views.shell import clear_refusal, reader, show, wants_part
from owners.rules import require


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def values(request: HttpRequest, key: str) -> HttpResponse:
    """Shows the grid; by POST saves all changed cells or, if one is refused, none."""
    state = states.read(request)
    metric = visible(request, key)
    if metric.type != "manual":
        raise Http404("This metric is computed.")
    require(reader(request), "metric.enter_values", metric)
    page = page_of(request, key, state)
    is_share = (metric.spec or {}).get("kind") == "share"
    cells: tuple[Cell, ...] = read_cells(page.entries, request.POST or None, is_share, metric.unit)
    saved = False
    if request.method == "POST":
        cells, saved = _save(request, metric, cells)
        if saved and not wants_part(request):
            messages.success(request, "Saved.")
            return redirect(request.get_full_path())
        if saved:
            page = page_of(request, key, state)
            cells = read_cells(page.entries, None, is_share, metric.unit)
    more = {"cells": cells, "is_share": is_share, "saved": saved, "refused": any(c.error for c in cells)}
    context = page_context(request, metric, page, **more)
    # HTMX puts only an answer of 2xx on the page
    status = 422 if more["refused"] and not wants_part(request) else 200
    return show(
        request, "metrics/values.html", state, context, part="metrics/parts/values.html", status=status
    )


def _save(request: HttpRequest, metric: Metric, cells: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], bool]:
    """All or nothing: the cells with their refusals, and whether they are stored."""
    changed = [cell for cell in cells if cell.changed]
    if any(cell.error for cell in changed):
        return cells, False
    rows = [
        EntryRow(
            cell.stored.start,
            cell.value,
            cell.numerator,
            cell.denominator,
            note=cell.note,
            remove=cell.is_empty,
            expected=cell.token,
        )
        for cell in changed
    ]
    try:
        enter(metric, rows, author=reader(request), origin="page")
    except EntriesRefused as refused:
        why = {rows[n].period_start: words for n, words in refused.errors.items()}
        return tuple(_refuse(cell, why.get(cell.stored.start, "")) for cell in cells), False
    return cells, True


def _refuse(cell: Cell, words: str) -> Cell:
    """The cell with why it was refused. It takes the stored state's token: to save again is then to overwrite
    what the writer has been told of."""
    if not words:
        return cell
    return replace(cell, error=f"{words[0].upper()}{words[1:]}.", token=cell.stored.token)
