"""`signals KEY --grain G`: process limits of a metric's final figures, and the points that are signals."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calc import xmr
from calc.calendar import PERIODS
from metrics.management import output
from metrics.models import Metric
from metrics.queries.values import stored_values


class Command(BaseCommand):
    help = "Prints XmR limits from all final points of the window (or its first N) and each point's rules."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key")
        parser.add_argument("--grain", required=True, choices=[str(g) for g in PERIODS])
        parser.add_argument("--from", dest="start", type=output.day)
        parser.add_argument("--to", dest="end", type=output.day, help="exclusive")
        parser.add_argument("--baseline", type=int, metavar="N", help="limits from the first N points")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *args: Any, key: str, **options: Any) -> None:
        metric = Metric.objects.filter(key=key).first()
        if metric is None:
            raise CommandError(f"there is no metric {key!r}", returncode=2)
        if options["baseline"] is not None and options["baseline"] < 2:
            raise CommandError("a baseline needs at least 2 points", returncode=2)
        output.check_window(options["start"], options["end"])
        lines = stored_values(metric, options["grain"], start=options["start"], end=options["end"])
        final = [line for line in lines if line.status == "final"]
        floor, ceiling = xmr.bounds(metric.unit)
        values = [line.value for line in final]
        limits = xmr.limits(values, options["baseline"], floor=floor, ceiling=ceiling)
        points: list[dict[str, Any]] = [
            {"period_start": line.period_start, "value": line.value, "rules": [str(r) for r in rules]}
            for line, rules in zip(final, xmr.signals(values, limits), strict=True)
        ]
        names = ("centre", "average_moving_range", "upper", "lower", "upper_range")
        said = {name: getattr(limits, name) if limits else None for name in names}
        if options["format"] == "json":
            plain = [{k: output.plain(v) for k, v in point.items()} for point in points]
            self.stdout.write(json.dumps({**said, "points": plain}, indent=1))
            return
        output.write([said], names, "table", self.stdout)
        self.stdout.write("")
        table = [{**point, "rules": ", ".join(point["rules"])} for point in points]
        output.write(table, ("period_start", "value", "rules"), "table", self.stdout)
