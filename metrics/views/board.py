"""The board: are we on pace for the quarter, and what changed?"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from metrics.queries.board import board as load
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import can


@require_safe
@clear_refusal
def board(request: HttpRequest) -> HttpResponse:
    state = states.read(request, "lens", "team", "owner", "accepted")
    filters = {name: state.filters[name] for name in ("lens", "team", "owner")}
    shown = load(
        reader(request),
        quarter=state.quarter,
        as_of=state.as_of,
        **filters,
        without_accepted=state.filters["accepted"] == states.HIDDEN,
    )
    filtered = any(state.filters.values())
    context = {
        "section": "board",
        "board": shown,
        "filtered": filtered,
        "empty": not (shown.north_star or shown.rows or shown.guardrails or filtered),
        "can_define": can(reader(request), "metric.define"),
    }
    return show(request, "metrics/board.html", state, context)
