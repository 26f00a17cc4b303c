"""The API's lists: read through `visible_metrics`, in as many statements for long lists as for short ones."""

from collections import defaultdict
from typing import Any, cast

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from calc.calendar import Grain, Period
from metrics.api import filters, writing
from metrics.api.scope import visible_to
from metrics.api.serializers import EntryLine, LeaderLine, MetricLine, TargetLine, ValueLine
from metrics.models import Dispute, Entry, Metric, Target, Value
from metrics.queries import installation
from metrics.queries.ingredients import Ingredients, ingredients
from metrics.queries.values import COLUMNS
from owners.models import Leader
from owners.queries.ownership import owners_on, rows_on


class Refusal(serializers.Serializer[dict[str, str]]):
    detail = serializers.CharField()


def described(line: type[serializers.BaseSerializer[Any]], summary: str) -> Any:
    """The schema of one list: its lines, and every answer that is not one."""
    faults = {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
        "description": "What is wrong, by parameter, and what is allowed.",
    }
    return extend_schema(
        summary=summary,
        responses={
            200: line(many=True),
            400: OpenApiResponse(faults, description="A parameter is unknown or makes no sense."),
            401: OpenApiResponse(Refusal, description="Neither a token in force nor a session."),
            403: OpenApiResponse(Refusal, description="This is not for you, or not for this token."),
            429: OpenApiResponse(Refusal, description="Too many requests; Retry-After says when to go on."),
        },
    )


class Metrics(ListAPIView[Metric]):
    """Metrics that you may see, in the order of the definitions."""

    serializer_class = MetricLine
    filterset_class = filters.MetricFilters

    def get_queryset(self) -> QuerySet[Metric]:
        return visible_to(self.request).order_by("position", "key")

    def get_serializer(self, page: Any, *args: Any, **kwargs: Any) -> Any:
        owners = owners_on([metric.key for metric in page], timezone.localdate())
        context = {**self.get_serializer_context(), "owners": owners}
        return MetricLine(page, *args, **kwargs, context=context)

    @described(MetricLine, "Metrics")
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class Values(ListAPIView[Any]):
    """Stored figures of the metrics that you may see, by metric, grain, period and member."""

    serializer_class = ValueLine
    filterset_class = filters.ValueFilters

    def get_queryset(self) -> QuerySet[Any]:
        return Value.objects.filter(metric__in=visible_to(self.request).order_by().values("pk"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        ordered = found.order_by("metric_id", "grain", "dimension", "member", "period_start", "period_end")
        stored = [column for column in COLUMNS if column != "metric"]
        place = ("metric", "grain", "period_start", "period_end", "dimension", "member")
        doubts = Dispute.objects.filter(state=Dispute.State.OPEN, **{name: OuterRef(name) for name in place})
        return ordered.values(*stored, metric_key=F("metric__key"), disputed=Exists(doubts))

    def get_serializer(self, page: Any, *args: Any, **kwargs: Any) -> Any:
        below = ingredients(installation.calendar())
        lines = [
            {**row, "metric": row["metric_key"], "ingredient_disputed": _built_on_disputed(row, below)}
            for row in page
        ]
        return ValueLine(cast(Any, lines), *args, **kwargs, context=self.get_serializer_context())

    @described(ValueLine, "Stored figures")
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)

    @writing.described(Refusal)
    def post(self, request: Request) -> Response:
        return writing.answer(request)


def _built_on_disputed(row: dict[str, Any], below: Ingredients) -> bool:
    period = Period(row["period_start"], row["period_end"], Grain(row["grain"]))
    return below.are_disputed(row["metric_key"], period, (row["dimension"], row["member"]))


class Entries(ListAPIView[Entry]):
    """Figures as they were entered by hand, file or API, of the manual metrics that you may see."""

    serializer_class = EntryLine
    filterset_class = filters.EntryFilters

    def get_queryset(self) -> QuerySet[Entry]:
        seen = visible_to(self.request).order_by().values("pk")
        return (
            Entry.objects.filter(metric__in=seen)
            .select_related("metric")
            .order_by("metric__position", "metric__key", "dimension", "member", "period_start")
        )

    @described(EntryLine, "Figures as entered")
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class Targets(ListAPIView[Target]):
    """Targets of the metrics that you may see, with our plan for each month."""

    serializer_class = TargetLine
    filterset_class = filters.TargetFilters

    def get_queryset(self) -> QuerySet[Target]:
        seen = visible_to(self.request).order_by().values("pk")
        return (
            Target.objects.filter(metric__in=seen)
            .select_related("metric")
            .prefetch_related("benchmarks")
            .order_by("metric__position", "metric__key", "quarter", "dimension", "member")
        )

    @described(TargetLine, "Targets and benchmarks")
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class Leaders(ListAPIView[Leader]):
    """People who answer for metrics, by name."""

    serializer_class = LeaderLine
    filterset_class = filters.LeaderFilters

    def get_queryset(self) -> QuerySet[Leader]:
        return Leader.objects.filter(archived_at=None).select_related("team").order_by("name", "key")

    def get_serializer(self, page: Any, *args: Any, **kwargs: Any) -> Any:
        seen = visible_to(self.request).order_by().values("key")
        owned: dict[int, list[str]] = defaultdict(list)
        in_force = rows_on(timezone.localdate()).filter(metric_key__in=seen)
        for leader, key in in_force.values_list("leader_id", "metric_key"):
            owned[leader].append(key)
        context = {**self.get_serializer_context(), "owned": owned}
        return LeaderLine(page, *args, **kwargs, context=context)

    @described(LeaderLine, "Leaders")
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class Schema(SpectacularAPIView):
    """The OpenAPI description of this API, as JSON. One language and one version, whatever the query says:
    the library would put both unchecked into a header."""

    renderer_classes = [OpenApiJsonRenderer]
    api_version = "v1"

    @extend_schema(exclude=True)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return self._get_schema_response(request)


class Docs(SpectacularSwaggerSplitView):
    """The description for reading and trying. Its script is a file of its own, as the browser policy asks."""
