"""What the API's lines say. Every field is named and read-only; numbers are as stored, unrounded."""

from typing import Any

from rest_framework import serializers

from calc.calendar import Grain
from metrics.models import Benchmark, Entry, Metric, Target
from metrics.services.entries import ORIGINS, token_of
from owners.models import Leader

STATUSES = ("final", "provisional")


class MetricLine(serializers.ModelSerializer[Metric]):
    owner = serializers.SerializerMethodField(help_text="Key of today's owner; null: nobody owns it.")
    by = serializers.ListField(child=serializers.CharField(), help_text="Dimensions with stored figures.")

    class Meta:
        model = Metric
        fields = (
            "key",
            "name",
            "role",
            "lens",
            "stage",
            "definition",
            "success",
            "segment",
            "unit",
            "better",
            "low",
            "high",
            "visible",
            "type",
            "by",
            "version",
            "owner",
        )
        read_only_fields = fields

    def get_owner(self, metric: Metric) -> str | None:
        owner = self.context["owners"].get(metric.key)
        return owner.key if owner else None


class ValueLine(serializers.Serializer[dict[str, Any]]):
    """One stored figure, as the `values` command prints it."""

    metric = serializers.CharField(help_text="Key of the metric.")
    grain = serializers.ChoiceField(choices=[grain.value for grain in Grain])
    period_start = serializers.DateField(help_text="First local day.")
    period_end = serializers.DateField(help_text="Local day after the last.")
    dimension = serializers.CharField(help_text="Empty: the whole.")
    member = serializers.CharField(help_text="Empty: the whole.")
    value = serializers.FloatField(allow_null=True, help_text="Null: unknown. Shares are fractions.")
    numerator = serializers.FloatField(allow_null=True)
    denominator = serializers.FloatField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    version = serializers.IntegerField(help_text="Of the definition.")
    computed_at = serializers.DateTimeField()
    disputed = serializers.BooleanField(help_text="Somebody says that it looks wrong; nobody has answered.")
    ingredient_disputed = serializers.BooleanField(
        help_text="A figure of another metric that this one is computed from is disputed."
    )


class EntryLine(serializers.ModelSerializer[Entry]):
    """One figure as somebody entered it."""

    metric = serializers.CharField(source="metric.key", help_text="Key of the metric.")
    period_start = serializers.DateField(help_text="First local day.")
    origin = serializers.ChoiceField(choices=ORIGINS, help_text="How it was entered.")
    state = serializers.SerializerMethodField(
        help_text="Names what stands here now; sent back as `expected` nobody's change is overwritten."
    )

    class Meta:
        model = Entry
        fields = (
            "metric",
            "period_start",
            "dimension",
            "member",
            "value",
            "numerator",
            "denominator",
            "note",
            "origin",
            "entered_at",
            "state",
        )
        read_only_fields = fields

    def get_state(self, entry: Entry) -> str:
        return token_of(entry)


class BenchmarkLine(serializers.ModelSerializer[Benchmark]):
    month = serializers.DateField(help_text="Its first day.")

    class Meta:
        model = Benchmark
        fields = ("month", "value")
        read_only_fields = fields


class TargetLine(serializers.ModelSerializer[Target]):
    metric = serializers.CharField(source="metric.key", help_text="Key of the metric.")
    benchmarks = BenchmarkLine(many=True, help_text="Our plan for each month.")
    agreed_months = serializers.DictField(
        child=serializers.FloatField(), help_text="Our plan as it was agreed, by the month's first day."
    )

    class Meta:
        model = Target
        fields = (
            "metric",
            "quarter",
            "dimension",
            "member",
            "value",
            "growth",
            "baseline",
            "state",
            "reason",
            "agreed_value",
            "agreed_growth",
            "agreed_baseline",
            "agreed_months",
            "agreed_at",
            "benchmarks",
            "updated_at",
        )
        read_only_fields = fields


class LeaderLine(serializers.ModelSerializer[Leader]):
    team = serializers.SerializerMethodField(help_text="Key of the team.")
    metrics = serializers.SerializerMethodField(
        help_text="Keys of the metrics owned today, of those that you may see."
    )

    class Meta:
        model = Leader
        fields = ("key", "name", "title", "team", "metrics")
        read_only_fields = fields

    def get_team(self, leader: Leader) -> str | None:
        return leader.team.key if leader.team else None

    def get_metrics(self, leader: Leader) -> list[str]:
        owned: list[str] = self.context["owned"].get(leader.pk, [])
        return owned
