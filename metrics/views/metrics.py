"""One metric: what it is, how it moves and why; and the list of all."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.models import Metric
from metrics.queries.board import board as load_board
from metrics.queries.metric import metric_page
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import MetricPage
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.models import Action, User
from owners.queries.handing import Handed, handed_to
from owners.rules import can, leader_of


def visible(request: HttpRequest, key: str) -> Metric:
    """The metric if its reader may see it, else a 404 that tells nothing."""
    return visible_to(reader(request), key)


def visible_to(user: User, key: str) -> Metric:
    """The metric if `user` may see it, else a 404 that tells nothing."""
    return get_object_or_404(visible_metrics(user), key=key)


def page_of(request: HttpRequest, key: str, state: State) -> MetricPage:
    """What a metric's pages show; 404 unless it is visible."""
    page = metric_page(
        reader(request),
        key,
        quarter=state.quarter,
        as_of=state.as_of,
        grain=state.filters.get("grain", ""),
    )
    if page is None:
        raise Http404("There is no such metric.")
    return page


def rights(request: HttpRequest, metric: Metric) -> dict[str, bool]:
    """What the reader may do with it, for the page's links."""
    user = reader(request)
    return {
        "can_enter": metric.type == "manual" and can(user, "metric.enter_values", metric),
        "can_target": can(user, "metric.set_target", metric),
        "can_agree": can(user, "metric.agree_target", metric),
        "can_decide": can(user, "metric.decide_target", metric),
        "can_own": can(user, "metric.set_owner", metric),
        "can_annotate": can(user, "metric.annotate", metric),
        "can_define": can(user, "metric.define"),
        "can_ask": can(user, "metric.set_cadence", metric),
        "can_act": can(user, "action.edit", Action(metric_key=metric.key)),
        "can_call": can(user, "metric.check_in", metric),
        "can_dispute": can(user, "metric.dispute", metric),
        "can_accept": can(user, "metric.accept_deviation", metric),
        "can_edit": metric.type == "manual" and can(user, "metric.define_manual", metric),
    }


@require_safe
@clear_refusal
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics with their owner, figure and status."""
    state = states.read(request)
    shown = load_board(reader(request), quarter=state.quarter, as_of=state.as_of)
    rows = [*([shown.north_star] if shown.north_star else []), *shown.rows, *shown.guardrails]
    context = {"section": "metrics", "rows": rows, "can_define": can(reader(request), "metric.define")}
    return show(request, "metrics/metrics.html", state, context)


@require_safe
@clear_refusal
def metric(request: HttpRequest, key: str) -> HttpResponse:
    state = states.read(request, "grain")
    found = visible(request, key)
    page = page_of(request, key, state)
    return show(request, "metrics/metric.html", state, page_context(request, found, page))


def page_context(request: HttpRequest, found: Metric, page: MetricPage, **more: Any) -> dict[str, Any]:
    """What the metric's template and its parts are given."""
    return {
        "section": "metrics",
        "page": page,
        "metric": page.row.metric,
        "progress": page.row.progress,
        "grains": [g for g in states.GRAINS if _reads(page, g)],
        "handed": _handed(request, page),
        **rights(request, found),
        **more,
    }


def _handed(request: HttpRequest, page: MetricPage) -> Handed | None:
    """How the metric came to its reader, where they own it and have not said a word on it yet."""
    leader, owner = leader_of(reader(request)), page.row.metric.owner
    if leader is None or owner is None or owner.key != leader.key:
        return None
    return handed_to(leader, timezone.localdate()).get(page.row.metric.key)


def _reads(page: MetricPage, grain: str) -> bool:
    """A manual figure has no finer rhythm than the one in which it is entered."""
    order = [str(known) for known in states.GRAINS]
    own = page.row.metric.grain if page.row.metric.manual else "day"
    return order.index(grain) >= order.index(own)
