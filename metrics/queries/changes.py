"""Who changed what by hand: targets, our plan for a month, entered figures; from their kept histories."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Model, Window
from django.db.models.functions import Lag

from calc.calendar import Calendar, Grain
from calc.numbers import full
from metrics.definitions.build import entry_grain
from metrics.models import Benchmark, Entry, Metric, Target
from metrics.queries.entries import label
from metrics.queries.recorded import events
from metrics.queries.shapes import Edit
from owners.models import User

LISTED = 12
_ORIGINS = {"apply": "definitions file", "file": "a file", "api": "the API", "page": "a page"}


def edits(metric: Metric, cal: Calendar) -> tuple[Edit, ...]:
    """The newest changes by people, newest first. Four SQL statements, one more for their names.

    What was only written again, or is a change of nothing but its reason, is no change.
    """
    found: list[tuple[dict[str, Any], str, str, str]] = []
    for row in _history(Target, ["quarter"], ["value", "reason"], metric=metric, dimension=""):
        said = f"target of {cal.quarter_label(row['quarter'])}"
        found.append((row, said, _say(row["was_value"], metric), _say(row["value"], metric)))
    whole = list(Target.objects.filter(metric=metric, dimension="").values_list("id", flat=True))
    for row in _history(Benchmark, ["target_id", "month"], ["value"], target_id__in=whole):
        said = f"our plan for {row['month']:%b %Y}"
        found.append((row, said, _say(row["was_value"], metric), _say(row["value"], metric)))
    grain = entry_grain(metric)
    if grain:
        kept = ["value", "numerator", "denominator", "note"]
        for row in _history(Entry, ["period_start"], kept, metric=metric, dimension=""):
            said = label(cal, cal.period(Grain(grain), row["period_start"]))
            found.append((row, said, _entered(row, "was_", metric), _entered(row, "", metric)))
    found.sort(key=lambda line: line[0]["pgh_created_at"], reverse=True)
    told = [(row, what, *_sides(row, before, after)) for row, what, before, after in found]
    told = [line for line in told if line[2] != line[3]][:LISTED]
    who = _authors([row for row, *_ in told])
    return tuple(
        Edit(
            at=row["pgh_created_at"],
            by=who.get(row["pgh_id"], ""),
            what=what,
            before=before,
            after=after,
            reason=row.get("reason") or row.get("note") or "",
        )
        for row, what, before, after in told
    )


def _history(
    model: type[Model], place: Sequence[str], kept: Sequence[str], **where: Any
) -> list[dict[str, Any]]:
    """Events of one kind of row, each with what stood at its place before. One SQL statement."""
    before = {
        f"was_{name}": Window(Lag(name), partition_by=[F(p) for p in place], order_by="pgh_id")
        for name in (*kept, "pgh_label")
    }
    newest = events(model).objects.filter(**where).annotate(**before).order_by("-pgh_id")
    return list(
        newest.values(
            "pgh_id",
            "pgh_created_at",
            "pgh_label",
            *place,
            *kept,
            *before,
            metadata=F("pgh_context__metadata"),
        )[: LISTED * 4]
    )


def _sides(row: dict[str, Any], before: str, after: str) -> tuple[str, str]:
    """What was there before and after the event; "" is nothing. A removal's event holds what was removed."""
    if row["pgh_label"] == "delete":
        return after, ""
    return ("" if row["was_pgh_label"] in (None, "delete") else before), after


def _say(value: float | None, metric: Metric) -> str:
    return "" if value is None else full(value, metric.unit)


def _entered(row: dict[str, Any], prefix: str, metric: Metric) -> str:
    above, below = row[f"{prefix}numerator"], row[f"{prefix}denominator"]
    if above is not None and below is not None:
        return f"{full(above)} of {full(below)}"
    return _say(row[f"{prefix}value"], metric)


def _authors(rows: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Who made each event, by its id: a person, or the way by which it came."""
    said = {row["pgh_id"]: row["metadata"] or {} for row in rows}
    people = User.objects.in_bulk({m["user"] for m in said.values() if m.get("user")}) if said else {}
    return {
        event: str(people.get(m.get("user")) or _ORIGINS.get(m.get("origin", ""), ""))
        for event, m in said.items()
    }
