"""`reconcile KEY FILE.csv`: somebody's own figures beside ours."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calc.calendar import PERIODS, Grain
from metrics.definitions.mistakes import DefinitionsError
from metrics.management import output
from metrics.management.reading import read_text
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.reconcile import reconcile

COLUMNS = ("period", "theirs", "ours", "difference")


class Command(BaseCommand):
    help = "Prints period, theirs, ours and difference (ours less theirs) for the figures of a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key")
        parser.add_argument(
            "file",
            help="columns: period_start, value (or numerator and denominator), and if wanted dimension, "
            "member; - for standard input",
        )
        parser.add_argument(
            "--grain",
            choices=[str(g) for g in PERIODS],
            help="of the file's periods; default: a manual metric's own, else month",
        )
        parser.add_argument("--format", choices=["table", "csv", "json"], default="table")

    def handle(self, *args: Any, key: str, **options: Any) -> None:
        metric = Metric.objects.filter(key=key).first()
        if metric is None:
            raise CommandError(f"there is no metric {key!r}", returncode=2)
        text = read_text(options["file"])
        grain = Grain(options["grain"]) if options["grain"] else None
        try:
            lines = reconcile(metric, text, installation.calendar(), grain)
        except DefinitionsError as error:
            raise CommandError(str(error), returncode=2) from None
        segments = any(line.dimension for line in lines)
        columns = ("period", "dimension", "member", *COLUMNS[1:]) if segments else COLUMNS
        output.write(lines, columns, options["format"], self.stdout)
        agreeing = sum(line.agrees for line in lines)
        self.stderr.write(f"agrees in {agreeing} of {len(lines)} periods")
