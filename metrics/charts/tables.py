"""The figures of a chart as lines of a table."""

from dataclasses import dataclass
from datetime import date, timedelta

from metrics.charts.text import day, period
from metrics.queries.shapes import History, QuarterChart


@dataclass(frozen=True)
class Line:
    """One line: when, and what the chart shows there. None is not known."""

    when: str
    actual: float | None
    plan: float | None = None
    benchmark: float | None = None
    last_year: float | None = None
    agreed: float | None = None
    provisional: bool = False
    note: str = ""


def quarter_table(chart: QuarterChart) -> tuple[Line, ...]:
    """Every day or period at which the quarter's chart has a point, oldest first."""
    actual = {p.at: p for p in chart.actual}
    plan, marks, before = dict(chart.plan), dict(chart.benchmarks), dict(chart.last_year)
    agreed = dict(chart.agreed_benchmarks)
    days: set[date] = set(actual) | set(marks)
    if chart.kind == "total":
        days |= set(plan) | set(before)
    lines = []
    for at in sorted(days):
        point = actual.get(at)
        lines.append(
            Line(
                day(at),
                point.value if point else None,
                plan.get(at),
                marks.get(at),
                before.get(at),
                agreed.get(at),
                bool(point and point.provisional),
                note=_notes(point.doubts if point else ()),
            )
        )
    return tuple(lines)


def history_table(history: History) -> tuple[Line, ...]:
    """Every period, newest first, with what its unusual change was."""
    notes = {s.start: s.disposition or "unusual change, not explained yet" for s in history.signals}
    return tuple(
        Line(
            period(p.start, p.at + timedelta(days=1), history.grain, year=True),
            p.value,
            provisional=p.provisional,
            note=_notes(p.doubts, notes.get(p.start, "")),
        )
        for p in reversed(history.points)
    )


def _notes(doubts: tuple[str, ...], other: str = "") -> str:
    """Why a figure is in doubt, and what else is said of it."""
    said = [*(f"? {words.rstrip('.')}" for words in doubts), *([other] if other else [])]
    return "; ".join(said)
