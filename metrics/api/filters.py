"""Filters of the API's lists. An unknown parameter or a word that means nothing is answered with 400 and what
is allowed: a filter that is silently ignored would answer another question than was asked."""

import re
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from calc.calendar import Grain
from metrics.api.scope import visible_to
from metrics.models import Entry, Metric, Target, Value
from owners.models import Leader
from owners.queries.ownership import owned_keys

QUARTER = re.compile(r"(?:19|2[0-9])[0-9]{2}-Q[1-4]")


class StrictFilters(django_filters.FilterSet):
    """Refuses parameters that it does not know and repeated ones; `request` is REST framework's."""

    PAGING = frozenset({"limit", "offset"})

    def is_valid(self) -> bool:
        allowed = [*self.filters, *sorted(self.PAGING)]
        for name in self.data:
            if name not in allowed:
                raise ValidationError({name: [f"Unknown parameter. There are {', '.join(allowed)}."]})
            if len(self.data.getlist(name)) > 1:
                raise ValidationError({name: ["Given more than once."]})
            if not self.data.get(name):
                raise ValidationError({name: ["This is empty; leave the parameter out."]})
        return super().is_valid()

    def only(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Lines of one metric; 400 naming those there are if it is unknown or not visible to the reader."""
        keys = dict(visible_to(self.request).values_list("key", "pk"))
        if value not in keys:
            raise ValidationError({name: [f"No metric has this key. There are {', '.join(keys) or 'none'}."]})
        return queryset.filter(**{"pk" if queryset.model is Metric else "metric": keys[value]})

    def owned(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Lines of the metrics that a leader owns today; 400 naming the leaders if there is no such one."""
        keys = list(Leader.objects.filter(archived_at=None).values_list("key", flat=True))
        if value not in keys:
            raise ValidationError({name: [f"No leader has this key. There are {', '.join(keys) or 'none'}."]})
        path = "key__in" if queryset.model is Metric else "metric__key__in"
        return queryset.filter(**{path: owned_keys(timezone.localdate(), key=value)})


class MetricFilters(StrictFilters):
    metric = django_filters.CharFilter(method="only", help_text="Key of a metric.")
    role = django_filters.ChoiceFilter(
        choices=[(role, role) for role in ("north_star", "focus", "guardrail", "supporting")],
        help_text="What the metric is for.",
    )
    leader = django_filters.CharFilter(method="owned", help_text="Key of the leader who owns it today.")

    class Meta:
        model = Metric
        fields: list[str] = []


class ValueFilters(StrictFilters):
    metric = django_filters.CharFilter(method="only", help_text="Key of a metric.")
    grain = django_filters.ChoiceFilter(
        choices=[(grain.value, grain.value) for grain in Grain], help_text="Length of the periods."
    )
    dimension = django_filters.CharFilter(
        method="along", max_length=80, help_text="Figures of its members. Without it: figures of the whole."
    )
    member = django_filters.CharFilter(max_length=200, help_text="One member of the dimension.")
    status = django_filters.ChoiceFilter(
        choices=[("final", "final"), ("provisional", "provisional")], help_text="final or provisional."
    )

    class Meta:
        model = Value
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Value]) -> QuerySet[Value]:
        """Without a dimension the whole alone: a list of both invites adding a figure to its own parts."""
        if self.form.cleaned_data.get("member") and not self.form.cleaned_data.get("dimension"):
            raise ValidationError({"member": ["Say the dimension too."]})
        if not self.form.cleaned_data.get("dimension"):
            queryset = queryset.filter(dimension="")
        return super().filter_queryset(queryset)

    def along(self, queryset: QuerySet[Value], name: str, value: str) -> QuerySet[Value]:
        return queryset.filter(dimension=value)


class PlainDateFilter(django_filters.DateFilter):
    """A date as ISO 8601 writes it; other spellings are refused, since 3/4 means two days."""

    field_class = forms.DateField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, input_formats=["%Y-%m-%d"], **kwargs)


# `from` is a word of Python's, so these two cannot be written as attributes.
ValueFilters.base_filters["from"] = PlainDateFilter(
    field_name="period_end", lookup_expr="gt", help_text="First day, YYYY-MM-DD: periods that end after it."
)
ValueFilters.base_filters["to"] = PlainDateFilter(
    field_name="period_start", lookup_expr="lt", help_text="Day after the last: periods that start before it."
)


class EntryFilters(StrictFilters):
    metric = django_filters.CharFilter(method="only", help_text="Key of a metric.")

    class Meta:
        model = Entry
        fields: list[str] = []


EntryFilters.base_filters["from"] = PlainDateFilter(
    field_name="period_start", lookup_expr="gte", help_text="Periods that begin on this day or later."
)
EntryFilters.base_filters["to"] = PlainDateFilter(
    field_name="period_start", lookup_expr="lt", help_text="Periods that begin before this day."
)


class TargetFilters(StrictFilters):
    metric = django_filters.CharFilter(method="only", help_text="Key of a metric.")
    quarter = django_filters.CharFilter(method="in_quarter", help_text="A quarter like 2026-Q3.")
    leader = django_filters.CharFilter(method="owned", help_text="Key of the leader who owns it today.")

    class Meta:
        model = Target
        fields: list[str] = []

    def in_quarter(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        if not QUARTER.fullmatch(value):
            raise ValidationError({name: ["A quarter is written like 2026-Q3."]})
        return queryset.filter(quarter=value)


class LeaderFilters(StrictFilters):
    leader = django_filters.CharFilter(method="named", help_text="Key of a leader.")

    class Meta:
        model = Leader
        fields: list[str] = []

    def named(self, queryset: QuerySet[Leader], name: str, value: str) -> QuerySet[Leader]:
        keys = list(queryset.values_list("key", flat=True))
        if value not in keys:
            raise ValidationError({name: [f"No leader has this key. There are {', '.join(keys) or 'none'}."]})
        return queryset.filter(key=value)
