"""The quarter's chart: how far the metric has come, against plan, target and last year."""

from datetime import timedelta

from calc.numbers import short
from metrics.charts.actual import actual_traces
from metrics.charts.doubts import doubt_bands, doubt_marks
from metrics.charts.labels import Label, room_for, side_notes
from metrics.charts.parts import (
    FINE,
    HOLE,
    INK,
    LAST_YEAR,
    PLAN,
    TARGET,
    Figure,
    layout_of,
    level,
    line,
    markers,
    moment,
    unit_note,
)
from metrics.charts.scale import Scale, scale
from metrics.queries.shapes import QuarterChart


def quarter_chart(chart: QuarterChart) -> Figure:
    """The quarter's progress: actual, plan with benchmarks, target, the same quarter a year back."""
    unit = chart.metric.unit
    axis = quarter_scale(chart)
    data: list[Figure] = []
    if chart.last_year:
        data.append(line("Last year", chart.last_year, unit, color=LAST_YEAR, width=1.25))
    if fine_shown(chart):
        fine = [(p.at, p.value) for p in chart.fine]
        data.append(line("By week", fine, unit, color=FINE, width=1.25))
    if chart.plan:
        data.append(line("Plan", chart.plan, unit, color=PLAN, width=1.5, dash="dash"))
    if chart.agreed_benchmarks:
        marks = markers(
            "Agreed", chart.agreed_benchmarks, unit, symbol="diamond-open", size=8, color=PLAN, edge=PLAN
        )
        data.append(marks | {"opacity": 0.55})
    if chart.benchmarks:
        data.append(
            markers("Benchmark", chart.benchmarks, unit, symbol="diamond", size=9, color=HOLE, edge=PLAN)
        )
    data += doubt_bands(chart.actual)
    data += actual_traces(chart.actual, unit, few=chart.kind == "level")
    data += doubt_marks(chart.actual)
    last = chart.end - timedelta(days=1)
    shapes: list[Figure] = []
    notes = [unit_note(unit, "running total" if chart.kind == "total" else "")]
    if chart.target is not None:
        shapes.append(level(chart.target, TARGET, "solid", 1.25))
    if chart.agreed_target is not None and chart.agreed_target != chart.target:
        shapes.append(level(chart.agreed_target, TARGET, "dot", 1))
    labels = quarter_labels(chart)
    layout = layout_of(axis, shapes, [*notes, *side_notes(labels, axis)])
    layout["margin"] |= {"r": layout["margin"]["r"] + room_for(labels)}
    layout["xaxis"] |= {
        "range": [moment(chart.start), moment(last, hours=23)],
        "dtick": "M1",
        "tick0": chart.start.isoformat(),
        "tickformat": "%b",
        "ticklabelmode": "period",
        "fixedrange": True,
    }
    return {"data": data, "layout": layout}


def quarter_labels(chart: QuarterChart) -> list[Label]:
    """What stands at the end of the target's line, and at that of the agreed one where it is another."""
    target, agreed, unit = chart.target, chart.agreed_target, chart.metric.unit
    labels = []
    if target is not None:
        labels.append(Label(target, "target", short(target, unit), TARGET))
    if agreed is not None and agreed != target:
        labels.append(Label(agreed, "agreed", short(agreed, unit), INK))
    return labels


def fine_shown(chart: QuarterChart) -> bool:
    """Whether the weekly line says more than the judged figures, which may be weekly themselves."""
    return not {p.at for p in chart.fine} <= {p.at for p in chart.actual}


def quarter_scale(chart: QuarterChart) -> Scale:
    """The vertical range that holds everything that the quarter's chart draws."""
    values: list[float | None] = [p.value for p in (*chart.actual, *chart.fine)]
    values += [v for _, v in (*chart.plan, *chart.benchmarks, *chart.agreed_benchmarks, *chart.last_year)]
    values += [chart.target, chart.agreed_target]
    return scale(values, chart.metric.unit, from_zero=chart.kind == "total")
