"""`values KEY --grain G`: prints stored values."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calc.calendar import Grain
from metrics.management import output
from metrics.models import Metric
from metrics.queries import values


class Command(BaseCommand):
    help = "Prints a metric's stored values: periods that overlap [--from, --to), unrounded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key")
        parser.add_argument("--grain", required=True, choices=[str(g) for g in Grain])
        parser.add_argument("--from", dest="start", type=output.day)
        parser.add_argument("--to", dest="end", type=output.day, help="exclusive")
        parser.add_argument("--by", default="", metavar="DIMENSION")
        parser.add_argument("--known-at", type=output.instant, help="as recorded at that time")
        parser.add_argument("--format", choices=["table", "csv", "json"], default="table")

    def handle(self, *args: Any, key: str, by: str, **options: Any) -> None:
        metric = Metric.objects.filter(key=key).first()
        if metric is None:
            raise CommandError(f"there is no metric {key!r}", returncode=2)
        if by and by not in metric.by:
            stored = ", ".join(metric.by) or "none"
            raise CommandError(f"{key} is not stored by {by!r}; its dimensions: {stored}", returncode=2)
        output.check_window(options["start"], options["end"])
        known_at = options["known_at"]
        lines = values.stored_values(
            metric,
            options["grain"],
            start=options["start"],
            end=options["end"],
            dimension=by,
            known_at=known_at,
        )
        if not lines:
            first = values.first_recorded_at(metric)
            if known_at and (first is None or known_at < first):
                self.stderr.write(f"not yet recorded at {known_at.isoformat()}")
            else:
                self.stderr.write(f"no {options['grain']} figures of {key} are stored there")
        output.write(lines, values.COLUMNS, options["format"], self.stdout)
